"""Runs the checks on one bench, one after the other, and takes back what they wrote, whatever came of them."""

import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from conformance.bench import Bench
from conformance.checks import CHECKS
from conformance.restore import restore
from conformance.verdicts import Check, Failed, Need, NotShown, Result, Verdict
from pipelines.errors import SyncError

TAKEN_BACK = "taken_back"
TAKEN_BACK_SHOWS = "Every value is as it was before, and no record of ours is left"


async def run_checks(
    bench: Bench, checks: Sequence[Check] = CHECKS, *, say: Callable[[str], None] = lambda words: None,
    taken_back: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """A result for each check, in order, and one for the taking back where anything may have been written.

    `say` is told which check runs; `taken_back` what came of the taking back, also where the run is broken off.
    """
    results: list[Result] = []
    try:
        for check in checks:
            say(check.name)
            results.append(await _run(bench, check))
    finally:
        # Also when a person interrupts: what was written is put back first.
        if bench.may_write:
            say("taking back")
            results.append(await _judged(TAKEN_BACK, TAKEN_BACK_SHOWS, lambda: restore(bench)))
            taken_back(results[-1])
    return results


async def _run(bench: Bench, check: Check) -> Result:
    if check.need is not Need.READS and not bench.may_write:
        return Result(check.name, check.shows, Verdict.NOT_SHOWN, "writes to the system: only with --write")
    return await _judged(check.name, check.shows, lambda: check.run(bench))


async def _judged(name: str, shows: str, work: Callable[[], Awaitable[str]]) -> Result:
    try:
        detail = await work()
    except NotShown as reason:
        return Result(name, shows, Verdict.NOT_SHOWN, str(reason))
    except Failed as reason:
        return Result(name, shows, Verdict.FAILED, str(reason))
    except SyncError as error:
        return Result(name, shows, Verdict.FAILED, f"{type(error).__name__}: {error}")
    except Exception as error:  # of the connector, or of an answer of a shape nobody foresaw; its words may hold values
        place = traceback.extract_tb(error.__traceback__)[-1]
        words = f"{type(error).__name__} in {Path(place.filename).name} line {place.lineno}"
        return Result(name, shows, Verdict.FAILED, words)
    return Result(name, shows, Verdict.PASSED, detail)


def has_failed(results: Sequence[Result]) -> bool:
    """Whether any check failed; what is not shown is no failure."""
    return any(result.verdict is Verdict.FAILED for result in results)
