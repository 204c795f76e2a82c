"""What an unmerge gives back: the last value that was the record's own, whatever was written over it and when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.reconcile.models import build_models
from tests.conftest import open_warehouse
from tests.plan.world import insert

START = datetime(2026, 6, 1, tzinfo=UTC)
TABLES = (
    "ledger.sync.plans", "ledger.sync.corrections", "ledger.sync.outcomes", "ledger.sync.verifications",
    "ledger.identity.apart", "ledger.agreed.customers", "observed.customers",
)
HANDS = st.lists(st.sampled_from(["theirs", "own", "edit", "refused"]), max_size=7)
LATER = st.lists(st.sampled_from(["own", "edit"]), max_size=2)


@pytest.fixture(scope="module")
def warehouse():
    con = open_warehouse()
    yield con
    con.close()


class Record:
    """One phone number: what stands there, what of it is the record's own, and the ledger of what trueup wrote."""

    def __init__(self, con: duckdb.DuckDBPyConnection, has_base: bool) -> None:
        for table in TABLES:
            con.execute(f"DELETE FROM {table}")
        self.con, self.night, self.has_base = con, 0, has_base
        self.held = self.own = "+3361000"
        self.is_foreign, self.was_edited, self.is_settled = False, False, False

    def touch(self, hand: str, *, is_parted: bool = False) -> None:
        """A night in which somebody puts a new number there: trueup for one of the two sides, or a person by hand."""
        self.night += 1
        value, before = f"+3361{self.night:04}", self.held
        if hand == "edit":
            self.held = self.own = value
            self.was_edited, self.is_foreign = self.is_foreign, False
            return
        self.write(value, before, "hubspot" if hand == "theirs" else "shopify", hand != "refused")
        if hand == "refused":
            return
        self.held, self.is_foreign, self.was_edited = value, hand == "theirs", False
        self.own = self.own if hand == "theirs" else value
        self.is_settled = is_parted

    def write(self, value: str, before: str, authority: str, is_taken: bool) -> None:
        at, plan = START + timedelta(days=self.night), f"p{self.night}"
        insert(self.con, "ledger.sync.plans", [{
            "plan_id": plan, "night_id": plan, "lane": "main", "estate": "e", "as_of": at, "created_at": at,
            "expires_at": at, "fingerprint": "f", "row_count": 1, "summary": "{}",
        }])
        insert(self.con, "ledger.sync.corrections", [{
            "plan_id": plan, "correction_key": plan, "estate": "e", "system": "square", "entity": "customers",
            "field": "phone", "vendor_id": "s", "vendor_sub_id": "", "subject_id": "p", "subject_sub_id": "",
            "observed": before, "has_base": True, "desired": value, "drift_class": "elsewhere", "authority": authority,
            "rule": "survivorship", "reason": "r", "risk": "low", "disposition": "approve", "disposition_reason": "d",
            "is_releasable": False, "is_new": True,
        }])
        insert(self.con, "ledger.sync.outcomes", [{
            "plan_id": plan, "correction_key": plan, "status": "applied" if is_taken else "rejected", "code": "",
            "message": "", "request_id": "", "at": at,
        }])
        if is_taken:
            insert(self.con, "ledger.sync.verifications", [
                {"plan_id": plan, "correction_key": plan, "status": "confirmed", "at": at}])
            self.con.execute("DELETE FROM ledger.agreed.customers")
            if self.has_base:
                insert(self.con, "ledger.agreed.customers", [{
                    "system": "square", "vendor_id": "s", "person_id": "p", "phone": value, "fields": ["phone"],
                    "agreed_at": at, "night_id": plan}])

    def part(self) -> None:
        """The other side is the CRM; whoever is on this side has records in the shop."""
        insert(self.con, "ledger.identity.apart", [{
            "parting_id": "w", "taken_system": "square", "taken_id": "s", "kept_system": "hubspot", "kept_id": "h",
            "author": "Ana", "reason": "two", "at": START + timedelta(days=self.night), "together_since": START,
            "last_plan_at": START + timedelta(days=self.night),
        }])

    def found(self) -> list[tuple[Any, ...]]:
        insert(self.con, "observed.customers", [
            {"system": "square", "vendor_id": "s", "person_id": "p", "phone": self.held}])
        build_models(self.con, "reconcile.person_parted", "reconcile.person_written")
        return self.con.execute('SELECT state, "before" FROM reconcile.person_written').fetchall()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(hands=HANDS, later=LATER, has_base=st.booleans())
@example(hands=["theirs", "edit", "theirs"], later=[], has_base=True)
@example(hands=["theirs", "theirs"], later=[], has_base=False)
@example(hands=["own", "theirs", "refused", "theirs"], later=[], has_base=True)
@example(hands=["theirs"], later=["own"], has_base=True)
def test_given_back_is_the_last_value_that_was_the_records_own_and_nothing_else(warehouse, hands, later, has_base):
    record = Record(warehouse, has_base)
    for hand in hands:
        record.touch(hand)
    record.part()
    own = record.own if record.is_foreign else None
    for hand in later:
        record.touch(hand, is_parted=True)
    found = record.found()
    if record.is_settled:
        assert found == [], "what was written since is no affair of the merge"
    elif record.is_foreign:
        assert found == [("restore", own)]
    elif record.was_edited:
        assert [state for state, _ in found] == ["changed"], "left, and told"
    else:
        assert [state for state, _ in found] in ([], ["changed"])
