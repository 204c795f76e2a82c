"""Stage as a whole: one system at a time, bad rows out with their reason, and the view over all systems."""

import json

from pipelines.sql import model_of
from pipelines.stage import create_unions, stage_models, stage_system, union_models
from pipelines.tables import STAGE, TABLES, create_tables, fill_table


def put(con, table: str, *payloads: dict[str, object]) -> None:
    for number, payload in enumerate(payloads, start=1):
        con.execute(f"INSERT INTO {table} VALUES (?, NULL, ?, NULL)", [str(number), json.dumps(payload)])


def test_a_system_is_staged_whole_and_its_bad_rows_are_kept_out(con):
    put(con, "raw_hubspot.account", {"companyCurrency": "EUR"})
    put(
        con, "raw_hubspot.products",
        {"properties": {"name": "Bougie", "hs_sku": "A-1", "price": "10.50"}},
        {"properties": {"name": "Vase", "hs_sku": "A-2", "price": "12,50"}},
    )
    built = stage_system(con, "hubspot")
    assert set(built) == {name for name in stage_models() if name.startswith("hubspot.")}
    assert (built["hubspot.items"], built["hubspot.prices"]) == (2, 1)
    kept_out = con.execute("SELECT entity, vendor_id, field, value_class FROM quarantine.hubspot").fetchall()
    assert kept_out == [("prices", "2", "amount", "comma decimal")]
    everywhere = con.execute("SELECT system, entity, vendor_id FROM staged.quarantine").fetchall()
    assert everywhere == [("hubspot", "prices", "2")]
    stage_system(con, "hubspot")
    assert con.execute("SELECT count(*) FROM quarantine.hubspot").fetchall() == [(1,)], "staged twice, told once"


def test_the_view_over_all_systems_names_the_system_and_survives_a_rebuild(con):
    put(con, "raw_hubspot.products", {"properties": {"name": "Bougie", "hs_sku": "A-1", "price": "10.50"}})
    stage_system(con, "hubspot")
    found = con.execute("SELECT system, vendor_id, sku_norm FROM staged.items").fetchall()
    assert found == [("hubspot", "1", "A-1")]
    create_unions(con)
    assert con.execute("SELECT system, vendor_id, sku_norm FROM staged.items").fetchall() == found


def test_every_entity_has_a_view_with_the_contract_columns(con):
    for entity, columns in STAGE.items():
        described = [row[0] for row in con.execute(f"DESCRIBE staged.{entity}").fetchall()]
        assert described == ["system", *columns]
        own = {model.name for model in stage_models().values() if model.table == entity}
        assert union_models()[f"staged.{entity}"].inputs == own


def test_tables_that_exist_are_left_alone_and_missing_ones_are_made(con):
    fill_table(con, "policy.pilots", [("square", "stock", "i1")])
    create_tables(con, [model_of("acme.items", "SELECT r.id FROM raw_acme.things AS r")])
    assert con.execute("SELECT * FROM policy.pilots").fetchall() == [("square", "stock", "i1")]
    assert con.execute("SELECT count(*) FROM raw_acme.things").fetchall() == [(0,)]
    assert con.execute("SELECT count(*) FROM acme.items").fetchall() == [(0,)]


def test_a_table_of_an_older_version_is_made_anew_when_it_is_filled(con):
    con.execute("CREATE OR REPLACE TABLE policy.pilots (system VARCHAR)")
    fill_table(con, "policy.pilots", [("square", "stock", "i1")])
    assert [row[0] for row in con.execute("DESCRIBE policy.pilots").fetchall()] == list(TABLES["policy.pilots"])


def test_a_stage_table_of_an_older_version_does_not_keep_the_warehouse_shut(con):
    con.execute("DROP VIEW staged.customers")
    con.execute("CREATE OR REPLACE TABLE hubspot.customers AS SELECT '1' AS vendor_id")
    create_unions(con)
    assert con.execute("SELECT vendor_id FROM staged.customers").fetchall() == []


def test_a_quarantine_of_an_older_version_is_made_anew(con):
    con.execute("DROP VIEW staged.quarantine")
    for table in ("quarantine.hubspot", "quarantine.reconcile"):
        con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * EXCLUDE (contact_point) FROM {table}")
    create_unions(con)
    assert con.execute("SELECT contact_point FROM staged.quarantine").fetchall() == []


def test_a_permission_that_is_kept_out_keeps_its_contact_point(con):
    put(con, "raw_odoo.contacts", {"email": "anne@example.fr"})
    put(con, "raw_odoo.blacklist", {"email": "root@localhost"})
    stage_system(con, "odoo")
    found = con.execute(
        "SELECT vendor_id, contact_point = contact_point('email', 'anne@example.fr') FROM staged.quarantine "
        "ORDER BY ALL"
    ).fetchall()
    assert found == [("blacklist:1", None), ("contact:1", True)]


def test_a_system_outside_the_estate_is_in_no_view(con):
    con.execute("DROP SCHEMA mailchimp CASCADE")
    create_unions(con, ["hubspot", "square"])
    put(con, "raw_hubspot.account", {"companyCurrency": "EUR"})
    assert union_models(["hubspot", "square"])["staged.customers"].inputs == {"hubspot.customers", "square.customers"}
    put(con, "raw_hubspot.products", {"properties": {"name": "Bougie", "hs_sku": "A-1", "price": "10.50"}})
    stage_system(con, "hubspot")
    assert con.execute("SELECT system FROM staged.items").fetchall() == [("hubspot",)]
    assert con.execute("SELECT count(*) FROM staged.quarantine").fetchall() == [(0,)]


def test_a_system_that_serves_as_less_leaves_the_rest_empty(con):
    put(con, "raw_hubspot.account", {"companyCurrency": "EUR"})
    put(
        con, "raw_hubspot.products",
        {"properties": {"name": "Bougie", "hs_sku": "A-1", "price": "10.50"}},
        {"properties": {"name": "Vase", "hs_sku": "A-2", "price": "12,50"}},
    )
    stage_system(con, "hubspot")
    assert con.execute("SELECT count(*) FROM staged.quarantine").fetchall() == [(1,)]
    built = stage_system(con, "hubspot", {"customers", "items"})
    assert con.execute("SELECT count(*) FROM staged.quarantine").fetchall() == [(0,)]
    assert set(built) == {"hubspot.customers", "hubspot.items"}
    assert con.execute("SELECT count(*) FROM staged.items").fetchall() == [(2,)]
    assert con.execute("SELECT count(*) FROM staged.prices").fetchall() == [(0,)], "it no longer says prices"
