"""The macros of `identifiers.sql`, defined in a connection. Nothing here needs sqlglot: asking loads them too."""

from hashlib import blake2b
from pathlib import Path

import duckdb

MACROS = Path(__file__).parent / "identifiers.sql"


def load_macros(con: duckdb.DuckDBPyConnection, *, contact_key: bytes) -> None:
    """Define the macros of identifiers.sql and hand over the key of contact points."""
    load_key(con, contact_key)
    con.execute(f"BEGIN; {MACROS.read_text(encoding='utf-8')} COMMIT;")  # each by itself takes twice the time


def load_key(con: duckdb.DuckDBPyConnection, contact_key: bytes) -> None:
    """Hand over the key of contact points (HMAC pads): a connection's own, never in a file."""
    key = contact_key if len(contact_key) <= 64 else blake2b(contact_key, digest_size=32).digest()
    padded = key.ljust(64, b"\0")
    con.execute("SET VARIABLE contact_ipad = ?::BLOB", [bytes(b ^ 0x36 for b in padded)])
    con.execute("SET VARIABLE contact_opad = ?::BLOB", [bytes(b ^ 0x5C for b in padded)])
