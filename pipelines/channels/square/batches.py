"""What Square's writers share: who may write now, which versions are our own doing, and how a refused batch is split.

Kept per session, since it is about one run: catalogue writes take turns (Square lets one through at a time), and a
version that only our own write moved is followed, so that two corrections of one record do not refuse each other.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pipelines.channels.square.session import SYSTEM
from pipelines.errors import AmbiguousWrite, FatalChannelError, RetriableChannelError
from pipelines.http import Answer, Session
from pipelines.model import Correction, Outcome, OutcomeStatus

KEY_MAX = 128
MISMATCHES = frozenset({"VERSION_MISMATCH", "CONFLICT"})
_REFUSALS = frozenset({400, 404, 409, 413, 422})
T = TypeVar("T")


class Memory:
    """What one run knows about its own writes."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._moved: dict[tuple[str, str], str] = {}
        self.composed_at: dict[str, str] = {}
        """When the batch of a vendor key was composed: the same again makes the same bytes."""

    @asynccontextmanager
    async def turn(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Hold these names alone; in one order for all, so that nobody waits in a circle."""
        async with AsyncExitStack() as stack:
            for name in sorted(set(names)):
                await stack.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
            yield

    def wrote(self, record: str, before: object, after: object) -> None:
        """Our write moved a record from one version to another."""
        self._moved[record, str(before)] = str(after)

    def follow(self, record: str, version: str) -> str:
        """The version a record has by now if nobody but us wrote it."""
        while (record, version) in self._moved:
            version = self._moved[record, version]
        return version


_MEMORIES: WeakKeyDictionary[Session, Memory] = WeakKeyDictionary()


def memory_of(session: Session) -> Memory:
    """The memory that belongs to a session."""
    return _MEMORIES.setdefault(session, Memory())


def part_key(key: str, parts: Sequence[str]) -> str:
    """The vendor key of a part of a batch: another composition is another key."""
    return hashlib.sha256("|".join([key, *parts]).encode()).hexdigest()


async def post(session: Session, path: str, body: Mapping[str, Any], *, is_repeatable: bool) -> Answer:
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


async def settle(
    items: Sequence[T], key: str, name: Callable[[T], str],
    send: Callable[[Sequence[T], str], Awaitable[dict[str, Outcome]]],
    refused: Callable[[T, FatalChannelError], dict[str, Outcome]],
) -> dict[str, Outcome]:
    """Send a batch that Square takes whole or not at all; a refused one is halved until the bad items stand alone."""
    try:
        return await send(items, key)
    except FatalChannelError as error:
        if error.status not in _REFUSALS:
            raise
        if len(items) == 1:
            return refused(items[0], error)
    middle = len(items) // 2
    outcomes: dict[str, Outcome] = {}
    for half in (items[:middle], items[middle:]):
        outcomes |= await settle(half, part_key(key, [name(item) for item in half]), name, send, refused)
    return outcomes


def outcome(correction: Correction, status: OutcomeStatus, *, code: str = "", message: str = "",
            version: object = None) -> Outcome:
    """The outcome of a correction."""
    return Outcome(
        correction.correction_key, status, code, message, version_after=None if version is None else str(version)
    )


def refusal(correction: Correction, error: FatalChannelError) -> Outcome:
    """What Square refused: stale where the version moved, else rejected."""
    status = OutcomeStatus.STALE if error.code in MISMATCHES else OutcomeStatus.REJECTED
    return outcome(correction, status, code=error.code, message=error.message)


def by_record(corrections: Iterable[Correction]) -> dict[str, list[Correction]]:
    """Corrections by vendor id, in order."""
    records: dict[str, list[Correction]] = {}
    for correction in corrections:
        records.setdefault(correction.vendor_id, []).append(correction)
    return records


def in_order(corrections: Sequence[Correction], outcomes: Mapping[str, Outcome]) -> list[Outcome]:
    """One outcome per correction; what the answer did not mention is unknown."""
    return [
        outcomes.get(c.correction_key)
        or outcome(c, OutcomeStatus.UNKNOWN, code="NOT_IN_ANSWER", message="the answer does not mention it")
        for c in corrections
    ]
