"""Writes base prices, fixed prices of price lists, and barcodes.

Variants are changed per product, some taken and some refused in one answer. Fixed prices are set all or none and
whole, so what the corrections of a variant do not say is read just before; refused rows are taken out and the rest
is sent again. Shopify compares no price before setting it: push reads back first.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from pipelines.channels.barcodes import printed
from pipelines.channels.base import Writer
from pipelines.channels.outcomes import blank, by_record, in_order
from pipelines.channels.shopify.documents import PAGE, read_document
from pipelines.channels.shopify.money import to_decimal
from pipelines.channels.shopify.payloads import Record, UserError, outcome, refused
from pipelines.channels.shopify.read_backs import BASE, CURRENCY, fixed_prices, price_in
from pipelines.channels.shopify.session import ask
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus

IN_FLIGHT = 20
"""At 150 ms an answer this many mutations of 10 points just exceed what Shopify Plus lets through."""
_PRICE_KEYS = {"amount": "price", "compare_at": "compareAtPrice"}


class _Changed(msgspec.Struct, rename="camel"):
    user_errors: list[UserError]
    product_variants: list[Record] | None = None


class _Variants(msgspec.Struct, rename="camel"):
    product_variants_bulk_update: _Changed


class _Added(msgspec.Struct, rename="camel"):
    user_errors: list[UserError]


class _Fixed(msgspec.Struct, rename="camel"):
    price_list_fixed_prices_add: _Added


def _product(correction: Correction) -> str:
    return str(correction.context["product_id"])


def _price_group(correction: Correction) -> str:
    return _product(correction) if correction.vendor_sub_id == BASE else correction.vendor_sub_id


async def _write_variants(
    session: Session, corrections: Sequence[Correction], inputs: dict[str, dict[str, Any]]
) -> dict[str, Outcome]:
    """Outcomes by correction key. `inputs`: what to set, by variant."""
    sent = [{"id": variant, **values} for variant, values in inputs.items()]
    variables = {"productId": _product(corrections[0]), "variants": sent}
    found, request = await ask(
        session, read_document("update_variants"), variables, _Variants, is_repeatable=False
    )
    payload = found.product_variants_bulk_update
    changed = {record.id for record in payload.product_variants or ()}
    by_place = {error.place: error for error in payload.user_errors}
    places = {variant: place for place, variant in enumerate(inputs)}
    return {
        c.correction_key: outcome(c, OutcomeStatus.APPLIED, request_id=request) if c.vendor_id in changed
        else refused(c, by_place.get(places[c.vendor_id]) or by_place.get(None), request)
        for c in corrections
    }


async def write_barcodes(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Barcodes of one product's variants."""
    outcomes = {c.correction_key: blank(c) for c in corrections if not c.desired}
    inputs = {c.vendor_id: {"barcode": printed(c.desired)} for c in corrections if c.desired}
    if inputs:
        outcomes |= await _write_variants(session, [c for c in corrections if c.desired], inputs)
    return in_order(corrections, outcomes)


async def write_prices(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Prices of one product, or of one price list; amount and compare-at price of a variant go together."""
    outcomes = {c.correction_key: blank(c) for c in corrections if c.field == "amount" and not c.desired}
    rows = [c for c in corrections if c.correction_key not in outcomes]
    if rows and rows[0].vendor_sub_id == BASE:
        inputs = {variant: dict(map(_price_value, some)) for variant, some in by_record(rows).items()}
        outcomes |= await _write_variants(session, rows, inputs)
    elif rows:
        outcomes |= await _write_fixed(session, rows)
    return in_order(corrections, outcomes)


def _price_value(correction: Correction) -> tuple[str, str | None]:
    value = correction.desired
    return _PRICE_KEYS[correction.field], to_decimal(value, correction.currency or CURRENCY) if value else None


async def _write_fixed(session: Session, corrections: Sequence[Correction]) -> dict[str, Outcome]:
    price_list, waiting = corrections[0].vendor_sub_id, by_record(corrections)
    outcomes: dict[str, Outcome] = {}
    halves = [variant for variant, rows in waiting.items() if {c.field for c in rows} != set(_PRICE_KEYS)]
    now = await fixed_prices(session, price_list, halves)
    for variant in halves:  # what was read for the other half tells of this one, too
        (row,) = waiting[variant]
        if variant in now and not _is_as_planned(row, now[variant]):
            del waiting[variant]
            outcomes[row.correction_key] = Outcome(
                row.correction_key, OutcomeStatus.STALE, "moved", "the value moved since it was read"
            )
    while waiting:
        variants, inputs = list(waiting), []
        for variant, rows in waiting.items():
            inputs.append(_fixed_price(variant, rows, now.get(variant)))
        if missing := [v for v, given in zip(variants, inputs, strict=True) if given is None]:
            for variant in missing:
                error = UserError("there is no fixed price to keep", "VARIANT_NOT_FOUND")
                outcomes |= {c.correction_key: refused(c, error, "") for c in waiting.pop(variant)}
            continue
        found, request = await ask(
            session, read_document("add_fixed_prices"), {"priceListId": price_list, "prices": inputs}, _Fixed,
            is_repeatable=False,
        )
        errors = found.price_list_fixed_prices_add.user_errors
        by_place = {error.place: error for error in errors if error.place is not None}
        for place, variant in enumerate(variants):
            if not errors:
                rows = waiting.pop(variant)
                outcomes |= {c.correction_key: outcome(c, OutcomeStatus.APPLIED, request_id=request) for c in rows}
            elif place in by_place or not by_place:
                error = by_place.get(place, errors[0])
                outcomes |= {c.correction_key: refused(c, error, request) for c in waiting.pop(variant)}
    return outcomes


def _is_as_planned(correction: Correction, now: dict[str, Any]) -> bool:
    """Whether a fixed price is still as it was, or already as it is to be."""
    found = price_in(now, correction, is_base=False)
    return found in (correction.observed or None, correction.desired or None)


def _fixed_price(variant: str, rows: Sequence[Correction], now: dict[str, Any] | None) -> dict[str, Any] | None:
    """A whole fixed price; None where the amount to keep is not there."""
    currency = next((c.currency for c in rows if c.currency), CURRENCY)
    kept = {name: (now or {}).get(name) and now[name]["amount"] for name in _PRICE_KEYS.values()} if now else {}
    values = kept | dict(map(_price_value, rows))
    if not values.get("price"):
        return None
    given: dict[str, Any] = {"variantId": variant, "price": {"amount": values["price"], "currencyCode": currency}}
    if values.get("compareAtPrice"):
        given["compareAtPrice"] = {"amount": values["compareAtPrice"], "currencyCode": currency}
    return given


ITEM_WRITER = Writer(
    "items", frozenset({"gtin"}), PAGE, write_barcodes, group=_product, needs_check=True, max_in_flight=IN_FLIGHT
)
PRICE_WRITER = Writer(
    "prices", frozenset(_PRICE_KEYS), PAGE, write_prices, group=_price_group, needs_check=True,
    max_in_flight=IN_FLIGHT,
)
