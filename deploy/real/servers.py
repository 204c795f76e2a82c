"""PostgreSQL, Odoo and Vendure in one folder: installed where they are not there, made anew, started, ended.

What is installed stays in the folder, so that a second run takes seconds for it; the data are new each time. Ends only
what it started, by pid.
"""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.real import odoo, postgres, vendure
from deploy.real.odoo_api import OdooApi
from deploy.real.processes import stop
from deploy.real.vendure_api import VendureApi

Say = Callable[[str], None]
DATABASE = "shop"
"""Odoo's; Vendure's has a name of its own."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The two that answer, their operators' clients, and the keys that a connector is given."""

    odoo_url: str
    odoo_key: str
    odoo: OdooApi
    vendure_url: str
    vendure_key: str
    vendure: VendureApi
    pids: tuple[int, ...]
    """In the order in which to end them: Odoo, Vendure, PostgreSQL."""


@contextmanager
def running(folder: Path, say: Say, *, is_kept: bool = False) -> Iterator[Servers]:
    """Both servers with empty data. Missing names a package that cannot be had. `is_kept`: they go on afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    is_new = not (folder / "odoo").exists()
    say("installing Odoo and Vendure (once, some minutes)" if is_new else "Odoo and Vendure are installed already")
    with ExitStack() as ends, ThreadPoolExecutor(2) as pool:
        _end_on_sigterm(ends)
        postgres.binaries()
        both = pool.submit(odoo.install, folder / "odoo"), pool.submit(vendure.install, folder / "vendure")
        for installed in both:
            installed.result()
        server = postgres.start(folder / "postgres")
        if not is_kept:
            ends.callback(postgres.stop, server)
        say("making an empty Odoo and an empty Vendure")
        shop = vendure.Shop(folder / "vendure", server)
        made = pool.submit(odoo.create, folder / "odoo", server, DATABASE), pool.submit(vendure.create, shop)
        for done in made:
            done.result()
        starts = (
            pool.submit(odoo.start, folder / "odoo", server, DATABASE), pool.submit(vendure.start, shop)
        )
        started, pids = [], []
        for start in starts:
            pid, url = start.result()
            started.append(url)
            pids.append(pid)
            if not is_kept:
                ends.callback(stop, pid)
        key = odoo.key(folder / "odoo")
        say(f"Odoo answers at {started[0]}, Vendure at {started[1]}")
        operator = ends.enter_context(OdooApi(started[0], key))
        seller = ends.enter_context(VendureApi(started[1], vendure.USER, vendure.PASSWORD))
        made_key = seller.api_key("trueup")
        yield Servers(started[0], key, operator, started[1], made_key, seller, (*pids, server.pid))


def _end_on_sigterm(ends: ExitStack) -> None:
    """Ended from outside (a limit of time): the servers first, on which what is under way then fails."""

    def end(number: int, frame: object) -> None:
        ends.close()
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    ends.callback(signal.signal, signal.SIGTERM, before)
