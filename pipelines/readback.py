"""Reading values back by id, and what a reading says: the same value, safe to write, or what became of a write.

Used by push (just before a write, and after a lost answer) and by verify. Never reads by search: a search may lag
behind a write. Comparison uses the same normalisers as staging, so that a vendor's spelling is no difference. Writes
to no system and no table.
"""

import asyncio
import re
import unicodedata
from collections.abc import Mapping, Sequence

import duckdb

from pipelines.channels.base import Channel, ReadBack
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus, Reading

MAX_IN_FLIGHT = 4
Sessions = Mapping[str, tuple[Channel, Session]]

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_SPACE = re.compile(r"\s+")
_GTIN = "SELECT norm_gtin($left) = norm_gtin($right)"
_PHONE = """
SELECT list_has_any(
  [norm_phone($left, c) FOR c IN ['FR', 'CH', 'BE', 'JP'] IF norm_phone($left, c) IS NOT NULL],
  [norm_phone($right, c) FOR c IN ['FR', 'CH', 'BE', 'JP'] IF norm_phone($right, c) IS NOT NULL])
"""


async def read_back(channel: Channel, session: Session, corrections: Sequence[Correction]) -> dict[str, Reading]:
    """What the system holds now for each correction, by correction key; one that could not be told is left out.

    Raises the ChannelErrors of the session.
    """
    gate = asyncio.Semaphore(MAX_IN_FLIGHT)
    readers = {reader.entity: reader for reader in channel.read_backs}
    by_entity: dict[str, list[Correction]] = {}
    for correction in corrections:
        by_entity.setdefault(correction.entity, []).append(correction)

    async def one(reader: ReadBack, batch: Sequence[Correction]) -> list[Reading]:
        async with gate:
            return await reader.read(session, batch)

    calls = []
    for entity, members in sorted(by_entity.items()):
        reader = readers.get(entity)
        if reader is None:
            continue
        members.sort(key=lambda c: (c.vendor_id, c.vendor_sub_id, c.field))
        for start in range(0, len(members), reader.batch_max):
            calls.append(one(reader, members[start : start + reader.batch_max]))
    found: dict[tuple[str, str, str, str], Reading] = {}
    for answer in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(answer, BaseException):
            raise answer
        for reading in answer:
            found[(reading.entity, reading.field, reading.vendor_id, reading.vendor_sub_id)] = reading
    places = ((c.correction_key, (c.entity, c.field, c.vendor_id, c.vendor_sub_id)) for c in corrections)
    return {key: found[place] for key, place in places if place in found}


def is_same(con: duckdb.DuckDBPyConnection, correction: Correction, left: str | None, right: str | None) -> bool:
    """Whether two spellings of the correction's field are one value; NULL and a blank are."""
    if left == right:
        return True
    if not left or not right:
        return not left and not right
    if correction.entity in ("prices", "stock"):
        return bool(_WHOLE.fullmatch(left) and _WHOLE.fullmatch(right)) and int(left) == int(right)
    if correction.entity == "items" and correction.field == "gtin":
        return _ask(con, _GTIN, left, right)
    if correction.field == "phone":
        return _ask(con, _PHONE, left, right)
    return correction.entity == "customers" and _text(left) == _text(right)


def _text(value: str) -> str:
    return _SPACE.sub(" ", unicodedata.normalize("NFC", value)).strip()


def _ask(con: duckdb.DuckDBPyConnection, question: str, left: str, right: str) -> bool:
    row = con.execute(question, {"left": left, "right": right}).fetchone()
    return bool(row and row[0])


def skipped(correction: Correction, code: str, message: str) -> Outcome:
    """An outcome for a row that was not written."""
    return Outcome(correction.correction_key, OutcomeStatus.SKIPPED, code, message)


def before_write(con: duckdb.DuckDBPyConnection, correction: Correction, reading: Reading | None) -> Outcome | None:
    """What speaks against writing; None: the value is still the one that was planned on, write."""
    key = correction.correction_key
    if correction.makes_record and reading is not None:
        if not reading.exists:
            return None
        return Outcome(key, OutcomeStatus.STALE, "exists", "the record is there by now")
    if reading is None or not reading.exists:
        return Outcome(key, OutcomeStatus.STALE, "gone", "the record is not there any more")
    if is_same(con, correction, reading.value, correction.observed):
        return None
    if is_same(con, correction, reading.value, correction.desired):
        return skipped(correction, "already", "the system holds the value already")
    return Outcome(key, OutcomeStatus.STALE, "moved", "the value moved since it was read")


def after_doubt(
    con: duckdb.DuckDBPyConnection, correction: Correction, reading: Reading | None, said: Outcome | None = None
) -> Outcome:
    """What became of a write whose answer was lost. `said`: the writer's later word, where the value is not there."""
    key = correction.correction_key
    if reading is None:
        return Outcome(key, OutcomeStatus.UNKNOWN, "no_answer", "the answer was lost and the value not read back")
    if not reading.exists and correction.makes_record:
        return said or skipped(correction, "not_applied", "found not made by reading back")
    if not reading.exists:
        return Outcome(key, OutcomeStatus.STALE, "gone", "the record is not there any more")
    if is_same(con, correction, reading.value, correction.desired):
        return Outcome(
            key, OutcomeStatus.APPLIED, "read_back", "found applied by reading back", version_after=reading.version
        )
    if said is not None:
        return said
    if is_same(con, correction, reading.value, correction.observed):
        return skipped(correction, "not_applied", "found not applied by reading back")
    return Outcome(key, OutcomeStatus.STALE, "moved", "another value was found by reading back")
