"""What a night did, for a person to read (or as JSON): from the ledger's snapshot, never from a run's memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.answers import copy_of
from pipelines.report.facts import NightFacts, night_facts
from resources.settings import Settings

_ROWS = (
    "SELECT r.system, r.entity, sum(r.row_count) FROM (SELECT x.system, unnest(x.entities) AS entity, x.row_count "
    "FROM ledger.sync.reads AS x WHERE x.night_id = ?) AS r GROUP BY r.system, r.entity"
)
_APPROVED = (
    "SELECT c.system, c.entity, count(*) FILTER (WHERE c.disposition = 'approve' AND c.approver = 'policy') AS policy, "
    "count(*) FILTER (WHERE (c.disposition = 'approve' AND c.approver <> 'policy') OR g.correction_key IS NOT NULL) "
    "AS person FROM ledger.sync.corrections AS c JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id "
    "LEFT JOIN (SELECT DISTINCT a.plan_id, a.correction_key FROM ledger.sync.approvals AS a "
    "WHERE a.approver <> 'policy') AS g ON g.plan_id = c.plan_id AND g.correction_key = c.correction_key "
    "WHERE p.night_id = ? GROUP BY c.system, c.entity"
)
_UNWRITTEN = (
    "SELECT c.system, c.entity, concat_ws(': ', 'push', o.status, coalesce(nullif(o.message, ''), nullif(o.code, ''))) "
    "AS cause, count(*) AS row_count FROM ledger.sync.corrections AS c "
    "JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id JOIN (SELECT x.plan_id, x.correction_key, "
    "max_by(x.status, x.\"at\") AS status, max_by(x.code, x.\"at\") AS code, max_by(x.message, x.\"at\") AS message "
    "FROM ledger.sync.outcomes AS x GROUP BY x.plan_id, x.correction_key) AS o "
    "ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key "
    "WHERE p.night_id = ? AND c.disposition = 'approve' AND o.status <> 'applied' AND NOT EXISTS (SELECT 1 FROM "
    "ledger.sync.verifications AS v WHERE v.plan_id = c.plan_id AND v.correction_key = c.correction_key "
    "AND v.status = 'confirmed') GROUP BY c.system, c.entity, cause ORDER BY ALL"
)
_LAST = "SELECT night_id FROM ledger.sync.nights ORDER BY started_at DESC, night_id DESC LIMIT 1"
_HEAD = "SELECT summary, status FROM ledger.sync.nights WHERE night_id = ?"
_NEW = (
    "SELECT count(*) FILTER (WHERE c.is_new), count(*) FROM ledger.sync.corrections AS c "
    "JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id WHERE p.night_id = ?"
)

_CAUSES = 40
"""Causes shown; a push may fail in as many words as a vendor has."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One night in figures."""

    facts: NightFacts
    rows: dict[tuple[str, str], int]
    calls: dict[str, dict[str, float]]
    new: int
    planned: int
    report: Path
    plan: Path
    approved: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """By policy and by a person, by system and entity."""
    unwritten: list[dict[str, Any]] = field(default_factory=list)
    """What was approved and sent or skipped, and not written, with the system's own word: the causes of `push`."""
    refused: tuple[str, ...] = ()
    """Why answers of people were not taken."""
    stopped: dict[str, str] = field(default_factory=dict)
    """Systems that a push had to leave, and why."""
    unarmed: dict[str, Any] = field(default_factory=dict)
    """How many rows may go by policy and nothing arms, and why not."""

    @property
    def remaining(self) -> list[dict[str, Any]]:
        """What remains by cause; where a push failed, with its message."""
        others = [row for row in self.facts.remaining if not str(row["cause"]).startswith("push: ")]
        return sorted([*others, *self.unwritten], key=lambda row: (-row["row_count"], row["system"], row["entity"]))

    @property
    def is_partial(self) -> bool:
        """Whether a system was not read whole, or not written whole: of a dry run, too."""
        unread = [read for read in self.facts.reads if not read["is_complete"]]
        return bool(self.stopped or unread) or self.facts.status == "partial"

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "night_id": self.facts.night_id, "kind": self.facts.kind, "status": self.facts.status,
            "as_of": self.facts.as_of, "new_corrections": self.new, "corrections": self.planned,
            "rows": [{"system": s, "entity": e, "rows": n} for (s, e), n in sorted(self.rows.items())],
            "reads": self.facts.reads, "drift": self.facts.drift, "flow": self.facts.flow,
            "approved": [
                {"system": s, "entity": e, "by_policy": policy, "by_person": person}
                for (s, e), (policy, person) in sorted(self.approved.items())
            ],
            "remaining": self.remaining, "unwanted": self.facts.unwanted, "quarantine": self.facts.quarantine,
            "calls": self.calls,
            "refused_answers": list(self.refused), "stopped": self.stopped, "unarmed": self.unarmed,
            "report": str(self.report), "plan": str(self.plan),
        }


def last_night(settings: Settings) -> str | None:
    """The newest night, if there is one."""
    if not settings.snapshot.exists():
        return None
    with copy_of(settings) as con:
        row = con.execute(_LAST).fetchone()
    return str(row[0]) if row else None


def summarise(settings: Settings, night_id: str, *, refused: Iterable[str] = ()) -> Summary:
    """Gather the figures of one night; `refused`: why answers were not taken meanwhile."""
    with copy_of(settings) as con:
        con.execute("USE ledger")
        facts = night_facts(con, night_id)
        rows = {(s, e): int(n) for s, e, n in con.execute(_ROWS, [night_id]).fetchall()}
        approved = {(s, e): (int(a), int(b)) for s, e, a, b in con.execute(_APPROVED, [night_id]).fetchall()}
        unwritten = [
            {"system": s, "entity": e, "cause": cause, "row_count": int(n)}
            for s, e, cause, n in con.execute(_UNWRITTEN, [night_id]).fetchall()
        ]
        head = con.execute(_HEAD, [night_id]).fetchone()
        counted = con.execute(_NEW, [night_id]).fetchone()
    kept = msgspec.json.decode(head[0]) if head and head[0] else {}
    return Summary(
        facts, rows, kept.get("calls", {}), int(counted[0]) if counted else 0, int(counted[1]) if counted else 0,
        settings.reports / night_id / "report.html", settings.home / "plans" / f"{night_id}.jsonl",
        approved, unwritten, tuple(refused), kept.get("stopped", {}), kept.get("unarmed", {}),
    )


def show(summary: Summary, console: Console) -> None:
    """Print the night."""
    facts = summary.facts
    console.print()
    console.print(
        f"[bold]Night {facts.night_id}[/] of {facts.estate} ({facts.kind}), as of "
        f"{facts.as_of.isoformat(timespec='minutes')}: [bold]{facts.status}[/]", highlight=False,
    )
    console.print(_flow(summary))
    if facts.drift:
        console.print(_drift(facts))
    if summary.remaining:
        console.print(_remaining(summary))
    if facts.quarantine:
        console.print(_quarantine(facts))
    if summary.calls:
        console.print(_calls(summary))
    for read in facts.reads:
        if not read["is_complete"]:
            console.print(f"[yellow]{read['system']}.{read['endpoint']} was not read whole:[/] {read['reason']}")
    for reason, names in sorted(_disbelieved(facts).items()):
        console.print(Text(f"frozen: {', '.join(names)}: {reason}", style="yellow"))
    for row in facts.unwanted:
        words = f"{row['row_count']} values are not wanted any more, and may be imported: {row['request']}"
        console.print(Text(f"{row['system']}: {words}", style="yellow"))
    for system, reason in sorted(summary.stopped.items()):
        console.print(f"[yellow]{system} was not written whole:[/] {reason}")
    for reason, count in sorted(Counter(summary.refused).items()):
        console.print(Text(f"{count} answers were not taken: {reason}", style="yellow"))
    if summary.unarmed:
        words = f"{summary.unarmed['rows']:,} rows are planned and not armed, so nothing of them was written"
        console.print(Text(f"{words}: {summary.unarmed['reason']}", style="yellow"))
    for system, count in sorted(facts.summary.get("parked", {}).items()):
        words = f"{count:,} values were refused as often as they may be tried, and wait for a person"
        console.print(Text(f"{system}: {words}", style="yellow"))
    if old := facts.summary.get("too_old"):
        console.print(Text(f"{old['rows']:,} rows were kept back: {old['reason']}", style="yellow"))
    console.print(f"[bold]{verdict(summary)}[/]", highlight=False)
    console.print(f"report  {summary.report}", highlight=False, soft_wrap=True)
    if summary.plan.exists():
        console.print(f"plan    {summary.plan}", highlight=False, soft_wrap=True)
    console.print("        for people: trueup plan --last --export plan.xlsx", highlight=False)


def _disbelieved(facts: NightFacts) -> dict[str, list[str]]:
    """What was frozen, by reason: reads that were not whole, checks that failed, opt-outs that did not go out."""
    found: dict[str, list[str]] = {}
    for row in facts.summary.get("unread", ()):
        found.setdefault(str(row["reason"]), []).append(f"{row['system']} {row['entity']}")
    return found


def verdict(summary: Summary) -> str:
    """The night in one sentence."""
    carried = summary.planned - summary.new
    words = f"{summary.new} new corrections planned"
    return f"{words}; {carried} carried from earlier nights." if carried else f"{words}."


def _flow(summary: Summary) -> Table:
    before, after = ("planned", "new"), ("held", "refused", "not_writable", "pushed", "confirmed")
    table = _plain("system", "entity", right=("rows read", *before, "by policy", "by person", *after))
    flow = {(row["system"], row["entity"]): row for row in summary.facts.flow}
    for key in sorted({*flow, *summary.rows}):
        told = flow.get(key, {})
        figures = [summary.rows.get(key, 0), *(told.get(name, 0) for name in before)]
        figures += [*summary.approved.get(key, (0, 0)), *(told.get(name, 0) for name in after)]
        table.add_row(*key, *map(_number, figures))
    return table


def _drift(facts: NightFacts) -> Table:
    table = _plain("system", "entity", "drift by class", title="Drift")
    found: dict[tuple[str, str], list[str]] = {}
    for row in facts.drift:
        found.setdefault((row["system"], row["entity"]), []).append(f"{row['drift_class']} {row['row_count']:,}")
    for (system, entity), classes in sorted(found.items()):
        table.add_row(system, entity, Text(", ".join(classes)))
    return table


def _remaining(summary: Summary) -> Table:
    table = _plain("system", "entity", title="What remains, by cause", right=("rows",))
    table.add_column("cause", overflow="fold")
    for row in summary.remaining[:_CAUSES]:
        table.add_row(row["system"], row["entity"], _number(row["row_count"]), Text(str(row["cause"])))
    if rest := summary.remaining[_CAUSES:]:
        table.add_row("…", "", _number(sum(row["row_count"] for row in rest)), Text(f"{len(rest)} more causes"))
    return table


def _quarantine(facts: NightFacts) -> Table:
    table = _plain("system", "entity", title="In quarantine (trueup status lists the keys)", right=("problems",))
    table.add_column("reasons", overflow="fold")
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in facts.quarantine:
        found.setdefault((row["system"], row["entity"]), []).append(row)
    for (system, entity), rows in sorted(found.items()):
        reasons = ", ".join(f"{row['field']}: {row['reason']} {row['row_count']:,}" for row in rows)
        table.add_row(system, entity, _number(sum(row["row_count"] for row in rows)), Text(reasons))
    return table


def _calls(summary: Summary) -> Table:
    titles = ("read", "least", "written and proved", "least", "throttled", "waited s")
    names = ("read", "read_least", "write", "write_least", "throttled", "waited_seconds")
    table = _plain("system", title="API calls", right=titles)
    for system, told in sorted(summary.calls.items()):
        table.add_row(system, *(f"{told[name]:,g}" for name in names))
    return table


def _plain(*left: str, title: str = "", right: tuple[str, ...] = ()) -> Table:
    table = Table(
        box=None, pad_edge=False, header_style="bold", title=title or None, title_justify="left", title_style="bold"
    )
    for name in left:
        table.add_column(name, overflow="fold")
    for name in right:
        table.add_column(name.replace("_", " "), justify="right", overflow="fold")
    return table


def _number(value: Any) -> str:
    return f"{int(value):,}" if value else "·"
