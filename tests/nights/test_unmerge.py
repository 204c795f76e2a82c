"""Two who were taken for one, over real nights: joined, written, parted by a person's word, given back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cli.unmerge import parted, undone
from sandbox.records import Customer
from tests.nights.harness import Night, PlayedEstate

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]
FIELDS = ("first_name", "last_name", "phone", "street", "city", "postcode")
RECORDS = "SELECT system, vendor_id FROM identity.persons WHERE person_id = ? ORDER BY ALL"
PERSON = "SELECT person_id FROM identity.persons WHERE system = ? AND vendor_id = ?"
TWO = """
WITH who AS (
  SELECT person_id, list(system ORDER BY system) AS systems,
    any_value(vendor_id) FILTER (system = 'square') AS square_id,
    any_value(vendor_id) FILTER (system = 'hubspot') AS hubspot_id
  FROM identity.persons GROUP BY person_id)
SELECT a.square_id, b.hubspot_id FROM who AS a, who AS b
WHERE list_has_all(a.systems, ['square', 'shopify']) AND NOT list_contains(a.systems, 'hubspot')
  AND len(a.systems) = len(list_distinct(a.systems)) AND b.systems = ['hubspot']
ORDER BY ALL
"""


def customers(played: PlayedEstate, system: str) -> dict[str, Customer]:
    return {one.key: one for one in played.vendors[system].observe_customers(played.store)}


def values(played: PlayedEstate, records: list[tuple[str, str]]) -> dict[tuple[str, str, str], str]:
    """What systems hold; of a phone its last nine digits, for it is written as E.164 however it was typed before."""
    held = {system: customers(played, system) for system, _ in records}
    found = {(s, key, name): getattr(held[s][key], name) for s, key in records for name in FIELDS}
    return {p: "".join(filter(str.isdigit, v))[-9:] if p[2] == "phone" else v for p, v in found.items()}


def ask(played: PlayedEstate, query: str, *bound: str) -> list[tuple[Any, ...]]:
    with played.copy() as con:
        return con.execute(query, list(bound)).fetchall()


def taken_for_one(played: PlayedEstate) -> tuple[str, str]:
    """Somebody types a customer's e-mail and first name into the contact of another; returns till and CRM record."""
    till, crm = customers(played, "square"), customers(played, "hubspot")
    one, other = next(
        (a, b) for a, b in ask(played, TWO)
        if till[a].email and till[a].phone and till[a].street and crm[b].phone and crm[b].street and not crm[b].card
        and not crm[b].birth_date and crm[b].last_name != till[a].last_name
    )
    wrong = replace(crm[other], email=till[one].email, first_name=till[one].first_name)
    played.vendors["hubspot"].put_customers(played.store, [wrong], played.store.now(), log=True)
    return one, other


def plans_of(night: Night, records: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [row for row in night.chosen(entity="customers") if (row["system"], row["vendor_id"]) in records]


def test_what_a_false_merge_wrote_is_given_back_and_the_two_are_never_joined_again(
    adopted: PlayedEstate, copy: Copy
) -> None:
    played = copy(adopted)
    one, other = taken_for_one(played)
    (mine,), (theirs,) = ask(played, PERSON, "square", one), ask(played, PERSON, "hubspot", other)
    records = [(str(s), str(key)) for s, key in ask(played, RECORDS, mine[0])]
    own = values(played, [*records, ("hubspot", other)])

    joined = played.night()
    assert len({*ask(played, PERSON, "square", one), *ask(played, PERSON, "hubspot", other)}) == 1, "taken for one"
    wrote = [row for row in plans_of(joined, records) if row["verification"] == "confirmed"]
    assert {row["system"] for row in wrote} >= {"square", "shopify"}
    assert values(played, [*records, ("hubspot", other)]) != own
    moved = next(row for row in wrote if row["system"] == "shopify" and row["field"] == "phone")
    edited = replace(customers(played, "shopify")[moved["vendor_id"]], phone="+33699999999")
    played.vendors["shopify"].put_customers(played.store, [edited], played.store.now(), log=True)

    asked = {"reason": "two customers", "author": "Ana"}
    shown = parted(played.settings, [f"hubspot:{other}"], **asked, yes=False)
    assert not list(played.settings.inbox.glob("*.json")), "shown, and no more"
    assert {(r["system"], r["vendor_id"], r["field"]) for r in shown["undone"]} == {place(row) for row in wrote}
    assert parted(played.settings, [f"hubspot:{other}"], **asked, yes=True)["is_dropped"]

    apart = played.night()
    assert ask(played, PERSON, "square", one) == [mine] and ask(played, PERSON, "hubspot", other) == [theirs]
    held = [row for row in plans_of(apart, records) if row["rule"] == "unmerge"]
    assert {place(row) for row in held} == {place(row) for row in wrote} - {place(moved)}
    assert {row["disposition"] for row in held} == {"hold"} and {row["outcome"] for row in held} == {None}
    assert ask(played, "SELECT field FROM reconcile.person_written WHERE state = 'changed'") == [("phone",)]
    assert not [row for row in plans_of(apart, [*records, ("hubspot", other)]) if row["disposition"] == "approve"]

    for row in held:
        played.answer(row, "approve")
    back = played.night()
    assert {row["verification"] for row in plans_of(back, records) if row["rule"] == "unmerge"} == {"confirmed"}
    now = values(played, [*records, ("hubspot", other)])
    different = {key for key in own if now[key] != own[key]}
    assert different == {place(moved)}, "all is as it was, but what somebody has changed since"

    later = played.night()
    assert later.new == [] and not [row for row in later.rows if row["rule"] == "unmerge"]
    assert ask(played, PERSON, "square", one) == [mine] and ask(played, PERSON, "hubspot", other) == [theirs]

    undone(played.settings, [f"hubspot:{other}"], reason="they are one", author="Ana", yes=True)
    played.night()
    assert len({*ask(played, PERSON, "square", one), *ask(played, PERSON, "hubspot", other)}) == 1, "taken back"


def place(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["system"], row["vendor_id"], row["field"]
