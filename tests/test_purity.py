"""The planner's SQL is pure: the same tables give the same rows, whenever and however often it runs.

sqlglot looks at every static model of reconcile and plan, and at the generated ones: no clock, no chance, no sequence,
no aggregate that depends on the order of rows, no SELECT *, and exactly one SELECT a file.
"""

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from pipelines.policy import FIELDS
from pipelines.reconcile.differing import Target
from pipelines.reconcile.drift import COMPARED, drift, stock_drifted
from pipelines.stage import union_models
from tests.conftest import ROOT

FORBIDDEN = {
    "now", "today", "get_current_time", "get_current_timestamp", "current_date", "current_time", "current_timestamp",
    "current_localtime", "current_localtimestamp", "current_setting", "transaction_timestamp", "random", "setseed",
    "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "nextval", "currval", "hash", "rand", "arbitrary",
}
CLOCKS = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.CurrentDatetime, exp.Rand, exp.Uuid)
ORDER_NEEDED = (exp.First, exp.Last, exp.AnyValue, exp.ArrayAgg, exp.GroupConcat)
ORDER_NEEDED_NAMES = {"first", "last", "any_value", "list", "array_agg", "string_agg", "group_concat", "listagg"}


def files() -> list[Path]:
    """Every SQL file of reconcile and plan."""
    folders = [path for name in ("reconcile", "plan*") for path in (ROOT / "pipelines").glob(name) if path.is_dir()]
    return sorted(path for folder in folders for path in folder.rglob("*.sql"))


def faults(tree: exp.Expression) -> list[str]:
    """What makes a tree impure, in words."""
    found = []
    for node in tree.walk():
        name = node.name.lower() if isinstance(node, exp.Anonymous) else node.key
        if isinstance(node, CLOCKS) or name in FORBIDDEN:
            found.append(f"{node.sql('duckdb')} is not the same every time")
        elif isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
            found.append("SELECT * takes whatever columns there are")
        elif (isinstance(node, ORDER_NEEDED) or name in ORDER_NEEDED_NAMES) and not _is_ordered(node):
            found.append(f"{node.sql('duckdb')} depends on the order of rows")
    return found


def _is_ordered(node: exp.Expression) -> bool:
    within = node.find_ancestor(exp.Window, exp.WithinGroup, exp.Select)
    has_order = node.find(exp.Order) is not None
    return has_order or (isinstance(within, exp.Window | exp.WithinGroup) and within.find(exp.Order) is not None)


def statements(path: Path) -> list[exp.Expression]:
    """The statements of a file, macros left out."""
    parsed = sqlglot.parse(path.read_text(encoding="utf-8"), dialect="duckdb")
    return [tree for tree in parsed if tree is not None and not isinstance(tree, exp.Create | exp.Command)]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT / "pipelines")))
def test_planner_sql_is_pure(path):
    trees = statements(path)
    assert len(trees) <= 1, "exactly one SELECT a file"
    assert [fault for tree in trees for fault in faults(tree)] == []


def test_generated_sql_is_pure():
    targets = tuple(
        Target(system, entity, field, 3)
        for entity, fields in COMPARED.items() for field in fields for system in ("square", "shopify")
    )
    generated = [drift(targets), stock_drifted(targets), *union_models().values()]
    assert [fault for model in generated for fault in faults(sqlglot.parse_one(model.sql, dialect="duckdb"))] == []


def test_every_field_of_the_policy_is_compared_somewhere():
    compared = {f"{entity}.{field}" for entity, fields in COMPARED.items() for field in fields}
    assert compared | {"consents.state"} == set(FIELDS)


@pytest.mark.parametrize("text", [
    "SELECT now() AS a", "SELECT current_date AS a", "SELECT current_timestamp AS a", "SELECT random() AS a",
    "SELECT uuid() AS a", "SELECT gen_random_uuid() AS a", "SELECT nextval('s') AS a", "SELECT * FROM t",
    "SELECT t.* FROM t", "SELECT first(a) AS a FROM t", "SELECT any_value(a) AS a FROM t", "SELECT list(a) AS a FROM t",
    "SELECT string_agg(a, ',') AS a FROM t", "SELECT array_agg(a) AS a FROM t", "SELECT today() AS a",
    "SELECT hash(a) AS a FROM t",
])
def test_the_check_sees_what_is_impure(text):
    assert faults(sqlglot.parse_one(text, dialect="duckdb"))


@pytest.mark.parametrize("text", [
    "SELECT count(*) AS n FROM t", "SELECT list(a ORDER BY a) AS a FROM t", "SELECT first(a ORDER BY b) AS a FROM t",
    "SELECT string_agg(a, ',' ORDER BY a) AS a FROM t", "SELECT any_value(a ORDER BY a) AS a FROM t",
    "SELECT first_value(a) OVER (PARTITION BY b ORDER BY c) AS a FROM t", "SELECT arg_min(a, b) AS a FROM t",
])
def test_the_check_lets_pure_sql_be(text):
    assert faults(sqlglot.parse_one(text, dialect="duckdb")) == []
