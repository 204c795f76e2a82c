"""Writes stock and customer fields to Square; prices and GTINs are in `upserts`.

Stock has no compare-and-set: push reads back just before (`needs_check`), and the count is absolute, dated when it is
composed, so that Square carries it forward by sales that happen while the call is under way. Customers have a version
but no key: after a lost answer the same update conflicts with itself, and reading by id tells whose value it is.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from pipelines.channels.base import Writer
from pipelines.channels.outcomes import by_record, in_order, rejected
from pipelines.channels.square.outcomes import (
    MISMATCHES,
    REFUSED_WHOLE,
    applied,
    send,
    stale,
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
from pipelines.model import Correction, Outcome

STOCK_MAX, CUSTOMER_MAX = 100, 100
CUSTOMER_FIELDS = frozenset({*PROFILE_FIELDS, *ADDRESS_FIELDS})
_SKEW = timedelta(seconds=2)
"""Square refuses a count from the future; our clock may be a little ahead of its."""
_COMPOSED: WeakKeyDictionary[Session, dict[str, str]] = WeakKeyDictionary()
"""Per session and key, the time in the body: a repeat of a key must be the same bytes."""


async def write_stock(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Set units in stock by physical counts; one outcome each, in order.

    Raises FatalChannelError where Square refuses a batch of several counts whole: push halves it.
    """
    outcomes = {
        c.correction_key: rejected(c, "NOT_A_QUANTITY", "cannot be written")
        for c in corrections if not (c.desired or "").isdecimal()
    }
    ready = [c for c in corrections if c.correction_key not in outcomes]
    if ready:
        outcomes |= await _count(session, ready, key)
    return in_order(corrections, outcomes)


async def _count(session: Session, corrections: Sequence[Correction], key: str) -> dict[str, Outcome]:
    now = moment(session.clock.now(), earlier_by=_SKEW)
    occurred_at = _COMPOSED.setdefault(session, {}).setdefault(key, now)
    counted = [
        {
            "reference_id": c.correction_key, "catalog_object_id": c.vendor_id, "location_id": c.vendor_sub_id,
            "state": "IN_STOCK", "quantity": c.desired, "occurred_at": occurred_at,
        }
        for c in corrections
    ]
    body = {
        "idempotency_key": key,
        # A count that repeats the last count is dropped by default, though sales may lie between the two.
        "ignore_unchanged_counts": False,
        "changes": [{"type": "PHYSICAL_COUNT", "physical_count": count} for count in counted],
    }
    try:
        answer = (await send(session, "/v2/inventory/changes/batch-create", body, is_repeatable=True)).json()
    except FatalChannelError as error:
        if len(corrections) > 1 or error.status not in REFUSED_WHOLE:
            raise
        return {c.correction_key: rejected(c, error.code, error.message) for c in corrections}
    levels = {(c["catalog_object_id"], c["location_id"]): c for c in answer.get("counts") or []}
    outcomes: dict[str, Outcome] = {}
    for c in corrections:
        level = levels.get((c.vendor_id, c.vendor_sub_id))
        if level is not None:
            # A sale after our count is no fault: the count went in, and the level moved on from it.
            moved = "" if whole(str(level.get("quantity"))) == c.desired else "MOVED_SINCE"
            outcomes[c.correction_key] = applied(c, level.get("calculated_at"), code=moved)
    return outcomes


async def write_customers(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Set fields of profiles, all fields of one profile in one update; one outcome each, in order."""
    outcomes = {
        c.correction_key: rejected(c, "NO_VERSION", "no version to compare with")
        for c in corrections if c.version is None
    }
    profiles = by_record(c for c in corrections if c.correction_key not in outcomes)
    if profiles:
        outcomes |= await _update(session, profiles)
    return in_order(corrections, outcomes)


async def _update(session: Session, profiles: dict[str, list[Correction]]) -> dict[str, Outcome]:
    # An address is replaced whole, so what is not corrected in it must be sent along.
    moving = [key for key, some in profiles.items() if any(c.field in ADDRESS_FIELDS for c in some)]
    held = await retrieve_customers(session, moving) if moving else {}
    body = {"customers": {key: _changes(held.get(key, {}), some) for key, some in profiles.items()}}
    answer = (await send(session, "/v2/customers/bulk-update", body, is_repeatable=False)).json()
    results: dict[str, Any] = answer.get("responses") or {}
    if not results:
        raise FatalChannelError("an update without results", system=SYSTEM)
    outcomes: dict[str, Outcome] = {}
    conflicts: dict[str, list[Correction]] = {}
    for key, some in profiles.items():
        result = results.get(key) or {}
        if result.get("customer"):
            version = result["customer"].get("version")
            outcomes |= {c.correction_key: applied(c, version) for c in some}
        elif result.get("errors"):
            code, field = str(result["errors"][0].get("code", "")), result["errors"][0].get("field")
            if code in MISMATCHES:
                conflicts[key] = some
            else:
                message = f"{code} in {field}" if field else code
                outcomes |= {c.correction_key: rejected(c, code, message) for c in some}
    found = await retrieve_customers(session, list(conflicts)) if conflicts else {}
    for key, some in conflicts.items():
        outcomes |= {c.correction_key: _conflicted(found.get(key), c) for c in some}
    return outcomes


def _changes(held: Object, corrections: Sequence[Correction]) -> Object:
    """The update of one profile; None removes a field."""
    changes: Object = {"version": int(corrections[0].version or 0)}
    for c in corrections:
        if c.field in ADDRESS_FIELDS:
            changes.setdefault("address", dict(held.get("address") or {}))[ADDRESS_FIELDS[c.field]] = c.desired
        else:
            changes[PROFILE_FIELDS[c.field]] = c.desired
    return changes


def _conflicted(found: Object | None, correction: Correction) -> Outcome:
    """A profile that moved: by our own lost answer, or by somebody's newer word."""
    if found is None:
        return rejected(correction, "NOT_FOUND", "the profile is gone")
    if customer_value(found, correction) == correction.desired:
        return applied(correction, found.get("version"), code="ALREADY")
    return stale(correction, "CONFLICT", "the profile moved")


STOCK_WRITER = Writer("stock", frozenset({"on_hand"}), STOCK_MAX, write_stock, needs_check=True)
CUSTOMER_WRITER = Writer("customers", CUSTOMER_FIELDS, CUSTOMER_MAX, write_customers, clears=True)
