"""Reading values back by id, and telling whether two spellings are the same value. Writes to no system and no table.

Used by push (just before a write, and after a lost answer) and by verify. Never reads by search: a search may lag
behind a write. Comparison uses the same normalisers as staging, so that a vendor's spelling is no difference.
"""

import asyncio
import re
import unicodedata
from collections.abc import Mapping, Sequence

import duckdb

from pipelines.channels.base import Channel, ReadBack
from pipelines.http import Session
from pipelines.model import Correction, Reading

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
