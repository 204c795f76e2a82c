"""An error in a first name and a relative look alike in one pair; all records together tell them apart."""

from typing import Any

import pytest

from pipelines.reconcile.persons import reconcile_persons
from tests.reconcile.people import put_customers, start_night, together

PERSONS = 400
ERRORS = 15
SYLLABLES = [c + v for c in "bdfgklmnprstv" for v in ("a", "e", "i", "o", "u")]


def name(number: int, parts: int) -> str:
    steps = [(number * 7 + part * (number // 9 + 11)) % len(SYLLABLES) for part in range(parts)]
    return "".join(SYLLABLES[step] for step in steps).title()


def person(number: int, **other: Any) -> dict[str, Any]:
    return {
        "first_name": name(number, 2), "last_name": name(number + 500, 4),
        "street": f"{number} rue {name(number + 60, 3)}",
        "postcode": f"{10000 + 331 * number}", "city": name(number + 90, 3),
        "birth_date": f"{1940 + number % 60}-{1 + number % 12:02}-{1 + number % 28:02}",
    } | other


def world(partners: int = PERSONS) -> list[dict[str, Any]]:
    """Persons with a record in the till and, `partners` of them, one in the CRM; some first names differ there."""
    wrong = {n: {"first_name": name(n + 40, 2)} for n in range(ERRORS)}
    return [{"key": f"square/{n}", **person(n)} for n in range(PERSONS)] + [
        {"key": f"hubspot/{n}", **person(n, **wrong.get(n, {}))} for n in range(partners)
    ]


@pytest.fixture
def night(con):
    start_night(con)
    return con


def test_where_nearly_all_have_a_partner_and_none_a_relative_another_first_name_is_an_error(night):
    put_customers(night, world())
    reconcile_persons(night)
    found = together(night)
    assert {frozenset({f"square/{n}", f"hubspot/{n}"}) for n in range(ERRORS)} <= found
    rules = dict(night.execute(
        "SELECT vendor_id, rule FROM reconcile.person_matches WHERE system = 'square'"
    ).fetchall())
    assert {rules[str(n)] for n in range(ERRORS)} == {"elimination"}
    assert rules[str(ERRORS)] == "splink"


def test_where_twins_live_and_many_stand_alone_another_first_name_is_put_before_a_person(night):
    twins = [
        {"key": f"{system}/t{n}", **person(n, first_name=name(n + 77, 2))}
        for n in range(ERRORS, 5 * ERRORS) for system in ("square", "hubspot")
    ]
    put_customers(night, [*world(partners=260), *twins])
    reconcile_persons(night)
    found = together(night)
    assert not any({f"square/{n}", f"square/t{n}"} <= who for who in found for n in range(ERRORS, 5 * ERRORS))
    assert {frozenset({f"square/{n}", f"hubspot/{n}"}) for n in range(ERRORS)}.isdisjoint(found)
    asked = night.execute("SELECT vendor_a, vendor_b FROM reconcile.person_reviews").fetchall()
    assert {(str(n), str(n)) for n in range(ERRORS)} <= set(asked)


def test_where_most_records_stand_alone_nobody_is_the_last_one_left(night):
    put_customers(night, world(partners=80))
    reconcile_persons(night)
    assert {frozenset({f"square/{n}", f"hubspot/{n}"}) for n in range(ERRORS)}.isdisjoint(together(night))


def test_a_group_that_would_hold_two_cards_is_left_as_it_was(night):
    rows = world()
    for row in rows:
        if row["key"] in ("square/0", "hubspot/0"):
            row["card"] = f"FID-{row['key']}"
    put_customers(night, rows)
    reconcile_persons(night)
    found = together(night)
    assert frozenset({"square/0", "hubspot/0"}) not in found
    assert frozenset({"square/1", "hubspot/1"}) in found
