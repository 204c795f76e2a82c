"""What Odoo's writers share: what became of each correction, rows written in one call, and rights that are missing.

A `load` writes all its rows or none, and names those that it refuses by their place: these are left out and the rest is
sent again. Odoo's messages quote values: they are not passed on.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from pipelines.channels.odoo.session import NO_ACCESS, SYSTEM, OdooSession
from pipelines.errors import CredentialError, FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus

MAX_ROUNDS = 4
"""So often a load is sent again without the rows that it refused; then push halves the batch."""
REFUSED = 422
REFUSED_ROW = "Odoo refused the row; try the value in Odoo itself, which says why"

Write = Callable[[Session, Sequence[Correction], str], Awaitable[list[Outcome]]]


class _Message(msgspec.Struct):
    type: str = ""
    record: int | None = None


class _Loaded(msgspec.Struct):
    ids: list[int] | bool = False
    messages: list[_Message] = []


def applied(correction: Correction, code: str = "") -> Outcome:
    """Odoo holds the desired value; `code` ALREADY: since before this write."""
    return Outcome(correction.correction_key, OutcomeStatus.APPLIED, code)


def rejected(correction: Correction, code: str, message: str) -> Outcome:
    """Not written, and not to be tried again as it is."""
    return Outcome(correction.correction_key, OutcomeStatus.REJECTED, code, message)


def stale(correction: Correction, code: str, message: str) -> Outcome:
    """Not written: what the plan saw is no longer there."""
    return Outcome(correction.correction_key, OutcomeStatus.STALE, code, message)


def in_order(corrections: Sequence[Correction], outcomes: Mapping[str, Outcome]) -> list[Outcome]:
    """One outcome per correction, in order."""
    return [outcomes[c.correction_key] for c in corrections]


def is_blank(correction: Correction) -> bool:
    """Whether there is nothing to write."""
    return correction.desired is None or not correction.desired.strip()


def ids_of(corrections: Sequence[Correction]) -> list[int]:
    """The records' ids in Odoo, each once, in order."""
    return list(dict.fromkeys(int(c.vendor_id) for c in corrections))


async def load(
    own: OdooSession, model: str, fields: Sequence[str], rows: Mapping[str, Sequence[str]],
    *, is_repeatable: bool = False, context: dict[str, Any] | None = None,
) -> set[str]:
    """Write `fields` of records by id, one row a record; returns the ids of the records that Odoo refuses.

    Raises FatalChannelError with REFUSED where Odoo refuses all and names no row, or too many one by one: push halves.
    """
    refused: set[str] = set()
    for _ in range(MAX_ROUNDS):
        left = [key for key in rows if key not in refused]
        if not left:
            return refused
        answer = await own.answer(
            model, "load", fields=[".id", *fields], data=[[key, *rows[key]] for key in left], context=context,
            is_repeatable=is_repeatable,
        )
        try:
            found = msgspec.json.decode(answer.body, type=_Loaded)
        except msgspec.DecodeError as error:
            raise FatalChannelError(f"{model}: a load without result", system=SYSTEM) from error
        if isinstance(found.ids, list):
            if found.ids != [int(key) for key in left]:
                raise FatalChannelError(f"{model}: a load wrote other records than were named", system=SYSTEM)
            return refused
        places = {m.record for m in found.messages if m.type == "error" and m.record is not None}
        bad = {left[place] for place in places if place < len(left)}
        if not bad:
            break
        refused |= bad
    raise FatalChannelError(f"{model}: Odoo refused the rows", system=SYSTEM, status=REFUSED, code="LOAD_REFUSED")


def within_rights(write: Write) -> Write:
    """The same write, with an outcome for every row where the key's user lacks the right to it; other writes go on."""

    async def righted(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
        try:
            return await write(session, corrections, key)
        except CredentialError as error:
            if error.code != NO_ACCESS:
                raise
            return [rejected(c, NO_ACCESS, error.message) for c in corrections]

    return righted
