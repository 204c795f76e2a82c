"""Runs every `tests/cases/<schema>/<table>.yaml` against the model of that name; a model without cases fails.

A file is a list of cases a business reader can check:

    - name: a blank barcode is no key
      inputs:                       # rows per upstream table; columns left out are NULL, maps and lists are JSON text
        raw_shopify.variants:
          - {id: "1", payload: {barcode: " "}}
      outputs:                      # rows per table, in any order; only the columns named are compared
        shopify.items:
          - {vendor_id: "1", gtin_norm: null}
        quarantine.shopify: []

`outputs` may also be just the rows of the model's own table. Only that model is built. Tables that Python
code fills and a model reads are declared in `tests/cases/<schema>/tables.sql`, unless `pipelines.tables` has them.
The planner's files are named after their lane where they differ (`plan/main_drift.yaml`); what they read of each other
is `plan.drift` in both lanes.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import duckdb
import pytest
import yaml

from pipelines import sql
from pipelines.plan import decide
from pipelines.stage import stage_models
from pipelines.tables import STAGE, TABLES
from tests.conftest import ROOT, open_warehouse

CASES = ROOT / "tests" / "cases"
SYSTEMS = {model.schema for model in stage_models().values()}
PIPELINES = ROOT / "pipelines"
MACROS = PIPELINES / "plan" / "macros.sql"


@cache
def models() -> dict[str, sql.Model]:
    """Every static model of the product."""
    folders = sorted(path for path in (PIPELINES / "reconcile").iterdir() if any(path.glob("*.sql")))
    planner = [sql.read_model(path) for path in (PIPELINES / "plan").glob("*.sql") if path != MACROS]
    found = stage_models() | sql.find_models(*folders, PIPELINES / "agree")
    return found | {model.name: model for model in planner}


def cases() -> list[Any]:
    """One parameter per case."""
    found = []
    for path in sorted(CASES.glob("*/*.yaml")):
        for case in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) or []:
            name = f"{path.parent.name}.{path.stem}"
            found.append(pytest.param(name, case, id=f"{name}: {case.get('name')}"))
    return found


BROKEN: dict[str, duckdb.Error] = {}
"""Models that cannot be built on empty inputs; each fails its own tests, not all."""


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """All models built once on nothing, so that every table is there with its types."""
    con = open_warehouse()
    for path in sorted(CASES.glob("*/tables.sql")):
        con.execute(path.read_text(encoding="utf-8"))
    decide(con, "main")
    for model in sql.in_order(models()):
        try:
            sql.build(con, model)
        except duckdb.Error as error:
            BROKEN[model.name] = error
    yield con
    con.close()


@pytest.mark.parametrize("name", sorted(models()))
def test_every_model_builds_on_empty_inputs(warehouse, name):
    assert BROKEN.get(name) is None
    columns = TABLES.get(name) or STAGE.get(name.split(".")[1] if name.split(".")[0] in SYSTEMS else "")
    if columns:
        found = _types(warehouse, name)
        assert list(found) == list(columns), "the columns are a contract between stages: see pipelines/tables.py"
        if name in TABLES:
            zoned = {column: kind.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ") for column, kind in found.items()}
            assert zoned == columns


@pytest.mark.parametrize("name", sorted(models()))
def test_every_model_has_a_case_file(name):
    schema, table = name.split(".")
    assert (CASES / schema / f"{table}.yaml").is_file(), f"write tests/cases/{schema}/{table}.yaml"


@pytest.mark.parametrize(("name", "case"), cases())
def test_case(warehouse, name, case):
    unknown = case.keys() - {"name", "inputs", "outputs"}
    assert not unknown, f"a case has name, inputs and outputs; not {sorted(unknown)}"
    assert name in models(), f"there is no model {name}"
    model = models()[name]
    inputs = case.get("inputs") or {}
    outputs = case["outputs"] if isinstance(case["outputs"], dict) else {name: case["outputs"]}
    try:
        for table, rows in inputs.items():
            _insert(warehouse, table, rows or [])
        sql.build(warehouse, model)
        for table, rows in outputs.items():
            _compare(warehouse, table, rows or [])
    finally:
        for table in {*inputs, *outputs, name}:
            warehouse.execute(f"DELETE FROM {table}")


def _types(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {row[0]: row[1] for row in con.execute(f"DESCRIBE {table}").fetchall()}


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    types = _types(con, table)
    for row in rows:
        assert row.keys() <= types.keys(), f"{table} has no column {sorted(row.keys() - types.keys())}"
        columns = [column for column in types if column in row]
        values = [_plain(row[column], types[column]) for column in columns]
        marks = ", ".join("?" for _ in columns)
        listed = ", ".join(f'"{column}"' for column in columns)
        con.execute(f"INSERT INTO {table} ({listed}) VALUES ({marks})", values)


def _plain(value: Any, kind: str) -> Any:
    """What is bound for a YAML value: JSON text for maps and lists, unless the column is itself a list."""
    if isinstance(value, dict | list) and not kind.endswith("]"):
        return json.dumps(value, ensure_ascii=False)
    return value


def _compare(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    types = _types(con, table)
    columns = [column for column in types if any(column in row for row in rows)]
    named = {column for row in rows for column in row}
    assert named <= types.keys(), f"{table} has no column {sorted(named - types.keys())}"
    if not rows:
        assert con.execute(f"SELECT * FROM {table} LIMIT 5").fetchall() == []
        return
    expected = [{column: _typed(con, row.get(column), types[column]) for column in columns} for row in rows]
    actual = [
        {column: _parsed(value, column, rows) for column, value in zip(columns, values, strict=True)}
        for values in con.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
    ]
    assert sorted(actual, key=repr) == sorted(expected, key=repr)


def _typed(con: duckdb.DuckDBPyConnection, value: Any, kind: str) -> Any:
    """The expected value as the column's type holds it ("2026-01-02" becomes a date)."""
    if isinstance(value, dict | list):
        return value
    row = con.execute(f"SELECT CAST(? AS {kind})", [value]).fetchone()
    return row[0] if row else None


def _parsed(value: Any, column: str, rows: list[dict[str, Any]]) -> Any:
    """JSON text is compared as JSON where the case wrote a map or a list."""
    if isinstance(value, str) and any(isinstance(row.get(column), dict | list) for row in rows):
        return json.loads(value)
    return value
