"""A rollback is the inverse of its plan where nobody has touched it since, done once, and raises no permission."""

import time
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.approve import approve_by_policy
from pipelines.errors import DataError
from pipelines.ledger.rollbacks import Rollback, keep_rollback
from pipelines.plan import build_plan
from pipelines.reconcile.drift import ROLLBACK, drift
from pipelines.reconcile.models import build_models
from pipelines.sql import build
from tests.arming import ARMED
from tests.law import law
from tests.plan.world import AS_OF, VirtualClock, fresh, insert, policy, start_night

BATCH = 100
FIELDS = {"prices": "amount", "stock": "available", "customers": "last_name", "items": "gtin", "consents": "state"}
NAMES = ("Roux", "Petit", "roux", "Élie", "Élie-Marie", "O'Brien")
CODES = ("04006381333931", "00000000000017", "00000000000024")
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """One value that the night wrote, or tried to, and what stands there by now; None: nothing, or no record."""

    entity: str
    key: str
    before: str | None
    after: str
    status: str
    now: str | None
    is_gone: bool
    is_overwritten: bool
    """Whether a later plan of ours wrote the same place, and somebody set it back to ours."""

    @property
    def is_untouched(self) -> bool:
        """Whether it is as the plan left it, and what was there before can be written."""
        return (
            self.status == "applied" and not self.is_gone and not self.is_overwritten and self.now == self.after
            and self.entity != "consents" and self.before is not None
        )


def written(random: Random, number: int) -> Written:
    entity = random.choice(list(FIELDS))
    before: str | None
    if entity == "prices":
        before, after, other = (str(price) for price in random.sample(range(1000, 1300), 3))
    elif entity == "stock":
        before, after, other = (str(level) for level in random.sample(range(20), 3))
    elif entity == "consents":
        (before, after), other = random.choice([("yes", "no"), ("pending", "no"), ("no", "yes")]), "pending"
    else:
        before, after, other = random.sample(NAMES if entity == "customers" else CODES, 3)
    if entity in ("customers", "items") and random.random() < 0.1:
        before = None
    now = random.choice([after, after, after, before, other])
    return Written(
        entity, f"v{number}", before, after, random.choice(["applied"] * 6 + ["unknown", "stale", ""]), now,
        random.random() < 0.05, random.random() < 0.08,
    )


class Estate:
    """One shop as trueup finds it, and the ledger of what was written there."""

    def __init__(self) -> None:
        self.con = fresh()
        policy(self.con)
        insert(self.con, "estate.stock_rules", [{"location_id": "here", "authority": "square", "safety_stock": 0}])
        self.night = 1

    def write(self, plan_id: str, rows: list[Written], *, rule: str = "source of truth") -> None:
        """A plan that was made, and what became of its rows."""
        at = AS_OF + timedelta(days=self.night - 1, minutes=len(plan_id))
        insert(self.con, "ledger.sync.plans", [{
            "plan_id": plan_id, "night_id": f"n{self.night}", "lane": "main", "estate": "maison", "as_of": at,
            "created_at": at, "expires_at": at, "fingerprint": "f", "row_count": len(rows), "summary": "{}",
        }])
        kinds = [self.drift_class(row) for row in rows]
        self.con.execute(
            "INSERT INTO ledger.sync.corrections BY NAME SELECT ? AS plan_id, unnest(?::VARCHAR[]) AS correction_key, "
            "'maison' AS estate, 'shopify' AS system, unnest(?::VARCHAR[]) AS entity, unnest(?::VARCHAR[]) AS field, "
            "unnest(?::VARCHAR[]) AS vendor_id, unnest(?::VARCHAR[]) AS vendor_sub_id, 'i' AS subject_id, "
            "'' AS subject_sub_id, unnest(?::VARCHAR[]) AS currency, unnest(?::VARCHAR[]) AS observed, "
            "true AS has_base, unnest(?::VARCHAR[]) AS desired, unnest(?::VARCHAR[]) AS drift_class, ? AS rule, "
            "'r' AS reason, 'low' AS risk, 'approve' AS disposition, 'd' AS disposition_reason, "
            "false AS is_releasable, true AS is_new",
            [
                plan_id, [key_of(row) for row in rows], [row.entity for row in rows],
                [FIELDS[row.entity] for row in rows], [row.key for row in rows], [sub_of(row.entity) for row in rows],
                ["EUR" if row.entity == "prices" else None for row in rows], [row.before for row in rows],
                [row.after for row in rows], kinds, rule,
            ],
        )
        sent = [row for row in rows if row.status]
        self.con.execute(
            f"INSERT INTO ledger.sync.outcomes {OUTCOME} "
            "SELECT ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), '', '', '', NULL, "
            "?, NULL", [plan_id, [key_of(row) for row in sent], [row.status for row in sent], at],
        )

    @staticmethod
    def drift_class(row: Written) -> str:
        return "elsewhere" if row.entity != "consents" else "lower" if row.after == "no" else "raise_with_proof"

    def holds(self, values: dict[Place, str | None]) -> None:
        """What the shop shows tonight."""
        found: dict[str, list[Place]] = {entity: [] for entity in FIELDS}
        for entity, key in values:
            found[entity].append((entity, key))
        for entity, places in found.items():
            self.con.execute(f"DELETE FROM observed.{entity}")
            column, sub = COLUMNS[entity]
            more = f", '{sub_of(entity)}' AS {sub}" if sub else ""
            self.con.execute(
                f"INSERT INTO observed.{entity} BY NAME SELECT 'shopify' AS system, unnest(?::VARCHAR[]) AS vendor_id, "
                f"unnest(?::VARCHAR[]) AS {column}{more}{MORE.get(entity, '')}",
                [[key for _, key in places], [values[place] for place in places]],
            )

    def order(self, plan_id: str) -> None:
        keep_rollback(self.con, Rollback(plan_id=plan_id, author="Ana", reason="a slip", at=self.now))

    @property
    def now(self) -> Any:
        return AS_OF + timedelta(days=self.night - 1, hours=1)

    def plan(self, wanted: list[Written] = ()) -> list[dict[str, Any]]:
        """A night's plan, of what is rolled back and of what golden wants; `wanted`: drift as it was written once."""
        self.night += 1
        start_night(self.con, self.night)
        build_models(self.con, *ROLLBACK)
        build(self.con, drift(()))
        taken = {row[0] for row in self.con.execute("SELECT vendor_id FROM reconcile.drift").fetchall()}
        insert(self.con, "reconcile.drift", [{
            "system": "shopify", "entity": row.entity, "field": FIELDS[row.entity], "vendor_id": row.key,
            "vendor_sub_id": sub_of(row.entity), "subject_id": "i", "subject_sub_id": "", "observed": row.before,
            "currency": "EUR" if row.entity == "prices" else None, "has_base": True, "desired": row.after,
            "drift_class": "elsewhere", "authority": "square", "rule": "source of truth", "reason": "moved",
        } for row in wanted if row.key not in taken])
        clock = VirtualClock(self.now)
        plan_id = build_plan(self.con, lane="main", clock=clock)
        approve_by_policy(self.con, plan_id, armed=ARMED, clock=clock)
        result = self.con.execute(
            "SELECT c.entity, c.vendor_id, c.correction_key, c.observed, c.desired, c.rule, c.disposition, "
            "c.disposition_reason, c.is_new, g.approver "
            "FROM ledger.sync.corrections AS c LEFT JOIN ledger.sync.approvals AS g "
            "ON g.plan_id = c.plan_id AND g.correction_key = c.correction_key WHERE c.plan_id = ?", [plan_id],
        )
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True), plan_id=plan_id) for row in result.fetchall()]

    def carry_out(self, rows: list[dict[str, Any]], values: dict[Place, str | None]) -> dict[Place, str | None]:
        """Every approved row is written, compare-and-set; returns what the shop holds then."""
        taken = dict(values)
        for row in (row for row in rows if row["approver"]):
            assert taken[row["entity"], row["vendor_id"]] == row["observed"], "over the value that was seen"
            taken[row["entity"], row["vendor_id"]] = row["desired"]
        done = [row for row in rows if row["approver"]]
        self.con.execute(
            f"INSERT INTO ledger.sync.outcomes {OUTCOME} "
            "SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), 'applied', '', '', "
            "'', NULL, ?, NULL", [[row["plan_id"] for row in done], [row["correction_key"] for row in done], self.now],
        )
        return taken

    def states(self) -> dict[Place, str]:
        found = self.con.execute("SELECT entity, vendor_id, state FROM reconcile.rollback_rows").fetchall()
        return {(entity, key): state for entity, key, state in found}


OUTCOME = "(plan_id, correction_key, status, code, message, request_id, version_after, \"at\", batch_id)"
COLUMNS = {
    "prices": ("amount", "vendor_price_list"), "stock": ("quantity", "vendor_location_id"), "items": ("gtin", ""),
    "customers": ("last_name", ""), "consents": ("state", "vendor_audience_id"),
}
MORE = {"prices": ", 'EUR' AS currency, 'i' AS item_id", "stock": ", 'here' AS location_id, 'i' AS item_id",
    "items": ", 'i' AS item_id", "customers": ", 'p' AS person_id"}


def sub_of(entity: str) -> str:
    return {"prices": "base", "stock": "L", "consents": "list"}.get(entity, "")


def key_of(row: Written) -> str:
    return f"{row.entity}-{row.key}"


@law(few=4, holds=BATCH, is_seeded=True)
@given(seed=st.integers(0, 10**9))
def test_what_nobody_has_touched_is_as_before_and_all_else_is_as_it_was_found(seed: int) -> None:
    random = Random(seed)
    rows = [written(random, number) for number in range(BATCH)]
    estate = Estate()
    estate.write("one", rows)
    later = [row for row in rows if row.is_overwritten]
    estate.write("later", [Written(r.entity, r.key, r.after, "1", "applied", None, False, False) for r in later])
    found = {(row.entity, row.key): row.now for row in rows if not row.is_gone}
    estate.holds(found)
    estate.order("one")

    planned = estate.plan()
    back = {(row["entity"], row["vendor_id"]): row["desired"] for row in planned if row["approver"]}
    assert back == {(row.entity, row.key): row.before for row in rows if row.is_untouched}
    assert {row["entity"] for row in planned}.isdisjoint({"consents"}), "no permission is planned, nor raised"
    assert {row["rule"] for row in planned} <= {"rollback"}
    sent = {(row.entity, row.key) for row in rows if row.status in ("applied", "unknown")}
    assert estate.states().keys() == sent, "what it does not undo is listed with its rule"

    left = estate.carry_out(planned, found)
    assert {place: value for place, value in left.items() if place not in back} == {
        place: value for place, value in found.items() if place not in back
    }
    estate.holds(left)
    again = estate.plan([row for row in rows if row.is_untouched])
    assert {row["disposition"] for row in again} <= {"reject"}, "twice changes nothing, and golden does not redo it"


def test_a_night_of_10000_writes_goes_back_but_for_the_three_percent_that_have_changed() -> None:
    """R15, at the size that it names."""
    estate = Estate()
    rows = [
        Written("prices", f"v{n}", "1000", str(1001 + n % 200), "applied",
                "999" if n % 100 in (7, 53, 91) else str(1001 + n % 200), False, False)
        for n in range(10_000)
    ]
    estate.write("one", rows)
    estate.holds({(row.entity, row.key): row.now for row in rows})
    began = time.perf_counter()
    estate.order("one")
    planned = estate.plan()
    seconds = time.perf_counter() - began
    back = {row["vendor_id"]: row["desired"] for row in planned if row["approver"] == "Ana"}
    assert back == {row.key: "1000" for row in rows if row.is_untouched} and len(back) == 9_700
    changed = {key for (_, key), state in estate.states().items() if state == "changed"}
    assert changed == {row.key for row in rows if not row.is_untouched} and len(changed) == 300
    assert seconds < 30, f"planned in {seconds:.1f} s"
    left = estate.carry_out(planned, {(row.entity, row.key): row.now for row in rows})
    estate.holds(left)
    assert estate.plan() == [], "run twice, it changes nothing"


@pytest.mark.parametrize(("narrowed", "keys"), [
    ({"systems": ("hubspot",)}, set()), ({"entities": ("stock",)}, {"stock-v2"}),
    ({"fields": ("amount",)}, {"prices-v1"}),
    ({"keys": ("v2",)}, {"stock-v2"}), ({"keys": ("prices-v1",)}, {"prices-v1"}), ({"keys": ("price",)}, set()),
    ({"keys": ("i",)}, {"prices-v1", "stock-v2"}), ({}, {"prices-v1", "stock-v2"}),
], ids=lambda given: str(sorted(given)) if isinstance(given, set) else str(given))
def test_an_order_names_what_was_written_within_it(narrowed: dict[str, Any], keys: set[str]) -> None:
    estate = Estate()
    estate.write("one", [
        Written("prices", "v1", "1", "2", "applied", "2", False, False),
        Written("stock", "v2", "1", "2", "unknown", "2", False, False),
        Written("prices", "v3", "1", "2", "stale", "2", False, False),
    ])
    word = Rollback(plan_id="one", author="Ana", reason="a slip", at=AS_OF, **narrowed)
    for _ in range(2):
        if keys:
            keep_rollback(estate.con, word)
        else:
            with pytest.raises(DataError, match="wrote nothing that the order names"):
                keep_rollback(estate.con, word)
    assert {row[0] for row in kept(estate.con)} == keys and len(kept(estate.con)) == len(keys)


def kept(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return con.execute("SELECT correction_key FROM ledger.sync.rollback_rows").fetchall()
