"""A pipeline that reads the truth: pushes exactly what it ought to, and says so in the plan's form.

What the judge must pass; every test of a wrong plan starts from here and spoils one thing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sandbox.records import Consent, Movement, Price, Stock
from sandbox.verdict import Verdict
from sandbox.world import ids
from sandbox.world.items import CURRENCIES, VENDOR_LISTS
from sandbox.world.scene import Scene
from sandbox.world.settings import night_time
from sandbox.world.truth import Row

PlanRows = list[dict[str, Any]]
_ANSWER = {"must_push": "approve", "must_hold": "hold", "must_refuse": "refuse", "not_writable": "not_writable"}


def perfect_plan(scene: Scene, rows: list[Row]) -> list[dict[str, Any]]:
    """The plan's rows, as the outcome of a night in which all went well."""
    plan: list[dict[str, Any]] = []
    for row in rows:
        if row.disposition == "must_quarantine":
            plan.append({
                "kind": "quarantine", "system": row.system, "entity": row.entity, "vendor_id": row.vendor_id,
                "field": row.field,
            })
            continue
        is_pushed = row.disposition == "must_push"
        plan.append({
            "system": row.system, "entity": row.entity, "field": row.field, "vendor_id": row.vendor_id,
            "vendor_sub_id": row.vendor_sub_id, "observed": row.observed, "desired": row.desired,
            "drift_class": row.drift_class, "disposition": _ANSWER[row.disposition],
            "outcome": "applied" if is_pushed else None, "verification": "confirmed" if is_pushed else None,
        })
    gone = scene.chronicle.is_gone("customers")
    plan += [
        {"kind": "person", "system": system, "vendor_id": key, "person_id": person}
        for person, records in scene.persons().items() for system, key in records if (system, key) not in gone
    ]
    return plan


def push(scene: Scene, rows: list[Row]) -> None:
    """Write what must be pushed into the systems, leaving traces as an API would."""
    store, at = scene.store, night_time(scene.chronicle.night) + timedelta(minutes=1)
    state = scene.look()
    lists = {(system, vendor_list): name for (system, name), vendor_list in VENDOR_LISTS.items()}
    for row in rows:
        if row.disposition != "must_push":
            continue
        vendor = scene.vendors[row.system]
        store.effect(
            row.system, row.entity, f"{row.vendor_id}|{row.vendor_sub_id}", row.field, row.observed, row.desired,
            origin="api",
        )
        if row.entity == "prices":
            name = lists[row.system, row.vendor_sub_id]
            number = ids.item_number(row.system, row.vendor_id)
            if row.field == "amount":
                state.prices[row.system, name][number] = int(row.desired or 0)
            else:
                state.compare_at[number] = int(row.desired) if row.desired else -(1 << 40)
            amount = int(state.prices[row.system, name][number])
            compare = int(state.compare_at[number]) if (row.system, name) == ("shopify", "eur") else -1
            vendor.put_prices(store, [Price(
                row.vendor_id, row.vendor_sub_id, CURRENCIES[name], amount, compare if compare >= 0 else None
            )], at)
        elif row.entity == "stock" and row.system == "square":
            key = f"API-{row.night}-{row.vendor_id}-{row.vendor_sub_id}"
            count = Movement(key, row.vendor_id, row.vendor_sub_id, "count", int(row.desired or 0), at)
            vendor.put_movements(store, [count])
        elif row.entity == "stock":
            place = next(at for at, p in enumerate(scene.shelves.places) if p.shopify == row.vendor_sub_id)
            number = ids.item_number("shopify", row.vendor_id)
            committed = int(scene.memory.committed[scene.shelves.row_of(number, place)])
            vendor.put_stock(store, [Stock(
                row.vendor_id, row.vendor_sub_id, int(row.desired or 0) + committed, committed,
                ids.shopify_inventory(number),
            )], at)
        else:
            record = state.customers[row.system][row.vendor_id]
            if row.entity == "consents":
                record = replace(record, consent=Consent("no", at, False, "sync"))
            else:
                record = replace(record, **{row.field: row.desired})
            state.customers[row.system][row.vendor_id] = record
            vendor.put_customers(store, [record], at)


def add(**facts: Any) -> Callable[[PlanRows], None]:
    """Spoils a plan by one more correction: of a price that nothing is wrong with, where `facts` say no other."""
    row = {
        "system": "shopify", "entity": "prices", "field": "amount",
        "vendor_id": "gid://shopify/ProductVariant/4000000001", "vendor_sub_id": "gid://shopify/PriceList/3",
        "observed": "100", "desired": "200", "drift_class": "elsewhere", "disposition": "approve",
        "outcome": "applied", "verification": "confirmed",
    }
    return lambda plan: plan.append(row | facts)


def kinds(verdict: Verdict) -> set[str]:
    """Names of what is wrong."""
    return {failure.kind for failure in verdict.failures}
