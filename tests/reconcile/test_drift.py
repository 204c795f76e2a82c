"""Who moved, told over several nights of a small shop, from the stage tables to `reconcile.drift`."""

import pytest

from pipelines.reconcile.differing import Target
from pipelines.reconcile.drift import drift
from pipelines.tables import TABLES
from tests.reconcile.shop import Shop, insert, rows, told


@pytest.fixture
def shop(con) -> Shop:
    opened = Shop(con).open()
    opened.item(1)
    opened.item(2)
    opened.level(1, on_hand=10, available=9)
    return opened


def test_a_shop_in_agreement_has_no_drift_and_no_base_yet(shop):
    assert shop.night() == []


def test_what_differs_on_the_first_night_never_agreed(shop):
    shop.price("shopify", "S1", 990)
    assert told(shop.night()) == [("shopify", "amount", "S1", "990", "1200", "never_agreed")]


def test_the_four_ways_a_price_moves(shop):
    shop.item(3)
    shop.item(4)
    shop.night()
    shop.agree()
    shop.price("square", "V1", 1500)
    shop.price("shopify", "S2", 990)
    shop.price("square", "V3", 1800)
    shop.price("shopify", "S3", 1000)
    insert(shop.con, "square.promotions", {
        "promotion_id": "P", "vendor_id": "V4", "percent": 10, "starts_on": "2026-06-16", "ends_on": "2026-06-16",
    })
    expected = [
        ("hubspot", "amount", "H1", "1000", "1250", "elsewhere"),
        ("hubspot", "amount", "H3", "1000", "1500", "elsewhere"),
        ("shopify", "amount", "S1", "1200", "1500", "elsewhere"),
        ("shopify", "amount", "S2", "990", "1200", "here"),
        ("shopify", "amount", "S3", "1000", "1800", "both"),
        ("shopify", "amount", "S4", "1200", "1080", "rule"),
        ("shopify", "compare_at", "S4", None, "1200", "rule"),
    ]
    assert told(shop.night()) == expected
    found = {(d["field"], d["vendor_id"]): d["reason"] for d in rows(shop.con, "SELECT * FROM reconcile.drift")}
    assert found["amount", "S2"] == (
        "The amount was changed in shopify since 2026-06-15, when all agreed; square sets the price of the list eur."
    )
    rules = "SELECT vendor_id, rule FROM reconcile.drift WHERE field = 'amount' AND vendor_id IN ('S1', 'S4')"
    assert {d["vendor_id"]: d["rule"] for d in rows(shop.con, rules)} == {"S1": "source of truth", "S4": "promotion"}
    assert found["amount", "S4"] == (
        "Nobody has changed anything since 2026-06-15; "
        "square sets the price of the list eur, 10 % off until 2026-06-16."
    )


def test_classes_stay_while_nobody_answers(shop):
    """The authority always agrees with itself, so its own base moves on; the classes of the others must not."""
    shop.night()
    shop.agree()
    shop.price("square", "V1", 1500)
    shop.price("square", "V2", 1800)
    shop.price("shopify", "S2", 1000)
    first = told(shop.night())
    shop.agree()
    assert told(shop.night()) == first
    assert {row[-1] for row in first if row[0] == "shopify"} == {"elsewhere", "both"}


def test_who_shows_no_promotion_holds_the_price_of_the_source_of_truth_on_its_days(shop):
    insert(shop.con, "square.promotions", {
        "promotion_id": "P", "vendor_id": "V1", "percent": 10, "starts_on": "2026-06-15", "ends_on": "2026-06-15",
    })
    shop.price("hubspot", "H1", 900)
    shop.night()
    found = rows(shop.con, "SELECT system, field, desired, rule FROM reconcile.drift")
    assert {(d["system"], d["field"], d["desired"], d["rule"]) for d in found} == {
        ("hubspot", "amount", "1000", "source of truth"),
        ("shopify", "amount", "1080", "promotion"), ("shopify", "compare_at", "1200", "promotion"),
    }


def test_the_end_of_a_promotion_is_a_rule_too(shop):
    insert(shop.con, "square.promotions", {
        "promotion_id": "P", "vendor_id": "V1", "percent": 10, "starts_on": "2026-06-15", "ends_on": "2026-06-15",
    })
    shop.price("shopify", "S1", 1080, compare_at_minor=1200)
    assert shop.night() == []
    shop.agree()
    assert told(shop.night()) == [
        ("shopify", "amount", "S1", "1080", "1200", "rule"),
        ("shopify", "compare_at", "S1", "1200", None, "rule"),
    ]


def test_prices_carry_what_guards_need(shop):
    shop.con.execute("UPDATE shopify.items SET cost_minor = 700, currency = 'EUR' WHERE vendor_id = 'S1'")
    shop.price("square", "V1", 800)
    found = {d["system"]: (d["cost_minor"], d["old_minor"]) for d in shop.night()}
    assert found == {"shopify": (840, 1200), "hubspot": (700, 1000)}


def test_a_system_that_was_not_read_whole_gets_no_rows(shop):
    shop.price("square", "V1", 1500)
    shop.reads(("shopify", "prices"))
    assert {row[0] for row in told(shop.night())} == {"hubspot"}


def test_nothing_is_concluded_while_the_source_of_truth_is_down(shop):
    shop.price("shopify", "S1", 990)
    shop.level(1, available=3)
    shop.reads(("square", "items"), ("square", "prices"), ("square", "stock"))
    assert shop.night() == []


def test_a_till_sale_and_a_web_order_over_their_lives(shop):
    shop.night()
    shop.agree()
    shop.move("square", 1, -2, kind="sale")
    shop.move("shopify", 1, -1, kind="order", state="open", key="web")
    shop.level(1, on_hand=8, available=8)
    assert told(shop.night()) == [("shopify", "available", "S1", "8", "6", "explained")]
    shop.level(1, available=6)
    shop.move("shopify", 1, -1, kind="order", state="fulfilled", key="web")
    assert told(shop.night()) == [("square", "on_hand", "V1", "8", "7", "explained")]
    shop.con.execute("UPDATE ledger.identity.movements SET settled_night = 'n2' WHERE movement_id = 'web'")
    shop.level(1, on_hand=7)
    shop.move("square", 1, 7, kind="count")
    assert shop.night() == []
    golden = rows(shop.con, "SELECT on_hand, committed, safety, available FROM golden.stock")
    assert golden == [{"on_hand": 7, "committed": 0, "safety": 1, "available": 6}]


@pytest.mark.parametrize(("kind", "since"), [("return", 1), ("sale", -1)])
def test_units_come_off_the_till_once_though_a_movement_hides_the_write(shop, kind, since):
    """The night died after its push: nothing was confirmed, and to read the level back tells nothing any more."""
    shop.night()
    shop.agree()
    shop.move("shopify", 1, -1, kind="order", state="fulfilled", key="web")
    shop.level(1, available=8)
    assert told(shop.night()) == [("square", "on_hand", "V1", "10", "9", "explained")]
    shop.send()
    shop.move("square", 1, 9, kind="count", key="1 count")
    shop.move("square", 1, since, kind=kind, key="2 since")
    shop.level(1, on_hand=9 + since)
    found = told(shop.night())
    assert found == [("shopify", "available", "S1", "8", str(8 + since), "explained")], "the till is right as it is"


def test_a_level_edited_by_hand_is_held_night_after_night(shop):
    shop.night()
    shop.agree()
    shop.level(1, on_hand=30)
    for _ in range(3):
        assert told(shop.night()) == [("shopify", "available", "S1", "9", "29", "unexplained")]
        shop.agree()


def test_history_before_adoption_is_not_told_again(shop):
    shop.move("shopify", 1, -3, kind="order", state="fulfilled", key="old")
    shop.move("shopify", 1, -2, kind="order", state="open", key="open")
    shop.level(1, available=7)
    assert shop.night() == []


def test_text_that_differs_in_looks_alone_is_no_drift(shop):
    insert(
        shop.con, "observed.customers", {"system": "square", "vendor_id": "C1", "person_id": "p1", "first_name": "LEA"},
        {"system": "shopify", "vendor_id": "C2", "person_id": "p1", "first_name": "Zoé"},
    )
    insert(shop.con, "golden.customers", {"person_id": "p1", "first_name": "Léa", "first_name_authority": "hubspot"})
    found = shop.night()
    assert told(found) == [("shopify", "first_name", "C2", "Zoé", "Léa", "never_agreed")]
    assert "Léa" not in found[0]["reason"], "a sentence never holds a personal value"


def test_what_is_taken_back_from_the_parted_stands_in_place_of_what_else_would_be_written(shop):
    insert(
        shop.con, "observed.customers",
        {"system": "shopify", "vendor_id": "C2", "person_id": "p1", "first_name": "Zoé"},
        {"system": "shopify", "vendor_id": "C3", "person_id": "p1", "first_name": "Zoé"},
    )
    insert(shop.con, "golden.customers", {"person_id": "p1", "first_name": "Léa", "first_name_authority": "hubspot"})
    insert(shop.con, "reconcile.person_undo", {
        "system": "shopify", "entity": "customers", "field": "first_name", "vendor_id": "C2", "vendor_sub_id": "",
        "observed": "Zoé", "desired": "Ana", "drift_class": "rule", "rule": "unmerge"})
    assert told(shop.night()) == [
        ("shopify", "first_name", "C2", "Zoé", "Ana", "rule"),
        ("shopify", "first_name", "C3", "Zoé", "Léa", "never_agreed"),
    ]


def test_a_tolerance_lets_small_differences_be(shop):
    shop.con.execute("UPDATE policy.targets SET tolerance = 5 WHERE system = 'shopify' AND entity = 'prices'")
    shop.price("shopify", "S1", 1205)
    shop.price("shopify", "S2", 1206)
    assert told(shop.night()) == [("shopify", "amount", "S2", "1206", "1200", "never_agreed")]


def test_a_bad_row_of_the_authority_freezes_its_price_alone(shop):
    shop.night()
    shop.agree()
    shop.con.execute("DELETE FROM square.prices WHERE vendor_id = 'V1'")
    insert(shop.con, "quarantine.square", {
        "entity": "prices", "vendor_id": "V1", "vendor_sub_id": "base", "field": "amount", "reason": "negative",
    })
    shop.price("shopify", "S1", 1100)
    shop.price("shopify", "S2", 1100)
    assert told(shop.night()) == [("shopify", "amount", "S2", "1100", "1200", "here")]


def test_the_generated_model_has_the_contract_columns_whatever_the_policy_names(shop, con):
    shop.night()
    targets = (Target("shopify", "prices", "compare_at", 2), Target("mailchimp", "customers", "phone"))
    for model in (drift(()), drift(targets), drift((Target("square", "stock", "on_hand"),))):
        types = con.execute(f"DESCRIBE {model.sql}").fetchall()
        described = {row[0]: row[1].replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ") for row in types}
        assert described == TABLES["reconcile.drift"]
    assert "golden.prices" not in drift(targets).inputs and "compared.prices" in drift(targets).inputs
