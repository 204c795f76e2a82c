"""A person's word that some records are not one person, and the word that takes it back: said, found, kept.

`find_parting` and `find_undone` work out of a copy of the ledger what a word means; the file that is dropped for it
(`pipelines.ledger.inbox`) names records alone. `keep_word` is the writer's part: pairs go to `ledger.identity.apart`,
once, whatever the number of imports. What follows from them is linkage's (`reconcile.person_apart`) and the planner's.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import duckdb
import msgspec

from pipelines.errors import DataError

_OF_PERSON = """
SELECT b.system, b.vendor_id FROM ledger.identity.persons AS b WHERE b.person_id = ? ORDER BY b.system, b.vendor_id
"""
_PERSON = "SELECT b.person_id FROM ledger.identity.persons AS b WHERE b.system = ? AND b.vendor_id = ?"
_CAME = """
SELECT b.person_id, b.system, b.vendor_id
FROM ledger.identity.person_moves AS v
JOIN ledger.identity.persons AS b ON b.system = v.system AND b.vendor_id = v.vendor_id AND b.person_id = v.person_id
WHERE v.old_person_id = ? ORDER BY b.system, b.vendor_id
"""
_STANDS = """
SELECT a.parting_id FROM ledger.identity.apart AS a
WHERE (a.taken_system, a.taken_id) = ($system, $vendor_id) OR (a.kept_system, a.kept_id) = ($system, $vendor_id)
EXCEPT SELECT u.parting_id FROM ledger.identity.apart_undone AS u
"""
_PAIRS = """
SELECT DISTINCT a.taken_system, a.taken_id, a.kept_system, a.kept_id FROM ledger.identity.apart AS a
WHERE a.parting_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY ALL
"""
_KEEP = """
INSERT INTO ledger.identity.apart
SELECT $parting_id, t.r.system, t.r.vendor_id, k.r.system, k.r.vendor_id, $author, $reason, $at,
  greatest(b.bound_at, c.bound_at), (SELECT max(p.created_at) FROM ledger.sync.plans AS p)
FROM (SELECT unnest($taken::STRUCT(system VARCHAR, vendor_id VARCHAR)[]) AS r) AS t
CROSS JOIN (SELECT unnest($kept::STRUCT(system VARCHAR, vendor_id VARCHAR)[]) AS r) AS k
JOIN ledger.identity.persons AS b ON b.system = t.r.system AND b.vendor_id = t.r.vendor_id
JOIN ledger.identity.persons AS c ON c.system = k.r.system AND c.vendor_id = k.r.vendor_id
WHERE NOT EXISTS (SELECT 1 FROM ledger.identity.apart AS a WHERE a.parting_id = $parting_id)
"""
_UNDO = """
INSERT INTO ledger.identity.apart_undone
SELECT w.parting_id, $author, $reason, $at FROM (SELECT unnest($parting_ids::VARCHAR[]) AS parting_id) AS w
ANTI JOIN ledger.identity.apart_undone AS u ON u.parting_id = w.parting_id
"""


class Record(msgspec.Struct, frozen=True, order=True, array_like=True):
    """One customer record of one system."""

    system: str
    vendor_id: str

    def __str__(self) -> str:
        return f"{self.system}:{self.vendor_id}"


class _Word(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="word"):
    author: str
    reason: str
    at: datetime

    @property
    def word_id(self) -> str:
        """The same word dropped twice is one word."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:32]


class Parting(_Word, frozen=True, kw_only=True, tag="unmerge"):
    """Every record that is taken out stays apart from every record that is kept, for ever."""

    taken: tuple[Record, ...]
    kept: tuple[Record, ...]


class Rejoining(_Word, frozen=True, kw_only=True, tag="unmerge-undo"):
    """Partings that hold no more."""

    parting_ids: tuple[str, ...]


def find_parting(con: duckdb.DuckDBPyConnection, words: Sequence[str]) -> tuple[str, list[Record], list[Record]]:
    """The person that some words are about, the records to take out of it, and those that stay.

    A word is `system:vendor_id`, or a person's id: of one that went into another, all its records are taken out; of one
    that stands, the records named beside it. DataError with the cure where that parts nobody.
    """
    persons = [word for word in words if ":" not in word]
    taken = [_record(con, word) for word in words if ":" in word]
    named = set()
    for person in persons:
        if con.execute(_OF_PERSON, [person]).fetchall():
            named.add(person)
            continue
        came = con.execute(_CAME, [person]).fetchall()
        if not came:
            raise DataError("no record and no person goes by this; a record is named system:vendor_id", key=person)
        taken += [Record(system, vendor_id) for _, system, vendor_id in came]
    if not taken:
        raise DataError("name the records to take out of this person, as system:vendor_id", key=", ".join(persons))
    found = {str(row[0]) for record in taken for row in con.execute(_PERSON, [*_pair(record)]).fetchall()}
    if len(found | named) > 1:
        raise DataError("these are not one person now; name records of one", key=", ".join(sorted(found | named)))
    person = found.pop()
    kept = [Record(*row) for row in con.execute(_OF_PERSON, [person]).fetchall() if Record(*row) not in taken]
    if not kept:
        raise DataError("nothing would be left of the person: name those records that do not belong to it", key=person)
    return person, sorted(set(taken)), kept


def find_undone(con: duckdb.DuckDBPyConnection, words: Sequence[str]) -> list[str]:
    """The partings that stand and have to do with all of these records; DataError where there is none."""
    found: set[str] | None = None
    for word in words:
        system, vendor_id = _pair(_record(con, word))
        standing = {str(row[0]) for row in con.execute(_STANDS, {"system": system, "vendor_id": vendor_id}).fetchall()}
        found = standing if found is None else found & standing
    if not found:
        raise DataError("no unmerge that stands has to do with these records", key=", ".join(words))
    return sorted(found)


def pairs_of(con: duckdb.DuckDBPyConnection, parting_ids: Sequence[str]) -> list[tuple[Record, Record]]:
    """The pairs of some partings."""
    rows = con.execute(_PAIRS, [list(parting_ids)]).fetchall()
    return [(Record(*row[:2]), Record(*row[2:])) for row in rows]


def keep_word(con: duckdb.DuckDBPyConnection, word: Parting | Rejoining) -> None:
    """Take a word into the ledger; the same word twice is one. DataError where a record or parting is not there."""
    said = {"author": word.author, "reason": word.reason, "at": word.at}
    if isinstance(word, Rejoining):
        con.execute(_UNDO, {**said, "parting_ids": list(word.parting_ids)})
        return
    for record in (*word.taken, *word.kept):
        _known(con, record)
    sides = {
        name: [{"system": r.system, "vendor_id": r.vendor_id} for r in records]
        for name, records in (("taken", word.taken), ("kept", word.kept))
    }
    con.execute(_KEEP, {**said, **sides, "parting_id": word.word_id})


def judge_word(word: Parting | Rejoining) -> None:
    """DataError where a word says too little."""
    if not word.author.strip() or not word.reason.strip():
        raise DataError("an unmerge needs its author and a reason")
    if word.at.tzinfo is None:
        raise DataError("an unmerge's time carries its time zone")
    if isinstance(word, Parting) and (not word.taken or not word.kept or set(word.taken) & set(word.kept)):
        raise DataError("an unmerge names records that are taken out, and others that are kept")


def _record(con: duckdb.DuckDBPyConnection, word: str) -> Record:
    system, sign, vendor_id = word.partition(":")
    if not sign or not vendor_id:
        raise DataError("a record is named system:vendor_id, like square:ABC", key=word)
    record = Record(system, vendor_id)
    _known(con, record)
    return record


def _known(con: duckdb.DuckDBPyConnection, record: Record) -> None:
    if not con.execute(_PERSON, [*_pair(record)]).fetchall():
        words = "no night has seen a customer by this record; `trueup why` finds one by its e-mail"
        raise DataError(words, key=str(record))


def _pair(record: Record) -> tuple[str, str]:
    return record.system, record.vendor_id
