"""A resync or a backfill does harm: old over new, welcome mails again.

mailchimp/mc-woocommerce#1264, #591; dlt-hub/dlt PR#2202, #2201 (which duplicate wins); dagster-io/dagster#18773, #30004
(the order of partitions), #21022 and dlt-hub/dlt#1102 (the same pipeline twice at once).
"""

from datetime import timedelta

from pipelines.channels.base import Endpoint, Page
from pipelines.extract import extract_days
from tests.test_extract import NOW, channel, ids, pages, row
from tests.test_push import outcomes, plan, prices, push, vendor_for


async def test_the_plan_of_an_older_night_writes_nothing(world, clock):
    night = plan(world, clock, *prices(2))
    vendor = vendor_for(world, night, clock)
    clock.at += timedelta(days=1)
    await push(world, night, clock, vendor)
    assert (vendor.calls, set(outcomes(world).values())) == ([], {("skipped", "expired")})


def test_reading_the_past_moves_no_cursor(estate):
    orders = Endpoint("orders", ("orders",), pages(ids(2)))
    estate.extract({"till": {"orders": orders}})
    before = estate.one("SELECT endpoint, cursor_at FROM ledger.sync.cursors")
    again = channel("till", (Endpoint("orders", ("orders",), pages(Page([row("old")]))),))
    start = NOW - timedelta(days=9)
    extract_days(estate.con, [(again, estate.session("till"))], entity="orders", start=start,
                 end=start + timedelta(days=1), clock=estate.clock, folder=estate.folder)
    assert set(estate.rows("raw_till.orders")) == {"r0", "r1", "old"}
    assert estate.one("SELECT endpoint, cursor_at FROM ledger.sync.cursors") == before


def test_of_a_record_that_comes_twice_the_later_one_stays(estate):
    estate.extract({"till": {"things": pages(ids(2))}})
    twice = pages(Page([row("r1", "older")]), Page([row("r0", "x"), row("r1", "newer")]))
    assert estate.extract({"till": {"things": twice}})["till.things"].is_complete
    assert estate.rows("raw_till.things")["r1"] == "newer"
