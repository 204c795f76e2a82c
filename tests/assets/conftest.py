"""Played estates under Dagster: one that has been adopted for all tests, and copies of it to go on from.

Dagster takes most of a small night's time, so a test whose question begins after a night goes on from `begun`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from definitions import build_defs
from resources.means import Means
from resources.night import NightResource, place_resource
from sandbox.world.settings import WorldSettings
from tests.conftest import played_once
from tests.nights import harness
from tests.nights.harness import PlayedEstate

SIZE = WorldSettings(seed=5, variants=40, persons=60, shops=2)
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


def defs_over(played: PlayedEstate) -> dg.Definitions:
    """The code location over one played estate."""

    class PlayedNight(NightResource):
        """The night over this estate."""

        opener = staticmethod(lambda holder: played.open())

    return build_defs({"night": PlayedNight(), "place": place_resource(lambda holder: played.open())})


def run(
    played: PlayedEstate, job: str, instance: dg.DagsterInstance, *, partition: str | None = None,
    tags: Mapping[str, str] | None = None, **asked: Any,
) -> dg.ExecuteInProcessResult:
    """Run one job, as the command line does."""
    config = {"resources": {"night": {"config": asked}}} if asked else {}
    return defs_over(played).resolve_job_def(job).execute_in_process(
        run_config={**config, "loggers": QUIET}, instance=instance,
        raise_on_error=False, partition_key=partition, tags=dict(tags or {}),
    )


def told(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """The metadata of every table that a run filled, by its name in Dagster, as plain values."""
    return {
        event.asset_key.to_user_string(): {
            name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[PlayedEstate, dg.ExecuteInProcessResult]:
    """After its first night, with dlt and its tables, and that night's run. Not to be changed: copy it."""
    played = PlayedEstate.made(tmp_path_factory.mktemp("assets") / "first", SIZE)
    with dg.DagsterInstance.ephemeral() as instance, pytest.MonkeyPatch.context() as patch:
        patch.setattr(harness, "MEANS", Means())
        result = run(played, "adopt", instance, kind="adopt")
    assert result.success
    return played, result


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> PlayedEstate:
    """After its first night, by the same steps without Dagster. Not to be changed: copy it."""

    def play(folder: Path) -> tuple[PlayedEstate, str]:
        played = PlayedEstate.made(folder, SIZE)
        return played, played.night("adopt").status

    played, status = played_once(tmp_path_factory, "begun", play)
    assert status == "complete"
    return played
