"""Why is this value what it is: one query over stored provenance, for an item or a person.

Reads a ledger or its snapshot, attached as `ledger`; writes nothing and needs no other table. The caller masks.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

_QUERY = Path(__file__).parent / "why.sql"


@dataclass(frozen=True, slots=True)
class Statement:
    """One stored fact: `what` is said | decided | planned | approved | pushed | verified, in that order."""

    entity: str
    field: str
    sub: str
    """Price list, location, or channel:purpose; '' where the subject alone is the key."""
    system: str
    vendor_id: str
    what: str
    at: datetime | None
    value: str | None
    detail: str


def why(con: duckdb.DuckDBPyConnection, word: str, *, field: str = "", system: str = "") -> list[Statement]:
    """All statements about the item or person that `word` names (SKU, GTIN, vendor id, e-mail, our id); [] if none."""
    rows = con.execute(
        _QUERY.read_text(encoding="utf-8"), {"word": word, "field": field, "system": system}
    ).fetchall()
    return [Statement(*row) for row in rows]
