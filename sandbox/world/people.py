"""Who the customers are, as arrays: names, households, addresses, how they can be reached, which systems know them.

Facts only; how a clerk or a form writes them down is `cards.py`. Some share a home, and with it the family name, the
landline and now and then the e-mail address: different persons, all the same.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from sandbox.world.cast import PARTS, part_of
from sandbox.world.dice import Bools, Dice, Ints
from sandbox.world.dirt import unaccented
from sandbox.world.names import DOMAINS, FAMILY, MEN, STREETS, TOWNS, WOMEN, WORK_DOMAINS
from sandbox.world.settings import WorldSettings

_COMBINATIONS = (
    ((0b0001, 40), (0b0010, 25), (0b0100, 10), (0b1000, 25)),
    ((0b0011, 25), (0b0101, 20), (0b1001, 20), (0b0110, 10), (0b1010, 20), (0b1100, 5)),
    ((0b0111, 30), (0b1011, 35), (0b1101, 20), (0b1110, 15)),
    ((0b1111, 1),),
)
"""For persons in 1, 2, 3, 4 systems: which ones (bit = place in PARTS) and how often."""
_BORN = date(1935, 1, 1)


@dataclass(frozen=True, slots=True)
class People:
    """One array per fact; index = person number."""

    systems: Ints
    """Bit set over PARTS."""
    is_woman: Bools
    first: Ints
    last: Ints
    maiden: Ints
    home: Ints
    """Who heads the household: the address and the landline are that person's."""
    born: Ints
    street_number: Ints
    street: Ints
    town: Ints
    has_mobile: Bools
    uses_landline: Bools
    has_email: Bools
    shares_email: Bools
    """Uses the address of the head of the household."""
    second_email_in: Ints
    """Place in PARTS of the one system that has the person's other address, or -1."""
    has_card: Bools

    def __len__(self) -> int:
        return len(self.systems)

    def knows(self, system: str) -> Bools:
        """Whom a system has a record of."""
        return (self.systems >> PARTS.index(part_of(system))) & 1 == 1

    def first_name(self, i: int) -> str:
        """As in the passport."""
        return WOMEN[int(self.first[i]) % len(WOMEN)] if self.is_woman[i] else MEN[int(self.first[i]) % len(MEN)]

    def last_name(self, i: int) -> str:
        """As used today."""
        return FAMILY[int(self.last[i])]

    def maiden_name(self, i: int) -> str:
        """Before marriage."""
        return FAMILY[int(self.maiden[i])]

    def email(self, i: int) -> str:
        """The person's own address; unique."""
        name = f"{unaccented(self.first_name(i))}.{unaccented(self.last_name(i))}".lower()
        name = "".join(c for c in name if c.isalnum() or c in ".-")
        return f"{name}{i * 7 + 11}@{DOMAINS[i % len(DOMAINS)]}"

    def second_email(self, i: int) -> str:
        """The address at work; unique."""
        initial, last = unaccented(self.first_name(i))[0], unaccented(self.last_name(i))
        name = "".join(c for c in f"{initial}{last}".lower() if c.isalnum())
        return f"{name}{i * 3 + 5}@{WORK_DOMAINS[i % len(WORK_DOMAINS)]}"

    def phone(self, i: int) -> str:
        """E.164, or ''. A landline is the household's."""
        country = TOWNS[int(self.town[self.home[i]])][2]
        if self.uses_landline[i]:
            h = int(self.home[i])
            return f"+4122{2_000_000 + h * 4_944_271 % 8_000_000}" if country == "CH" else (
                f"+331{h * 38_196_601 % 10**8:08d}"
            )
        if not self.has_mobile[i]:
            return ""
        return f"+41{76 + i % 4}{i * 6_180_339 % 10**7:07d}" if country == "CH" else (
            f"+33{6 + i % 2}{i * 61_803_399 % 10**8:08d}"
        )

    def address(self, i: int) -> tuple[str, str, str, str]:
        """Street, city, postcode, country of the household."""
        h = int(self.home[i])
        city, postcode, country = TOWNS[int(self.town[h])]
        return f"{int(self.street_number[h])} {STREETS[int(self.street[h])]}", city, postcode, country

    def birth_date(self, i: int) -> str:
        """ISO."""
        return (_BORN + timedelta(days=int(self.born[i]))).isoformat()


def build_people(settings: WorldSettings) -> People:
    """All persons, from the seed alone."""
    n, dice = settings.persons, Dice(settings.seed, "people")
    joins = dice.chance(0.25, n)
    joins[0] = False
    home = np.maximum.accumulate(np.where(joins, 0, np.arange(n)))
    last = dice.below(len(FAMILY), n)
    last = np.where(dice.chance(0.75, n), last[home], last)
    systems = _systems(dice, n)
    mobile = dice.chance(0.86, n)
    second = np.where(dice.chance(0.08, n) & (systems & (systems - 1) != 0), one_of(dice, systems), -1)
    has_email = dice.chance(0.95, n) | (systems & 0b1010 > 0)
    shares = dice.chance(0.03, n) & joins & (home == np.arange(n) - 1) & has_email[home]
    shares &= systems & systems[home] & 0b1110 == 0
    return People(
        systems=systems, is_woman=dice.chance(0.55, n), first=dice.below(1 << 16, n), last=last,
        maiden=dice.below(len(FAMILY), n), home=home, born=dice.below(26_000, n),
        street_number=dice.between(1, 180, n), street=dice.below(len(STREETS), n), town=dice.below(len(TOWNS), n),
        has_mobile=mobile, uses_landline=~mobile & dice.chance(0.5, n), has_email=has_email, shares_email=shares,
        second_email_in=np.where(shares, -1, second), has_card=dice.chance(0.45, n),
    )


def _systems(dice: Dice, n: int) -> Ints:
    count = dice.weighted([45, 32, 15, 8], n)
    result = np.zeros(n, dtype=np.int64)
    for size, options in enumerate(_COMBINATIONS):
        drawn = np.asarray([bits for bits, _ in options])[dice.weighted([weight for _, weight in options], n)]
        result = np.where(count == size, drawn, result)
    return result


def one_of(dice: Dice, systems: Ints) -> Ints:
    """The place of one of the bits that are set."""
    start, result = dice.below(4, len(systems)), np.full(len(systems), -1, dtype=np.int64)
    for step in range(4):
        place = (start + step) % 4
        result = np.where((result < 0) & ((systems >> place) & 1 == 1), place, result)
    return result
