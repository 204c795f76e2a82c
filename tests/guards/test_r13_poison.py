"""R13: a row that is refused for ever is parked after five tries, with its code and a hash; all others are applied."""

import pytest

from pipelines.figures import parked
from tests.guards.shop import GuardedShop

TRIES = 5


@pytest.fixture
def shop():
    """A thousand prices, of which the vendor refuses one whenever it comes."""
    made = GuardedShop(batch_max=250, refuses_whole=True)
    made.con.execute("UPDATE policy.caps SET floor_rows = 5000")
    made.golden = {f"v{number:03d}": "1100" for number in range(1_000)}
    made.put(dict.fromkeys(made.golden, "1000"))
    return made


def nights_sent(shop, vendor_id):
    return shop.con.execute(
        "SELECT count(DISTINCT i.plan_id) FROM ledger.sync.intents AS i JOIN ledger.sync.corrections AS c "
        "USING (plan_id, correction_key) WHERE c.vendor_id = ? AND i.sent_at IS NOT NULL", [vendor_id]).fetchall()[0][0]


def refuse_always(shop, vendor_id):
    """The vendor refuses whatever it is sent for this record."""
    write = shop.vendor.write

    async def refusing(session, corrections, key):
        shop.vendor.bad |= {c.correction_key for c in corrections if c.vendor_id == vendor_id}
        return await write(session, corrections, key)

    shop.vendor.write = refusing


def test_one_in_a_thousand_is_parked_after_five_tries_and_all_others_are_applied(shop):
    refuse_always(shop, "v500")
    for _ in range(TRIES + 2):
        rows = shop.night(drift_class="elsewhere")
    assert sum(shop.observed(vendor_id) == "1100" for vendor_id in shop.golden) == 999
    assert nights_sent(shop, "v500") == TRIES
    (row,) = rows
    assert (row["vendor_id"], row["disposition"], row["is_releasable"]) == ("v500", "hold", True)
    assert parked(shop.con) == {"shopify": 1}, "what makes the night partial"
    reason = row["disposition_reason"]
    assert "in 5 tries (R13), last on 2026-03-07: shopify answered " in reason and "(sent: " in reason
    assert "1100" not in reason, "a hash, not the value"


def test_an_approval_gives_five_tries_again_and_another_value_is_another_correction():
    shop = GuardedShop()
    shop.golden = {"v1": "1100"}
    shop.put({"v1": "1000"})
    refuse_always(shop, "v1")
    for _ in range(TRIES + 2):
        (row,) = shop.night(drift_class="elsewhere")
    assert nights_sent(shop, "v1") == TRIES
    shop.approve(row)
    for _ in range(TRIES + 2):
        (row,) = shop.night(drift_class="elsewhere")
    assert nights_sent(shop, "v1") == 2 * TRIES
    assert row["disposition"] == "hold"
    shop.golden = {"v1": "1090"}
    shop.night(drift_class="elsewhere")
    assert nights_sent(shop, "v1") == 2 * TRIES + 1


def test_an_opt_out_is_tried_every_night_for_ever():
    shop = GuardedShop()
    shop.golden = {"member1": "no"}
    shop.put({"member1": "yes"})
    refuse_always(shop, "member1")
    for _ in range(TRIES + 2):
        (row,) = shop.night(lane="suppression", drift_class="lower")
    assert nights_sent(shop, "member1") == TRIES + 2
    assert row["disposition"] == "approve"
