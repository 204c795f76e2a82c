"""Two runs at once: one that comes while another is at work, or when the first has stood still too long."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.simulation.checker import Violation
from tests.simulation.faults import Fault
from tests.simulation.network import Call, Wire


@dataclass(slots=True)
class Second(Fault):
    """At one call of a run another run of the same home begins."""

    estate: Any = None
    how: str = "at once"
    """'at once': beside a living one. 'after its time': the first stands still until its lease has run out."""
    at: int = 1
    violations: list[Violation] = field(default_factory=list)

    async def after(self, wire: Wire, call: Call, answer: httpx.Response) -> httpx.Response:
        if call.number < self.at or self.happened:
            return answer
        self.happened += 1
        call.suffer(f"second run {self.how}")
        if self.how == "at once":
            if not self.estate.is_refused():
                self.violations.append(Violation("two runs", f"run {wire.run}", "a second run was let in beside it"))
        else:
            run = next(run for run in self.estate.runs if run.number == wire.run)
            self.estate.take_over(run, f"twin of {wire.run}")
        return answer
