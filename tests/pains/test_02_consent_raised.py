"""Consent raised or reset by a sync or a resync.

mailchimp/mc-woocommerce#1264 (thousands subscribed again and mailed), #591 (archived contacts came back subscribed),
#606, #176, #185 (1 389 of 2 255 without opt-in), #688, #928, #1393; dotmailer/dotmailer-magento2-extension#565;
mettle/sendportal-core#165; klaviyo/klaviyo-api-php#31 (the other channels' consent lost); pentacent/keila#259.
"""

from datetime import timedelta

from pipelines.plan import build_plan
from pipelines.reconcile.consents import build_consents
from tests.plan.world import VirtualClock, consent, insert, plan_rows
from tests.reconcile.people import NIGHT, put_consent, start_night

ANNE = "anne@example.fr"
EARLY, LATE = NIGHT - timedelta(days=90), NIGHT - timedelta(days=10)


def wanted(con):
    """What each record is to say, by record."""
    build_consents(con)
    rows = con.execute("SELECT system, desired FROM reconcile.consent_drift WHERE drift_class = 'lower'").fetchall()
    return dict(rows)


def raised(con):
    """Classes of the rows that would raise somebody."""
    rows = con.execute("SELECT drift_class FROM reconcile.consent_drift WHERE drift_class LIKE 'raise%'").fetchall()
    return {row[0] for row in rows}


def test_a_younger_yes_that_nobody_can_prove_raises_nobody(people):
    put_consent(people, "mailchimp/1", ANNE, "no", said=EARLY)
    put_consent(people, "shopify/1", ANNE, "yes", said=LATE)
    assert wanted(people) == {"shopify": "no"}
    assert raised(people) == {"raise_without_proof"}


def test_a_resync_of_emptied_lists_brings_no_permission_back(people):
    put_consent(people, "mailchimp/1", ANNE, "no", said=EARLY)
    build_consents(people)
    start_night(people, 1)
    people.execute("DELETE FROM mailchimp.consents")
    put_consent(people, "shopify/1", ANNE, "yes", said=LATE)
    assert wanted(people) == {"shopify": "no"}, "the no outlives the record that said it"


def test_unknown_is_neither_yes_nor_no(people):
    put_consent(people, "hubspot/1", ANNE, "unknown")
    put_consent(people, "shopify/1", ANNE, "yes", said=EARLY)
    assert (wanted(people), raised(people)) == ({}, set())


def test_a_no_to_one_purpose_leaves_the_others(people):
    people.execute("INSERT INTO estate.audiences VALUES ('mailchimp', 'events', 'email', 'events')")
    put_consent(people, "mailchimp/1", ANNE, "no", said=LATE)
    put_consent(people, "mailchimp/1", ANNE, "yes", said=EARLY, audience="events")
    assert wanted(people) == {}


def test_no_policy_can_let_an_unproven_yes_through(world):
    world.execute("INSERT INTO policy.decisions VALUES ('consents', 'state', 'raise_without_proof', 'approve')")
    insert(world, "reconcile.consent_drift", [
        consent(observed="no", desired="yes", drift_class="raise_without_proof"),
    ])
    (row,) = plan_rows(world, build_plan(world, lane="suppression", clock=VirtualClock()))
    assert row["disposition"] == "refuse"
