"""Answers without end in bytes, in what they unpack to, in time and in depth: each ends, its error names the limit."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pipelines import answers
from pipelines.answers import FREE_BYTES, MAX_BODY_BYTES, MAX_RATIO, MAX_SECONDS
from pipelines.channels import CHANNELS
from pipelines.channels.base import Connection
from pipelines.errors import AmbiguousWrite, FatalChannelError, RetriableChannelError
from pipelines.http import MAX_TRIES, Answer, Session
from pipelines.readable import MOST_BRACKETS
from tests.plan.world import VirtualClock
from tests.simulation.loop import Time, VirtualLoop
from tests.test_http import Unpaced

MB = 1024 * 1024
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"
"""Of a packed answer: goes on, and nothing comes of it."""


class Given(httpx.AsyncByteStream):
    """A body by pieces; counts what was taken of it, and says whether it was let go."""

    def __init__(self, pieces: Iterator[bytes], every_seconds: float = 0) -> None:
        self._pieces, self._every = pieces, every_seconds
        self.taken, self.is_closed = 0, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(self._every)
            self.taken += len(piece)
            yield piece

    async def aclose(self) -> None:
        self.is_closed = True


def session_over(answer: Callable[[httpx.Request], httpx.Response]) -> Session:
    return Session(
        system="shop", base_url="http://shop", headers={}, limiter=Unpaced(), judge=lambda answer: None,
        clock=VirtualClock(), transport=httpx.MockTransport(answer),
    )


async def read(body: bytes | Given, packing: str = "", **how: Any) -> tuple[Answer, Session]:
    headers = {"content-encoding": packing} if packing else {}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=headers, stream=body if isinstance(body, Given) else Given(iter([body])))

    async with session_over(answer) as session:
        return await session.call("POST", "things", **how), session


def endless(piece: bytes, most: int) -> Iterator[bytes]:
    """As many bytes as anybody would be fool enough to take, up to `most`."""
    for _ in range(most // len(piece)):
        yield piece


def packed(size: int) -> Iterator[bytes]:
    """Nothing but zeros, by pieces: 1,000 bytes of them for each that is sent."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for _ in range(size // MB):
        yield packer.compress(bytes(MB))
    yield packer.flush()


async def fails(body: Given, packing: str, words: str) -> None:
    """Refused at once and for good, with the system and the limit in its words."""
    tries = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        return httpx.Response(200, headers={"content-encoding": packing} if packing else {}, stream=body)

    async with session_over(answer) as session:
        with pytest.raises(FatalChannelError, match=words) as raised:
            await session.get("things")
    assert raised.value.system == "shop" and tries == 1
    assert body.is_closed


async def test_an_answer_without_end_is_left_where_it_goes_over_the_limit():
    body = Given(endless(b"x" * MB, 4 * MAX_BODY_BYTES))
    await fails(body, "", f"more than {MAX_BODY_BYTES} bytes")
    assert body.taken <= MAX_BODY_BYTES + MB


async def test_a_bomb_is_left_before_it_goes_off(monkeypatch):
    most = 0
    sound = zlib.decompressobj

    class Watching:
        def __init__(self, bits: int) -> None:
            self._inner = sound(bits)

        def decompress(self, given: bytes, longest: int) -> bytes:
            nonlocal most
            piece = self._inner.decompress(given, longest)
            most += len(piece)
            return piece

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    whole = b"".join(packed(200 * MB))
    monkeypatch.setattr(answers.zlib, "decompressobj", Watching)
    await fails(Given(iter([whole[:2000], whole[2000:]])), "gzip", f"more than {MAX_RATIO} times")
    assert FREE_BYTES < most < 2 * FREE_BYTES, "what was unpacked of 200 MB"


async def test_one_piece_that_unpacks_to_more_than_the_limit_is_left_too(monkeypatch):
    monkeypatch.setattr(answers, "MAX_RATIO", 10_000)
    await fails(Given(iter([b"".join(packed(100 * MB))])), "gzip", f"more than {MAX_BODY_BYTES} bytes")


async def test_what_is_packed_so_that_nothing_comes_of_it_ends(monkeypatch):
    monkeypatch.setattr(answers, "MAX_BODY_BYTES", MB)
    head = gzip.compress(b"")[:10]

    def pieces() -> Iterator[bytes]:
        yield head
        yield from endless(EMPTY_BLOCK * 1000, 10 * MB)

    body = Given(pieces())
    await fails(body, "gzip", f"more than {MB} bytes")
    assert body.taken < 2 * MB


@pytest.mark.parametrize("packing", ["br", "zstd", "deflate", "gzip, gzip", "gzip, br"])
async def test_what_is_packed_as_nobody_asked_is_refused(packing):
    await fails(Given(iter([gzip.compress(gzip.compress(b"{}"))])), packing, "not asked for")


@pytest.mark.parametrize("size", [0, 1, 5000, 900_000, 3 * MB])
async def test_a_packed_answer_is_read_whole(size):
    text = ("Robe d'été; " * (size // 12 + 1)).encode()[:size]
    whole = gzip.compress(text, 1)
    pieces = Given(iter([whole[at : at + 777] for at in range(0, len(whole), 777)]))
    answer, session = await read(pieces, "gzip")
    assert answer.body == text
    assert session.counters.bytes_read == size


async def test_a_packed_answer_of_several_parts_is_read_whole():
    answer, _ = await read(gzip.compress(b'{"a": ') + gzip.compress(b"1}"), "GZIP")
    assert answer.json() == {"a": 1}


async def test_no_byte_at_all_is_the_packing_of_none():
    answer, _ = await read(b"", "gzip")
    assert answer.body == b""


async def test_a_little_may_become_much():
    answer, _ = await read(gzip.compress(b"0" * FREE_BYTES), "gzip")
    assert len(answer.body) == FREE_BYTES


@pytest.mark.parametrize("body", [gzip.compress(b'{"a": 1}' * 99)[:-9], b'{"a": 1}'], ids=["cut off", "not packed"])
async def test_a_packed_answer_that_came_to_harm_is_lost_and_never_taken_for_less(body):
    with pytest.raises(RetriableChannelError, match="answer lost"):
        await read(body, "gzip")
    with pytest.raises(AmbiguousWrite, match="answer lost"):
        await read(body, "gzip", is_repeatable=False)


def on_virtual_time(work: Callable[[], Any]) -> float:
    """The seconds that it took, of a time that nobody has to wait for."""
    time = Time(datetime(2026, 6, 15, tzinfo=UTC))
    began = time.seconds()
    loop = VirtualLoop(time)
    try:
        loop.run_until_complete(work())
    finally:
        loop.close()
    return time.seconds() - began


@pytest.mark.parametrize(
    ("is_repeatable", "kind", "tries"), [(True, RetriableChannelError, MAX_TRIES), (False, AmbiguousWrite, 1)]
)
def test_a_body_that_drips_ends(is_repeatable, kind, tries):
    async def drip() -> None:
        with pytest.raises(kind, match=f"not whole after {MAX_SECONDS:g} s.*shop"):
            await read(Given(endless(b"x", 10_000), every_seconds=10), is_repeatable=is_repeatable)

    assert on_virtual_time(drip) == pytest.approx(tries * MAX_SECONDS, abs=11 * tries)


async def test_headers_that_drip_end(monkeypatch):
    monkeypatch.setattr(answers, "MAX_SECONDS", 0.3)
    sent, is_over = 0, asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nx: ")
        for _ in range(500):
            writer.write(b"x")
            sent += 1
            try:
                await writer.drain()
            except ConnectionError:
                break
            await asyncio.sleep(0.01)
        writer.close()
        is_over.set()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Session(
        system="shop", base_url=f"http://127.0.0.1:{port}", headers={}, limiter=Unpaced(),
        judge=lambda answer: None, clock=VirtualClock(),
    ) as session:
        with pytest.raises(AmbiguousWrite, match=r"not whole after 0\.3 s"):
            await session.post("things", {}, is_repeatable=False)
    await asyncio.wait_for(is_over.wait(), 10)
    assert 0 < sent < 200
    server.close()
    await server.wait_closed()


async def test_ever_deeper_json_is_no_json_and_stops_nothing():
    answer, _ = await read(b"[" * 100_000)
    with pytest.raises(FatalChannelError, match="not JSON"):
        answer.json()


async def test_json_that_is_too_deep_and_too_large_to_be_cut_is_refused():
    await fails(Given(iter([b"[" * (MOST_BRACKETS + 1)])), "", f"more than {MOST_BRACKETS} lists")
    twins = b"[" * 2000 + b"]" * 2000 + b",[]" * MOST_BRACKETS
    await fails(Given(iter([b"[" + twins + b"]"])), "", f"more than {MOST_BRACKETS} lists")


OPTIONS = {"vendure": {"username": "sync"}, "odoo": {"database": "shop", "login": "sync"}}
"""By which these log in; what answers a login is an answer like any other."""


@pytest.mark.parametrize("channel", [c for c in CHANNELS if c.name != "files"], ids=lambda channel: channel.name)
async def test_every_system_is_asked_for_gzip_alone_and_its_answers_are_read_within_limits(channel):
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Given(packed(100 * MB)))

    connection = Connection(
        "http://shop", dict.fromkeys(channel.secrets, "key-us1"), OPTIONS.get(channel.name, {}), VirtualClock(),
        httpx.MockTransport(answer),
    )
    async with channel.connect(connection) as session:
        with pytest.raises(FatalChannelError, match=f"more than {MAX_RATIO} times"):
            await channel.identify(session)
    assert asked == ["gzip"]
