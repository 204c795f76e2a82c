"""Deletes and silent changes: what no delta shows is shown by the vendor's count or by a census, and known to be so."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from conformance.bench import Bench
from conformance.read import moments_ago, read, says_gone
from conformance.targets import fields_of, target
from conformance.verdicts import Failed, NotShown
from pipelines.channels.base import Endpoint, RawRow
from pipelines.extract_log import CENSUS_EVERY
from pipelines.model import OutcomeStatus

LAGS = (0.0, 5.0, 60.0)
"""Seconds of the clock that an index is given to show a change."""


async def deletes(bench: Bench) -> str:
    """A removed record leaves the census, and a delta or the vendor's count tells of it the same night."""
    hands = bench.need_hands()
    endpoint = bench.endpoint(hands.endpoint)
    made = list(await bench.make(2))
    await bench.settle(set(made))
    before = moments_ago(bench.session)
    gone, kept = made
    await bench.remove([gone])
    await bench.settle({gone}, are_there=False)
    census = await read(bench.session, endpoint)
    if gone in census.living:
        raise Failed(f"{endpoint.name}: a removed record is still in the census, and does not say that it is gone")
    if kept not in census.living:
        raise Failed(f"{endpoint.name}: a record that is there is not in the census")
    if not endpoint.has_delta:
        await bench.remove([kept])
        return "by the census, which is every night's"
    delta = await read(bench.session, endpoint, since=before)
    told = gone in delta.by_id and says_gone(endpoint, delta.by_id[gone])
    counted = await endpoint.count(bench.session) if endpoint.count else None
    await bench.remove([kept])
    if counted is not None and counted != len(census.living):
        raise Failed(f"{endpoint.name}: {counted} by the vendor's count, {len(census.living)} in the census")
    if told:
        return "by the delta, which says that it is gone"
    if counted is not None:
        return "by the vendor's count, after which a census follows the same night"
    return f"by the census alone: at most {CENSUS_EVERY.days} days later"


async def silent(bench: Bench) -> str:
    """Changes of stock and permission: a delta brings them, or the census does; what the delta misses is named."""
    shown, places = [], Counter[str]()
    for writer, name in fields_of(bench):
        if writer.entity not in ("stock", "consents"):
            continue
        places[writer.entity] += 1  # a record each: what is on hand and what can be sold move together
        try:
            one = await target(bench, writer, name, place=places[writer.entity])
        except NotShown as reason:
            shown.append(f"{writer.entity} not shown ({reason})")
            continue
        endpoints = [e for e in bench.channel.endpoints if writer.entity in e.entities]
        before = {e.name: (await read(bench.session, e)).by_id for e in endpoints}
        since = moments_ago(bench.session)
        c = one.correction(bench)
        outcome = (await bench.push([c]))[c.correction_key]
        if outcome.status is not OutcomeStatus.APPLIED:
            raise Failed(f"{c.entity}.{c.field} could not be changed: {outcome.status} {outcome.code}")
        shown.append(f"{writer.entity}: {await _seen(bench, endpoints, before, since)}")
    if not shown or all("not shown" in words for words in shown):
        raise NotShown("; ".join(shown) or "the system has neither stock nor permissions that can be written")
    return "; ".join(shown)


async def _seen(
    bench: Bench, endpoints: Sequence[Endpoint], before: Mapping[str, Mapping[str, RawRow]], since: datetime
) -> str:
    """By what a change just made is seen. Failed where nothing shows it."""

    async def shows(endpoint: Endpoint, moment: datetime | None) -> bool:
        found, old = await read(bench.session, endpoint, since=moment), before[endpoint.name]
        return any(key not in old or old[key].payload != row.payload for key, row in found.by_id.items())

    for wait in LAGS:
        await bench.clock.sleep(wait)
        for endpoint in endpoints:
            if endpoint.has_delta and await shows(endpoint, since):
                return f"the delta of {endpoint.name} brings it"
        for endpoint in endpoints:
            if not endpoint.has_delta and await shows(endpoint, None):
                return f"{endpoint.name}, read whole every night, brings it"
    for endpoint in endpoints:
        if await shows(endpoint, None):
            return f"no delta brings it; the census of {endpoint.name} does, at most {CENSUS_EVERY.days} days later"
    raise Failed(f"neither a delta nor a census of {', '.join(e.name for e in endpoints)} shows a change")
