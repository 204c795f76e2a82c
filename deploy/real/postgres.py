"""A PostgreSQL of our own: a cluster in a folder, on a free port of loopback, without a password and without fsync.

For throw-away data. PostgreSQL refuses to run as root, so there it runs as another user, to whom the folder is given.
"""

import os
import pwd
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.real.missing import Missing
from deploy.real.processes import free_port, run
from deploy.real.processes import stop as stop_process

UNPRIVILEGED = ("postgres", "nobody")
_PACKAGED = Path("/usr/lib/postgresql")
_SETTINGS = "-c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=off -c full_page_writes=off"


@dataclass(frozen=True, slots=True)
class Server:
    """A running cluster; its superuser is `postgres`, trusted without a password."""

    host: str
    port: int
    pid: int
    folder: Path


def binaries() -> Path:
    """The folder of initdb and pg_ctl; installed where there is none and we may. Missing otherwise."""
    if (found := _binaries()) is not None:
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing("PostgreSQL: no initdb here; install the package postgresql")
    try:
        run(["apt-get", "update", "-q"], cwd=Path.cwd())
        run(
            ["apt-get", "install", "-q", "-y", "--no-install-recommends", "postgresql"], cwd=Path.cwd(),
            environment={"DEBIAN_FRONTEND": "noninteractive"},
        )
    except RuntimeError as error:
        raise Missing("PostgreSQL: the package could not be installed") from error
    if (found := _binaries()) is None:
        raise Missing("PostgreSQL: the package came without initdb")
    return found


def _binaries() -> Path | None:
    named = shutil.which("initdb")
    versions = sorted(_PACKAGED.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    folders = [*versions, *([Path(named).resolve().parent] if named else [])]
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


def start(folder: Path, *, port: int | None = None) -> Server:
    """Make the cluster where it is not there yet, and start it; one that runs already is found again."""
    programs, user = binaries(), _user()
    folder.mkdir(parents=True, exist_ok=True)
    data, log = folder / "data", folder / "postgres.log"
    if user is not None:
        _give(folder, user)
    if not (data / "PG_VERSION").exists():
        run([str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale",
             "--no-sync"], cwd=folder, user=user)
    if (running := _running(data, folder)) is not None:
        return running
    wanted = port or free_port()
    options = f"-p {wanted} {_SETTINGS} -k {folder}"
    run([str(programs / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(log), "-w", "-t", "60", "start"],
        cwd=folder, user=user)
    started = _running(data, folder)
    if started is None:
        raise RuntimeError("PostgreSQL started and is not there")
    return started


def _running(data: Path, folder: Path) -> Server | None:
    """Pid and port as the cluster writes them down."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid, port = int(lines[0]), int(lines[3])
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return None
    return Server("127.0.0.1", port, pid, folder)


def stop(server: Server) -> None:
    """End the cluster; its data stay."""
    stop_process(server.pid)


def create_database(server: Server, name: str, *, anew: bool = False) -> None:
    """Make an empty database where there is none; `anew`: in the place of the one there is."""
    psql = [str(binaries() / "psql"), "-h", server.host, "-p", str(server.port), "-U", "postgres", "-v",
            "ON_ERROR_STOP=1", "-tA", "-c"]
    quoted = '"' + name.replace('"', '""') + '"'
    if anew:
        run([*psql, f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"], cwd=server.folder)
    there = run([*psql, "SELECT datname FROM pg_database"], cwd=server.folder).split("\n")
    if name not in there:
        run([*psql, f"CREATE DATABASE {quoted}"], cwd=server.folder)


def _user() -> str | None:
    """Whom to become, where we are root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    found = next((name for name in UNPRIVILEGED if name in known), None)
    if found is None:
        raise Missing("PostgreSQL: it does not run as root, and there is no user " + " or ".join(UNPRIVILEGED))
    return found


def _give(folder: Path, user: str) -> None:
    """The folder to the user, who must also be able to reach it."""
    owner = pwd.getpwnam(user)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    for parent in folder.resolve().parents:
        if not parent.stat().st_mode & 0o001:
            raise Missing(f"PostgreSQL: the user {user} cannot enter {parent.name or '/'}; choose another folder")


if __name__ == "__main__":
    print(start(Path(sys.argv[1])))
