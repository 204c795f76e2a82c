"""The real clock: the one place that reads the machine's time and truly waits.

`SystemClock` runs at the machine's time, or at an offset from it: an estate that says `clock = "systems"` lives at
the time of its systems (their HTTP `Date`), as the sandbox does, whose world may be weeks ahead.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.errors import FatalChannelError

if TYPE_CHECKING:
    import httpx


class SystemClock:
    """The machine's clock, moved by a fixed offset."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """The estate's time: aware, UTC."""
        return datetime.now(UTC) + self.offset  # noqa: TID251 (this is where the wall clock is read)

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def clock_of_systems(base_urls: list[str], *, transport: "httpx.BaseTransport | None" = None) -> SystemClock:
    """The clock that the first system to answer goes by; FatalChannelError where none says its time.

    Any answer has a `Date`, a refusal too, so no credential is sent.
    """
    import httpx  # here: who only asks for the machine's time does not wait for it

    from pipelines.http import moment_stated, trust

    with httpx.Client(
        transport=transport, timeout=5.0, follow_redirects=False, trust_env=False, verify=trust()
    ) as client:
        for url in base_urls:
            try:
                stated = moment_stated(client.head(url).headers)
            except httpx.TransportError:
                continue
            if stated is not None:
                return SystemClock(stated - SystemClock().now())
    raise FatalChannelError("no system of the estate says what time it is; is any of them up?")
