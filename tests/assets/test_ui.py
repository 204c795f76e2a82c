"""`trueup ui` serves Dagster over its own code location, is quiet on the console, and leaves no process behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 240.0
ASKED = (
    "{ shouldShowNux workspaceOrError { ... on Workspace { "
    "locationEntries { name locationOrLoadError { __typename } } } } "
    "instance { daemonHealth { allDaemonStatuses { daemonType healthy } } } }"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answered(port: int) -> dict[str, object]:
    try:
        answer = httpx.post(
            f"http://127.0.0.1:{port}/graphql", json={"query": ASKED}, timeout=10.0, trust_env=False
        )
    except httpx.TransportError:
        return {}
    return dict(answer.json().get("data") or {})


@pytest.mark.process
def test_the_console_says_where_to_look_and_nothing_else(tmp_path: Path) -> None:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TRUEUP_", "DAGSTER"))}
    environment |= {"TRUEUP_HOME": str(tmp_path), "VARIANTS": "40", "PERSONS": "60", "SHOPS": "2"}
    child = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "ui", "--port", str(port)], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    until, location, daemons, is_quiet = time.monotonic() + PATIENCE, "", False, False
    try:
        while time.monotonic() < until and child.poll() is None and not (location and daemons):
            found = str(answered(port))
            location = "RepositoryLocation" if "'__typename': 'RepositoryLocation'" in found else ""
            daemons = "{'daemonType': 'SENSOR', 'healthy': True}" in found
            is_quiet = "'shouldShowNux': False" in found
            try:
                child.wait(0.5)
            except subprocess.TimeoutExpired:
                continue
    finally:
        child.send_signal(signal.SIGINT)
        words, _ = child.communicate(timeout=90)
    assert (location, daemons) == ("RepositoryLocation", True), words
    assert is_quiet, "the first page asks for an e-mail address, to send it away"
    assert child.returncode == 0, words
    (said,) = [line for line in words.splitlines() if "Dagster" in line]
    assert said.startswith(f"Dagster on http://127.0.0.1:{port}")
    assert [word for word in ("Traceback", "heartbeat", "INFO", "WARNING") if word in words] == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the web server has ended"
    at = (tmp_path / "dagster" / "workspace.yaml").read_text().split("port: ")[1].split(",")[0]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(at))) != 0, "so has the code server"
