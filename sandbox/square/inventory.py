"""Square's inventory endpoints: counts and changes in, changes out.

Kept strictly: counts come newest first, changes by when they happened; `updated_after` is exclusive and means when
Square knew; a physical count is absolute, at most a day old, and carried forward by what happened after it; a call
is all or nothing. There is no compare-and-set: a stale count is accepted.
"""

import math
from datetime import timedelta
from typing import Any

from sandbox.square import documents, levels, wire
from sandbox.square.wire import NAME, Body, Refusal
from sandbox.store import Store, parse_stamp, stamp

LIMIT, CHANGES_LIMIT, FILTER_LIMIT = 1000, 100, 1000
_OLDEST = timedelta(hours=24)
_TYPES = ("PHYSICAL_COUNT", "ADJUSTMENT")


def counts(store: Store, body: Body) -> str:
    """POST /v2/inventory/counts/batch-retrieve."""
    limit = wire.limit_of(body, default=100, maximum=LIMIT)
    if body.get("states") and "IN_STOCK" not in body["states"]:
        return wire.reply()
    where, args = _after(body)
    for name, column in (("catalog_object_ids", "parent"), ("location_ids", "+lookup")):
        if body.get(name):
            keys = wire.items_of(body, name, maximum=FILTER_LIMIT)
            where.append(f"{column} IN ({','.join('?' * len(keys))})")
            args += keys
    docs, cursor = wire.keyed_page(
        store, "counts", "BatchRetrieveInventoryCounts", body, limit, where, args,
        column="updated_at", descending=True, mark=lambda doc: doc.updated_at,
    )
    return wire.reply(cursor, counts=wire.join(doc.text for doc in docs))


def changes(store: Store, body: Body) -> str:
    """POST /v2/inventory/changes/batch-retrieve."""
    limit = wire.limit_of(body, default=100, maximum=LIMIT)
    where, args = _after(body)
    types = body.get("types") or list(_TYPES)
    if any(name not in _TYPES for name in types):
        raise Refusal(400, "INVALID_ENUM_VALUE", "PHYSICAL_COUNT or ADJUSTMENT.", field="types")
    if len(set(types)) == 1:
        where.append("instr(doc, ?) > 0")
        args.append(f'"type":"{types[0]}"')
    if body.get("catalog_object_ids"):
        keys = wire.items_of(body, "catalog_object_ids", maximum=FILTER_LIMIT)
        where.append(f"parent IN ({','.join('?' * len(keys))})")
        args += keys
    docs, cursor = wire.keyed_page(
        store, "changes", "BatchRetrieveInventoryChanges", body, limit, where, args,
        column="lookup", descending=False, mark=lambda doc: doc.lookup,
    )
    return wire.reply(cursor, changes=wire.join(doc.text for doc in docs))


def _after(body: Body) -> tuple[list[str], list[Any]]:
    try:
        moment = stamp(parse_stamp(body["updated_after"])) if body.get("updated_after") else ""
    except (TypeError, ValueError) as error:
        raise Refusal(400, "INVALID_TIME", "Not an RFC 3339 time.", field="updated_after") from error
    return (["updated_at > ?"], [moment]) if moment else ([], [])


def create(store: Store, body: Body, operation: str, key: str) -> str:
    """POST /v2/inventory/changes/batch-create: all of the changes, or none."""
    sent = wire.items_of(body, "changes", maximum=CHANGES_LIMIT)
    ignores = body.get("ignore_unchanged_counts", True)
    now, made = store.now(), []
    with store.transaction():
        for number, change in enumerate(sent):
            block = _checked(store, change, number)
            where = (block["catalog_object_id"], block["location_id"])
            if ignores and change["type"] == "PHYSICAL_COUNT" and _is_counted(store, where, block["quantity"]):
                continue
            full = {
                **block, "id": f"CH{int(now.timestamp() * 1000):X}{number:03d}{key[:8].upper()}",
                "catalog_object_type": "ITEM_VARIATION", "created_at": stamp(now),
                "source": {"product": "EXTERNAL_API", "name": "trueup"},
            }
            name = "physical_count" if change["type"] == "PHYSICAL_COUNT" else "adjustment"
            made.append({"type": change["type"], name: full})
            level = _level_after(store, change["type"], full, where)
            levels.append(store, [made[-1]])
            levels.note(store, {where: level}, origin="api", operation=operation, key=key)
            levels.put(store, {where: level}, stamp(now))
        places = dict.fromkeys(_where(change) for change in sent)
        found = levels.get(store, places)
    shown = [documents.count(*where, found[where], stamp(now)) for where in places if where in found]
    return wire.reply(counts=wire.encode(shown), changes=wire.encode(made))


def _where(change: Body) -> levels.Where:
    block = levels.block_of(change)
    return block["catalog_object_id"], block["location_id"]


def _level_after(store: Store, kind: str, block: Body, where: levels.Where) -> str:
    if kind == "PHYSICAL_COUNT":
        return str(levels.units(block["quantity"]) + levels.since(store, where, block["occurred_at"]))
    return str(levels.units(levels.get(store, [where]).get(where, "0")) + levels.difference(block))


def _is_counted(store: Store, where: levels.Where, quantity: str) -> bool:
    """Whether the last word on a level was a count of the same quantity."""
    last = None
    for doc in store.select(NAME, "changes", where="parent = ?", args=[where[0]], order="lookup, seq"):
        if levels.block_of(doc.body)["location_id"] == where[1]:
            last = doc.body
    return bool(
        last and last["type"] == "PHYSICAL_COUNT"
        and levels.units(last["physical_count"]["quantity"]) == levels.units(quantity)
    )


def _checked(store: Store, change: Any, number: int) -> dict[str, Any]:
    field = f"changes[{number}]"
    if not isinstance(change, dict) or change.get("type") not in _TYPES:
        raise Refusal(400, "INVALID_ENUM_VALUE", "PHYSICAL_COUNT or ADJUSTMENT.", field=f"{field}.type")
    block = change.get("physical_count" if change["type"] == "PHYSICAL_COUNT" else "adjustment")
    if not isinstance(block, dict):
        raise Refusal(400, "EXPECTED_OBJECT", "The block of the change's type is missing.", field=field)
    needed = ["catalog_object_id", "location_id", "quantity", "occurred_at"]
    needed += ["state"] if change["type"] == "PHYSICAL_COUNT" else ["from_state", "to_state"]
    for name in needed:
        if not isinstance(block.get(name), str):
            raise Refusal(400, "MISSING_REQUIRED_PARAMETER", f"Missing: {name}", field=f"{field}.{name}")
    try:
        amount = float(block["quantity"])
    except ValueError as error:
        raise Refusal(400, "INVALID_VALUE", "Not a decimal.", field=f"{field}.quantity") from error
    if not math.isfinite(amount) or amount < 0 or len(block["quantity"]) > 26:
        raise Refusal(400, "INVALID_VALUE", "Not a quantity.", field=f"{field}.quantity")
    try:
        occurred = parse_stamp(block["occurred_at"])
    except ValueError as error:
        raise Refusal(400, "INVALID_TIME", "Not an RFC 3339 time.", field=f"{field}.occurred_at") from error
    now = store.now()
    if not now - _OLDEST <= occurred <= now + timedelta(minutes=1):
        raise Refusal(400, "INVALID_TIME", "At most 24 hours old, not in the future.", field=f"{field}.occurred_at")
    item = store.get(NAME, "catalog", block["catalog_object_id"])
    if item is None or item.deleted:
        raise Refusal(400, "NOT_FOUND", "No such variation.", field=f"{field}.catalog_object_id")
    if store.get(NAME, "locations", block["location_id"]) is None:
        raise Refusal(400, "NOT_FOUND", "No such location.", field=f"{field}.location_id")
    return {**block, "occurred_at": stamp(occurred)}
