"""Runs checks: on tonight's tables (here) and on the draft of a plan (`draft`). Counts leave, values never.

A failed blocking check of the tables freezes what it covers by a verdict in `reads.verdicts` that the planner obeys.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import duckdb

from pipelines.check.declare import Declared, Severity, declared_checks
from pipelines.model import Entity

COLUMNS = (
    'name VARCHAR NOT NULL, "table" VARCHAR NOT NULL, suite VARCHAR NOT NULL, severity VARCHAR NOT NULL, '
    "passed BOOLEAN NOT NULL, failed_rows BIGINT NOT NULL, covered VARCHAR NOT NULL"
)
Pair = tuple[str, str]
"""A system and an entity."""
Suites = Callable[[duckdb.DuckDBPyConnection, Sequence[Declared]], Sequence[tuple[Declared, int]]]
"""What runs expectations: each with how many rows break it."""
COMPARED = tuple(str(entity) for entity in Entity if entity != Entity.ORDERS)
"""What an expectation without an entity covers: all that is ever pushed."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found."""

    name: str
    table: str
    suite: str
    severity: Severity
    passed: bool
    failed_rows: int
    covered: str
    """What its failure stops, as "system entity, …"; '' for nothing."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one check found, and whose push that stops."""

    check: Declared
    failed_rows: int
    stops: tuple[Pair, ...]

    @property
    def result(self) -> CheckResult:
        """In words."""
        check, words = self.check, ", ".join(" ".join(pair) for pair in self.stops)
        return CheckResult(
            check.name, check.table, check.suite, check.severity, self.failed_rows == 0, self.failed_rows, words
        )


def run_checks(con: duckdb.DuckDBPyConnection, *, suites: Suites | None = None) -> list[CheckResult]:
    """Run all of tonight's tables; what a failed blocking one covers is not believed from here on.

    `suites`: what runs the expectations; None: Great Expectations.
    """
    found = evaluate(con, [check for check in declared_checks() if not check.is_of_plan], run=suites)
    for one in found:
        for system, entity in one.stops:
            con.execute(
                "INSERT INTO reads.verdicts VALUES (?, ?, false, ?)",
                [system, entity, f"the check {one.check.name} failed"],
            )
    results = [one.result for one in found]
    con.execute("CREATE SCHEMA IF NOT EXISTS checks")
    con.execute(f"CREATE OR REPLACE TABLE checks.results ({COLUMNS})")
    store(con, "checks.results", results)
    return results


def stored_results(con: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """What tonight's checks of the tables found."""
    rows = con.execute(
        'SELECT name, "table", suite, severity, passed, failed_rows, covered FROM checks.results ORDER BY "table", name'
    ).fetchall()
    return [CheckResult(*row) for row in rows]


def store(
    con: duckdb.DuckDBPyConnection, table: str, results: Iterable[CheckResult], *first: object
) -> None:
    """Append results to a table of `COLUMNS`, after the columns whose values are in `first`."""
    rows = [
        [*first, r.name, r.table, r.suite, r.severity, r.passed, r.failed_rows, r.covered] for r in results
    ]
    if rows:
        con.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' for _ in rows[0])})", rows)


def evaluate(
    con: duckdb.DuckDBPyConnection, checks: Sequence[Declared], *, run: Suites | None = None
) -> list[Found]:
    """Run checks, SQL first, and say what each found. Stops nothing yet: no check sees another's verdict."""
    systems = [str(row[0]) for row in con.execute("SELECT system FROM estate.systems ORDER BY system").fetchall()]
    found = [_of_sql(con, check, systems) for check in checks if check.sql]
    suites = [check for check in checks if not check.sql]
    if suites and run is None:
        from pipelines.check.suites import run_suites as run
    if suites and run is not None:
        found += [_of_suite(check, rows, systems) for check, rows in run(con, suites)]
    return found


def _of_sql(con: duckdb.DuckDBPyConnection, check: Declared, systems: Sequence[str]) -> Found:
    rows = con.execute(f"SELECT system, entity, count(*) FROM ({check.sql}) GROUP BY ALL ORDER BY ALL").fetchall()
    covered = {
        (name, str(entity)) for system, entity, _ in rows for name in ([str(system)] if system is not None else systems)
    }
    return _found(check, sum(int(row[2]) for row in rows), covered)


def _of_suite(check: Declared, failed_rows: int, systems: Sequence[str]) -> Found:
    entities = (check.entity,) if check.entity else COMPARED
    return _found(check, failed_rows, {(system, entity) for system in systems for entity in entities})


def _found(check: Declared, failed_rows: int, covered: Collection[Pair]) -> Found:
    return Found(check, failed_rows, tuple(sorted(covered)) if failed_rows and check.is_blocking else ())
