"""Stage 4, check: what must be true of tonight's tables and of the plan, and what a broken promise stops.

    *.sql beside this file   one check each: a SELECT of the offending rows, with the system and entity they concern
    expectations.toml        Great Expectations suites, run on DuckDB in place (`suites`)

Three severities. A failed `warning` is shown. A failed `blocking` check stops the push of the (system, entity) pairs it
covers, and the night goes on: on tables by a verdict in `reads.verdicts` that the planner obeys (`run`), on the plan by
holding the rows before the plan is sealed (`draft`). A failed `fatal` check of a plan stops everything: no plan is
sealed. Results hold counts, never values. Writes `checks.results` and `checks.of_plan`.
"""

from pipelines.check.declare import Declared, declared_checks
from pipelines.check.draft import check_draft, draft_results
from pipelines.check.run import CheckResult, Suites, run_checks, stored_results

__all__ = [
    "CheckResult", "Declared", "Suites", "check_draft", "declared_checks", "draft_results", "run_checks",
    "stored_results",
]
