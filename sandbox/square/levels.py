"""Square's inventory in the store: counts of units in stock, and the log of what changed them.

Only IN_STOCK is counted; other states appear in the log alone. The log is ordered by when a change happened
(lookup), and its `updated_at` is when Square received it: an offline till's sale comes late with its old time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.records import Movement
from sandbox.square import documents
from sandbox.square.wire import NAME, encode
from sandbox.store import Store

Where = tuple[str, str]
"""(variation, location)"""


def count_key(where: Where) -> str:
    """The key of a count."""
    return f"{where[0]}|{where[1]}|IN_STOCK"


def units(quantity: str) -> int:
    """Whole units of a decimal string."""
    return int(float(quantity))


def get(store: Store, places: Iterable[Where]) -> dict[Where, str]:
    """Quantities by (variation, location), where there is a count."""
    docs = store.get_many(NAME, "counts", [count_key(where) for where in places])
    return {(doc.parent, doc.lookup): doc.body["quantity"] for doc in docs.values() if not doc.deleted}


def put(store: Store, counts: Mapping[Where, str], at: str) -> None:
    """Store quantities, calculated at `at`."""
    store.put_many(
        NAME, "counts",
        (
            (count_key(where), where[0], where[1], at, encode(documents.count(*where, quantity, at)))
            for where, quantity in counts.items()
        ),
    )


def append(store: Store, changes: Iterable[dict[str, Any]]) -> None:
    """Add changes to the log."""
    store.put_many(NAME, "changes", (_row(change) for change in changes))


def _row(change: dict[str, Any]) -> tuple[str, str, str, str, str]:
    block = block_of(change)
    return block["id"], block["catalog_object_id"], block["occurred_at"], block["created_at"], encode(change)


def block_of(change: dict[str, Any]) -> dict[str, Any]:
    """The part of a change that belongs to its type."""
    return change["physical_count"] if change["type"] == "PHYSICAL_COUNT" else change["adjustment"]


def difference(adjustment: Mapping[str, Any]) -> int:
    """What an adjustment does to the units in stock."""
    amount = units(adjustment["quantity"])
    return amount * ((adjustment["to_state"] == "IN_STOCK") - (adjustment["from_state"] == "IN_STOCK"))


def after(store: Store, movements: Sequence[Movement]) -> dict[Where, str]:
    """The counts once these movements have happened, in order of time."""
    places = {(m.item, m.location) for m in movements}
    levels = {where: units(quantity) for where, quantity in get(store, places).items()}
    for m in sorted(movements, key=lambda movement: movement.at):
        where = (m.item, m.location)
        levels[where] = m.quantity if m.kind == "count" else levels.get(where, 0) + m.quantity
    return {where: str(level) for where, level in levels.items()}


def since(store: Store, where: Where, occurred_at: str) -> int:
    """What adjustments that happened after a moment did to a level: a count taken then is carried forward by it."""
    docs = store.select(NAME, "changes", where="parent = ? AND lookup > ?", args=[where[0], occurred_at])
    blocks = [doc.body.get("adjustment") for doc in docs]
    return sum(difference(block) for block in blocks if block and block["location_id"] == where[1])


def note(
    store: Store, counts: Mapping[Where, str], *, origin: str, operation: str = "", key: str = ""
) -> None:
    """Log the counts that will change."""
    old = get(store, counts)
    for where, quantity in counts.items():
        if old.get(where) != quantity:
            store.effect(
                NAME, "stock", "|".join(where), "on_hand", old.get(where), quantity,
                origin=origin, operation=operation, idempotency_key=key,
            )
