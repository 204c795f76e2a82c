"""Laws of consent, over tens of thousands of generated histories; 5,000 in each execution, told apart by contact point.

A history is what systems said about one person's one or two addresses, in any order of saying and of seeing: with
duplicates, missing and future times, proofs, merges and splits. All from one seed, which is what Hypothesis draws.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from random import Random

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.reconcile.consents import build_consents
from pipelines.reconcile.models import build_models
from tests.conftest import open_warehouse
from tests.law import law

SEEDS = st.integers(0, 2**32)
COUNT = 5_000
LAW = partial(law, 2, holds=COUNT, is_seeded=True)
START = datetime(2026, 1, 1, tzinfo=UTC)
SYSTEMS = ("square", "shopify", "hubspot", "mailchimp")
RANK = {"no": 0, "pending": 1, "yes": 2}


@dataclass(frozen=True)
class Event:
    """What one system said about one of the two addresses ("a", "b") of a history."""

    address: str
    system: str
    state: str
    said: int | None
    """Day on which it was said; None where the system does not tell."""
    seen: int
    is_proven: bool
    is_ours: bool = False

    @property
    def proves_at(self) -> int | None:
        """The day of a proof, never later than the night that saw it."""
        return min(self.said, self.seen) if self.state == "yes" and self.is_proven and self.said is not None else None


@dataclass(frozen=True)
class History:
    """All events, and whether the records of both addresses are bound to one person."""

    events: tuple[Event, ...]
    is_one_person: bool

    def of(self, address: str) -> list[Event]:
        """The events of one address."""
        return [event for event in self.events if event.address == address]


def histories(seed: int, count: int = COUNT) -> list[History]:
    """Many histories."""
    dice = Random(seed)
    return [
        History(tuple(_event(dice) for _ in range(dice.randint(1, 7))), dice.random() < 0.5) for _ in range(count)
    ]


def _event(dice: Random, states: tuple[str, ...] = ("yes", "yes", "no", "pending")) -> Event:
    return Event(
        address=dice.choice("aaab"), system=dice.choice(SYSTEMS), state=dice.choice(states),
        said=dice.choice([None, *range(0, 12)]), seen=dice.randint(0, 10), is_proven=dice.random() < 0.4,
        is_ours=dice.random() < 0.1,
    )


@cache
def warehouse() -> duckdb.DuckDBPyConnection:
    """One for all examples."""
    con = open_warehouse()
    con.execute("INSERT INTO estate.night VALUES ('n', 'maison', ?, 'Europe/Paris', 'nightly')", [START])
    return con


@pytest.fixture(scope="module", autouse=True)
def closed() -> Iterator[None]:
    """The shared warehouse is closed after the last law."""
    yield
    warehouse().close()
    warehouse.cache_clear()


def decided(worlds: list[History], shuffled: Random | None = None) -> list[dict[str, str]]:
    """Golden state by address, for each history."""
    con = warehouse()
    rows = [
        (f"{number}{event.address}", event.system, f"{number}{event.address}{event.system}", event.state, event)
        for number, world in enumerate(worlds) for event in world.events
    ]
    if shuffled:
        shuffled.shuffle(rows)
    events = pa.table({
        "contact_point": [row[0] for row in rows], "channel": ["email"] * len(rows), "purpose": ["news"] * len(rows),
        "system": [row[1] for row in rows], "vendor_id": [row[2] for row in rows], "state": [row[3] for row in rows],
        "changed_at": pa.array([_time(row[4].said) for row in rows], pa.timestamp("us", "UTC")),
        "seen_at": pa.array([_time(row[4].seen) for row in rows], pa.timestamp("us", "UTC")),
        "has_proof": [row[4].is_proven and row[3] == "yes" for row in rows],
        "proof": pa.array(["ours" if row[4].is_ours else None for row in rows], pa.string()),
        "night_id": ["n"] * len(rows),
    })
    records = {(row[1], row[2], row[0]) for row in rows}
    _replace(con, "ledger.identity.consent_events", events)
    _replace(con, "ledger.identity.persons", pa.table({
        "system": [system for system, _, _ in records], "vendor_id": [key for _, key, _ in records],
        "person_id": [
            point[:-1] if worlds[int(point[:-1])].is_one_person else point for _, _, point in records
        ],
        "rule": ["email"] * len(records), "bound_at": pa.array([START] * len(records), pa.timestamp("us", "UTC")),
        "night_id": ["n"] * len(records),
    }))
    _replace(con, "observed.consents", pa.table({
        "system": [system for system, _, _ in records], "vendor_id": [key for _, key, _ in records],
        "contact_point": [point for _, _, point in records], "channel": ["email"] * len(records),
        "purpose": ["news"] * len(records), "state": ["yes"] * len(records),
    }))
    build_models(con, "golden.consents")
    found: list[dict[str, str]] = [{} for _ in worlds]
    for point, state in con.execute("SELECT contact_point, state FROM golden.consents").fetchall():
        found[int(point[:-1])][point[-1]] = state
    return found


def _replace(con: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    con.execute(f"DELETE FROM {table}")
    con.register("incoming", rows)
    con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
    con.unregister("incoming")


def _time(day: int | None) -> datetime | None:
    return None if day is None else START + timedelta(days=day)


def is_forbidden(events: list[Event]) -> bool:
    """Whether a no stands among these events of one address, after which nobody has proven a yes."""
    refusals = [event for event in events if event.state == "no"]
    if any(event.said is None for event in refusals):
        return True
    proofs = [event.proves_at for event in events if event.proves_at is not None]
    return bool(refusals) and not any(proof > max(event.said or 0 for event in refusals) for proof in proofs)


def each(seed: int, law: Callable[[History, dict[str, str]], bool]) -> None:
    """Judge every history; the shortest one that breaks the law is shown."""
    worlds = histories(seed)
    broken = [
        (world, states) for world, states in zip(worlds, decided(worlds), strict=True) if not law(world, states)
    ]
    assert not broken, min(broken, key=lambda pair: len(pair[0].events))


def not_raised(worlds: list[History], changed: list[History]) -> None:
    """No address is answered more freely after a change than before; what was never asked may become known."""
    before, after = decided(worlds), decided(changed)
    raised = [
        (old, new, was, now)
        for old, new, was, now in zip(worlds, changed, before, after, strict=True)
        if any(RANK[now.get(address, "no")] > RANK[state] for address, state in was.items())
    ]
    assert not raised, min(raised, key=lambda found: len(found[0].events))


@LAW(times=10)
@given(seed=SEEDS)
def test_no_sequence_without_a_later_proven_opt_in_ends_in_yes(seed):
    each(seed, lambda world, states: all(
        not is_forbidden(world.of(address)) or state == "no" for address, state in states.items()
    ))


@LAW()
@given(seed=SEEDS)
def test_a_proven_opt_in_after_every_no_counts(seed):
    def holds(world: History, states: dict[str, str]) -> bool:
        only = world.of("a")
        if {event.address for event in world.events} != {"a"} or any(event.state == "pending" for event in only):
            return True
        return is_forbidden(only) == (states["a"] == "no")

    each(seed, holds)


@LAW()
@given(seed=SEEDS)
def test_a_persons_no_reaches_the_other_address_unless_that_one_has_a_later_proof(seed):
    def holds(world: History, states: dict[str, str]) -> bool:
        for address, other in ("ab", "ba"):
            own = [event for event in world.of(other) if event.state == "no" and not event.is_ours]
            if not (world.is_one_person and own and is_forbidden(world.of(other)) and address in states):
                continue
            proofs = [event.proves_at for event in world.of(address) if event.proves_at is not None]
            limit = None if any(event.said is None for event in own) else max(event.said or 0 for event in own)
            if states[address] != "no" and (limit is None or not any(proof > limit for proof in proofs)):
                return False
        return True

    each(seed, holds)


@LAW()
@given(seed=SEEDS)
def test_a_yes_never_moves_to_another_address(seed):
    worlds = histories(seed)
    alone = [replace(world, events=tuple(world.of("a"))) for world in worlds]
    asked = [number for number, world in enumerate(worlds) if world.of("a")]
    with_other, without = decided(worlds), decided(alone)
    assert all(RANK[with_other[number]["a"]] <= RANK[without[number]["a"]] for number in asked)


@LAW(times=10)
@given(seed=SEEDS)
def test_one_more_event_never_raises_unless_it_is_proven(seed):
    dice, worlds = Random(seed + 1), histories(seed)
    grown = []
    for world in worlds:
        more = _event(dice)
        more = replace(more, is_proven=False) if more.state == "yes" else more
        grown.append(replace(world, events=(*world.events, more)))
    not_raised(worlds, grown)


@LAW(times=10)
@given(seed=SEEDS)
def test_merging_two_persons_never_raises(seed):
    worlds = [replace(world, is_one_person=False) for world in histories(seed)]
    not_raised(worlds, [replace(world, is_one_person=True) for world in worlds])


@LAW()
@given(seed=SEEDS)
def test_splitting_a_person_leaves_every_address_its_own_no(seed):
    worlds = [replace(world, is_one_person=False) for world in histories(seed)]
    for world, states in zip(worlds, decided(worlds), strict=True):
        for address, state in states.items():
            assert (state == "no") == is_forbidden(world.of(address)), world


@LAW()
@given(seed=SEEDS)
def test_order_and_duplicates_do_not_matter(seed):
    dice, worlds = Random(seed + 1), histories(seed)
    doubled = [replace(world, events=world.events + world.events[: dice.randint(0, 7)]) for world in worlds]
    assert decided(worlds) == decided(worlds, dice) == decided(doubled, dice)


@LAW()
@given(seed=SEEDS)
def test_a_no_that_arrives_late_counts_as_one_that_arrived_in_time(seed):
    worlds = histories(seed)
    late = [
        replace(world, events=tuple(replace(e, seen=e.seen + 50) if e.state == "no" else e for e in world.events))
        for world in worlds
    ]
    assert decided(worlds) == decided(late)


@LAW(times=10)
@given(seed=SEEDS)
def test_a_push_lowers_every_permission_that_a_no_forbids_and_raises_none_without_a_later_proof(seed):
    worlds = histories(seed)
    states = decided(worlds)
    con = warehouse()
    last = {
        (event.system, f"{number}{event.address}"): event.state
        for number, world in enumerate(worlds) for event in world.events
    }
    _replace(con, "observed.consents", pa.table({
        "system": [system for system, _ in last], "vendor_id": [f"{point}{system}" for system, point in last],
        "contact_point": [point for _, point in last], "channel": ["email"] * len(last),
        "purpose": ["news"] * len(last), "state": list(last.values()),
    }))
    build_models(con, "reconcile.consent_drift")
    found = con.execute(
        "SELECT system, subject_id, observed, desired, drift_class FROM reconcile.consent_drift").fetchall()
    lowered = {(system, point) for system, point, _, _, drift_class in found if drift_class == "lower"}
    assert lowered and {"lower", "raise_with_proof"} <= {row[-1] for row in found}
    assert lowered == {
        (system, point) for (system, point), state in last.items()
        if state != "no" and states[int(point[:-1])][point[-1]] == "no"
    }
    assert {desired for _, _, _, desired, drift_class in found if drift_class == "lower"} == {"no"}
    for _, point, observed, desired, drift_class in found:
        if drift_class == "raise_with_proof":
            assert (observed, desired) == ("no", "yes") and not is_forbidden(worlds[int(point[:-1])].of(point[-1]))


def test_reading_the_same_night_twice_remembers_nothing_twice():
    con = open_warehouse()
    con.execute("INSERT INTO estate.night VALUES ('n', 'maison', ?, 'Europe/Paris', 'nightly')", [START])
    for system in SYSTEMS:
        con.execute("INSERT INTO estate.systems VALUES (?, 's', 'UTC')", [system])
        con.execute("INSERT INTO estate.audiences VALUES (?, 'list', 'email', 'news')", [system])
    dice = Random(7)
    for number in range(500):
        con.execute(
            f"INSERT INTO {dice.choice(SYSTEMS)}.consents BY NAME SELECT ? AS vendor_id, 'list' AS vendor_audience_id, "
            "'email' AS channel, ? AS contact_point, ? AS state, ? AS vendor_state, ? AS changed_at, ? AS has_proof",
            [f"v{number}", f"p{number % 90}", dice.choice(["yes", "no", "pending", "unknown"]), "said",
             _time(dice.choice([None, 1, 2, 3])), dice.random() < 0.3],
        )
    build_consents(con)
    first = con.execute("SELECT * FROM ledger.identity.consent_events ORDER BY ALL").fetchall()
    golden = con.execute("SELECT * FROM golden.consents ORDER BY ALL").fetchall()
    con.execute("UPDATE estate.night SET as_of = as_of + INTERVAL 1 DAY, night_id = 'n2'")
    build_consents(con)
    assert con.execute("SELECT * FROM ledger.identity.consent_events ORDER BY ALL").fetchall() == first
    assert con.execute("SELECT * FROM golden.consents ORDER BY ALL").fetchall() == golden
    assert first and golden
    con.close()
