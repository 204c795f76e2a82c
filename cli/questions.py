"""Answers from the snapshot: status and why. Imports no Dagster, and works while a night runs."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from cli.answers import copy_of
from pipelines.ledger.inbox import refusals
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
_UNREAD = "SELECT system, entity, reason FROM ledger.reads.verdicts WHERE NOT is_complete ORDER BY ALL"


def status(settings: Settings, *, nights: int = 5) -> dict[str, Any]:
    """The last nights, what waits for a person, what could not be read, who is kept out, and what was not taken."""
    refused = Counter(refusals(settings.inbox).values())
    with copy_of(settings) as con:
        return {
            "nights": _dicts(con.execute(_NIGHTS, [nights])),
            "held": [_masked(row) for row in _dicts(con.execute(_HELD))],
            "unread": _dicts(con.execute(_UNREAD)),
            "quarantine": [asdict(row) for row in quarantined(con)],
            "refused_answers": [{"answers": count, "reason": reason} for reason, count in sorted(refused.items())],
            "open_answers": len(list(settings.inbox.glob("*.json"))) if settings.inbox.is_dir() else 0,
        }


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
