"""Two hundred strings that break programs, as titles, SKUs, names and streets of every system, from raw to drift.

A string comes through exactly as it was given, or its row is in quarantine; no table is lost, changed or made by one.
"""

import re
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from pipelines.reconcile.drift import build_drift
from pipelines.reconcile.items import reconcile_items
from pipelines.reconcile.persons import reconcile_persons
from pipelines.reconcile.trees import build_trees
from pipelines.stage import stage_system
from pipelines.tables import fill_table
from tests import records
from tests.conftest import open_warehouse
from tests.hostile import LONGEST, TEXTS, steers
from tests.records import SYSTEMS, gid, member_id

HOSTILE = TEXTS
FIRST = 11
"""The number of the first item and person with a hostile string; the ones below are sound."""
NUMBERED = tuple(enumerate(HOSTILE, start=FIRST))

_PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "square": (
        ("catalog_objects:V", "item_variation_data.sku"), ("catalog_objects:I", "item_data.name"),
        ("customers", "given_name"), ("customers", "address.address_line_1"),
    ),
    "shopify": (
        ("variants", "sku"), ("variants", "product.title"), ("customers", "firstName"),
        ("customers", "defaultAddress.address1"),
    ),
    "hubspot": (
        ("products", "properties.hs_sku"), ("products", "properties.name"), ("contacts", "properties.firstname"),
        ("contacts", "properties.address"),
    ),
    "mailchimp": (("members", "merge_fields.FNAME"), ("members", "merge_fields.ADDRESS.addr1")),
    "brevo": (("contacts", "attributes.PRENOM"), ("contacts", "attributes.ADRESSE")),
}


def _spoilt(system: str, number: int, text: str) -> records.Records:
    found = records.sound(system, number)
    for endpoint, path in _PLACES[system]:
        value = f"{text}#{number}" if path.endswith("sku") else text
        place = f"{endpoint}{number}" if ":" in endpoint else endpoint
        found = records.spoilt(found, place, path, value)
    return found


def _tables(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, ...], int]:
    """Every table and view that there is, with its number of columns."""
    rows = con.execute(
        "SELECT table_catalog, table_schema, table_name, count(*) FROM information_schema.columns GROUP BY ALL"
    ).fetchall()
    return {tuple(row[:3]): row[3] for row in rows}


def _night(con: duckdb.DuckDBPyConnection, text_of: dict[int, str]) -> None:
    for system in SYSTEMS:
        held = [records.common(system), *(records.sound(system, n) for n in range(1, FIRST))]
        held += [_spoilt(system, number, text) for number, text in text_of.items()]
        records.put(con, system, held)
        stage_system(con, system)
    reconcile_items(con)
    build_trees(con)
    reconcile_persons(con)
    build_drift(con)


@pytest.fixture(scope="module")
def night() -> Any:
    """A night over all of them; with the tables that a night over harmless text leaves."""
    found = []
    for text_of in ({number: f"Robe {number}" for number, _ in NUMBERED}, dict(NUMBERED)):
        con = open_warehouse()
        records.mapped(con)
        moment = datetime(2026, 6, 15, tzinfo=UTC)
        fill_table(con, "estate.night", [("n0", "maison", moment, "Europe/Paris", "adopt")])
        _night(con, text_of)
        found.append(con)
    harmless, hostile = found
    yield hostile, _tables(harmless)
    harmless.close()
    hostile.close()


def _held(con: duckdb.DuckDBPyConnection, query: str, *values: str) -> Any:
    row = con.execute(query, list(values)).fetchone()
    return row[0] if row else None


@pytest.mark.parametrize(("number", "text"), NUMBERED, ids=[ascii(text)[:40] for text in HOSTILE])
def test_it_comes_through_or_is_in_quarantine(night, number, text):
    con, _ = night
    items = {"square": f"V{number}", "shopify": gid("ProductVariant", number), "hubspot": str(1000 + number)}
    persons = {
        "square": f"C{number}", "shopify": gid("Customer", number), "hubspot": str(5000 + number),
        "mailchimp": member_id(number), "brevo": str(7000 + number),
    }
    for system, vendor_id in items.items():
        if _is_quarantined(con, system, "items", vendor_id):
            continue
        key = "SELECT {} FROM staged.items WHERE system = ? AND vendor_id = ?"
        assert _held(con, key.format("title"), system, vendor_id) == text
        assert _held(con, key.format("sku"), system, vendor_id) == f"{text}#{number}"
        observed = "SELECT title FROM observed.items WHERE system = ? AND vendor_id = ?"
        assert _held(con, observed, system, vendor_id) == text
    people = set()
    for system, vendor_id in persons.items():
        if _is_quarantined(con, system, "customers", vendor_id):
            continue
        bound = "SELECT person_id FROM reconcile.person_matches WHERE system = ? AND vendor_id = ?"
        people.add(_held(con, bound, system, vendor_id))
        for column in ("first_name", "street"):
            query = f"SELECT {column} FROM staged.customers WHERE system = ? AND vendor_id = ?"
            assert _held(con, query, system, vendor_id) == text
    assert len(people - {None}) <= 1, "the records of one person"


def _is_quarantined(con: duckdb.DuckDBPyConnection, system: str, entity: str, vendor_id: str) -> bool:
    return bool(_held(
        con, "SELECT count(*) FROM staged.quarantine WHERE system = ? AND entity = ? AND vendor_id = ?",
        system, entity, vendor_id,
    ))


def test_few_are_refused(night):
    """What steers a screen and shows nothing, or is too long: a retailer may call a dress what she likes."""
    con, _ = night
    reasons = con.execute(
        "SELECT DISTINCT reason FROM staged.quarantine WHERE entity IN ('items', 'customers')"
    ).fetchall()
    assert {re.sub(r" \d+", "", reason) for (reason,) in reasons} == {"control characters", "longer than characters"}
    ids = con.execute("SELECT DISTINCT vendor_id FROM quarantine.square WHERE entity = 'items'").fetchall()
    refused = {HOSTILE[int(vendor_id.removeprefix("V")) - FIRST] for (vendor_id,) in ids}
    steering = {text for text in HOSTILE if steers(text)}
    assert steering | {"x" * 5_000} <= refused <= steering | {text for text in HOSTILE if len(text) > LONGEST}


def test_no_table_is_lost_changed_or_made(night):
    con, tables = night
    assert _tables(con) == tables
    counted = con.execute("SELECT count(*) FROM ledger.identity.items").fetchone()
    quarantined = con.execute(
        "SELECT count(DISTINCT (system, vendor_id)) FROM staged.quarantine WHERE entity = 'items'"
    ).fetchone()
    assert counted[0] + quarantined[0] == 3 * (len(HOSTILE) + FIRST - 1)


def test_what_is_alike_everywhere_does_not_drift(night):
    con, _ = night
    assert con.execute("SELECT system, field, observed, desired FROM reconcile.drift").fetchall() == []


def test_persons_are_kept_apart(night):
    con, _ = night
    people = con.execute(
        "SELECT count(DISTINCT m.person_id), count(DISTINCT c.email_norm) FROM staged.customers AS c "
        "JOIN reconcile.person_matches AS m ON m.system = c.system AND m.vendor_id = c.vendor_id"
    ).fetchone()
    long = [text for text in HOSTILE if len(text) > LONGEST]
    assert people[0] == people[1] >= len(HOSTILE) - len(long) - sum(map(steers, HOSTILE)) + FIRST - 1
