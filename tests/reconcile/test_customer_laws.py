"""Laws of survivorship over made-up persons, thousands in one estate; all from one seed.

Who is who is given (`reconcile.person_matches`): what is asked is which of a person's values is the golden one.
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.reconcile.drift import build_drift
from pipelines.reconcile.models import build_models
from pipelines.tables import fill_table
from tests.conftest import open_warehouse
from tests.law import law
from tests.reconcile.people import FIELDS, SYSTEMS, start_night
from tests.reconcile.shop import rows

COUNT = 2_500
SEEDS = st.integers(0, 2**32)
VALUES = {
    "first_name": ["Anne", "ANNE", "Léa", "Lea", " Zoé ", ""], "last_name": ["Roux", "roux", "Petit", "Le Goff"],
    "phone_e164": ["+33612345670", "+33698765432"], "street": ["12 rue de la Paix", "3 rue Foch"],
    "city": ["Lyon", "LYON", "Lille"], "postcode": ["69002", "59000"],
}
Record = dict[str, Any]


def records(seed: int) -> list[Record]:
    """Two to four records of each person, sometimes two in one system, with blanks and several spellings."""
    dice, made = Random(seed), []
    for person in range(COUNT):
        for _ in range(dice.randint(2, 4)):
            values = {name: dice.choice([None, *some]) for name, some in VALUES.items()}
            updated_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=dice.randint(0, 3))
            made.append({
                "system": dice.choice(SYSTEMS), "vendor_id": f"{len(made):06d}", "person_id": f"p{person}",
                "updated_at": dice.choice([None, updated_at]), **values,
            })
    return made


@pytest.fixture(scope="module")
def warehouse():
    con = open_warehouse()
    build_models(con, "reconcile.movement_log", "reconcile.outstanding")  # what drift of stock reads
    yield con
    con.close()


def golden(con: Any, made: list[Record], *, down: str = "") -> list[Record]:
    """Golden customers of a night; `down` gave nothing."""
    start_night(con)
    con.execute("UPDATE reads.verdicts SET is_complete = system <> ?", [down])
    read = [one for one in made if one["system"] != down]
    for system in SYSTEMS:
        own = [one for one in read if one["system"] == system]
        columns = {name: [one[name] for one in own] for name in ("vendor_id", "updated_at", *VALUES)}
        con.execute(f"DELETE FROM {system}.customers")
        if own:
            _append(con, f"{system}.customers", columns)
    con.execute("DELETE FROM reconcile.person_matches")
    _append(con, "reconcile.person_matches", {
        **{name: [one[name] for one in read] for name in ("system", "vendor_id", "person_id")},
        "is_auto": [True] * len(read),
    })
    return survivors(con)


def survivors(con: Any) -> list[Record]:
    build_models(con, "observed.customers", "golden.customers")
    return rows(con, "SELECT * FROM golden.customers ORDER BY person_id")


def _read(persons: list[Record]) -> list[list[str]]:
    """As drift reads them: a record that gains a street keeps its own spelling of the town."""
    return [[(one[name] or "").casefold() for name in FIELDS] for one in persons]


def _append(con: Any, table: str, columns: dict[str, list[Any]]) -> None:
    con.register("incoming", pa.table(columns))
    con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
    con.unregister("incoming")


@law(1, holds=COUNT, is_seeded=True)
@given(seed=SEEDS, down=st.sampled_from(SYSTEMS))
def test_the_laws_of_survivorship(warehouse, seed, down):
    made = records(seed)
    first = golden(warehouse, made)
    assert len(first) == COUNT

    held: dict[tuple[str, str, str], set[str]] = {}
    for one in rows(warehouse, "SELECT * FROM observed.customers"):
        for name in FIELDS:
            held.setdefault((one["person_id"], one["system"], name), set()).add(one[name])
    for person in first:
        for name in FIELDS:
            key = (person["person_id"], person[f"{name}_authority"], name)
            assert person[name] is None or person[name] in held[key], "no value is made up, and each has its owner"

    fill_table(warehouse, "policy.targets", [
        (system, "customers", name, "live", True, 0) for system in SYSTEMS for name in FIELDS
    ])
    build_drift(warehouse)
    wrong = rows(warehouse, "SELECT system, vendor_id, field, desired FROM reconcile.drift")
    assert wrong and all(row["desired"] for row in wrong), "a blank corrects nothing"
    desired = {(row["system"], row["vendor_id"], row["field"]): row["desired"] for row in wrong}
    pushed = [
        one | {
            name: desired.get((one["system"], one["vendor_id"], name.removesuffix("_e164")), one[name])
            for name in VALUES
        }
        for one in made
    ]
    assert _read(golden(warehouse, pushed)) == _read(first), "golden, written everywhere, is golden"
    build_drift(warehouse)
    assert rows(warehouse, "SELECT system, field FROM reconcile.drift") == []

    assert golden(warehouse, made[::-1]) == first, "the order of rows does not matter"

    whole = {one["person_id"]: one for one in first}
    for one in golden(warehouse, made, down=down):
        for name in FIELDS:
            assert one[name] in (None, whole[one["person_id"]][name]), "nobody stands in for a system that is down"
