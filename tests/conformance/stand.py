"""Benches for tests: every system of `CHANNELS` on the sandbox in process, over a small world and one virtual clock.

Files are a folder in memory, where a small importer carries out what is asked for (`folder`).
A system that the sandbox does not play is reached where TRUEUP_CONFORMANCE_<SYSTEM>_URL says, with its secrets in the
environment; without it its tests skip and say so.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from conformance.bench import Bench
from conformance.hands import hands_of, write_test
from conformance.wire import Wire
from pipelines.channels.base import Channel, Connection
from pipelines.clock import Clock
from pipelines.estate import Estate, read_estate
from pipelines.http import Session
from resources.clock import SystemClock
from sandbox.app import load_vendors
from sandbox.estate import write_estate
from sandbox.store import Store
from sandbox.vendor import Settings
from sandbox.world.create import create_world
from sandbox.world.settings import EPOCH, WorldSettings
from tests.channels.harness import Outside, StillStore, WorldClock
from tests.conformance.folder import folder_bench

SIZES = WorldSettings(variants=20, persons=20, shops=2)
OWN_WORLDS = {
    "brevo": "tests.channels.test_brevo:club", "woocommerce": "tests.channels.test_woocommerce:furnished",
}
"""Of systems that the sandbox plays and the retailer of its world does not use: who makes them a shop."""
Wrap = Callable[[httpx.AsyncBaseTransport, StillStore], httpx.AsyncBaseTransport]


def make_world(folder: Path) -> Path:
    """A world of the smallest size, to be copied by each bench."""
    folder.mkdir()
    store = Store(folder / "world.sqlite", epoch=EPOCH)
    create_world(folder, SIZES, store, load_vendors())
    store.close()
    write_estate(folder, SIZES, "http://sandbox")
    return folder


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
    base = f"http://sandbox/{channel.name}"
    own = _own_world(channel) if channel.name not in estate.systems else None
    if own is not None:
        store, options = cast(StillStore, own.store), own.session.options
        # Over TLS: plain calls to WooCommerce are signed with the size of their page, which the kit changes.
        base = own.session.base_url.replace("http:", "https:")
        transport: httpx.AsyncBaseTransport = own.transport._inner
    else:
        store = StillStore(shutil.copy(world / "world.sqlite", copy))
        app = Starlette(routes=[Mount(f"/{vendor.name}", vendor.app(store, Settings(base_url="http://sandbox")))])
        transport = httpx.ASGITransport(app=app)
    wire = Wire(wrap(transport, store), write_test(own_hands))

    def connect(clock: Clock) -> Session:
        secrets = dict.fromkeys(channel.secrets, "sandbox")
        return channel.connect(Connection(base, secrets, dict(options), clock, wire))

    return Bench(channel, connect(WorldClock(store)), wire, connect, own_hands, estate, may_write=write), store


def _own_world(channel: Channel) -> Outside | None:
    """The small shop of a system's own tests, where the retailer's world holds nothing of it."""
    place, _, make = OWN_WORLDS.get(channel.name, "").partition(":")
    if not place:
        return None
    found: Outside = getattr(import_module(place), make)()
    return found


def _outside(channel: Channel, estate: Estate, write: bool) -> Bench:
    name = f"TRUEUP_CONFORMANCE_{channel.name.upper()}_URL"
    url = os.environ.get(name, "")
    if not url:
        pytest.skip(f"the sandbox does not play {channel.name}, and {name} does not say where else it is")
    wire = Wire(httpx.AsyncHTTPTransport(), write_test(hands_of(channel.name)))

    def connect(clock: Clock) -> Session:
        secrets = {secret: os.environ[secret] for secret in channel.secrets}
        return channel.connect(Connection(url, secrets, {}, clock, wire))

    return Bench(channel, connect(SystemClock()), wire, connect, hands_of(channel.name), estate, may_write=write)


SHOWN_IN = frozenset(
    {"identity", "declared", "census", "staging", "under_change", "deletes", "partial_failure", "hostile_text"}
)
"""What every system with hands shows, whatever it holds."""


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
