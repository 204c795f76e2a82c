"""Answers from the snapshot: status and why. Imports no Dagster, and works while a night runs."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cli.answers import copy_of
from cli.arming import armings_of
from cli.screen import tell, tell_table
from cli.signing import knows_words
from pipelines.errors import ConfigurationError
from pipelines.kill_switch import Stop, read_stop
from pipelines.ledger.inbox import refusals
from pipelines.ledger.unsigned import voided
from pipelines.quarantined import quarantined
from pipelines.report.mask import shown
from pipelines.why import Statement
from resources.settings import Settings

_NIGHTS = (
    "SELECT n.night_id, n.kind, n.status, n.as_of, n.finished_at, count(c.correction_key) AS corrections, "
    "count(c.correction_key) FILTER (WHERE c.is_new) AS new FROM ledger.sync.nights AS n "
    "LEFT JOIN ledger.sync.plans AS p ON p.night_id = n.night_id "
    "LEFT JOIN ledger.sync.corrections AS c ON c.plan_id = p.plan_id "
    "GROUP BY ALL ORDER BY n.as_of DESC, n.night_id DESC LIMIT ?"
)
_HELD = (
    "SELECT c.correction_key, c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.observed, c.desired, "
    "c.currency, c.drift_class, c.disposition, c.disposition_reason, c.held_since FROM ledger.sync.corrections AS c "
    "JOIN (SELECT p.plan_id, p.created_at FROM ledger.sync.plans AS p JOIN ledger.sync.nights AS n USING (night_id) "
    # Of the last whole night: a dry run and a narrowed one leave what waits as it is.
    "WHERE n.status <> 'planned' AND coalesce(n.summary ->> '$.scope', '{}') = '{}' "
    "QUALIFY p.night_id = first_value(p.night_id) OVER (PARTITION BY p.lane ORDER BY p.created_at DESC, p.plan_id DESC)"
    ") AS p ON p.plan_id = c.plan_id "
    "WHERE c.disposition IN ('hold', 'pin', 'reject') AND NOT EXISTS (SELECT 1 FROM ledger.sync.verifications AS v "
    "WHERE v.correction_key = c.correction_key AND v.status = 'confirmed' AND v.at >= p.created_at) "
    "ORDER BY c.held_since, c.system, c.entity, c.vendor_id, c.field"
)
_CHANGED = (
    "SELECT w.system, w.vendor_id, w.field, w.author AS parted_by, w.reason FROM ledger.reconcile.person_written AS w "
    "WHERE w.state = 'changed' ORDER BY ALL"
)
_HAS_CHANGED = "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'reconcile' AND table_name = 'person_written'"
_HAS_ROLLBACK = """
SELECT 1 FROM duckdb_tables()
WHERE schema_name || '.' || table_name IN ('reconcile.rollback_rows', 'plan.corrections')
"""
_NOT_ROLLED_BACK = """
SELECT r.plan_id, r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id,
  coalesce(nullif(c.disposition, 'approve'), o.status, r.state) AS state,
  CASE WHEN c.disposition <> 'approve' THEN c.disposition_reason
    WHEN o.status IS NOT NULL THEN concat_ws(': ', 'push', o.status, coalesce(nullif(o.message, ''), o.code))
    ELSE r.why END AS why,
  r.author AS ordered_by, r.said_at AS ordered_at
FROM ledger.reconcile.rollback_rows AS r
LEFT JOIN (
  SELECT y.plan_id, y.correction_key, y.system, y.entity, y.field, y.vendor_id, y.vendor_sub_id, y.disposition,
    y.disposition_reason
  FROM ledger.sync.corrections AS y
  WHERE y.rule = 'rollback' AND y.plan_id = (
    SELECT p.plan_id FROM ledger.sync.plans AS p WHERE p.lane = 'main'
    ORDER BY p.created_at DESC, p.plan_id DESC LIMIT 1)
) AS c ON r.state = 'restore' AND c.system = r.system
  AND c.entity = r.entity AND c.field = r.field AND c.vendor_id = r.vendor_id AND c.vendor_sub_id = r.vendor_sub_id
LEFT JOIN (
  SELECT x.plan_id, x.correction_key, arg_max(x.status, x."at") AS status, arg_max(x.message, x."at") AS message,
    arg_max(x.code, x."at") AS code
  FROM ledger.sync.outcomes AS x GROUP BY x.plan_id, x.correction_key
) AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
WHERE r.said_at > (SELECT max(n.as_of) - INTERVAL 7 DAY FROM ledger.sync.nights AS n)
  AND r.state NOT IN ('done', 'restored', 'not_written')
  AND (r.state <> 'restore' OR c.disposition IS DISTINCT FROM 'approve' OR o.status IS DISTINCT FROM 'applied')
ORDER BY ALL
"""
"""What the last run did not write back, with the reason: a rule, a guard, or what the push met."""
_UNREAD = "SELECT system, entity, reason FROM ledger.reads.verdicts WHERE NOT is_complete ORDER BY ALL"


def status(settings: Settings, *, nights: int = 5) -> dict[str, Any]:
    """Whether trueup is stopped, the last nights, and what waits, was not read, is kept out, left or not taken."""
    refused = Counter(refusals(settings.inbox).values())
    stop = read_stop(settings.kill_switch)
    armings, unreadable = _armings(settings)
    with copy_of(settings) as con:
        return {
            "stopped": None if stop is None else {"by": stop.author, "at": stop.at, "reason": stop.reason},
            "nights": _dicts(con.execute(_NIGHTS, [nights])),
            "held": [_masked(row) for row in _dicts(con.execute(_HELD))],
            "unread": _dicts(con.execute(_UNREAD)),
            "left_after_unmerge": _dicts(con.execute(_CHANGED)) if con.execute(_HAS_CHANGED).fetchall() else [],
            "not_rolled_back": _dicts(con.execute(_NOT_ROLLED_BACK)) if _knows_rollbacks(con) else [],
            "quarantine": [asdict(row) for row in quarantined(con)],
            "refused_answers": [{"answers": count, "reason": reason} for reason, count in sorted(refused.items())],
            "void_answers": [
                {"correction_key": key, "reason": reason} for key, reason in (voided(con) if knows_words(con) else ())
            ],
            "armings": armings, "armings_unread": unreadable,
            "open_answers": len(list(settings.inbox.glob("*.json"))) if settings.inbox.is_dir() else 0,
        }


def _knows_rollbacks(con: Any) -> bool:
    """Whether the version that left the snapshot did: both tables are there."""
    return len(con.execute(_HAS_ROLLBACK).fetchall()) == 2


def tell_status(found: dict[str, Any], *, most: int | None) -> None:
    """What `status` found, for a terminal."""
    if stopped := found["stopped"]:
        tell(f"{Stop(stopped['by'], stopped['reason'], stopped['at'])}: nothing is written; `trueup go` ends it")
    tell_table("Nights", found["nights"], most=None)
    tell_table("Waiting for a person", [in_short(row) for row in found["held"]], most=most)
    tell_table("Not read whole in the last night", found["unread"], most=most)
    tell_table("Not taken back from persons who were parted: changed since", found["left_after_unmerge"], most=most)
    tell_table("Not rolled back", [_as_left(row) for row in found["not_rolled_back"]], most=most)
    tell_table("Armed: what policy approves is written only under one that counts", found["armings"], most=None)
    if found["armings_unread"]:
        tell(f"What is armed cannot be said: {found['armings_unread']}")
    elif not any(each["state"] == "counts" for each in found["armings"]):
        tell("Nothing is armed, so nothing is written; `trueup arm` says what would be armed and how")
    tell_table("In quarantine: nothing of these keys is written", found["quarantine"], most=most)
    tell_table("Answers that were not taken (inbox/refused)", found["refused_answers"], most=most)
    tell_table("Answers that count no more: their signature does not hold", found["void_answers"], most=most)
    if found["open_answers"]:
        tell(f"{found['open_answers']} answers wait in the inbox; `trueup push` takes them in")


def _as_left(row: dict[str, Any]) -> dict[str, Any]:
    place = f" at {row['vendor_sub_id']}" if row["vendor_sub_id"] else ""
    what = f"{row['system']} {row['entity']}.{row['field']} {row['vendor_id']}{place}"
    return {"plan": row["plan_id"], "what": what, "why": row["why"], "ordered_by": row["ordered_by"]}


def _armings(settings: Settings) -> tuple[list[dict[str, Any]], str]:
    """All armings, or why nobody can say what is armed: a wrong estate file is no reason to tell nothing else."""
    try:
        return armings_of(settings), ""
    except ConfigurationError as error:
        return [], error.message


def in_short(row: dict[str, Any]) -> dict[str, Any]:
    """A held row in few columns, for a terminal."""
    place = f" at {row['vendor_sub_id']}" if row["vendor_sub_id"] else ""
    return {
        "correction_key": row["correction_key"],
        "what": f"{row['system']} {row['entity']}.{row['field']} {row['vendor_id']}{place}",
        "change": f"{row['observed']} → {row['desired']}", "class": row["drift_class"],
        "state": row["disposition_reason"], "since": row["held_since"],
    }


def why(settings: Settings, word: str, *, field: str, system: str) -> list[dict[str, Any]]:
    """Every stored statement about one item or person; personal values masked."""
    from pipelines.why import why as ask

    with copy_of(settings, has_macros=True) as con:
        found = ask(con, word, field=field, system=system)
    return [
        {
            "entity": s.entity, "field": s.field, "of": s.sub, "system": s.system, "vendor_id": s.vendor_id,
            "what": s.what, "at": s.at, "value": _words(s), "detail": s.detail,
        }
        for s in found
    ]


def worklist(settings: Settings, *, export: Path | None) -> list[dict[str, Any]]:
    """What is left to people after the last night; written to a file where one is named."""
    from pipelines.worklist import check_target, write_worklist
    from pipelines.worklist import worklist as ask

    if export is not None:
        check_target(export)
    with copy_of(settings) as con:
        found = ask(con)
    if export is not None:
        write_worklist(found, export)
    return found


def as_work(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the work list in few columns, for a terminal; what would be entered is in JSON and in files."""
    return {
        "kind": row["kind"], "where": " ".join(part for part in (row["system"], row["vendor_id"]) if part),
        "name": row["name"], "state": row["state"], "to_do": row["action"], "reason": row["reason"],
    }


def _masked(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("observed", "desired"):
        row[name] = shown(row["entity"], row["field"], row[name], row["currency"])
    return row


def _words(said: Statement) -> str | None:
    """A statement's value for people: money with its currency, personal parts masked ("Lyon → Nice": "L••• → N•••")."""
    if said.value is None:
        return None
    parts = [None if part == "∅" else part for part in said.value.split(" → ")]
    return " → ".join(shown(said.entity, said.field, part, said.currency) for part in parts)


def _dicts(result: Any) -> list[dict[str, Any]]:
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
