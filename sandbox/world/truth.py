"""What the next night must find: the rows of `truth/night_<n>.jsonl`, their reading and writing, and the world's rules.

A row says which drift stands in which system, its class, and what a right pipeline does with it. Rows that stand
since an earlier night are carried. How rows are worked out is `truth_prices`, `truth_stock`, `truth_customers`,
`truth_consents`; all of them start from what the vendors' APIs show now, never from what the pipeline says.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from sandbox.world.settings import CAP_FLOOR_ROWS, CAP_SHARE_PCT, MAX_CLASS_SHARE, WorldError

Disposition = Literal["must_push", "must_hold", "must_refuse", "must_quarantine", "not_writable"]

_BY_CLASS: dict[str, Disposition] = {
    "never_agreed": "must_hold",
    "here": "must_hold",
    "elsewhere": "must_push",
    "both": "must_hold",
    "rule": "must_push",
    "explained": "must_push",
    "unexplained": "must_hold",
    "lower": "must_push",
    "raise_with_proof": "not_writable",
    "raise_without_proof": "must_refuse",
    "bad_row": "must_quarantine",
}
"""What the sandbox's policy does with each class, guards and caps apart."""


def disposition_of(drift_class: str, night: int) -> Disposition:
    """What policy does with a class; only the night of adoption pushes what never agreed."""
    return "must_push" if night == 0 and drift_class == "never_agreed" else _BY_CLASS[drift_class]


@dataclass(frozen=True, slots=True)
class Row:
    """One value that the next night must deal with."""

    night: int
    system: str
    entity: str
    field: str
    vendor_id: str
    vendor_sub_id: str
    drift_class: str
    disposition: Disposition
    observed: str | None
    desired: str | None
    authority: str = ""
    """The system whose word decides; '' where it is no single one."""
    note: str = ""
    since: int = -1
    """The first night with this very row."""
    is_apart: bool = False
    """Hangs on who was recognised as one person; reported apart, never a failure."""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """Which value it is about."""
        return self.system, self.entity, self.field, self.vendor_id, self.vendor_sub_id

    def as_json(self) -> dict[str, Any]:
        """The row as it is written; `class` is its own word there."""
        return {"class" if name == "drift_class" else name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of_json(cls, row: Mapping[str, Any]) -> "Row":
        """The inverse of `as_json`."""
        return cls(**{"drift_class" if name == "class" else name: value for name, value in row.items()})


def truth_path(folder: Path, night: int) -> Path:
    """Where a night's truth lies."""
    return folder / "truth" / f"night_{night}.jsonl"


def write_truth(folder: Path, night: int, rows: Iterable[Row]) -> None:
    """Write a night's rows, in a fixed order."""
    path = truth_path(folder, night)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for row in sorted(rows, key=lambda r: (r.entity, r.system, r.field, r.vendor_id, r.vendor_sub_id)):
            file.write(json.dumps(row.as_json(), ensure_ascii=False) + "\n")


def read_truth(folder: Path, night: int) -> list[Row]:
    """A night's rows; WorldError where there are none."""
    path = truth_path(folder, night)
    if not path.exists():
        raise WorldError(f"{path}: there is no truth about night {night}")
    with path.open(encoding="utf-8") as file:
        return [Row.of_json(json.loads(line)) for line in file]


def carry(rows: Iterable[Row], earlier: Iterable[Row]) -> Iterator[Row]:
    """The rows with `since` taken from the last night's, where class, value and aim are the same."""
    since = {(row.key, row.drift_class, row.observed, row.desired): row.since for row in earlier}
    for row in rows:
        yield replace(row, since=since.get((row.key, row.drift_class, row.observed, row.desired), row.night))


def apply_caps(rows: Iterable[Row], populations: Mapping[tuple[str, str], int]) -> list[Row]:
    """Holds every row to be pushed of a (system, entity, field) that has more of them than the estate allows."""
    rows = list(rows)
    pushed = Counter((r.system, r.entity, r.field) for r in rows if _is_capped(r))
    over = {group for group, count in pushed.items() if count > allowed(group, populations)}
    return [
        replace(row, disposition="must_hold", note=f"{row.note}; cap".lstrip("; "))
        if _is_capped(row) and (row.system, row.entity, row.field) in over else row
        for row in rows
    ]


def allowed(group: tuple[str, str, str], populations: Mapping[tuple[str, str], int]) -> int:
    """How many rows of a (system, entity, field) policy may approve in one night."""
    system, entity, _ = group
    return max(CAP_FLOOR_ROWS, int(CAP_SHARE_PCT[entity] * populations.get((system, entity), 0) / 100))


def _is_capped(row: Row) -> bool:
    return row.disposition == "must_push" and row.entity in CAP_SHARE_PCT


def class_shares(rows: Iterable[Row]) -> dict[str, float]:
    """Share of each class among the rows that are new this night, largest first."""
    counts = Counter(row.drift_class for row in rows if row.since == row.night and not row.is_apart)
    total = sum(counts.values())
    return {name: count / total for name, count in counts.most_common()}


def check_shares(rows: Iterable[Row]) -> None:
    """WorldError where one class makes up most of a day's drift: a pipeline that knows that one alone would shine."""
    for name, share in class_shares(rows).items():
        if share > MAX_CLASS_SHARE:
            raise WorldError(f"{name} makes up {share:.0%} of the planted drift; at most {MAX_CLASS_SHARE:.0%} is fair")


def summary(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    """Counts by disposition and class, for people."""
    result: dict[str, dict[str, int]] = defaultdict(dict)
    for (disposition, name), count in sorted(Counter((r.disposition, r.drift_class) for r in rows).items()):
        result[disposition][name] = count
    return dict(result)
