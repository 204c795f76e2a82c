"""What Square's writers share: sending a write whose fate may be unknown, and saying what became of each correction.

Splitting a refused batch, keys, and following versions that our own writes moved are push's affair, not a writer's.
"""

from collections.abc import Mapping
from typing import Any

from pipelines.channels.square.session import SYSTEM
from pipelines.errors import AmbiguousWrite, FatalChannelError, RetriableChannelError
from pipelines.http import Answer, Session
from pipelines.model import Correction, Outcome, OutcomeStatus

MISMATCHES = frozenset({"VERSION_MISMATCH", "CONFLICT"})
REFUSED_WHOLE = frozenset({400, 404, 409, 422})


async def send(session: Session, path: str, body: Mapping[str, Any], *, is_repeatable: bool) -> Answer:
    """A write. AmbiguousWrite when its fate is unknown; RetriableChannelError only when it was not applied."""
    try:
        return await session.post(path, body, is_repeatable=is_repeatable)
    except RetriableChannelError as error:
        if error.status == 429:
            raise
        raise AmbiguousWrite(f"no answer after all tries: {error.message}", system=SYSTEM) from error
    except FatalChannelError as error:
        if error.code == "IDEMPOTENCY_KEY_REUSED":
            raise AmbiguousWrite("an earlier write had this key", system=SYSTEM, code=error.code) from error
        raise


def outcome(
    correction: Correction, status: OutcomeStatus, *, code: str = "", message: str = "", version: object = None
) -> Outcome:
    """The outcome of a correction."""
    after = None if version is None else str(version)
    return Outcome(correction.correction_key, status, code, message, version_after=after)


def applied(correction: Correction, version: object, *, code: str = "") -> Outcome:
    """The system holds the desired value; `code` ALREADY: since an earlier try."""
    return outcome(correction, OutcomeStatus.APPLIED, code=code, version=version)


def stale(correction: Correction, code: str, message: str) -> Outcome:
    """Not written: what the plan saw is no longer there."""
    return outcome(correction, OutcomeStatus.STALE, code=code, message=message)
