"""Writes barcodes, prices and quantities: products in batches, variations in batches of their product.

WooCommerce compares nothing before it sets: push reads back just before. A quantity is absolute, so what is sold
between that reading and the write is lost; the next night finds it. Prices: of a running sale the sale price is
corrected, and its days stay; without one the regular price is, and a sale price that lay idle and would count beside it
is cleared. A sale that we begin has no days, whatever lay there, and one that we end leaves nothing behind. A sale that
is still to come stays as it is, so nothing is struck through until it has begun.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pipelines.channels.barcodes import printed
from pipelines.channels.base import Writer
from pipelines.channels.outcomes import blank, by_record, in_order, rejected
from pipelines.channels.woocommerce.amounts import CURRENCY, Paid, is_to_come, paid, to_decimal
from pipelines.channels.woocommerce.batches import MAX_BATCH, Row, outcome, update
from pipelines.channels.woocommerce.now import present_goods, product_of
from pipelines.http import Session
from pipelines.model import Correction, Outcome

MAX_IN_FLIGHT = 3
_NO_DAYS = {"date_on_sale_from_gmt": "", "date_on_sale_to_gmt": ""}
_NO_SALE = {"sale_price": "", **_NO_DAYS}


def _path(corrections: Sequence[Correction]) -> str:
    product = product_of(corrections[0])
    return f"products/{product}/variations" if product else "products"


async def write_barcodes(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Barcodes of products, or of one product's variations. Known to WooCommerce 9.2 and later; others drop them."""
    outcomes = {c.correction_key: blank(c) for c in corrections if not c.desired}
    sent = [c for c in corrections if c.desired]
    if sent:
        rows = [{"id": int(c.vendor_id), "global_unique_id": printed(c.desired or "")} for c in sent]
        for c, row, told in zip(sent, rows, await update(session, _path(sent), rows), strict=True):
            outcomes[c.correction_key] = outcome(c, told, _shows({"global_unique_id": row["global_unique_id"]}))
    return in_order(corrections, outcomes)


def _shows(values: Row) -> Callable[[Row], bool]:
    return lambda record: all(record.get(name) == value for name, value in values.items())


async def write_stock(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Quantities of products, or of one product's variations."""
    outcomes = {c.correction_key: blank(c) for c in corrections if c.desired is None}
    sent = [c for c in corrections if c.desired is not None]
    if sent:
        rows = [{"id": int(c.vendor_id), "stock_quantity": int(c.desired or 0)} for c in sent]
        for c, row, told in zip(sent, rows, await update(session, _path(sent), rows), strict=True):
            shown = {"manage_stock": True, "stock_quantity": row["stock_quantity"]}
            outcomes[c.correction_key] = outcome(c, told, _shows(shown))
    return in_order(corrections, outcomes)


async def write_prices(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Prices of products, or of one product's variations; amount and compare-at price of one go together."""
    outcomes = {c.correction_key: blank(c) for c in corrections if c.field == "amount" and not c.desired}
    records = by_record(c for c in corrections if c.correction_key not in outcomes)
    waiting = [c for rows in records.values() for c in rows]
    present = await present_goods(session, waiting) if waiting else {}
    rows: list[Row] = []
    sent: list[tuple[list[Correction], Paid]] = []
    for vendor_id, some in records.items():
        record = present.get(vendor_id)
        if record is None:
            outcomes |= {c.correction_key: rejected(c, "GONE", "the record is not there any more") for c in some}
            continue
        currency, now = _currency(some), session.clock.now()
        was = paid(record, currency, now)
        wanted = _wanted(was, some)
        if problem := _problem(wanted) or _in_the_way(record, wanted, now):
            outcomes |= {c.correction_key: rejected(c, "NO_SALE", problem) for c in some}
            continue
        rows.append({"id": int(vendor_id), **_values(record, was, wanted, currency, now)})
        sent.append((some, wanted))
    told = await update(session, _path(waiting), rows) if rows else []
    for (some, wanted), row in zip(sent, told, strict=True):
        outcomes |= {c.correction_key: outcome(c, row, _holds(session, c, wanted)) for c in some}
    return in_order(corrections, outcomes)


def _currency(corrections: Sequence[Correction]) -> str:
    return next((c.currency for c in corrections if c.currency), CURRENCY)


def _wanted(now: Paid, corrections: Sequence[Correction]) -> Paid:
    """What the record is to come to: the corrected values, and what it holds of the others."""
    values = {"amount": now.amount, "compare_at": now.compare_at} | {c.field: c.desired for c in corrections}
    return Paid(values["amount"], values["compare_at"] or None)


def _problem(wanted: Paid) -> str:
    """Why WooCommerce could not show this; '' where it can."""
    amount, compare_at = wanted.amount or "", wanted.compare_at
    if not amount.isdigit():
        return "there is no price to keep beside it"
    if compare_at is not None and not (compare_at.isdigit() and int(compare_at) > int(amount)):
        return "a price is only struck through for a lower one"
    return ""


def _in_the_way(record: Row, wanted: Paid, now: datetime) -> str:
    """Why a sale cannot be made one that runs now; '' where it can, or where none is wanted."""
    if wanted.compare_at is not None and is_to_come(record, now):
        return "a sale that is still to come has the place of the price to strike through"
    return ""


def _values(record: Row, was: Paid, wanted: Paid, currency: str, now: datetime) -> dict[str, Any]:
    """What to set, so that the shop sells at what is wanted: no more than what differs, and what lay idle besides.

    Where a sale begins or ends, what the record held of one goes: its days would end ours, its price come back.
    """
    amount = to_decimal(wanted.amount or "", currency)
    if wanted.compare_at is None:
        values, idle = {"regular_price": amount}, _NO_SALE
    else:
        # A sale that has run out would not show its price: it is made one without days.
        values, idle = {"regular_price": to_decimal(wanted.compare_at, currency), "sale_price": amount}, _NO_DAYS
    is_kept = (was.compare_at is None) == (wanted.compare_at is None)
    return values if is_kept and paid({**record, **values}, currency, now) == wanted else {**idle, **values}


def _holds(session: Session, correction: Correction, wanted: Paid) -> Callable[[Row], bool]:
    """Whether a record comes to what was wanted, in the correction's field."""

    def is_there(record: Row) -> bool:
        found = paid(record, correction.currency or CURRENCY, session.clock.now())
        return found.amount == wanted.amount if correction.field == "amount" else found.compare_at == wanted.compare_at

    return is_there


ITEM_WRITER = Writer(
    "items", frozenset({"gtin"}), MAX_BATCH, write_barcodes, group=product_of, needs_check=True,
    max_in_flight=MAX_IN_FLIGHT,
)
PRICE_WRITER = Writer(
    "prices", frozenset({"amount", "compare_at"}), MAX_BATCH, write_prices, group=product_of, needs_check=True,
    max_in_flight=MAX_IN_FLIGHT,
)
STOCK_WRITER = Writer(
    "stock", frozenset({"available"}), MAX_BATCH, write_stock, group=product_of, needs_check=True,
    max_in_flight=MAX_IN_FLIGHT,
)
