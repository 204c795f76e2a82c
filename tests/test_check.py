"""Checks: what is declared, what a failed one stops, and that none of them tells a value."""

import logging
from pathlib import Path

import duckdb
import pytest

from pipelines.check import CheckResult, declared_checks, run_checks, stored_results
from pipelines.check import declare as declare_module
from pipelines.check.declare import FOLDER
from pipelines.errors import ConfigurationError
from pipelines.tables import TABLES


@pytest.fixture
def night(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute("INSERT INTO estate.systems VALUES ('square', 's', 'Europe/Paris'), ('shopify', 't', 'Europe/Paris')")
    return con


def found(con: duckdb.DuckDBPyConnection) -> dict[str, CheckResult]:
    return {result.name: result for result in run_checks(con)}


def price(con: duckdb.DuckDBPyConnection, amount: int, currency: str = "EUR", item: str = "i") -> None:
    con.execute(
        "INSERT INTO golden.prices VALUES (?, 'eur', ?, ?, NULL, 'gross', 2000, 'square', 'r', 'x')",
        [item, currency, amount],
    )


def test_every_check_says_what_must_hold_of_a_table_we_have() -> None:
    for check in declared_checks():
        assert check.table in TABLES, check.name
        assert check.description.endswith("."), check.name


def test_empty_tables_break_no_promise(night: duckdb.DuckDBPyConnection) -> None:
    assert all(result.passed for result in run_checks(night))
    assert [result.name for result in stored_results(night)] == sorted(check.name for check in declared_checks())


def test_failed_blocking_check_freezes_what_it_covers(night: duckdb.DuckDBPyConnection) -> None:
    price(night, -5)
    results = found(night)
    assert results["golden_price_magnitude"] == CheckResult(
        "golden_price_magnitude", "golden.prices", "great_expectations", True, False, 1,
        "shopify prices, square prices",
    )
    assert not results["negative_price"].passed
    frozen = night.execute("SELECT DISTINCT system, entity FROM reads.verdicts WHERE NOT is_complete").fetchall()
    assert sorted(frozen) == [("shopify", "prices"), ("square", "prices")]


def test_warning_stops_nothing(night: duckdb.DuckDBPyConnection) -> None:
    for vendor_id in ("a", "b"):
        night.execute(
            "INSERT INTO observed.items (system, vendor_id, item_id) VALUES ('square', ?, 'i')", [vendor_id]
        )
    result = found(night)["one_item_twice"]
    assert not result.passed and result.failed_rows == 1 and result.covered == ""
    assert night.execute("SELECT count(*) FROM reads.verdicts").fetchall() == [(0,)]


def test_stock_that_is_not_the_sum_of_its_terms(night: duckdb.DuckDBPyConnection) -> None:
    night.execute(
        "INSERT INTO golden.stock (item_id, location_id, on_hand, committed, held, safety, available) "
        "VALUES ('i', 'paris', 10, 2, 0, 1, 8)"
    )
    assert not found(night)["stock_terms"].passed


def test_key_twice_in_golden_and_in_drift(night: duckdb.DuckDBPyConnection) -> None:
    price(night, 5)
    price(night, 6)
    for desired in ("1", "2"):
        night.execute(
            "INSERT INTO reconcile.drift (system, entity, field, vendor_id, vendor_sub_id, desired, drift_class) "
            "VALUES ('shopify', 'prices', 'amount', 'v', 'base', ?, 'here')", [desired],
        )
    results = found(night)
    assert results["golden_key_twice"].covered == "shopify prices, square prices"
    assert results["drift_key_twice"].covered == "shopify prices"


def test_a_changed_format_is_not_bad_rows(night: duckdb.DuckDBPyConnection) -> None:
    night.execute("CREATE TABLE IF NOT EXISTS quarantine.square (entity VARCHAR, vendor_id VARCHAR, "
                  "vendor_sub_id VARCHAR, field VARCHAR, reason VARCHAR, value_class VARCHAR)")
    for number in range(25):
        night.execute("INSERT INTO quarantine.square VALUES ('items', ?, '', 'sku', 'blank', 'text')", [str(number)])
        night.execute(
            "INSERT INTO observed.items (system, vendor_id, item_id) VALUES ('square', ?, ?)", [f"o{number}"] * 2
        )
    assert found(night)["mostly_quarantined"].covered == "square items"


def test_personal_columns_tell_only_the_verdict(
    night: duckdb.DuckDBPyConnection, caplog: pytest.LogCaptureFixture
) -> None:
    canary = "+33612345678901234567"
    with caplog.at_level(logging.DEBUG):
        night.execute("INSERT INTO golden.customers (person_id, phone) VALUES ('p', ?), ('q', ?)", [canary, canary])
        result = found(night)["golden_phone_length"]
    assert not result.passed
    assert result.failed_rows == 1, "one: how many is not asked"
    assert canary not in caplog.text
    stored = night.execute("SELECT * FROM checks.results").fetchall()
    assert canary not in str(stored)
    personal = [check for check in declared_checks() if check.table in ("golden.customers", "golden.consents")]
    assert personal and all(check.is_personal for check in personal)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-- table: golden.prices\n-- severity: blocking\nSELECT 1 AS system, 2 AS entity", "no `-- check:`"),
        ("-- check: x\n-- table: golden.prices\n-- severity: loud\nSELECT 1 AS system", "allowed: blocking, warning"),
        ("-- check: x\n-- table: golden.prices\n-- severity: blocking\nSELECT 1; SELECT 2", "exactly one SELECT"),
    ],
)
def test_a_check_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "broken.sql"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        declare_module._of_sql(path)


def test_expectation_that_does_not_exist_is_named(night: duckdb.DuckDBPyConnection) -> None:
    from pipelines.check.suites import run_suites

    strange = declare_module.Declared("x", "golden.items", "X.", True, expectation="expect_miracles")
    with pytest.raises(ConfigurationError, match="expect_miracles"):
        run_suites(night, [strange])


def test_checks_lie_beside_each_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.sql")} <= {check.name for check in declared_checks()}
