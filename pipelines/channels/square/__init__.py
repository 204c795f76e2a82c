"""Square, the till: what is read, what may be written and how safely. Vendor API of Square-Version 2025-08-20.

Declares only. `session` is how it is reached, `reads` and `read_backs` what it says, `writes` and `upserts` what is
told to it; the `.sql` files beside turn its raw tables into ours. E-mail permission is read-only at Square.
"""

from pipelines.channels.base import Ability, Channel, Rounding
from pipelines.channels.square.read_backs import READ_BACKS
from pipelines.channels.square.reads import ENDPOINTS
from pipelines.channels.square.session import NEEDED_SCOPES, OPTIONAL_SCOPES, TOKEN, connect, identify
from pipelines.channels.square.upserts import ITEM_WRITER, PRICE_WRITER
from pipelines.channels.square.writes import CUSTOMER_FIELDS, CUSTOMER_WRITER, STOCK_WRITER

_ABILITIES = (
    Ability("items", "gtin", (1, 2), "catalogue version and idempotency key"),
    Ability("prices", "amount", (1, 2), "base price or one location's override; catalogue version and idempotency key"),
    Ability("prices", "compare_at", (0,), "Square knows no price before reduction"),
    Ability("stock", "on_hand", (2, 3), "absolute count with idempotency key; no compare-and-set, read just before"),
    *(Ability("customers", field, (1,), "profile version") for field in sorted(CUSTOMER_FIELDS)),
    Ability("consents", "state", (0,), "email_unsubscribed is read-only: goes to the work list"),
)

SQUARE = Channel(
    name="square",
    title="Square (till)",
    connect=connect,
    identify=identify,
    endpoints=ENDPOINTS,
    writers=(ITEM_WRITER, PRICE_WRITER, STOCK_WRITER, CUSTOMER_WRITER),
    read_backs=READ_BACKS,
    abilities=_ABILITIES,
    secrets=(TOKEN,),
    needed_scopes=NEEDED_SCOPES,
    # https://developer.squareup.com/docs/orders-api/price-adjustments#rounding-rules
    rounding=Rounding("half_even", "line", "bankers' rounding, of taxes and reductions (its price adjustments)"),
    optional_scopes=OPTIONAL_SCOPES,
)
