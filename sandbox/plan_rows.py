"""A night's plan as the judge reads it: JSON lines of corrections, quarantined rows and recognised persons.

    {"system", "entity", "field", "vendor_id", "vendor_sub_id", "observed", "desired", "drift_class", "disposition",
     "outcome", "verification", "rule"}                          a correction of either lane
    {"kind": "quarantine", "system", "entity", "vendor_id", "field"}
    {"kind": "person", "system", "vendor_id", "person_id"}
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.world.settings import WorldError

Key = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Planned:
    """One correction, and what became of it."""

    system: str
    entity: str
    field: str
    vendor_id: str
    vendor_sub_id: str
    observed: str | None
    desired: str | None
    drift_class: str
    disposition: str
    outcome: str = ""
    verification: str = ""
    rule: str = ""

    @property
    def key(self) -> Key:
        """Which value it is about."""
        return self.system, self.entity, self.field, self.vendor_id, self.vendor_sub_id


@dataclass(slots=True)
class Plan:
    """All rows of one file."""

    corrections: dict[Key, Planned] = field(default_factory=dict)
    quarantine: set[tuple[str, str, str, str]] = field(default_factory=set)
    """(system, entity, vendor id, field)"""
    persons: dict[tuple[str, str], str] = field(default_factory=dict)
    """Our person by (system, vendor id)."""
    twice: list[Planned] = field(default_factory=list)
    """Corrections of a value that another one corrects too."""


def read_plan(path: Path) -> Plan:
    """Read a file; WorldError names the line that is none of the three kinds."""
    if not path.exists():
        raise WorldError(f"{path}: there is no such plan")
    with path.open(encoding="utf-8") as file:
        return plan_of((json.loads(line) for line in file if line.strip()), str(path))


def plan_of(rows: Iterable[Mapping[str, Any]], origin: str = "plan") -> Plan:
    """A plan from its rows."""
    plan = Plan()
    for number, row in enumerate(rows, start=1):
        try:
            _add(plan, row)
        except KeyError as error:
            raise WorldError(f"{origin} line {number}: {error} is missing") from error
    return plan


def _add(plan: Plan, row: Mapping[str, Any]) -> None:
    kind = row.get("kind", "correction")
    if kind == "person":
        plan.persons[row["system"], row["vendor_id"]] = str(row["person_id"])
    elif kind == "quarantine":
        plan.quarantine.add((row["system"], row["entity"], row["vendor_id"], row.get("field") or ""))
    else:
        planned = Planned(
            row["system"], row["entity"], row["field"], row["vendor_id"], row.get("vendor_sub_id") or "",
            row["observed"], row["desired"], row["drift_class"], row["disposition"],
            row.get("outcome") or row.get("outcome_status") or "",
            row.get("verification") or row.get("verification_status") or "", row.get("rule") or "",
        )
        if plan.corrections.setdefault(planned.key, planned) is not planned:
            plan.twice.append(planned)
