"""Click & collect and returns, night after night, on a shop small enough to think about: each unit counts once.

The till counts 10 and the webshop sells from its shelf, with one unit of safety stock. What a hold does to the level,
and what becomes of it, is looked at in golden stock, in the plan's drift and in the ledger of events.
"""

from datetime import timedelta

import pytest

from pipelines.tables import fill_table
from tests.reconcile.shop import Shop, insert, rows, told

WEB = "gid://shopify/Order/81"


@pytest.fixture
def shop(con):
    shop = Shop(con).open()
    shop.item(1)
    shop.level(1, on_hand=10, available=9)
    assert shop.night() == []
    shop.agree()
    return shop


def order(shop: Shop, state: str, *, pickup: bool = True, key: str = "line-1|WP") -> None:
    """The webshop's order of two units at the shop: its movement, and its hold where it is picked up there."""
    shop.move("shopify", 1, -2, kind="order", state=state, key=key)
    shop.con.execute("DELETE FROM shopify.holds WHERE hold_id = ?", [key])
    if pickup:
        shop.con.execute("UPDATE shopify.movements SET hold_id = movement_id WHERE movement_id = ?", [key])
        at, now = shop.as_of(1) - timedelta(hours=1), shop.as_of(shop.day + 1) - timedelta(hours=1)
        ended = {"open": "placed", "fulfilled": "collected"}.get(state, state)
        insert(shop.con, "shopify.holds", {
            "hold_id": key, "order_id": WEB, "vendor_id": "S1", "vendor_location_id": "WP", "quantity": 2, "taken": 0,
            "state": ended, "placed_at": at, "updated_at": now,
        })


def at_the_till(shop: Shop, state: str, *, reference: str | None = None, taken: int = 0, **columns: object) -> None:
    """The till's order of two units, set aside behind the counter."""
    shop.con.execute("DELETE FROM square.holds")
    at = shop.as_of(1) - timedelta(hours=1)
    insert(shop.con, "square.holds", {
        "hold_id": "O1|F1|L1", "order_id": "O1", "reference": reference, "vendor_id": "V1", "vendor_location_id": "LP",
        "quantity": 2, "taken": taken, "state": state, "placed_at": at, "updated_at": at, **columns,
    })


def written(shop: Shop, available: int) -> None:
    """The night wrote the webshop's level, and has proved it."""
    shop.level(1, available=available)
    shop.con.execute(
        "UPDATE ledger.agreed.stock SET quantity = ?, agreed_at = ? WHERE system = 'shopify'",
        [available, shop.as_of(shop.day) + timedelta(hours=1)],
    )


def terms(shop: Shop) -> tuple[int, ...]:
    """on_hand, committed, held, available of the item at the shop."""
    return shop.con.execute("SELECT on_hand, committed, held, available FROM golden.stock").fetchone()


def events(shop: Shop) -> list[tuple[str, str]]:
    return shop.con.execute(
        "SELECT event, night_id FROM ledger.identity.hold_events ORDER BY seen_at, event"
    ).fetchall()


def test_a_hold_is_held_and_not_committed_and_collecting_it_is_one_sale(shop):
    order(shop, "open")
    shop.level(1, available=7)
    assert shop.night() == []
    assert terms(shop) == (10, 0, 2, 7)
    order(shop, "fulfilled")
    drift = shop.night()
    assert terms(shop) == (8, 0, 0, 7)
    assert told(drift) == [("square", "on_hand", "V1", "10", "8", "explained")], "the till is told of it, once"
    assert events(shop) == [("placed", "n1"), ("collected", "n2")]


def test_an_order_that_is_sent_is_committed_and_no_hold(shop):
    order(shop, "open", pickup=False)
    shop.level(1, available=7)
    assert shop.night() == []
    assert terms(shop) == (10, 2, 0, 7)


@pytest.mark.parametrize("reference", [WEB, "81"])
def test_a_hold_that_two_systems_show_counts_once(shop, reference):
    order(shop, "open")
    at_the_till(shop, "placed", reference=reference)
    shop.level(1, available=7)
    assert shop.night() == []
    assert terms(shop) == (10, 0, 2, 7)
    assert events(shop) == [("placed", "n1")]


def test_what_is_paid_ahead_at_the_till_is_off_its_count_and_not_held_again(shop):
    order(shop, "open")
    at_the_till(shop, "placed", reference=WEB, taken=2)
    shop.move("square", 1, -2, kind="sale", key="sold-ahead")
    shop.level(1, on_hand=8, available=7)
    assert shop.night() == []
    assert terms(shop) == (8, 0, 0, 7)
    shop.agree()
    order(shop, "fulfilled")
    at_the_till(shop, "collected", reference=WEB, taken=2)
    assert shop.night() == [], "the till knows: it is not told of the same two units again"
    assert terms(shop) == (8, 0, 0, 7)


def test_goods_that_the_till_rings_up_when_they_are_collected_are_one_sale(shop):
    order(shop, "open")
    at_the_till(shop, "placed", reference=WEB)
    shop.level(1, available=7)
    assert shop.night() == []
    shop.agree()
    order(shop, "fulfilled")
    at_the_till(shop, "collected", reference=WEB, taken=2)
    shop.move("square", 1, -2, kind="sale", key="rung-up")
    shop.level(1, on_hand=8)
    assert shop.night() == []
    assert terms(shop) == (8, 0, 0, 7)


def test_a_hold_of_the_till_alone_lowers_what_the_webshop_may_sell(shop):
    at_the_till(shop, "placed")
    assert told(shop.night()) == [("shopify", "available", "S1", "9", "7", "explained")]
    assert terms(shop) == (10, 0, 2, 7)
    shop.level(1, available=7)
    at_the_till(shop, "collected", taken=2)
    shop.move("square", 1, -2, kind="sale", key="rung-up")
    shop.level(1, on_hand=8)
    assert shop.night() == []
    assert terms(shop) == (8, 0, 0, 7)


@pytest.mark.parametrize("by", ["the system's own expiry", "the estate's hours"])
def test_an_expired_hold_is_found_and_released_once(shop, by):
    own = {"expires_at": shop.as_of(2) - timedelta(minutes=1)} if by.startswith("the system") else {}
    if not own:
        fill_table(shop.con, "estate.hold_limits", [("paris", 24)])
    at_the_till(shop, "placed", **own)
    shop.night()
    written(shop, 7)
    drift = shop.night()
    assert told(drift) == [("shopify", "available", "S1", "7", "9", "explained")]
    assert terms(shop) == (10, 0, 0, 9)
    written(shop, 9)
    assert shop.night() == []
    assert events(shop) == [("placed", "n1"), ("expired", "n2")]
    listed = rows(shop.con, "SELECT event FROM ledger.identity.hold_events WHERE night_id = 'n3'")
    assert listed == []


def test_a_web_order_that_is_not_collected_is_for_sale_again_and_its_cancelling_gives_nothing_back_twice(shop):
    fill_table(shop.con, "estate.hold_limits", [("paris", 24)])
    order(shop, "open")
    shop.level(1, available=7)
    assert shop.night() == []
    shop.agree()
    assert told(shop.night()) == [("shopify", "available", "S1", "7", "9", "explained")]
    written(shop, 9)
    order(shop, "cancelled")
    shop.move("shopify", 1, 2, kind="cancel", state="cancelled", key="refund-1")
    shop.level(1, available=11)  # the webshop puts the units back that it had been told of
    assert told(shop.night()) == [("shopify", "available", "S1", "11", "9", "explained")]
    assert terms(shop) == (10, 0, 0, 9)


def test_a_late_customer_after_all_is_one_sale(shop):
    fill_table(shop.con, "estate.hold_limits", [("paris", 24)])
    order(shop, "open")
    shop.level(1, available=7)
    shop.night()
    shop.agree()
    shop.night()
    order(shop, "fulfilled")
    shop.night()
    assert terms(shop) == (8, 0, 0, 7)
    assert events(shop) == [("placed", "n1"), ("expired", "n2"), ("collected", "n3")]


def test_a_hold_whose_order_is_cancelled_elsewhere_is_an_orphan_found_once(shop):
    order(shop, "open")
    at_the_till(shop, "placed", reference=WEB)
    shop.level(1, available=7)
    shop.night()
    shop.agree()
    order(shop, "cancelled")
    shop.move("shopify", 1, 2, kind="cancel", state="cancelled", key="refund-1")
    shop.level(1, available=9)
    assert shop.night() == []
    assert terms(shop) == (10, 0, 0, 9)
    shop.night()
    assert events(shop) == [("placed", "n1"), ("orphaned", "n2")]


def test_a_hold_whose_order_is_gone_is_an_orphan_but_not_before_the_orders_were_read_whole(shop):
    order(shop, "open")
    at_the_till(shop, "placed", reference="81")
    shop.level(1, available=7)
    shop.night()
    shop.con.execute("DELETE FROM shopify.holds")
    shop.con.execute("DELETE FROM shopify.movements")
    shop.reads(("shopify", "orders"))
    shop.night()
    assert events(shop) == [("placed", "n1")]
    assert shop.con.execute("SELECT count(*) FROM golden.stock").fetchone() == (0,), "nothing is concluded"
    shop.reads()
    shop.night()
    assert terms(shop) == (10, 0, 0, 9)
    assert events(shop) == [("placed", "n1"), ("orphaned", "n3")]
    shop.night()
    assert len(events(shop)) == 2, "the till still keeps the goods, and it was said"


def test_what_was_held_explains_a_level_when_the_tills_own_base_has_moved_on(shop):
    at_the_till(shop, "placed")
    shop.night()
    shop.level(1, available=7)
    shop.night()
    shop.agree()
    shop.level(1, available=20)  # typed by hand: the webshop's base stays behind
    shop.move("square", 1, 5, kind="receipt", key="delivery")
    shop.level(1, on_hand=15)
    shop.night()
    shop.agree()
    shop.level(1, available=7)  # and put back
    assert told(shop.night()) == [("shopify", "available", "S1", "7", "12", "explained")]


def test_a_buffer_is_kept_back_from_its_system_alone_and_goldens_law_stays(shop):
    fill_table(shop.con, "estate.buffers", [("shopify", "", "paris", 3, "buffer of shopify")])
    assert told(shop.night()) == [("shopify", "available", "S1", "9", "6", "explained")]
    assert terms(shop) == (10, 0, 0, 9)
    shop.level(1, available=6)
    assert shop.night() == []
    shop.agree()
    shop.move("square", 1, -2, kind="sale", key="sale")
    shop.level(1, on_hand=8)
    assert told(shop.night()) == [("shopify", "available", "S1", "6", "4", "explained")]


def test_a_return_bought_online_and_brought_to_a_shop_restocks_it_once_though_both_systems_show_it(shop):
    order(shop, "fulfilled", pickup=False)
    shop.level(1, available=7)
    shop.night()
    shop.con.execute("UPDATE ledger.identity.movements SET settled_night = 'n1' WHERE movement_id = 'line-1|WP'")
    shop.move("square", 1, 8, kind="count", key="told")
    shop.level(1, on_hand=8)
    assert shop.night() == []
    shop.agree()
    # The customer brings one back: the till rings it up, the webshop refunds it and restocks the same shop.
    shop.move("square", 1, 1, kind="restock", key="taken-in-at-the-till")
    shop.move("shopify", 1, 1, kind="restock", state="fulfilled", key="refund-1")
    shop.level(1, on_hand=9, available=8)
    assert shop.night() == []
    assert terms(shop)[0] == 9, "one unit is back on one shelf"
    shop.agree()
    # Another brings one back, and the till is not used: it is told of that one, and the first stands for nobody else.
    shop.move("shopify", 1, 1, kind="restock", state="fulfilled", key="refund-2")
    shop.level(1, available=9)
    assert told(shop.night()) == [("square", "on_hand", "V1", "9", "10", "explained")]
