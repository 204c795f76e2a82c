"""Runs the checks on one bench, one after the other, and takes back what they wrote, whatever came of them."""

from collections.abc import Awaitable, Callable, Sequence

from conformance.bench import Bench
from conformance.checks import CHECKS
from conformance.restore import restore
from conformance.verdicts import Check, NotShown, Result, Verdict, words_of

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
    if check.need.writes and not bench.may_write:
        return Result(check.name, check.shows, Verdict.NOT_SHOWN, "writes to the system: only with --write")
    return await _judged(check.name, check.shows, lambda: check.run(bench))


async def _judged(name: str, shows: str, work: Callable[[], Awaitable[str]]) -> Result:
    try:
        detail = await work()
    except NotShown as reason:
        return Result(name, shows, Verdict.NOT_SHOWN, str(reason))
    except Exception as error:  # also of the connector, or of an answer of a shape that nobody foresaw
        return Result(name, shows, Verdict.FAILED, words_of(error))
    return Result(name, shows, Verdict.PASSED, detail)


def has_failed(results: Sequence[Result]) -> bool:
    """Whether any check failed; what is not shown is no failure."""
    return any(result.verdict is Verdict.FAILED for result in results)
