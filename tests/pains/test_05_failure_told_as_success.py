"""Partial or silent failure reported as success.

microsoft/BCApps#8396 (one bundle blocks hundreds of items); woocommerce/woocommerce-square#44 (no culprit named);
airbytehq/airbyte PR#50976 (HTTP 500, and the stream is "complete"); Shopify/shopify_python_api#433 (saved, and the
price unchanged); frappe/ecommerce_integrations#298, #338; datahub-project/datahub PR#19369 (99 good rows lost with a
bad one); openlinker ADR-048 (cut off at the page cap, yet "ok").
"""

from pipelines.channels.base import Page
from pipelines.errors import FatalChannelError
from pipelines.verify import verify_plan
from tests.plan.world import plan_rows
from tests.test_extract import ids, pages
from tests.test_push import outcomes, plan, prices, push, vendor_for


async def test_a_bad_row_is_named_and_takes_no_good_row_with_it(world, clock):
    night = plan(world, clock, *prices(30))
    vendor = vendor_for(world, night, clock, refuses_whole=True)
    vendor.bad = {row["correction_key"] for row in plan_rows(world, night) if row["vendor_id"] == "v007"}
    await push(world, night, clock, vendor)
    found = outcomes(world)
    assert found.pop("v007", ("not named", ""))[0] == "rejected"
    assert set(found.values()) == {("applied", "")} and len(found) == 29


async def test_saved_and_unchanged_is_no_success(world, clock):
    night = plan(world, clock, *prices(1))
    vendor = vendor_for(world, night, clock, distort=lambda value: "1000")
    await push(world, night, clock, vendor)
    assert outcomes(world) == {"v000": ("applied", "")}, "so the vendor says"
    found = await verify_plan(world, night, {"shopify": vendor.session()}, clock=clock)
    assert found == {"shopify": {"settling": 1}}, "read back, it is not there"


def test_a_list_cut_off_at_the_page_cap_is_not_complete(estate):
    cut = pages(Page(ids(100).rows, total=250))
    verdict = estate.extract({"shop": {"products": cut}})["shop.products"]
    assert (verdict.is_complete, verdict.reason) == (False, "100 rows where the system declared 250")
    assert estate.one("SELECT is_complete FROM reads.verdicts") == [(False,)]


def test_an_error_in_the_middle_is_not_the_end(estate):
    broken = pages(ids(100), error=FatalChannelError("500"))
    assert not estate.extract({"shop": {"products": broken}})["shop.products"].is_complete
    assert estate.rows("raw_shop.products") == {}
