"""Rate limits: a server that says "too many" is waited for, as long as it asks, and the read is whole all the same.

The refusals are played on the way, and a clock is handed in that leaps over most of what it is asked to wait: nobody
waits long, and the server, whose own clock does not leap, is not pressed. GraphQL vendors that throttle inside a 200
have that in their own tests.
"""

from datetime import datetime, timedelta

import httpx

from conformance.bench import Bench
from conformance.read import read
from conformance.verdicts import Failed, NotShown
from pipelines.clock import Clock
from pipelines.errors import ChannelError

ASKED_SECONDS = 7
WAITS: tuple[tuple[str, dict[str, str], float], ...] = (
    ("with Retry-After", {"retry-after": str(ASKED_SECONDS)}, float(ASKED_SECONDS)),
    ("without", {}, 0.0),
)


MOST_SECONDS = 1.0
"""Of each wait that is waited, so that a limit of calls a second is kept."""


class LeapingClock:
    """Another clock's time, moved on by every wait, of which no more than a second is waited."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._leapt = clock, timedelta()
        self.waited: list[float] = []

    def now(self) -> datetime:
        """The estate's time, and what was leapt over."""
        return self._clock.now() + self._leapt

    def monotonic(self) -> float:
        """The same, in seconds."""
        return self._clock.monotonic() + self._leapt.total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Wait a little, and leap over the rest."""
        self.waited.append(seconds)
        real = min(seconds, MOST_SECONDS)
        self._leapt += timedelta(seconds=seconds - real, milliseconds=1)
        await self._clock.sleep(real)


async def rate_limits(bench: Bench) -> str:
    """A 429, with and without Retry-After, is waited for and the call made again."""
    if not bench.is_over_http:
        raise NotShown("the system is not called over HTTP")
    endpoint = bench.channel.endpoints[0]
    shown = []
    for name, headers, least in WAITS:
        clock = LeapingClock(bench.clock)
        session = bench.connect(clock)
        try:
            await session.__aenter__()
            before = len(bench.wire.sent)
            refusal = httpx.Response(429, headers={**headers, "content-type": "application/json"}, content=b"{}")
            with bench.wire.answering(refusal):
                found = await read(session, endpoint)
        except ChannelError as error:
            raise Failed(f"a 429 {name} ends the read: {type(error).__name__}") from error
        finally:
            await session.__aexit__(None, None, None)
        if not found.is_believed:
            raise Failed(f"a 429 {name} ends the read of {endpoint.name}: {found.reason}")
        if len(bench.wire.sent) == before:
            raise Failed(f"a 429 {name} is taken for an answer")
        if session.counters.throttled < 1:
            raise Failed(f"a 429 {name} is not counted as throttling")
        waited = sum(clock.waited)
        if waited <= 0 or waited < least:
            raise Failed(f"a 429 {name} is waited for {waited:.1f} s, where {least:.0f} s were asked for")
        shown.append(f"{name} {waited:.1f} s")
    return f"waited {', '.join(shown)}"
