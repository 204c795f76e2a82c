"""The sync reverts a human's correction, or writes fields that it does not own.

woocommerce/woocommerce-square#7, #19, PR#529 (stock zeroed); frappe/erpnext#11884 (warehouse, supplier and custom
fields lost); frappe/erpnext_shopify#95 (each channel's own description).
"""

from pipelines.plan import build_plan
from pipelines.policy import read_policy
from tests.plan.world import VirtualClock, drift, insert, plan_rows
from tests.reconcile.shop import told


def test_a_price_edited_by_hand_since_all_agreed_is_seen_to_be_that(shop):
    shop.night()
    shop.agree()
    shop.price("shopify", "S1", 990)
    shop.price("shopify", "S2", 990)
    shop.price("square", "V2", 1500)
    found = {row[2]: row[-1] for row in told(shop.night()) if row[0] == "shopify"}
    assert found == {"S1": "here", "S2": "both"}


def test_an_edit_by_hand_waits_for_a_person_by_default(world):
    actions = read_policy().decisions["default"]
    world.execute("DELETE FROM policy.decisions")
    insert(world, "policy.decisions", [
        {"entity": "prices", "field": "amount", "drift_class": name, "action": action}
        for name, action in actions.items()
    ])
    kinds = ("here", "both", "elsewhere")
    insert(world, "reconcile.drift", [drift(vendor_id=kind, drift_class=kind) for kind in kinds])
    planned = plan_rows(world, build_plan(world, lane="main", clock=VirtualClock()))
    assert {row["vendor_id"]: row["disposition"] for row in planned} == {
        "here": "hold", "both": "hold", "elsewhere": "approve",
    }


def test_a_field_that_the_policy_does_not_name_is_never_written(world):
    world.execute("DELETE FROM policy.targets WHERE system = 'shopify' AND field = 'gtin'")
    insert(world, "reconcile.drift", [drift(entity="items", field="gtin", vendor_sub_id="")])
    (row,) = plan_rows(world, build_plan(world, lane="main", clock=VirtualClock()))
    assert row["disposition"] == "not_writable"
