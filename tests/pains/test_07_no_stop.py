"""No preview, no stop: what was asked for is written at once, however much it is. (No undo: see docs/pains.md.)

frappe/erpnext#7920 ("massive corrections which we cannot undo"); ibericode/mailchimp-user-sync#31 (open since 2015);
veda-consulting-company/uk.co.vedaconsulting.mailchimp#236; dagster-io/dagster#11661, #14681 (approval, both open).
"""

from tests.plan.world import plan_rows
from tests.test_push import plan, prices, push, vendor_for


async def test_a_plan_is_read_before_it_is_written(world, clock):
    night = plan(world, clock, *prices(3), approve=False)
    vendor = vendor_for(world, night, clock)
    assert len(plan_rows(world, night)) == 3, "there to be read"
    await push(world, night, clock, vendor)
    assert vendor.calls == []


async def test_a_night_that_would_change_far_too_much_changes_nothing_of_it(world, clock):
    night = plan(world, clock, *prices(51), *prices(3, "hubspot"))
    shop, crm = vendor_for(world, night, clock), vendor_for(world, night, clock, "hubspot")
    await push(world, night, clock, shop, crm)
    assert (shop.calls, len(crm.effects)) == ([], 3)
    held = [row for row in plan_rows(world, night) if row["disposition"] == "hold"]
    assert len(held) == 51 and all(row["disposition_reason"].startswith("cap: 51 corrections") for row in held)
