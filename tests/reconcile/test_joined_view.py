"""One row a person: what stands about permissions is that of the person's own addresses, and of nobody else's."""

from datetime import timedelta

import pytest

from pipelines.reconcile.consents import build_consents
from pipelines.reconcile.models import build_models
from pipelines.reconcile.persons import reconcile_persons
from tests.reconcile.people import NIGHT, persons, put_consent, put_customers, start_night

A, B, C = "anne@example.fr", "anne.roux@work.example", "paul@example.fr"
EARLY, LATE = NIGHT - timedelta(days=90), NIGHT - timedelta(days=10)


@pytest.fixture
def night(con):
    start_night(con)
    return con


def test_a_person_has_the_permissions_of_all_their_addresses_and_the_last_word_as_contact(night):
    anne = {"first_name": "Anne", "last_name": "Roux", "card": "FID-0001"}
    put_customers(night, [
        {"key": "square/1", **anne, "email": A}, {"key": "hubspot/1", **anne, "email": B},
        {"key": "shopify/2", "first_name": "Paul", "last_name": "Faure", "email": C},
    ])
    put_consent(night, "square/1", A, "no", said=EARLY)
    put_consent(night, "hubspot/1", B, "yes", said=LATE, is_proven=True)
    build_consents(night)
    reconcile_persons(night)
    build_models(night, "golden.customer_360")
    night.execute("SELECT person_id, records, orders, last_contact_at, consents FROM golden.customer_360")
    found = {person: rest for person, *rest in night.fetchall()}
    of = persons(night)
    records, orders, last_contact, consents = found[of["square/1"]]
    assert (records, orders, last_contact) == (2, 0, LATE)
    assert sorted(consent["state"] for consent in consents) == ["no", "yes"]
    assert {(consent["channel"], consent["purpose"]) for consent in consents} == {("email", "news")}
    assert found[of["shopify/2"]] == [1, 0, None, None]


def test_a_no_that_we_wrote_is_no_word_of_the_person(night):
    put_customers(night, [{"key": "square/1", "first_name": "Anne", "last_name": "Roux", "email": A}])
    put_consent(night, "square/1", A, "yes", said=EARLY)
    build_consents(night)
    night.execute(
        "INSERT INTO ledger.identity.consent_events BY NAME SELECT e.* REPLACE ('no' AS state, 'ours' AS proof, "
        "? AS changed_at) FROM ledger.identity.consent_events AS e", [LATE])
    reconcile_persons(night)
    build_models(night, "golden.customer_360")
    assert night.execute("SELECT last_contact_at FROM golden.customer_360").fetchall() == [(EARLY,)]
