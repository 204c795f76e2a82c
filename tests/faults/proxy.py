"""A TCP proxy on loopback that spoils the connections that go through it, by seed.

It knows bytes, not HTTP. It runs on a loop in a thread of its own and ends with its `with` block.
"""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PIECE = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER for no time at all: closing sends RST."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What befalls a connection; 0: nothing of the kind. `_pct`: so many connections in a hundred."""

    latency_ms: int = 0
    """Before each piece of an answer, half as much more or less by chance."""
    slice_bytes: int = 0
    """The largest piece in which an answer arrives."""
    bytes_per_second: int = 0
    """How fast an answer comes."""
    reset_pct: int = 0
    """Connections that are reset within their answer, after 0 to `reset_within` bytes of it."""
    reset_within: int = 4_000
    cut_pct: int = 0
    """Connections that end as if all had been said, after 0 to `reset_within` bytes of the answer."""


@dataclass(slots=True)
class Proxy:
    """Listens from the beginning, so that its address can be told to who is to stand behind it."""

    seed: str
    faults: Faults = field(default_factory=Faults)
    upstream: int = 0
    """The port that is behind it."""
    befell: Counter[str] = field(default_factory=Counter)
    """How often each fault happened."""
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _taken: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        """It serves until the end of the block."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        server = asyncio.run_coroutine_threadsafe(self._serve(), loop).result(10)
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()

    async def _serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._connected, sock=self._listener)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._taken += 1
        faults, dice = self.faults, random.Random(f"{self.seed} {self._taken}")
        drawn, limit = dice.uniform(0, 100), dice.randrange(max(1, faults.reset_within))
        kind = "reset" if drawn < faults.reset_pct else "cut" if drawn < faults.reset_pct + faults.cut_pct else ""
        with suppress(OSError):  # who goes away in the middle is what this is for
            behind, to_behind = await asyncio.open_connection("127.0.0.1", self.upstream)
            asking = asyncio.create_task(_pour(reader, to_behind))
            try:
                await self._answer(behind, writer, faults, dice, limit if kind else None)
                if kind:
                    self.befell[kind] += 1
                if kind == "reset":
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                    writer.transport.abort()
            finally:
                asking.cancel()
                to_behind.close()
        writer.close()

    async def _answer(
        self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Faults, dice: random.Random,
        left: int | None,
    ) -> None:
        """Pass the answer on, until its end or until so many bytes of it are through."""
        while left is None or left > 0:
            piece = await behind.read(min(faults.slice_bytes or PIECE, left or PIECE))
            if not piece:
                return
            pause = faults.latency_ms / 1000 * dice.uniform(0.5, 1.5)
            pause += len(piece) / faults.bytes_per_second if faults.bytes_per_second else 0
            if pause:
                self.befell["late"] += 1
                await asyncio.sleep(pause)  # noqa: TID251 (bytes on a wire take real time)
            self.befell["piece"] += 1
            writer.write(piece)
            await writer.drain()
            left = None if left is None else left - len(piece)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()


async def _end(server: asyncio.Server) -> None:
    server.close()
    own = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not own]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
