"""The inbox: what people say, as signed JSON files for the one writer: answers, partings, rollbacks, armings.

`drop` needs no database, so a person can answer while a night runs. `import_answers` is the writer's part: what is
signed by somebody whose word counts, and can be taken, goes to `ledger.sync.words`, an answer to `ledger.sync.answers`,
a parting to `ledger.identity.apart` and an order to roll back to `ledger.sync.rollbacks`, and the file to `done/`; what
cannot goes to `refused/`, with the reason in the result and in a text beside it, where `status` finds it until somebody
removes the files. What an answer means is the planner's and `pipelines.approve`'s business.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import duckdb
import msgspec

from pipelines.arming.armings import EARLY, Arming, Disarming, judge_arming
from pipelines.arming.signing import Approvers, Signed, Signer
from pipelines.clock import Clock
from pipelines.errors import DataError
from pipelines.ledger.answerable import check_answer
from pipelines.ledger.audit import append
from pipelines.ledger.partings import Parting, Rejoining, judge_word, keep_word
from pipelines.ledger.plans import transaction
from pipelines.ledger.rollbacks import Rollback, judge_rollback, keep_rollback
from pipelines.model import POLICY

AnswerKind = Literal["approve", "reject", "accept-theirs", "pin"]
_OPEN = "*.json"
_SAID = (
    "SELECT $word_id AS word_id, $word AS word, $payload AS payload, $key_id AS key_id, $signature AS signature, "
    "$now AS taken_at"
)
UNSIGNED = "say it again with `trueup`, which signs it"


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="word", tag="answer"):
    """One person's word on one correction."""

    correction_key: str
    answer: AnswerKind
    author: str
    reason: str
    at: datetime
    until: datetime | None = None
    """For `pin`: the day it ends."""


Word = Answer | Parting | Rejoining | Rollback | Arming | Disarming
"""All that a person can say; each has its author, a reason and a time."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the inbox: how many answers were taken, and file name and reason of each that was not."""

    taken: int
    refused: tuple[tuple[str, str], ...] = ()


def drop(folder: Path, word: Word, signer: Signer) -> Path:
    """Write one signed word as a file, whole or not at all; DataError where it says too little."""
    _judge(word)
    if signer.name and word.author != signer.name:
        words = f"the key is {signer.name}'s, and this is said in the name of {word.author!r}; leave --author out"
        raise DataError(words)
    return drop_signed(folder, signer.sign(word))


def drop_signed(folder: Path, signed: Signed) -> Path:
    """The same for a word that is signed already; one dropped twice is one file."""
    return _drop(folder, signed.word_id, msgspec.json.encode(signed))


def _drop(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / f"{name}.json"
    draft = target.with_suffix(".draft")
    draft.write_bytes(content)
    draft.chmod(0o600)
    return draft.replace(target)


def import_answers(
    con: duckdb.DuckDBPyConnection, folder: Path, *, approvers: Approvers, clock: Clock
) -> Imported:
    """Take all words that lie in `folder` into the ledger. Importing one twice changes nothing."""
    taken, refused = 0, []
    for path in _files(folder):
        try:
            _take(con, path.read_bytes(), approvers, clock)
        except (msgspec.DecodeError, DataError) as error:
            refused.append((path.name, str(error)))
            _move(path, folder / "refused")
            (folder / "refused" / f"{path.stem}.txt").write_text(str(error), encoding="utf-8")
            continue
        _move(path, folder / "done")
        taken += 1
    return Imported(taken, tuple(refused))


def _take(con: duckdb.DuckDBPyConnection, content: bytes, approvers: Approvers, clock: Clock) -> None:
    try:
        signed = msgspec.json.decode(content, type=Signed)
    except msgspec.DecodeError as error:
        raise DataError(f"it is not a signed word, and no other counts: {error}; {UNSIGNED}") from error
    approver = approvers.check(signed)
    word = msgspec.json.decode(signed.payload, type=Word)
    approvers.check_author(signed, word.author)
    _judge(word)
    if word.at > clock.now() + EARLY:
        raise DataError(f"it is dated {word.at:%Y-%m-%d %H:%M} UTC, which has not come: set the signer's clock right")
    if isinstance(word, Arming) and not approver.may_arm:
        raise DataError(f"{approver.name} may answer held rows, not arm (may_arm in estate.toml)")
    if isinstance(word, Answer):
        check_answer(con, word.correction_key, word.answer)
    with transaction(con):
        _keep(con, word, signed, clock)


def _keep(con: duckdb.DuckDBPyConnection, word: Word, signed: Signed, clock: Clock) -> None:
    if isinstance(word, Answer):
        con.execute(
            "INSERT INTO ledger.sync.answers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [signed.word_id, word.correction_key, word.answer, word.author, word.reason, word.until, word.at],
        )
    elif isinstance(word, Parting | Rejoining):
        keep_word(con, word)
    elif isinstance(word, Rollback):
        keep_rollback(con, word)
    if con.execute("SELECT 1 FROM ledger.sync.words WHERE word_id = ?", [signed.word_id]).fetchone() is None:
        kind = str(type(word).__struct_config__.tag)
        append(con, "words", _SAID, {
            "word_id": signed.word_id, "word": kind, "payload": signed.payload, "key_id": signed.key_id,
            "signature": signed.signature, "now": clock.now(),
        })


def waiting_armings(folder: Path) -> list[tuple[str, Arming]]:
    """Armings that lie in the inbox, unchecked: what a person sees who has just signed one."""
    found = []
    for path in _files(folder):
        try:
            signed = msgspec.json.decode(path.read_bytes(), type=Signed)
            found.append((signed.word_id, msgspec.json.decode(signed.payload, type=Arming)))
        except msgspec.DecodeError:
            continue  # another word; the next run says of one that cannot be read
    return found


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


def _judge(word: Word) -> None:
    """DataError where a word says too little, or is said in the policy's name."""
    if word.author.strip().casefold() == POLICY:
        raise DataError("this is the name under which the policy approves, and nobody else; name the author")
    if isinstance(word, Parting | Rejoining):
        judge_word(word)
    elif isinstance(word, Rollback):
        judge_rollback(word)
    elif isinstance(word, Arming | Disarming):
        judge_arming(word)
    else:
        _judge_answer(word)


def _judge_answer(answer: Answer) -> None:
    if not answer.author.strip() or not answer.reason.strip():
        raise DataError("an answer needs its author and a reason", key=answer.correction_key)
    for moment in (answer.at, answer.until):
        if moment is not None and moment.tzinfo is None:
            raise DataError("an answer's times carry their time zone", key=answer.correction_key)
    if answer.answer == "pin" and (answer.until is None or answer.until <= answer.at):
        raise DataError("a pin needs a day in the future until which it holds", key=answer.correction_key)
