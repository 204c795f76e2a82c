"""What a seed stands for: which world, and what goes wrong in each night. All chance of a seed is drawn here.

The world is one of few families, made and adopted once a process; the rest follows from the seed alone, whatever the
order in which seeds are played.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.simulation.faults import Fault, Half, Idle, Late, Lost, Partial, Reset, Storm, Twice
from tests.simulation.hands import Hands
from tests.simulation.network import Faults
from tests.simulation.shapes import Pages, schema_of

CASTS = (
    ("square", "shopify", "hubspot", "mailchimp"), ("square", "shopify"), ("square", "hubspot"),
    ("square", "shopify", "mailchimp"), ("square", "shopify"), ("square", "shopify", "hubspot"),
)
"""The systems of each family's estate; all worlds have all four."""
FAMILIES = len(CASTS)
NIGHTS = 2
"""Nights on which something goes wrong, each after a lived day; quiet ones follow until nothing is left to do."""
QUIET = 2
"""So many quiet nights may still have something to do; the one after them may not."""
SYSTEMS = CASTS[0]


def _some(dice: random.Random) -> frozenset[str]:
    """The systems that a fault is about: mostly all."""
    return frozenset(SYSTEMS if dice.random() < 0.6 else dice.sample(SYSTEMS, dice.randint(1, 3)))


def _plain(kind: type[Fault], low: float, high: float) -> Callable[[random.Random], Fault]:
    return lambda dice: kind(dice, dice.uniform(low, high), _some(dice))


def _storm(status: int) -> Callable[[random.Random], Fault]:
    def made(dice: random.Random) -> Fault:
        begins, lasts = dice.uniform(0, 25), dice.choice([2.0, 15.0, 90.0, 900.0])
        return Storm(dice, 1.0, _some(dice), status=status, begins=begins, lasts=lasts)

    return made


CALLS: dict[str, Callable[[random.Random], Fault]] = {
    "time-out after apply": _plain(Lost, 0.03, 0.3),
    "reset before apply": _plain(Reset, 0.03, 0.3),
    "half an answer": _plain(Half, 0.02, 0.2),
    "429 storm": _storm(429),
    "503 storm": _storm(503),
    "partial batch": _plain(Partial, 0.3, 1.0),
    "200 without effect": _plain(Idle, 0.1, 0.6),
    "late reads": _plain(Late, 0.2, 0.9),
    "duplicate delivery": _plain(Twice, 0.05, 0.4),
    "lost page": lambda dice: Pages(dice, dice.uniform(0.05, 0.4), _some(dice), way="lost"),
    "repeated page": lambda dice: Pages(dice, dice.uniform(0.05, 0.4), _some(dice), way="repeated"),
    "schema change": schema_of,
}
"""Faults of calls, by their names."""

OTHERS = ("concurrent sale", "offline till", "crash", "two runs", "clock skew", "id re-use")


@dataclass(slots=True)
class NightPlan:
    """What goes wrong in one night."""

    kinds: list[str]
    dice: random.Random
    dies_at: int = 0
    skew: timedelta = timedelta(0)
    faults: list[Fault] = field(default_factory=list)
    hands: Hands | None = None
    second: str = ""
    """'' | 'at once' | 'after its time': when another run of the same home begins."""
    reuses_id: bool = False

    @property
    def weather(self) -> list[Faults]:
        """In the order in which a call meets them: people first, the vendor's own last."""
        return [*([self.hands] if self.hands else []), *self.faults]


@dataclass(slots=True)
class Scenario:
    """One seed."""

    seed: int
    family: int
    nights: list[NightPlan]
    is_tight: bool
    """Whether the estate's caps are so small that a day's drift reaches them."""

    @property
    def is_deaf(self) -> bool:
        """Whether a reading may have lost rows without a sign, which a census alone finds again (R7, R17)."""
        return any("lost page" in night.kinds or "schema change" in night.kinds for night in self.nights)


def scenario(seed: int, vendors: dict[str, Any]) -> Scenario:
    """What happens in a seed."""
    dice = random.Random(f"trueup {seed}")
    nights = [_night(dice, vendors) for _ in range(NIGHTS)]
    return Scenario(seed, dice.randrange(FAMILIES), nights, dice.random() < 0.15)


def _night(dice: random.Random, vendors: dict[str, Any]) -> NightPlan:
    kinds = dice.sample([*CALLS, *OTHERS], dice.randint(1, 3))
    own = random.Random(dice.random())
    plan = NightPlan(kinds, own, faults=[CALLS[kind](own) for kind in kinds if kind in CALLS])
    if "concurrent sale" in kinds or "offline till" in kinds:
        late = timedelta(hours=own.randint(2, 40)) if "offline till" in kinds else timedelta(0)
        plan.hands = Hands(own, own.uniform(0.05, 0.5), vendors=vendors, late_by=late)
    if "crash" in kinds:
        plan.dies_at = own.randint(1, 700)
    if "clock skew" in kinds:
        plan.skew = timedelta(minutes=own.choice([-5, -3, 1, 3, 5]))
    if "two runs" in kinds:
        plan.second = own.choice(["at once", "after its time"])
    plan.reuses_id = "id re-use" in kinds
    return plan
