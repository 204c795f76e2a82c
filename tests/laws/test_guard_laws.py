"""A law of what is parked, over generated histories: values that people, systems and the truth move day by day."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from random import Random

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.plan import build_plan
from pipelines.tables import fill_table
from tests.conftest import open_warehouse
from tests.law import law
from tests.laws.worlds import fill
from tests.plan.world import AS_OF, VirtualClock, drift, policy, start_night

VALUES, NIGHTS = 400, 9
LAW = partial(law, 1, holds=VALUES, is_seeded=True)
COLUMNS = ("plan_id", "correction_key", "status", "code", "message", "request_id", "at", "batch_id")
PRICES = ("1000", "1010", "1020")


@cache
def warehouse() -> duckdb.DuckDBPyConnection:
    """One for all examples."""
    return open_warehouse()


@dataclass
class Value:
    """One price, what ought to be there, who moves it, and what happened to it."""

    observed: str
    golden: str
    restless: float
    """How likely somebody moves it by day, and how likely the truth does."""
    refusing: float
    writes: list[tuple[int, str, str]] = field(default_factory=list)
    """Night, what stood there, what was written."""
    refusals: dict[tuple[str, str], int] = field(default_factory=dict)

    def is_over_again(self, observed: str, desired: str, before: tuple[int, str, str]) -> bool:
        return observed != before[2] and (observed == before[1] or desired == before[2])

    def is_parked(self) -> bool:
        """R10 and R13, told from the history alone, without SQL."""
        if self.refusals.get((self.observed, self.golden), 0) >= 5:
            return True
        if len(self.writes) < 2:
            return False
        first, second = self.writes[-2:]
        is_dance = self.is_over_again(second[1], second[2], first) and second[0] - first[0] <= 7
        return is_dance and self.is_over_again(self.observed, self.golden, second)


@LAW()
@given(seed=st.integers(0, 2**32))
def test_a_value_is_parked_where_its_history_says_so_and_nowhere_else(seed):
    con, dice = warehouse(), Random(seed)
    for table in ("plans", "corrections", "outcomes", "nights", "chain"):
        con.execute(f"DELETE FROM ledger.sync.{table}")
    policy(con)
    values = {
        f"v{i:03d}": Value(dice.choice(PRICES), dice.choice(PRICES), dice.choice([0.1, 0.9]), dice.choice([0, 0, 0.95]))
        for i in range(VALUES)
    }
    parked_ever = 0
    for night in range(1, NIGHTS + 1):
        start_night(con, night)
        fill(con, "reconcile.drift", [
            drift(vendor_id=name, observed=v.observed, desired=v.golden, drift_class="elsewhere")
            for name, v in values.items() if v.observed != v.golden
        ])
        fill_table(con, "policy.caps", [["shopify", "prices", "amount", 10, VALUES, VALUES]])
        clock = VirtualClock(AS_OF + timedelta(days=night - 1))
        plan_id = build_plan(con, lane="main", clock=clock)
        rows = con.execute(
            "SELECT vendor_id, correction_key, disposition FROM ledger.sync.corrections WHERE plan_id = ? ORDER BY ALL",
            [plan_id]).fetchall()
        parked = {name for name, v in values.items() if v.observed != v.golden and v.is_parked()}
        parked_ever += len(parked)
        assert {name for name, _, disposition in rows if disposition == "hold"} == parked
        ends = []
        for name, key, disposition in rows:
            if disposition != "approve":
                continue
            one, place = values[name], (values[name].observed, values[name].golden)
            is_taken = dice.random() >= one.refusing
            ends.append((plan_id, key, "applied" if is_taken else "rejected", "", "", "", clock.at, "b"))
            if is_taken:
                one.writes.append((night, *place))
                one.refusals.pop(place, None)
                one.observed = one.golden
            else:
                one.refusals[place] = one.refusals.get(place, 0) + 1
        ended = pa.table(dict(zip(COLUMNS, map(pa.array, zip(*ends, strict=True)), strict=True)))
        con.register("ended", ended)
        con.execute("INSERT INTO ledger.sync.outcomes BY NAME SELECT * FROM ended")
        con.unregister("ended")
        for one in values.values():
            if dice.random() < one.restless:
                one.observed = dice.choice(PRICES[:2])
            if dice.random() < 0.1:
                one.golden = dice.choice(PRICES)
    assert parked_ever > VALUES // 20, "the law is about something"
