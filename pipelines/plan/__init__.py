"""Stage 5, plan: from drift to corrections, each with its disposition, reason, age and identity. Pure and set-based.

A fixed list of SELECTs over tables (drift, observed, golden, the policy as rows, read verdicts, people's answers, the
ledger) and a bound as-of: no clock, no chance, no order of rows decides anything. Reads `reconcile.drift` (lane `main`)
or `reconcile.consent_drift` (lane `suppression`); writes `plan.*` and appends to `ledger.sync.plans`, `corrections`,
`told` and `untold`.
It approves nothing and writes to no system. `decide` drafts (`plan.decided`), `seal_plan` fingerprints and stores; a
night has the draft checked in between (`pipelines.check.draft`). Many worlds in one execution: what rows share (caps,
targets, populations, verdicts) is keyed by system, so a world is a set of systems with names of its own. One rule spans
an estate: while any system's opt-outs are unread no customer is written, so worlds side by side must not differ in it.
"""

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import duckdb
import msgspec

from pipelines.clock import Clock
from pipelines.errors import ConfigurationError
from pipelines.ledger.audit import append_plan
from pipelines.ledger.plans import fingerprint, seal_rows, transaction
from pipelines.sql import Model, build, model_of, read_model

Lane = Literal["main", "suppression"]

PLAN_AGE = timedelta(minutes=60)
"""How old what was observed may be when it is written (R3), unless the policy says otherwise."""
SUPPRESSION_AGE = timedelta(hours=24)
"""Opt-outs have a standing approval: a lowering is right however late it comes, within the day's plan."""

_FOLDER = Path(__file__).parent
_STEPS = (
    "drift", "answers", "accepted", "populations", "rows", "earlier", "guards", "open_writes", "waiting", "flapping",
    "spent", "judged", "decided",
)
_BY_LANE = ("drift", "accepted", "populations")
_SUMMARY = (_FOLDER / "summary.sql").read_text(encoding="utf-8")


@cache
def models(lane: Lane) -> tuple[Model, ...]:
    """The planner's SELECTs in the order in which they run; each fills `plan.<step>`."""
    found = []
    for step in _STEPS:
        path = _FOLDER / f"{lane}_{step}.sql" if step in _BY_LANE else _FOLDER / f"{step}.sql"
        found.append(model_of(f"plan.{step}", path.read_text(encoding="utf-8"), origin=f"pipelines/plan/{path.name}"))
    return tuple(found)


@cache
def corrections_model() -> Model:
    """`plan.corrections`: tonight's plans as a working table, read from the ledger."""
    return read_model(_FOLDER / "corrections.sql")


@cache
def told_model() -> Model:
    """`plan.told`: the movements that the draft's levels would tell the authority of."""
    return read_model(_FOLDER / "told.sql")


@cache
def untold_model() -> Model:
    """`plan.untold`: the movements that the authority no longer knows of, once the draft's rollbacks are written."""
    return read_model(_FOLDER / "untold.sql")


def decide(con: duckdb.DuckDBPyConnection, lane: Lane) -> int:
    """Fill `plan.decided` from tonight's tables, touching no ledger; returns its row count."""
    con.execute((_FOLDER / "macros.sql").read_text(encoding="utf-8"))
    row_count = 0
    for model in models(lane):
        row_count = build(con, model)
    return row_count


def build_plan(con: duckdb.DuckDBPyConnection, *, lane: Lane, clock: Clock) -> str:
    """Decide and seal one lane of tonight in one go, unchecked; returns the plan's id."""
    decide(con, lane)
    return seal_plan(con, lane=lane, clock=clock)


def seal_plan(
    con: duckdb.DuckDBPyConnection, *, lane: Lane, clock: Clock, plan_age: timedelta = PLAN_AGE
) -> str:
    """Fingerprint `plan.decided` and append it to the ledger; returns the plan's id. An empty plan is a plan too.

    ConfigurationError where `estate.night` has not exactly one row.
    """
    night_id, estate, as_of = _night(con)
    plan_id = _next_plan_id(con, night_id, lane)
    counts = _counts(con)
    build(con, told_model())
    build(con, untold_model())
    with transaction(con):
        con.execute("INSERT INTO ledger.sync.corrections BY NAME SELECT ? AS plan_id, * FROM plan.decided", [plan_id])
        con.execute("INSERT INTO ledger.sync.told BY NAME SELECT ? AS plan_id, * FROM plan.told", [plan_id])
        con.execute("INSERT INTO ledger.sync.untold BY NAME SELECT ? AS plan_id, * FROM plan.untold", [plan_id])
        con.execute(
            "INSERT INTO ledger.sync.plans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                plan_id, night_id, lane, estate, as_of, clock.now(),
                as_of + (plan_age if lane == "main" else SUPPRESSION_AGE),
                fingerprint(con, plan_id), counts["rows"], msgspec.json.encode(counts).decode(),
            ],
        )
        seal_rows(con, plan_id)
        append_plan(con, plan_id)
    build(con, corrections_model())
    return plan_id


def _night(con: duckdb.DuckDBPyConnection) -> tuple[str, str, datetime]:
    rows = con.execute("SELECT night_id, estate, as_of FROM estate.night").fetchall()
    if len(rows) != 1:
        raise ConfigurationError(f"estate.night holds {len(rows)} rows; a plan is of exactly one night")
    return cast(tuple[str, str, datetime], rows[0])


def _next_plan_id(con: duckdb.DuckDBPyConnection, night_id: str, lane: Lane) -> str:
    """Bound, never drawn: the night, the lane, and which plan of the two it is."""
    row = con.execute(
        "SELECT count(*) FROM ledger.sync.plans WHERE night_id = ? AND lane = ?", [night_id, lane]
    ).fetchone()
    count = int(row[0]) if row else 0
    return f"{night_id}-{lane}" + (f"-{count + 1}" if count else "")


def _counts(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The plan's summary: how many rows, how many new, and both by system, entity, class and disposition."""
    rows = con.execute(_SUMMARY).fetchall()
    total, new, again = (sum(int(row[i]) for row in rows) for i in (4, 5, 6))
    return {
        "rows": total,
        "new": new,
        "carried": total - new,
        "approved": sum(int(row[4]) for row in rows if row[3] == "approve"),
        "approved_again": again,
        "counts": [
            dict(zip(("system", "entity", "drift_class", "disposition", "rows", "new"), row[:6], strict=True))
            for row in rows
        ],
    }
