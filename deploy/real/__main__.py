"""The real estate in one command: a night against software that nobody here wrote.

    python -m deploy.real [--items N] [--customers N] [--invoices N] [--data FILE] [--folder DIR] [--keep]

Starts PostgreSQL, Odoo 19 and Vendure from the package registries, pours a retailer's items, customers and sales into
both, adopts them, lets people change things in both, runs the night, asks both servers by their own APIs whether all is
right, runs a night in which nothing happened, and one after a person has answered what waited.
Exit codes: 0 all right, 1 something is not, 2 wrong input, 5 a package is missing.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

from deploy.real import vendure
from deploy.real.estate import write_estate
from deploy.real.missing import Missing
from deploy.real.plant import Edited, Expected, edit_prices_online, live_a_day, too_few
from deploy.real.pour import Poured, pour
from deploy.real.retail import ALL, MOST, SHOPS, USUAL, Limits, NotRetail, Retail, read_retail
from deploy.real.servers import Servers, running

ROOT = Path(__file__).resolve().parents[2]
RIGHT, WRONG, MISSING = 0, 1, 5
DATA = ROOT.parent / "shared" / "data" / "online_retail_ii_2009_2010.parquet"
OPTIONS = {
    "gtin_field": "ean", "consent_field": "emailConsent", "consent_at_field": "emailConsentAt",
    "consent_proof_field": "emailConsentProof", "card_field": "loyaltyCard", "points_field": "loyaltyPoints",
    "country": "FR",
}


@dataclass
class Told:
    """Says what goes on, with the seconds since the start, and remembers what each part took."""

    began: float = field(default_factory=time.monotonic)

    def __call__(self, words: str) -> None:
        """Print a line of progress."""
        print(f"[{time.monotonic() - self.began:5.0f} s] {words}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, and tell; the exit code."""
    given = _parser().parse_args(arguments)
    say = Told()
    try:
        data = given.data or (DATA if DATA.is_file() and not given.made else None)
        limits = ALL if given.all else Limits(given.items, given.customers, given.invoices)
        retail = read_retail(data, limits)
        _tell(retail, data, say)
        if not given.pour and (words := too_few(retail)):
            raise NotRetail(f"{words}; --pour loads it, and runs no night")
        with running(given.folder.resolve(), say, is_kept=given.keep) as servers:
            try:
                code = _nights(given.folder.resolve() / "home", servers, retail, say, pour_only=given.pour)
            finally:
                if given.keep:
                    _tell_kept(servers, given.folder.resolve() / "home")
    except Missing as error:
        print(f"the real estate was not run: {error}", flush=True)
        return MISSING
    except NotRetail as error:
        print(error, file=sys.stderr)
        return 2
    say("all is right" if code == RIGHT else "something is not right: see above")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.real", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / ".real", help="where all of it lies")
    parser.add_argument("--data", type=Path, metavar="FILE", help="invoice lines as UCI Online Retail II has them")
    parser.add_argument("--made", action="store_true", help="a small year made up, though a data set is at hand")
    for name, usual, most in zip(("items", "customers", "invoices"), astuple(USUAL), astuple(MOST), strict=True):
        words = f"at most; default: {usual:,}, up to {most:,}"
        parser.add_argument(f"--{name}", type=_up_to(most), default=usual, metavar="N", help=words)
    parser.add_argument("--all", action="store_true", help="everything in the file: hours")
    parser.add_argument("--pour", action="store_true", help="load, say what it took, and run no night")
    parser.add_argument("--keep", action="store_true", help="leave the servers running")
    return parser


def _up_to(most: int) -> Callable[[str], int]:
    """How an argument is read that is a number from 1 to `most`."""

    def read(words: str) -> int:
        number = int(words) if words.isdecimal() else 0
        if not 1 <= number <= most:
            raise argparse.ArgumentTypeError(f"{words}: 1 to {most:,}; for everything in the file --all")
        return number

    return read


def _tell(retail: Retail, data: Path | None, say: Told) -> None:
    lines = sum(len(order.lines) for order in retail.orders)
    say(f"{retail.lines_read:,} invoice lines of {data.name if data else 'a year made up'}")
    say(f"to be loaded: {len(retail.items):,} items, {len(retail.customers):,} customers, "
        f"{len(retail.orders):,} invoices with {lines:,} lines")
    for what, reason, rows in retail.kept_out:
        print(f"          kept out: {rows:>9,} {what}: {reason}")


def _nights(home: Path, servers: Servers, retail: Retail, say: Told, *, pour_only: bool) -> int:
    say("pouring them into both")
    estate = pour(retail, servers.odoo, servers.vendure, say)
    say("poured")
    own = _home(home, servers, estate)
    if pour_only:
        return RIGHT
    environment = {**os.environ, **own}
    if code := _arm(environment):
        return code
    say("night 0: what is equal becomes the base")
    if code := _trueup(environment, "adopt"):
        return code
    edited, expected = edit_prices_online(estate), live_a_day(estate)
    say(f"people changed things in both: {len(expected)} values are to be right after the night")
    if code := _trueup(environment, "sync"):
        return code
    faults = _tell_right(expected, say)
    new = _quiet(environment)
    say(f"a night in which nothing happened: {new} new corrections")
    say(f"{len(edited)} prices edited by hand in the webshop wait for a person, who answers")
    _answer(environment, edited)
    if code := _trueup(environment, "sync"):
        return code
    faults += _tell_right([one for each in edited for one in each.expected], say)
    return WRONG if faults or new else RIGHT


def _tell_right(expected: Sequence[Expected], say: Told) -> int:
    """Ask both servers; how many values are wrong."""
    faults = [fault for one in expected if (fault := one.fault())]
    for fault in faults:
        print(f"          NOT RIGHT  {fault}")
    say(f"by the servers' own APIs, {len(expected) - len(faults)} of {len(expected)} values are right")
    return len(faults)


def _answer(environment: Mapping[str, str], edited: Sequence[Edited]) -> None:
    """A person's word on each held price, by the command line."""
    plan = Path(environment["TRUEUP_HOME"]) / "held.jsonl"
    if _trueup(environment, "plan", "--last", "--export", str(plan)):
        raise RuntimeError("the plan could not be exported")
    rows = [json.loads(line) for line in plan.read_text(encoding="utf-8").splitlines()]
    held = {row["vendor_id"]: row["correction_key"] for row in rows
            if row.get("system") == "vendure" and row.get("entity") == "prices"}
    for one in edited:
        words = [one.answer, held[one.variant], "--author", "Ana", "--reason", "asked the shop"]
        if _trueup(environment, *words):
            raise RuntimeError(f"{one.answer} was not taken")


def _home(home: Path, servers: Servers, estate: Poured) -> Mapping[str, str]:
    """A new home with its estate file; what `trueup` reads there of the environment."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    home.chmod(0o700)
    path = home / "estate.toml"
    company = servers.odoo.find("res.company", [], "create_date")[0]
    token = servers.vendure.ask("{ activeChannel { token } }")["activeChannel"]["token"]
    write_estate(
        path, odoo=(servers.odoo_url, f"{company['id']}@{company['create_date'].replace(' ', 'T')}"),
        vendure=(servers.vendure_url, token),
        warehouses={shop: one.warehouse for shop, one in estate.warehouses.items()}, locations=estate.locations,
        mailing_list=estate.mailing_list, options={**OPTIONS, "order_location": estate.locations[SHOPS[0]]},
    )
    return settings_of(servers, home)


def settings_of(servers: Servers, home: Path) -> Mapping[str, str]:
    """What `trueup` reads of the environment, to work with these servers."""
    return {
        "TRUEUP_HOME": str(home), "TRUEUP_ESTATE": str(home / "estate.toml"),
        "TRUEUP_CONTACT_KEY": "the real estate's key",
        "TRUEUP_ODOO_KEY": servers.odoo_key, "TRUEUP_VENDURE_KEY": servers.vendure_key,
    }


def _tell_kept(servers: Servers, home: Path) -> None:
    """How to work with servers that go on: what tests and `trueup` read, as lines for a shell, and how to end them."""
    names = {
        **settings_of(servers, home), "TRUEUP_ODOO_URL": servers.odoo_url, "TRUEUP_VENDURE_URL": servers.vendure_url,
        "TRUEUP_VENDURE_USER": vendure.USER, "TRUEUP_VENDURE_PASSWORD": vendure.PASSWORD,
    }
    print("the servers go on; for the tests and for trueup:")
    for name, value in names.items():
        print(f"export {name}={shlex.quote(value)}")
    print(f"and to end them: kill {' '.join(map(str, servers.pids))}", flush=True)


def _trueup(environment: Mapping[str, str], *words: str) -> int:
    command = [sys.executable, "-m", "cli.main", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _arm(environment: Mapping[str, str]) -> int:
    """Arm all of it for a month, with the home's own key: both servers are on loopback."""
    command = [sys.executable, "-m", "cli.main", "arm", "--json"]
    shown = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=False)
    if shown.returncode:
        return shown.returncode
    policy_hash = json.loads(shown.stdout)["policy_hash"]
    until = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))  # noqa: TID251 (no clock is handed in here)
    return _trueup(
        environment, "arm", "--policy-hash", policy_hash, "--scope", "all", "--until", until, "--reason", "make real"
    )


def _quiet(environment: Mapping[str, str]) -> int:
    """New corrections of one more night; RuntimeError where it does not end well."""
    command = [sys.executable, "-m", "cli.main", "sync", "--json"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=False)
    if ended.returncode:
        raise RuntimeError(f"the quiet night failed ({ended.returncode})")
    return int(json.loads(ended.stdout)["new_corrections"])


if __name__ == "__main__":
    sys.exit(main())
