"""The fence (R5): a run whose place another has taken makes no call, however long it stood still and wherever.

It is asked before a call is begun, and once more where its bytes leave, with nothing between the question and the
socket's own write: a call waits for a connection, and a process that is stopped there would send what it had begun when
it is woken, hours later.
"""

from collections.abc import Callable
from typing import Any

import httpx

Fence = Callable[[], None]
"""Raises where this run may not go on (LeaseHeld: another has taken its place)."""
_LEAVES = ("http11.send_request_headers.started", "http11.send_request_body.started")
"""Events of httpcore's `trace`; it writes to the socket in the same turn of the loop."""


def open_fence() -> None:
    """For who holds no lease: nothing is in the way."""


class Fenced(httpx.AsyncBaseTransport):
    """`inner`, each call of which asks the fence where its bytes leave, logins too; one without a socket does not."""

    def __init__(self, inner: httpx.AsyncBaseTransport, fence: Fence) -> None:
        self._inner, self._fence = inner, fence

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async def trace(event: str, _: Any) -> None:
            if event in _LEAVES:
                self._fence()

        request.extensions = {**request.extensions, "trace": trace}
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
