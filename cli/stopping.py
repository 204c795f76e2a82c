"""`trueup stop` and `trueup go`: the kill switch, as words. Imports no Dagster, asks no system, opens no database."""

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.leaving import leave
from cli.screen import tell, tell_json


def stop(
    reason: Annotated[str, typer.Option("--reason", help="Why; `trueup status` shows it.")],
    author: Annotated[
        str, typer.Option("--author", help="Who says so; the operating system's user by default.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Stop all writing, opt-outs too: a run that is under way stops before its next batch, and no other writes."""

    def run() -> int:
        from cli.home import prepare
        from pipelines import kill_switch

        said = kill_switch.Stop(author or getpass.getuser(), reason, _now())
        found = kill_switch.stop(prepare().kill_switch, said)
        if as_json:
            tell_json({"stopped": {"by": found.author, "at": found.at, "reason": found.reason}})
        else:
            tell(f"{found}; `trueup go` lets it write again")
        return 0

    leave(run)


def go(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False) -> None:
    """Let trueup write again after `trueup stop`; the next night sends what has waited, opt-outs first."""

    def run() -> int:
        from cli.home import prepare
        from pipelines import kill_switch

        found = kill_switch.go(prepare().kill_switch)
        if as_json:
            was = None if found is None else {"by": found.author, "at": found.at, "reason": found.reason}
            tell_json({"was_stopped": was})
        else:
            tell("trueup was not stopped" if found is None else f"It may write again. Until now: {found}")
        return 0

    leave(run)


def _now() -> datetime:
    from resources.clock import SystemClock

    return SystemClock().now().astimezone(UTC).replace(microsecond=0)
