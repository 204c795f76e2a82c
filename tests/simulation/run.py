"""What one run of the pipeline left: its calls, what happened meanwhile, and what it says of itself."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from sandbox.world.truth import Row
from tests.simulation.network import Call


@dataclass(slots=True)
class Run:
    """What one run of the pipeline left."""

    number: int
    night_id: str
    status: str
    calls: list[Call]
    effects: list[dict[str, Any]]
    """What happened in the systems from its begin to its end, by anybody's hand."""
    read_until: int = 0
    """The log's last number when its reading began to be staged."""
    lanes: list[tuple[int, int]] = field(default_factory=list)
    """Spans of the log in which the opt-outs' lane wrote."""
    moments: int = 0
    new: int = 0
    parked: set[tuple[str, str, str, str, str]] = field(default_factory=set)
    """Values that wait for a person: written in vain too often (R10, R13), or typed over while a night was at work."""
    truth: list[Row] = field(default_factory=list)
    deaf: set[str] = field(default_factory=set)
    """Systems whose orders could not be read."""
    spoilt: set[str] = field(default_factory=set)
    """Keys, in all systems, of things that are spoilt in one: nobody says what is right of them."""
    holder: str = ""
    error: Exception | None = None

    taken_over_at: int = 0
    """The number of the call during which another run took its place; 0: none did."""

    @property
    def written(self) -> list[dict[str, Any]]:
        """What this run changed."""
        return [effect for effect in self.effects if effect["origin"] == "api"]

    def keep(self, effects: list[dict[str, Any]]) -> None:
        """Take what happened meanwhile; what another run wrote is to this one as if people had."""
        spans = [call.effects for call in self.calls if call.effects[0] < call.effects[1]]
        for effect in effects:
            is_own = any(low < effect["seq"] <= high for low, high in spans)
            is_other = effect["origin"] == "api" and not is_own
            self.effects.append({**effect, "origin": "another run"} if is_other else effect)


def said(
    con: Any, night_id: str, note: Callable[..., None], touched: Collection[str]
) -> tuple[str, int, set[tuple[str, str, str, str, str]], set[str]]:
    """A night's status, how many of its corrections are new, what waits for a person, and whose orders were not read.

    Its outcomes are noted.
    """
    status = con.execute("SELECT status FROM ledger.sync.nights WHERE night_id = ?", [night_id]).fetchall()[0][0]
    new = con.execute(
        "SELECT count(*) FROM ledger.sync.corrections AS c JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id "
        "WHERE p.night_id = ? AND c.is_new", [night_id],
    ).fetchall()[0][0]
    rows = con.execute(
        "SELECT c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.observed, c.desired, c.drift_class, "
        "c.disposition, o.status, o.code FROM ledger.sync.corrections AS c JOIN ledger.sync.plans AS p "
        "ON p.plan_id = c.plan_id LEFT JOIN ledger.sync.outcomes AS o ON o.plan_id = c.plan_id "
        "AND o.correction_key = c.correction_key WHERE p.night_id = ? ORDER BY ALL", [night_id],
    ).fetchall()
    for row in rows:
        note("outcome", row=row)
    parked = con.execute(
        "SELECT r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id FROM plan.rows AS r "
        "WHERE r.correction_key IN (SELECT f.correction_key FROM plan.flapping AS f "
        "UNION SELECT s.correction_key FROM plan.spent AS s)"
    ).fetchall()
    # Somebody took units out of a record in the middle of a night: no movement tells of it, whatever comes after.
    typed = {row[:5] for row in rows if row[7:9] == ("unexplained", "hold") and row[3] in touched}
    # And a struck-through price waits with the price beside it, which somebody has typed.
    waits = {(row[0], *row[3:5]) for row in rows if row[2] == "amount" and row[8] == "hold"}
    typed |= {
        row[:5] for row in rows
        if row[2] == "compare_at" and row[8] == "hold" and row[3] in touched and (row[0], *row[3:5]) in waits
    }
    deaf = con.execute(
        "SELECT system FROM ledger.sync.reads WHERE night_id = ? AND endpoint = 'orders' AND NOT is_complete",
        [night_id],
    ).fetchall()
    return str(status), int(new), {*parked, *typed}, {system for (system,) in deaf}
