"""Vendure, a webshop: what is read, what may be written and how safely. Admin GraphQL API of version 3.

Declares only. `session` is how it is reached, `options` what the estate says of it, `reads` and `read_backs` what it
says, `write_*` what is told to it; the `.graphql` files are its documents, the `.sql` files turn its raw tables into
ours.
"""

from pipelines.channels.base import Ability, Channel, Rounding
from pipelines.channels.vendure.options import SYSTEM
from pipelines.channels.vendure.read_backs import READ_BACKS
from pipelines.channels.vendure.reads import ENDPOINTS
from pipelines.channels.vendure.session import KEY, connect, identify
from pipelines.channels.vendure.write_people import CUSTOMER_FIELDS, PEOPLE_WRITERS, POINTS
from pipelines.channels.vendure.write_variants import VARIANT_WRITERS

_ABILITIES = (
    Ability("items", "gtin", (3,), "a custom field, named in the options; read just before"),
    Ability("prices", "amount", (3,), "one price per currency; read just before"),
    Ability("stock", "available", (3,), "on hand less allocated; read just before"),
    Ability("stock", "on_hand", (3,), "absolute; read just before"),
    *(Ability("customers", field, (3,), "read just before") for field in sorted(CUSTOMER_FIELDS - {POINTS})),
    Ability("customers", POINTS, (3,), "a custom field, named in the options; read just before"),
    Ability("consents", "state", (3,), "a custom field, named in the options; lowered only; read just before"),
)

VENDURE = Channel(
    name=SYSTEM,
    title="Vendure (webshop)",
    connect=connect,
    identify=identify,
    endpoints=ENDPOINTS,
    writers=(*VARIANT_WRITERS, *PEOPLE_WRITERS),
    read_backs=READ_BACKS,
    abilities=_ABILITIES,
    secrets=(KEY,),
    roles={"webshop": ("items", "prices", "stock", "orders"), "crm": ("customers",), "email": ("consents",)},
    rounding=Rounding("half_up", "unit", "its default money strategy"),
)
