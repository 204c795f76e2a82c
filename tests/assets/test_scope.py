"""A run that is narrowed by a misspelt word never ends in "all agree": the word is refused, and named."""

from contextlib import nullcontext

import dagster as dg
import duckdb
import pytest
from dagster._core.snap import JobSnap
from dagster._core.snap.snap_to_yaml import default_values_yaml_from_type_snap
from typer.testing import CliRunner

from assets.jobs import JOBS
from cli.main import app
from definitions import build_defs
from pipelines.channels import CHANNELS
from pipelines.errors import ConfigurationError
from pipelines.plan import decide
from pipelines.scope import narrow_plan
from resources.asked import EndpointName, EntityName, SystemName, words_of
from resources.night import NightResource

AT = "TIMESTAMPTZ '2026-06-15 00:00:00Z'"


def checked(job: str, **asked: object) -> object:
    """The run config as Dagster checks it before a launch."""
    config = {"resources": {"night": {"config": asked}}}
    return dg.validate_run_config(build_defs().resolve_job_def(job), config)


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"systems": ["square", "nosuch"]}, "nosuch"),
        ({"entities": ["pricez"]}, "pricez"),
        ({"accept_short": ["square.catalogue"]}, "square.catalogue"),
        ({"kind": "nightlie"}, "nightlie"),
    ],
)
def test_the_launchpad_refuses_another_word_before_the_launch(asked: dict[str, object], word: str) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError) as refused:
        checked("sync_now", **asked)
    assert word in str(refused.value)


def test_the_launchpad_offers_what_there_is() -> None:
    assert words_of(SystemName) == [channel.name for channel in CHANNELS]
    assert words_of(EntityName) == ["items", "prices", "stock", "customers", "consents"]
    assert {"square.catalog_objects", "shopify.orders"} <= set(words_of(EndpointName))


def test_right_words_reach_the_run() -> None:
    checked("sync_now", systems=["square"], entities=["prices"], subjects=["X"], accept_short=["shopify.orders"])


def test_a_rollback_that_is_launched_narrows_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    checked("sync_now", kind="sync_now", rollback_of="2026-06-16.1-main")
    monkeypatch.setattr(NightResource, "opener", staticmethod(lambda holder: nullcontext(object())))
    asked = NightResource(kind="sync_now", rollback_of="2026-06-16.1-main")
    with asked.yield_for_execution(dg.build_init_resource_context()) as night:
        assert night.tonight.rollback_of == "2026-06-16.1-main" and night.tonight.plan_id == ""
        assert night.tonight.scope["rollback_of"] == "2026-06-16.1-main", "so that it is no whole night"


def test_sync_now_opens_with_the_words_that_narrow_it() -> None:
    (job,) = [job for job in JOBS if job.name == "sync_now"]
    opened = build_defs().resolve_job_def("sync_now").run_config
    assert opened == job.config
    assert opened["resources"]["night"]["config"] == {
        "kind": "sync_now", "dry_run": False, "systems": [], "entities": [], "subjects": []
    }


def test_the_launchpad_of_the_backfill_asks_for_nothing_of_a_night() -> None:
    """It opens with the defaults of the job's schema, whatever config a partitioned job has of its own."""
    snap = JobSnap.from_job_def(build_defs().resolve_job_def("backfill_orders"))
    root = snap.config_schema_snapshot.get_config_snap(snap.mode_def_snaps[0].root_config_key)
    shown = default_values_yaml_from_type_snap(snap.config_schema_snapshot, root)
    assert [word for word in ("kind", "nightly", "dry_run", "force_census") if word in shown] == []
    with pytest.raises(dg.DagsterInvalidConfigError):
        checked("nightly", kind="backfill")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sync", "--system", "shopfy"], "allowed: square, shopify, hubspot, mailchimp"),
        (["sync", "--entity", "pricez"], "allowed: items, prices, stock, customers, consents"),
        (["plan", "--system", "shopfy"], "shopify"),
        (["adopt", "--accept-short", "square.catalogue"], "square.catalog_objects"),
    ],
)
def test_the_command_line_refuses_another_word_and_says_the_allowed_ones(words: list[str], told: str) -> None:
    done = CliRunner().invoke(app, words, terminal_width=400)
    assert done.exit_code == 2
    assert told in " ".join(done.output.replace("│", " ").split())


@pytest.fixture
def drifted(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Two drifted prices and one that agrees, in an estate of two systems."""
    con.execute("INSERT INTO estate.systems VALUES ('square', 's', 'UTC'), ('shopify', 't', 'UTC')")
    for number in (1, 2, 3):
        con.execute(
            f"INSERT INTO ledger.identity.items VALUES ('square', ?, ?, norm_sku(?), NULL, 'sku', {AT}, 'n')",
            [f"V{number}", f"item{number}", f"SKU-{number}"],
        )
    con.execute(
        "INSERT INTO reconcile.drift BY NAME SELECT 'square' AS system, 'prices' AS entity, 'amount' AS field, "
        "'V' || i AS vendor_id, 'item' || i AS subject_id, 'here' AS drift_class, '1' AS observed, '2' AS desired "
        "FROM range(1, 3) AS r(i)"
    )
    con.execute(f"INSERT INTO estate.night VALUES ('n', 'maison', {AT}, 'UTC', 'sync_now')")
    decide(con, "main")
    return con


def left(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in con.execute("SELECT vendor_id FROM plan.decided ORDER BY 1").fetchall()]


@pytest.mark.parametrize("key", ["sku-1", "V1", "item1"])
def test_a_known_key_narrows(drifted: duckdb.DuckDBPyConnection, key: str) -> None:
    assert narrow_plan(drifted, systems=[], entities=[], keys=[key]) == 1
    assert left(drifted) == ["V1"]


def test_a_key_that_agrees_is_known_and_leaves_nothing(drifted: duckdb.DuckDBPyConnection) -> None:
    assert narrow_plan(drifted, systems=["square"], entities=["prices"], keys=["SKU-3"]) == 2
    assert left(drifted) == []


def test_a_key_that_nothing_goes_by_fails_and_is_named(drifted: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ConfigurationError, match="nothing goes by 'SKU-9'"):
        narrow_plan(drifted, systems=[], entities=[], keys=["SKU-1", "SKU-9"])
    assert left(drifted) == ["V1", "V2"]


def test_an_address_that_nobody_has_is_named_by_its_place_alone(drifted: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ConfigurationError, match="e-mail address that is key 2") as refused:
        narrow_plan(drifted, systems=[], entities=[], keys=["SKU-1", "zoe@example.fr"])
    assert "zoe" not in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"systems": ["hubspot"]}, "'hubspot' is no system; allowed: shopify, square"),
        ({"entities": ["pricez"]}, "'pricez' is no entity; did you mean \"prices\""),
    ],
)
def test_a_system_that_the_estate_has_not_is_refused(
    drifted: duckdb.DuckDBPyConnection, asked: dict[str, list[str]], told: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        narrow_plan(drifted, **{"systems": [], "entities": [], "keys": [], **asked})
    assert told in str(refused.value)
