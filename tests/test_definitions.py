"""The code location: it loads clean and light, its graph is the SQL's, and a night through it fills what it names."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets.catalogue import asset_key, steps
from definitions import build_defs
from pipelines.check import declared_checks
from pipelines.sql import ROOT
from sandbox.world.settings import WorldSettings
from tests.estate import PlayedEstate, errors

WORDS = {"extract", "stage", "reconcile", "check", "plan", "approve", "push", "verify"}
HEAVY = ("dlt", "great_expectations", "splink", "matplotlib", "pandas", "polars", "sandbox")
SIZE = WorldSettings(seed=5, variants=40, persons=60, shops=2)


def test_loading_warns_of_nothing_and_loads_nothing_heavy() -> None:
    code = f"import sys, definitions; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return build_defs().get_repository_def()


def test_every_sql_file_is_an_asset_of_its_name(repository: dg.RepositoryDefinition) -> None:
    keys = {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}
    files = [*(ROOT / "channels").glob("*/*.sql"), *(ROOT / "reconcile").glob("*/*.sql")]
    models = {f"{path.parent.name}/{path.stem}" for path in files if path.parent.name != "compared"}
    assert models <= keys


def test_a_description_keeps_the_paragraphs_of_its_header(repository: dg.RepositoryDefinition) -> None:
    """Dagster shows Markdown, in which a single line break is none."""
    told = {key.to_user_string(): repository.asset_graph.get(key).description or ""
            for key in repository.asset_graph.get_all_asset_keys()}
    grain, key, why = told["golden/prices"].split("\n\n")
    assert (grain, key) == ("**grain:** one item in one of our price lists", "**key:** item_id, price_list_id")
    assert why.startswith("**why:** the price of the first system") and "\n" not in why
    assert told["sync/cursors"] == "From where the next read of each endpoint goes on."
    assert not [name for name, text in told.items() if re.search(r"[^\n]\n[^\n]|(?<!\*)\b(grain|key|why): ", text)]


def test_groups_are_the_words_of_the_stages(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    assert {graph.get(key).group_name for key in graph.get_all_asset_keys()} == WORDS


def test_systems_and_duckdb_are_told_apart(repository: dg.RepositoryDefinition) -> None:
    square = repository.asset_graph.get(dg.AssetKey(["square", "items"]))
    assert square.kinds == {"duckdb", "square"}
    assert square.tags["system"] == "square"


def test_opt_outs_go_before_all_that_may_fail(repository: dg.RepositoryDefinition) -> None:
    order = [node.name for node in repository.get_job("nightly").nodes_in_topological_order]
    suppress = order.index("suppress")
    assert all(suppress < order.index(name) for name in ("items", "persons", "reach", "trees", "plan", "push"))
    assert order.index("persons") < order.index("reach") < order.index("trees")


def test_every_check_tells_what_it_stops_and_the_fatal_ones_alone_block_the_graph(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    shown = {key.name: graph.get_check_spec(key) for key in graph.asset_check_keys}
    declared = {check.name: check for check in declared_checks()}
    assert shown.keys() == declared.keys()
    for name, spec in shown.items():
        assert spec.blocking == (declared[name].severity == "fatal"), name
        assert spec.metadata["stops"] == declared[name].stops and spec.metadata["how"]
        assert (spec.description or "").endswith(f"Its failure stops {declared[name].stops}.")
    assert {name for name, spec in shown.items() if spec.blocking} == {"plan_key_twice", "plan_key_false"}


def test_backfill_never_pushes(repository: dg.RepositoryDefinition) -> None:
    assert [node.name for node in repository.get_job("backfill_orders").nodes] == ["reads__backfills"]


def test_night_starts_at_two_in_the_estates_time_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resources.channels import Settings, estate_timezone

    (tmp_path / "estate.toml").write_text(
        '[estate]\nname = "x"\ntimezone = "Asia/Tokyo"\n[systems.square]\nbase_url = "http://x"\nshop_id = "1"\n'
    )
    assert estate_timezone(Settings.read({"TRUEUP_ESTATE": str(tmp_path / "estate.toml")})) == "Asia/Tokyo"
    assert estate_timezone(Settings.read({})) == "Europe/Paris"
    schedule = build_defs().get_repository_def().get_schedule_def("every_night")
    assert schedule.cron_schedule == "0 2 * * *"


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PlayedEstate, dg.ExecuteInProcessResult]]:
    estate = PlayedEstate(tmp_path_factory.mktemp("estate"), SIZE)
    with dg.DagsterInstance.ephemeral() as instance:
        yield estate, estate.run("adopt", instance, kind="adopt")


@pytest.mark.night
def test_a_night_materialises_every_table_it_names(adopted: tuple[PlayedEstate, dg.ExecuteInProcessResult]) -> None:
    _, result = adopted
    assert result.success, errors(result)
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    named = {asset_key(table.name) for step in steps().values() for table in step.tables}
    assert named == made


@pytest.mark.night
def test_tables_show_rows_columns_and_where_columns_come_from(
    adopted: tuple[PlayedEstate, dg.ExecuteInProcessResult],
) -> None:
    _, result = adopted
    found = {
        event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
    }
    prices = found["golden/prices"]
    assert prices["dagster/row_count"].value > 0
    assert "amount" in {column.name for column in prices["dagster/column_schema"].value.columns}
    sources = prices["dagster/column_lineage"].value.deps_by_column["amount"]
    assert ("observed/prices", "amount") in {(dep.asset_key.to_user_string(), dep.column_name) for dep in sources}
    staged = found["square/prices"]["dagster/column_lineage"].value.deps_by_column["amount_minor"]
    assert {dep.asset_key.to_user_string() for dep in staged} == {"raw_square/catalog_objects"}
    assert found["reconcile/drift"]["drift"].value >= found["reconcile/drift"]["drift/never_agreed"].value > 0


@pytest.mark.night
def test_quiet_systems_plan_nothing_new(adopted: tuple[PlayedEstate, dg.ExecuteInProcessResult]) -> None:
    estate, _ = adopted
    with dg.DagsterInstance.ephemeral() as instance:
        assert estate.run("nightly", instance, kind="nightly").success
    with estate.copy() as con:
        new = con.execute(
            "SELECT system, entity, field, vendor_id, drift_class FROM sync.corrections AS c "
            "JOIN sync.plans AS p USING (plan_id) "
            "WHERE p.night_id = (SELECT night_id FROM estate.night) AND c.is_new"
        ).fetchall()
    assert new == []


@pytest.mark.night
def test_past_days_are_read_again_and_nothing_is_written(
    adopted: tuple[PlayedEstate, dg.ExecuteInProcessResult],
) -> None:
    estate, _ = adopted
    before = len(estate.store.effects(origin="api"))
    with dg.DagsterInstance.ephemeral() as instance:
        result = estate.run("backfill_orders", instance, partition="2026-06-10")
    assert result.success
    assert len(estate.store.effects(origin="api")) == before


@pytest.mark.night
def test_dry_run_writes_to_no_system(adopted: tuple[PlayedEstate, dg.ExecuteInProcessResult]) -> None:
    estate, _ = adopted
    estate.live_a_day()
    before = len(estate.store.effects(origin="api"))
    with dg.DagsterInstance.ephemeral() as instance:
        result = estate.run("sync_now", instance, kind="sync_now", dry_run=True)
        assert result.success
        shown = evaluations(result)
        assert shown.keys() == {check.name for check in declared_checks()}
        # Records are deleted on such a day, and the assortment warns of them.
        assert {name for name, one in shown.items() if not one.passed} <= {"assortment_parity"}
        assert len(estate.store.effects(origin="api")) == before
        with estate.copy() as con:
            planned = con.execute(
                "SELECT count(*) FROM sync.corrections WHERE plan_id = "
                "(SELECT arg_max(plan_id, created_at) FROM sync.plans WHERE lane = 'main')"
            ).fetchone()
        assert planned is not None and planned[0] > 0
        narrowed = estate.run("sync_now", instance, kind="sync_now", entities=["prices"], systems=["shopify"])
    assert narrowed.success
    made = estate.store.effects(origin="api")[before:]
    touched = {(e["vendor"], e["kind"]) for e in made if e["kind"] not in ("consents", "contacts", "members")}
    assert touched == {("shopify", "prices")}, "opt-outs always go, other writes only within the scope"


def spoil(monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """Let the planner of the main lane make a mistake."""
    from pipelines.plan import Lane, decide

    def spoiled(con: duckdb.DuckDBPyConnection, lane: Lane) -> int:
        row_count = decide(con, lane)
        if lane == "main":
            con.execute(statement)
        return row_count

    monkeypatch.setattr("resources.steps.decide", spoiled)


def evaluations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """What a run showed of the checks, by name."""
    return {one.check_name: one for one in result.get_asset_check_evaluations()}


@pytest.mark.night
def test_a_plan_with_broken_keys_stops_approve_and_push(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estate = PlayedEstate(tmp_path, SIZE)
    spoil(monkeypatch, "INSERT INTO plan.decided SELECT * FROM plan.decided LIMIT 1")
    with dg.DagsterInstance.ephemeral() as instance:
        result = estate.run("adopt", instance, kind="adopt")
    assert not result.success
    twice = evaluations(result)["plan_key_twice"]
    assert (twice.passed, twice.blocking, twice.severity) == (False, True, dg.AssetCheckSeverity.ERROR)
    begun = {event.step_key for event in result.all_events if event.event_type_value == "STEP_START"}
    assert "check" in begun and "plan" in begun
    assert not begun & {"approve", "push", "verify"}
    with estate.copy() as con:
        assert con.execute("SELECT count(*) FROM sync.plans WHERE lane = 'main'").fetchall() == [(0,)]
        assert con.execute("SELECT status FROM sync.nights").fetchall() == [("failed",)]
    kinds = {effect["kind"] for effect in estate.store.effects(origin="api")}
    assert not kinds & {"prices", "levels", "items", "products"}, "opt-outs went out before; nothing else does"


@pytest.mark.night
def test_a_failed_blocking_check_of_the_plan_stops_what_it_covers_and_not_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = PlayedEstate(tmp_path, SIZE)
    spoil(monkeypatch, "UPDATE plan.decided SET reason = '' WHERE system = 'shopify' AND entity = 'prices'")
    with dg.DagsterInstance.ephemeral() as instance:
        result = estate.run("adopt", instance, kind="adopt")
    assert result.success, errors(result)
    told = evaluations(result)
    unexplained = told["plan_row_unexplained"]
    assert (unexplained.passed, unexplained.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert unexplained.metadata["stops_push_of"].value == "shopify prices"
    assert [name for name, one in told.items() if not one.passed] == ["plan_row_unexplained"]
    with estate.copy() as con:
        sent = con.execute(
            "SELECT DISTINCT c.system, c.entity FROM sync.corrections AS c JOIN sync.outcomes AS o "
            "ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key WHERE o.status = 'applied'"
        ).fetchall()
        held = con.execute(
            "SELECT DISTINCT disposition, disposition_reason FROM sync.corrections "
            "WHERE system = 'shopify' AND entity = 'prices' AND disposition = 'hold'"
        ).fetchall()
    assert ("shopify", "prices") not in sent
    assert {("hubspot", "prices"), ("shopify", "stock")} <= set(sent)
    assert held == [("hold", "Failed check: plan_row_unexplained. No prices of shopify are written tonight.")]


@pytest.mark.night
def test_a_broken_step_leaves_a_failed_night_and_no_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = PlayedEstate(tmp_path, SIZE)

    def broken(con: object) -> None:
        raise RuntimeError("no trees tonight")

    monkeypatch.setattr("pipelines.reconcile.trees.build_trees", broken)
    with dg.DagsterInstance.ephemeral() as instance:
        assert not estate.run("adopt", instance, kind="adopt").success
        monkeypatch.undo()
        with estate.copy() as con:
            assert con.execute("SELECT status FROM sync.nights").fetchall() == [("failed",)]
        assert estate.run("adopt", instance, kind="adopt").success


@pytest.mark.night
def test_persons_that_cannot_be_told_apart_stop_customers_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = PlayedEstate(tmp_path, SIZE)

    def broken(con: object, **means: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr("pipelines.reconcile.persons.reconcile_persons", broken)
    with dg.DagsterInstance.ephemeral() as instance:
        assert estate.run("adopt", instance, kind="adopt").success
    with estate.copy() as con:
        pushed = dict(con.execute(
            "SELECT c.entity, count(*) FROM sync.corrections AS c JOIN sync.outcomes AS o USING (correction_key) "
            "WHERE o.status = 'applied' GROUP BY c.entity"
        ).fetchall())
        assert con.execute("SELECT status FROM sync.nights").fetchall() == [("partial",)]
    assert pushed.get("prices") and pushed.get("consents")
    assert not pushed.get("customers")


@pytest.mark.night
@pytest.mark.parametrize("how", ["is_down", "refuses"])
def test_one_system_away_makes_a_partial_night(tmp_path: Path, how: str) -> None:
    estate = PlayedEstate(tmp_path, SIZE, **{how: frozenset({"hubspot"})})
    with dg.DagsterInstance.ephemeral() as instance:
        assert estate.run("adopt", instance, kind="adopt").success
    with estate.copy() as con:
        assert con.execute("SELECT status FROM sync.nights").fetchall() == [("partial",)]
        unread = con.execute("SELECT DISTINCT system FROM reads.verdicts WHERE NOT is_complete").fetchall()
    assert unread == [("hubspot",)]
    written = {effect["vendor"] for effect in estate.store.effects(origin="api")}
    assert "hubspot" not in written and "shopify" in written
