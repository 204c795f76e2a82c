"""Connectors and servers broken in one way each: what every check of the kit must see.

A break is a function of the channel (the connector's fault) or of the transport (the server's). None of them raises by
itself: they do wrong quietly, as the field does.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec

from conformance.read import says_gone
from conformance.verdicts import Verdict
from conformance.wire import rebuilt
from pipelines.channels.base import Ability, Channel, Endpoint, Page, Window
from pipelines.channels.files import FILES
from pipelines.channels.hubspot import HUBSPOT
from pipelines.channels.hubspot import reads as hubspot_reads
from pipelines.channels.mailchimp import MAILCHIMP
from pipelines.channels.shopify import SHOPIFY
from pipelines.channels.square import SQUARE
from pipelines.errors import AmbiguousWrite, FatalChannelError, RetriableChannelError
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus, Reading
from tests.channels.harness import StillStore


@dataclass(frozen=True)
class Broken:
    """One thing that is wrong, the check that must see it, and a word of what it says."""

    check: str
    what: str
    channel: Channel
    says: str
    wrap: Callable[[httpx.AsyncBaseTransport, StillStore], httpx.AsyncBaseTransport] = lambda inner, _: inner
    verdict: Verdict = Verdict.FAILED


# -- readers ------------------------------------------------------------------------------------------------


def reading(channel: Channel, name: str, change: Callable[[Endpoint], Any]) -> Channel:
    """A channel of which one endpoint reads otherwise."""
    endpoints = [
        replace(e, read=change(e)) if e.name == name else e for e in channel.endpoints
    ]
    return replace(channel, endpoints=tuple(endpoints))


def twice(endpoint: Endpoint):
    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        rows = [row async for page in endpoint.read(session, window) for row in page.rows]
        yield Page(rows)
        yield Page(rows[:2])

    return read


def without_json(endpoint: Endpoint):
    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        async for page in endpoint.read(session, window):
            yield Page([replace(row, payload=b"{") for row in page.rows], page.total)

    return read


def without_fields(endpoint: Endpoint):
    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        async for page in endpoint.read(session, window):
            yield Page([replace(row, payload=b"{}") for row in page.rows], page.total)

    return read


def of_another_kind(endpoint: Endpoint):
    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        async for page in endpoint.read(session, window):
            rows = [replace(row, payload=row.payload.replace(b"ITEM_VARIATION", b"ITEM_VARIANT")) for row in page.rows]
            yield Page(rows, page.total)

    return read


def without_rows(endpoint: Endpoint):
    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        async for _ in endpoint.read(session, window):
            yield Page([], 0)

    return read


def leaving_equal_stamps_out(endpoint: Endpoint):
    def read(session: Session, window: Window) -> AsyncIterator[Page]:
        since = window.since and window.since + timedelta(seconds=1)
        return endpoint.read(session, replace(window, since=since))

    return read


def never_ending(endpoint: Endpoint):
    return lambda session, window: endpoint.read(session, replace(window, is_closed=False))


def ending_early(endpoint: Endpoint):
    def read(session: Session, window: Window) -> AsyncIterator[Page]:
        until = window.until - timedelta(days=5) if window.is_closed else window.until
        return endpoint.read(session, replace(window, until=until))

    return read


def ending_at_a_short_page(endpoint: Endpoint):
    """Takes a page that is not full for the last one."""

    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        async for page in endpoint.read(session, window):
            yield page
            if len(page.rows) < hubspot_reads.LIST_PAGE:
                return

    return read


def by_stamps_alone(endpoint: Endpoint):
    """Goes on after the last stamp seen, so that others of the same moment are lost at the edge of a page."""

    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        rows = [row async for page in endpoint.read(session, window) for row in page.rows]
        if window.since is None:
            yield Page(rows)
            return
        rows.sort(key=lambda row: row.updated_at or "")
        start, last = 0, ""
        while page := [row for row in rows[start:] if (row.updated_at or "") > last][:3]:
            yield Page(page)
            start, last = start + 3, page[-1].updated_at or ""

    return read


def by_offset(endpoint: Endpoint):
    """Counts offsets over a list that moves."""

    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        offset = 0
        while True:
            rows = [row async for page in endpoint.read(session, window) for row in page.rows]
            rows = [row for row in rows if not says_gone(endpoint, row)]
            if not rows[offset : offset + 4]:
                return
            yield Page(rows[offset : offset + 4])
            offset += 4

    return read


def by_offset_in_deltas(endpoint: Endpoint):
    """Counts offsets where it asks for changes alone."""
    moving = by_offset(endpoint)
    return lambda session, window: (endpoint.read if window.since is None else moving)(session, window)


def from_a_cache(endpoint: Endpoint):
    """Gives what it gave first, for ever, and adds what is new."""
    kept: dict[str, Any] = {}

    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        async for page in endpoint.read(session, window):
            for row in page.rows:
                kept.setdefault(row.id, row)
        yield Page(list(kept.values()))

    return read


def touching_others(endpoint: Endpoint):
    """Shows a change, and not that of the record that changed: what it gave first comes again, freshly spelt."""
    kept: dict[str, Any] = {}

    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        async for page in endpoint.read(session, window):
            for row in page.rows:
                kept.setdefault(row.id, row)
        kept.update({key: replace(row, payload=row.payload + b" ") for key, row in kept.items()})
        yield Page(list(kept.values()))

    return read


def sweeping(endpoint: Endpoint):
    """Asks for everything, whatever it is asked for."""
    return lambda session, window: endpoint.read(session, replace(window, since=None))


def refusing_small_pages(endpoint: Endpoint):
    """An error of its own, that has nothing to do with what the vendor declares."""

    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        pages = [page async for page in endpoint.read(session, window)]
        if len(pages) > 1:
            raise FatalChannelError("too many pages", system=session.system)
        for page in pages:
            yield page

    return read


def declaring_too_many(endpoint: Endpoint):
    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        async for page in endpoint.read(session, window):
            yield replace(page, total=10_000)

    return read


def in_one_page(endpoint: Endpoint):
    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        yield Page([row async for page in endpoint.read(session, window) for row in page.rows])

    return read


def everywhere(channel: Channel, change: Callable[[Endpoint], Any]) -> Channel:
    """A channel of which all endpoints read otherwise."""
    return replace(channel, endpoints=tuple(replace(e, read=change(e)) for e in channel.endpoints))


def spelling_otherwise(endpoint: Endpoint):
    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        async for page in endpoint.read(session, window):
            rows = [replace(row, payload=row.payload.replace("Saint-Étienne".encode(), b"St-Etienne"))
                    for row in page.rows]
            yield Page(rows, page.total)

    return read


def counting_one_more(channel: Channel) -> Channel:
    async def count(session: Session) -> int:
        assert channel.endpoints[0].count is not None
        return 1 + await channel.endpoints[0].count(session)

    return replace(channel, endpoints=(replace(channel.endpoints[0], count=count), *channel.endpoints[1:]))


# -- writers and read-backs ---------------------------------------------------------------------------------


Change = Callable[[Sequence[Correction], list[Outcome]], list[Outcome]]


def writing(
    channel: Channel, entity: str, *, before: Callable[[Correction], Correction] = lambda c: c,
    after: Change = lambda sent, outcomes: outcomes, **declared: Any,
) -> Channel:
    """A channel of which one writer writes otherwise, or says otherwise what became of it."""

    def changed(writer):
        async def write(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
            return after(corrections, await writer.write(session, [before(c) for c in corrections], key))

        return replace(writer, write=write, **declared)

    return replace(channel, writers=tuple(changed(w) if w.entity == entity else w for w in channel.writers))


def told(status: OutcomeStatus, only: Callable[[Correction], bool] = lambda c: True) -> Change:
    def after(sent: Sequence[Correction], outcomes: list[Outcome]) -> list[Outcome]:
        return [replace(o, status=status) if only(c) else o for c, o in zip(sent, outcomes, strict=True)]

    return after


def one_for_all(sent: Sequence[Correction], outcomes: list[Outcome]) -> list[Outcome]:
    """One bad row is told of all."""
    bad = next((o for o in outcomes if o.status is not OutcomeStatus.APPLIED), None)
    return outcomes if bad is None else [replace(o, status=bad.status, code=bad.code) for o in outcomes]


def reading_back(channel: Channel, entity: str, change: Callable[[Reading], Reading]) -> Channel:
    def changed(reader):
        async def read(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
            return [change(one) for one in await reader.read(session, corrections)]

        return replace(reader, read=read)

    return replace(channel, read_backs=tuple(changed(r) if r.entity == entity else r for r in channel.read_backs))


def remembering(channel: Channel, entity: str, field: str) -> Channel:
    """Reads a field back once, and then from memory."""
    first: dict[tuple[str, str], Reading] = {}

    def change(one: Reading) -> Reading:
        return first.setdefault((one.vendor_id, one.vendor_sub_id), one) if one.field == field else one

    return reading_back(channel, entity, change)


def sure_of_itself(channel: Channel, entity: str, field: str = "") -> Channel:
    """Takes a lost answer for a refusal, and does not look; of one field alone where one is named."""

    def changed(writer):
        async def write(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
            try:
                return await writer.write(session, corrections, key)
            except AmbiguousWrite:
                if field and {c.field for c in corrections} != {field}:
                    raise
                return [Outcome(c.correction_key, OutcomeStatus.REJECTED, "LOST") for c in corrections]

        return replace(writer, write=write)

    return replace(channel, writers=tuple(changed(w) if w.entity == entity else w for w in channel.writers))


def one_by_one(channel: Channel, entity: str) -> Channel:
    """Takes a batch, and makes a call of each row."""

    def changed(writer):
        async def write(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
            keys = [f"{key[:-4]}{number:04d}" for number in range(len(corrections))]
            return [
                one for c, own in zip(corrections, keys, strict=True) for one in await writer.write(session, [c], own)
            ]

        return replace(writer, write=write)

    return replace(channel, writers=tuple(changed(w) if w.entity == entity else w for w in channel.writers))


def idle(channel: Channel, entity: str, status: OutcomeStatus) -> Channel:
    """Writes nothing, and says so."""

    def changed(writer):
        async def write(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
            return [Outcome(c.correction_key, status, "IDLE") for c in corrections]

        return replace(writer, write=write)

    return replace(channel, writers=tuple(changed(w) if w.entity == entity else w for w in channel.writers))


def on_rung_4(channel: Channel, *entities: str) -> Channel:
    """Compares nothing, and declares no more."""
    return replace(
        channel, writers=tuple(replace(w, needs_check=False) for w in channel.writers if w.entity in entities),
        abilities=tuple(replace(a, rungs=(4,)) if a.entity in entities else a for a in channel.abilities),
    )


def escaped(c: Correction) -> Correction:
    return replace(c, desired=(c.desired or "").replace("<", "&lt;"))


def forgetful(channel: Channel, entity: str) -> Channel:
    """Writes what is new, and never again what once was."""
    first: dict[tuple[str, str], str | None] = {}

    def before(c: Correction) -> Correction:
        was = first.setdefault((c.vendor_id, c.vendor_sub_id), c.observed)
        return replace(c, desired=str(int(c.desired or 0) + 7)) if c.desired == was else c

    return writing(channel, entity, before=before)


# -- servers ------------------------------------------------------------------------------------------------


@dataclass
class Bodies(httpx.AsyncBaseTransport):
    """Changes the JSON of requests on their way."""

    inner: httpx.AsyncBaseTransport
    path: str
    change: Callable[[dict[str, Any]], dict[str, Any]]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(self.path):
            request = rebuilt(request, content=msgspec.json.encode(self.change(json.loads(request.content))))
        return await self.inner.handle_async_request(request)


def ignoring_times(search: dict[str, Any]) -> dict[str, Any]:
    """A search that heeds ids alone."""
    groups = [
        {"filters": [one for one in group["filters"] if "modified" not in one["propertyName"]]}
        for group in search.get("filterGroups", ())
    ]
    return {**search, "filterGroups": groups} if groups else search


def without_versions(body: dict[str, Any]) -> dict[str, Any]:
    """The server never gets a version to compare with."""
    customers = {key: {n: v for n, v in one.items() if n != "version"} for key, one in body["customers"].items()}
    return {**body, "customers": customers}


def adding() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The server adds where it should set, and takes every repeat for something new."""
    calls: list[str] = []

    def change(body: dict[str, Any]) -> dict[str, Any]:
        calls.append(body["idempotency_key"])
        for one in body["changes"]:
            count = one["physical_count"]
            count["quantity"] = str(int(count["quantity"]) + calls.count(body["idempotency_key"]) - 1)
        return {**body, "idempotency_key": f"{body['idempotency_key'][:60]}{len(calls)}"}

    return change


def giving_up(channel: Channel) -> Channel:
    """A session that takes a 429 for the end."""
    def connect(connection: Any) -> Session:
        session = channel.connect(connection)
        judge = session._judge

        def strict(answer: Any) -> None:
            if answer.status == 429:
                raise FatalChannelError("too many", status=429)
            judge(answer)

        session._judge = strict
        return session

    return replace(channel, connect=connect)


def slow_to_start(channel: Channel) -> Channel:
    """The same, behind a limiter that waits longer than it is ever asked to, before the first call."""

    def connect(connection: Any) -> Session:
        session = in_a_hurry(channel).connect(connection)
        acquire, waited = session._limiter.acquire, []

        async def late(cost: float) -> None:
            if not waited:
                waited.append(60.0)
                await session.clock.sleep(60.0)
            await acquire(cost)

        session._limiter.acquire = late  # type: ignore[method-assign]
        return session

    return replace(channel, connect=connect)


def in_a_hurry(channel: Channel) -> Channel:
    """A session that backs off as it likes, whatever it was asked."""
    def connect(connection: Any) -> Session:
        session = channel.connect(connection)
        judge = session._judge
        session._limiter.observe = lambda answer: None  # type: ignore[method-assign]

        def hasty(answer: Any) -> None:
            try:
                judge(answer)
            except RetriableChannelError as error:
                error.retry_after = None
                raise

        session._judge = hasty
        return session

    return replace(channel, connect=connect)


def without_a_pause(channel: Channel) -> Channel:
    """A session that repeats at once what was refused, behind a limiter that paces every call."""

    def connect(connection: Any) -> Session:
        session = in_a_hurry(channel).connect(connection)
        acquire, hasty = session._limiter.acquire, session._judge

        async def slowly(cost: float) -> None:
            await session.clock.sleep(10.0)
            await acquire(cost)

        def at_once(answer: Any) -> None:
            try:
                hasty(answer)
            except RetriableChannelError as error:
                error.retry_after = 0.0
                raise

        session._limiter.acquire, session._judge = slowly, at_once  # type: ignore[method-assign]
        return session

    return replace(channel, connect=connect)


BROKEN = (
    Broken("identity", "a scope is missing", replace(HUBSPOT, needed_scopes=frozenset({"tickets"})), "tickets"),
    Broken("declared", "a rung for what nobody writes", replace(
        HUBSPOT, abilities=(*HUBSPOT.abilities, Ability("customers", "nickname", (1,)))
    ), "customers.nickname"),
    Broken("declared", "no last look on rung 3", writing(HUBSPOT, "customers", needs_check=False), "before the write"),
    Broken("declared", "written and not read back", replace(HUBSPOT, read_backs=HUBSPOT.read_backs[:1]), "read back"),
    Broken("declared", "a request that nobody knows of", replace(
        FILES, writers=tuple(replace(writer, asked=None) for writer in FILES.writers)
    ), "whether it was"),
    Broken("census", "rows come twice", reading(HUBSPOT, "contacts", twice), "came twice"),
    Broken("count", "the count is another", counting_one_more(HUBSPOT), "by the vendor's count"),
    Broken("staging", "a record is no JSON", reading(HUBSPOT, "contacts", without_json), "Exception"),
    Broken("staging", "records without fields, that may have none", reading(HUBSPOT, "contacts", without_fields),
           "none says more"),
    Broken("staging", "records without fields, that must have some", reading(MAILCHIMP, "members", without_fields),
           "in quarantine: consents"),
    Broken("staging", "records of a kind that nobody knows", reading(SQUARE, "catalog_objects", of_another_kind),
           "items: none is staged"),
    Broken("staging", "nothing is read", everywhere(FILES, without_rows), "no record", verdict=Verdict.NOT_SHOWN),
    Broken("filter", "the filter is ignored", HUBSPOT, "older records",
           wrap=lambda inner, _: Bodies(inner, "/search", ignoring_times)),
    Broken("filter", "every delta asks for all", everywhere(HUBSPOT, sweeping), "contacts", verdict=Verdict.NOT_SHOWN),
    Broken("cursor", "equal stamps are left out", reading(HUBSPOT, "contacts", leaving_equal_stamps_out),
           "at the very moment"),
    Broken("closed_window", "its end is not heard", reading(SQUARE, "orders", never_ending), "end or later"),
    Broken("closed_window", "it ends early", reading(SQUARE, "orders", ending_early), "misses"),
    Broken("by_id", "an unknown id has a value", reading_back(
        HUBSPOT, "customers", lambda one: replace(one, exists=True, value=one.value or "Martin")
    ), "nobody's"),
    Broken("by_id", "by id another value", reading_back(
        HUBSPOT, "prices", lambda one: replace(one, value=f"{one.value}0")
    ), "another value"),
    Broken("page_caps", "a short page ends the read", reading(HUBSPOT, "contacts", ending_at_a_short_page), "lost"),
    Broken("page_caps", "an error of its own in place of every page", everywhere(HUBSPOT, refusing_small_pages),
           "too many pages", verdict=Verdict.NOT_SHOWN),
    Broken("page_caps", "every read is refused for its total", everywhere(HUBSPOT, declaring_too_many), "for its total",
           verdict=Verdict.NOT_SHOWN),
    Broken("rate_limits", "a 429 ends the read", giving_up(HUBSPOT), "ends the read"),
    Broken("rate_limits", "Retry-After is not heard", in_a_hurry(HUBSPOT), "were asked for"),
    Broken("rate_limits", "its own pace hides that it does not wait", slow_to_start(HUBSPOT), "were asked for"),
    Broken("rate_limits", "its own pace is all the wait there is", without_a_pause(HUBSPOT), "a 429 without"),
    Broken("equal_stamps", "goes on by stamps alone", reading(HUBSPOT, "contacts", by_stamps_alone), "in no delta"),
    Broken("equal_stamps", "all comes in one page", reading(HUBSPOT, "contacts", in_one_page), "in one page",
           verdict=Verdict.NOT_SHOWN),
    Broken("under_change", "counts offsets", reading(HUBSPOT, "contacts", by_offset), "misses"),
    Broken("under_change", "counts offsets in deltas alone", reading(HUBSPOT, "contacts", by_offset_in_deltas),
           "a delta that is believed misses"),
    Broken("under_change", "no read is believed", reading(HUBSPOT, "contacts", declaring_too_many), "10000",
           verdict=Verdict.NOT_SHOWN),
    Broken("under_change", "all comes in one page", reading(HUBSPOT, "contacts", in_one_page), "in 1 page",
           verdict=Verdict.NOT_SHOWN),
    Broken("deletes", "never forgets", reading(MAILCHIMP, "members", from_a_cache), "still in the census"),
    Broken("deletes", "counts what is gone", counting_one_more(MAILCHIMP), "by the vendor's count"),
    Broken("silent_changes", "shows no change", reading(SHOPIFY, "inventory_levels", from_a_cache), "neither"),
    Broken("silent_changes", "shows another record's change", reading(SHOPIFY, "inventory_levels", touching_others),
           "neither"),
    Broken("abilities", "a field is refused", writing(
        HUBSPOT, "customers", after=told(OutcomeStatus.REJECTED, lambda c: c.field == "city")
    ), "customers.city"),
    Broken("read_back", "reads back something else", reading_back(
        HUBSPOT, "customers", lambda one: replace(one, value=(one.value or "")[:4])
    ), "something else"),
    Broken("echo", "staged as something else", reading(HUBSPOT, "contacts", spelling_otherwise), "customers.city"),
    Broken("batch_max", "declares more than the vendor takes", writing(HUBSPOT, "customers", batch_max=150), "refuses"),
    Broken("batch_max", "a call of each row", one_by_one(HUBSPOT, "customers"), "101 calls"),
    Broken("partial_failure", "one bad row for all", writing(HUBSPOT, "customers", after=one_for_all),
           "took a good one"),
    Broken("partial_failure", "a bad row is told as written", writing(
        HUBSPOT, "customers", after=told(OutcomeStatus.APPLIED)
    ), "told as applied"),
    Broken("partial_failure", "no two rows share a batch", writing(
        HUBSPOT, "customers", group=lambda c: c.vendor_id
    ), "a group holds one record", verdict=Verdict.NOT_SHOWN),
    Broken("lost_answer", "a repeat adds again", SQUARE, "not the one that was written",
           lambda inner, _: Bodies(inner, "/inventory/changes/batch-create", adding())),
    Broken("lost_answer", "a write that went through is told as refused", sure_of_itself(HUBSPOT, "customers"),
           "told as"),
    Broken("lost_answer", "the same, of one field alone", sure_of_itself(HUBSPOT, "customers", "first_name"),
           "customers.first_name"),
    Broken("compare_and_set", "the server gets no version", SQUARE, "written over",
           lambda inner, _: Bodies(inner, "/bulk-update", without_versions)),
    Broken("compare_and_set", "stale is told as applied", writing(
        SQUARE, "prices", after=told(OutcomeStatus.APPLIED)
    ), "told as applied"),
    Broken("compare_and_set", "nothing compares, and it says so", on_rung_4(SQUARE, "stock"), "nothing compares",
           verdict=Verdict.NOT_SHOWN),
    Broken("compare_and_set", "the last look at one field is an old one", remembering(SHOPIFY, "prices", "compare_at"),
           "prices.compare_at"),
    Broken("hostile_text", "nobody knows what became of it", idle(HUBSPOT, "customers", OutcomeStatus.UNKNOWN),
           "neither written nor refused"),
    Broken("hostile_text", "refuses everything", idle(HUBSPOT, "customers", OutcomeStatus.REJECTED), "refused",
           verdict=Verdict.NOT_SHOWN),
    Broken("hostile_text", "writes HTML", writing(HUBSPOT, "customers", before=escaped), "something else"),
)
