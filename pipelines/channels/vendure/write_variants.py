"""Writes prices, levels and barcodes by `updateProductVariants`, which takes a batch whole or not at all.

Vendure does not say which variant of a refused batch was the bad one: the batch is halved until it is found. It takes
negative prices and levels without a word, so those never go out. Prices of other currencies and levels of other
locations are kept; a level is set absolutely, whatever it was, so push reads it just before.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pipelines.channels.barcodes import printed
from pipelines.channels.base import Writer
from pipelines.channels.outcomes import blank, by_record, in_order, rejected
from pipelines.channels.vendure.documents import read_document
from pipelines.channels.vendure.money import to_stored
from pipelines.channels.vendure.options import unnamed
from pipelines.channels.vendure.outcomes import applied, refused
from pipelines.channels.vendure.read_backs import levels
from pipelines.channels.vendure.session import Refused, ask
from pipelines.currencies import DIGITS
from pipelines.http import Session
from pipelines.model import Correction, Outcome

VARIANTS_AT_ONCE = 200
"""400 take two seconds of the shop's only process; half of it at a time lets customers in between."""
IN_FLIGHT = 2

Input = dict[str, Any]


class _Updated(msgspec.Struct):
    m0: list[dict[str, Any] | None]


async def _update(
    session: Session, corrections: Sequence[Correction], input_of: Callable[[str, list[Correction]], Input]
) -> dict[str, Outcome]:
    """Outcomes by correction key. `input_of`: what to set of a variant."""
    records = by_record(corrections)
    sent = [input_of(variant, rows) for variant, rows in records.items()]
    try:
        await ask(session, read_document("update_variants"), {"input": sent}, _Updated, is_repeatable=False)
    except Refused as error:
        if len(corrections) == 1:
            return {corrections[0].correction_key: refused(corrections[0], error.code)}
        # Whole records as long as there are several: the same variant twice would be two writes.
        rows = [c for some in records.values() for c in some]
        middle = len(rows) // 2 if len(records) == 1 else sum(map(len, list(records.values())[: len(records) // 2]))
        first = await _update(session, rows[:middle], input_of)
        return first | await _update(session, rows[middle:], input_of)
    return {c.correction_key: applied(c) for c in corrections}


async def write_prices(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Prices of variants, each in the currency that names its list."""
    outcomes: dict[str, Outcome] = {}
    amounts: dict[str, int] = {}
    for c in corrections:
        amount = _amount(c)
        if isinstance(amount, Outcome):
            outcomes[c.correction_key] = amount
        else:
            amounts[c.correction_key] = amount

    def prices(variant: str, rows: list[Correction]) -> Input:
        given = [{"currencyCode": c.vendor_sub_id, "price": amounts[c.correction_key]} for c in rows]
        return {"id": variant, "prices": given}

    if rows := [c for c in corrections if c.correction_key in amounts]:
        outcomes |= await _update(session, rows, prices)
    return in_order(corrections, outcomes)


def _amount(c: Correction) -> int | Outcome:
    if not c.desired:
        return blank(c)
    if c.vendor_sub_id not in DIGITS:
        return rejected(c, "CURRENCY", "the price list is no currency that we know")
    stored = to_stored(int(c.desired), c.vendor_sub_id, int(c.context["precision"]))
    if stored is None:
        return rejected(c, "PRECISION", "the shop's precision cannot hold the amount")
    return rejected(c, "NEGATIVE", "a price below nothing is never written") if stored < 0 else stored


async def write_stock(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Levels at any locations. What can be sold is set by what is on hand, so allocated units are read first."""
    outcomes = {c.correction_key: blank(c) for c in corrections if not c.desired}
    now = await levels(session, [c for c in corrections if c.desired])
    units: dict[str, int] = {}
    for c in corrections:
        if not c.desired:
            continue
        level = now.get((c.vendor_id, c.vendor_sub_id))
        if level is None:
            outcomes[c.correction_key] = rejected(c, "NO_LEVEL", "the variant has no level at this location")
            continue
        on_hand = int(c.desired) + (level[1] if c.field == "available" else 0)
        if on_hand < 0:
            outcomes[c.correction_key] = rejected(c, "NEGATIVE", "a level below nothing is never written")
        else:
            units[c.correction_key] = on_hand

    def stock_levels(variant: str, rows: list[Correction]) -> Input:
        given = [{"stockLocationId": c.vendor_sub_id, "stockOnHand": units[c.correction_key]} for c in rows]
        return {"id": variant, "stockLevels": given}

    if rows := [c for c in corrections if c.correction_key in units]:
        outcomes |= await _update(session, rows, stock_levels)
    return in_order(corrections, outcomes)


async def write_barcodes(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Barcodes, into the custom field that the options name."""
    name = session.options.get("gtin_field")
    if name is None:
        return [rejected(c, "NO_FIELD", unnamed("gtin_field")) for c in corrections]
    outcomes = {c.correction_key: blank(c) for c in corrections if not c.desired}

    def fields(variant: str, rows: list[Correction]) -> Input:
        return {"id": variant, "customFields": {name: printed(str(rows[-1].desired))}}

    if rows := [c for c in corrections if c.desired]:
        outcomes |= await _update(session, rows, fields)
    return in_order(corrections, outcomes)


VARIANT_WRITERS = (
    Writer("items", frozenset({"gtin"}), VARIANTS_AT_ONCE, write_barcodes, needs_check=True, max_in_flight=IN_FLIGHT),
    Writer("prices", frozenset({"amount"}), VARIANTS_AT_ONCE, write_prices, needs_check=True, max_in_flight=IN_FLIGHT),
    Writer(
        "stock", frozenset({"available", "on_hand"}), VARIANTS_AT_ONCE, write_stock, needs_check=True,
        max_in_flight=IN_FLIGHT,
    ),
)
