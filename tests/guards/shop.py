"""A shop whose prices are planned, approved and written night after night, and people who do what they like by day."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import duckdb

from pipelines.approve import approve_by_person, approve_by_policy
from pipelines.plan import build_plan
from pipelines.push import push_plan
from pipelines.tables import fill_table
from tests.arming import ARMED
from tests.plan.vendor import FakeVendor
from tests.plan.world import AS_OF, VirtualClock, consent, drift, fresh, insert, plan_rows, policy, start_night


class GuardedShop:
    """The webshop's prices and one permission, toward golden values that a test sets."""

    def __init__(self, **vendor: Any) -> None:
        self.con: duckdb.DuckDBPyConnection = fresh()
        policy(self.con)
        self.clock = VirtualClock()
        self.vendor = FakeVendor("shopify", self.clock, **vendor)
        self.golden: dict[str, str] = {}
        self.number = 0

    def observed(self, vendor_id: str) -> str | None:
        """What the shop shows."""
        return self.vendor.values[self._place(vendor_id)]

    def put(self, prices: Mapping[str, str]) -> None:
        """Somebody in the shop types these prices."""
        for vendor_id, price in prices.items():
            self.vendor.values[self._place(vendor_id)] = price

    def night(self, *, drift_class: str = "here", lane: str = "main", **rest: Any) -> list[dict[str, Any]]:
        """Plan what differs, approve it as policy and persons have said, write it; returns the plan's rows."""
        self.number += 1
        self.clock.at = AS_OF + timedelta(days=self.number)
        start_night(self.con, self.number, as_of=self.clock.at)
        make, table = (drift, "reconcile.drift") if lane == "main" else (_no, "reconcile.consent_drift")
        fill_table(self.con, "reconcile.drift", [])
        fill_table(self.con, "reconcile.consent_drift", [])
        insert(self.con, table, [
            make(vendor_id=vendor_id, observed=self.observed(vendor_id), desired=price, drift_class=drift_class) | rest
            for vendor_id, price in self.golden.items() if self.observed(vendor_id) != price
        ])
        plan_id = build_plan(self.con, lane=lane, clock=self.clock)  # type: ignore[arg-type]
        self.push(plan_id)
        return plan_rows(self.con, plan_id)

    def push(self, plan_id: str) -> None:
        """Approve and write a stored plan."""
        approve_by_policy(self.con, plan_id, armed=ARMED, clock=self.clock)
        approve_by_person(self.con, plan_id, armed=ARMED, clock=self.clock)
        sessions = {"shopify": self.vendor.session()}
        asyncio.run(push_plan(self.con, plan_id, sessions, armed=ARMED, clock=self.clock, canary_rows=0))

    def approve(self, row: dict[str, Any]) -> None:
        """Ana's word on a row, said now."""
        count = self.con.execute("SELECT count(*) FROM ledger.sync.answers").fetchall()[0][0]
        insert(self.con, "ledger.sync.answers", [{
            "answer_id": str(count), "correction_key": row["correction_key"], "answer": "approve", "author": "Ana",
            "reason": "I asked the shop", "until": None, "at": self.clock.now(),
        }])

    def writes(self, vendor_id: str) -> int:
        """How often the shop has taken a write of this price."""
        return sum(place == self._place(vendor_id) for place, _ in self.vendor.effects)

    def _place(self, vendor_id: str) -> tuple[str, str, str, str]:
        if vendor_id.startswith("member"):
            return "consents", "state", vendor_id, "list1"
        return "prices", "amount", vendor_id, "base"


def _no(**rest: Any) -> dict[str, Any]:
    return consent("shopify", **rest | {"drift_class": "lower"})
