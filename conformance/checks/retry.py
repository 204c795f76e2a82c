"""Lost answers and moved values: one effect of one write, and nothing written over what moved meanwhile."""

from dataclasses import replace

from conformance.bench import Bench
from conformance.targets import Target, target
from conformance.verdicts import Failed, NotShown
from conformance.wire import Sent
from pipelines.channels.base import Channel, Writer
from pipelines.model import Correction, OutcomeStatus
from pipelines.readback import is_same

KEYED = 2
COMPARED = 1


async def lost_answer(bench: Bench) -> str:
    """The server takes a write and its answer is lost: the value is written once, and known to be."""
    if not bench.is_over_http:
        raise NotShown("the system is not called over HTTP, so no answer is lost on the way")
    shown, missing = [], []
    for writer in bench.channel.writers:
        try:
            one = await _first(bench, writer)
        except NotShown as reason:
            missing.append(str(reason))
            continue
        shown.append(await _lost(bench, one))
    if not shown:
        raise NotShown("; ".join(missing) or "the system has no writer")
    return "; ".join(shown + [f"not shown: {words}" for words in missing])


async def _lost(bench: Bench, one: Target) -> str:
    c = one.correction(bench)
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
    rungs = rungs_of(bench.channel, c)
    if KEYED in rungs and len(_bodies(writes)) > 1:
        raise Failed(f"{c.entity}.{c.field}: a repeat under an idempotency key is not the same bytes")
    how = "sent again" if len(writes) > 1 else "found by reading back"
    return f"{c.entity} {how}"


def _bodies(writes: list[Sent]) -> set[tuple[str, bytes]]:
    return {(sent.path, sent.content) for sent in writes}


async def compare_and_set(bench: Bench) -> str:
    """A change just before the write makes it stale: on rung 1 at the server itself, on rung 3 at our last look."""
    shown, missing = [], []
    for writer in bench.channel.writers:
        if writer.entity == "consents":
            continue  # the only value that is ever written is "no", over which nothing is lost
        try:
            one = await _first(bench, writer)
        except NotShown as reason:
            missing.append(str(reason))
            continue
        shown.append(await _raced(bench, one))
    if not shown:
        raise NotShown("; ".join(missing) or "the system writes nothing that can be raced")
    return "; ".join(shown + [f"not shown: {words}" for words in missing])


async def _raced(bench: Bench, one: Target) -> str:
    c = one.correction(bench)
    rungs = rungs_of(bench.channel, c)
    other = replace(c, correction_key=f"{c.correction_key}-other", desired=_other(one.desired))
    channel = bench.channel

    async def someone_else() -> None:
        outcome = (await bench.push([other]))[other.correction_key]
        if outcome.status is not OutcomeStatus.APPLIED:
            raise Failed(f"{c.entity}.{c.field} could not be raced: {outcome.status} {outcome.code}")

    if COMPARED in rungs:
        # No look of ours before: the server alone is to notice.
        channel = _unchecked(bench.channel)
        with bench.wire.before_write(someone_else):
            outcome = (await bench.push([c], channel=channel))[c.correction_key]
        where = "by the server"
    elif one.writer.needs_check:
        await someone_else()
        outcome = (await bench.push([c]))[c.correction_key]
        where = "just before"
    else:
        return f"{c.entity} is on rung {max(rungs, default=0)}: nothing compares"
    reading = (await bench.read_back([c])).get(c.correction_key)
    if reading is None or not is_same(bench.con, c, reading.value, other.desired):
        raise Failed(f"{c.entity}.{c.field}: a change made just before the write was written over")
    if outcome.status is not OutcomeStatus.STALE:
        raise Failed(f"{c.entity}.{c.field}: raced, and told as {outcome.status} {outcome.code}")
    return f"{c.entity} stale, noticed {where}"


def _unchecked(channel: Channel) -> Channel:
    return replace(channel, writers=tuple(replace(writer, needs_check=False) for writer in channel.writers))


def _other(desired: str) -> str:
    """A third value: neither what was observed nor what is wanted."""
    if desired.isdecimal() and len(desired) < 8:
        return str(int(desired) + 1)
    if desired.isdecimal():
        return "05449000000996"
    return f"{desired}bis"


async def _first(bench: Bench, writer: Writer) -> Target:
    """The first field of a writer that has a place, on the freshest staged values."""
    await bench.once("staged", bench.stage_anew)
    if writer.entity in ("customers", "consents") and bench.has_hands:
        await bench.persons()
    await bench.stage_anew((writer.entity,))
    reasons = []
    for name in sorted(writer.fields - {"phone", "postcode"}):
        try:
            return await target(bench, writer, name, place=2 if writer.entity in ("customers", "consents") else 0)
        except NotShown as reason:
            reasons.append(str(reason))
    raise NotShown("; ".join(reasons))


def rungs_of(channel: Channel, c: Correction) -> frozenset[int]:
    """The declared rungs of a correction's field."""
    return frozenset(r for a in channel.abilities if (a.entity, a.field) == (c.entity, c.field) for r in a.rungs)
