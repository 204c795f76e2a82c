"""Holds every correction of a plan against the truth: found, missed, false, misclassed, and what became of it.

What must be pushed has to be approved, applied, confirmed, and be there now. What must not be pushed has to stand in
the plan with the right answer, and must not have been touched. Whatever else is planned is false, and so is anything
for a record that is gone.
"""

from dataclasses import dataclass, field

from sandbox.plan_rows import Key, Plan, Planned
from sandbox.verdict import Tally, Verdict
from sandbox.world.identity import Record, folded
from sandbox.world.truth import Row
from sandbox.world.truth_customers import LINKED_LATE

_ANSWER = {"must_push": "approve", "must_hold": "hold", "must_refuse": "refuse", "not_writable": "not_writable"}
_SAME_PERSON = "withdrawal of the same person"


@dataclass(slots=True)
class Case:
    """What the judge knows besides the plan."""

    night: int
    rows: list[Row]
    now: dict[Key, str | None]
    """What each value of `rows` is now."""
    strangers: set[Record] = field(default_factory=set)
    """Customer records that the pipeline did not link exactly as they are."""
    down: frozenset[str] = frozenset()
    """Systems that were not read that night."""
    settled: set[Key] = field(default_factory=set)
    """Rows that an earlier run of the same night has made pointless."""
    gone: dict[Record, str] = field(default_factory=dict)
    """How each record, of an item or a customer, that is there no more went away."""


def judge_rows(case: Case, plan: Plan, verdict: Verdict) -> None:
    """Judge all corrections."""
    expected = {row.key: row for row in case.rows if row.disposition != "must_quarantine"}
    for row in expected.values():
        if not row.is_apart:
            _judge_expected(case, plan.corrections.get(row.key), row, verdict)
        else:
            verdict.other_addresses["found" if row.key in plan.corrections else "missed"] += 1
    for planned in plan.corrections.values():
        if planned.key not in expected:
            _judge_unexpected(case, planned, verdict)
    for planned in plan.twice:
        verdict.fail("false", where(planned.key), "two corrections of one value")


def where(key: Key) -> str:
    """A value, for people."""
    system, entity, name, vendor_id, sub_id = key
    return " ".join(part for part in (system, f"{entity}.{name}", vendor_id, sub_id) if part)


def _judge_expected(case: Case, planned: Planned | None, row: Row, verdict: Verdict) -> None:
    tally = verdict.tally(row.entity, row.drift_class)
    tally.expected += 1
    if row.entity == "customers" and _is_apart(case, planned, row):
        tally.apart += 1
    elif planned is None:
        _judge_absent(case, row, tally, verdict)
    elif planned.drift_class != row.drift_class:
        tally.misclassed += 1
        verdict.fail("misclassed", where(row.key), f"{planned.drift_class}, is {row.drift_class} {row.note}".strip())
    elif not _same(row, planned.desired, row.desired):
        verdict.fail("wrong value", where(row.key), f"would become {planned.desired}, ought to be {row.desired}")
    else:
        tally.found += 1
        _judge_answer(case, planned, row, verdict)


def _is_apart(case: Case, planned: Planned | None, row: Row) -> bool:
    """A person not linked exactly as it is, or not on the night when the base was laid."""
    is_late = row.note == LINKED_LATE and planned is not None and planned.drift_class != row.drift_class
    return is_late or (row.system, row.vendor_id) in case.strangers


def _judge_absent(case: Case, row: Row, tally: Tally, verdict: Verdict) -> None:
    # Whoever linked the person otherwise before may have known better, and written it in an earlier run of this night.
    may_push = row.disposition == "must_push" or row.note == LINKED_LATE
    was_pushed = may_push and _same(row, case.now.get(row.key), row.desired)
    if was_pushed or row.key in case.settled:
        tally.earlier += 1
    elif _is_excused(case, row):
        tally.excused += 1
    else:
        tally.missed += 1
        note = f", {row.note}" if row.note else ""
        verdict.fail("missed", where(row.key), f"{row.drift_class}: {row.observed} -> {row.desired}{note}")


def _judge_answer(case: Case, planned: Planned, row: Row, verdict: Verdict) -> None:
    now = case.now.get(row.key)
    if planned.disposition != _ANSWER[row.disposition]:
        if planned.disposition == "hold" and _is_excused(case, row):
            return
        words = f"{planned.disposition}, is {row.disposition} ({row.drift_class}{', ' + row.note if row.note else ''})"
        verdict.fail("misjudged", where(row.key), words)
    elif row.disposition == "must_push":
        if planned.verification != "confirmed":
            words = f"outcome {planned.outcome or 'none'}, verification {planned.verification or 'none'}"
            verdict.fail("unproved", where(row.key), words)
        elif not _same(row, now, row.desired):
            verdict.fail("unproved", where(row.key), f"confirmed as {row.desired}, but is {now}")
        else:
            verdict.confirmed += 1
    elif planned.outcome not in ("", "skipped") or not _same(row, now, row.observed):
        verdict.fail("touched", where(row.key), f"{row.disposition}, was {row.observed}, is {now} ({planned.outcome})")


def _judge_unexpected(case: Case, planned: Planned, verdict: Verdict) -> None:
    how = case.gone.get((planned.system, planned.vendor_id))
    if how is not None:
        verdict.tally(planned.entity, planned.drift_class).false += 1
        words = f"the record is gone ({how}), and {planned.disposition} {planned.drift_class}: "
        verdict.fail("false", where(planned.key), f"{words}{planned.observed} -> {planned.desired}")
        return
    if planned.entity == "customers":
        if (planned.system, planned.vendor_id) in case.strangers:
            verdict.tally("customers", planned.drift_class).apart += 1
            return
        if folded(planned.observed) == folded(planned.desired):
            verdict.looks_only += 1
            return
    if planned.entity == "consents" and planned.drift_class == "lower" and planned.rule == _SAME_PERSON:
        verdict.other_addresses["unexpected"] += 1
        return
    verdict.tally(planned.entity, planned.drift_class).false += 1
    words = f"{planned.disposition} {planned.drift_class}: {planned.observed} -> {planned.desired}"
    verdict.fail("false", where(planned.key), words)


def _is_excused(case: Case, row: Row) -> bool:
    """Whether a system that was down keeps a pipeline from knowing, or from writing."""
    if not case.down:
        return False
    if row.entity in ("customers", "consents"):
        return True
    sources = {"square", "shopify"} if row.entity == "stock" else {row.system, row.authority}
    return bool(case.down & sources)


def _same(row: Row, left: str | None, right: str | None) -> bool:
    return folded(left) == folded(right) if row.entity == "customers" else left == right
