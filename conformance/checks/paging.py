"""Pages: a read is whole or is not believed, while pages come smaller than asked and while records change.

What counts is the verdict that extract would reach. A connector may refuse a read that it cannot vouch for; it may not
hand on a short one as whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from conformance.bench import SETTLING_WAITS, Bench
from conformance.read import Read, moments_ago, read
from conformance.verdicts import Failed, NotShown

MOST_STEPS = 3


async def caps(bench: Bench) -> str:
    """A server that gives fewer rows a page than it was asked for: every row comes, or the read is not believed."""
    bench.need_hands()
    whole: list[str] = []
    beside: list[str] = []
    unsplit: list[str] = []
    reads = await bench.census()
    for endpoint in bench.channel.endpoints:
        with bench.few_a_page():
            capped = await read(bench.session, endpoint)
        before = reads[endpoint.name]
        if not capped.is_believed:
            why = "refused for its total" if capped.is_off_total else f"not shown: {capped.reason}"
            beside.append(f"{endpoint.name} {why}")
            continue
        if missed := before.by_id.keys() - capped.by_id.keys():
            raise Failed(f"{endpoint.name}: {len(missed)} rows lost to smaller pages, and the read is believed")
        if len(capped.page_sizes) > len(before.page_sizes):
            whole.append(f"{endpoint.name} whole in {len(capped.page_sizes)} pages")
        else:  # it asks for no page, or has too few rows for two
            unsplit.append(endpoint.name)
    if not whole:
        raise NotShown("; ".join(beside) or "no endpoint has more rows than a page of a handful")
    words = ", ".join([*whole, *beside])
    return f"{words}; not shown: no smaller pages at {', '.join(unsplit)}" if unsplit else words


async def under_change(bench: Bench) -> str:
    """Records are made, edited and removed between the pages: whoever was there throughout comes.

    A read that is refused for that is tried again while records are edited alone, which changes no total.
    """
    hands = bench.need_hands()
    endpoint = bench.endpoint(hands.endpoint)
    began = moments_ago(bench.session)
    made = list(await bench.make(hands.crowd))
    await bench.settle(set(made))
    reads: list[Moved] = []
    for since in (None, began) if endpoint.has_delta else (None,):
        reads.append(await _moving(bench, made, since))
        if not reads[-1].is_believed:
            reads.append(await _moving(bench, made, since, only_edits=True))
    await bench.remove([key for key in made if key in bench.made])
    words = "; ".join(one.words for one in reads)
    if not any(one.is_believed and one.pages > 1 for one in reads):
        raise NotShown(f"no read of several pages is believed, and one page cannot move: {words}")
    return words


@dataclass(frozen=True, slots=True)
class Moved:
    """A read during which records moved, and lost none."""

    words: str
    pages: int
    is_believed: bool


async def _moving(bench: Bench, made: Sequence[str], since: datetime | None, *, only_edits: bool = False) -> Moved:
    hands = bench.need_hands()
    endpoint, crowd = bench.endpoint(hands.endpoint), [key for key in made if key in bench.made]
    gone: list[str] = []
    steps = 0

    async def between(found: Read) -> None:
        """Behind the reader one is removed and one edited, before it one more is; and somebody new comes."""
        nonlocal steps
        read_ids = found.by_id
        behind = [key for key in crowd if key in read_ids and key not in gone]
        before = [key for key in crowd if key not in read_ids]
        if steps >= MOST_STEPS or len(behind) < 2:
            return
        steps += 1
        await hands.edit(bench.session, [behind[1], *before[-1:]], f"Camille {steps}")
        if only_edits:
            return
        gone.append(behind[0])
        await bench.remove([behind[0]])
        await bench.make(1)

    kind = f"{'delta' if since else 'census'}{' under edits' if only_edits else ''}"
    if since is not None:
        await _settled(bench, crowd, since)
    with bench.several_pages():
        found = await read(bench.session, endpoint, since=since, between=between)
    if found.is_believed and (missed := set(crowd) - set(gone) - found.by_id.keys()):
        raise Failed(f"{endpoint.name}: a {kind} that is believed misses {len(missed)} of {len(crowd)} records")
    count = len(found.page_sizes)
    if not found.is_believed:
        return Moved(f"{kind} of {count} pages is not believed: {found.reason}", count, is_believed=False)
    words = f"{kind}: all {len(crowd) - len(gone)} in {f'{count} pages' if count > 1 else '1 page, which cannot move'}"
    return Moved(words, count, is_believed=True)


async def _settled(bench: Bench, crowd: Sequence[str], since: datetime) -> None:
    """Wait, within reason, until a delta in peace brings all of the crowd: what one loses later is no lag's fault."""
    endpoint = bench.endpoint(bench.need_hands().endpoint)
    missed: set[str] = set()
    for wait in SETTLING_WAITS:
        await bench.clock.sleep(wait)
        with bench.several_pages():
            found = await read(bench.session, endpoint, since=since)
        missed = set(crowd) - found.by_id.keys()
        if not missed or not found.is_believed:
            return
    raise Failed(f"{endpoint.name}: a delta in peace misses {len(missed)} of {len(crowd)} records")
