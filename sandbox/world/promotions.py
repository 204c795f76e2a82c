"""Promotions of the till: a percentage off some plain goods, sold in euros alone, for three days."""

from datetime import date, timedelta

import numpy as np

from sandbox.records import Promotion
from sandbox.world import ids
from sandbox.world.catalogue import Catalogue
from sandbox.world.chronicle import Announced, Chronicle
from sandbox.world.dice import Bools, Dice
from sandbox.world.settings import DayRates, night_date

DAYS = 3
_PERCENTS = (10, 15, 20)
"""Never so much that the price after it is a jump."""


def announce(chronicle: Chronicle, dice: Dice, catalogue: Catalogue, free: Bools, *, starts_in: int) -> Announced:
    """A promotion that starts `starts_in` nights after the present one, on goods that are `free`."""
    fits = free & ~catalogue.is_net & (catalogue.chf == 0) & (catalogue.jpy == 0)
    chosen = dice.sample(np.flatnonzero(fits), DayRates().count("promotion_items", len(catalogue)))
    starts_on = night_date(chronicle.night + starts_in, chronicle.settings.first_night)
    return Announced(
        key=f"PROMO{chronicle.mint('promotion') + 1:04d}", items=sorted(chosen.tolist()),
        percent=_PERCENTS[dice.one(len(_PERCENTS))], starts_on=starts_on.isoformat(),
        ends_on=(starts_on + timedelta(days=DAYS - 1)).isoformat(),
    )


def promotion_record(promotion: Announced) -> Promotion:
    """The record that Square stores."""
    return Promotion(
        promotion.key, f"Offre du {promotion.starts_on}", tuple(ids.square_variation(i) for i in promotion.items),
        promotion.percent, date.fromisoformat(promotion.starts_on), date.fromisoformat(promotion.ends_on),
    )
