"""Benches for tests: every system of `CHANNELS` on the sandbox in process, over a small world and one virtual clock.

Files are a folder in memory, where a small importer carries out what is asked for (`folder`).
A system that the sandbox does not play is reached where TRUEUP_CONFORMANCE_<SYSTEM>_URL says, with its secrets in the
environment and its options as NAME=VALUE in TRUEUP_CONFORMANCE_<SYSTEM>_OPTIONS; without it its tests skip and say so.
"""

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import duckdb
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from conformance.bench import Bench
from conformance.checks import CHECKS
from conformance.hands import Hands, hands_of, write_test
from conformance.staged import KEY, opened, prepare, scratch
from conformance.wire import Wire
from pipelines.channels.base import Channel, Connection, Writer
from pipelines.clock import Clock
from pipelines.estate import Estate, read_estate
from pipelines.http import Session
from pipelines.macros import load_key
from pipelines.model import Correction
from resources.clock import SystemClock
from sandbox.app import load_vendors
from sandbox.estate import write_estate
from sandbox.records import Customer, Price
from sandbox.square.loyalty import put_loyalty
from sandbox.store import Store
from sandbox.vendor import Settings
from sandbox.world.create import create_world
from sandbox.world.settings import EPOCH, WorldSettings
from tests.channels.harness import StillStore, WorldClock
from tests.channels.square_points import account, event
from tests.conformance.folder import folder_bench
from tests.conformance.shops import OWN_WORLDS

SIZES = WorldSettings(variants=20, persons=20, shops=2)
_STRANGERS = [
    Customer(
        key=str(number), first_name="Anne", last_name=f"Martin {number}", email=f"anne{number}@example.fr",
        phone=f"+3361234560{number}", street="1 rue X", city="Lyon", postcode="69001",
    ) for number in range(1, 9)
]
"""Customers of a system that was just made, and of which the world knows nothing: more than a page of a handful."""
Wrap = Callable[[httpx.AsyncBaseTransport, StillStore], httpx.AsyncBaseTransport]


def make_world(folder: Path) -> Path:
    """A world of the smallest size, to be copied by each bench."""
    folder.mkdir()
    store = Store(folder / "world.sqlite", epoch=EPOCH)
    create_world(folder, SIZES, store, load_vendors())
    _reduce_a_price(store)
    _reward_customers(store)
    store.close()
    write_estate(folder, SIZES, "http://sandbox")
    return folder


def _reduce_a_price(store: Store) -> None:
    """A small world has no reduced price on the day it is made, and a price before reduction is to be written too."""
    shopify = load_vendors()["shopify"]
    key, name, currency, amount, *_ = next(row for row in shopify.observe_prices(store) if int(row[3]) > 0)
    reduced = Price(key, name, currency, int(amount), compare_at=int(amount) + 1_000)
    shopify.put_prices(store, [reduced], store.now())


def _reward_customers(store: Store) -> None:
    """The world has no loyalty program, and what a till tells of one is to be paged, filtered and cut like all else."""
    days = [EPOCH - timedelta(days=number) for number in range(1, 6)]
    accounts = [account(number, 49, at=days[number % 5]) for number in range(8)]
    put_loyalty(store, accounts, [event(number, card=number % 8, at=days[number % 5]) for number in range(40)])


def bench_of(
    channel: Channel, world: Path, copy: Path, *, write: bool = True, wrap: Wrap = lambda inner, _: inner,
    hands: bool = True,
) -> tuple[Bench, StillStore | None]:
    """A bench and, on the sandbox, the world's store. `wrap` breaks the server."""
    vendor = load_vendors().get(channel.name)
    own_hands = hands_of(channel.name) if hands else None
    estate = read_estate(world / "estate.toml")
    if channel.name == "files":
        return folder_bench(channel, estate, write=write, hands=hands), None
    if vendor is None:
        return _outside(channel, estate, write), None
    options: Mapping[str, str] = estate.systems[channel.name].options if channel.name in estate.systems else {}
    if channel.name == "square":
        options = {**options, "loyalty": "on"}
    base = f"http://sandbox/{channel.name}"
    if channel.name in OWN_WORLDS and channel.name not in estate.systems:
        own = OWN_WORLDS[channel.name]()
        store, options = cast(StillStore, own.store), own.session.options
        # Over TLS: plain calls to WooCommerce are signed with the size of their page, which the kit changes.
        base = own.session.base_url.replace("http:", "https:")
        transport: httpx.AsyncBaseTransport = own.transport._inner
    else:
        store = StillStore(shutil.copy(world / "world.sqlite", copy))
        if channel.name not in estate.systems:
            vendor.put_customers(store, _STRANGERS, EPOCH - timedelta(days=3))
        app = Starlette(routes=[Mount(f"/{vendor.name}", vendor.app(store, Settings(base_url="http://sandbox")))])
        transport = httpx.ASGITransport(app=app)
    wire = Wire(wrap(transport, store), write_test(own_hands))

    def connect(clock: Clock) -> Session:
        secrets = dict.fromkeys(channel.secrets, "sandbox")
        return channel.connect(Connection(base, secrets, dict(options), clock, wire))

    con = _scratch(channel, estate, world)
    return Bench(channel, connect(WorldClock(store)), wire, connect, con, own_hands, may_write=write), store


def _scratch(channel: Channel, estate: Estate, world: Path) -> duckdb.DuckDBPyConnection:
    """`scratch`, prepared once a system: macros and empty tables take longer to make than to copy."""
    kept = world / f"scratch-{channel.name}"
    parts = {"memory": kept / "main.duckdb", "ledger": kept / "ledger.duckdb"}
    if not kept.exists():
        kept.mkdir()
        made = opened(*map(str, parts.values()))
        prepare(made, channel.name, estate)
        made.close()
    con = opened()
    for name, path in parts.items():
        con.execute(f"ATTACH '{path}' AS prepared (READ_ONLY)")
        con.execute(f"COPY FROM DATABASE prepared TO {name}")
        con.execute("DETACH prepared")
    load_key(con, KEY)
    return con


def _outside(channel: Channel, estate: Estate, write: bool) -> Bench:
    name = f"TRUEUP_CONFORMANCE_{channel.name.upper()}_URL"
    url = os.environ.get(name, "")
    if not url:
        pytest.skip(f"the sandbox does not play {channel.name}, and {name} does not say where else it is")
    options = dict(pair.split("=", 1) for pair in os.environ.get(name.replace("_URL", "_OPTIONS"), "").split())
    wire = Wire(httpx.AsyncHTTPTransport(), write_test(hands_of(channel.name)))

    def connect(clock: Clock) -> Session:
        secrets = {secret: os.environ[secret] for secret in channel.secrets}
        return channel.connect(Connection(url, secrets, options, clock, wire))

    con = scratch(channel.name, estate)
    return Bench(channel, connect(SystemClock()), wire, connect, con, hands_of(channel.name), may_write=write)


UNSHOWN = {
    "brevo": {"filter": "every delta asks for all, since its filter leaves changes out"},
    "mailchimp": {"page_caps": "it counts offsets by pages of its own, so smaller ones are refused for their total"},
}
"""What a system cannot show, beside what follows from its declaration, and why."""


def shown_in(channel: Channel, hands: Hands | None) -> set[str]:
    """The checks that a system shows on the sandbox: all, but for what it does not have, and for `UNSHOWN`."""
    names = {check.name for check in CHECKS if hands is not None or not check.need.asks_hands}
    written = {writer.entity for writer in channel.writers}
    lacks = set(UNSHOWN.get(channel.name, ()))
    if not any(endpoint.count for endpoint in channel.endpoints):
        lacks.add("count")
    if not any(endpoint.has_delta for endpoint in channel.endpoints):
        lacks |= {"filter", "cursor"}
    if not any(endpoint.has_delta and "orders" in endpoint.entities for endpoint in channel.endpoints):
        lacks.add("closed_window")
    if not any(endpoint.has_delta for endpoint in channel.endpoints if hands and endpoint.name == hands.endpoint):
        lacks.add("equal_stamps")
    if "stock" not in written and not (hands and hands.can_opt_in and "consents" in written):
        lacks.add("silent_changes")
    if {"http", "https"}.isdisjoint(channel.schemes):
        lacks |= {"rate_limits", "lost_answer", "page_caps", "batch_max"}
    if any(holds_one_record(writer) for writer in channel.writers if writer.entity == "customers"):
        lacks |= {"batch_max", "partial_failure"}
    return names - lacks


def holds_one_record(writer: Writer) -> bool:
    """Whether what goes together is never more than the fields of one record."""
    context: dict[str, str] = defaultdict(str)  # what is beside the key is the same for both
    one = Correction("", "", "", writer.entity, "last_name", "1", "", "", "", None, None, context=context)
    return writer.group(one) != writer.group(replace(one, vendor_id="2"))


def small_pages(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mailchimp's pages go by offset, in steps of the connector's own: smaller ones need no thousand members.

    A file is read whole and handed on in parts: smaller ones need no thousands of rows.
    """
    if system == "files":
        monkeypatch.setattr("pipelines.channels.files.reads.PAGE", 30)
    if system == "mailchimp":
        monkeypatch.setattr("pipelines.channels.mailchimp.reads.PAGE", 30)
        monkeypatch.setattr("pipelines.channels.mailchimp.reads.SHARED", 5)
        monkeypatch.setattr("conformance.hands.mailchimp.MailchimpHands.crowd", 80)
