"""One batch of updates and what the vendor says of each row: up to 100 records, each taken or refused for itself.

The answer is 200 whatever became of the rows; a refused one has an `error` in the place of its record. A row that was
taken shows the whole record, and so whether the value is there: a field that this version does not know, or a quantity
where stock is not managed, is dropped without a word. Messages of the vendor may quote values: only codes are kept.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pipelines.channels.woocommerce.session import API, SYSTEM
from pipelines.errors import FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus

MAX_BATCH = 100
Row = dict[str, Any]


class _Error(msgspec.Struct):
    code: str = ""


class _Refused(msgspec.Struct):
    error: _Error | None = None


class _Batch(msgspec.Struct):
    update: list[msgspec.Raw] = []


async def update(session: Session, path: str, rows: Sequence[Row]) -> list[Row | str | None]:
    """What became of each row: the record as it is now, the code by which it was refused, or None for no word of it.

    Raises AmbiguousWrite when the answer was lost: WooCommerce knows no idempotency key.
    """
    answer = await session.post(f"{API}/{path}/batch", {"update": list(rows)}, is_repeatable=False)
    try:
        told = msgspec.json.decode(answer.body, type=_Batch).update
    except msgspec.DecodeError as error:
        raise FatalChannelError("the answer to a batch is no batch", system=SYSTEM, status=answer.status) from error
    found: list[Row | str | None] = [_told(raw, row["id"]) for raw, row in zip(told, rows, strict=False)]
    return found + [None] * (len(rows) - len(found))


def _told(raw: msgspec.Raw, number: int) -> Row | str | None:
    """One place of the answer; None where it is not about this record."""
    try:
        refused = msgspec.json.decode(raw, type=_Refused)
        record: Row = msgspec.json.decode(raw, type=Row)
    except msgspec.DecodeError:
        return None
    if record.get("id") != number:
        return None
    return (refused.error.code or "REFUSED") if refused.error is not None else record


def outcome(correction: Correction, told: Row | str | None, is_there: Callable[[Row], bool]) -> Outcome:
    """The outcome of a correction by what became of its row."""
    key = correction.correction_key
    if told is None:
        return Outcome(key, OutcomeStatus.UNKNOWN, "NOT_NAMED", "the answer does not name the row")
    if isinstance(told, str):
        return Outcome(key, OutcomeStatus.REJECTED, told, "WooCommerce refused the row")
    if not is_there(told):
        return Outcome(key, OutcomeStatus.REJECTED, "NOT_TAKEN", "WooCommerce took the row and not the value")
    return Outcome(key, OutcomeStatus.APPLIED)
