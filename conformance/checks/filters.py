"""Filters by time and by id: what they are asked for is what comes. A filter that is silently ignored is found here."""

from collections.abc import Container
from dataclasses import replace
from datetime import UTC, datetime

from conformance.bench import Bench
from conformance.read import GRAIN, changed_at, moments_ago, read, says_gone
from conformance.targets import targets
from conformance.verdicts import Failed, NotShown
from pipelines.channels.base import Endpoint
from pipelines.model import Correction


async def from_now_on(bench: Bench) -> str:
    """A delta from now on brings none of the old records: a filter that the vendor ignores would bring all."""
    shown, reads = [], await bench.census()
    for endpoint in bench.channel.endpoints:
        if not endpoint.has_delta:
            continue
        whole = list(reads[endpoint.name].living.values())
        since = moments_ago(bench.session) + GRAIN
        old = [row for row in whole if (changed_at(row) or datetime.min.replace(tzinfo=UTC)) < since - GRAIN]
        if not old:
            continue
        delta = await read(bench.session, endpoint, since=since)
        if not delta.is_believed:
            raise Failed(f"{endpoint.name}: {delta.reason}")
        # Bins are listed whole by some vendors: what says that it is gone is no record of the filter's.
        leaked = {row.id for row in delta.rows if not says_gone(endpoint, row)} & {row.id for row in old}
        stale = [key for key in leaked if (changed_at(delta.by_id[key]) or since - 2 * GRAIN) < since - GRAIN]
        if stale and await _is_sweep(bench, endpoint, since):
            shown.append(f"{endpoint.name} asks for no less than all")
            continue
        if stale:
            raise Failed(f"{endpoint.name}: a delta from now on brings {len(stale)} of {len(old)} older records")
        shown.append(f"{endpoint.name} 0 of {len(old)}")
    if not shown:
        raise NotShown("no endpoint with a delta has a record")
    return ", ".join(shown)


async def _is_sweep(bench: Bench, endpoint: Endpoint, since: datetime) -> bool:
    """Whether its delta sends the very calls of a census: then it trusts no filter, and there is none to ignore.

    A call that was turned away is sent again, so how often each was sent says nothing.
    """
    asked = []
    for moment in (since, None):
        mark = len(bench.wire.sent)
        await read(bench.session, endpoint, since=moment)
        asked.append({(one.method, one.path, one.query, one.content) for one in bench.wire.sent[mark:]})
    return asked[0] == asked[1]


async def by_id(bench: Bench) -> str:
    """Reading back by id brings the value of that record, and of one that is not there: that it is not."""
    some, missing = await targets(bench)
    asked = [one.correction(bench) for one in some]
    if not asked:
        raise NotShown("; ".join(missing) or "the system has no writer")
    known = {str(row["vendor_id"]) for c in asked for row in bench.rows(c.entity)}
    strangers = [_stranger(c, known) for c in asked]
    held = await bench.read_back([*asked, *strangers])
    for c, stranger in zip(asked, strangers, strict=True):
        reading, other = held.get(c.correction_key), held.get(stranger.correction_key)
        if reading is None or not reading.exists:
            raise Failed(f"{c.entity}.{c.field}: a record that was just read is not found by its id")
        if c.field != "phone" and not _same(reading.value, c.observed):
            raise Failed(f"{c.entity}.{c.field}: read by id it has another value than in the list")
        if other is not None and other.exists and other.value is not None:
            raise Failed(f"{c.entity}.{c.field}: an id that is nobody's has a value")
    return f"{len(asked)} fields by id as in the list, {len(strangers)} unknown ids are not there"


def _same(left: str | None, right: str | None) -> bool:
    if left and right and left.isdecimal() and right.isdecimal():
        return int(left) == int(right)
    return (left or "").strip() == (right or "").strip()


def _stranger(c: Correction, known: Container[str]) -> Correction:
    """The same question of a record that is not there; its address, by which some vendors find records, is nobody's."""
    tail = next(tail for tail in map(str, range(999_999, 0, -1)) if f"{c.vendor_id[:-6]}{tail}" not in known)
    own = f"{c.vendor_id[:-6]}{tail}"
    context = {
        name: f"{value[:-6]}{tail}" if name.endswith("_id") and isinstance(value, str) else value
        for name, value in c.context.items()
    } | ({"email": "nobody@example.com"} if "email" in c.context else {})
    return replace(c, correction_key=f"{c.correction_key}-stranger", vendor_id=own, context=context)
