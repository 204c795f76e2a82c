"""Missed changes: cursors, and dates of change that lie.

openlinker#2605 (three silent losses), ADR-048 (writes of stock and variants move no date of the parent);
frappe/erpnext_shopify#190; airbytehq/airbyte#66581, #28926 (an id as cursor); dlt-hub/dlt#2479;
subreme/shopify-monitor#8 (the date moves for nothing).
"""

from datetime import timedelta

from pipelines.channels.base import Page
from tests.reconcile.shop import told
from tests.test_extract import NOW, counting, ids, pages, row


def test_what_changed_in_the_very_moment_of_the_last_read_is_asked_for_again(estate):
    windows = []
    estate.extract({"till": {"things": pages(ids(3), windows=windows)}})
    estate.clock.moment += timedelta(days=1)
    estate.extract({"till": {"things": pages(Page([row("r1", "new")]), windows=windows)}})
    assert windows[1].since < NOW
    assert estate.rows("raw_till.things")["r1"] == "new"


def test_what_no_delta_tells_of_is_found_by_counting(estate):
    estate.extract({"till": {"things": pages(ids(4))}})
    told_nothing = counting(3, Page([]), census=ids(3))
    assert estate.extract({"till": {"things": told_nothing}}, night="n2")["till.things"].kind == "census"
    assert set(estate.rows("raw_till.things")) == {"r0", "r1", "r2"}


def test_values_are_compared_and_not_dates(shop):
    shop.night()
    shop.agree()
    shop.con.execute("UPDATE shopify.prices SET updated_at = '2026-06-15 12:00Z' WHERE vendor_id = 'S1'")
    shop.con.execute(
        "UPDATE shopify.prices SET amount_minor = 990, updated_at = '2020-01-01 12:00Z' WHERE vendor_id = 'S2'"
    )
    assert told(shop.night()) == [("shopify", "amount", "S2", "990", "1200", "here")]
