"""The commands of `trueup` and their options. Each imports what it needs when it runs: asking imports no Dagster."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import answering, arming, authors, restoring, stopping
from cli.leaving import leave
from cli.rollback import rollback
from cli.scoping import Census, Entities, Keys, Short, Systems
from cli.screen import SHOWN, margin, tell, tell_json, tell_table
from cli.unmerge import unmerge

app = typer.Typer(
    help="Brings till, webshop, CRM and e-mail tool back into agreement: plan, approve, push, re-read.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
# What an argument is stands in its command's docstring: click 8.4 drops the help that typer hands to an argument.


@app.command()
def sync(
    systems: Systems = None, entities: Entities = None, keys: Keys = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan only; write nothing.")] = False,
    census: Census = False, accept_short: Short = None, as_json: Json = False,
) -> None:
    """Run one night: read, reconcile, plan, approve by policy, push, prove."""
    from cli import night

    asked = _asked(systems, entities, keys, census, accept_short) | ({"dry_run": True} if dry_run else {})
    leave(lambda: night.sync(_settings(), margin(), asked=asked, as_json=as_json))


@app.command()
def plan(
    systems: Systems = None, entities: Entities = None, keys: Keys = None, census: Census = False,
    last: Annotated[bool, typer.Option("--last", help="Show or export the last plan; read and plan nothing.")] = False,
    export: Annotated[Path | None, typer.Option(help="Write the plan to a file: .xlsx or .jsonl.")] = None,
    as_json: Json = False,
) -> None:
    """Read and plan, and write to no system; with --export a spreadsheet that may come back with decisions."""
    from cli import night

    def run() -> int:
        settings, code = _settings(), night.DONE
        if export is not None:
            night.check_export(export)
        if last and export is None:
            return night.show_last(settings, as_json=as_json)
        if not last:
            asked = _asked(systems, entities, keys, census, None) | {"kind": "sync_now", "dry_run": True}
            code = night.run_job(settings, margin(), "sync_now", asked, as_json=as_json)
        if export is not None and code in (night.DONE, night.PARTIAL):
            print(f"plan written to {night.export_plan(settings, export)}", file=sys.stderr)
        return code

    leave(run)


@app.command()
def push(as_json: Json = False) -> None:
    """Push what people have approved since, of the newest plan that is not of a dry run."""
    from cli import night

    leave(lambda: night.on_stored_plan(_settings(), margin(), "approve_plan", as_json=as_json))


@app.command()
def verify(as_json: Json = False) -> None:
    """Read back again what was written and is not confirmed yet."""
    from cli import night

    leave(lambda: night.on_stored_plan(_settings(), margin(), "verify_plan", as_json=as_json))


@app.command()
def adopt(accept_short: Short = None, as_json: Json = False) -> None:
    """Run the first night: what is equal becomes the base, the rest is resolved by source of truth."""
    from cli import night

    asked = {"kind": "adopt", **_asked(None, None, None, False, accept_short)}
    leave(lambda: night.run_job(_settings(), margin(), "adopt", asked, as_json=as_json))


@app.command()
def day() -> None:
    """Let the sandbox's world live one more day."""
    from cli import night

    leave(lambda: night.day(_settings(), margin()))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def judge(context: typer.Context) -> None:
    """Compare the last plan and the systems' state with the sandbox's truth; exit 1 for any other outcome."""
    from cli import night

    leave(lambda: night.judge(_settings(), context.args))


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="Dagster's port on 127.0.0.1.")] = 3000) -> None:
    """Serve the sandbox and Dagster on 127.0.0.1 until Ctrl-C."""
    from cli import serve

    leave(lambda: serve.ui(_settings(), margin(), port))


@app.command()
def status(
    nights: Annotated[int, typer.Option(min=0, help="How many nights to show.")] = 5,
    everything: Annotated[bool, typer.Option("--all", help="Show every row of every table.")] = False,
    as_json: Json = False,
) -> None:
    """What stands: the last nights, what waits for a person, what was not read, kept out or not taken."""
    from cli import questions

    def run() -> int:
        found = questions.status(_settings(), nights=nights)
        if as_json:
            tell_json(found)
        else:
            questions.tell_status(found, most=None if everything else SHOWN)
        return 0

    leave(run)


@app.command()
def why(
    word: Annotated[str, typer.Argument()],
    field: Annotated[str, typer.Argument()] = "",
    system: Annotated[str, typer.Argument()] = "",
    as_json: Json = False,
) -> None:
    """Why a value is what it is: who said what and when, which rule decided, which plan wrote it, who approved.

    \b
    WORD    a SKU, GTIN, vendor id, e-mail or our id
    FIELD   only this field or entity: amount, prices, prices.amount, stock …
    SYSTEM  only this system, and what was decided for all
    """
    from cli import questions

    def run() -> int:
        found = questions.why(_settings(), word, field=field, system=system)
        if as_json:
            tell_json(found)
        elif found:
            tell_table("", found, most=None)
        else:
            tell("nothing is stored about that")
        return 0 if found else 1

    leave(run)


@app.command()
def worklist(
    export: Annotated[Path | None, typer.Option(help="Write it to a file: .csv or .jsonl.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every row.")] = False,
    as_json: Json = False,
) -> None:
    """What only people do: items to enter, publish or withdraw, keys to mend, points to look at; with reasons."""
    from cli import questions

    def run() -> int:
        found = questions.worklist(_settings(), export=export)
        if as_json:
            tell_json(found)
        elif export is not None:
            print(f"{len(found)} rows written to {export}", file=sys.stderr)
        elif found:
            tell_table("", [questions.as_work(row) for row in found], most=None if everything else SHOWN)
        else:
            tell("nothing is left to people")
        return 0

    leave(run)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check credentials, scopes, shop ids, clocks and unmapped places; writes nothing."""
    from cli import examine

    leave(lambda: examine.doctor(_settings(), as_json=as_json))


def _asked(
    systems: list[str] | None, entities: list[str] | None, keys: list[str] | None, census: bool,
    short: list[str] | None,
) -> dict[str, Any]:
    found = {"systems": systems, "entities": entities, "subjects": keys, "accept_short": short}
    return {name: value for name, value in found.items() if value} | ({"force_census": True} if census else {})


def _settings() -> Any:
    from cli.home import prepare

    return prepare()


for command in (answering.approve, answering.reject, answering.accept_theirs, answering.pin, answering.decide):
    app.command(command.__name__.replace("_", "-"))(command)
for command in (unmerge, rollback, stopping.stop, stopping.go, arming.keygen, arming.arm, arming.disarm):
    app.command()(command)
app.command()(restoring.restore)
app.command()(authors.conformance)
app.command("new-channel")(authors.new_channel)


if __name__ == "__main__":
    app()
