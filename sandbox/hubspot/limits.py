"""HubSpot's limits: calls in any ten seconds (with headers), searches in any second (without), calls a day."""

from collections import deque
from datetime import date, datetime
from zoneinfo import ZoneInfo

MAX_CALLS = {"free": 100}
DEFAULT_MAX_CALLS = 190
INTERVAL_SECONDS = 10.0
MAX_SEARCHES = 5
DAILY = {"free": 250_000, "enterprise": 1_000_000}
DEFAULT_DAILY = 650_000


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


class Day:
    """Calls of one day, which begins at midnight where the account is."""

    def __init__(self, limit: int, zone: str) -> None:
        self.limit, self._zone = limit, ZoneInfo(zone)
        self._day: date | None = None
        self._calls = 0

    def admit(self, now: datetime) -> bool:
        """Count a call; False when the day's calls are used up."""
        today = now.astimezone(self._zone).date()
        if today != self._day:
            self._day, self._calls = today, 0
        if self._calls >= self.limit:
            return False
        self._calls += 1
        return True

    @property
    def remaining(self) -> int:
        """Calls left today."""
        return self.limit - self._calls


def headers(window: Window, day: Day) -> dict[str, str]:
    """What HubSpot sends with every answer but a search's."""
    return {
        "X-HubSpot-RateLimit-Max": str(window.limit),
        "X-HubSpot-RateLimit-Remaining": str(window.remaining),
        "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(window.seconds * 1000)),
        "X-HubSpot-RateLimit-Daily": str(day.limit),
        "X-HubSpot-RateLimit-Daily-Remaining": str(day.remaining),
    }
