"""A system's answer, read piece by piece within limits: of bytes, of how far it unpacks, and of time.

Stands between a session and its sockets, so that nothing of an answer is read elsewhere: not by whoever logs in either.
An answer over a limit ends where it goes over it, with an error that names the limit; how deep JSON may be nested is
said in `readable`. Knows no vendor and no retries.
"""

import asyncio
import zlib
from collections.abc import Iterator
from typing import cast

import httpx

from pipelines.errors import FatalChannelError

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Of one answer, unpacked. The largest that is asked for is a piece of 8 MB; a page of 250 products has some 2 MB."""
MAX_RATIO = 200
"""How many bytes one that is sent may become. JSON packs 10:1, a list of twins 100:1; gzip can do 1,000:1."""
FREE_BYTES = 1024 * 1024
"""So much may come of however little: a ratio says nothing about an answer of a few bytes."""
MAX_SECONDS = 180.0
"""For the whole answer. The longest silence that a session allows is 120 s; one that drips is never silent."""
PACKING = "gzip"
"""The one packing that is asked for, and the one that is taken."""
_PIECE_BYTES = 256 * 1024


class TooSlow(httpx.ReadTimeout):
    """The answer was not whole when its time was over."""

    def __init__(self) -> None:
        super().__init__(f"it was not whole after {MAX_SECONDS:g} s")


class Answers(httpx.AsyncBaseTransport):
    """What `inner` answers, whole and unpacked. FatalChannelError over a limit; TooSlow over that of time."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, system: str) -> None:
        self._inner, self._system = inner, system

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("accept-encoding") != "identity":
            request.headers["accept-encoding"] = PACKING  # of a login, too, which no client has given its headers
        try:
            # By the loop's time, which a simulation owns, too: of headers that drip nothing else hears before the end.
            async with asyncio.timeout(MAX_SECONDS):
                answer = await self._inner.handle_async_request(request)
                stream = cast(httpx.AsyncByteStream, answer.stream)
                try:
                    body = await self._body(answer, stream)
                finally:
                    await stream.aclose()
        except TimeoutError:
            raise TooSlow from None
        answer.stream = httpx.ByteStream(body)
        if answer.headers.get("content-encoding"):
            del answer.headers["content-encoding"]  # no longer true: else it would be unpacked once more
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _body(self, answer: httpx.Response, stream: httpx.AsyncByteStream) -> bytes:
        received, size = 0, 0
        pieces: list[bytes] = []
        unpacked = _Unpacked(self._packing(answer))
        async for given in stream:  # the answer's own iterators unpack without a limit
            received += len(given)
            for piece in unpacked.pieces(given):
                size += len(piece)
                pieces.append(piece)
                if size > MAX_BODY_BYTES:
                    raise self._over_bytes()
                if size > max(FREE_BYTES, MAX_RATIO * received):
                    words = f"the answer unpacks to more than {MAX_RATIO} times what was sent"
                    raise FatalChannelError(words, system=self._system)
            if received > MAX_BODY_BYTES:  # packed so badly that nothing comes out
                raise self._over_bytes()
        if not unpacked.is_whole:
            raise httpx.RemoteProtocolError("the packed answer was cut off")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _packing(self, answer: httpx.Response) -> str:
        packing = answer.headers.get("content-encoding", "").strip().lower()
        if packing not in ("", "identity", PACKING):
            raise FatalChannelError("the answer is packed in a way that was not asked for", system=self._system)
        return cast(str, packing)

    def _over_bytes(self) -> FatalChannelError:
        return FatalChannelError(f"the answer has more than {MAX_BODY_BYTES} bytes", system=self._system)


class _Unpacked:
    """Unpacks a piece at a time, so that no more lies in memory than has been looked at."""

    def __init__(self, packing: str) -> None:
        self._packing, self._packer = packing, _gzip()
        self._is_begun = False

    def pieces(self, given: bytes) -> Iterator[bytes]:
        """What these bytes become. httpx.RemoteProtocolError for what is not packed as it says."""
        if self._packing != PACKING:
            yield given
            return
        while given:
            if self._packer.eof:
                self._packer = _gzip()  # a file of gzip may be several, one after the other
            self._is_begun = True
            try:
                piece = self._packer.decompress(given, _PIECE_BYTES)
            except zlib.error as error:
                raise httpx.RemoteProtocolError("the answer is not packed as it says") from error
            given = self._packer.unused_data if self._packer.eof else self._packer.unconsumed_tail
            if piece:
                yield piece

    @property
    def is_whole(self) -> bool:
        """Whether what was packed has come to its end; no byte at all is the packing of none."""
        return self._packer.eof or not self._is_begun


def _gzip() -> "zlib._Decompress":
    return zlib.decompressobj(zlib.MAX_WBITS | 16)
