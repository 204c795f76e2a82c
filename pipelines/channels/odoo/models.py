"""The models of Odoo that are read: which records, which fields, and what they feed. Data only.

`booleans` are named because Odoo says `false` for whatever is empty: in any other field that is no value. Names are
never read of the records that a record points to, only their ids, but where a name is itself a value of ours.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Model:
    """One raw table: records of `model` within `domain`, archived ones too, with these fields."""

    name: str
    model: str
    entities: tuple[str, ...]
    fields: tuple[str, ...]
    booleans: frozenset[str] = frozenset()
    domain: tuple[Any, ...] = field(default=())
    is_named: bool = False
    """Whether what a record points to comes as id and name ([7, "Robes"]), not as the id alone."""
    is_small: bool = False
    """Settings: always read whole."""
    switch: str = ""
    """The option of estate.toml that is "off" where the shop does without; then there are no records, and no call."""


_INTERNAL = ["location_id.usage", "=", "internal"]
_LOYALTY = ["program_id.program_type", "=", "loyalty"]

PRODUCTS = Model(
    "products", "product.product", ("items", "prices", "stock"),
    ("default_code", "barcode", "name", "product_tmpl_id", "categ_id", "type", "is_storable", "uom_id", "list_price",
     "price_extra", "standard_price", "currency_id", "taxes_id", "active", "sale_ok", "write_date"),
    booleans=frozenset({"is_storable", "active", "sale_ok"}), is_named=True,
)
UNITS = Model("units", "uom.uom", ("stock",), ("factor", "write_date"), is_small=True)
TAXES = Model(
    "taxes", "account.tax", ("items", "prices"), ("amount", "amount_type", "price_include", "active", "write_date"),
    booleans=frozenset({"price_include", "active"}), domain=(["type_tax_use", "=", "sale"],), is_small=True,
)
WAREHOUSES = Model(
    "warehouses", "stock.warehouse", ("stock", "orders"), ("name", "active", "write_date"),
    booleans=frozenset({"active"}), is_small=True,
)
LOCATIONS = Model(
    "locations", "stock.location", ("stock",), ("usage", "warehouse_id", "write_date"), is_small=True,
)
QUANTS = Model(
    "quants", "stock.quant", ("stock",),
    ("product_id", "location_id", "quantity", "reserved_quantity", "write_date"), domain=(_INTERNAL,),
)
MOVES = Model(
    "moves", "stock.move", ("stock",),
    ("product_id", "product_uom", "location_id", "location_dest_id", "quantity", "is_inventory", "inventory_name",
     "date", "write_date"),
    booleans=frozenset({"is_inventory"}),
    domain=(["state", "=", "done"], "|", _INTERNAL, ["location_dest_id.usage", "=", "internal"]),
)
PARTNERS = Model(
    "partners", "res.partner", ("customers", "consents"),
    ("name", "email", "phone", "street", "city", "zip", "country_code", "barcode", "is_company", "active",
     "create_date", "write_date"),
    booleans=frozenset({"is_company", "active"}),
    # Not the shop's own people, not the shop itself, and no second addresses of somebody who is there already.
    domain=(["partner_share", "=", True], ["ref_company_ids", "=", False],
            ["type", "not in", ["invoice", "delivery", "other"]]),
)
LOYALTY_CARDS = Model(
    "loyalty_cards", "loyalty.card", ("customers", "loyalty"),
    ("partner_id", "program_id", "points", "active", "write_date"),
    booleans=frozenset({"active"}), domain=(_LOYALTY, ["partner_id", "!=", False]), switch="loyalty",
)
LOYALTY_HISTORY = Model(
    "loyalty_history", "loyalty.history", ("loyalty",),
    ("card_id", "issued", "used", "order_model", "order_id", "create_date", "write_date"),
    domain=(["card_id.program_id.program_type", "=", "loyalty"], ["card_id.partner_id", "!=", False]), switch="loyalty",
)
CONTACTS = Model("contacts", "mailing.contact", ("consents",), ("email", "write_date"))
SUBSCRIPTIONS = Model(
    "subscriptions", "mailing.subscription", ("consents",),
    ("contact_id", "list_id", "opt_out", "opt_out_datetime", "write_date"), booleans=frozenset({"opt_out"}),
)
LISTS = Model(
    "lists", "mailing.list", ("consents",), ("active", "write_date"), booleans=frozenset({"active"}), is_small=True,
)
BLACKLIST = Model(
    "blacklist", "mail.blacklist", ("consents",), ("email", "active", "write_date"),
    booleans=frozenset({"active"}),
)
REGISTERS = Model("registers", "pos.config", ("orders",), ("picking_type_id", "write_date"), is_small=True)
PICKING_TYPES = Model(
    "picking_types", "stock.picking.type", ("orders",), ("warehouse_id", "write_date"), is_small=True,
)
ORDERS = Model(
    "orders", "pos.order", ("orders",),
    ("config_id", "partner_id", "state", "amount_total", "currency_id", "date_order", "write_date"), is_named=True,
    domain=(["state", "!=", "draft"],),
)
ORDER_LINES = Model(
    "order_lines", "pos.order.line", ("orders",),
    ("order_id", "product_id", "qty", "price_unit", "price_subtotal_incl", "refunded_orderline_id", "write_date"),
    domain=(["order_id.state", "!=", "draft"],),
)

MODELS = (
    PRODUCTS, UNITS, TAXES, WAREHOUSES, LOCATIONS, QUANTS, MOVES, PARTNERS, LOYALTY_CARDS, LOYALTY_HISTORY,
    CONTACTS, SUBSCRIPTIONS, LISTS, BLACKLIST, REGISTERS, PICKING_TYPES, ORDERS, ORDER_LINES,
)
