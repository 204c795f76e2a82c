"""Checks of tonight's tables: what is declared, what a failed one stops, and that none of them tells a value."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.check import CheckResult, declared_checks, run_checks, stored_results
from pipelines.check import declare as declare_module
from pipelines.check.declare import DRAFT, FOLDER
from pipelines.check.run import evaluate
from pipelines.errors import ConfigurationError
from pipelines.tables import TABLES
from tests.plan.world import insert


@pytest.fixture
def night(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute("INSERT INTO estate.systems VALUES ('square', 's', 'Europe/Paris'), ('shopify', 't', 'Europe/Paris')")
    return con


def found(con: duckdb.DuckDBPyConnection) -> dict[str, CheckResult]:
    return {result.name: result for result in run_checks(con)}


def price(con: duckdb.DuckDBPyConnection, amount: int, currency: str | None = "EUR", item: str = "i") -> None:
    con.execute(
        "INSERT INTO golden.prices VALUES (?, 'eur', ?, ?, NULL, 'gross', 2000, 'square', 'r', 'x', NULL)",
        [item, currency, amount],
    )


def test_every_check_says_what_must_hold_of_a_table_we_have() -> None:
    for check in declared_checks():
        assert check.table in TABLES or check.table == DRAFT, check.name
        assert check.description.endswith("."), check.name


def test_empty_tables_break_no_promise(night: duckdb.DuckDBPyConnection) -> None:
    assert all(result.passed for result in run_checks(night))
    declared = {check.name for check in declared_checks() if not check.is_of_plan}
    assert {result.name for result in stored_results(night)} == declared


def test_failed_blocking_check_freezes_what_it_covers(night: duckdb.DuckDBPyConnection) -> None:
    price(night, 5)
    night.execute("UPDATE golden.prices SET tax_basis = 'unknown'")
    assert found(night)["golden_price_tax_basis"] == CheckResult(
        "golden_price_tax_basis", "golden.prices", "great_expectations", "blocking", False, 1,
        "shopify prices, square prices",
    )
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
    for number in range(25):
        insert(night, "quarantine.square", [
            {"entity": "items", "vendor_id": str(number), "field": "sku", "reason": "blank", "value_class": "text"}
        ])
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
        ("-- check: x\n-- table: golden.prices\n-- severity: loud\nSELECT 1 AS system", "allowed: warning, blocking"),
        ("-- check: x\n-- table: golden.prices\n-- severity: fatal\nSELECT 1 AS system", "allowed: warning, blocking"),
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

    strange = declare_module.Declared("x", "golden.items", "X.", "blocking", expectation="expect_miracles")
    with pytest.raises(ConfigurationError, match="expect_miracles"):
        run_suites(night, [strange])


def stops(con: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]]:
    """What one SQL check would stop now."""
    (check,) = [check for check in declared_checks() if check.name == name]
    (one,) = evaluate(con, [check])
    assert bool(one.failed_rows) == (not one.result.passed)
    return list(one.stops)


@pytest.mark.parametrize(
    ("name", "table", "row", "covered"),
    [
        ("staged_key_missing", "square.items", {"vendor_id": ""}, ("square", "items")),
        ("staged_key_missing", "shopify.prices", {"vendor_id": "v"}, ("shopify", "prices")),
        ("staged_key_missing", "square.stock", {"vendor_id": "v"}, ("square", "stock")),
        ("staged_key_missing", "hubspot.customers", {"email": "a@b.fr"}, ("hubspot", "customers")),
        ("staged_key_missing", "mailchimp.consents", {"vendor_id": "m"}, ("mailchimp", "consents")),
        ("staged_money_unreadable", "shopify.prices", {"currency": "XXX", "amount_minor": 1}, ("shopify", "prices")),
        ("staged_money_unreadable", "shopify.prices", {"currency": "EUR", "amount_minor": -1}, ("shopify", "prices")),
        ("staged_money_unreadable", "square.prices", {"currency": "EUR", "amount_minor": 10**9}, ("square", "prices")),
        ("staged_money_unreadable", "square.orders", {"currency": None}, ("square", "orders")),
        ("staged_permission_unreadable", "shopify.consents", {"state": "maybe"}, ("shopify", "consents")),
        ("staged_permission_unreadable", "shopify.consents", {"state": "yes", "contact_point": "a@b.fr"},
         ("shopify", "consents")),
    ],
)
def test_an_unusable_staged_record_stops_its_system_alone(
    night: duckdb.DuckDBPyConnection, name: str, table: str, row: dict[str, object], covered: tuple[str, str]
) -> None:
    assert stops(night, name) == []
    insert(night, table, [row])
    assert stops(night, name) == [covered]


@pytest.mark.parametrize(
    ("name", "amount", "currency"),
    [
        ("golden_price_magnitude", 100_000_001, "EUR"), ("golden_price_magnitude", 100_000_001, "JPY"),
        ("golden_price_currency", 5, "CHF"), ("golden_price_currency", 5, None), ("negative_price", -5, "EUR"),
    ],
)
def test_an_impossible_golden_price_stops_the_systems_that_have_its_list(
    night: duckdb.DuckDBPyConnection, name: str, amount: int, currency: str | None
) -> None:
    insert(night, "estate.price_lists", [
        {"system": "shopify", "vendor_price_list": "base", "price_list_id": "eur",
         "currency": "JPY" if currency == "JPY" else "EUR"},
        {"system": "square", "vendor_price_list": "base", "price_list_id": "chf", "currency": "CHF"},
    ])
    price(night, 100_000_000, "JPY" if currency == "JPY" else "EUR", "sound")
    assert stops(night, name) == []
    price(night, amount, currency)
    assert stops(night, name) == [("shopify", "prices")]


def test_prices_may_be_in_any_currency_of_the_estates(night: duckdb.DuckDBPyConnection) -> None:
    insert(night, "estate.price_lists", [
        {"system": "square", "vendor_price_list": "base", "price_list_id": "eur", "currency": "CAD"},
    ])
    price(night, 100_000_000, "CAD")
    insert(night, "square.prices", [{"currency": "CAD", "amount_minor": 100_000_000}])
    assert all(result.passed for name, result in found(night).items() if "price" in name or "money" in name)


@pytest.mark.parametrize(
    ("table", "row", "entity"),
    [
        ("square.items", {"vendor_id": "v"}, "items"),
        ("square.prices", {"vendor_id": "v", "vendor_price_list": "base"}, "prices"),
        ("square.stock", {"vendor_id": "v", "vendor_location_id": "l"}, "stock"),
        ("square.customers", {"vendor_id": "v"}, "customers"),
        ("square.consents", {"vendor_id": "v", "vendor_audience_id": "email", "channel": "email"}, "consents"),
    ],
)
def test_a_record_staged_twice_stops_its_system_alone(
    night: duckdb.DuckDBPyConnection, table: str, row: dict[str, object], entity: str
) -> None:
    insert(night, table, [row])
    assert stops(night, "staged_key_twice") == []
    insert(night, table, [row])
    assert stops(night, "staged_key_twice") == [("square", entity)]


def test_an_empty_table_of_a_system_that_agreed_on_much_is_believed_by_nobody(
    night: duckdb.DuckDBPyConnection,
) -> None:
    bases = [
        {"system": "square", "vendor_id": str(n), "vendor_price_list": "base", "fields": ["amount"],
         "agreed_at": "2026-06-15 00:00:00+00", "night_id": "n0"}
        for n in range(30)
    ]
    insert(night, "ledger.agreed.prices", bases)
    assert stops(night, "staged_nothing") == [("square", "prices")]
    insert(night, "square.prices", [{"vendor_id": str(n), "vendor_price_list": "base"} for n in range(14)])
    assert stops(night, "staged_nothing") == []
    (shrunk,) = [check for check in declared_checks() if check.name == "staged_shrunk"]
    assert evaluate(night, [shrunk])[0].failed_rows == 1
    insert(night, "square.prices", [{"vendor_id": "x", "vendor_price_list": "base"}])
    assert evaluate(night, [shrunk])[0].failed_rows == 0
    insert(night, "ledger.agreed.prices", bases[:1])
    assert stops(night, "base_twice") == [("square", "prices")]


def test_a_verdict_rests_on_reads_of_this_night(night: duckdb.DuckDBPyConnection) -> None:
    as_of = datetime(2026, 6, 16, tzinfo=UTC)
    night.execute("INSERT INTO estate.night VALUES ('n2', 'maison', ?, 'Europe/Paris', 'nightly')", [as_of])
    night.execute("INSERT INTO reads.verdicts VALUES ('square', 'prices', true, ''), ('shopify', 'stock', false, 'x')")

    def read(night_id: str, is_complete: bool, minutes: int) -> None:
        at = as_of + timedelta(minutes=minutes)
        insert(night, "ledger.sync.reads", [{
            "system": "square", "endpoint": "catalog", "entities": ["items", "prices"], "kind": "delta",
            "is_complete": is_complete, "reason": "", "row_count": 1, "page_count": 1, "started_at": at,
            "finished_at": at, "cursor_to": at, "night_id": night_id,
        }])

    read("n1", True, -60)
    assert stops(night, "read_not_of_tonight") == [("square", "prices")], "last night's read says nothing of tonight"
    read("n2", False, 1)
    assert stops(night, "read_not_of_tonight") == [("square", "prices")]
    read("n2", True, 2)
    assert stops(night, "read_not_of_tonight") == [], "a read that was done again counts by its last"
    incomplete = found(night)["read_incomplete"]
    assert not incomplete.passed and incomplete.failed_rows == 1 and incomplete.covered == ""


def test_an_endpoint_unread_for_days_is_told(night: duckdb.DuckDBPyConnection) -> None:
    as_of = datetime(2026, 6, 16, tzinfo=UTC)
    night.execute("INSERT INTO estate.night VALUES ('n2', 'maison', ?, 'Europe/Paris', 'nightly')", [as_of])
    (stale,) = [check for check in declared_checks() if check.name == "cursor_stale"]
    for days, census_days, failed in ((1, 8, 0), (3, 4, 1), (1, 10, 2)):
        insert(night, "ledger.sync.cursors", [{
            "system": "square", "endpoint": f"e{days}{census_days}", "cursor_at": as_of - timedelta(days=days),
            "census_at": as_of - timedelta(days=census_days), "night_id": "n1",
        }])
        assert evaluate(night, [stale])[0].failed_rows == failed


def test_records_that_are_all_in_quarantine_are_a_changed_format_too(night: duckdb.DuckDBPyConnection) -> None:
    insert(night, "quarantine.square", [
        {"entity": "items", "vendor_id": str(n), "vendor_sub_id": "", "field": "sku", "reason": "blank"}
        for n in range(25)
    ])
    assert stops(night, "mostly_quarantined") == [("square", "items")]


def test_a_blocking_expectation_that_names_no_entity_stops_all_of_them(night: duckdb.DuckDBPyConnection) -> None:
    night.execute("INSERT INTO reconcile.drift (system, entity, drift_class) VALUES ('shopify', 'prices', 'odd')")
    covered = found(night)["drift_class_known"].covered.split(", ")
    assert len(covered) == 10 and {"shopify customers", "square consents"} <= set(covered)


def test_every_check_says_what_its_failure_stops() -> None:
    words = {check.name: check.stops for check in declared_checks()}
    assert words["one_item_twice"] == "nothing"
    assert words["golden_price_tax_basis"] == "the push of prices in all systems"
    assert words["negative_price"] == "the push of the systems and entities that its rows name"
    fatal = {name for name, text in words.items() if text.startswith("everything")}
    assert fatal == {"plan_key_twice", "plan_key_false"}


def test_checks_lie_beside_each_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.sql")} <= {check.name for check in declared_checks()}
