"""A Vendure of our own: installed by npm at fixed versions, filled with what an empty shop starts with, started.

Its JavaScript lies beside, in `vendure/`. The versions are exact for what is named there; what that depends on, npm
chooses, since a lock file would hold the addresses of one registry.
"""

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.real import postgres
from deploy.real.missing import Missing
from deploy.real.processes import free_port, run, stop, wait_for
from deploy.real.processes import start as start_process

FILES = Path(__file__).parent / "vendure"
NODE_MAJOR = 20
USER, PASSWORD = "superadmin", "loopback only"
"""Of a shop that only loopback reaches."""
INSTALL_SECONDS, CREATE_SECONDS, START_SECONDS = 300.0, 120.0, 120.0
_STAMP = "installed.sha256"


@dataclass(frozen=True, slots=True)
class Shop:
    """Where a Vendure lies and which database it has."""

    folder: Path
    server: postgres.Server
    database: str = "vendure"

    def environment(self, port: int) -> Mapping[str, str]:
        """What its JavaScript reads."""
        return {
            "PGHOST": self.server.host, "PGPORT": str(self.server.port), "PGUSER": "postgres",
            "PGDATABASE": self.database, "VENDURE_PORT": str(port), "VENDURE_USER": USER,
            "VENDURE_PASSWORD": PASSWORD, "VENDURE_DISABLE_TELEMETRY": "true",
        }


def install(folder: Path) -> None:
    """Put the packages and our files there; at once where they are there already. Missing where npm cannot."""
    _need_node()
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES.iterdir():
        shutil.copy(file, folder / file.name)
    wanted = hashlib.sha256((FILES / "package.json").read_bytes()).hexdigest()
    stamp = folder / _STAMP
    if stamp.exists() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    try:
        run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--loglevel=error"],
            cwd=folder, seconds=INSTALL_SECONDS,
        )
    except RuntimeError as error:
        raise Missing("Vendure: npm could not install it; is a registry reachable?") from error
    stamp.write_text(wanted)


def _need_node() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Missing(f"Vendure: no Node here; install the packages nodejs (at least {NODE_MAJOR}) and npm")
    said = run(["node", "--version"], cwd=Path.cwd())
    found = re.match(r"v(\d+)", said)
    if found is None or int(found[1]) < NODE_MAJOR:
        raise Missing(f"Vendure: Node {said.strip()} is too old; it needs {NODE_MAJOR}")


def create(shop: Shop) -> None:
    """An empty shop in a database made anew: tables, country, tax rates, a way to ship and to pay."""
    postgres.create_database(shop.server, shop.database, anew=True)
    run(["node", "populate.js"], cwd=shop.folder, environment=shop.environment(free_port()), seconds=CREATE_SECONDS)


def start(shop: Shop, *, port: int | None = None) -> tuple[int, str]:
    """Start the server, as soon as it answers: its pid (for `stop`) and its URL."""
    at, log = port or free_port(), shop.folder / "server.log"
    url = f"http://127.0.0.1:{at}"
    pid = start_process(["node", "index.js"], cwd=shop.folder, log=log, environment=shop.environment(at))
    try:
        wait_for(f"{url}/health", pid, seconds=START_SECONDS, log=log)
    except RuntimeError:
        stop(pid)
        raise
    return pid, url


__all__ = ["PASSWORD", "USER", "Shop", "create", "install", "start", "stop"]
