"""A permission over several nights with Vendure: what it is told, what it tells us then, and what still beats it."""

import json
from datetime import timedelta

import pytest

from pipelines.channels.vendure import VENDURE
from pipelines.ledger.plans import CORRECTION, correction_of
from pipelines.model import OutcomeStatus
from pipelines.plan import build_plan
from pipelines.reconcile.consents import build_consents
from pipelines.sql import build
from pipelines.stage import stage_models
from pipelines.tables import create_tables
from tests.channels.test_vendure import NAMED, people, session
from tests.plan.world import AS_OF, VirtualClock, policy, start_night
from tests.reconcile.people import put_consent

ANNE = "anne@example.fr"
NO, YES = AS_OF - timedelta(days=9, milliseconds=250), AS_OF + timedelta(days=1)


@pytest.fixture
def night(con):
    create_tables(con, stage_models(["vendure"]).values())
    policy(con, ("hubspot", "mailchimp", "vendure"))
    for system, audience in (("hubspot", "news"), ("mailchimp", "news"), ("vendure", "email")):
        con.execute("INSERT INTO estate.audiences VALUES (?, ?, 'email', 'news')", [system, audience])
    return con


def put_customer(con, answer, at=None, proof=None):
    """What Vendure says tonight of its one customer."""
    held = {"consent": answer, "consentAt": at, "consentProof": proof}
    record = {"id": "1", "emailAddress": ANNE, "updatedAt": AS_OF.isoformat(), "customFields": held}
    con.execute("DELETE FROM raw_vendure.customers")
    con.execute("INSERT INTO raw_vendure.customers (id, payload) VALUES ('1', ?)", [json.dumps(record)])
    build(con, stage_models(["vendure"])["vendure.consents"])


async def push(con):
    """Plan the night's suppressions and write Vendure's; what its customer's fields were set to."""
    build_consents(con)
    plan = build_plan(con, lane="suppression", clock=VirtualClock())
    rows = con.execute(
        f"SELECT {CORRECTION} FROM ledger.sync.corrections AS c WHERE c.plan_id = ? AND c.system = 'vendure'", [plan]
    ).fetchall()
    server, done = people({})
    writer = next(w for w in VENDURE.writers if w.entity == "consents")
    async with session(server, **NAMED) as opened:
        outcomes = await writer.write(opened, [correction_of(row) for row in rows], "key-1")
    assert [o.status for o in outcomes] == [OutcomeStatus.APPLIED] * len(rows)
    return [sent["customFields"] for _, sent in done]


def golden(con):
    return con.execute("SELECT state, rule FROM golden.consents").fetchall()


async def test_our_own_no_keeps_the_time_of_the_persons_and_a_later_proven_opt_in_beats_both(night):
    put_consent(night, "hubspot/1", ANNE, "no", said=NO)
    put_customer(night, True)
    (told,) = await push(night)
    assert told == {"yes": False, "yesAt": NO.strftime("%Y-%m-%dT%H:%M:%S.750Z"), "yesProof": None}
    start_night(night, 2)
    put_customer(night, told["yes"], told["yesAt"], told["yesProof"])
    assert await push(night) == [] and golden(night) == [("no", "withdrawal")]
    start_night(night, 3)
    put_consent(night, "mailchimp/1", ANNE, "yes", said=YES, is_proven=True)
    build_consents(night)
    assert golden(night) == [("yes", "proven opt-in after withdrawal")]


async def test_where_vendure_is_told_no_time_the_ledger_knows_that_of_our_own_no(night):
    put_consent(night, "hubspot/1", ANNE, "no", said=NO)
    put_customer(night, True)
    assert len(await push(night)) == 1
    night.execute(
        'INSERT INTO ledger.sync.outcomes (plan_id, correction_key, status, code, message, request_id, "at") '
        "SELECT plan_id, correction_key, 'applied', '', '', '', ? FROM ledger.sync.corrections",
        [AS_OF + timedelta(hours=1)],
    )
    for number in (2, 3):
        start_night(night, number)
        put_customer(night, False)
        assert await push(night) == [] and golden(night) == [("no", "withdrawal")]
    start_night(night, 4)
    put_consent(night, "mailchimp/1", ANNE, "yes", said=YES, is_proven=True)
    build_consents(night)
    assert golden(night) == [("yes", "proven opt-in after withdrawal")]


async def test_where_nobody_knows_when_the_no_was_said_none_is_made_up(night):
    put_consent(night, "hubspot/1", ANNE, "no")
    put_customer(night, True)
    assert await push(night) == [{"yes": False, "yesAt": None, "yesProof": None}]
