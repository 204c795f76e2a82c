"""Pages: a read is whole or is not believed, while pages come smaller than asked and while records change.

What counts is the verdict that extract would reach. A connector may refuse a read that it cannot vouch for; it may not
hand on a short one as whole.
"""

from collections.abc import Sequence
from datetime import datetime

from conformance.bench import Bench
from conformance.read import Read, moments_ago, read
from conformance.verdicts import Failed, NotShown

MOST_GONE = 3


async def caps(bench: Bench) -> str:
    """A server that gives fewer rows a page than it was asked for: every row comes, or the read is not believed."""
    bench.need_hands()
    shown, whole = [], await bench.census()
    for endpoint in bench.channel.endpoints:
        with bench.few_a_page():
            capped = await read(bench.session, endpoint)
        before = whole[endpoint.name]
        is_whole = capped.is_believed and len(capped.rows) >= len(before.rows)
        if is_whole and len(capped.page_sizes) <= len(before.page_sizes):
            continue  # it asks for no page, or has too few rows to need two
        missed = before.by_id.keys() - capped.by_id.keys()
        if capped.is_believed and missed:
            raise Failed(f"{endpoint.name}: {len(missed)} rows lost to smaller pages, and the read is believed")
        how = f"whole in {len(capped.page_sizes)} pages" if capped.is_believed else "refused"
        shown.append(f"{endpoint.name} {how}")
    if not shown:
        raise NotShown("no endpoint has more rows than a page of a handful")
    return ", ".join(shown)


async def under_change(bench: Bench) -> str:
    """Records are made, edited and removed between the pages: whoever was there throughout comes."""
    hands = bench.need_hands()
    endpoint = bench.endpoint(hands.endpoint)
    began = moments_ago(bench.session)
    made = list(await bench.make(hands.crowd))
    await bench.settle(set(made))
    said = [await _moving(bench, made, None)]
    if endpoint.has_delta:
        said.append(await _moving(bench, made, began))
    await bench.remove([key for key in made if key in bench.made])
    if all("1 page" in words for words in said):
        raise NotShown(f"{endpoint.name} comes in one page, which cannot move")
    return "; ".join(said)


async def _moving(bench: Bench, made: Sequence[str], since: datetime | None) -> str:
    hands = bench.need_hands()
    endpoint, crowd = bench.endpoint(hands.endpoint), [key for key in made if key in bench.made]
    gone: list[str] = []

    async def between(found: Read) -> None:
        """Behind the reader one is removed and one edited, before it one more is; and somebody new comes."""
        read_ids = found.by_id
        behind = [key for key in crowd if key in read_ids and key not in gone]
        before = [key for key in crowd if key not in read_ids]
        if len(gone) >= MOST_GONE or len(behind) < 2:
            return
        gone.append(behind[0])
        await bench.remove([behind[0]])
        await hands.edit(bench.session, [behind[1], *before[-1:]], f"Camille {len(gone)}")
        await bench.make(1)

    kind = "delta" if since else "census"
    found = Read(endpoint)
    for _ in range(2):  # an index that lags may not have all of the crowd yet
        with bench.several_pages():
            found = await read(bench.session, endpoint, since=since, between=between if not gone else None)
        missed = set(crowd) - set(gone) - found.by_id.keys()
        if not missed or not found.is_believed:
            break
        if since is None:
            raise Failed(f"{endpoint.name}: a {kind} that is believed misses {len(missed)} of {len(crowd)} records")
        await bench.clock.sleep(min(60.0, endpoint.overlap.total_seconds()))
    else:
        raise Failed(f"{endpoint.name}: a {kind} that is believed misses {len(missed)} of {len(crowd)} records")
    count = len(found.page_sizes)
    if not found.is_believed:
        return f"{kind} of {count} pages is not believed: {found.reason}"
    return f"{kind}: all {len(crowd) - len(gone)} in {count} page{'s' if count > 1 else ''}"
