"""Brevo's limits: ten calls a second on contacts, a hundred an hour on nearly everything else; its headers tell."""

import math
from collections import deque
from datetime import datetime

PER_SECOND = {"enterprise": 20}
DEFAULT_PER_SECOND = 10
PER_HOUR = {"enterprise": 200}
DEFAULT_PER_HOUR = 100


class Window:
    """At most `limit` calls in any `seconds`, by the world's clock."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit, self._seconds = limit, seconds
        self._calls: deque[float] = deque()

    def admit(self, now: datetime) -> bool:
        """Count a call; False when the window is full."""
        moment = now.timestamp()
        while self._calls and not moment - self._seconds < self._calls[0] <= moment:
            self._calls.popleft()
        if len(self._calls) >= self._limit:
            return False
        self._calls.append(moment)
        return True

    def headers(self, now: datetime) -> dict[str, str]:
        """What goes with every answer; `reset` in whole seconds."""
        left = self._calls[0] + self._seconds - now.timestamp() if self._calls else 0.0
        return {
            "x-sib-ratelimit-limit": str(self._limit),
            "x-sib-ratelimit-remaining": str(self._limit - len(self._calls)),
            "x-sib-ratelimit-reset": str(max(0, math.ceil(left))),
        }


class Limits:
    """The two windows of one account."""

    def __init__(self, plan: str) -> None:
        self._contacts = Window(PER_SECOND.get(plan, DEFAULT_PER_SECOND), 1.0)
        self._rest = Window(PER_HOUR.get(plan, DEFAULT_PER_HOUR), 3600.0)

    def of(self, path: str) -> Window:
        """The window that a path counts in."""
        return self._contacts if path.startswith("/v3/contacts") else self._rest
