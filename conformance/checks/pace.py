"""Rate limits: a server that says "too many" is waited for, as long as it asks, and the read is whole all the same.

The refusals are played on the way, and a clock is handed in that leaps over most of what it is asked to wait: nobody
waits long, and the server, whose own clock does not leap, is not pressed. GraphQL vendors that throttle inside a 200
have that in their own tests.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from conformance.bench import Bench
from conformance.read import read
from conformance.verdicts import Failed
from pipelines.clock import Clock
from pipelines.errors import ChannelError
from pipelines.http import Counters

ASKED_SECONDS = 7
WAITS: tuple[tuple[str, dict[str, str], float], ...] = (
    ("with Retry-After", {"retry-after": str(ASKED_SECONDS)}, float(ASKED_SECONDS)),
    ("without", {}, 0.0),
)
LEAST_OWN_SECONDS = 0.1
"""Where no time is named: so long at least is waited for the refusal's sake, beside the limiter's own pace."""
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


@dataclass
class Refusal:
    """One refusal, and how long the session waits from it to the same call again; None where that never comes.

    `paced`: how much of that its limiter alone would have waited before any call.
    """

    clock: LeapingClock
    counters: Counters
    waited: float | None = None
    paced: float = 0.0
    _call: tuple[str, str] | None = None
    _mark: int = 0
    _paced_before: float = 0.0

    def note(self, request: httpx.Request, is_refused: bool) -> None:
        """As the wire tells of calls. Waits before the refusal are the session's own pace, and count for nothing."""
        call = (request.method, request.url.path)
        if is_refused:
            self._call, self._mark = call, len(self.clock.waited)
            self._paced_before = self.counters.waited_seconds
        elif self.waited is None and call == self._call:
            self.waited = sum(self.clock.waited[self._mark :])
            self.paced = self.counters.waited_seconds - self._paced_before


async def rate_limits(bench: Bench) -> str:
    """A 429, with and without Retry-After, is waited for and the call made again."""
    endpoint = bench.channel.endpoints[0]
    shown = []
    for name, headers, least in WAITS:
        clock = LeapingClock(bench.clock)
        session = bench.connect(clock)
        refused = Refusal(clock, session.counters)
        try:
            await session.__aenter__()
            refusal = httpx.Response(429, headers={**headers, "content-type": "application/json"}, content=b"{}")
            with bench.wire.noting(refused.note), bench.wire.answering(refusal):
                found = await read(session, endpoint)
        except ChannelError as error:
            raise Failed(f"a 429 {name} ends the read: {type(error).__name__}") from error
        finally:
            await session.__aexit__(None, None, None)
        if not found.is_believed:
            raise Failed(f"a 429 {name} ends the read of {endpoint.name}: {found.reason}")
        if refused.waited is None:
            raise Failed(f"a 429 {name} is taken for an answer")
        if session.counters.throttled < 1:
            raise Failed(f"a 429 {name} is not counted as throttling")
        if refused.waited < least:
            raise Failed(f"a 429 {name} is waited for {refused.waited:.1f} s, where {least:.0f} s were asked for")
        if not least and refused.waited - refused.paced < LEAST_OWN_SECONDS:
            raise Failed(f"a 429 {name} is not waited for: {refused.waited:.1f} s are the limiter's own pace")
        shown.append(f"{name} {refused.waited:.1f} s")
    return f"waited {', '.join(shown)}"
