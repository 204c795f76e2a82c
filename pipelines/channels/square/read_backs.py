"""Reads the present values of corrections at Square by id, never by search, which lags.

Values come as Square holds them, amounts and quantities as whole numbers in decimal. A record that is gone or
deleted does not exist; a level that was never counted has no value, which is not 0.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from pipelines.channels.base import ReadBack
from pipelines.channels.keys import is_usable
from pipelines.channels.square.reads import LIMIT, count_row, pages
from pipelines.channels.square.session import SYSTEM
from pipelines.errors import FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Reading

CATALOG_MAX, CUSTOMER_MAX, STOCK_MAX = 1000, 100, 500
PROFILE_FIELDS = {"first_name": "given_name", "last_name": "family_name", "phone": "phone_number"}
ADDRESS_FIELDS = {"street": "address_line_1", "city": "locality", "postcode": "postal_code"}
Object = dict[str, Any]


def reading(correction: Correction, value: str | None, version: Any = None, *, exists: bool = True) -> Reading:
    """What the system holds for a correction."""
    return Reading(
        correction.system, correction.entity, correction.field, correction.vendor_id, correction.vendor_sub_id,
        value, None if version is None else str(version), exists,
    )


def ids_of(corrections: Sequence[Correction]) -> list[str]:
    """The vendor ids, each once, in order."""
    return list(dict.fromkeys(correction.vendor_id for correction in corrections))


async def retrieve_objects(session: Session, keys: Sequence[str]) -> dict[str, Object]:
    """Living catalogue objects by id, a thousand a call."""
    found: dict[str, Object] = {}
    for start in range(0, len(keys), LIMIT):
        asked = {"object_ids": list(keys[start : start + LIMIT])}
        answer = (await session.post("/v2/catalog/batch-retrieve", asked)).json()
        found |= {each["id"]: each for each in answer.get("objects") or [] if not each.get("is_deleted")}
    return found


async def retrieve_customers(session: Session, keys: Sequence[str]) -> dict[str, Object]:
    """Living profiles by id. Raises FatalChannelError where an id fails for another reason than being gone."""
    answer = (await session.post("/v2/customers/bulk-retrieve", {"customer_ids": list(keys)})).json()
    found: dict[str, Object] = {}
    for key, result in (answer.get("responses") or {}).items():
        if result.get("customer"):
            found[key] = result["customer"]
            continue
        code = next((error.get("code", "") for error in result.get("errors") or []), "")
        if code not in ("NOT_FOUND", "CUSTOMER_NOT_FOUND"):
            raise FatalChannelError(f"a profile could not be read: {code}", system=SYSTEM, code=code)
    return found


def price_of(found: Object, price_list: str) -> str | None:
    """The amount of a variation in one list; None where it has no price there."""
    data = found.get("item_variation_data") or {}
    money = data.get("price_money")
    if price_list != "base":
        location = price_list.removeprefix("location:")
        overrides = data.get("location_overrides") or []
        money = next((o.get("price_money") for o in overrides if o.get("location_id") == location), None)
    amount = (money or {}).get("amount")
    return None if amount is None else str(amount)


def catalog_value(found: Object, correction: Correction) -> str | None:
    """The value of a correction on an item or a price."""
    if correction.entity == "prices":
        return price_of(found, correction.vendor_sub_id)
    return (found.get("item_variation_data") or {}).get("upc") or None


def customer_value(found: Object, correction: Correction) -> str | None:
    """The value of a correction on a customer or a consent."""
    if correction.entity == "consents":
        unsubscribed = (found.get("preferences") or {}).get("email_unsubscribed")
        return None if unsubscribed is None else "no" if unsubscribed else "yes"
    if correction.field in ADDRESS_FIELDS:
        return (found.get("address") or {}).get(ADDRESS_FIELDS[correction.field]) or None
    return found.get(PROFILE_FIELDS[correction.field]) or None


def whole(quantity: str) -> str:
    """Square's decimal string as a whole number where it is one: "12.00000" is "12"."""
    return quantity.rstrip("0").rstrip(".") if "." in quantity else quantity


async def _read(
    session: Session, corrections: Sequence[Correction],
    retrieve: Callable[[Session, Sequence[str]], Awaitable[dict[str, Object]]],
    value: Callable[[Object, Correction], str | None],
) -> list[Reading]:
    found = await retrieve(session, ids_of(corrections))
    return [
        reading(c, value(found[c.vendor_id], c), found[c.vendor_id].get("version"))
        if c.vendor_id in found else reading(c, None, exists=False)
        for c in corrections
    ]


async def read_catalog_values(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Prices and GTINs."""
    return await _read(session, corrections, retrieve_objects, catalog_value)


async def read_customer_values(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Customer fields and e-mail permission."""
    return await _read(session, corrections, retrieve_customers, customer_value)


async def read_levels(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Units in stock."""
    query = {
        "catalog_object_ids": ids_of(corrections),
        "location_ids": list(dict.fromkeys(c.vendor_sub_id for c in corrections)),
        "states": ["IN_STOCK"], "limit": LIMIT,
    }
    found: dict[tuple[str, str], Object] = {}
    async for page in pages(session, "/v2/inventory/counts/batch-retrieve", query, "counts", count_row):
        for row in filter(is_usable, page.rows):
            count = msgspec.json.decode(row.payload)
            found[count["catalog_object_id"], count["location_id"]] = count
    none: Object = {}
    counts = [found.get((c.vendor_id, c.vendor_sub_id), none) for c in corrections]
    return [
        reading(c, whole(count["quantity"]) if count.get("quantity") is not None else None, count.get("calculated_at"))
        for c, count in zip(corrections, counts, strict=True)
    ]


READ_BACKS = (
    ReadBack("items", CATALOG_MAX, read_catalog_values),
    ReadBack("prices", CATALOG_MAX, read_catalog_values),
    ReadBack("stock", STOCK_MAX, read_levels),
    ReadBack("customers", CUSTOMER_MAX, read_customer_values),
    ReadBack("consents", CUSTOMER_MAX, read_customer_values),
)
