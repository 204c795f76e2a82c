"""Checks of a plan: run on its draft (`plan.decided`), when it is planned and before it is sealed or approved.

A failed blocking check holds what it covers (system and entity) in the draft itself: those rows are sealed as held,
with the check as the reason, and nobody can release them, so that the plan, the report, `why` and the fingerprint all
say the same. The next night plans them anew. An opt-out is never held by a check: a lowering is right whatever else is
wrong. A failed fatal check stops everything: UnsafePlan is raised, no plan is sealed, and there is nothing to approve.

The suppression lane runs the SQL checks alone: opt-outs wait for no library. Writes `checks.of_plan`.
"""

import duckdb

from pipelines.check.declare import declared_checks
from pipelines.check.run import COLUMNS, CheckResult, Found, Pair, Suites, evaluate, store
from pipelines.errors import UnsafePlan

_KEEP = "DELETE FROM checks.of_plan WHERE night_id NOT IN (SELECT n.night_id FROM estate.night AS n) OR lane = 'main'"
"""Opt-outs may be planned twice a night: what the first round found stays."""

_HOLD = """
UPDATE plan.decided SET
  disposition_reason = CASE WHEN disposition = 'approve' THEN $why ELSE concat(disposition_reason, ' ', $why) END,
  disposition = CASE WHEN disposition = 'approve' THEN 'hold' ELSE disposition END,
  approver = NULL, is_releasable = false,
  held_since = coalesce(held_since, (SELECT n.as_of FROM estate.night AS n))
WHERE system = $system AND entity = $entity AND (disposition = 'approve' OR is_releasable)
  AND NOT (entity = 'consents' AND drift_class = 'lower' AND desired IS NOT DISTINCT FROM 'no')
"""


def check_draft(con: duckdb.DuckDBPyConnection, lane: str, *, suites: Suites | None = None) -> list[CheckResult]:
    """Run the plan's checks on the draft of a lane and hold what failed ones cover; UnsafePlan where a fatal one fails.

    The results are kept either way. `suites`: as in `run_checks`.
    """
    checks = [check for check in declared_checks() if check.is_of_plan and (check.sql or lane == "main")]
    found = evaluate(con, checks, run=suites)
    results = [one.result for one in found]
    con.execute("CREATE SCHEMA IF NOT EXISTS checks")
    con.execute(f"CREATE TABLE IF NOT EXISTS checks.of_plan (night_id VARCHAR, lane VARCHAR, {COLUMNS})")
    con.execute(_KEEP)
    row = con.execute("SELECT night_id FROM estate.night").fetchone()
    store(con, "checks.of_plan", results, row and row[0], lane)
    if fatal := [one.check.name for one in found if one.failed_rows and one.check.severity == "fatal"]:
        raise UnsafePlan(f"the plan is not sealed and nothing of it is written: {', '.join(fatal)} failed", key=lane)
    for (system, entity), names in _failed(found).items():
        why = f"Failed check: {', '.join(names)}. No {entity} of {system} are written tonight."
        con.execute(_HOLD, {"system": system, "entity": entity, "why": why})
    return results


def draft_results(con: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """What tonight's checks of the plans found, both lanes together; empty before the first plan."""
    made = "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'checks' AND table_name = 'of_plan'"
    if not con.execute(made).fetchone():
        return []
    rows = con.execute(
        'SELECT r.name, any_value(r."table"), any_value(r.suite), any_value(r.severity), bool_and(r.passed), '
        "CAST(sum(r.failed_rows) AS BIGINT), coalesce(string_agg(r.covered, ', ' ORDER BY r.lane) "
        "FILTER (r.covered <> ''), '') FROM checks.of_plan AS r JOIN estate.night AS n ON n.night_id = r.night_id "
        "GROUP BY r.name ORDER BY r.name"
    ).fetchall()
    return [CheckResult(*row) for row in rows]


def _failed(found: list[Found]) -> dict[Pair, list[str]]:
    """The failed checks of every system and entity that they stop."""
    names: dict[Pair, list[str]] = {}
    for one in found:
        for pair in one.stops:
            names.setdefault(pair, []).append(one.check.name)
    return names
