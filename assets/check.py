"""Stage 4 in Dagster: what the checks found, as a table and as asset checks. What a check is lies in `pipelines.check`.

One step runs the checks of tonight's tables; a failed one that blocks freezes what it covers and lets the rest of the
night go on. So it does not block Dagster's graph, which knows runs and no parts of them: its severity is ERROR, its
description says which push it stops, and its metadata which it stopped. The checks of the plan are run by the plan's
own step (`plan`), in the same way; the fatal ones among them stop all there is, and are blocking in Dagster's sense.
"""

from collections.abc import Iterable, Iterator

import dagster as dg
import duckdb

from assets.catalogue import asset_key, specs
from assets.metadata import materialised
from pipelines.check import CheckResult, Declared, declared_checks, draft_results, stored_results
from resources import steps
from resources.night import NightResource

PLAN = "ledger.sync.corrections"
"""The asset that the draft of the plan becomes."""


def _spec(check: Declared) -> dg.AssetCheckSpec:
    is_fatal = check.severity == "fatal"
    return dg.AssetCheckSpec(
        check.name,
        asset=asset_key(PLAN if check.is_of_plan else check.table),
        description=f"{check.description} Its failure stops {check.stops}.",
        blocking=is_fatal,
        additional_deps=[] if check.is_of_plan else [asset_key("checks.results")],
        metadata={
            "severity": check.severity, "stops": check.stops, "suite": check.suite,
            "how": HOW[check.severity] if not check.is_of_plan or is_fatal else HOW_OF_PLAN[check.severity],
        },
    )


HOW = {
    "warning": "it is shown, and nothing else",
    "blocking": "what it covers is not believed: the plan holds its rows, nobody can release them tonight",
    "fatal": "the step fails before the plan is sealed; Dagster starts nothing after it",
}
HOW_OF_PLAN = HOW | {"blocking": "the rows that it covers are held in the plan, nobody can release them tonight"}


def plan_specs() -> list[dg.AssetCheckSpec]:
    """The checks that the plan's own step runs."""
    return [_spec(check) for check in declared_checks() if check.is_of_plan]


def plan_results(con: duckdb.DuckDBPyConnection) -> Iterator[dg.AssetCheckResult]:
    """What the checks of tonight's plans found, both lanes together."""
    return _shown(draft_results(con))


@dg.multi_asset(specs=specs("check"), name="check")
def check(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Run all checks on tonight's tables."""
    results = steps.check(night.tonight, context.log)
    failed = sum(not result.passed for result in results)
    yield from materialised(night.place.con, "check", {"checks.results": {"checks": len(results), "failed": failed}})


@dg.multi_asset_check(name="checks", specs=[_spec(check) for check in declared_checks() if not check.is_of_plan])
def checks(night: NightResource) -> Iterator[dg.AssetCheckResult]:
    """Show what was found, check by check."""
    yield from _shown(stored_results(night.place.con))


def _shown(results: Iterable[CheckResult]) -> Iterator[dg.AssetCheckResult]:
    for result in results:
        is_of_plan = result.table == "plan.decided"
        yield dg.AssetCheckResult(
            asset_key=asset_key(PLAN if is_of_plan else result.table),
            check_name=result.name,
            passed=result.passed,
            severity=dg.AssetCheckSeverity.WARN if result.severity == "warning" else dg.AssetCheckSeverity.ERROR,
            metadata={"failed_rows": result.failed_rows, "stops_push_of": result.covered, "suite": result.suite},
        )
