"""The commands of `trueup` and their options. Each imports what it needs when it runs: asking imports no Dagster."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.scoping import Census, Entities, Keys, Short, Systems
from pipelines.errors import ConfigurationError, DataError, LeaseHeld, SyncError

app = typer.Typer(
    help="Brings till, webshop, CRM and e-mail tool back into agreement: plan, approve, push, re-read.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)
WIDTH = 120 if not sys.stdout.isatty() else None
"""A pipe or a file is as wide as our tables; a terminal is as wide as it is."""
console = Console(stderr=True, width=WIDTH)
out = Console(width=WIDTH)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the answer.")]
Author = Annotated[str, typer.Option("--author", help="Who says so; the operating system's user by default.")]
RowKeys = Annotated[list[str], typer.Argument(help="Correction keys, or their beginnings.")]


@app.command()
def sync(
    systems: Systems = None, entities: Entities = None, keys: Keys = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan only; write nothing.")] = False,
    census: Census = False, accept_short: Short = None, as_json: Json = False,
) -> None:
    """Run one night: read, reconcile, plan, approve by policy, push, prove."""
    from cli import night

    asked = _asked(systems, entities, keys, census, accept_short) | ({"dry_run": True} if dry_run else {})
    _leave(lambda: night.sync(_settings(), console, asked=asked, as_json=as_json))


@app.command()
def plan(
    systems: Systems = None, entities: Entities = None, keys: Keys = None, census: Census = False,
    last: Annotated[bool, typer.Option("--last", help="Export the last plan; read and plan nothing.")] = False,
    export: Annotated[Path | None, typer.Option(help="Write the plan as .xlsx or .jsonl.")] = None,
    as_json: Json = False,
) -> None:
    """Read and plan, and write to no system; with --export a spreadsheet that may come back with decisions."""
    from cli import night

    def run() -> int:
        settings, code = _settings(), night.DONE
        if not last:
            asked = _asked(systems, entities, keys, census, None) | {"kind": "sync_now", "dry_run": True}
            code = night.run_job(settings, console, "sync_now", asked, as_json=as_json)
        if export is not None and code in (night.DONE, night.PARTIAL):
            console.print(f"plan written to {night.export_plan(settings, export)}")
        return code

    _leave(run)


@app.command()
def push(as_json: Json = False) -> None:
    """Push what people have approved since, of the newest plan that is not of a dry run."""
    from cli import night

    _leave(lambda: night.run_job(_settings(), console, "approve_plan", {"kind": "sync_now"}, as_json=as_json))


@app.command()
def verify(as_json: Json = False) -> None:
    """Read back again what was written and is not confirmed yet."""
    from cli import night

    _leave(lambda: night.run_job(_settings(), console, "verify_plan", {"kind": "sync_now"}, as_json=as_json))


@app.command()
def adopt(accept_short: Short = None, as_json: Json = False) -> None:
    """Run the first night: what is equal becomes the base, the rest is resolved by source of truth."""
    from cli import night

    asked = {"kind": "adopt", **_asked(None, None, None, False, accept_short)}
    _leave(lambda: night.run_job(_settings(), console, "adopt", asked, as_json=as_json))


@app.command()
def day() -> None:
    """Let the sandbox's world live one more day."""
    from cli import night

    _leave(lambda: night.day(_settings(), console))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def judge(context: typer.Context) -> None:
    """Compare the last plan and the systems' state with the sandbox's truth; exit 1 for any other outcome."""
    from cli import night

    _leave(lambda: night.judge(_settings(), context.args))


@app.command()
def ui(port: Annotated[int, typer.Option(help="Dagster's port on 127.0.0.1.")] = 3000) -> None:
    """Serve the sandbox and Dagster on 127.0.0.1 until Ctrl-C."""
    from cli import serve

    _leave(lambda: serve.ui(_settings(), console, port))


@app.command()
def status(
    nights: Annotated[int, typer.Option(help="How many nights to show.")] = 5, as_json: Json = False
) -> None:
    """What stands: the last nights, what waits for a person, what could not be read."""
    from cli import questions

    def run() -> int:
        found = questions.status(_settings(), nights=nights)
        if as_json:
            _json(found)
            return 0
        _table("Nights", found["nights"])
        _table("Waiting for a person", [questions.in_short(row) for row in found["held"]])
        _table("Not read whole in the last night", found["unread"])
        if found["open_answers"]:
            out.print(f"{found['open_answers']} answers wait in the inbox; `trueup push` takes them in")
        return 0

    _leave(run)


@app.command()
def why(
    word: Annotated[str, typer.Argument(help="SKU, GTIN, vendor id, e-mail or our id.")],
    field: Annotated[str, typer.Argument(help="Only this field.")] = "",
    system: Annotated[str, typer.Argument(help="Only this system.")] = "",
    as_json: Json = False,
) -> None:
    """Why a value is what it is: who said what, which rule decided, which plan wrote it, who approved."""
    from cli import questions

    def run() -> int:
        found = questions.why(_settings(), word, field=field, system=system)
        if as_json:
            _json(found)
        elif found:
            _table("", found)
        else:
            out.print("nothing is stored about that")
        return 0 if found else 1

    _leave(run)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check credentials, scopes, shop ids, clocks and unmapped places; writes nothing."""
    from cli import examine

    _leave(lambda: examine.doctor(_settings(), console, out, as_json=as_json))


@app.command()
def approve(keys: RowKeys, reason: Reason, author: Author = "") -> None:
    """Release held rows; `trueup push` or the next night writes them."""
    _answer("approve", keys, reason, author, None)


@app.command()
def reject(keys: RowKeys, reason: Reason, author: Author = "") -> None:
    """Say no to held rows; they are not asked again while nothing changes."""
    _answer("reject", keys, reason, author, None)


@app.command("accept-theirs")
def accept_theirs(keys: RowKeys, reason: Reason, author: Author = "") -> None:
    """Make the edited value the truth: the source of truth is corrected toward it."""
    _answer("accept-theirs", keys, reason, author, None)


@app.command()
def pin(
    keys: RowKeys, reason: Reason,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day it holds.")],
    author: Author = "",
) -> None:
    """Leave the values as they are until a day."""
    _answer("pin", keys, reason, author, until)


@app.command()
def decide(
    sheet: Annotated[Path, typer.Argument(help="An exported plan with its decision column filled in.")],
    author: Author = "",
) -> None:
    """Take in the decisions of a spreadsheet."""
    from cli import answers

    def run() -> int:
        console.print(f"{answers.decide(_settings(), sheet, author=author)} decisions dropped in the inbox")
        return 0

    _leave(run)


def _answer(kind: Any, keys: list[str], reason: str, author: str, until: datetime | None) -> None:
    from cli import answers

    def run() -> int:
        day = until.date() if until else None
        for key in answers.answer(_settings(), kind, keys, reason=reason, author=author, until=day):
            console.print(f"{kind}: {key}", highlight=False)
        return 0

    _leave(run)


def _asked(
    systems: list[str] | None, entities: list[str] | None, keys: list[str] | None, census: bool,
    short: list[str] | None,
) -> dict[str, Any]:
    found = {"systems": systems, "entities": entities, "subjects": keys, "accept_short": short}
    return {name: value for name, value in found.items() if value} | ({"force_census": True} if census else {})


def _settings() -> Any:
    from cli.home import prepare

    return prepare()


def _leave(work: Callable[[], int]) -> None:
    """Run a command; errors made on purpose become one sentence and their exit code."""
    try:
        code = work()
    except LeaseHeld as error:
        console.print(f"[red]{error}[/]", highlight=False)
        code = 3
    except (ConfigurationError, DataError) as error:
        console.print(Text(str(error), style="red"), highlight=False)
        code = 2
    except SyncError as error:
        console.print(Text(str(error), style="red"), highlight=False)
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _json(found: Any) -> None:
    import msgspec

    out.print_json(msgspec.json.encode(found).decode())


def _table(title: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(name, value)) for name, value in row.items()))
    out.print(table)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    return str(value)[:12] if name == "correction_key" else str(value)


if __name__ == "__main__":
    app()
