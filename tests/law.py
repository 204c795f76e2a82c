"""How many generated cases a law is tried on, said in one place: few in `make test`, `LAW_CASES` in `make laws`.

A law is a Hypothesis test marked with `law`. What counts is a case, not an example: an example may hold many (worlds,
histories, rows of a batch) and says how many. A law that tried fewer than it should fails, though none of them broke
it.
The hooks of `tests/conftest.py` tell the counts at the end of a run.
"""

import inspect
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from math import ceil
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

MARK, PROPERTY = "law", "cases"
CASES = int(os.environ.get("LAW_CASES", "0"))
"""Cases of each law; 0 leaves each law its few."""
GENERATED = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking, which is idle where all of an example comes from one seed."""


@dataclass
class Tally:
    """How many cases of a law must hold in a run, and how many did."""

    wanted: int
    held: int = 0


def law(
    few: int, *, holds: int = 1, of: Callable[..., int] | None = None, times: int = 1, is_seeded: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A law of `few` examples where not many cases are asked for.

    `holds`: the least number of cases in an example. `of`: tells from the arguments how many an example really held.
    `times`: how many times as many cases as of other laws. `is_seeded`: all of an example comes from one seed.
    """
    examples = max(few, ceil(CASES * times / holds))
    phases = GENERATED if is_seeded else tuple(Phase)
    tally = Tally(examples * holds)

    def marked(test: Callable[..., Any]) -> Callable[..., Any]:
        found: Any = settings(
            max_examples=examples, deadline=None, phases=phases, suppress_health_check=list(HealthCheck)
        )(test)
        found.hypothesis.inner_test = _counted(found.hypothesis.inner_test, tally, lambda given: (
            holds if of is None else of(**{name: given[name] for name in inspect.signature(of).parameters})
        ))
        found.tally = tally
        return pytest.mark.law(found)

    return marked


def _counted(inner: Callable[..., Any], tally: Tally, cases: Callable[[dict[str, Any]], int]) -> Callable[..., Any]:
    """The body of a test that counts the cases of each example that it let pass."""

    @wraps(inner)
    def plain(*args: Any, **given: Any) -> None:
        inner(*args, **given)
        tally.held += cases(given)

    @wraps(inner)
    async def waiting(*args: Any, **given: Any) -> None:
        await inner(*args, **given)
        tally.held += cases(given)

    return waiting if inspect.iscoroutinefunction(inner) else plain


def lines(reports: Iterable[pytest.TestReport], seconds: float, *, is_whole: bool) -> list[str]:
    """What a run says of its laws: the cases of each, and one closing line."""
    found = {report.nodeid: dict(report.user_properties).get(PROPERTY) for report in reports if MARK in report.keywords}
    held = {name: cases for name, cases in found.items() if isinstance(cases, int)}
    if not held:
        return []
    width = max(map(len, held))
    verdict = "none failed" if is_whole else "THE RUN IS NOT GREEN"
    return [
        *(f"{name:<{width}}  {cases:>9,} cases" for name, cases in sorted(held.items())),
        f"{len(held)} laws held in {sum(held.values()):,} generated cases, {verdict}; the least tried in "
        f"{min(held.values()):,}; {seconds / 60:.1f} minutes",
    ]
