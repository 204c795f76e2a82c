"""The invariants, judged by the systems' own write log and the world's truth; none of trueup's tables is looked at.

Each check takes what happened and yields what is wrong. A place is one value of one system: (vendor, kind, key, field).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.world.truth import Row
from tests.nights.effects import is_desired, value_of
from tests.simulation.network import Call
from tests.simulation.run import Run

Effect = Mapping[str, Any]
Place = tuple[str, str, str, str]
_YES = frozenset({"yes", "subscribed", "SUBSCRIBED"})
_COMPARED = {("square", "prices"), ("square", "items"), ("square", "customers"), ("shopify", "stock")}
"""What is written by compare-and-set (the write-safety ladder's first rung)."""


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that was broken."""

    kind: str
    where: str
    words: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.words}"


def place(effect: Effect) -> Place:
    """The value that an effect changed."""
    return str(effect["vendor"]), str(effect["kind"]), str(effect["key"]), str(effect["field"])


def _where(effect: Effect) -> str:
    return " ".join(place(effect))


def _change(effect: Effect) -> str:
    return f"{effect['before']} -> {effect['after']} (log {effect['seq']}, {effect['operation']})"


def raised(run: Run) -> Iterator[Violation]:
    """No permission becomes yes by a write of ours: what is proven is raised by people."""
    for effect in run.written:
        is_state = effect["kind"] == "consents" or effect["field"] == "status"
        if is_state and effect["after"] in _YES and effect["before"] not in _YES:
            yield Violation("consent raised", _where(effect), _change(effect))


def doubled(run: Run) -> Iterator[Violation]:
    """A run changes a value once, unless somebody else changes it in between; and it makes no record twice."""
    ours: dict[Place, Effect] = {}
    for effect in run.effects:
        at = place(effect)
        if effect["origin"] != "api":
            for key in [key for key in ours if key[:3] == at[:3]]:
                del ours[key]
        elif at in ours:
            yield Violation("doubled effect", _where(effect), f"{_change(ours[at])}, then {_change(effect)}")
        else:
            ours[at] = effect


def overwritten(run: Run) -> Iterator[Violation]:
    """Nobody's newer value is lost: never where the vendor compares, else only between the last look and the write."""
    theirs: dict[Place, Effect] = {}
    planned_on: dict[Place, Any] = {}
    for effect in run.effects:
        at = place(effect)
        if effect["origin"] != "api":
            theirs[at] = effect
            if effect["seq"] > run.read_until:
                planned_on.setdefault(at, effect["before"])
            continue
        newer = theirs.get(at)
        if newer is not None and newer["after"] == planned_on.get(at, newer):
            continue  # changed and changed back: it is the value that was planned on, and nothing tells it from that
        if newer is None or newer["seq"] <= run.read_until or effect["before"] != newer["after"]:
            continue
        if at[0] == "shopify" and at[1] == "stock" and at[3] != "available":
            continue  # on hand follows what is available
        if at[:2] in _COMPARED:
            yield Violation("newer value overwritten", _where(effect), f"{_change(newer)}, then {_change(effect)}")
        elif at[1] != "consents" and _was_seen(run.calls, effect, newer):
            yield Violation("seen value overwritten", _where(effect), f"{_change(newer)}, then {_change(effect)}")


def _was_seen(calls: Iterable[Call], effect: Effect, newer: Effect) -> bool:
    """Whether the run had looked at the record between the newer value and its own write."""
    record = str(effect["key"]).partition("|")[0].rsplit("/", 1)[-1]
    seen = False
    for call in calls:
        if call.effects[0] < effect["seq"] <= call.effects[1]:
            return seen
        is_true = call.effects[1] >= newer["seq"] and "late" not in call.fault and not call.is_write
        if call.system == effect["vendor"] and is_true and "lost" not in call.fault:
            seen = seen or record in call.path or record.encode() in call.body
    return False


def unwanted(run: Run) -> Iterator[Violation]:
    """What is written is what the truth of that night wants there; what somebody touched meanwhile is left out."""
    wanted = {row.key: row for row in run.truth}
    touched = {place(effect)[:3] for effect in run.effects if effect["origin"] != "api"}
    for effect in run.written:
        if effect["kind"] not in ("prices", "products", "stock") or place(effect)[:3] in touched:
            continue
        if str(effect["key"]).partition("|")[0] in run.spoilt:
            continue
        row = wanted.get(value_of(effect))  # type: ignore[arg-type]
        if row is None:
            yield Violation("unwanted write", _where(effect), _change(effect))
        elif row.disposition != "must_push":
            words = f"{_change(effect)}; {row.disposition}, {row.drift_class} {row.note}".strip()
            yield Violation("held value touched", _where(effect), words)
        elif not is_desired(dict(effect), row.as_json() | {"currency": _currency(row)}):
            yield Violation("wrong value", _where(effect), f"{_change(effect)}; ought to be {row.desired}")


def zombie(run: Run) -> Iterator[Violation]:
    """A run whose place another has taken writes nothing when it wakes up."""
    for call in run.calls:
        if run.taken_over_at and call.number > run.taken_over_at and call.is_write:
            words = f"call {call.number} to {call.system} {call.path} after it was taken over in {run.taken_over_at}"
            yield Violation("written by a zombie", f"run {run.number}", words)


def reused(run: Run, since: Mapping[str, int]) -> Iterator[Violation]:
    """An id that is another thing's, from a run's number on, gets nothing that was meant for the first."""
    for effect in run.written:
        if run.number >= since.get(str(effect["key"]).partition("|")[0], run.number + 1):
            yield Violation("written to a re-used id", _where(effect), _change(effect))


def _currency(row: Row) -> str:
    return "JPY" if row.vendor_sub_id.endswith(("PriceList/2", "price_jpy")) else "EUR"


def over_caps(run: Run, caps: Mapping[str, tuple[float, int]], populations: Mapping[tuple[str, str], int]) -> Iterator[
    Violation
]:
    """No run writes more rows of a field in a system than the estate allows; opt-outs are right however many."""
    rows: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for effect in run.written:
        if effect["kind"] == "consents" or any(low < effect["seq"] <= high for low, high in run.lanes):
            continue
        try:
            system, entity, name, vendor_id, sub_id = value_of(effect)  # type: ignore[misc]
        except AssertionError:
            continue
        rows[system, entity, name].add(f"{vendor_id}|{sub_id}")
    for (system, entity, name), members in sorted(rows.items()):
        if entity not in caps:
            continue
        share, floor = caps[entity]
        most = max(floor, int(share * populations.get((system, entity), 0) / 100))
        if len(members) > most:
            yield Violation("cap broken", f"{system} {entity}.{name}", f"{len(members)} rows, at most {most}")


def lost(rows: Iterable[Row], now: Mapping[Any, str | None]) -> Iterator[Violation]:
    """What had to be pushed is there, once all is quiet."""
    for row in rows:
        if row.disposition == "must_push" and not row.is_apart and now.get(row.key) != row.desired:
            words = f"{row.drift_class}: is {now.get(row.key)}, ought to be {row.desired}"
            yield Violation("lost correction", " ".join(row.key), words)


def converged(quiet: list[Run]) -> Iterator[Violation]:
    """After some quiet nights nothing is new and nothing is written."""
    last = quiet[-1]
    if last.new or last.written:
        words = f"{last.new} new, {len(last.written)} effects in quiet night {len(quiet)}"
        yield Violation("no convergence", f"run {last.number}", words)
    for run in quiet:
        if run.status != "complete":
            yield Violation("no convergence", f"run {run.number}", f"a quiet night ended {run.status}: {run.error}")


def of_a_run(run: Run) -> Iterator[Violation]:
    """All that one run alone can break."""
    yield from raised(run)
    yield from doubled(run)
    yield from overwritten(run)
    yield from unwanted(run)
    yield from zombie(run)
