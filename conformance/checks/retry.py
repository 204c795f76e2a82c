"""Lost answers and moved values: one effect of one write, and nothing written over what moved meanwhile."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from conformance.bench import PERSONAL, Bench
from conformance.staged import value_of
from conformance.targets import Target, as_it_is, target
from conformance.verdicts import Failed, NotShown
from conformance.wire import Sent
from pipelines.channels.base import Channel, Writer
from pipelines.model import OutcomeStatus
from pipelines.readback import is_same

KEYED = 2
COMPARED = 1
ALIKE = {"name": frozenset({"first_name", "last_name"}), "address": frozenset({"street", "city"})}
"""Fields of which one shows for the others."""
NO_THIRD = frozenset({"phone", "postcode"})
"""Fields of which no third value can be made up that every vendor takes."""


async def lost_answer(bench: Bench) -> str:
    """The server takes a write and its answer is lost: the value is written once, and known to be."""
    return await _each_way(bench, ways(bench), _lost, "the system has no writer")


async def _each_way(
    bench: Bench, some: Iterable[tuple[Writer, Sequence[str]]], work: Callable[[Bench, Target], Awaitable[str]],
    none: str,
) -> str:
    """What was shown way by way, and of which nothing could be."""
    shown, missing = [], []
    for writer, names in some:
        try:
            shown.append(await work(bench, await _first(bench, writer, names)))
        except NotShown as reason:
            missing.append(str(reason))
    missing = list(dict.fromkeys(missing))
    if not shown:
        raise NotShown("; ".join(missing) or none)
    return "; ".join(shown + [f"not shown: {words}" for words in missing])


async def _lost(bench: Bench, one: Target) -> str:
    c = one.correction(bench)
    bench.wire.need_http()
    mark, lost = len(bench.wire.sent), bench.wire.lost
    with bench.wire.losing():
        outcome = (await bench.push([c]))[c.correction_key]
    if bench.wire.lost == lost:
        raise Failed(f"{c.entity}.{c.field}: no write left, so no answer was lost ({outcome.status} {outcome.code})")
    writes = bench.wire.writes_since(mark)
    reading = (await bench.read_back([c])).get(c.correction_key)
    if reading is None or not is_same(bench.con, c, reading.value, c.desired):
        raise Failed(f"{c.entity}.{c.field}: after a lost answer the value is not the one that was written")
    if outcome.status is not OutcomeStatus.APPLIED:
        raise Failed(f"{c.entity}.{c.field}: written, and told as {outcome.status} {outcome.code}")
    rungs = rungs_of(bench.channel, c.entity, c.field)
    if KEYED in rungs and len(_bodies(writes)) > 1:
        raise Failed(f"{c.entity}.{c.field}: a repeat under an idempotency key is not the same bytes")
    how = "sent again" if len(writes) > 1 else "found by reading back"
    return f"{c.entity}.{c.field} {how}"


def _bodies(writes: list[Sent]) -> set[tuple[str, bytes]]:
    return {(sent.path, sent.content) for sent in writes}


async def compare_and_set(bench: Bench) -> str:
    """A change just before the write makes it stale: on rung 1 at the server itself, on rung 3 at our last look."""
    # Of a permission the only value that is ever written is "no", over which nothing is lost.
    some = [(writer, names) for writer, names in ways(bench) if writer.entity != "consents"]
    return await _each_way(bench, some, _raced, "the system writes nothing that can be raced")


async def _raced(bench: Bench, one: Target) -> str:
    c = one.correction(bench)
    rungs = rungs_of(bench.channel, c.entity, c.field)
    if COMPARED not in rungs and not one.writer.needs_check:
        raise NotShown(f"{c.entity}.{c.field} is on rung {max(rungs, default=0)}: nothing compares")
    other = replace(c, correction_key=f"{c.correction_key}-other", desired=_other(one))

    async def someone_else() -> None:
        outcome = (await bench.push([other]))[other.correction_key]
        if outcome.status is not OutcomeStatus.APPLIED:
            raise Failed(f"{c.entity}.{c.field} could not be raced: {outcome.status} {outcome.code}")

    if COMPARED in rungs:
        # No look of ours before: the server alone is to notice.
        with bench.wire.before_write(someone_else):
            outcome = (await bench.push([c], looks=False))[c.correction_key]
        where = "by the server"
    else:
        await someone_else()
        outcome = (await bench.push([c]))[c.correction_key]
        where = "just before"
    reading = (await bench.read_back([c])).get(c.correction_key)
    if reading is None or not is_same(bench.con, c, reading.value, other.desired):
        raise Failed(f"{c.entity}.{c.field}: a change made just before the write was written over")
    if outcome.status is not OutcomeStatus.STALE:
        raise Failed(f"{c.entity}.{c.field}: raced, and told as {outcome.status} {outcome.code}")
    return f"{c.entity}.{c.field} stale, noticed {where}"


def _other(one: Target) -> str:
    """A third value: neither what was observed nor what is wanted."""
    desired = one.desired
    if one.field == "gtin":
        return "05449000000996"
    if not desired.isdecimal():
        return f"{desired}bis"
    held = int(value_of(one.field, one.row) or 0)
    # Further from what was observed, the same way: a reduced price stays below the one that it is reduced from.
    further = 2 * int(desired) - held
    return str(further) if further > 0 else str(held + 1)


async def _first(bench: Bench, writer: Writer, names: Sequence[str]) -> Target:
    """The first of these fields that has a place, on its present value: other checks have written there too."""
    reasons = []
    for name in names:
        try:
            found = await target(bench, writer, name, place=2 if writer.entity in PERSONAL else 0)
            return await as_it_is(bench, found)
        except NotShown as reason:
            reasons.append(str(reason))
    raise NotShown("; ".join(dict.fromkeys(reasons)))


def ways(bench: Bench) -> list[tuple[Writer, list[str]]]:
    """The fields of each writer, those together that go the same way: by what they are, and by their rungs.

    A name and an address are often written by different calls; prices, levels and points always stand alone.
    """
    found: dict[tuple[int, str, frozenset[int]], tuple[Writer, list[str]]] = {}
    for number, writer in enumerate(bench.channel.writers):
        for name in sorted(writer.fields - NO_THIRD):
            kind = next((kind for kind, names in ALIKE.items() if name in names), name)
            rungs = rungs_of(bench.channel, writer.entity, name)
            found.setdefault((number, kind, rungs), (writer, []))[1].append(name)
    return list(found.values())


def rungs_of(channel: Channel, entity: str, name: str) -> frozenset[int]:
    """The declared rungs of a field."""
    return frozenset(r for a in channel.abilities if (a.entity, a.field) == (entity, name) for r in a.rungs)
