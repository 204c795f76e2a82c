"""The cursor: a delta from a moment brings all that changed then or after, equal stamps and edges included."""

from collections import Counter
from datetime import timedelta

from conformance.bench import SETTLING_WAITS, Bench
from conformance.read import changed_at, moments_ago, read
from conformance.verdicts import Failed, NotShown

MOST = 3
"""Stamps tried an endpoint: the newest, and those that most records share."""


async def edges(bench: Bench) -> str:
    """A delta from a record's own stamp brings it, with all others of the same stamp and later."""
    shown, reads = [], await bench.census()
    for endpoint in bench.channel.endpoints:
        rows = {key: at for key, row in reads[endpoint.name].living.items() if (at := changed_at(row)) is not None}
        if not endpoint.has_delta or not rows:
            continue
        counts = Counter(rows.values())
        stamps = [max(rows.values()), *(at for at, _ in counts.most_common(MOST - 1))]
        for since in dict.fromkeys(stamps):
            delta = await read(bench.session, endpoint, since=since)
            if not delta.is_believed:
                raise Failed(f"{endpoint.name}: {delta.reason}")
            missed = {key for key, at in rows.items() if at >= since} - delta.by_id.keys()
            if missed:
                equal = sum(rows[key] == since for key in missed)
                raise Failed(f"{endpoint.name}: a delta misses {len(missed)} records, {equal} at the very moment asked")
        shown.append(f"{endpoint.name}: {len(dict.fromkeys(stamps))} moments, up to {max(counts.values())} alike")
    if not shown:
        raise NotShown("no endpoint with a delta has a record with a stamp")
    return "; ".join(shown)


async def closed_window(bench: Bench) -> str:
    """A past slice brings what changed in it, its first moment included and its end left out: backfills are such."""
    shown, reads = [], await bench.census()
    for endpoint in bench.channel.endpoints:
        rows = {key: at for key, row in reads[endpoint.name].living.items() if (at := changed_at(row)) is not None}
        stamps = sorted(set(rows.values()))
        if "orders" not in endpoint.entities or not endpoint.has_delta or len(stamps) < 3:
            continue
        since, until = stamps[len(stamps) // 3], stamps[-1]
        found = await read(bench.session, endpoint, since=since, until=until)
        if not found.is_believed:
            raise Failed(f"{endpoint.name}: {found.reason}")
        within = {key for key, at in rows.items() if since <= at < until}
        if missed := within - found.by_id.keys():
            raise Failed(f"{endpoint.name}: a closed window misses {len(missed)} of {len(within)} records")
        if late := {key for key in found.by_id if rows.get(key, since) >= until}:
            raise Failed(f"{endpoint.name}: a closed window brings {len(late)} records of its end or later")
        shown.append(f"{endpoint.name}: {len(within)} of {len(rows)} within")
    if not shown:
        raise NotShown("no orders of three different moments")
    return "; ".join(shown)


async def equal_stamps(bench: Bench) -> str:
    """Records made in one go, over several pages of one delta, all come; within the declared overlap of lag."""
    hands = bench.need_hands()
    endpoint = bench.endpoint(hands.endpoint)
    if not endpoint.has_delta:
        raise NotShown(f"{endpoint.name} has no delta: it is read whole every night")
    before = moments_ago(bench.session)
    made = await bench.make(hands.crowd)
    missed, pages, lag = set(made), 0, 0.0
    for wait in SETTLING_WAITS:
        await bench.clock.sleep(wait)
        lag += wait
        with bench.several_pages():
            delta = await read(bench.session, endpoint, since=before)
        if not delta.is_believed:
            raise Failed(f"{endpoint.name}: {delta.reason}")
        missed, pages = set(made) - delta.by_id.keys(), len(delta.page_sizes)
        if not missed:
            break
    await bench.remove(list(made))
    if missed:
        raise Failed(f"{endpoint.name}: {len(missed)} of {len(made)} new records are in no delta after {lag:.0f} s")
    if timedelta(seconds=lag) > endpoint.overlap:
        raise Failed(f"{endpoint.name}: seen after {lag:.0f} s, more than the overlap of {endpoint.overlap}")
    if pages < 2:
        raise NotShown(f"{len(made)} records of one moment come in one page, and no page ends among them")
    return f"{len(made)} records of one moment in {pages} pages, seen within {lag:.0f} s"
