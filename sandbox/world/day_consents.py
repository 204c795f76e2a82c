"""A day's permissions: somebody says no to one system, proves a yes, or is said to have agreed again without proof."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sandbox.records import Consent
from sandbox.world.agenda import Action, Agenda
from sandbox.world.cast import is_email_tool, keeps_proof
from sandbox.world.day_people import People
from sandbox.world.identity import Record, email_norm
from sandbox.world.settings import DayRates
from sandbox.world.truth_consents import Point, living

Chooser = Callable[[Point], Record | None]
_PROVERS = ("mailchimp", "shopify", "hubspot")
_LONG_AGO = timedelta(days=20)


def plan_consents(agenda: Agenda, people: People, rates: DayRates) -> None:
    """All events of the day that are about permissions."""
    n, dice = agenda.scene.chronicle.settings.persons, agenda.dice("consents")
    points, addresses = people.points, sorted(people.points)
    order = [points[addresses[at]] for at in dice.order(len(addresses)).tolist()]
    taken = set(people.touched)
    actions: list[Action] = []

    def choose(count: int, chooser: Chooser, *, single: bool) -> list[Record]:
        chosen: list[Record] = []
        for point in order:
            if len(chosen) == count:
                break
            persons = {people.owners[record] for record, _ in point if record in people.owners}
            if persons & taken or living(agenda.state, point) != point:
                continue
            if single and not all(_has_one_address(people, person) for person in persons):
                continue
            if record := chooser(point):
                chosen.append(record)
                taken.update(persons)
        return chosen

    wanted = rates.count("opt_outs", n)
    for at, chooser in enumerate((_told_beside_the_till, _told_among_others, _told_at_the_till)):
        for record in choose(wanted // 3 + (at < wanted % 3), chooser, single=False):
            actions.append(say(agenda, record, "no", proven=False))
    for kind, proven in (("proven_opt_ins", True), ("unproven_opt_ins", False)):
        count = rates.count(kind, n)
        found = choose(count, _prover, single=True)
        actions += [say(agenda, record, "yes", proven=proven) for record in found]
        for _ in range(count - len(found)):
            actions += _newcomer(agenda, people, proven=proven)
    agenda.spread(dice, actions)


def _has_one_address(people: People, person: str) -> bool:
    held = people.agenda.state.customers
    return len({email_norm(held[system][key].email) for system, key in people.persons[person]} - {""}) == 1


def _yes(point: Point) -> tuple[list[Record], list[Record]]:
    """Square's records that say yes, and the others'; both empty where any says no."""
    if any(consent.state == "no" for _, consent in point):
        return [], []
    agreed = [record for record, consent in point if consent.state == "yes"]
    return [r for r in agreed if r[0] == "square"], [r for r in agreed if r[0] != "square"]


def _told_beside_the_till(point: Point) -> Record | None:
    """Another system is told, while Square says yes and cannot be corrected."""
    till, others = _yes(point)
    return others[0] if till and others else None


def _told_among_others(point: Point) -> Record | None:
    _, others = _yes(point)
    return others[-1] if len(others) > 1 else None


def _told_at_the_till(point: Point) -> Record | None:
    till, others = _yes(point)
    return till[0] if till and others else None


def _prover(point: Point) -> Record | None:
    """Where everybody says no and says when: the record in which an opt-in can be proven."""
    if len(point) < 2 or any(consent.state != "no" or consent.at is None for _, consent in point):
        return None
    found = {record[0]: record for record, _ in point}
    return next((found[system] for system in _PROVERS if system in found), None)


def say(agenda: Agenda, record: Record, state: str, *, proven: bool) -> Action:
    """A permission is given or taken back in one record."""
    system, key = record

    def action(moment: datetime) -> None:
        held = agenda.state.customers[system][key]
        source = "form" if proven else "import" if state == "yes" else "link"
        consent = Consent(state, moment, proven, source)  # type: ignore[arg-type]
        agenda.set_customer(system, replace(held, consent=consent))

    return action


def _newcomer(agenda: Agenda, people: People, *, proven: bool) -> list[Action]:
    """Somebody new with an old no in the shop, and a fresh yes where its time is kept: the e-mail tool, or the CRM."""
    person, record = people.new_person()
    people.take(person)
    old_no = Consent("no", agenda.opens - _LONG_AGO, False, "link")
    shop = replace(record, key=people.new_key("shopify", record.email), consent=old_no)
    yes = Consent("yes", agenda.opens, proven, "form")
    tool = next(system for system in agenda.scene.cast if is_email_tool(system))
    if keeps_proof(tool):
        told = replace(record, key=people.new_key(tool, record.email), street="", city="", postcode="", consent=yes)
    else:
        tool = "hubspot"
        told = replace(record, key=people.new_key(tool, record.email), consent=yes)
    return [people.join(person, "shopify", shop), people.join(person, tool, told)]
