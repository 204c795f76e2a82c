"""The inbox: people's answers to held rows, dropped as JSON files and imported by the one writer.

`drop_answer` needs no database, so a person can answer while a night runs. `import_answers` is the writer's part: what
can be read goes to `ledger.sync.answers` and the file to `done/`; what cannot goes to `refused/`, with the reason in
the result. What an answer means is the planner's and `pipelines.approve`'s business.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

import duckdb
import msgspec

from pipelines.errors import DataError

AnswerKind = Literal["approve", "reject", "accept-theirs", "pin"]
_OPEN = "*.json"


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person's word on one correction."""

    correction_key: str
    answer: AnswerKind
    author: str
    reason: str
    at: datetime
    until: datetime | None = None
    """For `pin`: the day it ends."""

    @property
    def answer_id(self) -> str:
        """The same answer dropped twice is one answer."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the inbox: how many answers were taken, and file name and reason of each that was not."""

    taken: int
    refused: tuple[tuple[str, str], ...] = ()


def drop_answer(folder: Path, answer: Answer) -> Path:
    """Write one answer as a file, whole or not at all; DataError where it says too little."""
    _judge(answer)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / f"{answer.answer_id}.json"
    draft = target.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(answer))
    draft.chmod(0o600)
    return draft.replace(target)


def import_answers(con: duckdb.DuckDBPyConnection, folder: Path) -> Imported:
    """Take all answers that lie in `folder` into the ledger. Importing one twice changes nothing."""
    taken, refused = 0, []
    for path in _files(folder):
        try:
            answer = msgspec.json.decode(path.read_bytes(), type=Answer)
            _judge(answer)
            _check_key(con, answer.correction_key)
        except (msgspec.DecodeError, DataError) as error:
            refused.append((path.name, str(error)))
            _move(path, folder / "refused")
            continue
        con.execute(
            "INSERT INTO ledger.sync.answers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                answer.answer_id, answer.correction_key, answer.answer, answer.author, answer.reason, answer.until,
                answer.at,
            ],
        )
        _move(path, folder / "done")
        taken += 1
    return Imported(taken, tuple(refused))


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob(_OPEN)) if folder.is_dir() else ()


def _move(path: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True, mode=0o700)
    path.replace(folder / path.name)


def _judge(answer: Answer) -> None:
    if not answer.author.strip() or not answer.reason.strip():
        raise DataError("an answer needs its author and a reason", key=answer.correction_key)
    for moment in (answer.at, answer.until):
        if moment is not None and moment.tzinfo is None:
            raise DataError("an answer's times carry their time zone", key=answer.correction_key)
    if answer.answer == "pin" and (answer.until is None or answer.until <= answer.at):
        raise DataError("a pin needs a day in the future until which it holds", key=answer.correction_key)


def _check_key(con: duckdb.DuckDBPyConnection, key: str) -> None:
    row = con.execute(
        "SELECT c.drift_class, c.disposition FROM ledger.sync.corrections AS c "
        "JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id WHERE c.correction_key = ? "
        "ORDER BY p.created_at DESC LIMIT 1",
        [key],
    ).fetchone()
    if row is None:
        raise DataError("no plan holds this correction", key=key)
    if row[0] == "lower":
        raise DataError("an opt-out needs no answer and takes none", key=key)
    if row[1] == "refuse":
        raise DataError("a guard refuses this correction; only the policy file can change that", key=key)
