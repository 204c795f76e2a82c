"""`trueup restore`: the ledger made anew out of its back-up, in the place of one that is lost, broken or older (R18).

Takes the writing lease; what lay there before is kept beside it. A ledger that is as young as the back-up stays.
"""

import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import duckdb

from pipelines.clock import Clock
from pipelines.duck import connect
from pipelines.errors import ConfigurationError, LeaseHeld
from pipelines.ledger import migrate
from pipelines.ledger.generation import FILE, age_fault, of_ledger
from pipelines.ledger.lease import acquire
from pipelines.ledger.restore import restore_ledger
from pipelines.macros import load_macros
from resources.settings import PRIVATE_MASK, Settings

BEFORE = ".before"
"""What is put behind the name of a ledger that was replaced."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What is in the place of the ledger now."""

    row_count: int
    generation: int
    kept_as: Path | None
    """The ledger that lay there before; None where there was none."""
    fault: str
    """Why the back-up is not the youngest either; '' where it is."""


def restore(settings: Settings, *, clock: Clock) -> Restored:
    """Put the back-up in the ledger's place. ConfigurationError where there is none, or nothing older is replaced."""
    os.umask(PRIVATE_MASK)
    target = settings.warehouse / "ledger.duckdb"
    draft = target.with_name(f"{target.name}.draft")
    with acquire(settings.warehouse / "lease.json", holder="trueup restore", clock=clock):
        for leftover in (draft, _log(draft)):
            leftover.unlink(missing_ok=True)
        with connect() as con:
            con.execute("ATTACH ? AS ledger", [str(draft)])
            con.execute("SET TimeZone = 'UTC'")
            load_macros(con, contact_key=settings.contact_key)
            row_count = restore_ledger(con, settings.export)
            migrate(con)
            generation, fault = of_ledger(con), age_fault(con, settings.warehouse / FILE)
            con.execute("DETACH ledger")
        here = _generation_at(target)
        if here is not None and here >= generation:
            draft.unlink()
            words = f"the ledger here has generation {here}, the back-up in {settings.export} {generation}"
            raise ConfigurationError(f"{words}: it is no older, and nothing is restored")
        kept = _free(target) if target.exists() else None
        for path in (target, _log(target)):  # a log without its file would be replayed into the new one
            if path.exists():
                path.replace(_free(path))
        draft.replace(target)
    return Restored(row_count, generation, kept, fault)


def _generation_at(path: Path) -> int | None:
    """How far the ledger here has come; None where there is none, or it cannot be read."""
    if not path.exists():
        return None
    try:
        with connect() as con:
            con.execute("ATTACH ? AS ledger", [str(path)])
            return of_ledger(con)
    except duckdb.CatalogException:
        return 0  # of a version that did not count yet
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise LeaseHeld("another process has the warehouse open; wait for its run to end") from error
        return None
    except duckdb.Error:
        return None


def _free(path: Path) -> Path:
    """Where a file is kept that is replaced: nothing that was kept before is lost."""
    names = (path.with_name(f"{path.name}{BEFORE}{number or ''}") for number in count())
    return next(name for name in names if not name.exists())


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")
