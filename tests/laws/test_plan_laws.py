"""Laws of the planner, over thousands of generated worlds, hundreds in each execution."""

from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache, partial
from random import Random

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from pipelines.approve import approve_by_policy
from pipelines.ledger.plans import fingerprint
from pipelines.plan import build_plan, decide, models
from tests.arming import ARMED
from tests.conftest import open_warehouse
from tests.law import law
from tests.laws.worlds import CONSENT_CLASSES, COUNT, decisions, lay_out, world_of, worlds
from tests.plan.world import VirtualClock

SEEDS = st.integers(0, 2**32)
LAW = partial(law, 1, holds=COUNT, is_seeded=True)
LANES = ("main", "suppression")


@cache
def warehouse() -> duckdb.DuckDBPyConnection:
    """One for all examples."""
    return open_warehouse()


def empty_ledger(con):
    for table in ("plans", "corrections", "approvals", "answers", "intents", "outcomes"):
        con.execute(f"DELETE FROM ledger.sync.{table}")


def plan(con, lane):
    """All decided rows, as dicts, in the order of their keys."""
    decide(con, lane)
    result = con.execute("SELECT * FROM plan.decided ORDER BY correction_key")
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def by_world(rows):
    found = defaultdict(list)
    for row in rows:
        found[world_of(row["system"])].append(row)
    return found


@LAW()
@given(seed=SEEDS)
def test_every_difference_has_one_disposition_and_a_reason(seed):
    con = warehouse()
    empty_ledger(con)
    lay_out(con, worlds(seed), decisions(seed))
    for lane, table in zip(LANES, ("drift", "consent_drift"), strict=True):
        rows = plan(con, lane)
        wanted = con.execute(
            f"SELECT DISTINCT system, entity, field, vendor_id, observed, desired FROM reconcile.{table} "
            "WHERE observed IS DISTINCT FROM desired").fetchall()
        named = ("system", "entity", "field", "vendor_id", "observed", "desired")
        assert Counter(tuple(row[column] for column in named) for row in rows) == Counter(wanted)
        assert all(row["disposition_reason"].strip() and row["risk"] for row in rows)
        assert all((row["disposition"] == "approve") == (row["approver"] == "policy") for row in rows)


@LAW()
@given(seed=SEEDS)
def test_a_plan_of_no_drift_is_empty(seed):
    con = warehouse()
    empty_ledger(con)
    lay_out(con, {i: replace(w, rows=(), consents=()) for i, w in worlds(seed).items()}, decisions(seed))
    assert plan(con, "main") == plan(con, "suppression") == []


@LAW()
@given(seed=SEEDS)
def test_a_world_alone_is_planned_as_among_others(seed):
    con = warehouse()
    empty_ledger(con)
    numbered = worlds(seed)
    lay_out(con, numbered, decisions(seed))
    together = {lane: by_world(plan(con, lane)) for lane in LANES}
    for number in (0, 7, 99):
        lay_out(con, {number: numbered[number]}, decisions(seed))
        for lane in LANES:
            assert plan(con, lane) == together[lane][number]


@LAW()
@given(seed=SEEDS)
def test_the_planner_is_deterministic_and_blind_to_order(seed):
    con = warehouse()
    empty_ledger(con)
    numbered = worlds(seed)
    lay_out(con, numbered, decisions(seed))
    first = {lane: plan(con, lane) for lane in LANES}
    assert first == {lane: plan(con, lane) for lane in LANES}
    marks = [fingerprint(con, build_plan(con, lane=lane, clock=VirtualClock())) for lane in LANES]
    empty_ledger(con)
    backwards = {n: replace(w, rows=w.rows[::-1], consents=w.consents[::-1]) for n, w in reversed(numbered.items())}
    lay_out(con, backwards, decisions(seed))
    assert first == {lane: plan(con, lane) for lane in LANES}
    assert marks == [fingerprint(con, build_plan(con, lane=lane, clock=VirtualClock())) for lane in LANES]


@LAW()
@given(seed=SEEDS)
def test_caps_hold(seed):
    con = warehouse()
    empty_ledger(con)
    numbered = worlds(seed)
    lay_out(con, numbered, decisions(seed))
    groups = Counter(
        (row["system"], row["entity"], row["field"]) for row in plan(con, "main") if row["disposition"] == "approve"
    )
    for (system, entity, _), count in groups.items():
        world = numbered[world_of(system)]
        floor = world.floors[0 if system.endswith("square") else 1]
        share = world.population // 10 if entity == "prices" else 0
        assert count <= min(5, max(floor, share))


@LAW()
@given(seed=SEEDS, more=st.integers(1, 3))
def test_limits_are_monotone(seed, more):
    con = warehouse()
    empty_ledger(con)

    def with_disposition(disposition):
        return {row["correction_key"] for row in plan(con, "main") if row["disposition"] == disposition}

    lay_out(con, worlds(seed), decisions(seed))
    approved, refused = with_disposition("approve"), with_disposition("refuse")
    con.execute("UPDATE policy.caps SET floor_rows = floor_rows + ?, max_rows = max_rows + ?", [more, more])
    assert approved <= with_disposition("approve")
    con.execute("INSERT INTO policy.guards VALUES ('prices', 'amount', 30 + 10 * ?, true, true, NULL, NULL)", [more])
    laxer = with_disposition("refuse")
    con.execute("DELETE FROM policy.guards")
    assert laxer <= refused


@LAW()
@given(seed=SEEDS, action=st.sampled_from(["approve", "hold", "refuse"]))
def test_a_permission_only_ever_goes_down(seed, action):
    con = warehouse()
    empty_ledger(con)
    pair = ("consents", "state")
    lay_out(con, worlds(seed), decisions(seed) | {(pair, c): action for c in CONSENT_CLASSES})
    for row in plan(con, "suppression"):
        if row["disposition"] == "approve":
            assert (row["drift_class"], row["desired"]) == ("lower", "no")
        elif row["drift_class"] == "lower" and row["desired"] == "no":
            assert row["disposition"] in ("not_writable", "observe")
        elif row["drift_class"] == "raise_without_proof":
            assert row["disposition"] == "refuse"


@LAW()
@given(seed=SEEDS)
def test_after_all_approved_rows_are_applied_nothing_new_is_approved(seed):
    con = warehouse()
    empty_ledger(con)
    lay_out(con, worlds(seed), decisions(seed))
    for lane, table in zip(LANES, ("drift", "consent_drift"), strict=True):
        first = build_plan(con, lane=lane, clock=VirtualClock())
        con.execute(
            f"DELETE FROM reconcile.{table} AS d WHERE EXISTS (SELECT 1 FROM ledger.sync.corrections AS c WHERE "
            "c.plan_id = ? AND c.disposition = 'approve' AND c.system = d.system AND c.entity = d.entity "
            "AND c.field = d.field AND c.vendor_id = d.vendor_id AND c.vendor_sub_id = d.vendor_sub_id)", [first])
        second = build_plan(con, lane=lane, clock=VirtualClock())
        found = con.execute("SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE disposition = 'approve') "
                            "FROM ledger.sync.corrections WHERE plan_id = ?", [second]).fetchone()
        assert found == (0, 0)
        assert approve_by_policy(con, second, armed=ARMED, clock=VirtualClock()) == 0


UNTOLD = {"plan_id", "risk", "disposition", "seal"}  # a row is named by its seal, and told by the fingerprint
CHANGES = 200


@law(1, holds=CHANGES, is_seeded=True)
@given(seed=SEEDS)
def test_any_changed_value_is_another_fingerprint(seed):
    con = warehouse()
    empty_ledger(con)
    lay_out(con, worlds(seed, 20), decisions(seed))
    plan_id = build_plan(con, lane="main", clock=VirtualClock())
    keys = [row[0] for row in con.execute(
        "SELECT correction_key FROM ledger.sync.corrections WHERE plan_id = ? ORDER BY ALL", [plan_id]).fetchall()]
    before, dice = fingerprint(con, plan_id), Random(seed)
    types = {row[0]: row[1] for row in con.execute("DESCRIBE ledger.sync.corrections").fetchall()}
    columns = sorted(types.keys() - UNTOLD)
    for number in range(CHANGES):
        column, key = columns[number % len(columns)], dice.choice(keys)
        new = {"VARCHAR": f"coalesce({column}, '') || 'x'", "BIGINT": f"coalesce({column}, 0) + 1",
               "BOOLEAN": f"NOT {column}"}.get(types[column], "TIMESTAMPTZ '2001-01-01 00:00:00+00'")
        con.execute("BEGIN")
        con.execute(f"UPDATE ledger.sync.corrections SET {column} = {new} WHERE correction_key = ?", [key])
        assert fingerprint(con, plan_id) != before, (column, key)
        con.execute("ROLLBACK")
    assert fingerprint(con, plan_id) == before


IMPURE = {"now", "current_timestamp", "current_date", "today", "random", "uuid", "gen_random_uuid", "nextval", "hash",
          "get_current_timestamp", "currenttimestamp", "currentdate", "rand", "localtimestamp"}
ORDERED = (exp.GroupConcat, exp.ArrayAgg, exp.First, exp.Last, exp.AnyValue)


@pytest.mark.parametrize("model", [m for lane in LANES for m in models(lane)], ids=lambda m: m.name)
def test_the_planners_sql_is_pure(model):
    tree = sqlglot.parse_one(model.sql, dialect="duckdb")
    called = {node.sql_name().lower() if not isinstance(node, exp.Anonymous) else node.name.lower()
              for node in tree.find_all(exp.Func)}
    assert not called & IMPURE
    assert all(isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star))
    for node in tree.find_all(*ORDERED):
        assert node.find(exp.Order), f"{node.sql('duckdb')} depends on the order of rows"
