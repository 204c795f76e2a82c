"""What Odoo's writers share: what became of each correction, rows written in one call, and rights that are missing.

A `load` writes all its rows or none, and names those that it refuses by their place: these are left out and the rest is
sent again. A writer that makes several writing calls makes each a part: what is known of the earlier ones is kept, as
push takes a batch that is refused for one of which nothing was written. Odoo's messages quote values: they are not
passed on.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pipelines.channels.odoo.session import NO_ACCESS, SYSTEM, OdooSession
from pipelines.channels.outcomes import rejected
from pipelines.errors import CredentialError, FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus

MAX_ROUNDS = 4
"""So often a load is sent again without the rows that it refused; then it is halved."""
REFUSED_WHOLE = frozenset({400, 404, 409, 422})
"""A call answered so has written nothing: Odoo rolls it back."""
STOPPED = "stopped"

Write = Callable[[Session, Sequence[Correction], str], Awaitable[list[Outcome]]]
Part = tuple[Sequence[Correction], Callable[[], Awaitable[Mapping[str, Outcome]]]]
"""Corrections, and the call that writes them and no others."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row of a load is not written."""

    code: str = "LOAD_REFUSED"
    message: str = "Odoo refused the row; try the value in Odoo itself, which says why"


class _Message(msgspec.Struct):
    type: str = ""
    record: int | None = None


class _Loaded(msgspec.Struct):
    ids: list[int] | bool = False
    messages: list[_Message] = []


def applied(correction: Correction, code: str = "") -> Outcome:
    """Odoo holds the desired value; `code` ALREADY: since before this write."""
    return Outcome(correction.correction_key, OutcomeStatus.APPLIED, code)


def loaded(correction: Correction, refusal: Refusal | None) -> Outcome:
    """What became of a row that was sent in a load."""
    return rejected(correction, refusal.code, refusal.message) if refusal else applied(correction)


def stale(correction: Correction, code: str, message: str) -> Outcome:
    """Not written: what the plan saw is no longer there."""
    return Outcome(correction.correction_key, OutcomeStatus.STALE, code, message)


def is_blank(correction: Correction) -> bool:
    """Whether there is nothing to write."""
    return correction.desired is None or not correction.desired.strip()


def ids_of(corrections: Sequence[Correction]) -> list[int]:
    """The records' ids in Odoo, each once, in order."""
    return list(dict.fromkeys(int(c.vendor_id) for c in corrections))


async def load(
    own: OdooSession, model: str, fields: Sequence[str], rows: Mapping[str, Sequence[str]],
    *, is_repeatable: bool = False, context: dict[str, Any] | None = None,
) -> dict[str, Refusal]:
    """Write `fields` of records by id, one row a record; returns the ids of the records that Odoo refuses, and why.

    Where Odoo refuses all and names no row, or too many one by one, each half is a load of its own.
    """
    refused: dict[str, Refusal] = {}
    left, bad = dict(rows), None
    for _ in range(MAX_ROUNDS):
        if not left:
            return refused
        bad = await _refused(own, model, fields, left, is_repeatable=is_repeatable, context=context)
        if bad is None:
            break
        if not bad:
            return refused
        refused |= dict.fromkeys(bad, Refusal())
        left = {key: row for key, row in left.items() if key not in bad}
    if bad is None and len(left) == 1:
        return refused | dict.fromkeys(left, Refusal())
    keys = list(left)
    written: set[str] = set()
    for half in (keys[: len(keys) // 2], keys[len(keys) // 2 :]):
        part = {key: rows[key] for key in half}
        try:
            found = await load(own, model, fields, part, is_repeatable=is_repeatable, context=context)
        except CredentialError as error:
            if error.code == NO_ACCESS:
                found = dict.fromkeys(part, Refusal(NO_ACCESS, error.message))
            elif written:
                # As a credential's, it would say that nothing of the batch was sent: push is to read back.
                raise FatalChannelError(error.message, system=SYSTEM, status=error.status, code=error.code) from error
            else:
                raise
        refused |= found
        written |= part.keys() - found.keys()
    return refused


async def _refused(
    own: OdooSession, model: str, fields: Sequence[str], rows: Mapping[str, Sequence[str]],
    *, is_repeatable: bool, context: dict[str, Any] | None,
) -> set[str] | None:
    """One call: the records that it refuses, for which it has written none; None where it refuses and names none."""
    try:
        answer = await own.answer(
            model, "load", fields=[".id", *fields], data=[[key, *row] for key, row in rows.items()], context=context,
            is_repeatable=is_repeatable,
        )
    except FatalChannelError as error:
        if error.status in REFUSED_WHOLE:
            return None
        raise
    try:
        found = msgspec.json.decode(answer.body, type=_Loaded)
    except msgspec.DecodeError as error:
        raise FatalChannelError(f"{model}: a load without result", system=SYSTEM) from error
    keys = list(rows)
    if isinstance(found.ids, list):
        if found.ids != [int(key) for key in keys]:
            raise FatalChannelError(f"{model}: a load wrote other records than were named", system=SYSTEM)
        return set()
    places = {m.record for m in found.messages if m.type == "error" and m.record is not None and m.record < len(keys)}
    # Odoo says the error of the whole once more, of its first row: that one is told with the next call.
    return {keys[place] for place in places - {0} or places} or None


async def in_parts(parts: Sequence[Part]) -> dict[str, Outcome]:
    """What became of the corrections of several calls, made one after the other.

    A right that is missing refuses its part alone. Where the key itself is refused later than in the first part, what
    is left was not sent, and the next call of push finds the same out; any other error is for push, which reads back.
    """
    outcomes: dict[str, Outcome] = {}
    for place, (corrections, write) in enumerate(parts):
        try:
            outcomes |= await write()
        except CredentialError as error:
            if error.code == NO_ACCESS:
                outcomes |= {c.correction_key: rejected(c, NO_ACCESS, error.message) for c in corrections}
                continue
            if place == 0:
                raise
            left = [c for later, _ in parts[place:] for c in later]
            return outcomes | {
                c.correction_key: Outcome(c.correction_key, OutcomeStatus.SKIPPED, STOPPED, error.message) for c in left
            }
    return outcomes


def within_rights(write: Write) -> Write:
    """The same write, with an outcome for every row where the key's user lacks the right to it; other writes go on.

    For what is asked before anything is written, and for the one call that writes: several are `in_parts`.
    """

    async def righted(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
        try:
            return await write(session, corrections, key)
        except CredentialError as error:
            if error.code != NO_ACCESS:
                raise
            return [rejected(c, NO_ACCESS, error.message) for c in corrections]

    return righted
