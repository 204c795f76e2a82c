"""Great Expectations suites, run on the open DuckDB connection in place. Verdicts and counts leave, values never.

Great Expectations 1.24 leaves the connection before it fetches, by when DuckDB's result is gone; the five lines of
`_patched` make it keep the connection. They touch a private name: the version is pinned and a test guards them.
Imported only by the function that runs it: it takes seconds.
"""

import atexit
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import Any

import duckdb

from pipelines.check.declare import Declared
from pipelines.errors import ConfigurationError


def run_suites(con: duckdb.DuckDBPyConnection, checks: Sequence[Declared]) -> list[tuple[Declared, int]]:
    """Run expectations, one suite a table; each with how many rows break it (1 where only the verdict may be known)."""
    gx, wrapper = _patched()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    found = []
    for schema, members in groupby(sorted(checks, key=lambda check: check.table), key=lambda c: c.table.split(".")[0]):
        cursor = con.cursor()
        cursor.execute(f"USE {schema}")
        source = context.data_sources.add_sql(
            schema, connection_string="duckdb:///:memory:", create_temp_table=False,
            kwargs={"creator": partial(wrapper, cursor)},
        )
        try:
            tables = {table: list(own) for table, own in groupby(members, key=lambda check: check.table)}
            # All tables first: a suite leaves its transaction open, in which no other table can be looked up.
            assets = {table: source.add_table_asset(table, table_name=table.split(".")[1]) for table in tables}
            for table, own in tables.items():
                found += _of_table(gx, assets[table].add_batch_definition_whole_table("all").get_batch(), own)
        finally:
            source.get_execution_engine().close()
            source.get_engine().dispose()
            context.data_sources.delete(schema)
            cursor.close()
    return found


def _of_table(gx: Any, batch: Any, checks: Sequence[Declared]) -> list[tuple[Declared, int]]:
    """One suite for what may be counted and one for what may not; each looks the table up once, which is slow."""
    found = []
    for is_personal in sorted({check.is_personal for check in checks}):
        own = {check.name: check for check in checks if check.is_personal == is_personal}
        suite = gx.ExpectationSuite(name=batch.id, expectations=[_expectation(gx, check) for check in own.values()])
        with warnings.catch_warnings():  # of column types that its dialect does not know
            warnings.simplefilter("ignore")
            results = batch.validate(suite, result_format="BOOLEAN_ONLY" if is_personal else "SUMMARY").results
        told = {result.expectation_config.meta["check"]: result for result in results}
        found += [(check, _failed_rows(check, told[name])) for name, check in own.items()]
    return found


def _expectation(gx: Any, check: Declared) -> Any:
    kind = getattr(gx.expectations, "".join(part.capitalize() for part in check.expectation.split("_")), None)
    if kind is None:
        raise ConfigurationError(f"expectations.toml: {check.name}: there is no expectation {check.expectation!r}")
    return kind(**dict(check.arguments), meta={"check": check.name})


def _failed_rows(check: Declared, result: Any) -> int:
    told = result.exception_info or {}
    failures = [one for one in (told, *told.values()) if isinstance(one, dict) and one.get("raised_exception")]
    if failures:
        raise ConfigurationError(f"expectations.toml: {check.name} cannot be run: {failures[0]['exception_message']}")
    if result.success:
        return 0
    return int(result.result.get("unexpected_count") or 1)


def _patched() -> tuple[Any, Any]:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        import great_expectations.execution_engine.sqlalchemy_execution_engine as engine
        from duckdb_engine import ConnectionWrapper
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    kept = engine._PERSISTED_CONNECTION_DIALECTS
    if not any(str(getattr(dialect, "value", dialect)) == "duckdb" for dialect in kept):
        engine._PERSISTED_CONNECTION_DIALECTS = (*kept, _Dialect("duckdb"))
        atexit.register(_let_go)
    return gx, ConnectionWrapper


def _let_go() -> None:
    """Great Expectations keeps what it has seen past the interpreter's end, of which DuckDB's binding complains."""
    for name in [name for name in sys.modules if name.split(".")[0] in ("duckdb_engine", "great_expectations")]:
        vars(sys.modules[name]).clear()


class _Dialect(str):
    """A dialect's name where Great Expectations wants a member of its own enumeration."""

    @property
    def value(self) -> str:
        """The name."""
        return str(self)
