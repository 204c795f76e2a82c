"""The inbox: people's answers to held rows, dropped as JSON files and imported by the one writer.

`drop_answer` needs no database, so a person can answer while a night runs. `import_answers` is the writer's part: what
can be taken goes to `ledger.sync.answers` and the file to `done/`; what cannot goes to `refused/`, with the reason in
the result and in a text beside it, where `status` finds it until somebody removes the files. What an answer means is
the planner's and `pipelines.approve`'s business.
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
from pipelines.ledger.answerable import check_answer

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
            check_answer(con, answer.correction_key, answer.answer)
        except (msgspec.DecodeError, DataError) as error:
            refused.append((path.name, str(error)))
            _move(path, folder / "refused")
            (folder / "refused" / f"{path.stem}.txt").write_text(str(error), encoding="utf-8")
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


def refusals(folder: Path) -> dict[str, str]:
    """Name and reason of every answer that a night has not taken and nobody has cleared away."""
    kept = folder / "refused"
    told = {path.name: path.with_suffix(".txt") for path in (sorted(kept.glob(_OPEN)) if kept.is_dir() else ())}
    return {
        name: path.read_text(encoding="utf-8") if path.exists() else "it cannot be taken" for name, path in told.items()
    }


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
