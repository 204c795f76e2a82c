"""A law of what we write ourselves: it is nobody's word. A night after our own writes answers as the night before them.

One system has a ban, which closes every audience of a record whatever it was written for; another keeps each audience
for itself; a third holds the same persons' other addresses. All is drawn from one seed.
"""

from random import Random

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.reconcile.consents import build_consents
from tests.conftest import open_warehouse
from tests.law import law

COUNT = 1_000
SYSTEMS = ("brevo", "hubspot", "shopify")
LISTS = {"6": "news", "7": "news", "12": "events"}
Said = list[tuple[str, str, str, str, str, bool]]
"""System, record, audience, contact point, state, and whether a no of it is a ban."""


@law(1, holds=COUNT, is_seeded=True)
@given(seed=st.integers(0, 2**32))
def test_nobodys_yes_falls_by_our_own_write(seed):
    con = open_warehouse()
    con.execute("INSERT INTO estate.night VALUES ('n1', 'maison', '2026-01-01', 'Europe/Paris', 'nightly')")
    audiences = [(system, key, LISTS[key]) for system in SYSTEMS for key in LISTS]
    con.executemany("INSERT INTO estate.audiences VALUES (?, ?, 'email', ?)", audiences)
    for system in SYSTEMS:
        con.execute("INSERT INTO estate.systems VALUES (?, 's', 'UTC')", [system])
        con.execute("INSERT INTO reads.verdicts VALUES (?, 'consents', TRUE, '')", [system])
        con.execute(
            "INSERT INTO ledger.identity.persons SELECT $1, concat($1, number), concat('person', number), 'email', "
            "NULL, TIMESTAMPTZ '2026-01-01', 'n0' FROM range($2) AS numbers(number)", [system, COUNT],
        )
    said = _said(Random(seed))
    before = _answers(con, said)
    written = con.execute(
        "INSERT INTO ledger.sync.corrections BY NAME SELECT 'p' AS plan_id, "
        "concat(system, vendor_id, vendor_sub_id, subject_sub_id) AS correction_key, 'e' AS estate, * EXCLUDE "
        "(desired_until), 'low' AS risk, 'approve' AS disposition, '' AS disposition_reason, TRUE AS is_releasable, "
        "TRUE AS is_new FROM reconcile.consent_drift WHERE desired = 'no' RETURNING system, vendor_id, vendor_sub_id"
    ).fetchall()
    con.execute(
        "INSERT INTO ledger.sync.outcomes BY NAME SELECT plan_id, correction_key, 'applied' AS status, '' AS code, "
        "'' AS message, '' AS request_id, TIMESTAMPTZ '2026-01-01 01:00' AS \"at\" FROM ledger.sync.corrections"
    )
    con.execute("UPDATE estate.night SET night_id = 'n2', as_of = '2026-01-02'")
    banned = {key for system, key, _ in written if system == "brevo"}
    lowered = set(written)
    after = _answers(con, [
        (system, key, audience, point, "no" if key in banned or (system, key, audience) in lowered else state, bans)
        for system, key, audience, point, state, bans in said
    ])
    con.close()
    assert banned and len(lowered) > len(banned), "no night without something to write"
    assert after == before


def _said(dice: Random) -> Said:
    said: Said = []
    for number in range(COUNT):
        is_banned = dice.random() < 0.1
        for audience in LISTS:
            state = "no" if is_banned else dice.choice(["yes", "yes", "unknown"])
            said.append(("brevo", f"brevo{number}", audience, f"point{number}", state, True))
            state = dice.choice(["yes", "yes", "yes", "no", "unknown"])
            said.append(("hubspot", f"hubspot{number}", audience, f"point{number}", state, False))
            state = dice.choice(["yes", "yes", "yes", "no", "unknown"])
            said.append(("shopify", f"shopify{number}", audience, f"other{number}", state, False))
    return said


def _answers(con: duckdb.DuckDBPyConnection, said: Said) -> list[tuple[str, str, str]]:
    """What holds for each address and purpose, once the systems say this."""
    names = ("system", "vendor_id", "vendor_audience_id", "contact_point", "state", "bans")
    con.register("said", pa.Table.from_pylist([dict(zip(names, one, strict=True)) for one in said]))
    for system in SYSTEMS:
        con.execute(f"DELETE FROM {system}.consents")
        con.execute(
            f"INSERT INTO {system}.consents BY NAME SELECT vendor_id, vendor_audience_id, 'email' AS channel, "
            "contact_point, state, 'said' AS vendor_state, json_object('bans', bans) AS write_context "
            f"FROM said WHERE system = '{system}'"
        )
    con.unregister("said")
    build_consents(con)
    return con.execute("SELECT contact_point, purpose, state FROM golden.consents ORDER BY ALL").fetchall()
