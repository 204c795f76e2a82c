"""Reads the present values of corrections at WooCommerce, by id.

Values come back canonical: amounts in minor units, quantities in decimal, permissions as yes, no or unknown. A record
that is gone or in the trash does not exist; nor does a permission whose e-mail address is another by now.
"""

from collections.abc import Callable, Sequence
from typing import Any

from pipelines.channels.base import ReadBack
from pipelines.channels.woocommerce.amounts import CURRENCY, paid
from pipelines.channels.woocommerce.consent import is_denied, state_of
from pipelines.channels.woocommerce.lists import PAGE
from pipelines.channels.woocommerce.now import Present, kept, present_customers, present_goods
from pipelines.channels.woocommerce.options import CONSENT_META, no_words
from pipelines.http import Session
from pipelines.model import Correction, Reading

Value = Callable[[Correction, Present], str | None]
CUSTOMER_FIELDS: dict[str, tuple[str, ...]] = {
    "first_name": ("first_name",), "last_name": ("last_name",), "phone": ("billing", "phone"),
    "street": ("billing", "address_1"), "city": ("billing", "city"), "postcode": ("billing", "postcode"),
}
"""Where each field of ours stands in an account; the address is the billing one."""


def customer_value(record: Present, field: str) -> str | None:
    """A field of an account as it is staged: without outer blanks, None for nothing."""
    found: Any = record
    for step in CUSTOMER_FIELDS[field]:
        found = found.get(step) if isinstance(found, dict) else None
    return found.strip(" ") or None if isinstance(found, str) else None


def _readings(corrections: Sequence[Correction], held: dict[str, Present], value: Value) -> list[Reading]:
    readings = []
    for c in corrections:
        record = held.get(c.vendor_id)
        text = None if record is None else value(c, record)
        readings.append(
            Reading(c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, text, None, record is not None)
        )
    return readings


async def _read_items(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    def gtin(_: Correction, record: Present) -> str | None:
        return str(record.get("global_unique_id") or "") or None

    return _readings(corrections, await present_goods(session, corrections), gtin)


async def _read_prices(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    def price(c: Correction, record: Present) -> str | None:
        found = paid(record, c.currency or CURRENCY, session.clock.now())
        return found.amount if c.field == "amount" else found.compare_at

    return _readings(corrections, await present_goods(session, corrections), price)


async def _read_stock(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    def units(_: Correction, record: Present) -> str | None:
        quantity = record.get("stock_quantity")
        return None if quantity is None or record.get("manage_stock") is not True else str(quantity)

    return _readings(corrections, await present_goods(session, corrections), units)


async def _read_customers(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    def field(c: Correction, record: Present) -> str | None:
        return customer_value(record, c.field)

    return _readings(corrections, await present_customers(session, corrections), field)


async def _read_consents(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    key, words = session.options.get(CONSENT_META, "").strip(), no_words(session.options)

    def state(c: Correction, record: Present) -> str | None:
        value = kept(record, key)
        # Our own no shows even where the plugin's word for it may be an unticked box's.
        return "no" if is_denied(value, c.context.get("vendor_state")) else state_of(value, words)

    held = await present_customers(session, corrections)
    same = {c.vendor_id for c in corrections if c.vendor_id in held and _is_of(c, held[c.vendor_id])}
    held = {number: record for number, record in held.items() if number in same}
    return _readings(corrections, held, state if key else lambda *_: None)


def _is_of(correction: Correction, record: Present) -> bool:
    """Whether the account still has the address that the permission was planned for."""
    planned = str(correction.context.get("email") or "").strip().lower()
    return not planned or str(record.get("email") or "").strip().lower() == planned


READ_BACKS = (
    ReadBack("items", PAGE, _read_items),
    ReadBack("prices", PAGE, _read_prices),
    ReadBack("stock", PAGE, _read_stock),
    ReadBack("customers", PAGE, _read_customers),
    ReadBack("consents", PAGE, _read_consents),
)
