"""Whole nights of a till and a folder of files: planned once, asked for once, proven by a later drop."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from pipelines.channels import CHANNELS
from pipelines.report.facts import night_facts
from resources.channels import Settings
from resources.steps import run_night
from resources.tonight import Tonight
from resources.workplace import Workplace, open_workplace
from sandbox.app import load_vendors
from sandbox.records import Item, Price, Stock
from sandbox.vendor import Place
from sandbox.vendor import Settings as Behaviour
from tests import arming
from tests.channels.harness import EPOCH, StillStore, WorldClock

ESTATE = """
estate = {{ name = "maison", timezone = "Europe/Paris" }}
policy = {{ adopt = {{ never_agreed = "approve" }} }}
[systems.square]
base_url = "https://square.test/square"
shop_id = "{merchant}"
[systems.files]
base_url = "file://{folder}/drops"
shop_id = "maison"
options = {{ mapping = "files.toml" }}
mode = {{ prices = "live", stock = "live", items = "live" }}
[locations.paris]
authority = "square"
vendor_ids = {{ square = "LPARIS", files = "paris" }}
[price_lists.eur]
currency = "EUR"
vendor_ids = {{ square = "base", files = "base" }}
"""
MAPPING = """
shop_id = "maison"
settle_seconds = 0
[defaults]
encoding = "cp1252"
currency = "EUR"
[items.articles]
file = "articles.csv"
columns = { key = "Code", gtin = "EAN", title = "Libellé", tax_rate = "TVA" }
[prices.articles]
file = "articles.csv"
tax_basis = "gross"
columns = { key = "Code", amount = "Prix TTC" }
[stock.articles]
file = "articles.csv"
location = "paris"
columns = { key = "Code", available = "Dispo" }
"""
PARIS, COUNT = "LPARIS", 40
JUNE = EPOCH - timedelta(days=10)


def gtin(number: int) -> str:
    body = f"4006381{number:05d}"
    return body + str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10)


class Shop:
    """A till played by the sandbox, a folder of files, and whoever fills and empties it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.drops = folder, folder / "drops"
        self.drops.mkdir()
        self.till = load_vendors()["square"]
        self.store = StillStore(":memory:", epoch=EPOCH)
        self.clock = WorldClock(self.store)
        self.app = Starlette(routes=[Mount("/square", self.till.app(self.store, Behaviour()))])
        self.till.put_places(self.store, [Place(PARIS, "Paris", "location")], JUNE)
        numbers = range(1, COUNT + 1)
        self.till.put_items(self.store, [
            Item(f"V{n:08d}", f"I{n:08d}", f"SKU-{n}", gtin(n), f"Robe {n}", "38", "Robes", 2000, "gross")
            for n in numbers
        ], JUNE)
        self.till.put_prices(self.store, [Price(f"V{n:08d}", "base", "EUR", 4990) for n in numbers], JUNE)
        self.till.put_stock(self.store, [Stock(f"V{n:08d}", PARIS, 10) for n in numbers], JUNE)
        self.rows = {f"SKU-{n}": [gtin(n), f"Été {n}", "20", "49,90", "10"] for n in numbers}
        self.drop()
        (folder / "files.toml").write_text(MAPPING, encoding="utf-8")
        (folder / "estate.toml").write_text(ESTATE.format(folder=folder, merchant="MLSANDBOXSQUARE"), encoding="utf-8")
        arming.name_her(folder / "estate.toml")
        self.settings = Settings.read({
            "TRUEUP_HOME": str(folder / "home"), "TRUEUP_ESTATE": str(folder / "estate.toml"), "TRUEUP_THREADS": "2",
            "TRUEUP_CONTACT_KEY": "the tests' own key", "TRUEUP_SQUARE_TOKEN": "sandbox",
        })

    def drop(self) -> None:
        """The export of the other system."""
        lines = ["Code;EAN;Libellé;TVA;Prix TTC;Dispo", *(";".join([key, *row]) for key, row in self.rows.items())]
        (self.drops / "articles.csv").write_bytes(("\r\n".join(lines) + "\r\n").encode("cp1252"))

    def take(self) -> int:
        """What the other system does with our files: import, and remove them; how many rows there were."""
        count = 0
        for path in sorted((self.drops / "out").iterdir()):
            head, *lines = path.read_bytes().decode("cp1252").splitlines()
            places = [["Code", "EAN", "Libellé", "TVA", "Prix TTC", "Dispo"].index(name) for name in head.split(";")]
            for line in lines:
                cells = dict(zip(places, line.split(";"), strict=True))
                for place, cell in cells.items():
                    if place:
                        self.rows[cells[0]][place - 1] = cell
                count += 1
            path.unlink()
        self.drop()
        return count

    @contextmanager
    def open(self) -> Iterator[Workplace]:
        def transport(system: str) -> httpx.AsyncBaseTransport | None:
            return httpx.ASGITransport(self.app) if system == "square" else None

        arming.arm(self.settings, self.clock.now())
        with open_workplace(self.settings, CHANNELS, holder="a test", clock=self.clock, transports=transport) as place:
            yield place

    def night(self, kind: str = "nightly") -> dict[str, Any]:
        """One whole night; what it planned for the files, wrote and proved."""
        self.store.set_now(self.store.now() + timedelta(days=1))
        with self.open() as place:
            night_id = run_night(Tonight(place, kind))
            asked = (
                "SELECT c.disposition, c.is_new, count(*) FROM ledger.sync.corrections AS c "
                "JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id WHERE p.night_id = ? AND c.system = 'files' "
                "GROUP BY ALL ORDER BY ALL"
            )
            planned = place.con.execute(asked, [night_id]).fetchall()
            status = place.con.execute("SELECT arg_max(n.status, n.as_of) FROM ledger.sync.nights AS n").fetchone()
            proofs = place.con.execute(
                "SELECT last, count(*) FROM (SELECT arg_max(v.status, v.rowid) AS last "
                "FROM ledger.sync.verifications AS v GROUP BY v.plan_id, v.correction_key) GROUP BY last ORDER BY last"
            ).fetchall()
            base = place.con.execute(
                "SELECT a.amount, count(*) FROM ledger.agreed.prices AS a WHERE a.system = 'files' "
                "GROUP BY ALL ORDER BY ALL"
            ).fetchall()
            unread = place.con.execute(
                "SELECT v.system, v.entity, v.reason FROM reads.verdicts AS v WHERE NOT v.is_complete"
            ).fetchall()
            told: dict[str, Any] = {"planned": planned, "proofs": proofs, "base": base, "unread": unread}
            told["unwanted"] = [(row["field"], row["row_count"]) for row in night_facts(place.con, night_id).unwanted]
        return told | {"status": status[0] if status else None}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_correction_by_file_is_asked_for_once_and_proven_by_a_later_drop(shop: Shop):
    told = shop.night("adopt")
    assert (told["planned"], told["unread"], told["status"]) == ([], [], "complete")
    assert told["base"] == [(4990, COUNT)]

    moved = [f"V{n:08d}" for n in range(1, 26)]
    shop.till.put_prices(shop.store, [Price(key, "base", "EUR", 4490) for key in moved], shop.store.now(), log=True)
    told = shop.night()
    assert told["planned"] == [("approve", True, 25)]
    assert told["proofs"] == [("settling", 25)]
    out = sorted(path.name for path in (shop.drops / "out").iterdir())
    assert [len((shop.drops / "out" / name).read_bytes().splitlines()) - 1 for name in out] in ([20, 5], [5, 20])
    assert all(name.startswith("prices.articles.") and name.endswith(".amount.csv") for name in out)

    told = shop.night()
    assert told["planned"] == [("hold", False, 25)], "nothing new: what waits is not asked for again"
    assert (told["proofs"], sorted(path.name for path in (shop.drops / "out").iterdir())) == ([("settling", 25)], out)

    assert shop.take() == 25
    told = shop.night()
    assert (told["planned"], told["proofs"]) == ([], [("confirmed", 25)])
    assert told["base"] == [(4490, 25), (4990, COUNT - 25)]


def test_the_file_that_is_imported_last_says_what_is_wanted_or_a_person_is_told(shop: Shop):
    def price(amount: int) -> dict[str, Any]:
        shop.till.put_prices(shop.store, [Price("V00000001", "base", "EUR", amount)], shop.store.now(), log=True)
        return shop.night()

    shop.night("adopt")
    for amount in (4490, 4290):
        told = price(amount)
        assert (told["planned"], told["unwanted"]) == ([("approve", True, 1)], [])
    told = price(4490)
    assert (told["planned"], told["unwanted"]) == ([("approve", False, 1)], []), "the last file says otherwise"
    assert price(4490)["planned"] == [("hold", False, 1)]
    told = price(4990)
    assert (told["planned"], told["unwanted"]) == ([], [("amount", 1)])
    assert shop.take() == 3
    assert shop.rows["SKU-1"][3] == "44,90"
    told = shop.night()
    assert (told["planned"], told["unwanted"]) == ([("approve", True, 1)], [])


def test_a_cut_off_file_changes_nothing_and_what_was_edited_in_a_whole_one_waits_for_a_person(shop: Shop):
    shop.night("adopt")
    whole = (shop.drops / "articles.csv").read_bytes()
    (shop.drops / "articles.csv").write_bytes(whole[: len(whole) // 2])
    shop.till.put_prices(shop.store, [Price("V00000001", "base", "EUR", 4490)], shop.store.now(), log=True)
    told = shop.night()
    assert {system for system, _, _ in told["unread"]} == {"files"}
    assert all("articles.csv line " in reason and "cut off" in reason for _, _, reason in told["unread"])
    assert (told["status"], {row[0] for row in told["planned"]}) == ("partial", set())
    assert not (shop.drops / "out").exists()

    shop.rows["SKU-2"][3], shop.rows["SKU-3"][4] = "45,00", "7"
    shop.drop()
    told = shop.night()
    assert (told["planned"], told["status"]) == ([("approve", True, 1), ("hold", True, 2)], "complete")
    assert [len(path.read_bytes().splitlines()) for path in (shop.drops / "out").iterdir()] == [2]
