"""An Odoo 19 of our own: Debian's package unpacked into a folder, its libraries at fixed versions, started on loopback.

The package comes from the machine's own Debian mirror, of the suite that has it; nothing is added to the system's apt.
A database with the modules is made once and kept as a template, with a key in it, so that a new shop takes a second.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from deploy.real import postgres
from deploy.real.missing import Missing
from deploy.real.processes import free_port, run, wait_for
from deploy.real.processes import start as start_process

PACKAGE, SUITE = "odoo-19", "sid"
MODULES = "point_of_sale,pos_loyalty,mass_mailing,rpc"
ROLE, TEMPLATE = "odoo", "odoo_template"
"""Odoo refuses to work as PostgreSQL's superuser."""
PYTHONS = ((3, 10), (3, 13))
INSTALL_SECONDS, CREATE_SECONDS, START_SECONDS = 900.0, 1800.0, 300.0
CALL_SECONDS = 1200
"""For one call. Odoo's own limit, two minutes, starts the whole server anew while a busy machine still loads."""
REQUIREMENTS = Path(__file__).with_name("odoo-requirements.txt")
_KEY_DAYS, _KEY_DAYS_LEFT = 89, 80
"""Odoo keeps a user's key for 90 days at most."""
_MAKE_KEY = """
import datetime
until = datetime.datetime.now() + datetime.timedelta(days={days})
user = env.ref('base.user_admin')
key = env(user=user.id)['res.users.apikeys']._generate('rpc', 'trueup', until)
env.cr.commit()
open({path!r}, 'w').write(key)
"""


def install(folder: Path) -> str:
    """Unpack the package and its libraries where they are not there yet; the package's version.

    Missing where the package, a library or a program to unpack them cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        raise Missing("Odoo: needs Python 3.10 to 3.13")
    if not (folder / "version").exists():
        _unpack(folder)
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    stamp = folder / "libraries.sha256"
    if not stamp.exists() or stamp.read_text() != wanted:
        _install_libraries(folder)
        stamp.write_text(wanted)
    return (folder / "version").read_text()


def _unpack(folder: Path) -> None:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise Missing(f"Odoo: no {program} here; the package {PACKAGE} is Debian's")
    apt = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text(f"deb {_mirror()} {SUITE} main\n")
    options = [
        "-q", "-o", f"Dir::Etc::sourcelist={apt / 'sources.list'}", "-o", "Dir::Etc::sourceparts=/dev/null",
        "-o", f"Dir::State::lists={apt / 'lists'}", "-o", f"Dir::Cache={apt / 'cache'}",
    ]
    try:
        run(["apt-get", *options, "update"], cwd=folder, seconds=INSTALL_SECONDS)
        run(["apt-get", *options, "download", PACKAGE], cwd=folder, seconds=INSTALL_SECONDS)
    except RuntimeError as error:
        raise Missing(f"Odoo: the Debian package {PACKAGE} of suite {SUITE} cannot be had") from error
    found = sorted(folder.glob(f"{PACKAGE}_*.deb"))
    if not found:
        raise Missing(f"Odoo: apt-get brought no package {PACKAGE}")
    shutil.rmtree(folder / "odoo", ignore_errors=True)
    run(["dpkg-deb", "-x", str(found[-1]), "odoo"], cwd=folder, seconds=INSTALL_SECONDS)
    (folder / "version").write_text(found[-1].name.split("_")[1])
    found[-1].unlink()


def _mirror(etc: Path = Path("/etc")) -> str:
    """The address of the machine's Debian mirror, with the key that it is trusted by, as apt writes them in a line."""
    release = dict(line.split("=", 1) for line in (etc / "os-release").read_text().splitlines() if "=" in line)
    codename = release.get("VERSION_CODENAME", "").strip('"')
    places = [etc / "apt" / "sources.list", *sorted((etc / "apt" / "sources.list.d").glob("*"))]
    for path in places:
        text = path.read_text(errors="replace") if path.is_file() else ""
        for stanza in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != "#")
            if codename in fields.get("Suites", "").split() and "main" in fields.get("Components", "").split():
                signed = f"[signed-by={fields['Signed-By']}] " if "/" in fields.get("Signed-By", "") else ""
                return signed + fields["URIs"].split()[0]
        for line in text.splitlines():
            kind, *words = line.split() or [""]
            if kind == "deb" and codename in words and "main" in words:
                return " ".join(words[: words.index(codename)])
    raise Missing("Odoo: this machine's apt names no Debian mirror")


def _install_libraries(folder: Path) -> None:
    venv = folder / "venv"
    try:
        run([sys.executable, "-m", "venv", str(venv)], cwd=folder, seconds=INSTALL_SECONDS)
        uv = Path(sys.executable).with_name("uv")
        pip = [str(uv), "pip", "install", "-q", "--python", str(venv / "bin" / "python")] if uv.exists() else [
            str(venv / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        run([*pip, "-r", str(REQUIREMENTS)], cwd=folder, seconds=INSTALL_SECONDS)
    except RuntimeError as error:
        raise Missing(f"Odoo: a library of {REQUIREMENTS.name} cannot be had") from error


def create(folder: Path, server: postgres.Server, database: str) -> None:
    """A fresh shop in `database`, in the place of the one there is: a copy of the template, which is made once."""
    if not _has_template(folder, server):
        _make_template(folder, server)
    _sql(server, f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    _sql(server, f'CREATE DATABASE "{database}" TEMPLATE "{TEMPLATE}" OWNER {ROLE}')
    files = folder / "data" / "filestore"
    shutil.rmtree(files / database, ignore_errors=True)
    if (files / TEMPLATE).exists():
        shutil.copytree(files / TEMPLATE, files / database)


def _has_template(folder: Path, server: postgres.Server) -> bool:
    stamp, made = folder / "template", folder / "key"
    if not stamp.exists() or not made.exists() or stamp.read_text() != _template_of(folder):
        return False
    if time.time() - made.stat().st_mtime > _KEY_DAYS_LEFT * 86_400:  # noqa: TID251 the machine's own time
        return False
    return TEMPLATE in _sql(server, "SELECT datname FROM pg_database").split()


def _template_of(folder: Path) -> str:
    return f"{(folder / 'version').read_text()} {MODULES}"


def _make_template(folder: Path, server: postgres.Server) -> None:
    if ROLE not in _sql(server, "SELECT rolname FROM pg_roles").split():
        _sql(server, f"CREATE ROLE {ROLE} LOGIN CREATEDB")
    _sql(server, f'DROP DATABASE IF EXISTS "{TEMPLATE}" WITH (FORCE)')
    _sql(server, f'CREATE DATABASE "{TEMPLATE}" OWNER {ROLE}')
    _configure(folder, server, TEMPLATE, free_port())
    command = [*_odoo(folder), "-i", MODULES, "--without-demo=True", "--stop-after-init", "--no-http"]
    run(command, cwd=folder, environment=_environment(folder), seconds=CREATE_SECONDS)
    (folder / "key").touch(0o600)
    script = _MAKE_KEY.format(days=_KEY_DAYS, path=str(folder / "key"))
    done = subprocess.run(
        [*_odoo(folder, "shell"), "--no-http"], cwd=folder, env={**os.environ, **_environment(folder)}, input=script,
        text=True, timeout=CREATE_SECONDS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )
    if done.returncode or not key(folder):
        raise RuntimeError(f"Odoo: no key was made: {done.stdout[-2000:]}")
    (folder / "template").write_text(_template_of(folder))


def start(folder: Path, server: postgres.Server, database: str, *, port: int | None = None) -> tuple[int, str]:
    """Start a server on a database of `create`; its pid, and its address once it answers."""
    port, log = port or free_port(), folder / "odoo.log"
    _configure(folder, server, database, port)
    pid = start_process(_odoo(folder), cwd=folder, log=log, environment=_environment(folder))
    url = f"http://127.0.0.1:{port}"
    wait_for(f"{url}/web/health", pid, seconds=START_SECONDS, log=log)
    return pid, url


def key(folder: Path) -> str:
    """The API key of the administrator, good for every database that `create` has made."""
    return (folder / "key").read_text()


def _configure(folder: Path, server: postgres.Server, database: str, port: int) -> None:
    """One process, no cron: nothing happens in the shop that nobody asked for."""
    settings = {
        "db_host": server.host, "db_port": server.port, "db_user": ROLE, "db_name": database,
        "http_interface": server.host, "http_port": port, "data_dir": folder / "data",
        "addons_path": _packages(folder) / "addons", "workers": 0, "max_cron_threads": 0, "list_db": False,
        "limit_time_real": CALL_SECONDS, "limit_time_cpu": CALL_SECONDS,
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    (folder / "odoo.conf").write_text("\n".join(["[options]", *lines, ""]))


def _odoo(folder: Path, *command: str) -> list[str]:
    return [
        str(folder / "venv" / "bin" / "python"), str(folder / "odoo" / "usr" / "bin" / "odoo"), *command, "-c",
        str(folder / "odoo.conf"),
    ]


def _packages(folder: Path) -> Path:
    return folder / "odoo" / "usr" / "lib" / "python3" / "dist-packages"


def _environment(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(_packages(folder)), "HOME": str(folder), "PATH": os.environ.get("PATH", "")}


def _sql(server: postgres.Server, statement: str) -> str:
    psql = [str(postgres.binaries() / "psql"), "-h", server.host, "-p", str(server.port), "-U", "postgres", "-tA",
            "-v", "ON_ERROR_STOP=1", "-c", statement]
    return run(psql, cwd=server.folder)
