"""WooCommerce, the webshop on WordPress: what is read, what may be written and how safely. REST API v3.

Declares only. `session` and `oauth` are how it is reached, `options` what the estate may say of it, `lists` and `reads`
what it says, `now` and `read_backs` what it says by id, `batches`, `write_goods` and `write_people` what is told to it;
the `.sql` files turn its raw tables into ours. It has no version, no idempotency key and no compare-and-set.
"""

from datetime import timedelta

from pipelines.channels.base import Ability, Channel, Endpoint, Rounding
from pipelines.channels.woocommerce.lists import PAGE
from pipelines.channels.woocommerce.read_backs import CUSTOMER_FIELDS, READ_BACKS
from pipelines.channels.woocommerce.reads import (
    count_products,
    read_customers,
    read_orders,
    read_products,
    read_settings,
    read_taxes,
    read_variations,
)
from pipelines.channels.woocommerce.session import KEY, SECRET, SYSTEM, connect, identify
from pipelines.channels.woocommerce.write_goods import ITEM_WRITER, PRICE_WRITER, STOCK_WRITER
from pipelines.channels.woocommerce.write_people import CONSENT_WRITER, CUSTOMER_WRITER

OVERLAP = timedelta(minutes=10)
"""A request notes its time when it begins and shows what it saved when it ends; and hosts cache lists."""
_GOODS = ("items", "prices", "stock")

_ENDPOINTS = (
    Endpoint("settings", ("items", "prices", "customers", "consents"), read_settings, has_delta=False),
    Endpoint("taxes", ("items", "prices"), read_taxes, has_delta=False, census_page=PAGE),
    Endpoint(
        "products", _GOODS, read_products, overlap=OVERLAP, count=count_products, census_page=PAGE, delta_page=PAGE
    ),
    Endpoint("variations", _GOODS, read_variations, overlap=OVERLAP),
    Endpoint("customers", ("customers", "consents"), read_customers, has_delta=False, census_page=PAGE),
    Endpoint("orders", ("orders", "stock"), read_orders, overlap=OVERLAP, may_be_empty=True),
)

_ABILITIES = (
    Ability("items", "gtin", (3,), "WooCommerce 9.2 and later; read just before"),
    Ability("prices", "amount", (3,), "regular price, or sale price while a sale runs; read just before"),
    Ability("prices", "compare_at", (3,), "the regular price beside a sale; read just before"),
    Ability("stock", "available", (3,), "absolute; a sale between reading and writing is lost until the next night"),
    *(Ability("customers", field, (3,), "read just before; a blank is never written") for field in CUSTOMER_FIELDS),
    Ability("consents", "state", (3,), "lowered only, and only where consent_meta_key says what a plugin keeps"),
)

WOOCOMMERCE = Channel(
    name=SYSTEM,
    title="WooCommerce (webshop)",
    connect=connect,
    identify=identify,
    endpoints=_ENDPOINTS,
    writers=(ITEM_WRITER, PRICE_WRITER, STOCK_WRITER, CUSTOMER_WRITER, CONSENT_WRITER),
    read_backs=READ_BACKS,
    abilities=_ABILITIES,
    secrets=(KEY, SECRET),
    rounding=Rounding("half_up", "line", "its own code; by order where `Rounding` of taxes is set to the subtotal"),
)
