"""Which prices drift, and who moved: each target's price against its authority's, on the target's tax basis.

A target agreed when it last held what it ought to hold; since then it moved, or the authority moved, or both, or
neither (a promotion began or ended). Guards overrule the class: nothing is pushed to zero, below cost, or far away.
A record that is gone holds no price, so nothing of it drifts. Where the authority's is gone, the shop's own price is
the truth (it stands in), and the CRM's net price cannot be compared with it: no system knows the tax rate any more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from sandbox.world import ids
from sandbox.world.catalogue import Catalogue, half_even, to_gross, to_net
from sandbox.world.chronicle import Announced, BadRow
from sandbox.world.dice import Bools, Ints
from sandbox.world.items import VENDOR_LISTS
from sandbox.world.memory import AUTHORITY, TARGETS, Memory
from sandbox.world.settings import MAX_JUMP
from sandbox.world.state import BAD, NONE, State
from sandbox.world.truth import Row, disposition_of

Golden = dict[tuple[str, str], Ints]


@dataclass(frozen=True, slots=True)
class PriceDrift:
    """One target's prices: what it holds, what it ought to hold, and where the two may be compared."""

    observed: Ints
    golden: Ints
    authority: Ints
    comparable: Bools

    @property
    def differs(self) -> Bools:
        """Where a correction is due."""
        return self.comparable & (self.observed != self.golden)


def price_drift(
    catalogue: Catalogue, prices: Mapping[tuple[str, str], Ints], discount: Ints
) -> dict[tuple[str, str], PriceDrift]:
    """Every target against its authority. `discount`: per cent off tonight, per variant."""
    result = {}
    for system, name in TARGETS:
        own, authority = prices[system, name], prices[AUTHORITY[name], name]
        net = catalogue.is_net if AUTHORITY[name] == "square" else np.zeros(len(catalogue), dtype=np.bool_)
        if system == "hubspot":
            golden = np.where(net, authority, to_net(authority, catalogue.vat_bp))
        else:
            reduced = authority - half_even(authority * discount, 100)
            golden = np.where(net, to_gross(reduced, catalogue.vat_bp), reduced)
        result[system, name] = PriceDrift(own, golden, authority, (own > BAD) & (authority > BAD))
    return result


def compare_at_drift(catalogue: Catalogue, state: State, discount: Ints) -> PriceDrift:
    """Shopify's struck-through price: the list price while a promotion holds, else none."""
    authority = state.prices["square", "eur"]
    listed = np.where(catalogue.is_net, to_gross(authority, catalogue.vat_bp), authority)
    comparable = (state.prices["shopify", "eur"] > BAD) & (authority > BAD)
    return PriceDrift(state.compare_at, np.where(discount > 0, listed, NONE), authority, comparable)


def discounts(promotions: list[Announced], day: date, variants: int) -> Ints:
    """Per cent off on a local date, per variant."""
    result = np.zeros(variants, dtype=np.int64)
    for promotion in promotions:
        if promotion.is_active(day):
            result[promotion.items] = np.maximum(result[promotion.items], promotion.percent)
    return result


def price_rows(
    night: int, catalogue: Catalogue, state: State, memory: Memory, discount: Ints, spoilt: set[int]
) -> Iterator[Row]:
    """All price rows of a night."""
    ours = np.ones(len(catalogue), dtype=np.bool_)
    ours[[number for number in spoilt if number < len(catalogue)]] = False
    for (system, name), drift in price_drift(catalogue, state.prices, discount).items():
        base, seen = memory.price[system, name], memory.seen[system, name]
        classes = _classes(drift, base != NONE, drift.observed != base, seen)
        for number in np.flatnonzero(drift.differs & ours).tolist():
            reason = _refusal(system, name, catalogue, number, int(drift.observed[number]), int(drift.golden[number]))
            drift_class = str(classes[number])
            yield Row(
                night, system, "prices", "amount", ids.item_key(system, number), VENDOR_LISTS[system, name],
                drift_class, "must_refuse" if reason else disposition_of(drift_class, night),
                str(drift.observed[number]), str(drift.golden[number]), AUTHORITY[name], reason,
            )
    drift = compare_at_drift(catalogue, state, discount)
    classes = _classes(
        drift, memory.has_compare_at, drift.observed != memory.compare_at, memory.seen["shopify", "eur"]
    )
    for number in np.flatnonzero(drift.differs & ours).tolist():
        drift_class = str(classes[number])
        yield Row(
            night, "shopify", "prices", "compare_at", ids.shopify_variant(number), "base", drift_class,
            disposition_of(drift_class, night), _text(drift.observed[number]), _text(drift.golden[number]), "square",
        )


def rateless_rows(catalogue: Catalogue, state: State) -> list[BadRow]:
    """Net prices in the CRM that nothing can be said of: Square alone knows tax rates, and its record is gone.

    The next source of truth, Shopify, tells prices with tax; net and gross without a rate are reported, never guessed.
    """
    prices = state.prices
    left = catalogue.in_square & (prices["square", "eur"] == NONE)
    left &= (prices["shopify", "eur"] > BAD) & (prices["hubspot", "eur"] > BAD)
    return [
        BadRow(
            "hubspot", "prices", "tax_rate_bp", ids.hubspot_product(number), "", "no tax rate is known any more",
            heard=("square", "shopify"),
        )
        for number in np.flatnonzero(left).tolist()
    ]


def settle_prices(
    catalogue: Catalogue, state: State, memory: Memory, discount: Ints, away: frozenset[str] = frozenset()
) -> None:
    """Remember as agreed whatever holds what it ought to hold. `discount` is that of the night just gone."""
    for key, drift in price_drift(catalogue, state.prices, discount).items():
        if away & {key[0], AUTHORITY[key[1]]}:
            continue
        agreed = drift.comparable & ~drift.differs
        memory.price[key] = np.where(agreed, drift.observed, memory.price[key])
        memory.seen[key] = np.where(agreed, drift.authority, memory.seen[key])
    if away & {"shopify", AUTHORITY["eur"]}:
        return
    drift = compare_at_drift(catalogue, state, discount)
    agreed = drift.comparable & ~drift.differs
    memory.compare_at = np.where(agreed, drift.observed, memory.compare_at)
    memory.has_compare_at |= agreed


def _classes(drift: PriceDrift, has_base: Bools, moved_here: Bools, seen: Ints) -> np.ndarray:
    moved_there = drift.authority != seen
    return np.select(
        [~has_base, moved_here & moved_there, moved_here, moved_there], ["never_agreed", "both", "here", "elsewhere"],
        "rule",
    )


def _refusal(system: str, name: str, catalogue: Catalogue, number: int, observed: int, desired: int) -> str:
    """Why a guard refuses a new amount; '' where none does."""
    if desired == 0:
        return "guard: zero"
    if name == "eur":
        net = desired if system == "hubspot" else int(to_net(np.int64(desired), catalogue.vat_bp[number]))
        if net < int(catalogue.cost[number]):
            return "guard: below cost"
    if observed > 0 and abs(desired - observed) > MAX_JUMP * observed:
        return "guard: jump"
    return ""


def _text(amount: np.int64) -> str | None:
    return None if amount == NONE else str(amount)
