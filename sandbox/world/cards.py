"""Customer records as clerks and forms wrote them down: one per person and system, with every kind of human slip.

Slips that normalisation heals (capitals, accents, phone formats) and those that it does not (typos, maiden names,
swapped names, old addresses and numbers, blanks) are drawn per record. The shares keep first-night drift under the
caps, and leave most records of a person with an e-mail address, a phone or a card in common.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from sandbox.records import Customer
from sandbox.world import ids
from sandbox.world.cast import PARTS, is_email_tool, part_of
from sandbox.world.dice import Bools, Dice, Ints
from sandbox.world.dirt import abbreviated, careless, phone_text, slip
from sandbox.world.names import DIMINUTIVES, STREETS, TOWNS
from sandbox.world.people import People
from sandbox.world.permissions import Permissions
from sandbox.world.settings import WorldSettings

_EMAIL = {  # right, blank, capitals, mistyped
    "square": (840, 120, 25, 15), "shopify": (940, 40, 20, 0), "hubspot": (955, 25, 20, 0),
    "mailchimp": (980, 0, 20, 0),
}
_PHONE = {"square": (890, 80, 30), "shopify": (875, 100, 25), "hubspot": (900, 70, 30), "mailchimp": (890, 90, 20)}
_FIRST = (925, 40, 20, 15)  # right, careless, slip, diminutive
_LAST = (920, 40, 20, 20)  # right, careless, slip, maiden name
_ADDRESS = {"square": (920, 50, 30), "shopify": (950, 20, 30), "hubspot": (930, 40, 30), "mailchimp": (0, 1, 0)}
_STREET = (940, 25, 20, 15)  # right, careless, abbreviated, slip
_CARD = {"square": 0.90, "shopify": 0.30, "hubspot": 0.80, "mailchimp": 0.0}
_BIRTH = {"square": 0.60, "shopify": 0.0, "hubspot": 0.75, "mailchimp": 0.0}


@dataclass(frozen=True, slots=True)
class _Draws:
    """What befell each record; index = record number in the system."""

    person: Ints
    email: Ints
    phone: Ints
    first: Ints
    last: Ints
    address: Ints
    street: Ints
    noise: Ints
    has_card: Bools
    has_birth: Bools
    swaps: Bools
    created: Ints


def records_of(
    settings: WorldSettings, people: People, permissions: Permissions, system: str
) -> Iterator[tuple[int, Customer]]:
    """(person number, record) of everybody whom a system knows, in the order of its ids."""
    draws = _draw(settings, people, system)
    for number in range(len(draws.person)):
        yield int(draws.person[number]), _record(people, permissions, system, number, draws)


def _draw(settings: WorldSettings, people: People, system: str) -> _Draws:
    part = part_of(system)
    dice = Dice(settings.seed, "cards", part)
    known = np.flatnonzero(people.knows(system))
    person = known[dice.order(len(known))]
    n = len(person)
    return _Draws(
        person=person, email=dice.weighted(_EMAIL[part], n), phone=dice.weighted(_PHONE[part], n),
        first=dice.weighted(_FIRST, n), last=dice.weighted(_LAST, n), address=dice.weighted(_ADDRESS[part], n),
        street=dice.weighted(_STREET, n), noise=dice.below(1 << 30, n),
        has_card=dice.chance(_CARD[part], n), has_birth=dice.chance(_BIRTH[part], n), swaps=dice.chance(0.007, n),
        created=dice.between(60, 3 * 365 * 24 * 60, n),
    )


def _record(people: People, permissions: Permissions, system: str, number: int, draws: _Draws) -> Customer:
    i, noise = int(draws.person[number]), int(draws.noise[number])
    first, last = _names(people, i, noise, int(draws.first[number]), int(draws.last[number]))
    if draws.swaps[number]:
        first, last = last, first
    street, city, postcode, country = _address(people, i, noise, int(draws.address[number]), int(draws.street[number]))
    email = _email(people, system, i, noise, int(draws.email[number]))
    consent = permissions.consent(system, i)
    return Customer(
        key=ids.customer(system, number, email), first_name=first, last_name=last, email=email,
        phone=_phone(people, system, i, noise, int(draws.phone[number])), street=street, city=city, postcode=postcode,
        country=country, card=f"FID{1_000_000 + i * 3}" if people.has_card[i] and draws.has_card[number] else "",
        birth_date=people.birth_date(i) if draws.has_birth[number] else "",
        created_at=permissions.epoch - timedelta(minutes=int(draws.created[number])),
        consent=consent if email else type(consent)(),
    )


def _names(people: People, i: int, noise: int, first_kind: int, last_kind: int) -> tuple[str, str]:
    first, last = people.first_name(i), people.last_name(i)
    if first_kind == 1:
        first = careless(first, noise)
    elif first_kind == 2:
        first = slip(first, noise)
    elif first_kind == 3:
        first = DIMINUTIVES.get(first, first)
    if last_kind == 1:
        last = careless(last, noise // 3)
    elif last_kind == 2:
        last = slip(last, noise // 5)
    elif last_kind == 3 and people.is_woman[i]:
        last = people.maiden_name(i)
    return first, last


def _address(people: People, i: int, noise: int, kind: int, street_kind: int) -> tuple[str, str, str, str]:
    street, city, postcode, country = people.address(i)
    if kind == 1:
        return "", "", "", country
    if kind == 2:
        city, postcode, old_country = TOWNS[noise % len(TOWNS)]
        if old_country == country:
            return f"{1 + noise % 97} {STREETS[noise // 7 % len(STREETS)]}", city, postcode, country
        street, city, postcode, country = people.address(i)
    if street_kind == 1:
        street, city = careless(street, noise // 7), careless(city, noise // 11)
    elif street_kind == 2:
        street = abbreviated(street)
    elif street_kind == 3:
        street = slip(street, 4 + noise % 5)
    return street, city, postcode, country


def _email(people: People, system: str, i: int, noise: int, kind: int) -> str:
    if not people.has_email[i] or kind == 1:
        return ""
    email = people.email(i)
    if people.shares_email[i]:
        email = people.email(int(people.home[i]))
    elif people.second_email_in[i] == PARTS.index(part_of(system)):
        email = people.second_email(i)
    if kind == 2:
        return email.upper() if noise % 2 else email.capitalize()
    if kind == 3:
        first, rest = email.split(".", 1)
        return f"{slip(first, noise)}.{rest}"
    return email


def _phone(people: People, system: str, i: int, noise: int, kind: int) -> str:
    number = people.phone(i)
    if not number or kind == 1:
        return ""
    if kind == 2:
        number = number[:-4] + f"{(int(number[-4:]) + 1 + noise % 9998) % 10_000:04d}"
    return phone_text(number, 1 + noise % 2 * 3 if is_email_tool(system) else noise)
