"""Which levels drift: Square's against what has left by the webshop, Shopify's against what can still be sold.

    on_hand   = Square's level - units sent by the webshop that Square was not told of
    available = on_hand - units of open web orders - safety stock

A difference is explained when the system's own movements, and Square's, account for all that changed since the base.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sandbox.world import ids
from sandbox.world.dice import Bools, Ints
from sandbox.world.memory import Memory
from sandbox.world.shelves import Shelves
from sandbox.world.state import NONE, State
from sandbox.world.truth import Row, disposition_of


@dataclass(frozen=True, slots=True)
class StockDrift:
    """What both systems ought to hold, and where they differ from it."""

    on_hand: Ints
    available: Ints
    square_differs: Bools
    shopify_differs: Bools
    has_both: Bools


def stock_drift(shelves: Shelves, state: State, memory: Memory) -> StockDrift:
    """The laws above, on every shelf row that is compared."""
    on_hand = state.on_hand - memory.unseen
    available = on_hand - memory.committed - shelves.safety
    known = shelves.is_compared & (state.on_hand != NONE)
    both = known & (state.available != NONE)
    return StockDrift(
        on_hand, available, known & (state.on_hand != on_hand), both & (state.available != available), both
    )


def stock_rows(night: int, shelves: Shelves, state: State, memory: Memory, spoilt: set[int]) -> Iterator[Row]:
    """All stock rows of a night."""
    drift = stock_drift(shelves, state, memory)
    ours = ~np.isin(shelves.item, np.fromiter(spoilt, dtype=np.int64, count=len(spoilt)))
    square_holds = state.on_hand == memory.on_hand
    for row in np.flatnonzero(drift.square_differs & ours).tolist():
        drift_class = _class(int(memory.on_hand[row]), bool(square_holds[row]))
        yield Row(
            night, "square", "stock", "on_hand", ids.square_variation(int(shelves.item[row])),
            shelves.places[int(shelves.location[row])].square, drift_class, disposition_of(drift_class, night),
            str(state.on_hand[row]), str(drift.on_hand[row]), "square",
        )
    explained = square_holds & (state.available == memory.available)
    for row in np.flatnonzero(drift.shopify_differs & ours).tolist():
        drift_class = _class(int(memory.available[row]), bool(explained[row]))
        yield Row(
            night, "shopify", "stock", "available", ids.shopify_variant(int(shelves.item[row])),
            shelves.places[int(shelves.location[row])].shopify, drift_class, disposition_of(drift_class, night),
            str(state.available[row]), str(drift.available[row]), "square",
        )


def settle_stock(shelves: Shelves, state: State, memory: Memory) -> None:
    """After a night: what Square was told is told, and what holds its right level is the new base."""
    was_told = (memory.unseen != 0) & (state.on_hand == memory.told - memory.unseen)
    memory.unseen[was_told] = 0
    drift = stock_drift(shelves, state, memory)
    square_agrees = shelves.is_compared & (state.on_hand != NONE) & ~drift.square_differs
    memory.on_hand = np.where(square_agrees, state.on_hand, memory.on_hand)
    shopify_agrees = drift.has_both & ~drift.shopify_differs
    memory.available = np.where(shopify_agrees, state.available, memory.available)


def _class(base: int, is_explained: bool) -> str:
    if base == NONE:
        return "never_agreed"
    return "explained" if is_explained else "unexplained"
