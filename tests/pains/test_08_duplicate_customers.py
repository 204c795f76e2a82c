"""Duplicate customers, and the opposite, over-merging.

frappe/ecommerce_integrations#11; SalesforceCommerceCloud/b2c-crm-sync#247; Starktail/woocommerce_fusion#129;
PrestaShop/PrestaShop#10122; mailchimp/mc-magento#58. Over-merging: customeros/customeros#970 (a shared e-mail),
Repair-DeskPOS/RepairDesk-BUGS-IMPROVEMENTS#799 (the mother's phone), microsoft/BCApps#6459 (another person found).
"""

import pytest

from pipelines.reconcile.persons import reconcile_persons
from tests.reconcile.people import persons, put_customers, start_night, together
from tests.reconcile.test_unmerge import part

MOTHER = {"first_name": "Anne", "last_name": "Roux"}


def joined(con, *rows):
    put_customers(con, rows)
    reconcile_persons(con)
    return together(con)


def test_one_customer_written_in_two_ways_is_one(people):
    assert joined(
        people,
        {"key": "square/1", **MOTHER, "email": "Anne.Roux@Example.fr"},
        {"key": "shopify/1", "first_name": "ANNE", "last_name": "ROUX", "email": " anne.roux@example.fr"},
    ) == {frozenset({"square/1", "shopify/1"})}


@pytest.mark.parametrize("shared", [{"email": "famille@example.fr"}, {"phone": "0612345670"}], ids=["e-mail", "phone"])
def test_two_people_of_one_home_are_two_and_a_person_is_asked(people, shared):
    daughter = {"first_name": "Zoé", "last_name": "Roux"}
    assert joined(people, {"key": "square/1", **MOTHER, **shared}, {"key": "shopify/1", **daughter, **shared}) == set()


def test_nothing_blank_makes_two_customers_one(people):
    blank = {"email": " ", "phone": "", "first_name": "n/a"}
    assert joined(people, {"key": "square/1", **blank}, {"key": "shopify/1", **blank}) == set()


def test_whom_a_person_has_parted_nothing_joins_again(people):
    """`trueup unmerge`, of a mother and a daughter who share even their name: for ever, and by whatever key."""
    shared = {**MOTHER, "email": "famille@example.fr", "phone": "0612345670"}
    both = {"key": "square/1", **shared}, {"key": "shopify/1", **shared}
    assert joined(people, *both) == {frozenset({"square/1", "shopify/1"})}
    part(people, "shopify:1", day=0)
    found = []
    for number in (1, 400):
        start_night(people, number)
        people.execute("UPDATE shopify.customers SET card = 'FID0001'")
        people.execute("UPDATE square.customers SET card = 'FID0001'")
        reconcile_persons(people)
        assert together(people) == set(), "by no key, and on no night"
        assert people.execute("SELECT count(*) FROM reconcile.person_reviews").fetchall() == [(0,)], "nor asked again"
        found.append(persons(people))
    assert found[0] == found[1], "each keeps the id that it was given"
