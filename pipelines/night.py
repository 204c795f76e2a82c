"""A night as such: it begins with the user's files as rows and one as-of, and ends with a status in the ledger.

No stage; the stages do the work between `begin_night` and `end_night`. Writes `ledger.sync.nights` and, through
`estate` and `policy`, the tables `estate.*` and `policy.*`.
"""

from collections.abc import Iterable
from datetime import timedelta

import duckdb
import msgspec

from pipelines.arming.content import document, keep
from pipelines.channels.base import Channel
from pipelines.clock import Clock
from pipelines.errors import ConfigurationError
from pipelines.estate import Estate, NightKind, compile_estate, start_night
from pipelines.policy import Policy, compile_policy

PROVED_WITHIN = timedelta(days=7)

_UNPROVED = """
SELECT p.plan_id
FROM ledger.sync.plans AS p
JOIN (
  SELECT x.plan_id, x.correction_key, arg_max(x.status, x.rowid) AS status FROM ledger.sync.outcomes AS x
  GROUP BY x.plan_id, x.correction_key
) AS o ON o.plan_id = p.plan_id AND o.status = 'applied'
WHERE p.as_of > $since AND NOT EXISTS (
  SELECT 1 FROM ledger.sync.verifications AS v
  WHERE v.plan_id = o.plan_id AND v.correction_key = o.correction_key AND v.status IN ('confirmed', 'overwritten'))
GROUP BY p.plan_id, p.created_at ORDER BY p.created_at, p.plan_id
"""


def begin_night(
    con: duckdb.DuckDBPyConnection,
    estate: Estate,
    policy: Policy,
    channels: Iterable[Channel],
    *,
    kind: NightKind,
    clock: Clock,
) -> str:
    """Start a night; returns its id, the local date and a number, e.g. "2026-06-15.1"."""
    as_of = clock.now()
    compile_estate(con, estate)
    compile_policy(con, policy, estate, channels, is_adopting=kind == "adopt")
    row = con.execute(
        "SELECT strftime(timezone(?, ?::TIMESTAMPTZ), '%Y-%m-%d') AS day, (SELECT count(*) FROM ledger.sync.nights "
        "WHERE starts_with(night_id, day || '.')) AS before",
        [estate.estate.timezone, as_of],
    ).fetchone()
    assert row is not None
    night_id = f"{row[0]}.{int(row[1]) + 1}"
    start_night(con, estate, night_id=night_id, as_of=as_of, kind=kind)
    con.execute(
        "INSERT INTO ledger.sync.nights (night_id, estate, kind, as_of, started_at, status, policy_hash) "
        "VALUES (?, ?, ?, ?, ?, 'running', ?)",
        [night_id, estate.estate.name, kind, as_of, as_of, keep(con, document(policy, estate))],
    )
    return night_id


def end_night(
    con: duckdb.DuckDBPyConnection, night_id: str, *, status: str, summary: dict[str, object], clock: Clock
) -> None:
    """Close a night; one that is closed already stays as it is."""
    con.execute(
        "UPDATE ledger.sync.nights SET finished_at = ?, status = ?, summary = ? "
        "WHERE night_id = ? AND finished_at IS NULL",
        [clock.now(), status, msgspec.json.encode(summary).decode(), night_id],
    )


def end_dry_run(con: duckdb.DuckDBPyConnection, night_id: str, *, status: str) -> None:
    """A dry run, or an unarmed night, whose plan was pushed after all has become a night; any other stays as it is."""
    con.execute(
        "UPDATE ledger.sync.nights SET status = $status "
        "WHERE night_id = $night_id AND status IN ('planned', 'unarmed') AND EXISTS ("
        "SELECT 1 FROM ledger.sync.outcomes AS o JOIN ledger.sync.plans AS p ON p.plan_id = o.plan_id "
        "WHERE p.night_id = $night_id)",
        {"night_id": night_id, "status": status},
    )


def has_adopted(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether a first night has read every system: until then what differs is resolved by source of truth."""
    row = con.execute(
        "SELECT 1 FROM ledger.sync.nights WHERE kind = 'adopt' AND status = 'complete' LIMIT 1"
    ).fetchone()
    return row is not None


def latest_plan(con: duckdb.DuckDBPyConnection, lane: str, night_id: str | None = None) -> str | None:
    """The newest plan of a lane: of one night, or of all nights that were no dry run."""
    row = con.execute(
        "SELECT p.plan_id FROM ledger.sync.plans AS p LEFT JOIN ledger.sync.nights AS n ON n.night_id = p.night_id "
        "WHERE p.lane = $lane AND coalesce(p.night_id = $night_id, n.status IS DISTINCT FROM 'planned') "
        "ORDER BY p.created_at DESC, p.plan_id DESC LIMIT 1",
        {"lane": lane, "night_id": night_id},
    ).fetchone()
    return str(row[0]) if row else None


def plans_of(con: duckdb.DuckDBPyConnection, night_id: str, lane: str) -> list[str]:
    """All plans of a lane that one night made, in order: opt-outs may be planned twice."""
    rows = con.execute(
        "SELECT plan_id FROM ledger.sync.plans WHERE night_id = ? AND lane = ? ORDER BY created_at, plan_id",
        [night_id, lane],
    ).fetchall()
    return [str(plan_id) for (plan_id,) in rows]


def unproved_plans(con: duckdb.DuckDBPyConnection, *, clock: Clock) -> list[str]:
    """Plans, in order, of which something was written and not found confirmed or overwritten since.

    After a week nobody asks any more: the systems have been read whole since, and what they hold is what counts.
    """
    rows = con.execute(_UNPROVED, {"since": clock.now() - PROVED_WITHIN}).fetchall()
    return [str(plan_id) for (plan_id,) in rows]


def policy_of(con: duckdb.DuckDBPyConnection, night_id: str) -> str | None:
    """The hash of the policy under which a night planned; None where it was run before hashes were kept."""
    row = con.execute("SELECT policy_hash FROM ledger.sync.nights WHERE night_id = ?", [night_id]).fetchone()
    return None if row is None else row[0]


def night_of(con: duckdb.DuckDBPyConnection, plan_id: str) -> str:
    """The night that made a plan; ConfigurationError where there is no such plan."""
    row = con.execute("SELECT night_id FROM ledger.sync.plans WHERE plan_id = ?", [plan_id]).fetchone()
    if row is None:
        raise ConfigurationError(f"there is no plan {plan_id!r}; `trueup status` lists the nights")
    return str(row[0])
