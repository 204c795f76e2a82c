"""The graph is whole: every table that stays is an asset, every origin of a column is one, figures have their zeros."""

from fnmatch import fnmatch
from typing import Any

import dagster as dg
import pytest

from assets.catalogue import asset_key, steps, table_name
from assets.kept import NO_ASSETS
from assets.origins import STATEMENTS
from definitions import build_defs
from pipelines.figures import CLASSES
from pipelines.inserted import copied, inserted
from pipelines.lineage import column_lineage
from pipelines.model import Disposition, OutcomeStatus, VerificationStatus
from tests.assets.conftest import told
from tests.nights.harness import SYSTEMS, PlayedEstate

Played = tuple[PlayedEstate, dg.ExecuteInProcessResult]
Told = dict[str, dict[str, Any]]


def known() -> set[str]:
    return {key.to_user_string() for key in build_defs().get_repository_def().asset_graph.get_all_asset_keys()}


def test_a_table_and_its_asset_have_one_name() -> None:
    for step in steps().values():
        for table in step.tables:
            assert table_name(asset_key(table.name)) == table.name


def test_a_table_is_filled_by_one_step_after_what_it_is_made_of() -> None:
    names = [table.name for step in steps().values() for table in step.tables]
    assert len(set(names)) == len(names)
    place = {name: number for number, name in enumerate(names)}
    for before, after in (
        ("reconcile.consent_news", "ledger.identity.consent_events"),
        ("ledger.identity.consent_events", "golden.consents"),
        ("reconcile.person_features", "reconcile.person_pairs"), ("reconcile.person_clusters", "reconcile.person_ids"),
        ("plan.decided", "ledger.sync.corrections"), ("agree.written", "ledger.agreed.prices"),
        ("reconcile.stock_explained", "reconcile.drift"),
    ):
        assert place[before] < place[after]


def test_an_insert_is_read_by_position_and_a_merge_by_what_it_inserts() -> None:
    schema = {"b.c": {"x": "INTEGER", "y": "INTEGER"}, "b.d": {"z": "INTEGER"}}
    both = inserted("t.u", "INSERT INTO t.u SELECT a.x, a.y FROM b.c AS a UNION ALL SELECT z, 1 FROM b.d", ["p", "q"])
    assert column_lineage(both, schema) == {"p": [("b.c", "x"), ("b.d", "z")], "q": [("b.c", "y")]}
    merged = inserted(
        "t.u", "MERGE INTO t.u AS t USING b.c AS s ON t.p = s.x WHEN MATCHED THEN UPDATE SET q = s.y "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.x, CASE WHEN s.y > 0 THEN s.y END)", ["p", "q"],
    )
    assert column_lineage(merged, schema) == {"p": [("b.c", "x")], "q": [("b.c", "y")]}
    assert column_lineage(copied("t.u", "b.c", ["y"]), schema) == {"y": [("b.c", "y")]}


@pytest.mark.night
def test_every_table_that_stays_is_an_asset_or_on_the_list_with_a_reason(first: Played) -> None:
    with first[0].open() as place:
        there = {
            f"{'ledger.' if database == 'ledger' else ''}{schema}.{table}"
            for database, schema, table in place.con.execute(
                "SELECT database_name, schema_name, table_name FROM duckdb_tables() WHERE NOT temporary"
            ).fetchall()
        }
        own = {"", *place.estate.systems}
    named = {table.name for step in steps().values() for table in step.tables if table.system in own}
    assert {t for t in there - named if not any(fnmatch(t, pattern) for pattern in NO_ASSETS)} == set()
    assert named - there == set(), "and no asset of a night is without a table"
    assert all(any(fnmatch(t, pattern) for t in there) for pattern in NO_ASSETS), "nothing stale is on the list"
    assert all(NO_ASSETS.values())


@pytest.mark.night
def test_every_origin_of_a_column_is_a_column_of_a_known_asset(first: Played) -> None:
    assets, columns = known(), _columns(first)
    strange, missing = set(), set()
    for name, facts in told(first[1]).items():
        for column, deps in _lineage(facts).items():
            assert column in columns[name], f"{name}.{column}"
            for dep in deps:
                source = dep.asset_key.to_user_string()
                if source not in assets:
                    strange.add(source)
                elif dep.column_name not in columns[source]:
                    missing.add((name, column, source, dep.column_name))
    assert strange == set()
    assert missing == set()


@pytest.mark.night
def test_all_that_sql_fills_says_where_its_columns_come_from(first: Played) -> None:
    found = {name: _lineage(facts) for name, facts in told(first[1]).items()}

    def sources(table: str, column: str) -> set[tuple[str, str]]:
        return {(dep.asset_key.to_user_string(), dep.column_name) for dep in found[table].get(column, [])}

    assert ("golden/prices", "amount") in sources("reconcile/drift", "desired")
    assert ("agreed/prices", "amount") in sources("reconcile/drift", "base")
    assert sources("sync/corrections", "desired") == {("plan/decided", "desired")}
    for entity in ("items", "prices", "stock", "customers", "consents"):
        assert ("agree/" + entity, "vendor_id") in sources(f"agreed/{entity}", "vendor_id")
    for system in SYSTEMS:
        kept = {source for source, _ in sources(f"quarantine/{system}", "reason")}
        assert kept and all(source.startswith(f"raw_{system}/") for source in kept)
    assert ("reconcile/item_faults", "reason") in sources("quarantine/reconcile", "reason")
    assert ("reconcile/person_bindings", "person_id") in sources("identity/persons", "person_id")
    assert sources("observed/prices", "amount") >= {("square/prices", "amount_minor")}, "the views are seen through"
    statements = {asset_key(table).to_user_string() for table in STATEMENTS}
    assert {name for name in statements if not found[name]} == set()
    models = {key for key in found if key.split("/")[0] in ("golden", "observed", "agree", "suppressions", "plan")}
    assert {name for name in models if not found[name]} <= {"plan/populations"}


@pytest.mark.night
def test_a_plot_has_no_holes(first: Played) -> None:
    found = told(first[1])
    for table, lane in (("reconcile/drift", "main"), ("reconcile/consent_drift", "suppression")):
        wanted = {f"drift/{name}" for name in CLASSES[lane]}
        wanted |= {f"drift/{s}/{name}" for s in SYSTEMS for name in CLASSES[lane]} | {f"drift/{s}" for s in SYSTEMS}
        assert wanted | {"drift"} <= set(found[table])
        assert 0 in {found[table][name] for name in wanted}
        assert found[table]["drift"] == sum(found[table][f"drift/{name}"] for name in CLASSES[lane])
    assert {d.value for d in Disposition} | {"rows", "new"} <= set(found["sync/corrections"])
    assert {f"{s}/{status}" for s in SYSTEMS for status in OutcomeStatus} <= set(found["sync/outcomes"])
    assert {status.value for status in VerificationStatus} <= set(found["sync/verifications"])
    opt_outs = set(found["suppressions/over_links"])
    assert {f"{s}/{status}" for s in SYSTEMS for status in (*OutcomeStatus, *VerificationStatus)} <= opt_outs


@pytest.mark.night
def test_the_run_shows_the_report_and_its_head_figures(first: Played) -> None:
    played, result = first
    night = told(result)["sync/nights"]
    report = (played.settings.reports / night["night_id"] / "report.html").resolve()
    assert report.is_file()
    assert (night["report"], night["report_link"]) == (str(report), report.as_uri())
    lines = night["headline"].splitlines()
    assert lines[0].startswith(f"**Night {night['night_id']}: ")
    head = next(line for line in lines if line.startswith("| system"))
    assert all(word in head for word in ("planned", "held", "pushed", "confirmed"))
    table = [line.count("|") for line in lines if line.startswith("|")]
    assert len(set(table)) == 1 and len(table) > 4
    lanes = [told(result)[name]["rows"] for name in ("sync/corrections", "suppressions/by_address")]
    assert night["planned"] >= sum(lanes) > 0


def _lineage(facts: dict[str, Any]) -> dict[str, list[dg.TableColumnDep]]:
    found = facts.get("dagster/column_lineage")
    return {} if found is None else dict(found.deps_by_column)


def _columns(first: Played) -> dict[str, set[str]]:
    return {
        name: {column.name for column in facts["dagster/column_schema"].columns}
        for name, facts in told(first[1]).items() if "dagster/column_schema" in facts
    }
