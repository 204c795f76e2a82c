"""Judges one night: its plan, and what the systems hold now, against the world's truth.

Exit code and table are `__main__`'s and `judge_report`'s; here is what there is to say. Everything that decides is a
pure function over rows (`judge_rows`, `judge_gone`, `judge_persons`, `judge_traces`, `judge_quarantine`).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.judge_gone import judge_gone
from sandbox.judge_persons import judge_persons, score, strangers
from sandbox.judge_quarantine import judge_quarantine
from sandbox.judge_rows import Case, judge_rows
from sandbox.judge_traces import judge_permissions, judge_writes
from sandbox.plan_rows import Key, Plan, read_plan
from sandbox.store import Store
from sandbox.vendor import Vendor
from sandbox.verdict import Verdict
from sandbox.world.chronicle import Gone
from sandbox.world.identity import Record, email_norm
from sandbox.world.scene import Scene, read_permissions
from sandbox.world.state import State
from sandbox.world.truth import Row, read_truth
from sandbox.world.truth_consents import consent_rows
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
    rows, bad, gone = read_truth(scene.folder, night), scene.bad_records, scene.chronicle.is_gone("customers")
    persons = {name: [one for one in records if one not in gone] for name, records in scene.persons().items()}
    effects = scene.store.effects(after_seq=scene.chronicle.effects_seen, origin="api")
    verdict = Verdict(night)
    case = Case(
        night, rows, values_now(scene.shelves, state, rows), strangers(persons, plan.persons, bad), down,
        settled_raises(rows, plan, state, bad, scene.chronicle.gone),
        {(one.system, one.key): one.how for one in scene.chronicle.gone},
    )
    judge_rows(case, plan, verdict)
    judge_quarantine(scene.bad_rows(state), plan, verdict, down)
    judge_gone(scene.chronicle.gone, plan, effects, verdict, down)
    judge_permissions(read_permissions(scene.folder), permissions(state), effects, rows, verdict)
    judge_writes(effects, plan, rows, verdict)
    result = score(persons, plan.persons, bad)
    if down:
        verdict.persons = result
    else:
        judge_persons(result, verdict)
    return verdict


def settled_raises(
    rows: Iterable[Row], plan: Plan, state: State, bad: set[Record], gone: Iterable[Gone] = ()
) -> set[Key]:
    """Raises without proof that nobody asks for any more: an earlier run of this night has lowered the unproven yes.

    A plan that lowers it itself has to put the refusal on record beside it.
    """
    standing = {row.key for row in consent_rows(0, state, {}, bad, gone)}
    lowered = {
        _address(state, planned.system, planned.vendor_id)
        for planned in plan.corrections.values()
        if planned.entity == "consents" and planned.drift_class == "lower" and planned.disposition == "approve"
    }
    return {
        row.key for row in rows
        if row.drift_class == "raise_without_proof" and row.key not in standing
        and _address(state, row.system, row.vendor_id) not in lowered
    }


def _address(state: State, system: str, vendor_id: str) -> str:
    customer = state.customers[system].get(vendor_id)
    return email_norm(customer.email) if customer else ""


def permissions(state: State) -> dict[Record, str]:
    """Every record's e-mail permission."""
    return {
        (system, key): customer.consent.state for system, held in state.customers.items()
        for key, customer in held.items()
    }
