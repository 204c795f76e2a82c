"""Whether this ledger is the youngest that this home has had (R18): a number in it, and in a file beside it.

The number grows as a run begins, before it sends and as it ends: first in the ledger, then in the file, so that no
death in between leaves a good ledger behind its file. A ledger below the file was lost, or is an older copy: it does
not know what was written, rejected or disarmed since, and it never grows by itself. The file lies beside the lease
and holds nothing but the number; of a whole folder that was put back this tells nothing.
"""

import os
from pathlib import Path

import duckdb
import msgspec

from pipelines.clock import Clock
from pipelines.errors import ConfigurationError, NotDurable

FILE = "generation.json"
CURE = (
    "Put the youngest ledger.duckdb back, or `trueup restore` the back-up; where there is no younger one, "
    "`trueup adopt` takes it as it is"
)


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    generation: int


def of_ledger(con: duckdb.DuckDBPyConnection) -> int:
    """The attached ledger's number; 0 where it was never written on."""
    row = con.execute("SELECT max(g.generation) FROM ledger.sync.generations AS g").fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def of_file(path: Path) -> int:
    """The file's number; 0 where there is none. ConfigurationError where it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept).generation
    except FileNotFoundError:
        return 0
    except msgspec.DecodeError as error:
        words = f"{path} does not say which generation the ledger has, so nobody knows whether it is the youngest"
        raise ConfigurationError(f"{words}; look at it, and write {{\"generation\": N}} with the N you know") from error


def age_fault(con: duckdb.DuckDBPyConnection, path: Path) -> str:
    """Why the attached ledger is not the youngest, in a sentence with the cure; '' where it is."""
    here, known = of_ledger(con), of_file(path)
    if here >= known:
        return ""
    what = f"it has generation {here}, {path.name} says {known}" if here else f"it is empty, {path.name} says {known}"
    return f"the ledger is older than what was written from here ({what}): lost, or an older copy put back. {CURE}"


def grow(con: duckdb.DuckDBPyConnection, path: Path, *, reason: str, clock: Clock) -> int:
    """One more than either has: in the ledger, durably, and then in the file; returns it.

    NotDurable, naming the file, where that cannot be written (R19).
    """
    number = max(of_ledger(con), of_file(path)) + 1
    con.execute("INSERT INTO ledger.sync.generations VALUES (?, ?, ?)", [number, clock.now(), reason])
    try:
        _keep(path, number)
    except OSError as error:
        words = f"{error.filename or path} cannot be written: {error.strerror}; mend it and run again"
        raise NotDurable(words) from error
    return number


def _keep(path: Path, number: int) -> None:
    draft = path.with_name(f"{path.name}.draft")
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(_Kept(number)))
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o600)
    draft.replace(path)
