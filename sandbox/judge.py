"""Judges one night: its plan, and what the systems hold now, against the world's truth.

Exit code and table are `__main__`'s and `judge_report`'s; here is what there is to say. Everything that decides is a
pure function over rows (`judge_rows`, `judge_persons`, `judge_traces`, `judge_quarantine`).
"""

from collections.abc import Mapping
from pathlib import Path

from sandbox.judge_persons import judge_persons, score, strangers
from sandbox.judge_quarantine import judge_quarantine
from sandbox.judge_rows import Case, judge_rows
from sandbox.judge_traces import judge_permissions, judge_writes
from sandbox.plan_rows import Plan, read_plan
from sandbox.store import Store
from sandbox.vendor import Vendor
from sandbox.verdict import Verdict
from sandbox.world.identity import Record
from sandbox.world.scene import Scene, read_permissions
from sandbox.world.state import State
from sandbox.world.truth import read_truth
from sandbox.world.values import values_now


def judge_folder(
    folder: Path, store: Store, vendors: Mapping[str, Vendor], plan: Path, *, down: frozenset[str] = frozenset()
) -> Verdict:
    """Judge the last night of a world. `down`: systems that this night could not read."""
    scene = Scene.load(folder, store, vendors)
    return judge_scene(scene, read_plan(plan), down=down)


def judge_scene(scene: Scene, plan: Plan, *, down: frozenset[str] = frozenset()) -> Verdict:
    """Judge a plan against a world that is open."""
    night, state = scene.chronicle.night, scene.look()
    rows, persons = read_truth(scene.folder, night), scene.persons()
    bad = scene.bad_records
    effects = scene.store.effects(after_seq=scene.chronicle.effects_seen, origin="api")
    verdict = Verdict(night)
    case = Case(night, rows, values_now(scene.shelves, state, rows), strangers(persons, plan.persons, bad), down)
    judge_rows(case, plan, verdict)
    judge_quarantine(scene.chronicle.bad, scene.chronicle.deleted_items, plan, verdict, down)
    judge_permissions(read_permissions(scene.folder), permissions(state), effects, rows, verdict)
    judge_writes(effects, plan, rows, verdict)
    result = score(persons, plan.persons, bad)
    if down:
        verdict.persons = result
    else:
        judge_persons(result, verdict)
    return verdict


def permissions(state: State) -> dict[Record, str]:
    """Every record's e-mail permission."""
    return {
        (system, key): customer.consent.state for system, held in state.customers.items()
        for key, customer in held.items()
    }
