"""Customers who leave a system: deleted, archived, merged with a twin, erased on demand; in one system or everywhere.

Most are known elsewhere too, and something happens there the same day: a new name or number in the system that now
knows best, a no at the same address. To whoever still believes in the dead record that is drift of it, and none is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sandbox.records import Consent
from sandbox.store import stamp
from sandbox.world.agenda import Action, Agenda
from sandbox.world.chronicle import Gone
from sandbox.world.day_consents import say
from sandbox.world.day_people import People, authority_edit, new_phone
from sandbox.world.identity import Record, email_norm, folded
from sandbox.world.settings import MOST_GONE, DayRates

_EVERYWHERE = 3
"""Every third of those who are erased is erased in all systems."""
_HOUR = 60


@dataclass(frozen=True, slots=True)
class _Way:
    """How a record goes in a system."""

    system: str
    how: str

    @property
    def least(self) -> tuple[int, ...]:
        """How many records the person should have: who is merged must be known elsewhere, to be recognised again."""
        return (3, 2) if self.how == "merged" else (3, 2, 1)


_WAYS = tuple(_Way(system, how) for system, ways in {
    "square": ("deleted", "merged"), "shopify": ("deleted", "merged"), "hubspot": ("archived", "merged", "erased"),
    "mailchimp": ("archived", "erased"), "brevo": ("deleted", "erased"),
}.items() for how in ways)


def plan_departures(agenda: Agenda, people: People, rates: DayRates, away: frozenset[str]) -> None:
    """All departures of the day. Nobody leaves a system that the last night could not read: what was said there since
    the night before is not known to anybody."""
    count = rates.count("gone_customers", agenda.scene.chronicle.settings.persons)
    actions: list[Action] = []
    for at, way in enumerate(way for _ in range(count) for way in _WAYS if way.system in agenda.scene.cast):
        if way.system in away or (way.how != "merged" and not _may_lose(agenda, way.system)):
            continue
        person = next(_candidates(people, way), None)
        if person is None:
            continue
        people.take(person)
        people.touched.add(person)
        record = next(one for one in people.persons[person] if one[0] == way.system)
        if way.how == "merged":
            _merge(agenda, people, person, record)
        elif way.how == "erased" and not away and (agenda.night + at) % _EVERYWHERE == 0:
            actions += [_go(agenda, people, person, one, "erased") for one in list(people.persons[person])]
        else:
            opt_out = _says_no(agenda, people, person, record) if (agenda.night + at) % 2 else []
            actions.append(_go(agenda, people, person, record, way.how))
            actions += opt_out or authority_edit(people, person)
    agenda.spread(agenda.dice("departures"), actions)


def _may_lose(agenda: Agenda, system: str) -> bool:
    there = len(agenda.state.customers[system])
    lost = sum(one.kind == "customers" and one.system == system and one.how != "merged"
               for one in agenda.scene.chronicle.gone)
    return lost < MOST_GONE * (there + lost)


def _candidates(people: People, way: _Way) -> Iterator[str]:
    """Persons with such a record, those who are best known first."""
    for least in way.least:
        for person in people.free():
            records = people.persons[person]
            mine = [one for one in records if one[0] == way.system]
            if len(records) >= least and mine and (way.how != "merged" or _is_known_again(people, mine[0], records)):
                yield person


def _is_known_again(people: People, record: Record, records: list[Record]) -> bool:
    """Whether another record has the same address and first name, so that a new id is no riddle."""
    held = people.agenda.state.customers
    mine = held[record[0]][record[1]]
    others = [held[system][key] for system, key in records if (system, key) != record]
    return bool(email_norm(mine.email)) and any(
        email_norm(other.email) == email_norm(mine.email) and folded(other.first_name) == folded(mine.first_name)
        and folded(other.last_name) == folded(mine.last_name)
        for other in others
    )


def _go(agenda: Agenda, people: People, person: str, record: Record, how: str) -> Action:
    """The record is gone; what it had said is kept, as the last night heard it."""
    system, key = record
    _forget(agenda, people, person, record, how)
    if how == "erased":
        return lambda _: agenda.outbox.erased.append((system, key))
    return lambda _: agenda.outbox.gone.append((system, "customers", key))


def _forget(agenda: Agenda, people: People, person: str, record: Record, how: str) -> None:
    system, key = record
    held = agenda.state.customers[system].pop(key)
    people.persons[person].remove(record)
    said = held.consent
    agenda.scene.chronicle.gone.append(Gone(
        system, "customers", key, how, agenda.night, email_norm(held.email), said.state,
        stamp(said.at) if said.at else "", said.is_proven,
    ))


def _merge(agenda: Agenda, people: People, person: str, record: Record) -> None:
    """Somebody was entered a second time, is found out, and becomes one record with an id of its own."""
    system, key = record
    held = agenda.state.customers[system][key]
    phone = new_phone(people, 1) if held.phone else ""
    twin = replace(
        held, key=people.new_key(system, ""), email="", phone=phone, street="", city="", postcode="", card="",
        birth_date="", consent=Consent(),
    )
    _forget(agenda, people, person, record, "merged")

    def enter(moment: datetime) -> None:
        agenda.outbox.customers[system, twin.key] = replace(twin, created_at=moment)

    minute = agenda.dice("merges", key).one(18 * _HOUR)
    agenda.at(minute, enter)
    agenda.at(minute + 2 * _HOUR, lambda _: agenda.outbox.merged.append((person, system, key, twin.key)))


def _says_no(agenda: Agenda, people: People, person: str, record: Record) -> list[Action]:
    """The person tells another system, at the same address, that it wants no more mail."""
    held = agenda.state.customers
    address = email_norm(held[record[0]][record[1]].email)
    for system, key in people.persons[person]:
        other = held[system][key]
        told = address and (system, key) != record and system != "square" and email_norm(other.email) == address
        if told and other.consent.state == "yes":
            return [say(agenda, (system, key), "no", proven=False)]
    return []
