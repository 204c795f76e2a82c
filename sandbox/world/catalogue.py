"""The catalogue as arrays, one place per variant: what is sold where, at which price, on which tax basis.

Numbers only, so that a million variants are a few hundred megabytes; `items.py` turns them into records. The prices
here are the clean ones: what every system would hold if nobody ever made a mistake.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sandbox.world.dice import Bools, Dice, Ints
from sandbox.world.settings import WorldSettings
from sandbox.world.wares import COLLECTIONS, DEPARTMENTS, HOSTILE_TITLES

_SIZES = (30, 20, 20, 15, 10, 5)
"""Weights of products with 1-6 variants."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One array per fact; index = variant number."""

    product: Ints
    option: Ints
    department: Ints
    noun: Ints
    quality: Ints
    collection: Ints
    hostile: Ints
    """Index of a hostile title, or -1."""
    vat_bp: Ints
    is_net: Bools
    """Square's own price leaves the tax out (B2B)."""
    eur: Ints
    """In Square's basis, cents."""
    chf: Ints
    """In Square's basis, centimes; 0: not sold in Geneva's currency."""
    jpy: Ints
    """With tax, yen; 0: not sold in Japan."""
    cost: Ints
    """Net, EUR cents."""
    is_thin: Bools
    """Sold near its cost: a price cut goes below it."""
    is_kit: Bools
    is_tracked: Bools
    gtin: Ints
    """13 digits, or 0."""
    in_square: Bools
    in_shopify: Bools
    in_hubspot: Bools
    is_unpublished: Bools
    """Hidden in the webshop."""

    def __len__(self) -> int:
        return len(self.product)

    @property
    def counts(self) -> Bools:
        """Whether stock of it is compared at all."""
        return self.is_tracked & ~self.is_kit

    @property
    def is_plain(self) -> Bools:
        """Sold in the till and visible in the webshop, with an ordinary margin: fit for planted drift."""
        return self.in_square & self.in_shopify & ~self.is_unpublished & ~self.is_thin

    @property
    def is_single(self) -> Bools:
        """The only variant of its product."""
        sizes = np.bincount(self.product)
        return np.asarray(sizes[self.product] == 1)


def half_even(numerator: Ints, denominator: int) -> Ints:
    """A fraction as a whole number, as the till rounds: a half to the even neighbour."""
    whole, rest = np.divmod(numerator, denominator)
    return whole + ((2 * rest > denominator) | ((2 * rest == denominator) & (whole % 2 == 1)))


def to_gross(net: Ints, vat_bp: Ints) -> Ints:
    """Minor units with tax, as the till rounds: the net prices of the world are the till's."""
    return half_even(net * (10_000 + vat_bp), 10_000)


def to_net(gross: Ints, vat_bp: Ints) -> Ints:
    """Minor units without tax, half up."""
    return (gross * 20_000 + 10_000 + vat_bp) // (2 * (10_000 + vat_bp))


def build_catalogue(settings: WorldSettings) -> Catalogue:
    """The whole catalogue, from the seed alone."""
    n = settings.variants
    dice = Dice(settings.seed, "catalogue")
    product, option = _products(dice, n)
    products = int(product[-1]) + 1
    department = dice.weighted([d.weight for d in DEPARTMENTS], products)[product]
    noun, quality, collection = (dice.below(1 << 20, products)[product] for _ in range(3))
    hostile_at = dice.order(products)[: max(2, min(len(HOSTILE_TITLES), products // 20))]
    hostile = np.full(products, -1, dtype=np.int64)
    hostile[hostile_at] = np.arange(len(hostile_at))

    vat_bp = np.asarray([d.vat_bp for d in DEPARTMENTS], dtype=np.int64)[department]
    is_net = dice.chance(0.12, products)[product]
    eur = _prices(dice, department, product, option)
    net_eur = np.where(is_net, eur, to_net(eur, vat_bp))
    is_thin = dice.chance(0.03, n)
    cost = np.where(is_thin, net_eur * 93 // 100, net_eur * dice.between(34, 52, n) // 100)
    kit_draw, untracked_draw = dice.chance(0.02, products)[product], dice.chance(0.03, products)[product]

    in_square = ~dice.chance(0.02, products)[product]
    in_shopify = ~in_square | dice.chance(0.95, products)[product]
    in_hubspot = in_square & dice.chance(0.70, n)
    in_geneva = in_square & dice.chance(0.50, n)
    gross = np.where(is_net, to_gross(eur, vat_bp), eur)
    in_japan = in_square & in_shopify & dice.chance(0.40, n)
    return Catalogue(
        product=product, option=option, department=department, noun=noun, quality=quality,
        collection=collection % len(COLLECTIONS), hostile=hostile[product], vat_bp=vat_bp, is_net=is_net, eur=eur,
        chf=np.where(in_geneva, (eur * 98 // 100 + 2) // 5 * 5, 0),
        jpy=np.where(in_japan, (gross * 165 // 1000 + 1) * 10, 0),
        cost=cost, is_thin=is_thin, is_kit=kit_draw, is_tracked=~untracked_draw | kit_draw, gtin=_gtins(dice, n),
        in_square=in_square, in_shopify=in_shopify, in_hubspot=in_hubspot,
        is_unpublished=in_shopify & in_square & dice.chance(0.015, products)[product],
    )


def _products(dice: Dice, n: int) -> tuple[Ints, Ints]:
    sizes = dice.weighted(_SIZES, n) + 1
    starts = np.concatenate(([0], np.cumsum(sizes)))
    product = np.searchsorted(starts, np.arange(n), side="right").astype(np.int64) - 1
    return product, np.arange(n, dtype=np.int64) - starts[product]


def _prices(dice: Dice, department: Ints, product: Ints, option: Ints) -> Ints:
    low = np.asarray([d.low for d in DEPARTMENTS], dtype=np.int64)[department]
    high = np.asarray([d.high for d in DEPARTMENTS], dtype=np.int64)[department]
    draw = dice.below(1 << 20, len(product))[product]
    euros = low + draw * (high - low) // (1 << 20)
    ending = np.asarray([90, 50, 0, 95], dtype=np.int64)[dice.weighted([6, 2, 2, 1], len(product))[product]]
    return (euros + option * (euros // 12)) * 100 + ending


def _gtins(dice: Dice, n: int) -> Ints:
    body = 376_000_000_000 + dice.order(n) * 7 + 11
    digits: NDArray[np.int64] = body[:, None] // 10 ** np.arange(11, -1, -1, dtype=np.int64) % 10
    total = (digits * np.asarray([1, 3] * 6, dtype=np.int64)).sum(axis=1)
    return np.where(dice.chance(0.90, n), body * 10 + (10 - total % 10) % 10, 0)
