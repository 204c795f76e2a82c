"""The world: the same from the same seed, drift of every class each day, and a truth that ends with nothing to push."""

import hashlib
import sqlite3
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from sandbox.records import Consent, Customer
from sandbox.store import Store, parse_stamp
from sandbox.world import ids
from sandbox.world.catalogue import build_catalogue, to_gross, to_net
from sandbox.world.chronicle import Gone
from sandbox.world.people import build_people
from sandbox.world.places import SHOPIFY_CHF, SHOPIFY_JPY, SQUARE_CHF, override_list
from sandbox.world.settings import EPOCH, WorldError, WorldSettings, night_date
from sandbox.world.shelves import build_shelves
from sandbox.world.state import State
from sandbox.world.truth import Row, check_shares, class_shares, read_truth, truth_path
from sandbox.world.truth_consents import consent_rows
from sandbox.world.truth_customers import whole_addresses
from tests.sandbox.conftest import SMALL, live
from tests.sandbox.fake import SYSTEMS

CLASSES = {
    "never_agreed", "here", "elsewhere", "both", "rule", "explained", "unexplained", "lower", "raise_with_proof",
    "raise_without_proof", "bad_row",
}


def digest(store: Store) -> str:
    """Of every document in the world."""
    result = hashlib.sha256()
    for system in SYSTEMS:
        for kind in ("places", "items", "prices", "promotions", "stock", "movements", "customers", "orders"):
            for doc in store.select(system, kind):
                result.update(f"{system} {kind} {doc.key} {doc.updated_at} {doc.deleted} {doc.text}\n".encode())
    return result.hexdigest()


def test_same_seed_same_world(new_world):
    worlds = [new_world("a"), new_world("b"), new_world("c", replace(SMALL, seed=4))]
    digests = [digest(scene.store) for scene in worlds]
    assert digests[0] == digests[1] != digests[2]
    truths = [truth_path(scene.folder, 0).read_bytes() for scene in worlds]
    assert truths[0] == truths[1]


def test_a_world_has_its_indexes_once_it_is_made(new_world):
    scene = new_world("a")
    with sqlite3.connect(scene.folder / "world.sqlite") as db:
        tables = {name for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%lookup TEXT%'"
        )}
        indexes = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert len(tables) > 5
    assert {f"{table}_{column}" for table in tables for column in ("parent", "lookup", "updated_at")} <= indexes


def test_same_day_follows(new_world):
    days = [live(new_world(name)) for name in "ab"]
    assert digest(days[0].store) == digest(days[1].store)
    assert truth_path(days[0].folder, 1).read_bytes() == truth_path(days[1].folder, 1).read_bytes()


def test_digest_is_the_one_known():
    """The facts of one seed, so that another Python or numpy that draws otherwise is noticed."""
    settings = WorldSettings(seed=7, variants=500, persons=500)
    catalogue, people = build_catalogue(settings), build_people(settings)
    shelves = build_shelves(settings, catalogue)
    result = hashlib.sha256()
    for part in (catalogue, people, shelves):
        for name in part.__slots__:
            facts = getattr(part, name)
            if isinstance(facts, np.ndarray):
                result.update(name.encode() + facts.astype("<i8").tobytes())
    assert result.hexdigest()[:16] == "7bb2fb5f6536917c"


def test_the_retailer_is_no_toy_in_euros(new_world):
    """A CHF shop with its list, a JPY list, one shop that overrides, a promotion of tomorrow, kits, untracked items."""
    scene = new_world("a", replace(SMALL, variants=600))
    catalogue, store = scene.catalogue, scene.store
    places = {(system, doc.key): doc.body for system in SYSTEMS for doc in store.select(system, "places")}
    assert places["square", "LGENEVE"]["currency"] == "CHF"
    assert (places["shopify", SHOPIFY_CHF]["currency"], places["shopify", SHOPIFY_JPY]["currency"]) == ("CHF", "JPY")
    prices = Counter(
        (system, doc.body["list"], doc.body["currency"]) for system in SYSTEMS for doc in store.select(system, "prices")
    )
    swiss, japanese = int((catalogue.chf > 0).sum()), int((catalogue.jpy > 0).sum())
    assert 0 < prices["square", SQUARE_CHF, "CHF"] <= swiss and 0 < prices["shopify", SHOPIFY_CHF, "CHF"] <= swiss
    assert 0 < prices["shopify", SHOPIFY_JPY, "JPY"] <= japanese
    own = override_list(scene.chronicle.settings)
    assert own != SQUARE_CHF and prices["square", own, "EUR"] > 0, "one shop has prices of its own"
    [promotion] = [doc.body for doc in store.select("square", "promotions")]
    assert promotion["starts_on"] == night_date(scene.chronicle.night + 1).isoformat() and promotion["items"]
    assert catalogue.is_kit.any() and (~catalogue.is_tracked).any()
    items = [doc.body for doc in store.select("square", "items")]
    assert any(item["kit"] for item in items) and not all(item["tracked"] for item in items)
    assert {int(rate) for rate in catalogue.vat_bp} == {2000, 1000, 550, 210}
    assert catalogue.is_net.any() and not catalogue.is_net.all()


def test_first_night_is_nature_alone(new_world):
    rows = read_truth(new_world().folder, 0)
    assert {row.drift_class for row in rows} == {"never_agreed", "lower", "bad_row"}
    assert {row.disposition for row in rows} == {"must_push", "must_quarantine", "not_writable"}
    assert {row.entity for row in rows} == {"items", "prices", "stock", "customers", "consents"}


def test_a_day_plants_every_class(first_day):
    rows = read_truth(first_day.folder, 1)
    assert {row.drift_class for row in rows if row.since == 1} == CLASSES
    assert {row.disposition for row in rows} == {
        "must_push", "must_hold", "must_refuse", "must_quarantine", "not_writable"
    }
    assert {row.note for row in rows if row.disposition == "must_refuse" and row.entity == "prices"} >= {"guard: zero"}
    assert max(class_shares(rows).values()) <= 0.6


def test_state_after_a_day_is_what_events_say(first_day):
    """Levels follow from movements and orders alone, except where a hand typed one."""
    state, memory, shelves = first_day.look(), first_day.memory, first_day.shelves
    known = shelves.is_compared & (state.on_hand > -1000)
    assert (state.on_hand[known] == memory.on_hand[known]).all()
    assert (state.on_hand[known] - memory.unseen[known] - memory.committed[known] >= 0).all()


def test_five_days_leave_nothing_to_push(new_world):
    scene = new_world()
    for _ in range(5):
        scene = live(scene)
    pushed = live(scene)
    left = [row for row in read_truth(pushed.folder, 6) if row.since < 6]
    assert [row for row in left if row.disposition == "must_push"] == []
    assert Counter(row.disposition for row in left)["must_hold"] > 0


def test_each_system_loses_records_each_day_and_none_runs_empty(new_world):
    scene = new_world()
    made = {system: len(held) for system, held in scene.look().customers.items()}
    for night in (1, 2, 3):
        scene = live(scene)
        today = {(one.system, one.kind, one.how) for one in scene.chronicle.gone if one.night == night}
        assert {(system, "items", "deleted") for system in ("square", "shopify", "hubspot")} <= today
        assert {(system, "customers") for system in made} <= {(system, kind) for system, kind, _ in today}
    ways = {(one.system, one.how) for one in scene.chronicle.gone if one.kind == "customers"}
    assert ways == {
        ("square", "deleted"), ("square", "merged"), ("shopify", "deleted"), ("shopify", "merged"),
        ("hubspot", "archived"), ("hubspot", "merged"), ("hubspot", "erased"), ("mailchimp", "archived"),
        ("mailchimp", "erased"),
    } | {(system, "erased") for system in ("square", "shopify") if (system, "erased") in ways}
    for _ in range(9):
        scene = live(scene)
    lost = Counter(one.system for one in scene.chronicle.gone if one.kind == "customers" and one.how != "merged")
    held = scene.look().customers
    assert all(len(held[system]) > made[system] * 2 // 3 for system in made), lost


def test_nothing_is_expected_of_what_is_gone_and_all_of_what_lives_on(new_world):
    scene = new_world()
    for night in (1, 2, 3, 4):
        scene = live(scene)
        rows = read_truth(scene.folder, night)
        gone = {(one.system, one.key) for one in scene.chronicle.gone}
        assert [row for row in rows if (row.system, row.vendor_id) in gone] == []
        numbers = {system: {ids.item_number(system, one.key) for one in scene.chronicle.gone
                            if (one.kind, one.system, one.night) == ("items", system, night)}
                   for system in ("square", "shopify", "hubspot")}
        moved = {(row.system, ids.item_number(row.system, row.vendor_id)) for row in rows
                 if row.entity == "prices" and row.field == "amount" and row.drift_class == "elsewhere"}
        assert {("shopify", number) for number in numbers["hubspot"]} <= moved, "its price moves in the till that day"
        assert {number for _, number in moved}.isdisjoint(numbers["square"]), "the till says nothing any more"
        rateless = {ids.item_number("hubspot", row.vendor_id) for row in rows if row.field == "tax_rate_bp"}
        in_hubspot = scene.look().prices["hubspot", "eur"] > 0
        assert {number for number in numbers["square"] if in_hubspot[number]} <= rateless


def test_a_no_stays_said_when_the_record_that_said_it_is_gone():
    point = {"square": {"S": Customer("S", email="a@b.fr", consent=Consent("yes"))}, "shopify": {}, "hubspot": {},
             "mailchimp": {}}
    state = State({}, np.zeros(0), np.zeros(0), np.zeros(0), point)
    no = Gone("hubspot", "customers", "H", "archived", 2, "a@b.fr", "no", "2026-06-10T00:00:00.000Z")
    rows = list(consent_rows(2, state, {}, set(), [no]))
    assert [(row.system, row.vendor_id, row.drift_class, row.disposition) for row in rows] == [
        ("square", "S", "lower", "not_writable")
    ]
    assert list(consent_rows(2, state, {}, set(), [replace(no, state="yes")])) == []


def test_a_till_that_was_offline_tells_of_its_sales_days_later(first_day):
    opened = EPOCH + timedelta(hours=1)
    late = [doc.body for doc in first_day.store.select("square", "orders")
            if parse_stamp(doc.body["updated_at"]) > opened and parse_stamp(doc.body["created_at"]) < EPOCH]
    assert late, "at least one a day"
    for order in late:
        behind = parse_stamp(order["updated_at"]) - parse_stamp(order["created_at"])
        assert timedelta(hours=24) <= behind < timedelta(hours=72)
    moved = {(doc.body["item"], doc.body["location"]) for doc in first_day.store.select("square", "movements")
             if doc.body["kind"] == "sale" and parse_stamp(doc.body["at"]) < EPOCH}
    assert {(order["lines"][0]["item"], order["location"]) for order in late} <= moved
    explained = {(row.vendor_id, row.drift_class) for row in read_truth(first_day.folder, 1) if row.entity == "stock"}
    shop = {ids.shopify_variant(ids.item_number("square", order["lines"][0]["item"])) for order in late}
    assert {(key, "explained") for key in shop} <= explained


def test_unpushed_drift_stays_expected(first_day):
    """A pipeline that does nothing does not make drift go away, but with the record that drifts."""
    from sandbox.world.chronicle import Chronicle
    from sandbox.world.day import live_day

    before = {row.key: row for row in read_truth(first_day.folder, 1) if row.disposition == "must_push"}
    after = {row.key: row for row in live_day(first_day.folder, first_day.store, first_day.vendors)}
    gone = Chronicle.load(first_day.folder).is_gone("customers")
    before = {key: row for key, row in before.items() if (row.system, row.vendor_id) not in gone}
    missing = [row for key, row in before.items() if key not in after and row.entity in ("prices", "customers")]
    assert missing == []
    carried = [row for key, row in before.items() if after[key].since == row.since]
    assert len(carried) > len(before) // 2


def test_over_cap_is_held(new_world):
    scene = live(new_world("cap", replace(SMALL, variants=200, over_cap=True)))
    rows = [row for row in read_truth(scene.folder, 1) if row.note.endswith("cap")]
    assert len(rows) > 50
    assert {(row.system, row.entity, row.field, row.disposition) for row in rows} >= {
        ("shopify", "prices", "amount", "must_hold")
    }


def test_no_part_of_an_address_is_expected_alone():
    street = Row(1, "square", "customers", "street", "C1", "", "both", "must_hold", "1 rue A", "2 rue B")
    city = replace(street, field="city", drift_class="elsewhere", disposition="must_push")
    name, elsewhere = replace(city, field="last_name"), replace(city, vendor_id="C2")
    found = whole_addresses([street, city, name, elsewhere])
    assert [row.disposition for row in found] == ["must_hold", "must_hold", "must_push", "must_push"]


def test_unfair_days_are_refused(first_day):
    rows = [row for row in read_truth(first_day.folder, 1) if row.since == 1]
    unfair = [row for row in rows if row.drift_class == "explained"] * 50 + rows
    with pytest.raises(WorldError, match="explained makes up"):
        check_shares(unfair)


@pytest.mark.parametrize(("name", "value"), [("variants", 1), ("persons", 2_000_000), ("shops", 1), ("seed", -1)])
def test_impossible_sizes_are_named(name, value):
    with pytest.raises(WorldError, match=name):
        replace(SMALL, **{name: value})


def test_tax_round_trips():
    net = np.arange(1, 20_000)
    for rate in (2000, 1000, 550, 210):
        assert (to_net(to_gross(net, np.int64(rate)), np.int64(rate)) == net).all()


def test_catalogue_has_what_hurts(new_world):
    catalogue = build_catalogue(WorldSettings(variants=2000))
    assert set(catalogue.vat_bp.tolist()) == {2000, 1000, 550, 210}
    for facts in (catalogue.is_net, catalogue.is_kit, ~catalogue.is_tracked, catalogue.is_thin, catalogue.hostile >= 0):
        assert 0 < facts.sum() < 1000
    digits = [[int(d) for d in f"{gtin:013d}"] for gtin in catalogue.gtin.tolist() if gtin]
    assert all(sum(d[0::2]) + 3 * sum(d[1::2]) == 10 * ((sum(d[0::2]) + 3 * sum(d[1::2])) // 10) for d in digits)
    assert 0.85 < len(digits) / 2000 < 0.95


def test_clock_stands_at_the_night(first_day):
    assert 0 <= (first_day.store.now() - EPOCH).total_seconds() - 24 * 3600 < 600
