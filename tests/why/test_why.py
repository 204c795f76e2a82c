"""`why`: one value's story from the snapshot alone, by any name the item or person has."""

from datetime import UTC, datetime

import pytest

from pipelines.errors import DataError
from pipelines.ledger.export import swap_snapshot
from pipelines.plan import build_plan
from pipelines.policy_words import FIELDS
from pipelines.reconcile.models import reconcile_models
from pipelines.stage import create_unions
from pipelines.why import FIELDS as WHY_FIELDS
from pipelines.why import why
from resources.warehouse import open_copy
from tests.plan.world import AS_OF, VirtualClock, drift, insert, policy

KEY = b"the tests' own key"
READ_AT, SINCE = datetime(2026, 3, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
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
    insert(con, "ledger.sync.reads", [
        {"system": system, "endpoint": "all", "entities": entities, "kind": "census", "is_complete": True, "reason": "",
         "row_count": 1, "page_count": 1, "started_at": READ_AT, "finished_at": READ_AT, "cursor_to": READ_AT,
         "night_id": "n1"}
        for system, entities in (
            ("shopify", ["items", "prices"]), ("mailchimp", ["consents"]), ("hubspot", ["customers"])
        )
    ])
    insert(con, "ledger.history.prices", [
        {"system": "shopify", "vendor_id": "v1", "vendor_price_list": "base", "item_id": "i1", "currency": "EUR",
         "amount": 1000, "first_seen_at": SINCE, "last_confirmed_at": READ_AT},
    ])
    insert(con, "ledger.agreed.prices", [
        {"system": "shopify", "vendor_id": "v1", "vendor_price_list": "base", "item_id": "i1", "price_list_id": "eur",
         "currency": "EUR", "amount": 1000, "fields": ["amount"], "agreed_at": SINCE, "night_id": "n0"},
    ])
    insert(con, "golden.items", [
        {"item_id": "i1", "gtin": "04006381333931", "authority": "square", "rule": "source of truth",
         "reason": "the till"},
    ])
    insert(con, "ledger.identity.consent_events", [
        {"contact_point": point, "channel": "email", "purpose": "newsletter", "system": "mailchimp", "vendor_id": "m1",
         "state": "no", "changed_at": SINCE, "seen_at": READ_AT, "has_proof": False, "night_id": "n1"},
    ])
    insert(con, "reconcile.assortment", [
        {"item_id": "i1", "system": "shopify", "expected_by": "carried", "state": "deleted", "vendor_id": "v1",
         "proof": "census", "proved_at": READ_AT, "census_at": READ_AT, "reason": "its record is gone"},
    ])
    insert(con, "quarantine.shopify", [
        {"entity": "items", "vendor_id": vendor_id, "vendor_sub_id": "", "field": "title",
         "reason": "control characters",
         "value_class": "control character"} for vendor_id in ("v1", "v9")
    ])
    insert(con, "golden.stock", [
        {"item_id": "i1", "location_id": "paris", "on_hand": 9, "committed": 1, "held": 0, "safety": 4, "available": 4,
         "authority": "square", "rule": "stock ledger", "reason": "square counts 9",
         "safety_rule": "safety stock of Robes"},
    ])
    insert(con, "ledger.agreed.stock", [
        {"system": system, "vendor_id": "v1", "vendor_location_id": "l", "item_id": "i1", "location_id": "paris",
         "quantity": 9, "fields": ["quantity"], "agreed_at": at, "night_id": "n0"}
        for system, at in (("shopify", SINCE), ("square", READ_AT))
    ])
    create_unions(con)
    con.execute(f"CREATE OR REPLACE TABLE reconcile.movement_log AS {reconcile_models()['reconcile.movement_log'].sql}")
    insert(con, "reconcile.movement_log", [
        {"system": system, "movement_id": key, "vendor_id": "v1", "item_id": "i1", "location_id": place, "kind": kind,
         "quantity": quantity, "order_state": state, "occurred_at": SINCE, "first_seen_at": seen,
         "authority": "square"}
        for system, key, place, kind, quantity, state, seen in (
            ("shopify", "m1", "paris", "order", -1, "open", READ_AT),
            ("square", "m2", "paris", "sale", -2, None, READ_AT),
            ("square", "before", "paris", "sale", -5, None, SINCE),
            ("square", "else", "lyon", "sale", -5, None, READ_AT),
        )
    ])
    insert(con, "ledger.identity.hold_events", [
        {"system": "square", "hold_id": "h1", "order_id": "O1", "item_id": "i1", "location_id": "paris", "quantity": 1,
         "event": event, "held": 1, "occurred_at": SINCE, "reason": "of order O1", "seen_at": seen, "night_id": "n1"}
        for event, seen in (("placed", SINCE), ("expired", READ_AT))
    ])
    insert(con, "reconcile.category_items", [{"item_id": "i1", "category": "robes"}])
    insert(con, "estate.buffers", [
        {"system": "shopify", "category": category, "location_id": "paris", "units": units, "rule": rule}
        for category, units, rule in (("Robes", 3, "buffer of shopify for Robes"), ("", 1, "buffer of shopify"))
    ])
    insert(con, "estate.systems", [{"system": system} for system in ("shopify", "square", "hubspot", "mailchimp")])
    insert(con, "reconcile.drift", [drift()])
    build_plan(con, lane="main", clock=VirtualClock())
    path = swap_snapshot(con, tmp_path / "snapshot.duckdb")
    with open_copy(path, contact_key=KEY) as copy:
        yield copy


@pytest.mark.parametrize("word", ["rob-1", " ROB-1 ", "4006381333931", "v1", "i1"])
def test_an_item_answers_to_all_its_names(snapshot, word):
    told = [(s.what, s.system) for s in why(snapshot, word) if s.field == "amount"]
    assert told == [("said", "shopify"), ("agreed", "shopify"), ("decided", "square"), ("planned", "shopify")]


def test_every_step_says_when(snapshot):
    told = {s.what: s for s in why(snapshot, "ROB-1", field="amount")}
    assert told["said"].at == READ_AT
    assert told["said"].detail == "gross, since 2026-03-01 00:00"
    assert (told["agreed"].at, told["agreed"].value, told["agreed"].detail) == (SINCE, "1000",
        "the base since night n0")
    assert told["decided"].at == AS_OF
    assert told["planned"].at is not None
    said = next(s for s in why(snapshot, EMAIL) if s.what == "said")
    assert said.at == READ_AT
    assert said.detail == "since 2026-03-01 00:00 by its own word, first seen 2026-03-02 01:00"


def test_every_decided_field_shows_its_rule(snapshot):
    decided = {(s.entity, s.field): s.detail for s in why(snapshot, "ROB-1") if s.what == "decided"}
    assert decided[("items", "gtin")] == "source of truth: the till"
    assert ("prices", "compare_at") in decided and ("prices", "amount") in decided


def test_every_term_of_a_level_is_shown_with_the_rule_that_set_it(snapshot):
    decided = [(s.system, s.value, s.detail) for s in why(snapshot, "ROB-1", field="available") if s.what == "decided"]
    assert decided == [
        ("shopify", "1 = 4 available - 3 kept back from shopify", "buffer: buffer of shopify for Robes"),
        ("square", "4 = 9 on hand - 1 committed - 0 held - 4 safety",
         "stock ledger: square counts 9; kept back by the safety stock of Robes"),
    ]


def test_both_histories_since_the_base_are_told(snapshot):
    moved = [(s.system, s.value, s.detail) for s in why(snapshot, "ROB-1", field="stock") if s.what == "moved"]
    assert moved == [
        ("shopify", "-1", "order, open, m1, first seen 2026-03-02 01:00"),
        ("square", "1", "hold expired, of order O1, first seen 2026-03-02 01:00"),
        ("square", "-2", "sale, m2, first seen 2026-03-02 01:00"),
    ]


def test_a_quarantined_key_says_that_it_is_kept_out(snapshot):
    (kept,) = [s for s in why(snapshot, "ROB-1") if s.what == "quarantined"]
    assert (kept.system, kept.vendor_id, kept.field, kept.at) == ("shopify", "v1", "title", READ_AT)
    assert (kept.value, kept.detail) == (None, "control characters: control character")
    assert [s.what for s in why(snapshot, "v9")] == ["quarantined"], "a key that was never bound"


@pytest.mark.parametrize(("word", "fields"), [
    ("prices", {"amount", "compare_at"}), ("amount", {"amount"}), ("prices.amount", {"amount"}),
])
def test_a_field_is_named_alone_or_with_its_entity(snapshot, word, fields):
    assert {s.field for s in why(snapshot, "ROB-1", field=word) if s.what != "quarantined"} == fields


def test_every_field_of_the_policy_can_be_asked_about():
    asked = {f"{entity}.{field}" for entity, fields in WHY_FIELDS.items() for field in fields}
    assert asked - {"stock.quantity", "items.assortment"} == set(FIELDS)


def test_an_item_tells_where_it_is_listed_and_by_which_read(snapshot):
    (told,) = (s for s in why(snapshot, "ROB-1", field="assortment") if s.what != "quarantined")
    assert (told.what, told.system, told.vendor_id, told.value) == ("said", "shopify", "v1", "deleted")
    assert told.detail == "its record is gone, by the census of 2026-03-02 01:00"


def test_a_snapshot_of_an_older_version_still_answers(con, tmp_path):
    con.execute("DROP TABLE reconcile.assortment")
    insert(con, "estate.systems", [{"system": "shopify"}])
    with open_copy(swap_snapshot(con, tmp_path / "old.duckdb"), contact_key=KEY) as copy:
        assert why(copy, "ROB-1") == []


@pytest.mark.parametrize("words", [{"field": "colour"}, {"field": "prices.gtin"}, {"system": "squar"}])
def test_a_word_that_is_unknown_is_answered_with_those_that_are_allowed(snapshot, words):
    with pytest.raises(DataError, match="there is no .* allowed: "):
        why(snapshot, "ROB-1", **words)


def test_the_plan_row_says_before_after_and_why(snapshot):
    planned = next(s for s in why(snapshot, "ROB-1") if s.what == "planned")
    assert (planned.value, planned.currency) == ("1000 → 1100", "EUR")
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
