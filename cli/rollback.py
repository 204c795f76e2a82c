"""`trueup rollback`: undoing what a plan wrote, all of it or a part. Imports no Dagster unless it is told to do it.

Dry unless told otherwise: out of the snapshot it shows what would be written back, what somebody has changed since,
and what a rule keeps. With `--yes` the order is dropped in the inbox like an answer, and a run that does nothing else
carries it out; with `--later` the next night does.
"""

import getpass
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from cli.leaving import leave
from cli.scoping import Entities, Systems
from cli.screen import SHOWN, margin, tell, tell_json, tell_table
from pipelines.errors import ConfigurationError
from resources.settings import Settings

_VALUES = ("before", "after", "observed")
_WHERE = ("restored", "left", "kept")


def rollback(
    plan: Annotated[str, typer.Argument()],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the order.")],
    author: Annotated[
        str, typer.Option("--author", help="Who says so; the key's owner in estate.toml, else the system's user.")
    ] = "",
    systems: Systems = None, entities: Entities = None,
    fields: Annotated[list[str] | None, typer.Option("--field", help="Only this field; may be repeated.")] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option("--key", help="Only this SKU, GTIN, vendor id, id of ours or correction key; may be repeated."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only shown what would be done.")] = False,
    later: Annotated[bool, typer.Option("--later", help="With --yes: let the next night do it.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show every row of every table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Undo what a plan wrote, where it still stands as it was written; shows what, and with --yes does it.

    \b
    PLAN  the id of a plan, or of a night, whose main plan is meant (`trueup status` lists the nights)
    """

    def run() -> int:
        from cli.home import prepare

        settings = prepare()
        if yes and not later:
            _check_free(settings)
        found = rolled_back(
            settings, plan, reason=reason, author=author, systems=systems or (), entities=entities or (),
            fields=fields or (), keys=keys or (), yes=yes,
        )
        if not (yes and not later and as_json):  # then the run's own JSON is all
            _tell(found, as_json=as_json, most=None if everything else SHOWN, is_now=yes and not later)
        if not yes or later:
            return 0
        from cli import night

        asked = {"kind": "sync_now", "rollback_of": found["plan_id"]}
        return night.run_job(settings, margin(), "sync_now", asked, as_json=as_json)

    leave(run)


def rolled_back(
    settings: Settings, plan: str, *, reason: str, author: str, systems: Sequence[str] = (),
    entities: Sequence[str] = (), fields: Sequence[str] = (), keys: Sequence[str] = (), yes: bool,
) -> dict[str, Any]:
    """What would be written back, what is left and what is kept; with `yes` the order is dropped."""
    from cli.answers import copy_of, estate_time
    from cli.signing import signer
    from pipelines.ledger.inbox import drop
    from pipelines.ledger.rollbacks import Rollback, find_plan, judge_rollback
    from pipelines.rollback import would_restore

    own = signer(settings) if yes else None
    author = author or (own.name if own is not None else "") or getpass.getuser()
    with copy_of(settings, has_macros=True) as con:
        word = Rollback(
            plan_id=find_plan(con, plan), author=author, reason=reason,
            at=estate_time(settings, con), systems=tuple(systems), entities=tuple(entities), fields=tuple(fields),
            keys=tuple(keys),
        )
        judge_rollback(word)
        found = would_restore(con, word)
    if own is not None:
        drop(settings.inbox, word, own)
    return {
        "plan_id": word.plan_id, "restored": _masked(found.restored), "left": _masked(found.left),
        "kept": _masked(found.kept), "already": found.already, "is_dropped": yes,
    }


def in_short(row: dict[str, Any]) -> dict[str, Any]:
    """A row in few columns, for a terminal."""
    place = f" at {row['vendor_sub_id']}" if row["vendor_sub_id"] else ""
    return {
        "what": f"{row['system']} {row['entity']}.{row['field']} {row['vendor_id']}{place}",
        "before": row["before"], "written": row["after"], "now": row["observed"], "why": row["why"],
    }


def _check_free(settings: Settings) -> None:
    """ConfigurationError where a run would write nothing, since trueup is stopped: said before anything is ordered."""
    from pipelines.kill_switch import read_stop

    stop = read_stop(settings.kill_switch)
    if stop is not None:
        raise ConfigurationError(
            f"{stop}: nothing would be written back. `trueup go` lets trueup write again; "
            "--yes --later leaves the order to the next night"
        )


def _tell(found: dict[str, Any], *, as_json: bool, most: int | None, is_now: bool) -> None:
    if as_json:
        tell_json(found)
        return
    titles = ("Written back", "Left as it is: somebody has changed it since", "Kept as it is, by a rule")
    tell(f"Plan {found['plan_id']}")
    for title, name in zip(titles, _WHERE, strict=True):
        tell_table(title, [in_short(row) for row in found[name]], most=most)
    told = Counter({name: len(found[name]) for name in _WHERE})
    tell(
        f"{told['restored']} values to write back, {told['left']} changed since, {told['kept']} kept by a rule, "
        f"{found['already']} as before already"
    )
    if not found["is_dropped"]:
        tell("Nothing was done; --yes does it")
    elif not is_now:
        tell("Dropped in the inbox: the next night takes it in")


def _masked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As people may see them."""
    from pipelines.report.mask import shown

    return [
        {
            name: shown(row["entity"], row["field"], value, row["currency"]) if name in _VALUES else value
            for name, value in row.items()
        }
        for row in rows
    ]
