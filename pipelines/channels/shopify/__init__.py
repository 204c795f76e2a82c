"""Shopify, the webshop: what is read, what may be written and how safely. Admin GraphQL API 2026-07.

Declares only. `session` is how it is reached and `limiter` how it is paced, `reads` and `read_backs` what it says,
`writes` what is told to it; the `.graphql` files are its documents, the `.sql` files turn its raw tables into ours.
"""

from pipelines.channels.base import Ability, Channel
from pipelines.channels.shopify.read_backs import READ_BACKS
from pipelines.channels.shopify.reads import ENDPOINTS
from pipelines.channels.shopify.session import NEEDED_SCOPES, OPTIONAL_SCOPES, SYSTEM, TOKEN, connect, identify
from pipelines.channels.shopify.write_people import CUSTOMER_FIELDS
from pipelines.channels.shopify.writes import WRITERS

_ABILITIES = (
    Ability("items", "gtin", (3,), "barcode; no version to compare, read just before"),
    Ability("prices", "amount", (3,), "base price or fixed price of a list; read just before"),
    Ability("prices", "compare_at", (3,), "together with the price; read just before"),
    Ability("stock", "available", (1, 2), "changeFromQuantity and @idempotent"),
    *(Ability("customers", field, (3,), "read just before") for field in sorted(CUSTOMER_FIELDS)),
    Ability("consents", "state", (3,), "lowered only; a permission is never raised; read just before"),
)

SHOPIFY = Channel(
    name=SYSTEM,
    title="Shopify (webshop)",
    connect=connect,
    identify=identify,
    endpoints=ENDPOINTS,
    writers=WRITERS,
    read_backs=READ_BACKS,
    abilities=_ABILITIES,
    secrets=(TOKEN,),
    needed_scopes=NEEDED_SCOPES,
    optional_scopes=OPTIONAL_SCOPES,
)
