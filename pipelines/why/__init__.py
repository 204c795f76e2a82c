"""Why is this value what it is: one query over stored provenance, for an item or a person.

Reads a ledger's snapshot, attached as `ledger`; writes nothing and needs no other table. The caller masks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines.errors import DataError
from pipelines.quarantined import create_quarantined
from pipelines.tables import TABLES

_QUERY = Path(__file__).parent / "why.sql"
_YOUNGER = ("reconcile.prior_prices", "reconcile.assortment", "reconcile.movement_log", "reconcile.category_items")
"""Tables that the snapshot of an older version may lack."""
FIELDS: Mapping[str, Sequence[str]] = {
    "items": ("gtin", "assortment"),
    "prices": ("amount", "compare_at"),
    "stock": ("quantity", "on_hand", "available"),
    "customers": ("first_name", "last_name", "phone", "street", "city", "postcode", "loyalty_points"),
    "consents": ("state",),
}
"""What can be asked about; the three words for stock are one question, for each system holds another of them."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One stored fact."""

    entity: str
    field: str
    sub: str
    """Price list, location, or channel:purpose; '' where the subject alone is the key."""
    system: str
    vendor_id: str
    what: str
    """quarantined | said | agreed | moved | decided | planned | approved | pushed | verified, in that order."""
    at: datetime | None
    """When: read, agreed, moved, decided (the night's as-of), planned, approved, written, read back."""
    value: str | None
    """As the system or the plan has it: money in minor units of `currency`; "before → after" where planned."""
    currency: str | None
    detail: str


def why(con: duckdb.DuckDBPyConnection, word: str, *, field: str = "", system: str = "") -> list[Statement]:
    """All statements about the item or person that `word` names (SKU, GTIN, vendor id, e-mail, our id); [] if none.

    `field`: a field, an entity, or both ("amount", "prices", "prices.amount"). DataError, with the words that are
    allowed, where there is no such field or system.
    """
    entity, fields = _asked(field)
    known = [str(row[0]) for row in con.execute("SELECT system FROM ledger.estate.systems ORDER BY system").fetchall()]
    if system and system not in known:
        raise DataError(_unknown("system", system, known))
    create_quarantined(con)
    for name in _YOUNGER:
        _show_if_there(con, name)
    asked = {"word": word, "entity": entity, "fields": list(fields), "system": system}
    return [Statement(*row) for row in con.execute(_QUERY.read_text(encoding="utf-8"), asked).fetchall()]


def _show_if_there(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """A table of the snapshot for this connection alone; empty where the snapshot is of an older version without it."""
    schema, table = name.split(".")
    found = con.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = 'ledger' AND schema_name = ? AND table_name = ?",
        [schema, table],
    ).fetchone()
    if found:
        con.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS SELECT {', '.join(TABLES[name])} FROM ledger.{name}")
    else:
        columns = ", ".join(f"{column} {kind}" for column, kind in TABLES[name].items())
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({columns})")


def _asked(word: str) -> tuple[str, Sequence[str]]:
    entity, dot, field = word.partition(".")
    if not dot and word not in FIELDS:
        entity, field = next((e for e, fields in FIELDS.items() if word in fields), ""), word
    if not word or (entity in FIELDS and not field):
        return entity, ()
    if field not in FIELDS.get(entity, ()):
        raise DataError(_unknown("field", word, [*FIELDS, *(name for fields in FIELDS.values() for name in fields)]))
    return entity, FIELDS["stock"] if entity == "stock" else (field,)


def _unknown(kind: str, word: str, allowed: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, allowed, n=1, cutoff=0.6)
    meant = f'; did you mean "{near[0]}"?' if near else ""
    return f"there is no {kind} {word!r}{meant}; allowed: {', '.join(allowed)}"
