"""Lives one day: looks at what the night left behind, lets people work for 22 hours, and writes the next truth."""

from collections.abc import Mapping
from pathlib import Path

from sandbox.store import Store
from sandbox.vendor import Vendor
from sandbox.world.agenda import Agenda
from sandbox.world.create import Say
from sandbox.world.day_consents import plan_consents
from sandbox.world.day_departures import plan_departures
from sandbox.world.day_people import People, plan_people
from sandbox.world.day_prices import plan_prices
from sandbox.world.day_stock import plan_stock
from sandbox.world.identity import write_persons
from sandbox.world.scene import Scene
from sandbox.world.settings import DayRates, night_time
from sandbox.world.truth import Row, check_shares


def live_day(
    folder: Path, store: Store, vendors: Mapping[str, Vendor], *, rates: DayRates | None = None,
    away: frozenset[str] = frozenset(), say: Say = lambda _: None,
) -> list[Row]:
    """Let one day go by; returns what the night after it must find. WorldError if the day was not a fair one.

    `away`: systems that nobody could read in the night just gone; nothing was agreed on by their word.
    """
    rates = rates or DayRates()
    scene = Scene.load(folder, store, vendors)
    night = scene.chronicle.night + 1
    say(f"what night {night - 1} left behind")
    state, persons = scene.look(), scene.persons()
    scene.settle(state, persons, away)
    hands = {name: [one for one in records if one[1] in state.customers[one[0]]] for name, records in persons.items()}
    earlier = scene.unresolved(state)
    first = scene.chronicle.settings.first_night
    store.set_now(max(store.now(), night_time(night - 1, first)))
    say(f"the day before night {night}")
    agenda = Agenda(scene, state, night)
    people = People(agenda, {name: records for name, records in hands.items() if records}, persons)
    plan_prices(agenda, rates, earlier, away)
    plan_stock(agenda, rates)
    plan_people(agenda, people, rates)
    plan_departures(agenda, people, rates, away)
    plan_consents(agenda, people, rates)
    agenda.live()
    store.set_now(night_time(night, first))
    write_persons(folder, people.joined + agenda.joined, append=True)
    say(f"the truth about night {night}")
    rows = scene.tell(night, scene.look(), scene.persons(), earlier)
    scene.save()
    if not scene.chronicle.settings.over_cap:
        check_shares(rows)
    return rows
