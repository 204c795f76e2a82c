"""What checks there are: read from the `.sql` files' headers and `expectations.toml`. Runs nothing.

    -- check: what must hold, in a sentence
    -- table: golden.prices
    -- severity: blocking | warning
    SELECT system, entity, ...    the offending rows; a NULL system means all systems
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.configuration import read_file
from pipelines.errors import ConfigurationError
from pipelines.sql import ROOT, model_of

FOLDER = ROOT / "check"
SUITES = FOLDER / "expectations.toml"


@dataclass(frozen=True, slots=True)
class Declared:
    """One check."""

    name: str
    table: str
    description: str
    is_blocking: bool
    sql: str = ""
    """The offending rows; '' for an expectation."""
    expectation: str = ""
    arguments: tuple[tuple[str, object], ...] = ()
    entity: str = ""
    """What an expectation covers, in all systems."""
    is_personal: bool = False

    @property
    def suite(self) -> str:
        """Where it is declared."""
        return "sql" if self.sql else "great_expectations"


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
    return Declared(path.stem, head["table"], head["check"], _is_blocking(head["severity"], path.name), sql=text)


def _of_suites(path: Path) -> list[Declared]:
    found = []
    for table, checks in read_file(path).content.items():
        for name, told in checks.items():
            told = dict(told)
            missing = [key for key in ("description", "expectation", "severity") if key not in told]
            if missing:
                raise ConfigurationError(f"{path.name}: {table}.{name}: {', '.join(missing)} is missing")
            found.append(
                Declared(
                    name=name, table=table, description=told.pop("description"),
                    is_blocking=_is_blocking(told.pop("severity"), path.name), expectation=told.pop("expectation"),
                    entity=told.pop("entity", ""), is_personal=told.pop("is_personal", False),
                    arguments=tuple(sorted(told.items())),
                )
            )
    return found


def _is_blocking(word: str, origin: str) -> bool:
    if word not in ("blocking", "warning"):
        raise ConfigurationError(f"{origin}: severity is {word!r}; allowed: blocking, warning")
    return word == "blocking"
