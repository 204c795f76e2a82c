"""The commands that extract or write: each launches the Dagster job of the same meaning, then shows what it did.

With the embedded estate the sandbox is up while they work, and on an empty ledger `sync` runs the first nights.
"""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Console

from cli.answers import copy_of
from cli.home import ROOT, is_embedded
from cli.outside import STDERR, World, outside
from cli.screen import screen, tell_json
from cli.signing import arm_sandbox
from cli.summary import Summary, last_night, show, summarise
from pipelines.errors import ConfigurationError, FatalChannelError
from pipelines.ledger.inbox import refusals
from pipelines.night import has_adopted, latest_plan
from resources.settings import Settings
from resources.workplace import check_settings

if TYPE_CHECKING:
    from cli.runs import Ended

DONE, FAILED, WRONG, HELD, PARTIAL, UNARMED = 0, 1, 2, 3, 4, 5
"""Exit codes: done · a run failed · a setting is wrong · another run is writing · a system was not read or
not written whole · a lane is planned and not armed, so nothing of it was written."""

_PLAN_HEAD = (
    "SELECT p.night_id, p.fingerprint FROM ledger.sync.plans AS p WHERE p.lane = 'main' "
    "ORDER BY p.created_at DESC, p.plan_id DESC LIMIT 1"
)
_ALL_ROWS = 10_000_000


def sync(settings: Settings, console: Console, *, asked: Mapping[str, Any], as_json: bool) -> int:
    """One night; on an empty ledger of the embedded estate the first nights. Returns the exit code."""
    with outside(settings, console) as refreshed:
        scoped = any(asked.get(name) for name in ("systems", "entities", "subjects", "dry_run"))
        if not is_adopted(refreshed):
            if asked.get("dry_run"):
                return _run(refreshed, console, "adopt", {**asked, "kind": "adopt"}, as_json=as_json)
            if scoped or not is_embedded():
                console.print(
                    "No first night has read every system yet, so there is no base: look at `trueup plan`, then run "
                    "`trueup adopt`."
                )
                return WRONG
            where = console if as_json else screen()  # one JSON on stdout: that of the night that was asked for
            code = _run(refreshed, console, "adopt", {"kind": "adopt"}, as_json=False, where=where)
            if code != DONE:
                return code
            _live_a_day(refreshed, console)
        job = "sync_now" if scoped else "nightly"
        return _run(refreshed, console, job, {"kind": job, **asked}, as_json=as_json)


def run_job(settings: Settings, console: Console, job: str, asked: Mapping[str, Any], *, as_json: bool) -> int:
    """One job with the outside world at hand."""
    with outside(settings, console) as refreshed:
        return _run(refreshed, console, job, asked, as_json=as_json)


def on_stored_plan(settings: Settings, console: Console, job: str, *, as_json: bool) -> int:
    """One job on the newest plan; ConfigurationError where the snapshot knows of none, before anything is started."""
    if not _has_plan(settings):
        raise ConfigurationError("there is no plan yet that is not of a dry run; run `trueup sync`")
    return run_job(settings, console, job, {"kind": "sync_now"}, as_json=as_json)


def check_export(target: Path) -> None:
    """ConfigurationError where no plan can be written in that form: said before a night is run for it."""
    if target.suffix not in (".xlsx", ".jsonl"):
        raise ConfigurationError(
            f"{target.name}: a plan is not written as {target.suffix or 'a file without an ending'}; "
            "allowed: .xlsx (for people, and it can come back) or .jsonl (for programs)"
        )


def export_plan(settings: Settings, target: Path) -> Path:
    """Write the newest plan as a spreadsheet (.xlsx) or as JSON lines (.jsonl)."""
    from pipelines.planfile import write_plan_file
    from pipelines.report.facts import plan_rows
    from pipelines.spreadsheet import write_plan

    check_export(target)
    with copy_of(settings) as con:
        con.execute("USE ledger")
        head = con.execute(_PLAN_HEAD).fetchone()
        if head is None:
            raise ConfigurationError("there is no plan yet; run `trueup plan`")
        try:
            if target.suffix == ".xlsx":
                return write_plan(plan_rows(con, head[0], most=_ALL_ROWS), target, fingerprint=head[1])
            return write_plan_file(con, head[0], target)
        except OSError as error:  # a full disk names no file
            raise OSError(error.errno, error.strerror, error.filename or str(target)) from error


def show_last(settings: Settings, *, as_json: bool) -> int:
    """What the last night planned and did, from the snapshot."""
    night_id = last_night(settings)
    if night_id is None:
        raise ConfigurationError("there is no plan yet; run `trueup plan`")
    _show(summarise(settings, night_id), screen(), as_json=as_json)
    return DONE


def day(settings: Settings, console: Console) -> int:
    """Let the sandbox's world live one more day."""
    if not is_embedded():
        raise ConfigurationError("only the sandbox's world lives by command; this estate is real")
    if not is_adopted(settings):
        raise ConfigurationError(
            "no night has been adopted yet, so that a day would hide what the first one must find; run `trueup sync` "
            "(`make sync`): it adopts the world as it is, lets it live a day and runs the next night"
        )
    World.of(settings).ensure()
    _live_a_day(settings, console)
    return DONE


def judge(settings: Settings, words: Sequence[str]) -> int:
    """Compare the last night's plan and the systems' state with the world's truth."""
    plan = export_plan(settings, settings.home / "plans" / "last.jsonl")
    world = World.of(settings)
    if world.exists:
        world.ensure()
    return subprocess.run([*world.command("judge", "--plan", str(plan)), *words], cwd=ROOT, check=False).returncode


def is_adopted(settings: Settings) -> bool:
    """Whether a first night has been adopted whole; asked of the snapshot."""
    if not settings.snapshot.exists():
        return False
    with copy_of(settings) as con:
        return has_adopted(con)


def _has_plan(settings: Settings) -> bool:
    if not settings.snapshot.exists():
        return False
    with copy_of(settings) as con:
        return latest_plan(con, "main") is not None


def _live_a_day(settings: Settings, console: Console) -> None:
    console.print("the world lives one day", style="dim")
    world = World.of(settings)
    url = world.running()
    if url is None:
        subprocess.run(world.command("day"), cwd=ROOT, stdout=STDERR, check=True)
        return
    answer = httpx.post(f"{url}/_control/day", timeout=3600.0, trust_env=False)
    if answer.is_error:
        raise FatalChannelError(f"the sandbox could not live a day: {answer.text[:500]}")
    console.print(f"  the night must find: {answer.json()['expected']}", style="dim", highlight=False)


def _run(
    settings: Settings, console: Console, job: str, asked: Mapping[str, Any], *, as_json: bool,
    where: Console | None = None,
) -> int:
    from cli.runs import launch  # here, for it takes a second: what is wrong with a setting is told before
    from pipelines.channels import CHANNELS

    check_settings(settings, CHANNELS)
    if is_embedded() and job != "verify_plan" and not asked.get("dry_run"):
        arm_sandbox(settings)
    console.print(f"[bold]{job}[/]")
    before, untaken = last_night(settings), refusals(settings.inbox)
    ended = launch(settings, job, asked, console)
    night_id = ended.night_id or last_night(settings)
    if not ended.is_success:
        return _failed(ended, console)
    if night_id is None:
        return FAILED
    refused = {name: reason for name, reason in refusals(settings.inbox).items() if name not in untaken}
    told = summarise(settings, night_id, refused=refused.values())
    if night_id != before:
        export_plan(settings, told.plan)
    if as_json or night_id != before or job in ("approve_plan", "verify_plan"):
        _show(told, where or screen(), as_json=as_json)
    if told.facts.status == "unarmed":
        return UNARMED
    return PARTIAL if told.is_partial else DONE


def _show(told: Summary, where: Console, *, as_json: bool) -> None:
    if as_json:
        tell_json(told.as_dict())
    else:
        show(told, where)


def _failed(ended: "Ended", console: Console) -> int:
    for error in ended.errors:
        console.print(f"[red]{error}[/]", highlight=False, markup=True)
    if ended.is_lease_held:
        return HELD
    console.print(f"run {ended.run_id} failed; `make ui` shows it", style="dim")
    return FAILED
