"""HubSpot's rate limits: calls in any ten seconds (with headers), searches in any second (without)."""

from collections import deque
from datetime import datetime

MAX_CALLS = {"free": 100}
DEFAULT_MAX_CALLS = 190
INTERVAL_SECONDS = 10.0
MAX_SEARCHES = 5
DAILY = 650_000


class Window:
    """At most `limit` calls in any `seconds`, by the world's clock."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self._calls: deque[float] = deque()

    def admit(self, now: datetime) -> bool:
        """Count a call; False when the window is full."""
        moment = now.timestamp()
        while self._calls and not moment - self.seconds < self._calls[0] <= moment:
            self._calls.popleft()
        if len(self._calls) >= self.limit:
            return False
        self._calls.append(moment)
        return True

    @property
    def remaining(self) -> int:
        """Calls left in the present window."""
        return self.limit - len(self._calls)


def headers(window: Window, calls_today: int) -> dict[str, str]:
    """What HubSpot sends with every answer but a search's."""
    return {
        "X-HubSpot-RateLimit-Max": str(window.limit),
        "X-HubSpot-RateLimit-Remaining": str(window.remaining),
        "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(window.seconds * 1000)),
        "X-HubSpot-RateLimit-Daily": str(DAILY),
        "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, DAILY - calls_today)),
    }
