"""Reads the present values of corrections at Shopify by id, never by search, which lags.

Values come back canonical: amounts in minor units, quantities in decimal, permissions as yes, no, pending or unknown.
A record that is gone does not exist; nor does a permission whose e-mail address is another by now.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from pipelines.channels.base import ReadBack
from pipelines.channels.shopify.documents import read_document
from pipelines.channels.shopify.money import to_minor
from pipelines.channels.shopify.session import ask, by_ids
from pipelines.http import Session
from pipelines.model import Correction, Reading

BASE = "base"
CONSENT_STATES = {"SUBSCRIBED": "yes", "UNSUBSCRIBED": "no", "PENDING": "pending"}
FIXED_AT_ONCE = 100
"""Variants named in one search over a price list; the search is by id, so it is no reading by search."""
CURRENCY = "EUR"
"""What a correction without a currency of its own is in."""
Record = dict[str, Any]


class _PriceList(msgspec.Struct, rename="camel"):
    price_list: Record | None


def reading(correction: Correction, value: str | None, *, exists: bool = True) -> Reading:
    """What the system holds for a correction. Shopify has no versions."""
    return Reading(
        correction.system, correction.entity, correction.field, correction.vendor_id, correction.vendor_sub_id,
        value, None, exists,
    )


async def nodes(session: Session, document: str, ids: Iterable[str]) -> dict[str, Record]:
    """Living records by id."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    found = await by_ids(session, read_document(document), wanted, dict[str, Any])
    return {record["id"]: record for record in found if record}


async def fixed_prices(session: Session, price_list: str, variants: Iterable[str]) -> dict[str, Record]:
    """Fixed prices of a list, by variant."""
    wanted = list(dict.fromkeys(variants))
    prices: dict[str, Record] = {}
    for start in range(0, len(wanted), FIXED_AT_ONCE):
        named = " OR ".join(f"variant_id:{gid.rpartition('/')[2]}" for gid in wanted[start : start + FIXED_AT_ONCE])
        found, _ = await ask(
            session, read_document("list_prices"), {"id": price_list, "query": named}, _PriceList
        )
        for price in found.price_list["prices"]["nodes"] if found.price_list else ():
            prices[price["variant"]["id"]] = price
    return prices


async def _read_items(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    found = await nodes(session, "variants_now", (c.vendor_id for c in corrections))
    return [
        reading(c, record["barcode"] or None) if (record := found.get(c.vendor_id)) else reading(c, None, exists=False)
        for c in corrections
    ]


async def _read_prices(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    base = await nodes(session, "variants_now", (c.vendor_id for c in corrections if c.vendor_sub_id == BASE))
    lists = {c.vendor_sub_id for c in corrections} - {BASE}
    fixed = {
        name: await fixed_prices(session, name, (c.vendor_id for c in corrections if c.vendor_sub_id == name))
        for name in sorted(lists)
    }

    def one(c: Correction) -> Reading:
        is_base = c.vendor_sub_id == BASE
        record = base.get(c.vendor_id) if is_base else fixed[c.vendor_sub_id].get(c.vendor_id)
        return reading(c, price_in(record, c, is_base=is_base)) if record else reading(c, None, exists=False)

    return [one(c) for c in corrections]


def price_in(record: Record, correction: Correction, *, is_base: bool) -> str | None:
    """The price that a correction is about, in minor units; a compare-at price of nothing is none, as in the stage."""
    is_amount = correction.field == "amount"
    shown = record["price" if is_amount else "compareAtPrice"]
    minor = to_minor(shown if is_base else (shown or {}).get("amount"), correction.currency or CURRENCY)
    return None if minor == "0" and not is_amount else minor


async def _read_stock(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    found = await nodes(session, "levels_now", (c.context["level_id"] for c in corrections))

    def one(c: Correction) -> Reading:
        record = found.get(c.context["level_id"])
        quantities = {q["name"]: q["quantity"] for q in record["quantities"]} if record else {}
        return reading(c, str(quantities["available"])) if record else reading(c, None, exists=False)

    return [one(c) for c in corrections]


_FIELDS: dict[str, Callable[[Record], str | None]] = {
    "first_name": lambda record: record["firstName"],
    "last_name": lambda record: record["lastName"],
    "phone": lambda record: (record["defaultPhoneNumber"] or {}).get("phoneNumber"),
    "street": lambda record: (record["defaultAddress"] or {}).get("address1"),
    "city": lambda record: (record["defaultAddress"] or {}).get("city"),
    "postcode": lambda record: (record["defaultAddress"] or {}).get("zip"),
}


async def _read_customers(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    found = await nodes(session, "customers_now", (c.vendor_id for c in corrections))
    return [
        reading(c, _FIELDS[c.field](record) or None) if (record := found.get(c.vendor_id))
        else reading(c, None, exists=False)
        for c in corrections
    ]


async def _read_consents(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    found = await nodes(session, "customers_now", (c.vendor_id for c in corrections))

    def one(c: Correction) -> Reading:
        email = (found.get(c.vendor_id) or {}).get("defaultEmailAddress")
        planned = c.context.get("email")
        if email is None or (planned and email["emailAddress"].strip().lower() != planned.strip().lower()):
            return reading(c, None, exists=False)
        return reading(c, CONSENT_STATES.get(email["marketingState"], "unknown"))

    return [one(c) for c in corrections]


READ_BACKS = (
    ReadBack("items", 250, _read_items),
    ReadBack("prices", 250, _read_prices),
    ReadBack("stock", 250, _read_stock),
    ReadBack("customers", 100, _read_customers),
    ReadBack("consents", 100, _read_consents),
)
