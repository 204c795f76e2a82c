"""What a night did, for a person to read (or as JSON): from the ledger's snapshot, never from a run's memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.answers import copy_of
from pipelines.report.facts import NightFacts, night_facts
from resources.channels import Settings

_ROWS = " UNION ALL ".join(
    f"SELECT system, '{entity}' AS entity, count(*) AS row_count FROM ledger.observed.{entity} GROUP BY system"
    for entity in ("items", "prices", "stock", "customers", "consents")
)
_LAST = "SELECT night_id FROM ledger.sync.nights ORDER BY started_at DESC, night_id DESC LIMIT 1"
_HEAD = "SELECT summary, status FROM ledger.sync.nights WHERE night_id = ?"
_NEW = (
    "SELECT count(*) FILTER (WHERE c.is_new), count(*) FROM ledger.sync.corrections AS c "
    "JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id WHERE p.night_id = ?"
)


@dataclass(frozen=True, slots=True)
class Summary:
    """One night in figures."""

    facts: NightFacts
    rows: dict[tuple[str, str], int]
    calls: dict[str, dict[str, float]]
    new: int
    planned: int
    report: Path
    stopped: dict[str, str]
    """Systems that a push had to leave, and why."""

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
            "remaining": self.facts.remaining, "quarantine": self.facts.quarantine, "calls": self.calls,
            "stopped": self.stopped, "report": str(self.report),
        }


def last_night(settings: Settings) -> str | None:
    """The newest night, if there is one."""
    if not settings.snapshot.exists():
        return None
    with copy_of(settings) as con:
        row = con.execute(_LAST).fetchone()
    return str(row[0]) if row else None


def summarise(settings: Settings, night_id: str) -> Summary:
    """Gather the figures of one night."""
    with copy_of(settings) as con:
        con.execute("USE ledger")
        facts = night_facts(con, night_id)
        rows = {(s, e): int(n) for s, e, n in con.execute(_ROWS).fetchall()} if _is_last(con, night_id) else {}
        head = con.execute(_HEAD, [night_id]).fetchone()
        counted = con.execute(_NEW, [night_id]).fetchone()
    kept = msgspec.json.decode(head[0]) if head and head[0] else {}
    return Summary(
        facts, rows, kept.get("calls", {}), int(counted[0]) if counted else 0, int(counted[1]) if counted else 0,
        settings.reports / night_id / "report.html", kept.get("stopped", {}),
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
    if facts.remaining:
        console.print(_remaining(facts))
    if summary.calls:
        console.print(_calls(summary))
    for read in facts.reads:
        if not read["is_complete"]:
            console.print(f"[yellow]{read['system']}.{read['endpoint']} was not read whole:[/] {read['reason']}")
    for system, reason in sorted(summary.stopped.items()):
        console.print(f"[yellow]{system} was not written whole:[/] {reason}")
    console.print(f"[bold]{verdict(summary)}[/]", highlight=False)
    console.print(f"report  {summary.report}", highlight=False, soft_wrap=True)
    console.print("plan    trueup plan --last --export plan.xlsx", highlight=False)


def verdict(summary: Summary) -> str:
    """The night in one sentence."""
    carried = summary.planned - summary.new
    words = f"{summary.new} new corrections planned"
    return f"{words}; {carried} carried from earlier nights." if carried else f"{words}."


def _flow(summary: Summary) -> Table:
    names = ("planned", "new", "approved", "held", "refused", "not_writable", "pushed", "confirmed")
    table = _plain("system", "entity", right=("rows", *names))
    flow = {(row["system"], row["entity"]): row for row in summary.facts.flow}
    for key in sorted({*flow, *summary.rows}):
        figures = [_number(flow.get(key, {}).get(name, 0)) for name in names]
        table.add_row(*key, _number(summary.rows.get(key, 0)), *figures)
    return table


def _drift(facts: NightFacts) -> Table:
    table = _plain("system", "entity", "drift by class", title="Drift")
    found: dict[tuple[str, str], list[str]] = {}
    for row in facts.drift:
        found.setdefault((row["system"], row["entity"]), []).append(f"{row['drift_class']} {row['row_count']:,}")
    for (system, entity), classes in sorted(found.items()):
        table.add_row(system, entity, Text(", ".join(classes)))
    return table


def _remaining(facts: NightFacts) -> Table:
    table = _plain("system", "entity", title="What remains, by cause", right=("rows",))
    table.add_column("cause", overflow="fold")
    for row in facts.remaining:
        table.add_row(row["system"], row["entity"], _number(row["row_count"]), Text(str(row["cause"])))
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


def _is_last(con: duckdb.DuckDBPyConnection, night_id: str) -> bool:
    row = con.execute(_LAST).fetchone()
    return bool(row) and row[0] == night_id
