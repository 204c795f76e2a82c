"""Stage 4, check: what must be true of tonight's tables, and what a broken promise stops.

    *.sql beside this file   one check each: a SELECT of the offending rows, with the system and entity they concern
    expectations.toml        Great Expectations suites, run on DuckDB in place (`suites`)

A blocking check that fails freezes the (system, entity) pairs it names, by a verdict in `reads.verdicts` that the
planner obeys; the rest of the night goes on. Results hold counts, never values. Writes `checks.results`.
"""

from pipelines.check.declare import Declared, declared_checks
from pipelines.check.run import CheckResult, run_checks, stored_results

__all__ = ["CheckResult", "Declared", "declared_checks", "run_checks", "stored_results"]
