"""The breaker (R16): a system that fails call after call is left alone for a while, and then tried with one call.

One to a session, shared by all its calls, whatever stage makes them. It counts outages (no connection, a lost answer, a
5xx that is worth another try) and nothing else: who answers "no", or "too fast", is there, and pacing is the limiter's.
Time is the handed-in clock's, so that a simulation can own it: libraries' breakers read the process's own.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.clock import Clock
from pipelines.errors import AmbiguousWrite, BreakerOpen, ChannelError, RetriableChannelError, SyncError

FAILURES = 5
"""So many in a row, with no answer between them, open it."""
LASTED_SECONDS = 5.0
"""And only when they have gone on for so long: a blink meets eight calls at once, and their repeats outlive it."""
REST_SECONDS = 30.0
"""How long nothing is sent; then one call is let through, and its end decides."""


class Breaker:
    """Closed: calls pass. Open: none does. After its rest: one does, the others not until that one has ended."""

    def __init__(self, system: str, clock: Clock) -> None:
        self._system, self._clock = system, clock
        self._failures, self._first_at, self._last = 0, 0.0, ""
        self._open_until: float | None = None
        self._is_tried = False

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around one sending and its answer. Raises BreakerOpen instead of entering, while nothing may be sent."""
        is_trial = self._enter()
        try:
            yield
        except SyncError as error:
            if isinstance(error, ChannelError) and is_outage(error):
                self._fail(error, is_trial)
            else:
                self._close()
            raise
        else:
            self._close()
        finally:
            if is_trial:
                self._is_tried = False

    def _enter(self) -> bool:
        """Whether this call is the one that tries a resting system."""
        if self._open_until is None:
            return False
        left = self._open_until - self._clock.monotonic()
        if left > 0 or self._is_tried:
            when = f"for another {left:.0f} s" if left > 0 else "until one call has shown that it is back"
            words = f"nothing is sent {when} (R16): {self._failures} calls in a row failed, the last with: {self._last}"
            raise BreakerOpen(words, system=self._system)
        self._is_tried = True
        return True

    def _fail(self, error: ChannelError, is_trial: bool) -> None:
        now = self._clock.monotonic()
        if self._failures == 0:
            self._first_at = now
        self._failures, self._last = self._failures + 1, error.message
        is_over = self._failures >= FAILURES and now - self._first_at >= LASTED_SECONDS
        if is_trial or (is_over and self._open_until is None):
            self._open_until = now + REST_SECONDS

    def _close(self) -> None:
        self._failures, self._open_until = 0, None


def is_outage(error: ChannelError) -> bool:
    """Whether the system was not there. A code without a status is a word of a system that answers."""
    if not isinstance(error, RetriableChannelError | AmbiguousWrite):
        return False
    return error.status >= 500 if error.status is not None else not error.code
