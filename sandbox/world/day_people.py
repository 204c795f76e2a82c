"""A day among the customers: edits in the system that knows best, elsewhere and in both, moves, newcomers, dirt.

Each person is touched by one hand a day, and only while nothing of theirs waits for a decision.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sandbox.records import Consent, Customer
from sandbox.world import ids
from sandbox.world.agenda import Action, Agenda
from sandbox.world.bad_rows import CUSTOMER_KINDS, bad_customer
from sandbox.world.cast import is_email_tool, part_of
from sandbox.world.dirt import phone_text, slip, unaccented
from sandbox.world.identity import Persons, Record, email_norm, folded, value_of
from sandbox.world.names import DOMAINS, FAMILY, MEN, STREETS, TOWNS, WOMEN
from sandbox.world.settings import DayRates
from sandbox.world.truth_consents import contact_points, wants_no
from sandbox.world.truth_customers import customer_rows, is_target, rank_of, sources

Changes = dict[str, str]


class People:
    """The persons of a day: who may still be touched, and the hands that touch them."""

    def __init__(self, agenda: Agenda, persons: Persons, ever: Persons) -> None:
        """`persons`: records that are there; `ever`: those that are gone as well."""
        self.agenda, self.persons, self.dice = agenda, persons, agenda.dice("people")
        self.bad, self.joined = agenda.scene.bad_records, list[tuple[str, str, str]]()
        self.points = contact_points(agenda.state, self.bad, agenda.scene.chronicle.gone)
        self.owners = {record: person for person, records in ever.items() for record in records}
        self.forsaken = {self.owners[record] for record in agenda.scene.chronicle.is_gone("customers")}
        """Persons of whom some record is gone."""
        self.touched: set[str] = set()
        """Persons whose records as such changed today: new ones, spoilt ones."""
        self._emails = {
            system: {email_norm(record.email) for record in held.values()}
            for system, held in agenda.state.customers.items()
        }
        rows = customer_rows(agenda.night, agenda.state, agenda.scene.memory, persons, self.bad)
        waiting = {(row.system, row.vendor_id) for row in rows}
        names = sorted(persons)
        self._order = [names[at] for at in self.dice.order(len(names)).tolist()]
        self._busy = {
            person for person, records in persons.items()
            if any(record in waiting or record in self.bad for record in records)
        }

    def free(self) -> Iterator[str]:
        """Persons with nothing waiting, each handed out until it is taken."""
        return (person for person in self._order if person not in self._busy)

    def take(self, person: str) -> None:
        """Let nobody else touch them today."""
        self._busy.add(person)

    def edit(self, record: Record, changes: Changes) -> Action:
        """Somebody types new values into one record."""
        def action(_: datetime) -> None:
            held = self.agenda.state.customers[record[0]][record[1]]
            self.agenda.set_customer(record[0], replace(held, **changes))

        return action

    def join(self, person: str, system: str, record: Customer) -> Action:
        """A person gets a record in a system."""
        self.touched.add(person)
        self._emails[system].add(email_norm(record.email))
        self.joined.append((person, system, record.key))
        self.persons.setdefault(person, []).append((system, record.key))
        return lambda moment: self.agenda.set_customer(system, replace(record, created_at=moment))

    def is_known(self, system: str, email: str) -> bool:
        """Whether a system has a record with this address."""
        return email_norm(email) in self._emails[system]

    def wants_no(self, records: list[Record]) -> bool:
        """Whether any address of some records has said no."""
        addresses = {email_norm(self.agenda.state.customers[system][key].email) for system, key in records}
        return any(wants_no(self.points.get(address, [])) for address in addresses)

    def new_key(self, system: str, email: str) -> str:
        """The id that a system would give a new record."""
        return ids.customer(system, self.agenda.scene.chronicle.mint(system), email)

    def new_person(self) -> tuple[str, Customer]:
        """Somebody nobody has heard of; the record has no key yet."""
        number, dice = self.agenda.scene.chronicle.mint("person"), self.dice
        first, last = (WOMEN + MEN)[dice.one(len(WOMEN + MEN))], FAMILY[dice.one(len(FAMILY))]
        name = "".join(c for c in unaccented(f"{first}.{last}").lower() if c.isalnum() or c in ".-")
        city, postcode, country = TOWNS[dice.one(len(TOWNS))]
        return f"P{number:07d}", Customer(
            key="", first_name=first, last_name=last, email=f"{name}{number * 7 + 11}@{DOMAINS[number % len(DOMAINS)]}",
            phone=new_phone(self, number), street=f"{1 + dice.one(150)} {STREETS[dice.one(len(STREETS))]}", city=city,
            postcode=postcode, country=country,
        )


def new_phone(people: People, kind: int) -> str:
    """A number that nobody has."""
    number = people.agenda.scene.chronicle.mint("phone")
    return phone_text(f"+339{number * 61_803_399 % 10**8:08d}", kind)


def plan_people(agenda: Agenda, people: People, rates: DayRates) -> None:
    """All events of the day that are about who customers are."""
    n = agenda.scene.chronicle.settings.persons
    actions: list[Action] = []
    for kind, plan in (
        ("authority_customer_edits", authority_edit), ("here_customer_edits", _here_edit),
        ("both_customer_edits", _both_edit), ("moves", _move), ("joining_customers", _joining),
    ):
        wanted = rates.count(kind, n)
        for person in people.free():
            if wanted == 0:
                break
            if found := plan(people, person):
                people.take(person)
                actions += found
                wanted -= 1
    for _ in range(rates.count("new_customers", n)):
        actions += _newcomer(people)
    actions += _spoil(people, rates.count("bad_customers", n))
    agenda.spread(people.dice, actions)


def _sides(people: People, person: str, field: str) -> tuple[Record, Record] | None:
    """The record whose word counts for a field, and another that agrees with it."""
    records = people.persons[person]
    best = sources(people.agenda.state, records, people.bad).get(field)
    others = [r for r in records if best and r != best[0] and is_target(r[0], field)]
    return (best[0], others[people.dice.one(len(others))]) if best and others else None


def _changed(people: People, record: Record, field: str) -> str:
    """Another value for a field of a record."""
    held = people.agenda.state.customers[record[0]][record[1]]
    if field == "phone":
        return new_phone(people, 1 if is_email_tool(record[0]) else people.dice.one(8))
    if field == "first_name":
        return slip(held.first_name, people.dice.one(1000))
    start = people.dice.one(len(FAMILY))
    return FAMILY[start] if folded(FAMILY[start]) != folded(held.last_name) else FAMILY[start - 1]


def authority_edit(people: People, person: str) -> list[Action]:
    """A new name or number in the system that knows best, where another is to follow."""
    field = ("phone", "last_name", "phone")[people.dice.one(3)]
    sides = _sides(people, person, field)
    return [people.edit(sides[0], {field: _changed(people, sides[0], field)})] if sides else []


def _here_edit(people: People, person: str) -> list[Action]:
    field = ("phone", "first_name", "last_name")[people.dice.one(3)]
    sides = _sides(people, person, field)
    return [people.edit(sides[1], {field: _changed(people, sides[1], field)})] if sides else []


def _both_edit(people: People, person: str) -> list[Action]:
    sides = _sides(people, person, "phone")
    return [people.edit(side, {"phone": _changed(people, side, "phone")}) for side in sides] if sides else []


def _move(people: People, person: str) -> list[Action]:
    """A new address, told to the system that knows best."""
    sides = _sides(people, person, "street")
    if not sides:
        return []
    held = people.agenda.state.customers[sides[0][0]][sides[0][1]]
    city, postcode, country = TOWNS[people.dice.one(len(TOWNS))]
    street = f"{200 + people.dice.one(99)} {STREETS[people.dice.one(len(STREETS))]}"
    if country != held.country or (city, postcode) == (held.city, held.postcode):
        return []
    return [people.edit(sides[0], {"street": street, "city": city, "postcode": postcode})]


def _joining(people: People, person: str) -> list[Action]:
    """Somebody known gives another system a name that is not quite theirs; a system of lower standing."""
    state, records = people.agenda.state, people.persons[person]
    if person in people.forsaken:
        return []
    best = min(records, key=lambda record: rank_of(record[0]))
    held = state.customers[best[0]][best[1]]
    taken = {system for system, _ in records}
    ranked = sorted(people.agenda.scene.cast, key=rank_of)
    free = [system for system in ranked if rank_of(system) > rank_of(best[0]) and system not in taken]
    if not free or not email_norm(held.email) or not value_of(held, "last_name"):
        return []
    system = free[people.dice.one(len(free))]
    if people.is_known(system, held.email) or people.wants_no(records):
        return []
    known_as = replace(held, last_name=slip(held.last_name, people.dice.one(1000)), card="")
    return [people.join(person, system, _registered(people, system, known_as))]


def _newcomer(people: People) -> list[Action]:
    person, record = people.new_person()
    cast = people.agenda.scene.cast
    first = people.dice.one(len(cast))
    systems = [cast[first]] + ([cast[(first + 1) % len(cast)]] if people.dice.one(2) else [])
    people.take(person)
    actions = []
    for system in systems:
        actions.append(people.join(person, system, _registered(people, system, record)))
    return actions


def _registered(people: People, system: str, facts: Customer) -> Customer:
    """The facts as a system takes them down: the newsletter's form asks for no address, but for permission."""
    record = replace(
        facts, key=people.new_key(system, facts.email), phone=phone_text(value_of(facts, "phone") or "", 1),
        consent=Consent(),
    )
    if not is_email_tool(system):
        return record
    consent = Consent("yes", people.agenda.opens, False, "form")
    return replace(record, street="", city="", postcode="", consent=consent)


def _spoil(people: People, count: int) -> list[Action]:
    actions, chronicle = [], people.agenda.scene.chronicle
    for at in range(count):
        kind = CUSTOMER_KINDS[((people.agenda.night - 1) * count + at) % len(CUSTOMER_KINDS)]
        person = next((p for p in people.free() if [part_of(r[0]) for r in people.persons[p]] == [kind[0]]), None)
        if person is not None:
            people.take(person)
            people.touched.add(person)
            system, key = people.persons[person][0]
            dirt = bad_customer(kind, people.agenda.state.customers[system][key], system)
            chronicle.bad += dirt.rows
            actions.append(_put(people, system, dirt.customers[0]))
    return actions


def _put(people: People, system: str, record: Customer) -> Action:
    return lambda _: people.agenda.set_customer(system, record)
