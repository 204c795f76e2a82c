"""The differences that were there before anybody looked: prices and levels that never agreed. First night only."""

import numpy as np

from sandbox.world.catalogue import Catalogue
from sandbox.world.dice import Bools, Dice, Ints
from sandbox.world.settings import WorldSettings
from sandbox.world.shelves import Shelves

_PRICE_SHARES = {
    ("shopify", "eur"): 0.030, ("shopify", "chf"): 0.030, ("hubspot", "eur"): 0.040, ("hubspot", "chf"): 0.030,
    ("hubspot", "jpy"): 0.030,
}
_LEVEL_SHARE = 0.03


def unsettle_prices(
    settings: WorldSettings, catalogue: Catalogue, amounts: dict[tuple[str, str], Ints], spared: set[int]
) -> dict[tuple[str, str], Ints]:
    """Some targets a few per cent off; at least two in each list. Far below what a guard would refuse."""
    may = catalogue.is_plain.copy()
    may[list(spared)] = False
    result = dict(amounts)
    for key, share in _PRICE_SHARES.items():
        dice = Dice(settings.seed, "nature", *key)
        chosen = _choose(dice, np.flatnonzero(may & (amounts[key] > 0)), share)
        old = amounts[key][chosen]
        new = old * (100 + dice.between(3, 12, len(chosen)) * (1 - 2 * dice.below(2, len(chosen)))) // 100
        result[key] = amounts[key].copy()
        result[key][chosen] = np.where(new == old, old + 10, new)
    return result


def unsettle_levels(settings: WorldSettings, shelves: Shelves, available: Ints, fits: Bools) -> Ints:
    """Some of Shopify's levels a few units off."""
    dice = Dice(settings.seed, "nature", "levels")
    chosen = _choose(dice, np.flatnonzero(fits), _LEVEL_SHARE)
    off = dice.between(1, 5, len(chosen)) * (1 - 2 * dice.below(2, len(chosen)))
    result = available.copy()
    result[chosen] = np.where(available[chosen] + off < 0, available[chosen] + 3, available[chosen] + off)
    return result


def _choose(dice: Dice, candidates: Ints, share: float) -> Ints:
    return dice.sample(candidates, max(2, int(len(candidates) * share)))
