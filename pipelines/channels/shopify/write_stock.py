"""Writes available quantities by compare-and-set, under an idempotency key.

The vendor takes a batch whole or not at all: rows that moved are stale, rows that it does not know are rejected, and
the others are sent again under a key of their own composition. The quantity that was observed always goes along;
null would mean "whatever is there".
"""

import hashlib
from collections.abc import Sequence

import msgspec

from pipelines.channels.base import Writer
from pipelines.channels.outcomes import blank, in_order
from pipelines.channels.shopify.documents import PAGE, read_document
from pipelines.channels.shopify.payloads import UserError, outcome, refused
from pipelines.channels.shopify.session import ask
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus

REASON = "correction"
_STALE = "CHANGE_FROM_QUANTITY_STALE"
_UNKNOWN = frozenset({
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "IDEMPOTENCY_CONCURRENT_REQUEST",
})
"""Answers about the key, not about the rows: what became of them is found out by reading back."""


class _Payload(msgspec.Struct, rename="camel"):
    user_errors: list[UserError]


class _Set(msgspec.Struct, rename="camel"):
    inventory_set_quantities: _Payload


async def write_stock(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Available quantities at any locations."""
    outcomes: dict[str, Outcome] = {}
    for c in corrections:
        if c.desired is None:
            outcomes[c.correction_key] = blank(c)
        elif c.observed is None:
            message = "without the quantity that was observed nothing is set"
            outcomes[c.correction_key] = outcome(c, OutcomeStatus.REJECTED, code="NOT_OBSERVED", message=message)
    rows = [c for c in corrections if c.correction_key not in outcomes]
    attempt_key = key
    while rows:
        answered = await _set(session, rows, attempt_key)
        outcomes |= answered
        rows = [c for c in rows if c.correction_key not in answered]
        attempt_key = _part_key(key, rows)
    return in_order(corrections, outcomes)


async def _set(session: Session, rows: Sequence[Correction], key: str) -> dict[str, Outcome]:
    """Outcomes of the rows that are settled; the others were not applied and may be sent without them."""
    given = {
        "name": "available",
        "reason": REASON,
        "referenceDocumentUri": f"gid://trueup/Plan/{rows[0].plan_id}",
        "quantities": [
            {
                "inventoryItemId": c.context["inventory_item_id"], "locationId": c.vendor_sub_id,
                "quantity": int(c.desired or 0), "changeFromQuantity": int(c.observed or 0),
            }
            for c in rows
        ],
    }
    found, request = await ask(session, read_document("set_quantities"), {"input": given, "key": key}, _Set)
    errors = found.inventory_set_quantities.user_errors
    if not errors:
        return {c.correction_key: outcome(c, OutcomeStatus.APPLIED, request_id=request) for c in rows}
    if any(error.code in _UNKNOWN for error in errors):
        return {
            c.correction_key: outcome(
                c, OutcomeStatus.UNKNOWN, code=errors[0].code or "", message=errors[0].message, request_id=request
            )
            for c in rows
        }
    placed = {error.place: error for error in errors if error.place is not None}
    if not placed:
        return {c.correction_key: refused(c, errors[0], request) for c in rows}
    return {
        rows[place].correction_key: outcome(
            rows[place], OutcomeStatus.STALE, code=_STALE, message=error.message, request_id=request
        ) if error.code == _STALE else refused(rows[place], error, request)
        for place, error in placed.items()
    }


def _part_key(key: str, rows: Sequence[Correction]) -> str:
    """The key of what is left of a batch: another composition is another key."""
    return hashlib.sha256("|".join([key, *(c.correction_key for c in rows)]).encode()).hexdigest()


STOCK_WRITER = Writer("stock", frozenset({"available"}), PAGE, write_stock, max_in_flight=8)
