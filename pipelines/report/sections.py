"""The plan's rows as the page shows them: sections by where a row stands, groups by entity and decision, reasons once.

Within all of them the highest risk comes first, then the biggest change. Plain data; no HTML, no masking.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipelines.report.classes import in_order
from pipelines.report.commands import Command, answers, why
from pipelines.report.facts import NightFacts
from pipelines.report.verdict import is_dry_run

Row = dict[str, Any]
RISKS = ("high", "medium", "low")
ROWS_OPEN = 24
"""Groups of held rows are open until so many rows are seen; the rest is a click away."""
_ANSWERED = ("pin", "reject")
_LETTERS = ("n", "m", "p", "q")
_FIGURE = re.compile(r"(?<![\w.-])\d+(?![\w-])(?!\.\d)")
"""A whole number that is no part of a date, an id or a decimal."""


@dataclass(slots=True)
class Reason:
    """Rows of one class and one reason; reasons that differ in their figures alone are one, with letters for them."""

    drift_class: str
    rows: list[Row] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The reason, its figures as letters where the rows' figures differ."""
        if self._is_one:
            return str(self.rows[0]["reason"] or "")
        letters = iter(_LETTERS)
        return _FIGURE.sub(lambda found: next(letters, found[0]), self.rows[0]["reason"])

    def figures(self, row: Row) -> str:
        """What the letters are in one row."""
        if self._is_one:
            return ""
        return ", ".join(f"{a} = {b}" for a, b in zip(_LETTERS, _FIGURE.findall(row["reason"]), strict=False))

    @property
    def _is_one(self) -> bool:
        return len({row["reason"] for row in self.rows}) == 1


@dataclass(slots=True)
class Group:
    """Rows of one entity that were decided in the same words."""

    entity: str
    decision: str
    reasons: list[Reason]
    total: int
    is_open: bool = False

    @property
    def rows(self) -> list[Row]:
        """All of them, in the order of the page."""
        return [row for reason in self.reasons for row in reason.rows]

    @property
    def risk(self) -> str:
        """The highest risk in it."""
        return min((str(row["risk"]) for row in self.rows), key=RISKS.index)

    @property
    def biggest(self) -> Row:
        """The row with the biggest change among those of the highest risk."""
        return min(self.rows, key=_rank)

    @property
    def is_releasable(self) -> bool:
        """Whether an approval lifts the hold."""
        return any(row["is_releasable"] for row in self.rows)

    @property
    def why(self) -> str:
        """The command that tells all about the biggest."""
        return why(self.biggest)


@dataclass(frozen=True, slots=True)
class Section:
    """One heading of the page with its groups."""

    key: str
    title: str
    total: int
    groups: list[Group]
    commands: list[Command]

    @property
    def shown(self) -> int:
        """How many rows the page holds."""
        return sum(len(group.rows) for group in self.groups)


def sections(facts: NightFacts) -> list[Section]:
    """All that have rows, in the order of the page: what needs a person first, what is done last."""
    found: dict[str, list[Row]] = {}
    for row in facts.rows:
        found.setdefault(section_of(row), []).append(row)
    titles = _titles(facts)
    made = []
    for key, (title, total) in titles.items():
        rows = found.get(key, [])
        if not rows:
            continue
        groups = _groups(rows, is_held=key == "hold")
        first = next((row for group in groups for row in group.rows if row["is_releasable"]), None)
        lines = answers(first, facts.as_of.date()) if key == "hold" and first else []
        made.append(Section(key, title, max(total, len(rows)), groups, lines))
    return made


def section_of(row: Row) -> str:
    """Where a row is shown: a held row that a person has released since is among the approved."""
    if row["is_allowed"] or row["outcome"]:
        return "approve"
    return "answered" if row["disposition"] in _ANSWERED else str(row["disposition"])


def _titles(facts: NightFacts) -> dict[str, tuple[str, int]]:
    total = facts.total
    sent = sum(total(name) for name in ("confirmed", "unproved", "untaken"))
    if is_dry_run(facts):
        approved = "Approved by policy: would be written"
    elif not sent:
        approved = "Approved, not pushed"
    else:
        approved = "Approved and pushed" if not total("unpushed") else "Approved, and pushed in part"
    return {
        "hold": ("Held: waiting for a person", total("waiting")),
        "refuse": ("Refused by a guard", total("refused")),
        "not_writable": ("Cannot be written: a work list", total("not_writable")),
        "observe": ("Observed: would be changed if the system were live", total("observed")),
        "answered": ("Answered: pinned or rejected", total("answered")),
        "approve": (approved, sent + total("unpushed")),
    }


def _groups(rows: Iterable[Row], *, is_held: bool) -> list[Group]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["entity"], row["disposition_reason"] or ""), []).append(row)
    groups = [
        Group(entity, decision, _reasons(some), max(len(some), int(some[0]["alike_count"])))
        for (entity, decision), some in found.items()
    ]
    places = in_order({group.entity for group in groups})
    groups.sort(key=lambda g: (RISKS.index(g.risk), places.index(g.entity), -g.total, g.decision))
    seen = 0
    for group in groups:
        seen += len(group.rows)
        group.is_open = is_held and seen <= ROWS_OPEN
    return groups


def _reasons(rows: Iterable[Row]) -> list[Reason]:
    found: dict[tuple[str, str], Reason] = {}
    for row in sorted(rows, key=_rank):
        key = row["drift_class"], _FIGURE.sub("#", row["reason"] or "")
        found.setdefault(key, Reason(row["drift_class"])).rows.append(row)
    return list(found.values())


def _rank(row: Row) -> tuple[int, float, str, str]:
    return RISKS.index(row["risk"]), -(row["change_size"] or 0.0), row["system"], row["correction_key"]
