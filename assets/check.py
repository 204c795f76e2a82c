"""Stage 4 in Dagster: what the checks found, as a table and as asset checks. What a check is lies in `pipelines.check`.

One step runs them all; a failed one that blocks freezes what it covers and lets the rest of the night go on. So no
check stops Dagster's graph: the severity says how bad it is, the metadata which push it stopped.
"""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import asset_key, specs
from assets.metadata import materialised
from pipelines.check import declared_checks, stored_results
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("check"), name="check")
def check(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Run all checks on tonight's tables."""
    results = steps.check(night.tonight, context.log)
    failed = sum(not result.passed for result in results)
    yield from materialised(night.place.con, "check", {"checks.results": {"checks": len(results), "failed": failed}})


@dg.multi_asset_check(
    name="checks",
    specs=[
        dg.AssetCheckSpec(
            declared.name, asset=asset_key(declared.table), description=declared.description,
            additional_deps=[asset_key("checks.results")],
        )
        for declared in declared_checks()
    ],
)
def checks(night: NightResource) -> Iterator[dg.AssetCheckResult]:
    """Show what was found, check by check."""
    for result in stored_results(night.place.con):
        yield dg.AssetCheckResult(
            asset_key=asset_key(result.table),
            check_name=result.name,
            passed=result.passed,
            severity=dg.AssetCheckSeverity.ERROR if result.is_blocking else dg.AssetCheckSeverity.WARN,
            metadata={"failed_rows": result.failed_rows, "stops_push_of": result.covered, "suite": result.suite},
        )
