"""Loyalty points counted twice, or never.

OCA/pos PR#185 (a till that was offline tries again, and doubles the points); odoo/odoo PR#257854 (a refund keeps them),
PR#193506, #79235 (a card redeemed many times), PR#83323.
"""

from typing import Any

import pytest

from pipelines.check import declared_checks
from pipelines.check.run import evaluate
from pipelines.plan import build_plan
from pipelines.reconcile.persons import reconcile_persons
from pipelines.tables import fill_table
from tests.plan.world import VirtualClock
from tests.reconcile.people import put_customers
from tests.reconcile.shop import Shop, insert, rows

ORDER = "gid://shopify/Order/81"
CARDS = {"square": "A1", "odoo": "7"}


@pytest.fixture
def club(shop) -> Shop:
    """A till and an ERP, each with a program of points, and one customer who is a member of both."""
    for system in CARDS:
        shop.con.execute("INSERT INTO estate.systems VALUES (?, 'shop', 'Europe/Paris')", [system])
        for entity in ("customers", "loyalty"):
            shop.con.execute("DELETE FROM reads.verdicts WHERE system = ? AND entity = ?", [system, entity])
            shop.con.execute("INSERT INTO reads.verdicts VALUES (?, ?, true, '')", [system, entity])
        for name in ("first_name", "loyalty_points"):
            shop.con.execute("INSERT INTO policy.targets VALUES (?, 'customers', ?, 'live', true, 0)", [system, name])
            shop.con.execute("INSERT INTO policy.sources VALUES ('customers', ?, ?, 1)", [name, system])
    return shop


def card(shop: Shop, system: str, points: int) -> None:
    """The balance that a system's card has now, and its owner, who is known there by the e-mail."""
    owner = {"first_name": "Anne", "last_name": "Roux", "email": "a@example.fr", "loyalty_points": str(points)}
    put_customers(shop.con, [{"key": f"{system}/C1", **owner}])
    insert(shop.con, f"{system}.loyalty_cards", {
        "vendor_id": CARDS[system], "vendor_customer_id": "C1", "points": points,
    })


def earned(shop: Shop, system: str, points: int, key: str = "E1") -> None:
    """An event of a system's log, an hour before the night that comes."""
    insert(shop.con, f"{system}.loyalty_events", {
        "vendor_id": key, "card_id": CARDS[system], "kind": "earn" if points > 0 else "redeem", "points": points,
        "order_id": ORDER, "occurred_at": shop.as_of(0),
    })


def night(shop: Shop) -> list[dict[str, Any]]:
    """A night, with its customers; what differs in points."""
    at = shop.as_of(shop.day + 1)
    fill_table(shop.con, "estate.night", [(f"n{shop.day + 1}", "maison", at, "Europe/Paris", "nightly")])
    reconcile_persons(shop.con)
    return [row for row in shop.night() if row["field"] == "loyalty_points"]


def balances(shop: Shop) -> dict[str, tuple[int, int, str]]:
    """Of each system's card: what it has, what its events make, and what is said of that."""
    found = rows(shop.con, "SELECT system, balance, explained, state FROM reconcile.loyalty_balances")
    return {row["system"]: (int(row["balance"]), int(row["explained"]), row["state"]) for row in found}


def test_an_event_that_is_read_again_counts_once(club):
    card(club, "square", 49)
    earned(club, "square", 49)
    for _ in range(3):
        night(club)
        assert balances(club) == {"square": (49, 49, "explained")}
    assert rows(club.con, "SELECT count(*) AS n FROM ledger.identity.loyalty_events") == [{"n": 1}]


def test_an_event_that_its_system_shows_no_more_still_counts(club):
    card(club, "square", 49)
    earned(club, "square", 49)
    night(club)
    club.con.execute("DELETE FROM square.loyalty_events")
    night(club)
    assert balances(club) == {"square": (49, 49, "explained")}


def test_points_that_no_event_made_are_told(club):
    card(club, "square", 98)
    earned(club, "square", 49)
    assert night(club) == []
    assert balances(club) == {"square": (98, 49, "unexplained")}


def test_one_event_in_two_systems_is_found_and_corrected_by_nobody(club):
    for system in CARDS:
        card(club, system, 49)
        earned(club, system, 49)
    assert night(club) == []
    assert rows(club.con, "SELECT count(DISTINCT person_id) AS n FROM observed.customers") == [{"n": 1}]
    (check,) = [one for one in declared_checks() if one.name == "loyalty_event_twice"]
    (found,) = evaluate(club.con, [check])
    assert (found.failed_rows, found.stops) == (1, ()), "a person is told; no push waits for it"
    assert balances(club) == {"square": (49, 49, "explained"), "odoo": (49, 49, "explained")}, "both stand as told"
    plan_id = build_plan(club.con, lane="main", clock=VirtualClock(club.as_of(0)))
    points = "SELECT count(*) AS n FROM ledger.sync.corrections WHERE plan_id = ? AND field = 'loyalty_points'"
    assert rows(club.con, points, plan_id) == [{"n": 0}]
