"""Square's loyalty program: read where it is asked for, every event once, and held against what Odoo says."""

from datetime import timedelta

import duckdb
import pytest

from pipelines.channels.base import Connection
from pipelines.channels.square import SQUARE
from pipelines.channels.square.session import TOKEN, connect
from pipelines.errors import ConfigurationError
from pipelines.reconcile.loyalty import record_loyalty
from pipelines.stage import create_unions
from pipelines.tables import fill_table
from sandbox.square import SquareVendor
from sandbox.square.loyalty import put_loyalty
from sandbox.vendor import Place
from tests.channels.harness import EPOCH, Outside, outside
from tests.channels.square_points import JUNE, account, event
from tests.reconcile.shop import insert, rows

MINUTE = timedelta(minutes=1)


def till(**options: str) -> Outside:
    world = outside(SquareVendor(), SQUARE, TOKEN, options=options)
    world.vendor.put_places(world.store, [Place("LPARIS", "Paris", "location")], JUNE)
    return world


async def test_a_program_that_is_not_asked_for_is_not_read():
    world = till()
    put_loyalty(world.store, [account(1)], [event(1)])
    for endpoint in ("loyalty_accounts", "loyalty_events"):
        (page,) = await world.pages(endpoint)
        assert (list(page.rows), page.total) == ([], 0)
    assert world.transport.paths() == []


def test_the_option_is_on_or_not_there():
    with pytest.raises(ConfigurationError, match='loyalty can only be "on"'):
        connect(Connection("http://sandbox", {TOKEN: "x"}, {"loyalty": "yes"}, None))


async def test_all_of_it_is_read_in_the_vendors_pages():
    world = till(loyalty="on")
    put_loyalty(
        world.store, [account(n) for n in range(250)], [event(n, at=JUNE + n * MINUTE) for n in range(70)]
    )
    assert [len(page.rows) for page in await world.pages("loyalty_accounts")] == [200, 50]
    assert [len(page.rows) for page in await world.pages("loyalty_events")] == [30, 30, 10]
    assert len(await world.rows("loyalty_events")) == 70 and len(await world.rows("loyalty_accounts")) == 250


async def test_a_delta_holds_what_was_made_since_and_no_more():
    world = till(loyalty="on")
    put_loyalty(world.store, [account(1)], [event(1), event(2, at=EPOCH), event(3, at=EPOCH - MINUTE)])
    assert {row.id for row in await world.rows("loyalty_events", EPOCH)} == {"E0002"}


def night(con: duckdb.DuckDBPyConnection, number: int) -> None:
    at = EPOCH + timedelta(days=number)
    create_unions(con)
    fill_table(con, "estate.night", [(f"n{number}", "maison", at, "Europe/Paris", "nightly")])
    fill_table(con, "reads.verdicts", [("square", "loyalty", True, ""), ("odoo", "loyalty", True, "")])
    fill_table(con, "policy.loyalty", [(600,)])
    fill_table(con, "policy.sources", [("customers", "loyalty_points", "odoo", 1)])
    record_loyalty(con)


async def test_an_event_counts_once_over_many_reads_and_one_that_odoo_has_too_is_found(con):
    world = till(loyalty="on")
    put_loyalty(
        world.store, [account(1, balance=59, customer="C1"), account(2, balance=5)],
        [event(1), event(2, 10, at=JUNE + MINUTE), event(3, 3, card=2)],
    )
    for number in (1, 2):
        await world.stage(con)
        if number == 1:
            insert(con, "odoo.loyalty_cards", {"vendor_id": "3", "vendor_customer_id": "6", "points": 49})
            insert(con, "odoo.loyalty_events", {
                "vendor_id": "17:issued", "card_id": "3", "kind": "earn", "points": 49, "order_id": "17",
                "occurred_at": JUNE + timedelta(seconds=4),
            })
            for system, customer in (("square", "C1"), ("odoo", "6")):
                insert(con, "reconcile.person_matches", {"system": system, "vendor_id": customer, "person_id": "p1"})
        night(con, number)
        counted = rows(
            con, "SELECT system, event_id, first_seen_night FROM ledger.identity.loyalty_events ORDER BY ALL"
        )
        assert [tuple(row.values()) for row in counted] == [
            ("odoo", "17:issued", "n1"), *(("square", f"E000{n}", "n1") for n in (1, 2, 3)),
        ]
    twins = rows(con, "SELECT * FROM reconcile.loyalty_twins")
    assert [(row["doubted_system"], row["doubted_id"], row["other_system"], row["other_id"]) for row in twins] == [
        ("square", "E0001", "odoo", "17:issued")
    ]
    balances = rows(con, "SELECT system, card_id, state FROM reconcile.loyalty_balances ORDER BY ALL")
    assert [tuple(row.values()) for row in balances] == [
        ("odoo", "3", "explained"), ("square", "A0001", "explained"), ("square", "A0002", "unexplained"),
    ]
    put_loyalty(world.store, [account(2, balance=5)], [event(4, 2, card=2, at=EPOCH)])
    await world.stage(con)
    night(con, 3)
    assert rows(con, "SELECT card_id FROM reconcile.loyalty_balances WHERE state = 'unexplained'") == []
