"""Time as the pipeline sees it: handed in, never read. `resources.clock` has the real one, tests a virtual one."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time, monotonic time and waiting, from one owner."""

    def now(self) -> datetime:
        """The estate's time: aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of this clock's time."""
        ...
