"""What starts the real estate: PostgreSQL runs, is found again and ends; what cannot be had is said so."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from deploy.real import postgres, processes, vendure
from deploy.real.missing import Missing

SLEEPER = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"]


@pytest.fixture
def folder():
    """A folder that another user can enter, as pytest's own cannot be."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.process
def test_postgres_starts_is_found_again_keeps_its_databases_and_ends(folder):
    if postgres._binaries() is None:
        pytest.skip("no PostgreSQL on this machine: install the package postgresql")
    server = postgres.start(folder / "pg")
    try:
        assert postgres.start(folder / "pg") == server, "it runs already"
        for _ in range(2):
            postgres.create_database(server, "a shop")
        psql = [str(postgres.binaries() / "psql"), "-h", server.host, "-p", str(server.port), "-U", "postgres", "-tAc"]
        processes.run([*psql, "CREATE TABLE t (n int)", "a shop"], cwd=folder)
        postgres.create_database(server, "a shop", anew=True)
        tables = "SELECT count(*) FROM pg_tables WHERE tablename = 't'"
        assert processes.run([*psql, tables, "a shop"], cwd=folder).strip() == "0"
    finally:
        postgres.stop(server)
    assert not processes.is_alive(server.pid)
    again = postgres.start(folder / "pg")
    postgres.stop(again)
    assert again.pid != server.pid


def test_where_postgres_cannot_be_had_it_says_so(monkeypatch):
    monkeypatch.setattr(postgres, "_binaries", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Missing, match="install the package postgresql"):
        postgres.binaries()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/apt-get")

    def fails(*args, **rest):
        raise RuntimeError("no network")

    monkeypatch.setattr(postgres, "run", fails)
    with pytest.raises(Missing, match="could not be installed"):
        postgres.binaries()


def test_a_folder_that_its_user_cannot_enter_is_refused_before_anything_is_made(folder):
    if os.geteuid() != 0 or postgres._binaries() is None:
        pytest.skip("it takes root, who becomes another user, and PostgreSQL")
    folder.chmod(0o700)
    with pytest.raises(Missing, match="cannot enter"):
        postgres.start(folder / "pg")


@pytest.fixture
def npm(monkeypatch):
    """Calls of npm, which installs nothing; Node is new enough."""
    calls: list[list[str]] = []

    def run(command, **rest):
        if command[0] == "npm":
            calls.append(command)
        return "v20.1.0\n"

    monkeypatch.setattr(vendure, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    return calls


def test_what_is_installed_is_not_installed_again_until_a_version_changes(npm, tmp_path, monkeypatch):
    vendure.install(tmp_path)
    vendure.install(tmp_path)
    assert len(npm) == 1 and "--no-package-lock" in npm[0]
    assert (tmp_path / "index.js").exists()
    newer = tmp_path / "newer"
    shutil.copytree(vendure.FILES, newer)
    (newer / "package.json").write_text("{}")
    monkeypatch.setattr(vendure, "FILES", newer)
    vendure.install(tmp_path)
    assert len(npm) == 2


def test_an_installation_that_fails_is_missing_and_tried_again(npm, tmp_path, monkeypatch):
    def fails(command, **rest):
        if command[0] == "npm":
            raise RuntimeError("no registry")
        return "v20.1.0"

    with monkeypatch.context() as broken:
        broken.setattr(vendure, "run", fails)
        with pytest.raises(Missing, match="is a registry reachable"):
            vendure.install(tmp_path)
    vendure.install(tmp_path)
    assert len(npm) == 1


@pytest.mark.parametrize(("version", "there", "words"), [("v18.2.0", True, "too old"), ("", False, "no Node here")])
def test_without_a_node_of_its_time_vendure_is_missing(monkeypatch, tmp_path, version, there, words):
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/node" if there else None)
    monkeypatch.setattr(vendure, "run", lambda command, **rest: version)
    with pytest.raises(Missing, match=words):
        vendure.install(tmp_path)


def test_the_packages_have_exact_versions_and_name_no_registry():
    text = (vendure.FILES / "package.json").read_text(encoding="utf-8")
    assert "^" not in text and "~" not in text and "://" not in text
    assert not (vendure.FILES / "package-lock.json").exists()


def test_a_command_that_fails_shows_the_end_of_what_it_said(tmp_path):
    assert processes.run(["sh", "-c", "echo fine"], cwd=tmp_path) == "fine\n"
    with pytest.raises(RuntimeError, match=r"sh failed \(3\): the reason"):
        processes.run(["sh", "-c", "echo the reason; exit 3"], cwd=tmp_path)
    with pytest.raises(RuntimeError, match="took longer than"):
        processes.run([*SLEEPER], cwd=tmp_path, seconds=0.2)


@pytest.mark.process
def test_a_server_that_dies_is_not_waited_for_and_a_stubborn_one_ends(tmp_path):
    log = tmp_path / "log"
    dead = processes.start(["sh", "-c", "echo no such port"], cwd=tmp_path, log=log)
    with pytest.raises(RuntimeError, match="ended: no such port"):
        processes.wait_for(f"http://127.0.0.1:{processes.free_port()}/", dead, seconds=30, log=log)
    pid = processes.start(SLEEPER, cwd=tmp_path, log=log)
    with pytest.raises(RuntimeError, match="no answer in 0 s"):
        processes.wait_for(f"http://127.0.0.1:{processes.free_port()}/", pid, seconds=0.1, log=log)
    processes.stop(pid, seconds=0.5)
    assert not processes.is_alive(pid)
    processes.stop(pid)
    assert subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode == 1
