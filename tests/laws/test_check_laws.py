"""The plan's checks say of generated worlds what the planner says: they were written apart from it, in other words."""

from collections import Counter

from hypothesis import given

from pipelines.check import declared_checks
from pipelines.check.run import evaluate
from pipelines.plan import decide
from tests.laws.test_plan_laws import LANES, LAW, SEEDS, empty_ledger, warehouse
from tests.laws.worlds import decisions, lay_out, worlds

UNMAPPED = "plan_place_unmapped"
"""The worlds have no places, so that nothing is mapped: this check must fail wherever a price or level is approved."""


@LAW()
@given(seed=SEEDS)
def test_no_check_of_the_plan_finds_fault_with_the_planner(seed):
    con = warehouse()
    empty_ledger(con)
    lay_out(con, worlds(seed), decisions(seed))
    checks = [check for check in declared_checks() if check.is_of_plan and check.sql]
    seen: Counter[str] = Counter()
    for lane in LANES:
        decide(con, lane)
        seen.update(entity for (entity,) in con.execute(
            "SELECT entity FROM plan.decided WHERE disposition = 'approve'").fetchall())
        failed = {one.check.name: one.failed_rows for one in evaluate(con, checks) if one.failed_rows}
        approved = con.execute(
            "SELECT count(*) FROM plan.decided WHERE disposition = 'approve' AND entity IN ('prices', 'stock')"
        ).fetchone()
        assert failed == ({UNMAPPED: approved[0]} if approved[0] else {})
    assert seen["consents"], "worlds in which something is approved"
