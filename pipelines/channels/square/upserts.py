"""Writes prices and GTINs into Square's catalogue, whole objects under compare-and-set.

An upsert replaces the object, so each is read just before and sent back with the one value changed. The version that
the plan saw is the precondition: a version that moved is stale even where the value looks the same, because what
else changed was never weighed. Square lets one catalogue write through at a time; ours take turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.channels.base import Writer
from pipelines.channels.square.batches import (
    KEY_MAX,
    Memory,
    by_record,
    in_order,
    memory_of,
    outcome,
    part_key,
    post,
    refusal,
    settle,
)
from pipelines.channels.square.read_backs import Object, catalog_value, ids_of, retrieve_objects
from pipelines.errors import FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus

BATCH_MAX = 1000
_PATH = "/v2/catalog/batch-upsert"
_READ_ONLY = ("updated_at", "is_deleted", "catalog_v1_ids")


class _CannotSay(Exception):
    """The correction cannot be said in Square's terms; the argument is the code."""


@dataclass(frozen=True, slots=True)
class _Edit:
    """One object as it shall be, for one or more corrections of it."""

    object: Object
    corrections: tuple[Correction, ...]

    @property
    def key(self) -> str:
        return str(self.object["id"])


async def write_catalog(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Apply corrections of prices or items; one outcome each, in order."""
    memory = memory_of(session)
    async with memory.turn(["catalogue"]):
        found = await retrieve_objects(session, ids_of(corrections))
        outcomes: dict[str, Outcome] = {}
        edits: list[_Edit] = []
        for vendor_id, some in by_record(corrections).items():
            ready = []
            for correction in some:
                settled = _settled(memory, found.get(vendor_id), correction)
                if settled is None:
                    ready.append(correction)
                else:
                    outcomes[correction.correction_key] = settled
            if ready:
                edits.append(_Edit(found[vendor_id], tuple(ready)))
        if edits:
            whole = sum(len(edit.corrections) for edit in edits) == len(corrections)
            name = key if whole and len(key) <= KEY_MAX else part_key(key, [edit.key for edit in edits])

            async def send(part: Sequence[_Edit], vendor_key: str) -> dict[str, Outcome]:
                return await _send(session, memory, part, vendor_key)

            outcomes |= await settle(edits, name, lambda edit: edit.key, send, _refused)
    return in_order(corrections, outcomes)


def _settled(memory: Memory, found: Object | None, correction: Correction) -> Outcome | None:
    """The outcome where nothing is to be sent; else None, and the object holds the desired value."""
    if correction.version is None:
        return outcome(correction, OutcomeStatus.REJECTED, code="NO_VERSION", message="no version to compare")
    if found is None:
        return outcome(correction, OutcomeStatus.REJECTED, code="NOT_FOUND", message="the object is gone")
    version = str(found.get("version"))
    if memory.follow(found["id"], correction.version) != version:
        # The same batch again after a lost answer: our own value stands there under the version it got.
        if catalog_value(found, correction) == correction.desired:
            return outcome(correction, OutcomeStatus.APPLIED, code="ALREADY", version=version)
        return outcome(correction, OutcomeStatus.STALE, code="VERSION_MISMATCH", message="the object moved")
    try:
        _change(found, correction)
    except _CannotSay as error:
        return outcome(correction, OutcomeStatus.REJECTED, code=str(error), message="cannot be written")
    return None


def _change(found: Object, correction: Correction) -> None:
    data = found.setdefault("item_variation_data", {})
    if correction.entity == "items":
        data["upc"] = correction.desired
        return
    if correction.desired is None or not correction.desired.isdecimal() or not correction.currency:
        raise _CannotSay("NOT_AN_AMOUNT")
    money = {"amount": int(correction.desired), "currency": correction.currency}
    overrides: list[dict[str, Any]] = data.get("location_overrides") or []
    target: dict[str, Any] = data
    if correction.vendor_sub_id != "base":
        location = correction.vendor_sub_id.removeprefix("location:")
        target = next((o for o in overrides if o.get("location_id") == location), {"location_id": location})
    held = (target.get("price_money") or {}).get("currency")
    if held and held != correction.currency:
        raise _CannotSay("CURRENCY_MISMATCH")
    target |= {"price_money": money, "pricing_type": "FIXED_PRICING"}
    if target is not data and target not in overrides:
        data["location_overrides"] = [*overrides, target]


async def _send(
    session: Session, memory: Memory, edits: Sequence[_Edit], vendor_key: str
) -> dict[str, Outcome]:
    sent = [{name: value for name, value in edit.object.items() if name not in _READ_ONLY} for edit in edits]
    body = {"idempotency_key": vendor_key, "batches": [{"objects": sent}]}
    answer = (await post(session, _PATH, body, is_repeatable=True)).json()
    after = {written["id"]: written.get("version") for written in answer.get("objects") or []}
    outcomes: dict[str, Outcome] = {}
    for edit in edits:
        if edit.key not in after:
            continue
        memory.wrote(edit.key, edit.object["version"], after[edit.key])
        for correction in edit.corrections:
            outcomes[correction.correction_key] = outcome(
                correction, OutcomeStatus.APPLIED, version=after[edit.key]
            )
    return outcomes


def _refused(edit: _Edit, error: FatalChannelError) -> dict[str, Outcome]:
    return {c.correction_key: refusal(c, error) for c in edit.corrections}


ITEM_WRITER = Writer("items", frozenset({"gtin"}), BATCH_MAX, write_catalog, max_in_flight=1)
PRICE_WRITER = Writer("prices", frozenset({"amount"}), BATCH_MAX, write_catalog, max_in_flight=1)
