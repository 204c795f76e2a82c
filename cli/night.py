"""The commands that extract or write: each launches the Dagster job of the same meaning, then shows what it did.

With the embedded estate the sandbox is up while they work, and on an empty ledger `sync` runs the first nights.
"""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from rich.console import Console

from cli.answers import copy_of
from cli.home import ROOT, is_embedded
from cli.outside import World, served
from cli.runs import Ended, launch
from cli.summary import last_night, show, summarise
from pipelines.errors import ConfigurationError, FatalChannelError
from pipelines.night import has_adopted
from resources.channels import Settings

DONE, FAILED, WRONG, HELD, PARTIAL = 0, 1, 2, 3, 4
"""Exit codes: done · a run failed · a setting is wrong · another run is writing · a system was not read or
not written whole."""

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
            code = _run(refreshed, console, "adopt", {"kind": "adopt"}, as_json=False)
            if code != DONE:
                return code
            _live_a_day(refreshed, console)
        job = "sync_now" if scoped else "nightly"
        return _run(refreshed, console, job, {"kind": job, **asked}, as_json=as_json)


def run_job(settings: Settings, console: Console, job: str, asked: Mapping[str, Any], *, as_json: bool) -> int:
    """One job with the outside world at hand."""
    with outside(settings, console) as refreshed:
        return _run(refreshed, console, job, asked, as_json=as_json)


def export_plan(settings: Settings, target: Path) -> Path:
    """Write the newest plan as a spreadsheet (.xlsx) or as JSON lines (anything else)."""
    from pipelines.planfile import write_plan_file
    from pipelines.report import plan_rows
    from pipelines.spreadsheet import write_plan

    with copy_of(settings) as con:
        con.execute("USE ledger")
        head = con.execute(_PLAN_HEAD).fetchone()
        if head is None:
            raise ConfigurationError("there is no plan yet; run `trueup plan`")
        if target.suffix == ".xlsx":
            return write_plan(plan_rows(con, head[0], most=_ALL_ROWS), target, fingerprint=head[1])
        return write_plan_file(con, head[0], target)


def day(settings: Settings, console: Console) -> int:
    """Let the sandbox's world live one more day."""
    world = World.of(settings)
    if not world.exists:
        world.create()
    _live_a_day(settings, console)
    return DONE


def judge(settings: Settings, words: Sequence[str]) -> int:
    """Compare the last night's plan and the systems' state with the world's truth."""
    plan = export_plan(settings, settings.home / "plans" / "last.jsonl")
    world = World.of(settings)
    return subprocess.run([*world.command("judge", "--plan", str(plan)), *words], cwd=ROOT, check=False).returncode


def is_adopted(settings: Settings) -> bool:
    """Whether a first night has been adopted whole; asked of the snapshot."""
    if not settings.snapshot.exists():
        return False
    with copy_of(settings) as con:
        return has_adopted(con)


@contextmanager
def outside(settings: Settings, console: Console) -> Iterator[Settings]:
    """The settings with which the estate's systems can be reached: the sandbox is served while they are used."""
    if not is_embedded():
        yield settings
        return
    if not World.of(settings).exists:
        console.print("making the sandbox's world", style="dim")
    with served(settings):
        yield Settings.read()


def _live_a_day(settings: Settings, console: Console) -> None:
    console.print("the world lives one day", style="dim")
    world = World.of(settings)
    url = world.running()
    if url is None:
        subprocess.run(world.command("day"), cwd=ROOT, check=True)
        return
    answer = httpx.post(f"{url}/_control/day", timeout=3600.0, trust_env=False)
    if answer.is_error:
        raise FatalChannelError(f"the sandbox could not live a day: {answer.text[:500]}")
    console.print(f"  the night must find: {answer.json()['expected']}", style="dim", highlight=False)


def _run(settings: Settings, console: Console, job: str, asked: Mapping[str, Any], *, as_json: bool) -> int:
    console.print(f"[bold]{job}[/]")
    before = last_night(settings)
    ended = launch(settings, job, asked, console)
    night_id = ended.night_id or last_night(settings)
    if not ended.is_success:
        return _failed(ended, console)
    if night_id is None:
        return FAILED
    told = summarise(settings, night_id)
    if as_json:
        Console(soft_wrap=True).print_json(msgspec.json.encode(told.as_dict()).decode())
    elif night_id != before or job in ("approve_plan", "verify_plan"):
        show(told, console)
    return PARTIAL if told.is_partial else DONE


def _failed(ended: Ended, console: Console) -> int:
    for error in ended.errors:
        console.print(f"[red]{error}[/]", highlight=False, markup=True)
    if ended.is_lease_held:
        return HELD
    console.print(f"run {ended.run_id} failed; `make ui` shows it", style="dim")
    return FAILED
