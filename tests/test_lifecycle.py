"""The story that docs/lifecycle.md tells of one SKU, lived through in a warehouse in memory: its figures and words."""

import re
from typing import Any

import pytest

from pipelines.agree import move_base
from pipelines.approve import approve_by_policy
from pipelines.check import check_draft
from pipelines.plan import decide, seal_plan
from pipelines.policy import read_policy
from pipelines.push import push_plan
from pipelines.tables import fill_table
from pipelines.verify import verify_plan
from tests.arming import ARMED
from tests.conftest import ROOT
from tests.plan.vendor import FakeVendor
from tests.plan.world import VirtualClock, plan_rows
from tests.reconcile.shop import SYSTEMS, Shop, rows

STORY = re.sub(r"\s+", " ", (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8"))


@pytest.fixture
def shop(con) -> Shop:
    """The dress, equal in all systems on Monday night, under the policy that comes with trueup."""
    opened = Shop(con).open()
    opened.item(1, eur=4990)
    opened.price("hubspot", "H1", 4158)
    policy = read_policy()
    decided = policy.decisions["default"] | policy.decisions.get("prices", {})
    fill_table(con, "policy.decisions", [("prices", "amount", str(c), action) for c, action in decided.items()])
    guard = policy.guards["prices.amount"]
    fill_table(con, "policy.guards", [("prices", "amount", guard.max_jump_pct, True, True, None, None)])
    fill_table(con, "estate.systems", [(system, f"shop-{system}", "Europe/Paris") for system in SYSTEMS])
    opened.night()
    opened.agree()
    return opened


async def live(shop: Shop) -> list[dict[str, Any]]:
    """One night from drift to agreement; returns the plan's rows."""
    clock = VirtualClock(Shop.as_of(shop.day))
    decide(shop.con, "main")
    assert all(result.passed for result in check_draft(shop.con, "main"))
    plan_id = seal_plan(shop.con, lane="main", clock=clock)
    planned = plan_rows(shop.con, plan_id)
    vendors = {name: FakeVendor(name, clock) for name in SYSTEMS}
    for row in planned:
        place = (row["entity"], row["field"], row["vendor_id"], row["vendor_sub_id"])
        vendors[row["system"]].values[place] = row["observed"]
    sessions = {name: vendor.session() for name, vendor in vendors.items()}
    approve_by_policy(shop.con, plan_id, armed=ARMED, clock=clock)
    await push_plan(shop.con, plan_id, sessions, armed=ARMED, clock=clock)
    await verify_plan(shop.con, plan_id, sessions, clock=clock)
    move_base(shop.con, clock=clock)
    return planned


def money(minor: str) -> str:
    return f"{int(minor) / 100:.2f}"


def base(shop: Shop, system: str) -> int:
    (row,) = rows(shop.con, "SELECT amount FROM ledger.agreed.prices WHERE system = ?", system)
    return int(row["amount"])


async def test_the_story_of_one_sku_is_what_happens(shop):
    shop.price("square", "V1", 4490)
    shop.price("shopify", "S1", 4700)
    drift = {d["system"]: d for d in shop.night()}
    assert {system: d["drift_class"] for system, d in drift.items()} == {"shopify": "both", "hubspot": "elsewhere"}
    trees = {system: tuple(int(d[name]) for name in ("base", "observed")) for system, d in drift.items()}
    assert trees == {"shopify": (4990, 4700), "hubspot": (4158, 4158)}
    assert "base 4990 (agreed on Monday), observed 4700, golden 4490. Both moved since they last agreed" in STORY
    assert "base 4158, observed 4158, golden 4490 gross = 3742 net: class `elsewhere`" in STORY

    planned = {row["system"]: row for row in await live(shop)}
    mirrored, edited = planned["hubspot"], planned["shopify"]
    for name, row in (("HubSpot", mirrored), ("Shopify", edited)):
        assert f"{name}: {money(row['observed'])} → {money(row['desired'])}, " in STORY
    assert f'"{mirrored["reason"]}", a fall of 10 %, under the 30 % guard' in STORY
    assert round(100 * (1 - int(mirrored["desired"]) / int(mirrored["observed"]))) == 10
    assert (mirrored["disposition"], edited["disposition"]) == ("approve", "hold")
    assert edited["disposition_reason"] == "The policy holds prices.amount for a person; changed on both sides."

    (approval,) = rows(shop.con, "SELECT correction_key, valid_until - approved_at AS age FROM ledger.sync.approvals")
    assert approval["correction_key"] == mirrored["correction_key"]
    assert f"valid for {approval['age'].seconds // 60} minutes" in STORY
    assert rows(shop.con, "SELECT status, value FROM ledger.sync.verifications") == [
        {"status": "confirmed", "value": mirrored["desired"]}
    ]
    assert f"{money(mirrored['desired'])}, `confirmed`. Only now the base moves to {base(shop, 'hubspot')}" in STORY
    assert base(shop, "shopify") == 4990, "what is held has not agreed"

    shop.price("hubspot", "H1", 3742)
    shop.night()
    (carried,) = await live(shop)
    assert (carried["correction_key"], carried["is_new"]) == (edited["correction_key"], False)
    assert "the Shopify row is carried, not new, until somebody answers" in STORY
