"""The assortment on the page, and the list of what is left to people: on the page, on a terminal, as a file."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import ConfigurationError
from pipelines.ledger.export import swap_snapshot
from pipelines.report.facts import night_facts
from pipelines.report.page import render
from pipelines.tables import fill_table
from pipelines.worklist import COLUMNS, check_target, worklist, write_worklist
from resources.warehouse import open_copy
from tests.plan.world import insert
from tests.report.night import AS_OF, HOSTILE, facts
from tests.report.test_facts import a_night

ENTERED = {"sku": "A-1", "prices": [{"price_list": "base", "amount_minor": 4990}]}


@pytest.fixture
def night(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Tonight: one item that shopify lacks, one that nobody could tell, one key to mend with a name that would run."""
    a_night(con)
    fill_table(con, "estate.night", [("n1", "sandbox", AS_OF, "Europe/Paris", "nightly")])
    insert(con, "reconcile.assortment", [
        {"item_id": "i1", "system": "shopify", "expected_by": "all", "state": "missing", "proof": "census",
         "proved_at": AS_OF, "census_at": AS_OF, "reason": "no record of it"},
        {"item_id": "i2", "system": "shopify", "expected_by": "carried", "state": "listed", "proof": "census",
         "proved_at": AS_OF, "census_at": AS_OF, "reason": "shopify lists it"},
        {"item_id": "i1", "system": "hubspot", "expected_by": "carried", "state": "unknown", "reason": "not read"},
    ])
    insert(con, "reconcile.worklist", [
        {"kind": "assortment", "system": "shopify", "subject_id": "i1", "name": "A-1 Robe", "state": "missing",
         "action": "create", "entered": json.dumps(ENTERED), "reason": "no record of it"},
        {"kind": "keys", "system": "square", "vendor_id": "V1", "name": HOSTILE[4], "state": "in quarantine",
         "action": "let one keep the SKU", "reason": "SKU is on more than one record of square"},
    ])
    return con


@pytest.fixture
def snapshot(night: duckdb.DuckDBPyConnection, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_copy(swap_snapshot(night, tmp_path / "snapshot.duckdb")) as copy:
        yield copy


def test_the_page_counts_every_state_and_lists_what_is_to_be_done(night):
    found = night_facts(night, "n1")
    told = [(r["system"], r["expected"], r["listed"], r["missing"], r["unknown"]) for r in found.assortment]
    assert told == [
        ("hubspot", 1, 0, 0, 1), ("shopify", 2, 1, 1, 0),
    ]
    page = render(found)
    assert "For people to do (2)" in page
    assert "A-1 Robe" in page and "let one keep the SKU" in page
    assert "trueup worklist --export worklist.csv" in page


def test_another_nights_page_does_not_tell_tonights_assortment(night):
    a_night(night, "n2", day=1)
    found = night_facts(night, "n2")
    assert (found.assortment, found.worklist) == ([], [])


def test_a_night_without_any_says_nothing_of_it():
    page = render(facts())
    assert "For people to do" not in page and 'id="assortment"' not in page


def test_the_list_comes_whole_with_what_would_be_entered(snapshot):
    rows = worklist(snapshot)
    assert [(row["kind"], row["entered"]) for row in rows] == [("assortment", ENTERED), ("keys", None)]


def test_a_sheet_of_it_runs_nothing_and_is_private(snapshot, tmp_path):
    target = write_worklist(worklist(snapshot), tmp_path / "out" / "worklist.csv")
    assert target.stat().st_mode & 0o777 == 0o600
    with target.open(encoding="utf-8", newline="") as file:
        head, first, second = csv.reader(file)
    assert tuple(head) == COLUMNS
    assert json.loads(first[COLUMNS.index("entered")]) == ENTERED
    assert second[COLUMNS.index("name")] == f"'{HOSTILE[4]}"


def test_a_program_gets_it_line_by_line(snapshot, tmp_path):
    target = write_worklist(worklist(snapshot), tmp_path / "worklist.jsonl")
    lines = target.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["assortment", "keys"]


def test_a_file_of_another_form_is_refused_with_the_forms_there_are():
    with pytest.raises(ConfigurationError, match=r"worklist.pdf: a work list is written as .csv or .jsonl"):
        check_target(Path("worklist.pdf"))


def test_a_snapshot_of_an_older_version_says_what_to_do(night, tmp_path):
    night.execute("DROP TABLE reconcile.worklist")
    old = swap_snapshot(night, tmp_path / "old.duckdb")
    with open_copy(old) as copy, pytest.raises(ConfigurationError, match="trueup sync"):
        worklist(copy)
