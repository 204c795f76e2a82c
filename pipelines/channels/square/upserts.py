"""Writes prices and GTINs into Square's catalogue, whole objects under compare-and-set.

An upsert replaces the object, so each is read just before and sent back with the one value changed. The version that
the plan saw is the precondition: a version that moved is stale even where the value looks the same, because what
else changed was never weighed. Square takes one catalogue write at a time: a call carries up to 10,000 objects, in
batches of 1,000 of which each is written whole or not at all, whatever becomes of the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from pipelines.channels.base import Writer
from pipelines.channels.outcomes import by_record, in_order, rejected
from pipelines.channels.square.outcomes import (
    MISMATCHES,
    REFUSED_WHOLE,
    applied,
    send,
    stale,
)
from pipelines.channels.square.read_backs import Object, catalog_value, retrieve_objects
from pipelines.errors import FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Outcome

CALL_MAX, BATCH_MAX = 10_000, 1000
_PATH = "/v2/catalog/batch-upsert"
_READ_ONLY = ("updated_at", "is_deleted", "catalog_v1_ids")


async def write_catalog(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Apply corrections of prices or items; one outcome each, in order.

    Raises FatalChannelError where Square refuses a call of several objects whole: push halves it.
    """
    records = by_record(corrections)
    found = await retrieve_objects(session, list(records))
    outcomes: dict[str, Outcome] = {}
    ready: dict[str, list[Correction]] = {}
    for vendor_id, some in records.items():
        for correction in some:
            settled = _settled(found.get(vendor_id), correction)
            if settled is None:
                ready.setdefault(vendor_id, []).append(correction)
            else:
                outcomes[correction.correction_key] = settled
    if ready:
        # Rows that an earlier call with this key has settled make another body, which needs another key.
        own = key if len(ready) == len(records) else _key(key, ready)
        outcomes |= await _upsert(session, [found[vendor_id] for vendor_id in ready], ready, own)
    return in_order(corrections, outcomes)


def _settled(found: Object | None, correction: Correction) -> Outcome | None:
    """The outcome where nothing is to be sent; else None, and the object now holds the desired value."""
    if correction.version is None:
        return rejected(correction, "NO_VERSION", "no version to compare with")
    if found is None:
        return rejected(correction, "NOT_FOUND", "the object is gone")
    if str(found.get("version")) != correction.version:
        # The same batch again after a lost answer: our own value stands there, under the version it got.
        if catalog_value(found, correction) == correction.desired:
            return applied(correction, found.get("version"), code="ALREADY")
        return stale(correction, "VERSION_MISMATCH", "the object moved")
    data = found.setdefault("item_variation_data", {})
    if correction.entity == "items":
        data["upc"] = correction.desired
        return None
    return _set_price(data, correction)


def _set_price(data: Object, correction: Correction) -> Outcome | None:
    if correction.desired is None or not correction.desired.isdecimal() or not correction.currency:
        return rejected(correction, "NOT_AN_AMOUNT", "cannot be written")
    overrides: list[dict[str, Any]] = data.get("location_overrides") or []
    target: dict[str, Any] = data
    if correction.vendor_sub_id != "base":
        location = correction.vendor_sub_id.removeprefix("location:")
        target = next((o for o in overrides if o.get("location_id") == location), {"location_id": location})
    held = (target.get("price_money") or {}).get("currency")
    if held and held != correction.currency:
        return rejected(correction, "CURRENCY_MISMATCH", "the price is in another currency")
    if target is not data and target not in overrides:
        data["location_overrides"] = [*overrides, target]
    money = {"amount": int(correction.desired), "currency": correction.currency}
    target |= {"price_money": money, "pricing_type": "FIXED_PRICING"}
    return None


async def _upsert(
    session: Session, objects: Sequence[Object], ready: Mapping[str, list[Correction]], key: str
) -> dict[str, Outcome]:
    sent = [{name: value for name, value in each.items() if name not in _READ_ONLY} for each in objects]
    batches = [sent[start : start + BATCH_MAX] for start in range(0, len(sent), BATCH_MAX)]
    try:
        body = {"idempotency_key": key, "batches": [{"objects": batch} for batch in batches]}
        answer = (await send(session, _PATH, body, is_repeatable=True)).json()
    except FatalChannelError as error:
        if len(objects) > 1 or error.status not in REFUSED_WHOLE:
            raise
        return _refused(ready[objects[0]["id"]], error.code, error.message)
    versions = {written["id"]: written.get("version") for written in answer.get("objects") or []}
    outcomes = {
        c.correction_key: applied(c, versions[each["id"]])
        for each in objects if each["id"] in versions
        for c in ready[each["id"]]
    }
    lost = [[each for each in batch if each["id"] not in versions] for batch in batches]
    if len(objects) == 1 and lost[0]:
        code = next((error.get("code", "") for error in answer.get("errors") or []), "")
        return _refused(ready[objects[0]["id"]], code, "Square disregarded the object")
    for batch in filter(None, lost):
        outcomes |= await _apart(session, batch, ready, key)
    return outcomes


async def _apart(
    session: Session, objects: Sequence[Object], ready: Mapping[str, list[Correction]], key: str
) -> dict[str, Outcome]:
    """A batch that Square disregarded while others went through: in halves, down to the object that is bad."""
    outcomes: dict[str, Outcome] = {}
    middle = (len(objects) + 1) // 2
    for half in filter(None, (objects[:middle], objects[middle:])):
        own = _key(key, [each["id"] for each in half])
        try:
            outcomes |= await _upsert(session, half, ready, own)
        except FatalChannelError as error:
            if error.status not in REFUSED_WHOLE:
                raise
            outcomes |= await _apart(session, half, ready, own)
    return outcomes


def _refused(corrections: Iterable[Correction], code: str, message: str) -> dict[str, Outcome]:
    word = stale if code in MISMATCHES else rejected
    return {c.correction_key: word(c, code, message) for c in corrections}


def _key(key: str, ids: Iterable[str]) -> str:
    """The key of a part of what `key` stands for: the same part always has the same."""
    return sha256("|".join((key, *ids)).encode()).hexdigest()


ITEM_WRITER = Writer("items", frozenset({"gtin"}), CALL_MAX, write_catalog, max_in_flight=1)
PRICE_WRITER = Writer("prices", frozenset({"amount"}), CALL_MAX, write_catalog, max_in_flight=1)
