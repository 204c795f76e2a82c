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
from conformance.wire import rebuilt
from pipelines.channels.base import Ability, Channel, Endpoint, Page, Window
from pipelines.channels.files import FILES
from pipelines.channels.hubspot import HUBSPOT
from pipelines.channels.hubspot import reads as hubspot_reads
from pipelines.channels.mailchimp import MAILCHIMP
from pipelines.channels.shopify import SHOPIFY
from pipelines.channels.square import SQUARE
from pipelines.errors import AmbiguousWrite
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


def from_a_cache(endpoint: Endpoint):
    """Gives what it gave first, for ever, and adds what is new."""
    kept: dict[str, Any] = {}

    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        async for page in endpoint.read(session, window):
            for row in page.rows:
                kept.setdefault(row.id, row)
        yield Page(list(kept.values()))

    return read


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


def sure_of_itself(channel: Channel, entity: str) -> Channel:
    """Takes a lost answer for a refusal, and does not look."""

    def changed(writer):
        async def write(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
            try:
                return await writer.write(session, corrections, key)
            except AmbiguousWrite:
                return [Outcome(c.correction_key, OutcomeStatus.REJECTED, "LOST") for c in corrections]

        return replace(writer, write=write)

    return replace(channel, writers=tuple(changed(w) if w.entity == entity else w for w in channel.writers))


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
    from pipelines.errors import FatalChannelError

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


def in_a_hurry(channel: Channel) -> Channel:
    """A session that backs off as it likes, whatever it was asked."""
    from pipelines.errors import RetriableChannelError

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
    Broken("filter", "the filter is ignored", HUBSPOT, "older records",
           wrap=lambda inner, _: Bodies(inner, "/search", ignoring_times)),
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
    Broken("rate_limits", "a 429 ends the read", giving_up(HUBSPOT), "ends the read"),
    Broken("rate_limits", "Retry-After is not heard", in_a_hurry(HUBSPOT), "were asked for"),
    Broken("equal_stamps", "goes on by stamps alone", reading(HUBSPOT, "contacts", by_stamps_alone), "in no delta"),
    Broken("under_change", "counts offsets", reading(HUBSPOT, "contacts", by_offset), "misses"),
    Broken("deletes", "never forgets", reading(MAILCHIMP, "members", from_a_cache), "still in the census"),
    Broken("deletes", "counts what is gone", counting_one_more(MAILCHIMP), "by the vendor's count"),
    Broken("silent_changes", "shows no change", reading(SHOPIFY, "inventory_levels", from_a_cache), "neither"),
    Broken("abilities", "a field is refused", writing(
        HUBSPOT, "customers", after=told(OutcomeStatus.REJECTED, lambda c: c.field == "city")
    ), "customers.city"),
    Broken("read_back", "reads back something else", reading_back(
        HUBSPOT, "customers", lambda one: replace(one, value=(one.value or "")[:4])
    ), "something else"),
    Broken("echo", "staged as something else", reading(HUBSPOT, "contacts", spelling_otherwise), "customers.city"),
    Broken("batch_max", "declares more than the vendor takes", writing(HUBSPOT, "customers", batch_max=150), "refuses"),
    Broken("partial_failure", "one bad row for all", writing(HUBSPOT, "customers", after=one_for_all),
           "took a good one"),
    Broken("partial_failure", "a bad row is told as written", writing(
        HUBSPOT, "customers", after=told(OutcomeStatus.APPLIED)
    ), "told as applied"),
    Broken("lost_answer", "a repeat adds again", SQUARE, "not the one that was written",
           lambda inner, _: Bodies(inner, "/inventory/changes/batch-create", adding())),
    Broken("lost_answer", "a write that went through is told as refused", sure_of_itself(HUBSPOT, "customers"),
           "told as"),
    Broken("compare_and_set", "the server gets no version", SQUARE, "written over",
           lambda inner, _: Bodies(inner, "/bulk-update", without_versions)),
    Broken("compare_and_set", "stale is told as applied", writing(
        SQUARE, "prices", after=told(OutcomeStatus.APPLIED)
    ), "told as applied"),
    Broken("hostile_text", "writes HTML", writing(HUBSPOT, "customers", before=escaped), "something else"),
)
