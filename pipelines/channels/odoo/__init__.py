"""Odoo 19 by JSON-2: till and stock (point_of_sale), customers with loyalty points, and permission to mail.

Declares only. `session` is how it is reached, `models` and `reads` what it says, the `write_*` modules what is told to
it, `read_backs` what it holds now; the `.sql` files beside turn its raw tables into ours.
"""

from pipelines.channels.base import Ability, Channel, Rounding
from pipelines.channels.odoo.read_backs import READ_BACKS
from pipelines.channels.odoo.reads import ENDPOINTS
from pipelines.channels.odoo.session import KEY, connect, identify
from pipelines.channels.odoo.write_consents import BLACKLIST, CONSENT_WRITER
from pipelines.channels.odoo.write_items import ITEM_WRITER, PRICE_WRITER
from pipelines.channels.odoo.write_people import (
    ADDRESS_FIELDS,
    CUSTOMER_WRITER,
    NAME_FIELDS,
    PARTNER_FIELDS,
    POINTS_WRITER,
)
from pipelines.channels.odoo.write_stock import AVAILABLE_WRITER, STOCK_WRITER

_ABILITIES = (
    Ability("items", "gtin", (3,), "many in one load; Odoo refuses a barcode that another product has"),
    Ability("prices", "amount", (3,), "the template's sales price, many in one load; its variants go together"),
    Ability("prices", "compare_at", (0,), "Odoo knows no price before reduction"),
    Ability("stock", "on_hand", (1,),
            "a count, applied only while the stock room holds what was seen; other shelves are read again just before"),
    Ability("stock", "available", (3,),
            "a count of what is on hand, reserved units with it; these are read again just before, compared by nobody"),
    *(Ability("customers", field, (3,), "many in one load; a blank is never written"
              + ("; not where a firm and its contacts share the address" if field in ADDRESS_FIELDS else ""))
      for field in PARTNER_FIELDS),
    *(Ability("customers", field, (3,), "into the one name that Odoo keeps, where it can stand in it")
      for field in NAME_FIELDS),
    Ability("customers", "loyalty_points", (3,), "with a line in the card's history"),
    Ability("consents", "state", (3,), "down only: opted out of the list, or on the blacklist"),
)

ODOO = Channel(
    name="odoo",
    title="Odoo",
    connect=connect,
    identify=identify,
    endpoints=ENDPOINTS,
    writers=(ITEM_WRITER, PRICE_WRITER, STOCK_WRITER, AVAILABLE_WRITER, CUSTOMER_WRITER, POINTS_WRITER, CONSENT_WRITER),
    read_backs=READ_BACKS,
    abilities=_ABILITIES,
    secrets=(KEY,),
    roles={"pos": ("items", "prices", "stock", "orders"), "crm": ("customers", "loyalty"), "email": ("consents",)},
    bans=frozenset({BLACKLIST}),
    rounding=Rounding("half_up", "line", "its documentation; by order where the company rounds globally"),
)
