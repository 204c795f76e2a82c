"""Reads the present values of corrections at Vendure by id, as staged: canonical, and blank as nothing.

A record that is gone does not exist; nor does a permission whose e-mail address is another by now, nor a level or a
price that is not there any more.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pipelines.channels.base import ReadBack
from pipelines.channels.vendure.documents import Document, read_document
from pipelines.channels.vendure.money import to_minor
from pipelines.channels.vendure.options import CUSTOMER_FIELDS, SYSTEM, VARIANT_FIELDS, custom_selection
from pipelines.channels.vendure.paging import Rows
from pipelines.channels.vendure.session import ask
from pipelines.errors import FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Reading

AT_ONCE = 200
Record = dict[str, Any]
_STATES: dict[Any, str] = {True: "yes", False: "no"}


async def by_ids(session: Session, document: Document, ids: Iterable[str]) -> dict[str, Record]:
    """Living records by id."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    options = {"take": len(wanted), "filter": {"id": {"in": wanted}}}
    found = (await ask(session, document, {"options": options}, Rows)).rows
    records = [msgspec.json.decode(item, type=Record) for item in found.items]
    if strange := {str(record["id"]) for record in records} - set(wanted):
        raise FatalChannelError(f"{len(strange)} records came that were not asked for", system=SYSTEM)
    return {record["id"]: record for record in records}


def reading(correction: Correction, value: str | None, *, exists: bool = True) -> Reading:
    """What Vendure holds for a correction. It has no versions."""
    return Reading(
        correction.system, correction.entity, correction.field, correction.vendor_id, correction.vendor_sub_id,
        value, None, exists,
    )


async def _read_variants(session: Session, corrections: Sequence[Correction]) -> dict[str, Record]:
    document = read_document("variants_now", custom_selection(session.options, VARIANT_FIELDS))
    return await by_ids(session, document, (c.vendor_id for c in corrections))


async def read_back_items(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Barcodes, where the options name their field."""
    found = await _read_variants(session, corrections)

    def one(c: Correction) -> Reading:
        record = found.get(c.vendor_id)
        held = (record or {}).get("customFields") or {}
        return reading(c, (held.get("gtin") or "").strip() or None, exists=record is not None)

    return [one(c) for c in corrections]


async def read_back_prices(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Prices by variant and currency, in minor units."""
    found = await _read_variants(session, corrections)

    def one(c: Correction) -> Reading:
        prices = {p["currencyCode"]: p["price"] for p in (found.get(c.vendor_id) or {}).get("prices", ())}
        stored = prices.get(c.vendor_sub_id)
        if stored is None:
            return reading(c, None, exists=False)
        return reading(c, to_minor(stored, c.vendor_sub_id, int(c.context["precision"])))

    return [one(c) for c in corrections]


async def levels(session: Session, corrections: Sequence[Correction]) -> dict[tuple[str, str], tuple[int, int]]:
    """Units on hand and allocated, by variant and location."""
    found = await by_ids(session, read_document("stock_levels"), (c.vendor_id for c in corrections))
    return {
        (variant, level["stockLocationId"]): (level["stockOnHand"], level["stockAllocated"])
        for variant, record in found.items()
        for level in record["stockLevels"]
    }


async def read_back_stock(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Units on hand, or what of them can be sold."""
    found = await levels(session, corrections)

    def one(c: Correction) -> Reading:
        level = found.get((c.vendor_id, c.vendor_sub_id))
        if level is None:
            return reading(c, None, exists=False)
        on_hand, allocated = level
        return reading(c, str(on_hand if c.field == "on_hand" else on_hand - allocated))

    return [one(c) for c in corrections]


def home_of(record: Record) -> Record:
    """The address that is staged: the one for shipping, else for billing, else the first; {} where there is none."""
    homes = record.get("addresses") or []
    for mark in ("defaultShippingAddress", "defaultBillingAddress"):
        if marked := [home for home in homes if home.get(mark)]:
            return dict(marked[0])
    return dict(homes[0]) if homes else {}


_PERSON = {"first_name": "firstName", "last_name": "lastName", "phone": "phoneNumber"}
_HOME = {"street": "streetLine1", "city": "city", "postcode": "postalCode"}


def _value(record: Record, field: str) -> str | None:
    if field == "loyalty_points":
        points = (record.get("customFields") or {}).get("points")
        return None if points is None else str(points)
    text = record.get(_PERSON[field]) if field in _PERSON else home_of(record).get(_HOME[field])
    return (text or "").strip() or None


async def customers_now(session: Session, ids: Iterable[str]) -> dict[str, Record]:
    """Customers by id, as they are read."""
    document = read_document("customers", custom_selection(session.options, CUSTOMER_FIELDS))
    return await by_ids(session, document, ids)


async def read_back_customers(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Customers' fields; a phone of free text that was not touched reads as it was observed."""
    found = await customers_now(session, (c.vendor_id for c in corrections))

    def one(c: Correction) -> Reading:
        record = found.get(c.vendor_id)
        if record is None:
            return reading(c, None, exists=False)
        value = _value(record, c.field)
        if c.field == "phone" and value is not None and value == c.context.get("phone"):
            return reading(c, c.observed)
        return reading(c, value)

    return [one(c) for c in corrections]


async def read_back_consents(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Permissions of the customers whose address is still the planned one."""
    found = await customers_now(session, (c.vendor_id for c in corrections))

    def one(c: Correction) -> Reading:
        record = found.get(c.vendor_id)
        planned = str(c.context.get("email") or "").strip().lower()
        if record is None or (planned and str(record["emailAddress"]).strip().lower() != planned):
            return reading(c, None, exists=False)
        return reading(c, _STATES.get((record.get("customFields") or {}).get("consent"), "unknown"))

    return [one(c) for c in corrections]


READ_BACKS = (
    ReadBack("items", AT_ONCE, read_back_items),
    ReadBack("prices", AT_ONCE, read_back_prices),
    ReadBack("stock", AT_ONCE, read_back_stock),
    ReadBack("customers", AT_ONCE, read_back_customers),
    ReadBack("consents", AT_ONCE, read_back_consents),
)
