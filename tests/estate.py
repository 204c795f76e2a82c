"""A whole estate for tests of nights: a small world, its vendors' apps mounted in process, and Dagster over them.

No socket, no sleep: the clock is the world's, and waiting moves a counter only. Nights run as Dagster jobs on an
ephemeral or a given instance, as the command line and the UI run them.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import httpx

from definitions import build_defs
from pipelines.channels import CHANNELS
from resources.channels import Settings
from resources.night import NightResource, place_resource
from resources.warehouse import open_copy
from resources.workplace import Workplace, open_workplace
from sandbox.app import build_app, load_vendors
from sandbox.estate import write_estate
from sandbox.store import Store
from sandbox.vendor import Settings as Behaviour
from sandbox.world.create import create_world
from sandbox.world.day import live_day
from sandbox.world.settings import EPOCH, WorldSettings
from tests import arming

URL = "http://sandbox.test"
KEY = "the tests' own key"


class WorldClock:
    """The world's time; sleeping costs none of ours."""

    def __init__(self, store: Store) -> None:
        self._store, self._slept = store, 0.0

    def now(self) -> datetime:
        return self._store.now()

    def monotonic(self) -> float:
        return time.monotonic() + self._slept

    async def sleep(self, seconds: float) -> None:
        self._slept += seconds
        await asyncio.sleep(0)


class PlayedEstate:
    """One world and one home of trueup."""

    def __init__(self, folder: Path, size: WorldSettings, **behaviour: Any) -> None:
        self.home, self.folder = folder / "home", folder / "world"
        self.folder.mkdir(parents=True)
        self.vendors = load_vendors()
        self.store = Store(self.folder / "world.sqlite", epoch=EPOCH)
        create_world(self.folder, size, self.store, self.vendors)
        self.behave(**behaviour)
        environment = {
            "TRUEUP_HOME": str(self.home), "TRUEUP_ESTATE": str(arming.name_her(write_estate(self.folder, size, URL))),
            "TRUEUP_CONTACT_KEY": KEY, "TRUEUP_THREADS": "2",
            **{secret: "sandbox" for channel in CHANNELS for secret in channel.secrets},
        }
        self.settings = Settings.read(environment)

    def behave(self, **behaviour: Any) -> None:
        """How the vendors behave from now on: fields of `sandbox.vendor.Settings`."""
        self.app = build_app(self.store, Behaviour(base_url=URL, **behaviour), folder=self.folder, vendors=self.vendors)

    def live_a_day(self) -> None:
        """Let the world live one day."""
        live_day(self.folder, self.store, self.vendors)

    def open(self, holder: str = "a test") -> AbstractContextManager[Workplace]:
        """The workplace of one run, armed."""
        arming.arm(self.settings, self.store.now())
        return open_workplace(
            self.settings, CHANNELS, holder=holder, clock=WorldClock(self.store),
            transports=lambda system: httpx.ASGITransport(self.app),
        )

    def run(
        self, job: str, instance: dg.DagsterInstance, *, partition: str | None = None,
        tags: Mapping[str, str] | None = None, **asked: Any,
    ) -> dg.ExecuteInProcessResult:
        """Run one job as the command line does."""

        class PlayedNight(NightResource):
            """The night over this estate."""

            opener = staticmethod(self.open)

        config: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        if asked:
            config["resources"] = {"night": {"config": asked}}
        defs = build_defs({"night": PlayedNight(), "place": place_resource(self.open)})
        return defs.resolve_job_def(job).execute_in_process(
            run_config=config, instance=instance, raise_on_error=False, partition_key=partition,
            tags=dict(tags or {}),
        )

    @contextmanager
    def copy(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The snapshot that the last run left, as questions read it."""
        with open_copy(self.settings.snapshot, contact_key=KEY.encode()) as con:
            con.execute("USE ledger")
            yield con


def errors(result: dg.ExecuteInProcessResult) -> list[str]:
    """What went wrong in a run, whole."""
    found = []
    for event in result.all_events:
        error = getattr(event.event_specific_data, "error", None)
        if event.is_failure:
            found.append(f"{event.step_key}: {error.to_string() if error else event.message}")
    return found
