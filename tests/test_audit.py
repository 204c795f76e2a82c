"""The audit is a chain: what is changed, taken away or put in by hand is seen before anything is sent, and named."""

from datetime import timedelta

import pytest

from pipelines.errors import StalePlan
from pipelines.ledger.audit import RELATIONS, append, check_audit, faults, seal_older
from pipelines.ledger.plans import transaction
from tests.plan.world import VirtualClock, consent, fresh, plan_rows, policy
from tests.test_push import plan, prices, push, vendor_for

AUDITED = [(name, column) for name in RELATIONS if name != "words" for column in RELATIONS[name].columns]


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def pushed(clock):
    """Two plans of one night: one written and proven, and one of which two rows are written and one is not."""
    from pipelines.verify import verify_plan

    con = fresh()
    policy(con)
    opt_outs = plan(con, clock, consent(), lane="suppression")
    mailchimp = vendor_for(con, opt_outs, clock, "mailchimp")
    await push(con, opt_outs, clock, mailchimp)
    await verify_plan(con, opt_outs, {"mailchimp": mailchimp.session()}, clock=clock)
    plan_id = plan(con, clock, *prices(3))
    vendor = vendor_for(con, plan_id, clock)
    last = plan_rows(con, plan_id)[2]["correction_key"]
    with transaction(con):
        con.execute("UPDATE ledger.sync.approvals SET valid_until = ? WHERE correction_key = ?", [clock.now(), last])
        con.execute("DELETE FROM ledger.sync.chain")
        seal_older(con)
    clock.at += timedelta(seconds=1)
    await push(con, plan_id, clock, vendor)
    await verify_plan(con, plan_id, {"shopify": vendor.session()}, clock=clock)
    assert len(vendor.effects) == 2
    return con, plan_id, vendor


async def test_what_trueup_has_written_down_itself_is_whole(pushed):
    con, plan_id, _ = pushed
    assert faults(con) == []
    assert faults(con, [plan_id]) == []
    linked = con.execute("SELECT relation, sum(row_count) FROM ledger.sync.chain GROUP BY 1").fetchall()
    there = {name: con.execute(f"SELECT count(*) FROM ledger.sync.{name}").fetchone()[0] for name, _ in linked}
    assert {name: int(count) for name, count in linked} == there
    assert there.keys() == {"plans", *RELATIONS} - {"words"} and min(there.values()) > 1


@pytest.mark.parametrize("change", [
    "UPDATE ledger.sync.words SET payload = payload || ' '", "UPDATE ledger.sync.words SET word = 'arm'",
    "DELETE FROM ledger.sync.words",
])
def test_a_word_that_was_changed_is_seen_before_anything_is_sent(change):
    con = fresh()
    with transaction(con):
        row = "SELECT 'w' AS word_id, 'disarm' AS word, '{}' AS payload, 'k' AS key_id, 's' AS signature, "
        append(con, "words", row + "$now AS taken_at", {"now": VirtualClock().now()})
    assert faults(con, ["any"]) == []
    con.execute(change)
    with pytest.raises(StalePlan, match="words"):
        check_audit(con, ["any"])


def changed_value(con, relation, column):
    """Another value of the column's type: text with one letter more, a moment or a number one further."""
    kind = con.execute(
        "SELECT data_type FROM duckdb_columns() WHERE database_name = 'ledger' AND schema_name = 'sync' "
        "AND table_name = ? AND column_name = ?", [relation, column],
    ).fetchone()[0]
    if kind == "VARCHAR":
        return f"coalesce(\"{column}\", '') || 'x'"
    return f'"{column}" + ' + ("INTERVAL 1 MICROSECOND" if "TIMESTAMP" in kind else "1")


@pytest.mark.parametrize(("relation", "column"), AUDITED)
async def test_one_changed_byte_of_the_audit_is_refused_and_named(pushed, clock, relation, column):
    con, plan_id, vendor = pushed
    key = con.execute(
        f"SELECT max(correction_key) FROM ledger.sync.{relation} WHERE plan_id = ?", [plan_id]
    ).fetchone()[0]
    value = changed_value(con, relation, column)
    if (relation, column) in (("outcomes", "status"), ("verifications", "status")):
        value = {"outcomes": "'unknown'", "verifications": "'overwritten'"}[relation]
    con.execute(
        f'UPDATE ledger.sync.{relation} SET "{column}" = {value} WHERE plan_id = ? AND correction_key = ?',
        [plan_id, key],
    )
    before = len(vendor.calls)
    if column == "plan_id":
        assert faults(con), "it is another plan's by now"
    with pytest.raises(StalePlan, match=relation) as told:
        await push(con, plan_id, clock, vendor)
    assert len(vendor.calls) == before
    if column not in ("plan_id", "correction_key"):
        assert key in str(told.value)


@pytest.mark.parametrize("column", ["night_id", "lane", "as_of", "created_at", "expires_at", "row_count"])
async def test_a_changed_head_of_a_plan_is_refused(pushed, clock, column):
    con, plan_id, vendor = pushed
    value = "'suppression'" if column == "lane" else changed_value(con, "plans", column)
    con.execute(f"UPDATE ledger.sync.plans SET {column} = {value} WHERE plan_id = ?", [plan_id])
    with pytest.raises(StalePlan, match=f"plans: {plan_id}"):
        await push(con, plan_id, clock, vendor)


@pytest.mark.parametrize("relation", [name for name in RELATIONS if name != "words"])
async def test_what_is_taken_away_is_missed(pushed, clock, relation):
    con, plan_id, vendor = pushed
    con.execute(
        f"DELETE FROM ledger.sync.{relation} WHERE plan_id = $p AND correction_key = (SELECT max(correction_key) "
        f"FROM ledger.sync.{relation} WHERE plan_id = $p)", {"p": plan_id},
    )
    assert any(fault.relation == relation and "rows linked" in fault.words for fault in faults(con))
    with pytest.raises(StalePlan, match=relation):
        await push(con, plan_id, clock, vendor)


async def test_an_approval_that_somebody_else_put_there_lets_nothing_go(pushed, clock):
    con, plan_id, vendor = pushed
    last = plan_rows(con, plan_id)[2]["correction_key"]
    con.execute(
        "INSERT INTO ledger.sync.approvals (plan_id, correction_key, approver, reason, approved_at, valid_until, "
        "fingerprint) SELECT plan_id, ?, 'policy', '', approved_at, valid_until + INTERVAL 1 DAY, fingerprint "
        "FROM ledger.sync.approvals WHERE plan_id = ? LIMIT 1", [last, plan_id],
    )
    with pytest.raises(StalePlan, match="put there by another way"):
        await push(con, plan_id, clock, vendor)
    con.execute("UPDATE ledger.sync.approvals SET link = 1, seal = 1 WHERE link IS NULL")
    with pytest.raises(StalePlan, match=last):
        await push(con, plan_id, clock, vendor)
    assert len(vendor.effects) == 2


async def test_an_opt_out_that_is_said_to_have_gone_out_is_seen_in_the_main_lane(pushed, clock):
    con, plan_id, vendor = pushed
    con.execute("UPDATE ledger.sync.outcomes SET code = 'already' WHERE plan_id <> ?", [plan_id])
    with pytest.raises(StalePlan, match="outcomes: n1-suppression"):
        await push(con, plan_id, clock, vendor)


@pytest.mark.parametrize("change", [
    "UPDATE ledger.sync.chain SET row_count = row_count + 1 WHERE link = 2",
    "UPDATE ledger.sync.chain SET digest = sha256(digest) WHERE link = 2",
    "UPDATE ledger.sync.chain SET hash = sha256(hash) WHERE link = 2",
    "DELETE FROM ledger.sync.chain WHERE link = 2",
])
async def test_a_changed_link_breaks_the_chain(pushed, change):
    con, plan_id, _ = pushed
    con.execute(change)
    assert any(fault.relation == "chain" for fault in faults(con, [plan_id]))


async def test_who_changes_a_row_and_all_its_digests_still_lacks_the_key(pushed, clock):
    """The hash of a link is keyed: a chain made anew with another key is not ours."""
    from pipelines.macros import load_key
    from tests.conftest import KEY

    con, plan_id, vendor = pushed
    load_key(con, b"another key")
    con.execute("UPDATE ledger.sync.approvals SET approver = 'Bo'")
    con.execute("DELETE FROM ledger.sync.chain")
    seal_older(con)
    assert faults(con) == []
    load_key(con, KEY)
    with pytest.raises(StalePlan, match="chain: link 1"):
        await push(con, plan_id, clock, vendor)


async def test_a_changed_row_of_the_plan_is_named(pushed, clock):
    con, plan_id, vendor = pushed
    key = plan_rows(con, plan_id)[1]["correction_key"]
    con.execute("UPDATE ledger.sync.corrections SET desired = '1101' WHERE correction_key = ?", [key])
    with pytest.raises(StalePlan, match=f"changed: {key}"):
        await push(con, plan_id, clock, vendor)


async def test_a_night_of_ten_thousand_rows_is_linked_in_little_time(clock):
    """Links are by append, not by row: 10,000 rows in 100 appends, and all of them checked again."""
    import time

    con = fresh()
    began = time.process_time()
    for number in range(100):
        with transaction(con):
            append(con, "outcomes", (
                "SELECT 'p' AS plan_id, 'k' || i AS correction_key, 'applied' AS status, '' AS code, '' AS message, "
                "'' AS request_id, NULL AS version_after, $now AS \"at\", 'b' AS batch_id "
                "FROM range($a, $b) AS t(i)"
            ), {"now": clock.now(), "a": number * 100, "b": number * 100 + 100})
    assert faults(con) == []
    assert time.process_time() - began < 15.0, "of one core, on a machine that others use too"
    assert con.execute("SELECT count(*) FROM ledger.sync.chain").fetchone() == (100,)


def test_what_an_older_version_had_stored_is_linked_as_it_is_found(tmp_path, monkeypatch, clock):
    from pipelines import ledger
    from pipelines.duck import connect
    from pipelines.macros import load_macros
    from tests.conftest import KEY

    con = connect()
    con.execute("ATTACH ? AS ledger", [str(tmp_path / "ledger.duckdb")])
    load_macros(con, contact_key=KEY)
    every = ledger.migrations()
    monkeypatch.setattr(ledger, "migrations", lambda: [one for one in every if one[0] < 9])
    ledger.migrate(con)
    now = clock.now()
    con.execute("INSERT INTO ledger.sync.plans VALUES ('p', 'n', 'main', 'e', ?, ?, ?, 'f', 1, '{}')", [now, now, now])
    con.execute("INSERT INTO ledger.sync.approvals VALUES ('p', 'k', 'policy', '', ?, ?, 'f')", [now, now])
    con.execute("INSERT INTO ledger.sync.outcomes VALUES ('p', 'k', 'applied', '', '', '', NULL, ?, 'b')", [now])
    monkeypatch.undo()
    ledger.migrate(con)
    assert faults(con) == []
    con.execute("UPDATE ledger.sync.outcomes SET status = 'unknown'")
    assert [fault.row for fault in faults(con)] == ["p k", "link 3"]
    con.execute("DELETE FROM ledger.sync.plans")
    assert any(fault.relation == "plans" and "is gone" in fault.words for fault in faults(con))
    con.close()
