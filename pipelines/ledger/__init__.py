"""The ledger: what cannot be rebuilt (`ledger.duckdb`, attached as `ledger`). DDL lives here, in numbered files.

`migrate` brings any older ledger up to date; nothing else in the product creates or alters a ledger table, and no DDL
runs in a night's writing path. Rows are appended; the few tables that move are named at the top of 001 and 002. Beside
this file: the audit's chain, the export, its way back and the read snapshot, the generation that tells an older copy,
the inbox of what people say, and the lease that keeps one writer at a time.
"""

from hashlib import sha256
from pathlib import Path

import duckdb

from pipelines.errors import ConfigurationError
from pipelines.ledger.audit import seal_older

_FOLDER = Path(__file__).parent
_CHAINED = "009_arming.sql"
"""From here on the audit is a chain: what was there before is its first links."""


def migrations() -> list[tuple[int, Path]]:
    """The numbered DDL files, in order."""
    return sorted((int(path.name.split("_")[0]), path) for path in _FOLDER.glob("[0-9]*_*.sql"))


def migrate(con: duckdb.DuckDBPyConnection, *, until: int | None = None) -> int:
    """Bring the attached `ledger` up to date, or no further than one version; returns its version.

    Each file runs once, in a transaction, then CHECKPOINT (DDL replayed from the log is what DuckDB's crash reports
    are about). ConfigurationError where the ledger is newer than this code or an applied file was changed since.
    """
    con.execute(
        "CREATE TABLE IF NOT EXISTS ledger.main.migrations "
        "(version INTEGER NOT NULL, name VARCHAR NOT NULL, digest VARCHAR NOT NULL)"
    )
    rows = con.execute("SELECT version, name, digest FROM ledger.main.migrations ORDER BY version").fetchall()
    applied = {int(version): (str(name), str(digest)) for version, name, digest in rows}
    known = [(number, path) for number, path in migrations() if until is None or number <= until]
    for version, (name, _) in applied.items():
        if version not in {number for number, _ in known}:
            raise ConfigurationError(f"the ledger has migration {name}, which this version of trueup does not know")
    changed = False
    for number, path in known:
        text = path.read_text(encoding="utf-8")
        digest = sha256(text.encode()).hexdigest()
        if number in applied:
            if applied[number][1] != digest:
                raise ConfigurationError(f"migration {path.name} was changed after it had run; add a new file instead")
            continue
        con.execute("BEGIN")
        try:
            con.execute(text)
            if path.name == _CHAINED:
                seal_older(con)
            con.execute("INSERT INTO ledger.main.migrations VALUES (?, ?, ?)", [number, path.name, digest])
            con.execute("COMMIT")
        except duckdb.Error:
            con.execute("ROLLBACK")
            raise
        changed = True
    if changed:
        con.execute("CHECKPOINT ledger")
    return max((number for number, _ in known), default=0)
