"""Permissions over several nights: what is remembered, what is lowered or refused, and what is never concluded."""

import json
from datetime import timedelta

import pytest

from pipelines.reconcile.consents import build_consents
from pipelines.reconcile.persons import reconcile_persons
from tests.reconcile.people import NIGHT, not_read, put_consent, put_customers, start_night

A, B = "anne@example.fr", "anne.roux@work.example"
EARLY, LATE = NIGHT - timedelta(days=90), NIGHT - timedelta(days=10)


@pytest.fixture
def night(con):
    start_night(con)
    return con


def drift(con):
    """(record, observed, desired, class) of every consent row."""
    build_consents(con)
    return set(con.execute(
        "SELECT system || '/' || vendor_id, observed, desired, drift_class FROM reconcile.consent_drift").fetchall())


def golden(con, email):
    """State and rule of one address."""
    return con.execute(
        "SELECT state, rule FROM golden.consents WHERE contact_point = contact_point('email', norm_email(?))", [email]
    ).fetchall()


def written(con, record, at):
    """The correction of a record's permission that tonight's drift asks for has been applied."""
    system, vendor_id = record.split("/")
    con.execute(
        "INSERT INTO ledger.sync.corrections BY NAME SELECT d.*, 'p' AS plan_id, ? AS correction_key, "
        "'e' AS estate, 'low' AS risk, 'approve' AS disposition, '' AS disposition_reason, true AS is_new, "
        "false AS is_releasable FROM reconcile.consent_drift AS d WHERE d.system = ? AND d.vendor_id = ?",
        [record, system, vendor_id])
    con.execute(
        'INSERT INTO ledger.sync.outcomes (plan_id, correction_key, status, code, message, request_id, "at") '
        "VALUES ('p', ?, 'applied', '', '', '', ?)", [record, at])


def test_one_no_lowers_every_other_system_and_nothing_else(night):
    put_consent(night, "shopify/1", A, "no", said=LATE)
    put_consent(night, "mailchimp/1", " Anne@Example.FR", "yes", said=EARLY, is_proven=True)
    put_consent(night, "square/1", A, "pending")
    put_consent(night, "hubspot/1", A, "unknown")
    put_consent(night, "mailchimp/2", B, "yes", said=EARLY)
    assert drift(night) == {("mailchimp/1", "yes", "no", "lower"), ("square/1", "pending", "no", "lower")}
    rows = night.execute(
        "SELECT context, subject_sub_id FROM reconcile.consent_drift WHERE system = 'mailchimp'").fetchall()
    told = {"email": " Anne@Example.FR", "changed_at": LATE.strftime("%Y-%m-%dT%H:%M:%S.000Z")}
    assert [(json.loads(context), sub) for context, sub in rows] == [(told, "email:news")]


def test_a_yes_without_proof_never_beats_a_no_and_is_put_on_record(night):
    put_consent(night, "shopify/1", A, "no", said=EARLY)
    put_consent(night, "mailchimp/1", A, "yes", said=LATE)
    wanted = {("mailchimp/1", "yes", "no", "lower"), ("shopify/1", "no", "yes", "raise_without_proof")}
    assert drift(night) == wanted
    start_night(night, 1)
    put_consent(night, "mailchimp/1", A, "no", said=NIGHT)
    assert drift(night) == set()


def test_a_proven_opt_in_after_the_no_raises_once_everybody_was_heard(night):
    put_consent(night, "shopify/1", A, "no", said=EARLY)
    put_consent(night, "mailchimp/1", A, "yes", said=LATE, is_proven=True)
    assert drift(night) == {("shopify/1", "no", "yes", "raise_with_proof")}
    not_read(night, "hubspot")
    assert drift(night) == set()
    assert golden(night, A) == [("yes", "proven opt-in after withdrawal")]


def test_a_no_is_never_forgotten(night):
    put_consent(night, "shopify/1", A, "no", said=EARLY)
    put_consent(night, "mailchimp/1", A, "yes", said=EARLY)
    assert drift(night) == {("mailchimp/1", "yes", "no", "lower")}
    start_night(night, 1)
    not_read(night, "shopify")
    assert drift(night) == {("mailchimp/1", "yes", "no", "lower")}
    start_night(night, 2)
    night.execute("DELETE FROM shopify.consents")
    assert drift(night) == {("mailchimp/1", "yes", "no", "lower")}
    put_consent(night, "shopify/1", A, "yes", said=NIGHT)
    assert ("shopify/1", "yes", "no", "lower") in drift(night)


def test_a_system_that_was_not_read_gets_no_row(night):
    put_consent(night, "shopify/1", A, "no", said=LATE)
    put_consent(night, "mailchimp/1", A, "yes", said=EARLY)
    night.execute("UPDATE reads.verdicts SET is_complete = false WHERE system = 'mailchimp'")
    assert drift(night) == set()
    night.execute("DELETE FROM reads.verdicts WHERE system = 'mailchimp'")
    assert drift(night) == set()


def test_what_the_estate_does_not_map_is_neither_heard_nor_written(night):
    put_consent(night, "mailchimp/1", A, "no", said=LATE, audience="raffle")
    put_consent(night, "shopify/1", A, "yes", said=EARLY)
    assert drift(night) == set()
    assert night.execute("SELECT DISTINCT system FROM ledger.identity.consent_events").fetchall() == [("shopify",)]


def test_a_no_reaches_the_persons_other_address_once_the_binding_is_a_night_old(night):
    put_customers(night, [
        {"key": "shopify/1", "first_name": "Anne", "last_name": "Roux", "phone": "0612345670", "email": A},
        {"key": "mailchimp/1", "first_name": "Anne", "last_name": "Roux", "phone": "0612345670", "email": B},
    ])
    put_consent(night, "shopify/1", A, "no", said=LATE)
    put_consent(night, "mailchimp/1", B, "yes", said=EARLY)
    assert drift(night) == set()
    reconcile_persons(night)
    start_night(night, 1)
    assert drift(night) == {("mailchimp/1", "yes", "no", "lower")}
    assert golden(night, B) == [("no", "withdrawal of the same person")]


def test_our_own_no_at_a_shared_address_goes_no_further(night):
    """Anne's no reaches the address she shares with Paul; Paul's own address is not Anne's."""
    family = "famille@example.fr"
    put_customers(night, [
        {"key": "shopify/1", "first_name": "Anne", "last_name": "Roux", "phone": "0612345670", "email": A},
        {"key": "mailchimp/1", "first_name": "Anne", "last_name": "Roux", "phone": "0612345670", "email": family},
        {"key": "hubspot/2", "first_name": "Paul", "last_name": "Roux", "phone": "0698765432", "email": family},
        {"key": "square/2", "first_name": "Paul", "last_name": "Roux", "phone": "0698765432", "email": B},
    ])
    put_consent(night, "shopify/1", A, "yes", said=EARLY)
    put_consent(night, "mailchimp/1", family, "yes", said=EARLY)
    put_consent(night, "hubspot/2", family, "yes", said=EARLY)
    put_consent(night, "square/2", B, "yes", said=EARLY)
    assert drift(night) == set()
    reconcile_persons(night)
    start_night(night, 1)
    put_consent(night, "shopify/1", A, "no", said=NIGHT)
    lowered = {("mailchimp/1", "yes", "no", "lower"), ("hubspot/2", "yes", "no", "lower")}
    assert drift(night) == lowered
    for record in ("mailchimp/1", "hubspot/2"):
        written(night, record, NIGHT + timedelta(days=1, hours=1))
        put_consent(night, record, family, "no", said=NIGHT + timedelta(days=1, hours=1))
    start_night(night, 2)
    assert drift(night) == set()
    assert golden(night, family) == [("no", "withdrawal of the same person")], "ours keeps its reason"
    assert golden(night, B) == [("yes", "opt-in")]


def test_a_persons_own_no_is_not_our_echo_where_our_write_did_not_last(night):
    """Our no came to nothing in a system without times; after a proven opt-in the person says no there."""
    put_consent(night, "shopify/1", A, "no", said=LATE)
    put_consent(night, "square/1", A, "yes")
    assert drift(night) == {("square/1", "yes", "no", "lower")}
    written(night, "square/1", NIGHT + timedelta(hours=1))
    start_night(night, 1)
    assert drift(night) == {("square/1", "yes", "no", "lower")}
    start_night(night, 9)
    put_consent(night, "mailchimp/1", A, "yes", said=NIGHT + timedelta(days=8), is_proven=True)
    drift(night)
    assert golden(night, A) == [("yes", "proven opt-in after withdrawal")]
    start_night(night, 60)
    put_consent(night, "square/1", A, "no")
    drift(night)
    assert golden(night, A) == [("no", "withdrawal")]


def test_our_write_makes_no_no_younger_where_the_system_stamps_it(night):
    """The proven opt-in came before our write, and was read after it."""
    put_consent(night, "shopify/1", A, "no", said=LATE)
    put_consent(night, "square/1", A, "yes")
    assert drift(night) == {("square/1", "yes", "no", "lower")}
    written(night, "square/1", NIGHT + timedelta(hours=1))
    put_consent(night, "square/1", A, "no", said=NIGHT + timedelta(minutes=59))
    for number in (1, 2):
        start_night(night, number)
        drift(night)
        assert golden(night, A) == [("no", "withdrawal")]
    start_night(night, 3)
    put_consent(night, "mailchimp/1", A, "yes", said=NIGHT - timedelta(days=1), is_proven=True)
    drift(night)
    assert golden(night, A) == [("yes", "proven opt-in after withdrawal")]
    events = "SELECT count(*) FROM ledger.identity.consent_events WHERE system = 'square' AND state = 'no'"
    assert night.execute(events).fetchall() == [(1,)]


def test_editing_a_record_makes_its_no_no_younger(night):
    put_consent(night, "mailchimp/1", A, "no", said=EARLY, edited=EARLY)
    put_consent(night, "hubspot/1", A, "yes", said=LATE, is_proven=True)
    raised = {("mailchimp/1", "no", "yes", "raise_with_proof")}
    assert drift(night) == raised
    start_night(night, 1)
    put_consent(night, "mailchimp/1", A, "no", said=NIGHT, edited=NIGHT)
    assert drift(night) == raised


def test_permissions_need_no_persons_and_nothing_personal_is_kept(night):
    put_consent(night, "shopify/1", A, "no", said=LATE)
    build_consents(night)
    text = str(night.execute("SELECT * FROM ledger.identity.consent_events").fetchall())
    text += str(night.execute("SELECT * FROM golden.consents").fetchall())
    assert "anne" not in text.lower() and "@" not in text
