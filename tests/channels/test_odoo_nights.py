"""A ban over several nights with Odoo: what we put on the blacklist is told back to us, and is nobody's own word."""

import json
from datetime import timedelta

import pytest

from pipelines.channels.odoo import ODOO
from pipelines.ledger.plans import CORRECTION, correction_of
from pipelines.plan import build_plan
from pipelines.reconcile.consents import build_consents
from pipelines.sql import build
from pipelines.stage import stage_models
from pipelines.tables import create_tables
from tests.channels.test_odoo import Fake, error
from tests.plan.world import AS_OF, VirtualClock, policy, start_night
from tests.reconcile.people import put_consent

ANNE, HER_OTHER = "anne@example.fr", "anne@work.example.fr"
WRITTEN = AS_OF + timedelta(hours=1)
AT = "2026-02-01 00:00:00"


@pytest.fixture
def night(con):
    """The newsletter is list 3 and the blacklist; Anne has another address, and somebody else said no for this one."""
    create_tables(con, stage_models(["odoo"]).values())
    policy(con, ("hubspot", "odoo"))
    for system, audience in (("hubspot", "news"), ("odoo", "3"), ("odoo", "blacklist")):
        con.execute("INSERT INTO estate.audiences VALUES (?, ?, 'email', 'news')", [system, audience])
    for system, vendor_id in (("odoo", "9"), ("odoo", "contact:21"), ("hubspot", "2")):
        con.execute(
            "INSERT INTO ledger.identity.persons BY NAME SELECT ? AS system, ? AS vendor_id, 'anne' AS person_id, "
            "'phone' AS rule, ? AS bound_at, 'n0' AS night_id", [system, vendor_id, AS_OF],
        )
    put_consent(con, "hubspot/2", HER_OTHER, "yes")
    return con


def put(con, **tables):
    """What Odoo says tonight."""
    for table in ("partners", "contacts", "subscriptions", "blacklist"):
        con.execute(f"DELETE FROM raw_odoo.{table}")
        for record in tables.get(table, ()):
            held = [str(record["id"]), json.dumps({"active": True, "write_date": AT, **record})]
            con.execute(f"INSERT INTO raw_odoo.{table} (id, payload) VALUES (?, ?)", held)
    build(con, stage_models(["odoo"])["odoo.consents"])


async def push(con, fake):
    """Plan the night's suppressions, write Odoo's, and remember what became of them."""
    build_consents(con)
    plan = build_plan(con, lane="suppression", clock=VirtualClock())
    rows = con.execute(
        f"SELECT {CORRECTION} FROM ledger.sync.corrections AS c WHERE c.plan_id = ? AND c.system = 'odoo'", [plan]
    ).fetchall()
    writer = next(w for w in ODOO.writers if w.entity == "consents")
    for outcome in await writer.write(fake.session(), [correction_of(row) for row in rows], "key"):
        con.execute(
            "INSERT INTO ledger.sync.outcomes BY NAME SELECT ? AS plan_id, ? AS correction_key, ? AS status, "
            "? AS code, '' AS message, '' AS request_id, ? AS \"at\"",
            [plan, outcome.correction_key, outcome.status, outcome.code, WRITTEN],
        )


def noes(con):
    """Who of Odoo's is remembered to have said no, and whether it was we."""
    return con.execute(
        "SELECT vendor_id, proof FROM ledger.identity.consent_events WHERE system = 'odoo' AND state = 'no' "
        "ORDER BY seen_at, vendor_id"
    ).fetchall()


def answers(con):
    """What is right for both addresses."""
    return dict(con.execute(
        "SELECT DISTINCT o.email, g.state FROM golden.consents AS g "
        "JOIN observed.consents AS o ON o.contact_point = g.contact_point AND o.purpose = g.purpose"
    ).fetchall())


PARTNER, CONTACT = {"id": 9, "email": ANNE}, {"id": 21, "email": ANNE}
JOINED = {"id": 31, "contact_id": 21, "list_id": 3, "opt_out": False}
BAN = {"id": 1, "email": ANNE, "write_date": "2026-03-02 03:00:00"}


def blacklist():
    """An Odoo whose key may ban, and may not opt out."""
    fake = Fake().on("mail.blacklist/search_read", []).on("mail.blacklist/create", [1])
    return fake.on("mailing.subscription/write", error(403, "odoo.exceptions.AccessError"))


async def test_our_own_ban_is_nobodys_word_where_the_address_is_in_no_list(night):
    put_consent(night, "hubspot/1", ANNE, "no")
    put(night, partners=[PARTNER])
    fake = blacklist()
    await push(night, fake)
    assert [body["vals_list"] for body in fake.bodies("mail.blacklist/create")] == [[{"email": ANNE}]]
    for number in (2, 3):
        start_night(night, number)
        put(night, partners=[PARTNER], blacklist=[BAN])
        build_consents(night)
        assert noes(night) == [("9", "ours")] and answers(night) == {ANNE: "no", HER_OTHER: "yes"}


async def test_our_own_ban_is_nobodys_word_where_the_list_itself_was_not_left(night):
    put_consent(night, "hubspot/1", ANNE, "no")
    put(night, contacts=[CONTACT], subscriptions=[JOINED])
    await push(night, blacklist())
    start_night(night, 2)
    put(night, contacts=[CONTACT], subscriptions=[JOINED], blacklist=[BAN])
    build_consents(night)
    assert noes(night) == [("contact:21", "ours")] and answers(night) == {ANNE: "no", HER_OTHER: "yes"}
    start_night(night, 3)
    left = {**JOINED, "opt_out": True, "opt_out_datetime": "2026-03-03 09:00:00"}
    put(night, contacts=[CONTACT], subscriptions=[left], blacklist=[BAN])
    build_consents(night)
    assert noes(night) == [("contact:21", "ours"), ("contact:21", None)], "she left the list herself"
    assert answers(night) == {ANNE: "no", HER_OTHER: "no"}


async def test_a_ban_that_is_not_ours_is_the_persons_word(night):
    put(night, partners=[PARTNER])
    await push(night, blacklist())
    start_night(night, 2)
    put(night, partners=[PARTNER], blacklist=[BAN])
    build_consents(night)
    assert noes(night) == [("9", None)] and answers(night) == {ANNE: "no", HER_OTHER: "no"}
