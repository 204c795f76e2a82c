"""`why`: one value's story from the snapshot alone, by any name the item or person has."""

from datetime import UTC, datetime

import pytest

from pipelines.ledger.export import swap_snapshot
from pipelines.plan import build_plan
from pipelines.why import why
from resources.warehouse import open_copy
from tests.plan.world import VirtualClock, drift, insert, policy

KEY = b"the tests' own key"
EMAIL = "jeanne@exemple.fr"


@pytest.fixture
def snapshot(con, tmp_path):
    policy(con)
    bound = {"rule": "sku", "bound_at": datetime(2026, 3, 1, tzinfo=UTC), "night_id": "n0"}
    insert(con, "ledger.identity.items", [
        {"system": "shopify", "vendor_id": "v1", "item_id": "i1", "sku_norm": "ROB-1",
         "gtin_norm": "04006381333931", **bound},
    ])
    insert(con, "ledger.identity.persons", [{"system": "hubspot", "vendor_id": "77", "person_id": "p1", **bound}])
    insert(con, "observed.prices", [
        {"system": "shopify", "vendor_id": "v1", "vendor_price_list": "base", "item_id": "i1", "price_list_id": "eur",
         "currency": "EUR", "amount": 1000, "tax_basis": "gross"},
    ])
    insert(con, "golden.prices", [
        {"item_id": "i1", "price_list_id": "eur", "currency": "EUR", "amount": 1100, "tax_basis": "gross",
         "authority": "square", "rule": "source of truth", "reason": "square is first for list eur"},
    ])
    insert(con, "observed.customers", [{"system": "hubspot", "vendor_id": "77", "person_id": "p1", "city": "Lyon"}])
    point = con.execute("SELECT contact_point('email', norm_email(?))", [EMAIL]).fetchone()[0]
    insert(con, "observed.consents", [
        {"system": "mailchimp", "vendor_id": "m1", "vendor_audience_id": "a", "contact_point": point,
         "channel": "email", "purpose": "newsletter", "state": "no", "has_proof": False},
    ])
    insert(con, "reconcile.drift", [drift()])
    build_plan(con, lane="main", clock=VirtualClock())
    path = swap_snapshot(con, tmp_path / "snapshot.duckdb")
    with open_copy(path, contact_key=KEY) as copy:
        yield copy


@pytest.mark.parametrize("word", ["rob-1", " ROB-1 ", "4006381333931", "v1", "i1"])
def test_an_item_answers_to_all_its_names(snapshot, word):
    told = [(s.what, s.system) for s in why(snapshot, word) if s.field == "amount"]
    assert told == [("said", "shopify"), ("decided", "square"), ("planned", "shopify")]


def test_the_plan_row_says_before_after_and_why(snapshot):
    planned = next(s for s in why(snapshot, "ROB-1") if s.what == "planned")
    assert planned.value == "1000 → 1100"
    assert "elsewhere" in planned.detail and "square's price moved" in planned.detail


@pytest.mark.parametrize("word", [EMAIL, EMAIL.upper(), "m1"])
def test_a_permission_is_found_by_address_or_record(snapshot, word):
    assert [(s.system, s.value) for s in why(snapshot, word)] == [("mailchimp", "no")]


def test_a_person_is_found_by_record_and_filtered_by_field(snapshot):
    assert [s.value for s in why(snapshot, "77", field="city") if s.what == "said"] == ["Lyon"]
    assert why(snapshot, "77", field="phone", system="square") == []


def test_nobody_is_nobody(snapshot):
    assert why(snapshot, "no such thing") == []
    assert why(snapshot, "") == []
