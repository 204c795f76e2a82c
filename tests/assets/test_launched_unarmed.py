"""Whoever reaches Dagster alone writes nothing: jobs launched over GraphQL, as the UI does, on an estate not armed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.store import Store
from sandbox.world.settings import EPOCH
from tests.assets.test_ui import ROOT, free_port

PATIENCE = 600.0
LOCATIONS = (
    "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename "
    "... on RepositoryLocation { name repositories { name } } } } } } }"
)
LAUNCH = """
mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }
"""
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
TOLD = """
query ($id: ID!) { runOrError(runId: $id) { ... on Run { assetMaterializations { assetKey { path } metadataEntries {
  label ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text } } } } } }
"""


class Web:
    """Dagster's web server, asked as its own pages ask it: no login, no secret."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/graphql"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = httpx.post(self.url, json={"query": query, "variables": variables}, timeout=60.0, trust_env=False)
        return dict(answer.json()["data"])

    def location(self) -> tuple[str, str] | None:
        try:
            entries = self.ask(LOCATIONS)["workspaceOrError"].get("locationEntries", [])
        except (httpx.TransportError, KeyError, ValueError, TypeError):
            return None
        for entry in entries:
            found = entry["locationOrLoadError"] or {}
            if found.get("__typename") == "RepositoryLocation":
                return found["name"], found["repositories"][0]["name"]
        return None

    def run(self, where: tuple[str, str], job: str, until: float, **asked: Any) -> str:
        """Launch a job and wait for its end; the run's id."""
        selector = {"repositoryLocationName": where[0], "repositoryName": where[1], "jobName": job}
        config = {"resources": {"night": {"config": asked}}}
        launched = self.ask(LAUNCH, params={"selector": selector, "runConfigData": config})["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id, status = launched["run"]["runId"], ""
        while time.monotonic() < until and status not in ("SUCCESS", "FAILURE", "CANCELED"):
            time.sleep(1.0)  # noqa: TID251 (another process works meanwhile)
            status = self.ask(STATUS, id=run_id)["runOrError"]["status"]
        assert status == "SUCCESS", (job, status)
        return run_id

    def told(self, run_id: str, *path: str) -> dict[str, Any]:
        for one in self.ask(TOLD, id=run_id)["runOrError"]["assetMaterializations"]:
            if one["assetKey"]["path"] == list(path):
                return {entry["label"]: entry.get("intValue", entry.get("text")) for entry in one["metadataEntries"]}
        raise AssertionError(f"the run did not fill {path}")


@pytest.mark.process
def test_jobs_that_are_launched_over_graphql_write_nothing_unarmed(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TRUEUP_", "DAGSTER"))}
    environment |= {"TRUEUP_HOME": str(tmp_path), "VARIANTS": "40", "PERSONS": "60", "SHOPS": "2"}
    port, until = free_port(), time.monotonic() + PATIENCE
    with (tmp_path / "ui.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "ui", "--port", str(port)], cwd=ROOT, env=environment, stdout=log,
            stderr=subprocess.STDOUT,
        )
    web, where = Web(port), None
    try:
        while time.monotonic() < until and child.poll() is None and (where := web.location()) is None:
            time.sleep(1.0)  # noqa: TID251 (another process works meanwhile)
        assert where is not None, (tmp_path / "ui.log").read_text()
        adopt = web.run(where, "adopt", until, kind="adopt")
        figures = web.told(adopt, "sync", "approvals")
        assert figures["unarmed"] > 5, "there was much to write"
        assert (figures["by_policy"], figures["by_person"]) == (0, 0)
        assert "trueup arm" in figures["warning"]
        web.run(where, "approve_plan", until, kind="sync_now", plan_id=figures["plan_id"])
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(90)
    store = Store(tmp_path / "sandbox" / "world.sqlite", epoch=EPOCH)
    try:
        assert store.effects(origin="api") == []
    finally:
        store.close()
