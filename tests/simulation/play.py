"""One seed from its world to its verdict: days lived, nights with their faults, quiet nights, and the checker."""

import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import LeaseHeld, SyncError
from sandbox.world import ids
from sandbox.world.scene import Scene
from sandbox.world.settings import CAP_FLOOR_ROWS, CAP_SHARE_PCT, FIRST_NIGHT, WorldSettings
from sandbox.world.truth import Row
from sandbox.world.values import values_now
from tests.simulation import checker
from tests.simulation.casts import known, narrow
from tests.simulation.checker import Violation
from tests.simulation.estate import SimulatedEstate
from tests.simulation.faults import Weather
from tests.simulation.network import Wire
from tests.simulation.run import Run
from tests.simulation.scenario import CALLS, CASTS, FAMILIES, QUIET, NightPlan, Scenario, scenario
from tests.simulation.second import Second
from tests.simulation.shapes import Pages
from tests.simulation.trace import Trace

SEASONS = {4: "2027-03-27", 5: "2026-10-24"}
"""Families whose second night is the one on which the shops' clocks are moved."""
TIGHT_ROWS = 4
"""What a tight estate lets through of a field in a system and night."""


@dataclass(slots=True)
class Played:
    """What became of one seed."""

    seed: int
    violations: list[Violation]
    nights: int
    calls: int
    faults: Counter[str] = field(default_factory=Counter)
    trace: Trace = field(default_factory=Trace)

    @property
    def is_right(self) -> bool:
        """Whether every invariant held."""
        return not self.violations


class Templates:
    """Adopted worlds, one a family, made when they are first needed and copied for every seed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def copy(self, family: int, folder: Path, trace: Trace) -> SimulatedEstate:
        """A world of its own, after its first night."""
        made = self.folder / f"family_{family % FAMILIES}"
        if not made.exists():
            season = SEASONS.get(family % FAMILIES, FIRST_NIGHT.isoformat())
            size = WorldSettings(seed=101 + family, variants=60, persons=40, shops=2, first_night=season)
            estate = SimulatedEstate.made(made, size, Trace())
            narrow(estate.world / "estate.toml", CASTS[family % FAMILIES])
            estate.systems = CASTS[family % FAMILIES]
            adopted = estate.run(kind="adopt", seed="adopt")
            assert adopted.status == "complete", f"family {family} was not adopted: {adopted.error}"
            estate.close()
        shutil.copytree(made, folder)
        estate = SimulatedEstate(folder, trace)
        estate.systems = CASTS[family % FAMILIES]
        return estate


def play(seed: int, templates: Templates, folder: Path) -> Played:
    """Play one seed in a folder that is empty before and after."""
    trace = Trace()
    drawn = scenario(seed, {})
    estate = templates.copy(drawn.family, folder, trace)
    drawn = scenario(seed, dict(estate.vendors))
    played = Played(seed, [], 0, 0, trace=trace)
    try:
        _play(estate, drawn, played)
    finally:
        estate.close()
        shutil.rmtree(folder)
    played.nights, played.calls = len(estate.runs), sum(len(run.calls) for run in estate.runs)
    for violation in played.violations:
        trace.note(estate.time.now(), "violation", words=str(violation))
    return played


def _play(estate: SimulatedEstate, drawn: Scenario, played: Played) -> None:
    estate.trace.note(
        estate.time.now(), "seed", seed=drawn.seed, family=drawn.family, nights=[night.kinds for night in drawn.nights],
        tight=drawn.is_tight,
    )
    if drawn.is_tight:
        _tighten(estate.world / "estate.toml")
    for night in drawn.nights:
        estate.day()
        played.faults["DST"] += drawn.family in SEASONS and night is drawn.nights[0]
        _night(estate, drawn, night, played)
    quiet = []
    for number in range(QUIET + 1):
        quiet.append(estate.run(seed=f"{drawn.seed} quiet", force_census=drawn.is_deaf and number == 0))
        estate.all_is_read()
        if not quiet[-1].new and not quiet[-1].written:
            break
    played.violations += checker.converged(quiet)
    _judge(estate, drawn, played)


def _night(estate: SimulatedEstate, drawn: Scenario, night: NightPlan, played: Played) -> None:
    """One night with its faults; one that was killed is run again at once, without them."""
    if night.reuses_id:
        estate.reuse_id(night.dice)
        played.faults["id re-use"] += 1
    if night.hands is not None:
        night.hands.sold, night.hands.touched = estate.sold, estate.touched

    def on_step(step: str, wire: Wire) -> None:
        if night.hands is not None and step == "stage":
            night.hands.is_read = True
            night.hands.rows = [row for row in estate.runs[-1].truth if row.disposition == "must_push"]

    second = Second(night.dice, 1.0, estate=estate, how=night.second, at=night.dice.randint(3, 90))
    weather = Weather([*([second] if night.second else []), *night.weather])
    run = estate.run(weather, seed=str(drawn.seed), dies_at=night.dies_at, skew=night.skew, on_step=on_step)
    _count(night, played)
    estate.leave_unread((row for fault in night.faults if isinstance(fault, Pages) for row in fault.rows), run)
    if second.happened:
        played.faults["two runs"] += 1
        played.violations += second.violations
        if night.second != "at once":
            estate.leave_to_twin()
            if run.error is not None and not isinstance(run.error, LeaseHeld):
                words = f"the run that was taken over ended by {type(run.error).__name__}"
                played.violations.append(Violation("two runs", f"run {run.number}", words))
    elif run.status == "killed":
        played.faults["crash"] += 1
        estate.run(seed=str(drawn.seed))


def _count(night: NightPlan, played: Played) -> None:
    for kind, fault in zip([kind for kind in night.kinds if kind in CALLS], night.faults, strict=True):
        played.faults[kind] += fault.happened
    if night.hands is not None:
        played.faults["offline till" if night.hands.late_by else "concurrent sale"] += night.hands.happened
    if night.skew:
        played.faults["clock skew"] += 1


def _judge(estate: SimulatedEstate, drawn: Scenario, played: Played) -> None:
    caps = {entity: (share, CAP_FLOOR_ROWS) for entity, share in CAP_SHARE_PCT.items()}
    if drawn.is_tight:
        caps = dict.fromkeys(caps, (0.0, TIGHT_ROWS))
    scene = estate.scene()
    populations = scene.look().populations(scene.shelves)
    for run in estate.runs:
        played.violations += checker.of_a_run(run)
        played.violations += checker.reused(run, estate.reused)
        played.violations += checker.over_caps(run, caps, populations)
        played.violations += _broke(run)
    rows, now = _final(scene)
    rows = known(rows, estate.systems)
    if drawn.is_tight:
        rows = [row for row in rows if row.entity == "consents"]
    known_rows = [row for row in known(rows, estate.systems) if row.entity != "customers"]
    known_rows = [row for row in known_rows if row.key not in estate.runs[-1].parked]  # for a person
    over = {ids.item_number("square", key) for plan in drawn.nights if plan.hands for key in plan.hands.counted_over}
    over |= _gone(estate, frozenset().union(*(run.deaf for run in estate.runs)))
    known_rows = [r for r in known_rows if r.entity != "stock" or ids.item_number(r.system, r.vendor_id) not in over]
    played.violations += checker.lost(known_rows, now)


def _gone(estate: SimulatedEstate, deaf: frozenset[str]) -> set[int]:
    """Things that are in a system no more whose orders once could not be read: what was sold of them names nothing."""
    everything = range(len(estate.scene().catalogue))
    there = {system: {row[0] for row in estate.vendors[system].observe_prices(estate.store)} for system in deaf}
    return {n for system in deaf for n in everything if ids.item_key(system, n) not in there[system]}


def _broke(run: Run) -> list[Violation]:
    """A night may fail by an error that is made for it, and by no other."""
    if run.error is None or isinstance(run.error, SyncError):
        return []
    return [Violation("night broke", f"run {run.number}", f"{type(run.error).__name__}: {run.error}"[:300])]


def _final(scene: Scene) -> tuple[list[Row], dict[tuple[str, str, str, str, str], str | None]]:
    """What still had to be pushed if a night came now, and what is there."""
    state, persons = scene.look(), scene.persons()
    scene.settle(state, persons)
    rows = list(scene.tell(scene.chronicle.night, state, persons))
    return rows, values_now(scene.shelves, state, rows)


def _tighten(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"max_share_pct = [0-9.]+", "max_share_pct = 0.01", text)
    text = re.sub(r"floor_rows = \d+", f"floor_rows = {TIGHT_ROWS}", text)
    path.write_text(re.sub(r"max_rows = \d+", f"max_rows = {TIGHT_ROWS}", text), encoding="utf-8")
