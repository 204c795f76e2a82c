"""A folder of drops as a whole shop: who fills it, who carries out what is asked for there, and hands for the kit.

The importer takes every file of `out/` the moment it is there, and drops everything anew: two drops a write. It reads
what it is asked for by the headers of its own drops, and none of the connector's code.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

import httpx
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from conformance.bench import Bench
from conformance.hands import Person
from conformance.wire import Wire
from pipelines.channels.base import Channel, Connection
from pipelines.clock import Clock
from pipelines.estate import Estate
from pipelines.http import Session
from tests.channels.drops import StillClock

MAPPING = """
shop_id = "maison"
settle_seconds = 0
[defaults]
currency = "EUR"
tax_basis = "gross"
[items.t]
file = "articles.csv"
columns = { key = "Code", gtin = "EAN", title = "Libellé" }
[prices.t]
file = "articles.csv"
columns = { key = "Code", amount = "Prix", compare_at = "Barré" }
[stock.t]
file = "articles.csv"
location = "lyon"
columns = { key = "Code", available = "Dispo" }
[customers.t]
file = "clients.csv"
[customers.t.columns]
key = "No"
first_name = "Prénom"
last_name = "Nom"
email = "Mail"
phone = "Tél"
street = "Rue"
city = "Ville"
postcode = "CP"
country = "Pays"
[consents.t]
file = "clients.csv"
audience = "lettre"
columns = { key = "No", email = "Mail", state = "Optin" }
"""
GOODS = ("Code", "EAN", "Libellé", "Prix", "Barré", "Dispo")
PEOPLE = ("No", "Prénom", "Nom", "Mail", "Tél", "Rue", "Ville", "CP", "Pays", "Optin")
Rows = dict[str, dict[str, str]]


class Shop(DirFileSystem):  # type: ignore[misc]
    """The folder. What its owner knows is in `rows`, by file and key; `imports`: whether requests are carried out."""

    def __init__(self, *, imports: bool = True) -> None:
        memory = MemoryFileSystem(skip_instance_cache=True)
        memory.store, memory.pseudo_dirs = {}, [""]  # the class's own are shared by everybody
        super().__init__("/drops", memory)
        self.imports = imports
        self.makedirs("", exist_ok=True)
        self.pipe_file("mapping.toml", MAPPING.encode())
        goods = {f"A{n}": ["", f"Robe {n}", f"{49 + n},90", f"{59 + n},90", f"{5 + n}"] for n in range(1, 6)}
        goods["A1"][0] = "4006381333931"
        people = {f"C{n}": ["Anne", f"Durand {n}", f"c{n}@example.fr", f"+3361234567{n}", f"{n} rue X", "Lyon", "69001",
                            "FR", "oui"] for n in range(1, 4)}
        self.rows: dict[str, Rows] = {
            "articles.csv": {key: dict(zip(GOODS, (key, *row), strict=True)) for key, row in goods.items()},
            "clients.csv": {key: dict(zip(PEOPLE, (key, *row), strict=True)) for key, row in people.items()},
        }
        self.drop()

    def drop(self) -> None:
        """The export of everything."""
        for name, header in (("articles.csv", GOODS), ("clients.csv", PEOPLE)):
            target = io.StringIO(newline="")
            writer = csv.DictWriter(target, header, delimiter=";")
            writer.writeheader()
            writer.writerows(self.rows[name].values())
            self.pipe_file(name, target.getvalue().encode())

    def mv(self, old: str, new: str, **rest: Any) -> None:
        """A file that gets its last name is whole: it is taken and carried out."""
        super().mv(old, new, **rest)
        if new.startswith("out/") and self.imports:
            lines = csv.DictReader(io.StringIO(self.cat_file(new).decode("utf-8"), newline=""), delimiter=";")
            held = self.rows["clients.csv" if "No" in (lines.fieldnames or ()) else "articles.csv"]
            for line in lines:
                held[line.get("No") or line["Code"]] |= line
            self.rm(new)
            self.drop()


class ShopHands:
    """Whoever keeps the shop's customers, in the shop's own system."""

    endpoint, crowd, can_opt_in, pages_follow = "customers", 80, True, False

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def carries_out(self) -> bool:
        """As far as the shop imports."""
        return self.shop.imports

    def few(self, request: httpx.Request) -> httpx.Request:
        """A file has no pages to ask for."""
        return request

    async def make(self, session: Session, persons: Sequence[Person]) -> list[str]:
        """New customers, in the next drop."""
        made = {f"P{p.token}x{p.number}": p for p in persons}
        self.shop.rows["clients.csv"] |= {
            key: dict(zip(PEOPLE, (
                key, p.first_name, p.last_name, p.email, p.phone, p.street, p.city, p.postcode, p.country,
                "oui" if p.opted_in else "non",
            ), strict=True))
            for key, p in made.items()
        }
        self.shop.drop()
        return list(made)

    async def edit(self, session: Session, ids: Sequence[str], first_name: str) -> None:
        """In the next drop."""
        for key in ids:
            self.shop.rows["clients.csv"][key]["Prénom"] = first_name
        self.shop.drop()

    async def remove(self, session: Session, ids: Sequence[str]) -> None:
        """Not in the next drop any more."""
        for key in ids:
            self.shop.rows["clients.csv"].pop(key, None)
        self.shop.drop()


def folder_bench(channel: Channel, estate: Estate, *, write: bool, hands: bool, imports: bool = True) -> Bench:
    """A bench over a shop of its own."""
    shop = Shop(imports=imports)
    wire = Wire(httpx.MockTransport(lambda request: httpx.Response(599)))

    def connect(clock: Clock) -> Session:
        return channel.connect(Connection("file:///drops", {}, {}, clock, shop))

    own = ShopHands(shop) if hands else None
    return Bench(channel, connect(StillClock()), wire, connect, own, estate, may_write=write)
