"""Writes stock and customer fields to Square.

Stock has no compare-and-set: push reads back just before (`needs_check`), and the count is absolute, dated when it is
composed, so that Square carries it forward by sales that happen while the call is under way. Customers have a version
but no key: a lost answer is ambiguous and is read back, never repeated. Catalogue writes are in `upserts`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pipelines.channels.base import Writer
from pipelines.channels.square.batches import (
    KEY_MAX,
    MISMATCHES,
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
from pipelines.channels.square.read_backs import (
    ADDRESS_FIELDS,
    PROFILE_FIELDS,
    Object,
    customer_value,
    retrieve_customers,
    whole,
)
from pipelines.channels.square.reads import moment
from pipelines.channels.square.session import SYSTEM
from pipelines.errors import FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus

STOCK_MAX, CUSTOMER_MAX = 100, 100
CUSTOMER_FIELDS = frozenset({*PROFILE_FIELDS, *ADDRESS_FIELDS})
_SKEW = timedelta(seconds=2)
"""Square refuses a count from the future; our clock may be a little ahead of its."""


async def write_stock(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Set units in stock by physical counts; one outcome each, in order."""
    outcomes = {
        c.correction_key: outcome(c, OutcomeStatus.REJECTED, code="NOT_A_QUANTITY", message="cannot be written")
        for c in corrections if not (c.desired or "").isdecimal()
    }
    ready = [c for c in corrections if c.correction_key not in outcomes]
    if ready:
        is_all = len(ready) == len(corrections) and len(key) <= KEY_MAX

        async def send(some: Sequence[Correction], vendor_key: str) -> dict[str, Outcome]:
            return await _send_counts(session, some, vendor_key)

        outcomes |= await settle(
            ready, key if is_all else part_key(key, [c.correction_key for c in ready]),
            lambda c: c.correction_key, send, lambda c, error: {c.correction_key: refusal(c, error)},
        )
    return in_order(corrections, outcomes)


async def _send_counts(
    session: Session, corrections: Sequence[Correction], vendor_key: str
) -> dict[str, Outcome]:
    # The time is part of the bytes: a repeat of this key must carry the one that was composed first.
    occurred_at = memory_of(session).composed_at.setdefault(
        vendor_key, moment(session.clock.now(), earlier_by=_SKEW)
    )
    body = {
        "idempotency_key": vendor_key,
        "ignore_unchanged_counts": False,
        "changes": [
            {
                "type": "PHYSICAL_COUNT",
                "physical_count": {
                    "reference_id": c.correction_key, "catalog_object_id": c.vendor_id, "state": "IN_STOCK",
                    "location_id": c.vendor_sub_id, "quantity": c.desired, "occurred_at": occurred_at,
                },
            }
            for c in corrections
        ],
    }
    answer = (await post(session, "/v2/inventory/changes/batch-create", body, is_repeatable=True)).json()
    counts = {(c["catalog_object_id"], c["location_id"]): c for c in answer.get("counts") or []}
    outcomes: dict[str, Outcome] = {}
    for c in corrections:
        count = counts.get((c.vendor_id, c.vendor_sub_id))
        if count is None:
            continue
        # A sale after our count is no fault: the count went in, and the level moved on from it.
        moved = "" if whole(str(count.get("quantity"))) == c.desired else "MOVED_SINCE"
        outcomes[c.correction_key] = outcome(
            c, OutcomeStatus.APPLIED, code=moved, version=count.get("calculated_at")
        )
    return outcomes


async def write_customers(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Set fields of profiles, all fields of one profile in one update; one outcome each, in order."""
    memory = memory_of(session)
    outcomes = {
        c.correction_key: outcome(c, OutcomeStatus.REJECTED, code="NO_VERSION", message="no version to compare")
        for c in corrections if c.version is None
    }
    profiles = by_record(c for c in corrections if c.correction_key not in outcomes)
    if profiles:
        async with memory.turn(f"customer {vendor_id}" for vendor_id in profiles):
            outcomes |= await _update(session, memory, profiles)
    return in_order(corrections, outcomes)


async def _update(
    session: Session, memory: Memory, profiles: dict[str, list[Correction]]
) -> dict[str, Outcome]:
    # An address is replaced whole, so what is not corrected in it must be sent along.
    moving = [v for v, some in profiles.items() if any(c.field in ADDRESS_FIELDS for c in some)]
    held = await retrieve_customers(session, moving) if moving else {}
    updates = {v: _changes(memory, held.get(v, {}), some) for v, some in profiles.items()}
    answer = (
        await post(session, "/v2/customers/bulk-update", {"customers": updates}, is_repeatable=False)
    ).json()
    results: dict[str, Any] = answer.get("responses") or {}
    if not results:
        raise FatalChannelError("an update without results", system=SYSTEM)
    outcomes: dict[str, Outcome] = {}
    conflicts: dict[str, list[Correction]] = {}
    for vendor_id, some in profiles.items():
        result = results.get(vendor_id) or {}
        if result.get("customer"):
            version = result["customer"].get("version")
            memory.wrote(vendor_id, updates[vendor_id]["version"], version)
            outcomes |= {c.correction_key: outcome(c, OutcomeStatus.APPLIED, version=version) for c in some}
        elif result.get("errors"):
            error = result["errors"][0]
            code, field = str(error.get("code", "")), error.get("field")
            if code in MISMATCHES:
                conflicts[vendor_id] = some
                continue
            message = f"{code} in {field}" if field else code
            outcomes |= {
                c.correction_key: outcome(c, OutcomeStatus.REJECTED, code=code, message=message) for c in some
            }
    if conflicts:
        found = await retrieve_customers(session, list(conflicts))
        for vendor_id, some in conflicts.items():
            outcomes |= {c.correction_key: _conflicted(found.get(vendor_id), c) for c in some}
    return outcomes


def _changes(memory: Memory, held: Object, corrections: Sequence[Correction]) -> Object:
    """The update of one profile; None removes a field."""
    first = corrections[0]
    changes: Object = {"version": int(memory.follow(first.vendor_id, first.version or "0"))}
    address = dict(held.get("address") or {})
    for c in corrections:
        if c.field in ADDRESS_FIELDS:
            address[ADDRESS_FIELDS[c.field]] = c.desired
        else:
            changes[PROFILE_FIELDS[c.field]] = c.desired
    if any(c.field in ADDRESS_FIELDS for c in corrections):
        changes["address"] = address
    return changes


def _conflicted(found: Object | None, correction: Correction) -> Outcome:
    """A profile that moved: ours already, or somebody's newer word."""
    if found is None:
        return outcome(correction, OutcomeStatus.REJECTED, code="NOT_FOUND", message="the profile is gone")
    if customer_value(found, correction) == correction.desired:
        return outcome(correction, OutcomeStatus.APPLIED, code="ALREADY", version=found.get("version"))
    return outcome(correction, OutcomeStatus.STALE, code="CONFLICT", message="the profile moved")


STOCK_WRITER = Writer("stock", frozenset({"on_hand"}), STOCK_MAX, write_stock, needs_check=True)
CUSTOMER_WRITER = Writer("customers", CUSTOMER_FIELDS, CUSTOMER_MAX, write_customers)
