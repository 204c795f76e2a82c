"""What is declared is what can be done: every field of every writer is written, read back by id, and staged again.

Three checks look at one round of writing: that each write is taken, that what is read back is what was written, and
that our own write does not come back as drift.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.bench import SETTLING_WAITS, Bench
from conformance.staged import sub_id_of, value_of
from conformance.targets import fields_of, targets
from conformance.verdicts import Failed, NotShown
from pipelines.channels.base import Channel
from pipelines.model import Correction, Outcome, OutcomeStatus, Reading
from pipelines.readback import is_same


@dataclass(frozen=True, slots=True)
class Round:
    """One round of writing all fields."""

    sent: Sequence[Correction]
    outcomes: dict[str, Outcome]
    held: dict[str, Reading]
    missing: Sequence[str]
    """Fields that found no place, in words."""


def contradictions(channel: Channel) -> list[str]:
    """Where the declaration of a channel contradicts itself."""
    written = {(writer.entity, name): writer for writer in channel.writers for name in writer.fields}
    rungs = {(a.entity, a.field): a.rungs for a in channel.abilities}
    found = [f"{e}.{f} has a writer and no rung" for e, f in written if rungs.get((e, f), (0,)) == (0,)]
    found += [f"{e}.{f} is on rung {max(r)} and has no writer" for (e, f), r in rungs.items()
              if r != (0,) and (e, f) not in written]
    found += [f"{e}.{f} is on rung 3 and nobody reads it before the write" for (e, f), writer in written.items()
              if set(rungs.get((e, f), ())) & {1, 3} == {3} and not writer.needs_check]
    readers = {reader.entity for reader in channel.read_backs}
    found += [f"{e} is written and cannot be read back" for e in sorted({e for e, _ in written} - readers)]
    found += [f"{writer.entity} is written in batches of {writer.batch_max}" for writer in channel.writers
              if writer.batch_max < 1]
    found += [f"{writer.entity} is asked for, and after a lost answer nobody says whether it was"
              for writer in channel.writers if writer.settles_within is not None and writer.asked is None]
    read_ones = {entity for endpoint in channel.endpoints for entity in endpoint.entities}
    return found + [f"{e} is written and never read" for e in sorted({e for e, _ in written} - read_ones)]


async def declared(bench: Bench) -> str:
    """Writers, rungs, read-backs and endpoints agree with each other."""
    if found := contradictions(bench.channel):
        raise Failed("; ".join(found))
    return f"{len(list(fields_of(bench)))} fields written, {sum(a.rungs == (0,) for a in bench.channel.abilities)} not"


async def _round(bench: Bench) -> Round:
    some, missing = await targets(bench)
    sent = [one.correction(bench) for one in some]
    if not sent:
        raise NotShown("; ".join(missing) or "the system has no writer")
    outcomes = await bench.push(sent)
    return Round(sent, outcomes, await bench.read_back(sent), missing)


async def abilities(bench: Bench) -> str:
    """Each field of each writer is really written."""
    done = await bench.once("round", lambda: _round(bench))
    for c in done.sent:
        outcome = done.outcomes.get(c.correction_key)
        if outcome is None or outcome.status is not OutcomeStatus.APPLIED:
            words = f"{outcome.status} {outcome.code}" if outcome else "no outcome"
            raise Failed(f"{c.entity}.{c.field} is declared and was not written: {words}")
    return _words(f"{len(done.sent)} fields written", done.missing)


async def read_backs(bench: Bench) -> str:
    """What is read back by id is what was written."""
    done = await bench.once("round", lambda: _round(bench))
    for c in done.sent:
        reading = done.held.get(c.correction_key)
        if reading is None or not reading.exists:
            raise Failed(f"{c.entity}.{c.field} was written and is not found by its id")
        if not is_same(bench.con, c, reading.value, c.desired):
            raise Failed(f"{c.entity}.{c.field} reads back as something else than was written")
    return _words(f"{len(done.sent)} fields read back", done.missing)


async def echo(bench: Bench) -> str:
    """Staged again, what we wrote is what we wanted: it does not come back as drift."""
    done = await bench.once("round", lambda: _round(bench))
    wrong: list[str] = []
    for wait in SETTLING_WAITS:
        await bench.clock.sleep(wait)
        await bench.stage_anew({c.entity for c in done.sent})
        wrong = [f"{c.entity}.{c.field}" for c in done.sent if not _is_at_rest(bench, c)]
        if not wrong:
            break
    if wrong:
        raise Failed(f"staged again, these differ from what was written: {', '.join(wrong)}")
    return _words(f"{len(done.sent)} fields staged as written", done.missing)


def _is_at_rest(bench: Bench, c: Correction) -> bool:
    """Whether what is staged is no drift. A no may be written so that nothing is said any more: that is no yes."""
    staged = _staged(bench, c)
    said_nothing = c.entity == "consents" and c.desired == "no" and staged == "unknown"
    return said_nothing or is_same(bench.con, c, staged, c.desired)


def _staged(bench: Bench, c: Correction) -> str | None:
    for row in bench.rows(c.entity):
        if (str(row["vendor_id"]), sub_id_of(c.entity, row)) == (c.vendor_id, c.vendor_sub_id):
            return value_of(c.field, row)
    return None


def _words(done: str, missing: Sequence[str]) -> str:
    return f"{done}; not shown: {'; '.join(missing)}" if missing else done
