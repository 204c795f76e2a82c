"""What the values that the truth speaks of are now, in the form in which the truth writes them."""

from collections.abc import Iterable

from sandbox.world import ids
from sandbox.world.identity import value_of
from sandbox.world.items import VENDOR_LISTS
from sandbox.world.shelves import Shelves
from sandbox.world.state import NONE, State
from sandbox.world.truth import Row

Key = tuple[str, str, str, str, str]
"""(system, entity, field, vendor id, vendor sub id)"""


def values_now(shelves: Shelves, state: State, rows: Iterable[Row]) -> dict[Key, str | None]:
    """What each value of the truth is now; a record that is gone holds nothing."""
    lists = {(system, vendor_list): name for (system, name), vendor_list in VENDOR_LISTS.items()}
    places = {
        (system, getattr(place, system)): at
        for at, place in enumerate(shelves.places)
        for system in ("square", "shopify")
    }
    result: dict[Key, str | None] = {}
    for row in rows:
        if row.disposition == "must_quarantine":
            continue
        if row.entity == "prices":
            held = state.prices[row.system, lists[row.system, row.vendor_sub_id]]
            held = held if row.field == "amount" else state.compare_at
            result[row.key] = _text(int(held[ids.item_number(row.system, row.vendor_id)]))
        elif row.entity == "stock":
            at = shelves.row_of(
                ids.item_number(row.system, row.vendor_id), places[row.system, row.vendor_sub_id]
            )
            result[row.key] = _text(int((state.on_hand if row.system == "square" else state.available)[at]))
        else:
            customer = state.customers[row.system].get(row.vendor_id)
            if customer is None:
                result[row.key] = None
            elif row.entity == "consents":
                result[row.key] = customer.consent.state
            else:
                result[row.key] = value_of(customer, row.field)
    return result


def _text(value: int) -> str | None:
    return None if value == NONE else str(value)
