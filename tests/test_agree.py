"""The base moves by its two proofs and by nothing else; movements are settled when the authority has been told."""

from datetime import timedelta

import pytest

from pipelines.agree import move_base
from pipelines.approve import approve_by_policy
from pipelines.plan import build_plan
from pipelines.push import push_plan
from pipelines.reconcile.drift import build_drift
from pipelines.reconcile.models import build_models
from pipelines.verify import verify_plan
from tests.arming import ARMED
from tests.plan.vendor import FakeVendor
from tests.plan.world import AS_OF, VirtualClock, fresh, insert, plan_rows, policy, start_night


@pytest.fixture
def world():
    con = fresh()
    policy(con)
    con.execute("DELETE FROM policy.targets WHERE entity IN ('prices', 'customers') AND system = 'mailchimp'")
    con.execute("DELETE FROM policy.targets WHERE field = 'compare_at' AND system <> 'shopify'")
    con.execute("DELETE FROM policy.targets WHERE field = 'on_hand' AND system <> 'square'")
    con.execute("DELETE FROM policy.targets WHERE field = 'available' AND system <> 'shopify'")
    build_models(con, "reconcile.movement_log", "reconcile.outstanding")
    return con


def replace(con, table, *rows):
    con.execute(f"DELETE FROM {table}")
    insert(con, table, rows)


def price(system, vendor_id, amount, compare_at=None, **rest):
    return {"system": system, "vendor_id": vendor_id, "vendor_price_list": "base", "item_id": "i" + vendor_id[-1],
            "price_list_id": "eur", "currency": "EUR", "amount": amount, "compare_at": compare_at, "tax_basis": "gross",
            "tax_rate_bp": 2000, "version": "1", "write_context": "{}"} | rest


def golden_price(item, amount, compare_at=None):
    return {"item_id": item, "price_list_id": "eur", "currency": "EUR", "amount": amount, "compare_at": compare_at,
            "tax_basis": "gross", "tax_rate_bp": 2000, "authority": "square", "rule": "source of truth", "reason": "r"}


async def night(con, number, *, push=True, kind="nightly", **vendor_options):
    """Everything from drift to agreement, with one dict for every vendor."""
    start_night(con, number)
    con.execute("UPDATE estate.night SET kind = ?", [kind])
    # Fewer targets make a shorter drift query.
    con.execute("DELETE FROM policy.targets WHERE entity NOT IN "
                "(SELECT 'prices' FROM observed.prices UNION ALL SELECT 'stock' FROM observed.stock UNION ALL "
                "SELECT 'customers' FROM observed.customers UNION ALL SELECT 'items' FROM observed.items "
                "UNION ALL SELECT 'consents' FROM observed.consents)")
    clock = VirtualClock(AS_OF + timedelta(days=number - 1, minutes=5))
    build_drift(con)
    plan_id = build_plan(con, lane="main", clock=clock)
    rows = plan_rows(con, plan_id)
    sessions = {}
    for name in sorted({row["system"] for row in rows}):
        vendor = FakeVendor(name, clock, **vendor_options)
        vendor.values = {(r["entity"], r["field"], r["vendor_id"], r["vendor_sub_id"]): r["observed"] for r in rows}
        sessions[name] = vendor.session()
    if push:
        approve_by_policy(con, plan_id, armed=ARMED, clock=clock)
        await push_plan(con, plan_id, sessions, armed=ARMED, clock=clock)
        await verify_plan(con, plan_id, sessions, clock=clock)
    return rows, move_base(con, clock=clock)


def base(con, table, columns, order="system, vendor_id"):
    return con.execute(f"SELECT {columns} FROM ledger.agreed.{table} ORDER BY {order}").fetchall()


async def test_equal_rows_become_the_base_and_drifted_ones_do_not(world):
    shopify = price("shopify", "s1", 1000), price("shopify", "s2", 500)
    replace(world, "observed.prices", price("square", "q1", 1000), *shopify)
    replace(world, "golden.prices", golden_price("i1", 1000), golden_price("i2", 700))
    rows, touched = await night(world, 1, push=False)
    assert [(row["vendor_id"], row["drift_class"]) for row in rows] == [("s2", "never_agreed")]
    assert base(world, "prices", "vendor_id, amount, fields") == [
        ("s1", 1000, ["amount", "compare_at"]), ("s2", None, ["compare_at"]), ("q1", 1000, ["amount"]),
    ]
    assert touched["prices"] == 3
    _, again = await night(world, 2, push=False)
    assert {name: count for name, count in again.items() if count and name != "history"} == {}
    assert base(world, "prices", "DISTINCT night_id", "ALL") == [("n1",)]


async def test_a_confirmed_write_moves_that_field(world):
    replace(world, "observed.prices", price("shopify", "s1", 900), price("shopify", "s2", 500))
    replace(world, "golden.prices", golden_price("i1", 1000), golden_price("i2", 650))
    await night(world, 1)
    assert base(world, "prices", "vendor_id, amount, compare_at, fields") == [
        ("s1", 1000, None, ["amount", "compare_at"]), ("s2", 650, None, ["amount", "compare_at"]),
    ]


async def test_what_is_not_confirmed_moves_nothing(world):
    replace(world, "observed.prices", price("shopify", "s1", 900))
    replace(world, "golden.prices", golden_price("i1", 1000))
    await night(world, 1, distort=lambda value: "950")
    assert base(world, "prices", "fields") == [(["compare_at"],)]


async def test_an_incomplete_read_proves_nothing(world):
    replace(world, "observed.prices", price("shopify", "s1", 1000))
    replace(world, "golden.prices", golden_price("i1", 1000))
    for entity in ("prices", "items"):
        world.execute("UPDATE reads.verdicts SET is_complete = (entity <> ?) WHERE system = 'shopify'", [entity])
        await night(world, 1)
        assert base(world, "prices", "vendor_id") == []
    world.execute("DELETE FROM reads.verdicts WHERE system = 'shopify' AND entity = 'items'")
    await night(world, 1)
    assert base(world, "prices", "vendor_id") == []


async def test_an_on_demand_sync_proves_only_what_it_wrote(world):
    replace(world, "observed.prices", price("shopify", "s1", 1000), price("shopify", "s2", 500))
    replace(world, "golden.prices", golden_price("i1", 1000), golden_price("i2", 600))
    await night(world, 1, kind="sync_now")
    assert base(world, "prices", "vendor_id, amount, fields") == [("s2", 600, ["amount"])]


async def test_the_base_tells_who_moved_the_next_night(world):
    replace(world, "observed.prices", price("shopify", "s1", 1000), price("shopify", "s2", 600))
    replace(world, "golden.prices", golden_price("i1", 1000), golden_price("i2", 600))
    await night(world, 1)
    replace(world, "observed.prices", price("shopify", "s1", 1050), price("shopify", "s2", 600))
    replace(world, "golden.prices", golden_price("i1", 1000), golden_price("i2", 650))
    rows, _ = await night(world, 2, push=False)
    assert [(row["vendor_id"], row["drift_class"], row["base"]) for row in rows] == [
        ("s1", "here", "1000"), ("s2", "elsewhere", "600"),
    ]


async def test_price_history_holds_changes(world):
    replace(world, "golden.prices", golden_price("i1", 1000))
    for number, amount in ((1, 1000), (2, 1000), (3, 900)):
        replace(world, "observed.prices", price("shopify", "s1", amount))
        world.execute("UPDATE policy.decisions SET action = 'approve'")
        _, touched = await night(world, number)
        assert move_base(world, clock=VirtualClock())["prices"] == 0
    found = world.execute("SELECT amount, first_seen_at, last_confirmed_at FROM ledger.history.prices "
                          "ORDER BY first_seen_at").fetchall()
    day = timedelta(days=1)
    assert [row[0] for row in found] == [1000, 900, 1000]
    assert found[0][1:] == (AS_OF, AS_OF + day)
    assert found[1][1:] == (AS_OF + 2 * day, AS_OF + 2 * day)
    assert found[2][1] > found[1][1]
    assert touched["history"] == 2


async def test_customer_fields_move_one_by_one(world):
    who = {"vendor_id": "c1", "person_id": "p1"}
    replace(world, "observed.customers",
            {"system": "shopify", **who, "first_name": "Zoë", "city": "Lyon", "phone": "+33612345678"})
    replace(world, "golden.customers",
            {"person_id": "p1", "first_name": "ZOE", "city": "Paris", "city_authority": "hubspot", "postcode": "75001",
             "postcode_authority": "hubspot"})
    rows, _ = await night(world, 1, push=False)
    assert sorted(row["field"] for row in rows) == ["city", "postcode"]
    assert base(world, "customers", "person_id, first_name, city, phone, fields") == [
        ("p1", "Zoë", None, None, ["first_name", "last_name", "street"])
    ]


@pytest.mark.parametrize("why", ["unread", "quarantined"])
async def test_what_is_frozen_is_not_blank(world, why):
    """Golden says nothing of a field whose source of truth was not heard: its base stays, and no blank is agreed on."""
    who = {"vendor_id": "c1", "person_id": "p1"}
    insert(world, "policy.sources", [
        {"entity": "customers", "field": field, "system": "hubspot", "rank": 1} for field in ("phone", "city")
    ])
    replace(world, "observed.customers", {"system": "shopify", **who, "phone": "+33612345678"})
    replace(world, "golden.customers", {"person_id": "p1", "phone": "+33612345678", "phone_authority": "hubspot"})
    await night(world, 1)
    agreed = base(world, "customers", "phone, fields")
    assert agreed == [("+33612345678", ["city", "first_name", "last_name", "phone", "postcode", "street"])]
    replace(world, "observed.customers", {"system": "shopify", **who})
    replace(world, "golden.customers", {"person_id": "p1"})
    if why == "unread":
        world.execute("UPDATE reads.verdicts SET is_complete = false WHERE system = 'hubspot'")
    else:
        insert(world, "reconcile.person_gaps", [{"person_id": "p1", "system": "hubspot"}])
    await night(world, 2)
    assert base(world, "customers", "phone, fields") == agreed


async def test_items_and_consents(world):
    replace(world, "observed.items", {"system": "square", "vendor_id": "q1", "item_id": "i1", "gtin": "04006381333931"})
    replace(world, "golden.items", {"item_id": "i1", "gtin": "04006381333931", "authority": "square"})
    key = {"channel": "email", "purpose": "newsletter"}
    replace(world, "observed.consents", *(
        {"system": "mailchimp", "vendor_id": f"m{i}", "vendor_audience_id": "l", "contact_point": f"cp{i}", **key,
         "state": state} for i, state in enumerate(("yes", "unknown", "pending", "yes"))
    ))
    replace(world, "golden.consents", *(
        {"contact_point": f"cp{i}", **key, "state": state} for i, state in enumerate(("yes", "unknown", "yes", "no"))
    ))
    await night(world, 1)
    assert base(world, "items", "vendor_id, gtin, fields") == [("q1", "04006381333931", ["gtin"])]
    assert base(world, "consents", "vendor_id, state") == [("m0", "yes")]


# -- stock -------------------------------------------------------------------------------------------------


def level(system, vendor_id, quantity):
    return {"system": system, "vendor_id": vendor_id, "vendor_location_id": "L", "item_id": "i1", "location_id": "l1",
            "quantity": quantity, "on_hand": quantity, "version": "1", "write_context": "{}"}


def shelf(con, square, shopify, fulfilled=0, committed=0):
    """What both systems hold, and web orders the till has not been told of."""
    replace(con, "observed.stock", level("square", "q1", square), level("shopify", "s1", shopify))
    on_hand = square - fulfilled
    replace(con, "golden.stock", {
        "item_id": "i1", "location_id": "l1", "on_hand": on_hand, "committed": committed, "fulfilled": fulfilled,
        "held": 0, "safety": 0,
        "available": on_hand - committed, "authority": "square", "rule": "stock ledger", "reason": "counted",
    })
    con.execute("DELETE FROM estate.stock_rules")
    con.execute("INSERT INTO estate.stock_rules VALUES ('l1', 'square', 0)")
    replace(con, "estate.locations", *(
        {"system": s, "vendor_location_id": "L", "location_id": "l1"} for s in ("square", "shopify")
    ))
    replace(con, "reconcile.item_matches", *(
        {"system": s, "vendor_id": v, "item_id": "i1"} for s, v in (("square", "q1"), ("shopify", "s1"))
    ))


def web_order(con, movement_id, quantity, term, at):
    """A web order in the ledger and, unsettled, among what is outstanding."""
    insert(con, "reconcile.outstanding", [{
        "system": "shopify", "movement_id": movement_id, "item_id": "i1", "location_id": "l1", "term": term,
        "quantity": quantity,
    }])
    insert(con, "ledger.identity.movements", [{
        "system": "shopify", "movement_id": movement_id, "vendor_id": "s1", "vendor_location_id": "L", "item_id": "i1",
        "location_id": "l1", "kind": "order", "quantity": quantity, "first_seen_at": at, "first_seen_night": "n1",
    }])


def settled(con):
    return dict(con.execute("SELECT movement_id, settled_night FROM ledger.identity.movements").fetchall())


async def test_the_till_is_told_of_fulfilled_web_orders_and_then_they_are_settled(world):
    web_order(world, "o1", -2, "fulfilled", AS_OF)
    web_order(world, "o2", -1, "open", AS_OF)
    shelf(world, square=10, shopify=7, fulfilled=2, committed=1)
    rows, touched = await night(world, 1)
    assert [(row["system"], row["field"], row["observed"], row["desired"]) for row in rows] == [
        ("square", "on_hand", "10", "8")
    ]
    assert base(world, "stock", "system, quantity") == [("shopify", 7), ("square", 8)]
    assert (settled(world), touched["movements"]) == ({"o1": "n1", "o2": None}, 1)


@pytest.mark.parametrize("options", [{"distort": lambda value: "9"}, {"faults": {1: "credential"}}])
async def test_a_till_that_was_not_told_leaves_them_open(world, options):
    web_order(world, "o1", -2, "fulfilled", AS_OF)
    shelf(world, square=10, shopify=8, fulfilled=2)
    await night(world, 1, **options)
    assert settled(world) == {"o1": None}
    assert base(world, "stock", "system") == [("shopify",)]


async def test_orders_that_net_to_nothing_are_settled_by_agreement(world):
    web_order(world, "o1", -2, "fulfilled", AS_OF)
    web_order(world, "r1", 2, "fulfilled", AS_OF)
    shelf(world, square=10, shopify=10)
    await night(world, 1)
    assert settled(world) == {"o1": "n1", "r1": "n1"}


async def test_an_agreement_after_movements_is_a_new_one_at_the_same_level(world):
    web_order(world, "o1", 0, "open", AS_OF - timedelta(days=9))
    shelf(world, square=10, shopify=10)
    await night(world, 1)
    await night(world, 2)
    assert base(world, "stock", "system, night_id") == [("shopify", "n1"), ("square", "n1")]
    web_order(world, "o2", 0, "open", AS_OF + timedelta(days=2))
    await night(world, 3)
    assert base(world, "stock", "system, night_id") == [("shopify", "n3"), ("square", "n3")]


async def test_what_a_stored_plan_wrote_settles_what_it_was_planned_with_and_counts_from_then(world):
    """Between plan and push another night has read, and found one more web order: that one is still to be told."""
    web_order(world, "o1", -2, "fulfilled", AS_OF)
    shelf(world, square=10, shopify=8, fulfilled=2)
    start_night(world, 1)
    build_drift(world)
    clock = VirtualClock()
    plan_id = build_plan(world, lane="main", clock=clock)
    approve_by_policy(world, plan_id, armed=ARMED, clock=clock)
    start_night(world, 2)
    world.execute("UPDATE estate.night SET kind = 'sync_now'")
    web_order(world, "o2", -1, "fulfilled", AS_OF + timedelta(days=1))
    shelf(world, square=10, shopify=7, fulfilled=3)
    vendor = FakeVendor("square", clock)
    vendor.values = {("stock", "on_hand", "q1", "L"): "10"}
    await push_plan(world, plan_id, {"square": vendor.session()}, armed=ARMED, clock=clock)
    await verify_plan(world, plan_id, {"square": vendor.session()}, clock=clock)
    touched = move_base(world, clock=clock, by_writes_alone=True)
    assert (settled(world), touched["movements"]) == ({"o1": "n2", "o2": None}, 1)
    assert base(world, "stock", "system, quantity, agreed_at") == [("square", 8, AS_OF)]


async def test_nothing_is_concluded_from_what_another_run_compared(world):
    replace(world, "observed.prices", price("shopify", "s1", 1000))
    replace(world, "golden.prices", golden_price("i1", 1000))
    start_night(world, 1)
    build_drift(world)
    touched = move_base(world, clock=VirtualClock(), by_writes_alone=True)
    assert {name: count for name, count in touched.items() if count} == {}


async def test_a_proof_moves_the_base_once(world):
    replace(world, "observed.prices", price("shopify", "s1", 900))
    replace(world, "golden.prices", golden_price("i1", 1000))
    await night(world, 1)
    replace(world, "observed.prices", price("shopify", "s1", 800))
    replace(world, "golden.prices", golden_price("i1", 800))
    await night(world, 2)
    await night(world, 3)
    assert base(world, "prices", "amount, night_id") == [(800, "n2")]
