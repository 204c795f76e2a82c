"""A run that was stopped between its last question and the socket sends nothing when it is woken (R5)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pipelines.errors import LeaseHeld
from pipelines.http import Session
from tests.plan.world import VirtualClock
from tests.test_http import Unpaced


class Fence:
    """Open until a moment that a test chooses."""

    def __init__(self) -> None:
        self.is_open = True

    def __call__(self) -> None:
        if not self.is_open:
            raise LeaseHeld("the writing lease was taken over: the other")


class Heard(asyncio.Protocol):
    """All that a system is told; it answers what is whole, and shuts the fence when somebody connects, if it is to."""

    def __init__(self, told: bytearray, fence: Fence, *, shuts_at: str) -> None:
        self._told, self._fence, self._shuts_at = told, fence, shuts_at

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        if self._shuts_at == "connection":
            self._fence.is_open = False

    def data_received(self, data: bytes) -> None:
        self._told += data
        if self._shuts_at == "answer":
            self._fence.is_open = False
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")


@asynccontextmanager
async def shop(fence: Fence, shuts_at: str) -> AsyncIterator[tuple[Session, bytearray]]:
    """A session with a system on loopback, and what that is told."""
    told = bytearray()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Heard(told, fence, shuts_at=shuts_at), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    session = Session(
        system="shop", base_url=url, headers={}, limiter=Unpaced(), judge=lambda answer: None, clock=VirtualClock(),
    )
    session.fence = fence
    async with session:
        yield session, told
    server.close()


@pytest.mark.parametrize("is_write", [True, False])
async def test_who_is_taken_over_while_a_call_waits_for_its_connection_sends_no_byte(is_write):
    fence = Fence()
    async with shop(fence, "connection") as (session, told):
        with pytest.raises(LeaseHeld, match="taken over"):
            await (session.post("things", {"a": 1}) if is_write else session.get("things"))
    assert told == b""


async def test_nor_over_a_connection_that_is_kept():
    fence = Fence()
    async with shop(fence, "answer") as (session, told):
        await session.get("things")
        heard = len(told)
        with pytest.raises(LeaseHeld, match="taken over"):
            await session.get("more")
        assert len(told) == heard > 0


async def test_while_the_lease_holds_calls_pass():
    async with shop(Fence(), "never") as (session, told):
        assert (await session.post("things", {"a": 1})).json() == {}
        assert (await session.get("things")).json() == {}
    assert told.count(b"HTTP/1.1") == 2
