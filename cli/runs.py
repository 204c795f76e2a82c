"""Launches Dagster jobs in this process, recorded in the instance of DAGSTER_HOME like those from the UI.

Shows which step is at work; the steps' own words come through the logger `trueup`.
"""

import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from cli.history import opened, quick_history
from cli.home import dagster_home
from pipelines import errors as known
from pipelines.errors import LeaseHeld
from resources.settings import Settings

_ON_PURPOSE = {name for name, kind in vars(known).items() if isinstance(kind, type)}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(slots=True)
class Ended:
    """How a run ended."""

    run_id: str
    is_success: bool
    errors: list[str] = field(default_factory=list)
    """What went wrong, one sentence a step."""
    is_lease_held: bool = False
    night_id: str | None = None
    """The night it was about, where it came to its end."""


def launch(settings: Settings, job_name: str, config: Mapping[str, Any], console: Console) -> Ended:
    """Run one job to its end. `config`: what is asked of the night."""
    folder = dagster_home(settings)
    with console.status("loading Dagster") if console.is_terminal else _nothing():
        import dagster as dg

        from assets.sensors import tell_failure
        from definitions import build_defs
        from resources.clock import SystemClock
        from resources.orphans import fail_orphans

        job = build_defs().resolve_job_def(job_name)
    run_id = str(uuid.uuid4())
    show = Progress(console)
    with quick_history(), opened(folder) as instance, show:
        for killed in fail_orphans(instance, settings, now=SystemClock().now()):
            tell_failure(instance, killed, settings.home)
        instance.add_event_listener(run_id, show.hear)
        result = job.execute_in_process(
            run_config={"resources": {"night": {"config": dict(config)}}, **QUIET},
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            tags={"trueup/launched_by": "command line"},
        )
        failed = None if result.success else instance.get_run_by_id(run_id)
        if failed is not None:  # leave the line that the sensor would leave, were the daemon up
            tell_failure(instance, failed, settings.home)
    errors, is_held, night_id = [], False, None
    for event in result.all_events:
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            told = event.step_materialization_data.materialization.metadata.get("night_id")
            night_id = told.value if told else night_id
        data = event.event_specific_data
        error = getattr(data, "error", None)
        if event.is_failure and error is not None:
            cause = _told(error)
            is_held = is_held or cause.cls_name == LeaseHeld.__name__
            errors.append(f"{event.step_key or job_name}: {cause.message.strip()}")
    return Ended(run_id, result.success, list(dict.fromkeys(errors)), is_held, night_id)


def _told(error: Any) -> Any:
    """What of a chain of errors is for people: the last that was made on purpose, else what all began with."""
    chain = [error]
    while chain[-1].cause is not None:
        chain.append(chain[-1].cause)
    return next((one for one in reversed(chain) if one.cls_name in _ON_PURPOSE), chain[-1])


class Progress(logging.Handler):
    """Prints each step as it ends, with the words that were logged meanwhile."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console, self._began = console, {}
        self._status = console.status("starting") if console.is_terminal else None
        self._logger = logging.getLogger("trueup")
        self._level = self._logger.level

    def __enter__(self) -> "Progress":
        self._logger.addHandler(self)
        self._logger.setLevel(logging.INFO)
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level)
        if self._status:
            self._status.stop()

    def emit(self, record: logging.LogRecord) -> None:
        """A word from a stage."""
        style = "yellow" if record.levelno >= logging.WARNING else "dim"
        self._console.print(f"    {record.getMessage()}", style=style, highlight=False, markup=False)

    def hear(self, entry: Any) -> None:
        """An event of the run."""
        event = entry.dagster_event
        if event is None or not event.step_key:
            return
        if event.is_step_start:
            self._began[event.step_key] = time.monotonic()
            if self._status:
                self._status.update(event.step_key)
        elif event.is_step_success or event.is_step_failure:
            seconds = time.monotonic() - self._began.get(event.step_key, time.monotonic())
            mark = "[green]✓[/]" if event.is_step_success else "[red]✗[/]"
            self._console.print(f"  {mark} {event.step_key:<10} {seconds:5.1f} s", highlight=False)
        elif event.is_step_skipped:
            self._console.print(f"  [yellow]-[/] {event.step_key:<10} left out", highlight=False)


class _nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...
