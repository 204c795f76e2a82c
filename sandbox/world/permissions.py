"""Who may be written to by e-mail, as each system has it: states, times and proofs before the first night.

Every yes is older than every no, so that on the first night nothing but `lower` is to be found. A dissenter told one
system alone to stop; the others still say yes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sandbox.records import Consent
from sandbox.world.cast import PARTS, part_of
from sandbox.world.dice import Bools, Dice, Ints
from sandbox.world.people import People, one_of
from sandbox.world.settings import WorldSettings

State = Literal["yes", "no", "pending", "none"]
_DAY = 24 * 60
_BASES = (55, 25, 17, 3)
_STATES: dict[str, tuple[tuple[tuple[State, int], ...], ...]] = {
    "square": ((("yes", 100),), (("none", 100),), (("no", 88), ("yes", 100)), (("none", 100),)),
    "shopify": (
        (("yes", 75), ("none", 100)), (("none", 100),), (("no", 92), ("none", 100)), (("pending", 50), ("none", 100)),
    ),
    "hubspot": ((("yes", 80), ("none", 100)), (("none", 100),), (("no", 95), ("none", 100)), (("none", 100),)),
    "mailchimp": (
        (("yes", 96), ("pending", 100)), (("yes", 90), ("pending", 100)), (("no", 100),), (("pending", 100),),
    ),
}
"""Per system and what the person wants (yes, never asked, no, pending): states with rising per cent limits."""
_PROVEN = {"square": 0, "shopify": 20, "hubspot": 10, "mailchimp": 60}


@dataclass(frozen=True, slots=True)
class Permissions:
    """One array per fact; index = person number."""

    base: Ints
    yes_minute: Ints
    no_minute: Ints
    dissents_in: Ints
    """Place in PARTS of the one system that was told no, or -1."""
    draws: dict[str, Ints]
    proofs: dict[str, Bools]
    epoch: datetime

    def consent(self, system: str, i: int) -> Consent:
        """What a system's record of the person says."""
        part = part_of(system)
        draw = int(self.draws[part][i])
        options = _STATES[part][int(self.base[i])]
        state = next(name for name, limit in options if draw < limit)
        if self.dissents_in[i] == PARTS.index(part):
            state = "no"
        if state == "none":
            return Consent()
        minute = int(self.no_minute[i]) if state == "no" else int(self.yes_minute[i])
        minute -= draw % 60 * (1 + PARTS.index(part))
        proven = state == "yes" and bool(self.proofs[part][i])
        return Consent(state, self.epoch - timedelta(minutes=minute), proven, "form" if proven else "import")


def build_permissions(settings: WorldSettings, people: People) -> Permissions:
    """All permissions, from the seed alone."""
    n, dice = len(people), Dice(settings.seed, "permissions")
    base = dice.weighted(_BASES, n)
    many = people.systems & (people.systems - 1) != 0
    dissents = dice.chance(0.05, n) & many & (base == 0)
    place = one_of(dice, people.systems)
    place[~dissents] = -1
    return Permissions(
        base=base, yes_minute=dice.between(100 * _DAY, 700 * _DAY, n), no_minute=dice.between(_DAY, 99 * _DAY, n),
        dissents_in=place, draws={part: dice.below(100, n) for part in PARTS},
        proofs={part: dice.chance(_PROVEN[part] / 100, n) for part in PARTS}, epoch=settings.epoch,
    )
