"""Where every variant stands: one row per variant and location, with the levels that both systems hold.

Square counts what is on the shelf; Shopify says what can still be sold there. They agree when
`available = on_hand - committed - safety stock`, for tracked goods that are not kits, at mapped locations.
"""

from dataclasses import dataclass

import numpy as np

from sandbox.world.catalogue import Catalogue
from sandbox.world.dice import Bools, Dice, Ints
from sandbox.world.places import Location, locations
from sandbox.world.settings import WorldSettings

_CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class Shelves:
    """One array per fact; index = row, sorted by variant, then location. The same for all days of a world."""

    item: Ints
    location: Ints
    in_square: Bools
    in_shopify: Bools
    is_compared: Bools
    """Mapped, tracked and no kit."""
    safety: Ints
    places: tuple[Location, ...]
    code: Ints
    """item * len(places) + location: sorted, to find rows by."""

    def __len__(self) -> int:
        return len(self.item)

    def row_of(self, item: int, location: int) -> int:
        """The row of a variant at a location, or -1."""
        code = item * len(self.places) + location
        row = int(np.searchsorted(self.code, code))
        return row if row < len(self) and int(self.code[row]) == code else -1


def build_shelves(settings: WorldSettings, catalogue: Catalogue) -> Shelves:
    """Each variant in 3-8 places: shops, the warehouse, sometimes the drop-shipper or the stand."""
    dice, n = Dice(settings.seed, "shelves"), len(catalogue)
    places = tuple(locations(settings))
    shops, warehouse, dropship, stand = settings.shops, settings.shops, settings.shops + 1, settings.shops + 2
    wide = min(_CANDIDATES, shops + 2)
    slots = np.arange(wide, dtype=np.int64)[None, :]
    first = dice.below(shops, n)[:, None]
    candidate = np.where(slots == 0, warehouse, np.where(slots == 1, dropship, (first + slots) % shops))
    rank = np.argsort(np.argsort(dice.raw(n * wide).reshape(n, wide), axis=1, kind="stable"), axis=1, kind="stable")
    chosen = rank < dice.between(min(3, wide), wide, n)[:, None]
    at_stand = dice.chance(0.01, n)
    item = np.concatenate((np.broadcast_to(np.arange(n)[:, None], chosen.shape)[chosen], np.flatnonzero(at_stand)))
    location = np.concatenate((candidate[chosen], np.full(int(at_stand.sum()), stand)))
    order = np.lexsort((location, item))
    item, location = item[order].astype(np.int64), location[order].astype(np.int64)

    counts = catalogue.counts[item]
    draw = dice.below(1000, len(item))
    in_square = catalogue.in_square[item] & (location != dropship) & (draw >= 20) & counts
    in_shopify = catalogue.in_shopify[item] & (location != stand) & (draw < 960)
    return Shelves(
        item=item, location=location, in_square=in_square, in_shopify=in_shopify,
        is_compared=counts & (location != dropship) & (location != stand),
        safety=np.asarray([place.safety for place in places], dtype=np.int64)[location], places=places,
        code=item * len(places) + location,
    )
