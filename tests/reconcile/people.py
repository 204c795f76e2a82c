"""Customer records and permissions of four systems, laid into the stage's tables by hand."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

SYSTEMS = ("hubspot", "square", "shopify", "mailchimp")
"""In the order of the policy."""
FIELDS = ("first_name", "last_name", "phone", "street", "city", "postcode")
NIGHT = datetime(2026, 6, 15, tzinfo=UTC)


def start_night(con: duckdb.DuckDBPyConnection, number: int = 0) -> None:
    """Night `number` of an estate of four systems, all read whole."""
    con.execute("DELETE FROM estate.night")
    con.execute(
        "INSERT INTO estate.night VALUES (?, 'maison', ?, 'Europe/Paris', 'nightly')",
        [f"n{number}", NIGHT + timedelta(days=number)],
    )
    for table in ("estate.systems", "estate.audiences", "reads.verdicts", "policy.sources"):
        con.execute(f"DELETE FROM {table}")
    for rank, system in enumerate(SYSTEMS, start=1):
        con.execute("INSERT INTO estate.systems VALUES (?, 'shop', 'UTC')", [system])
        con.execute("INSERT INTO estate.audiences VALUES (?, 'news', 'email', 'news')", [system])
        for entity in ("customers", "consents"):
            con.execute("INSERT INTO reads.verdicts VALUES (?, ?, true, '')", [system, entity])
        for field in FIELDS:
            con.execute("INSERT INTO policy.sources VALUES ('customers', ?, ?, ?)", [field, system, rank])


def not_read(con: duckdb.DuckDBPyConnection, system: str) -> None:
    """The system gave nothing tonight: its tables are empty and nobody believes them."""
    con.execute("UPDATE reads.verdicts SET is_complete = false WHERE system = ?", [system])
    for entity in ("customers", "consents"):
        con.execute(f"DELETE FROM {system}.{entity}")


def put_customers(con: duckdb.DuckDBPyConnection, rows: Iterable[dict[str, Any]]) -> None:
    """Add records; `key` is "system/vendor id", the rest are columns. Norms are made as the stage makes them."""
    for row in rows:
        system, vendor_id = row["key"].split("/", 1)
        held = {name: value for name, value in row.items() if name != "key"}
        names, marks = ", ".join(["vendor_id", *held]), ", ".join("?" for _ in range(len(held) + 1))
        con.execute(f"INSERT INTO {system}.customers ({names}) VALUES ({marks})", [vendor_id, *held.values()])
        con.execute(
            f"UPDATE {system}.customers SET email_norm = norm_email(email), phone_e164 = norm_phone(phone, country) "
            "WHERE vendor_id = ?",
            [vendor_id],
        )


def put_consent(
    con: duckdb.DuckDBPyConnection, key: str, email: str, state: str, *, said: datetime | None = None,
    is_proven: bool = False, edited: datetime | None = None, audience: str = "news",
) -> None:
    """Replace what one record says of its address."""
    system, vendor_id = key.split("/", 1)
    con.execute(f"DELETE FROM {system}.consents WHERE vendor_id = ? AND vendor_audience_id = ?", [vendor_id, audience])
    con.execute(
        f"INSERT INTO {system}.consents (vendor_id, vendor_audience_id, channel, contact_point, state, vendor_state, "
        "changed_at, has_proof, email, updated_at, write_context) "
        "VALUES (?, ?, 'email', contact_point('email', norm_email(?)), ?, ?, ?, ?, ?, ?, '{}')",
        [vendor_id, audience, email, state, state, said, is_proven, email, edited],
    )


def persons(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Person id by record ("system/vendor id")."""
    rows = con.execute("SELECT system || '/' || vendor_id, person_id FROM reconcile.person_matches").fetchall()
    return dict(rows)


def together(con: duckdb.DuckDBPyConnection) -> set[frozenset[str]]:
    """The persons of more than one record, as sets of records."""
    found: dict[str, set[str]] = {}
    for record, person in persons(con).items():
        found.setdefault(person, set()).add(record)
    return {frozenset(records) for records in found.values() if len(records) > 1}
