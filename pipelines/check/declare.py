"""What checks there are: read from the `.sql` files' headers and `expectations.toml`. Runs nothing.

    -- check: what must hold, in a sentence
    -- table: golden.prices
    -- severity: warning | blocking | fatal
    SELECT system, entity, ...    the offending rows; a NULL system means all systems

A check of `plan.decided` looks at the draft of a plan, before it is sealed; every other at tonight's tables.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from pipelines.configuration import read_file
from pipelines.errors import ConfigurationError
from pipelines.sql import ROOT, model_of

FOLDER = ROOT / "check"
SUITES = FOLDER / "expectations.toml"
DRAFT = "plan.decided"
"""The table that checks of the plan look at: its rows before they are sealed."""

Severity = Literal["warning", "blocking", "fatal"]


@dataclass(frozen=True, slots=True)
class Declared:
    """One check."""

    name: str
    table: str
    description: str
    severity: Severity
    sql: str = ""
    """The offending rows; '' for an expectation."""
    expectation: str = ""
    arguments: tuple[tuple[str, object], ...] = ()
    entity: str = ""
    """What an expectation covers, in all systems; '' for everything."""
    is_personal: bool = False

    @property
    def suite(self) -> str:
        """Where it is declared."""
        return "sql" if self.sql else "great_expectations"

    @property
    def is_blocking(self) -> bool:
        """Whether its failure stops a push."""
        return self.severity != "warning"

    @property
    def is_of_plan(self) -> bool:
        """Whether it looks at the draft of a plan rather than at the night's tables."""
        return self.table == DRAFT

    @property
    def stops(self) -> str:
        """What its failure stops, in words; the same every night."""
        if self.severity == "warning":
            return "nothing"
        if self.severity == "fatal":
            return "everything: the plan is not sealed, nothing of it is approved or pushed, and the run fails"
        if self.sql:
            return "the push of the systems and entities that its rows name"
        return f"the push of {self.entity or 'everything'} in all systems"


@cache
def declared_checks() -> tuple[Declared, ...]:
    """All checks, SQL first, by name. ConfigurationError for one without a header, or a name said twice."""
    found = [_of_sql(path) for path in sorted(FOLDER.glob("*.sql"))]
    if SUITES.exists():
        found += list(_of_suites(SUITES))
    names = [check.name for check in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(f"checks with the same name: {', '.join(twice)}")
    return tuple(found)


def _of_sql(path: Path) -> Declared:
    text = path.read_text(encoding="utf-8")
    model_of(f"check.{path.stem}", text, origin=f"pipelines/check/{path.name}")  # exactly one SELECT
    head = dict(
        line[2:].strip().split(": ", 1) for line in text.splitlines() if line.startswith("--") and ": " in line
    )
    for name in ("check", "table", "severity"):
        if name not in head:
            raise ConfigurationError(f"pipelines/check/{path.name}: the header has no `-- {name}:`")
    severity = _severity(head["severity"], head["table"], path.name)
    return Declared(path.stem, head["table"], head["check"], severity, sql=text)


def _of_suites(path: Path) -> Iterator[Declared]:
    for table, checks in read_file(path).content.items():
        for name, told in checks.items():
            told = dict(told)
            missing = [key for key in ("description", "expectation", "severity") if key not in told]
            if missing:
                raise ConfigurationError(f"{path.name}: {table}.{name}: {', '.join(missing)} is missing")
            severity = _severity(told.pop("severity"), table, path.name)
            yield Declared(
                name, table, told.pop("description"), severity, expectation=told.pop("expectation"),
                entity=told.pop("entity", ""), is_personal=told.pop("is_personal", False),
                arguments=tuple(sorted(told.items())),
            )


def _severity(word: str, table: str, origin: str) -> Severity:
    for known in get_args(Severity):
        if word == known and (known != "fatal" or table == DRAFT):
            return known  # type: ignore[no-any-return]
    allowed = ", ".join(get_args(Severity)) if table == DRAFT else "warning, blocking"
    raise ConfigurationError(f"{origin}: severity is {word!r}; allowed: {allowed}")
