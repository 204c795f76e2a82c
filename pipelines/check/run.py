"""Runs the checks, keeps what they found, and freezes what a failed blocking one covers. Counts only, no values."""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from pipelines.check.declare import Declared, declared_checks

_RESULTS = (
    'CREATE OR REPLACE TABLE checks.results (name VARCHAR NOT NULL, "table" VARCHAR NOT NULL, suite VARCHAR NOT NULL, '
    "is_blocking BOOLEAN NOT NULL, passed BOOLEAN NOT NULL, failed_rows BIGINT NOT NULL, covered VARCHAR NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found."""

    name: str
    table: str
    suite: str
    is_blocking: bool
    passed: bool
    failed_rows: int
    covered: str
    """What its failure stops, as "system entity, …"; '' for nothing."""


def run_checks(con: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """Run all; what a failed blocking one covers is not believed from here on."""
    con.execute("CREATE SCHEMA IF NOT EXISTS checks")
    con.execute(_RESULTS)
    sql = [check for check in declared_checks() if check.sql]
    suites = [check for check in declared_checks() if not check.sql]
    results = [_run_sql(con, check) for check in sql]
    if suites:
        from pipelines.check.suites import run_suites

        results += [_finish(con, check, rows, _all_systems(con, check)) for check, rows in run_suites(con, suites)]
    if results:
        con.executemany(
            "INSERT INTO checks.results VALUES (?, ?, ?, ?, ?, ?, ?)",
            [[r.name, r.table, r.suite, r.is_blocking, r.passed, r.failed_rows, r.covered] for r in results],
        )
    return results


def stored_results(con: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """What tonight's checks found."""
    rows = con.execute(
        "SELECT name, \"table\", suite, is_blocking, passed, failed_rows, covered FROM checks.results ORDER BY name"
    ).fetchall()
    return [CheckResult(*row) for row in rows]


def _run_sql(con: duckdb.DuckDBPyConnection, check: Declared) -> CheckResult:
    rows = con.execute(f"SELECT system, entity, count(*) FROM ({check.sql}) GROUP BY ALL ORDER BY ALL").fetchall()
    covered = {
        (name, str(entity))
        for system, entity, _ in rows
        for name in ([str(system)] if system is not None else _systems(con))
    }
    return _finish(con, check, sum(int(row[2]) for row in rows), covered)


def _finish(
    con: duckdb.DuckDBPyConnection, check: Declared, failed: int, covered: Iterable[tuple[str, str]]
) -> CheckResult:
    stops = sorted(covered) if failed and check.is_blocking else []
    for system, entity in stops:
        con.execute(
            "INSERT INTO reads.verdicts VALUES (?, ?, false, ?)", [system, entity, f"the check {check.name} failed"]
        )
    words = ", ".join(f"{system} {entity}" for system, entity in stops)
    return CheckResult(check.name, check.table, check.suite, check.is_blocking, failed == 0, failed, words)


def _all_systems(con: duckdb.DuckDBPyConnection, check: Declared) -> set[tuple[str, str]]:
    return {(system, check.entity) for system in _systems(con)} if check.entity else set()


def _systems(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [str(row[0]) for row in con.execute("SELECT system FROM estate.systems ORDER BY system").fetchall()]
