"""One world with everything that is known about it: settings, structure, diary, memory, store and vendors.

The structure (catalogue, shelves) follows from the seed and is built anew each time; what changed since is in the
store, and in the diary and the memory beside the truth.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.store import Store
from sandbox.vendor import Vendor
from sandbox.world.cast import cast_of
from sandbox.world.catalogue import Catalogue, build_catalogue
from sandbox.world.chronicle import BadRow, Chronicle
from sandbox.world.dice import Ints
from sandbox.world.identity import Persons, Record, read_persons
from sandbox.world.memory import Memory
from sandbox.world.settings import WorldSettings, night_date
from sandbox.world.shelves import Shelves, build_shelves
from sandbox.world.state import State, observe
from sandbox.world.truth import Row, apply_caps, carry, read_truth, write_truth
from sandbox.world.truth_consents import consent_rows
from sandbox.world.truth_customers import customer_rows, settle_customers, whole_addresses
from sandbox.world.truth_prices import discounts, price_rows, rateless_rows, settle_prices
from sandbox.world.truth_stock import settle_stock, stock_rows
from sandbox.world.values import values_now


@dataclass(slots=True)
class Scene:
    """All there is to know about one world."""

    folder: Path
    store: Store
    vendors: Mapping[str, Vendor]
    catalogue: Catalogue
    shelves: Shelves
    chronicle: Chronicle
    memory: Memory

    @classmethod
    def new(cls, folder: Path, settings: WorldSettings, store: Store, vendors: Mapping[str, Vendor]) -> "Scene":
        """An empty world."""
        catalogue = build_catalogue(settings)
        shelves = build_shelves(settings, catalogue)
        memory = Memory.empty(len(catalogue), len(shelves))
        return cls(folder, store, vendors, catalogue, shelves, Chronicle(settings), memory)

    @classmethod
    def load(cls, folder: Path, store: Store, vendors: Mapping[str, Vendor]) -> "Scene":
        """A world that was saved."""
        chronicle = Chronicle.load(folder)
        catalogue = build_catalogue(chronicle.settings)
        shelves = build_shelves(chronicle.settings, catalogue)
        return cls(folder, store, vendors, catalogue, shelves, chronicle, Memory.load(folder))

    def save(self) -> None:
        """Write the diary and the memory."""
        self.chronicle.save(self.folder)
        self.memory.save(self.folder)

    @property
    def cast(self) -> tuple[str, ...]:
        """The systems of this world."""
        return cast_of(self.chronicle.settings)

    @property
    def bad_records(self) -> set[Record]:
        """Customer records that are in quarantine."""
        return {(row.system, row.vendor_id) for row in self.chronicle.bad if row.entity == "customers"}

    def bad_rows(self, state: State) -> list[BadRow]:
        """All that must be in quarantine: the dirt that was planted, and what nobody can compare any more."""
        return self.chronicle.bad + rateless_rows(self.catalogue, state)

    def look(self) -> State:
        """What the systems hold now."""
        return observe(self.vendors, self.store, len(self.catalogue), self.shelves, self.cast)

    def discount(self, night: int) -> Ints:
        """Per cent off at a night, per variant."""
        day = night_date(night, self.chronicle.settings.first_night)
        return discounts(self.chronicle.promotions, day, len(self.catalogue))

    def persons(self) -> Persons:
        """Records by person."""
        return read_persons(self.folder)

    def unresolved(self, state: State) -> list[Row]:
        """The rows of the present truth that no one has resolved."""
        rows = read_truth(self.folder, self.chronicle.night)
        now = values_now(self.shelves, state, rows)
        return [row for row in rows if row.key not in now or now[row.key] != row.desired]

    def settle(self, state: State, persons: Persons, away: frozenset[str] = frozenset()) -> None:
        """Remember what the systems agree on after the night that the present truth is about.

        What hangs on the word of a system that was `away` may be equal: nobody could see it.
        """
        settle_prices(self.catalogue, state, self.memory, self.discount(self.chronicle.night), away)
        if not away & {"square", "shopify"}:
            settle_stock(self.shelves, state, self.memory)
        settle_customers(state, self.memory, persons, self.bad_records, away)

    def tell(self, night: int, state: State, persons: Persons, earlier: Iterable[Row] = ()) -> list[Row]:
        """Work out and write what night `night` must find; `earlier`: what the night before it left unresolved."""
        rows = self.rows(night, state, persons, earlier)
        write_truth(self.folder, night, rows)
        self.memory.told = state.on_hand.copy()
        self.chronicle.night = night
        for effect in self.store.effects(after_seq=self.chronicle.effects_seen)[-1:]:
            self.chronicle.effects_seen = int(effect["seq"])
        write_permissions(self.folder, state)
        self.store.set_fact("night", str(night))
        return rows

    def rows(self, night: int, state: State, persons: Persons, earlier: Iterable[Row] = ()) -> list[Row]:
        """What night `night` must find, worked out and not written."""
        rows = carry(self._rows(night, state, persons), earlier)
        return whole_addresses(apply_caps(rows, state.populations(self.shelves)))

    def _rows(self, night: int, state: State, persons: Persons) -> Iterator[Row]:
        spoilt, bad = self.chronicle.spoilt, self.bad_records
        yield from price_rows(night, self.catalogue, state, self.memory, self.discount(night), spoilt)
        yield from stock_rows(night, self.shelves, state, self.memory, spoilt)
        yield from customer_rows(night, state, self.memory, persons, bad)
        yield from consent_rows(night, state, persons, bad, self.chronicle.gone)
        for row in self.bad_rows(state):
            yield Row(
                night, row.system, row.entity, row.field, row.vendor_id, row.vendor_sub_id, "bad_row",
                "must_quarantine", None, None, row.system, row.note,
            )


def write_permissions(folder: Path, state: State) -> None:
    """Keep every e-mail permission as it was before the night, so that the judge can see which were raised."""
    with (folder / "truth" / "permissions.jsonl").open("w", encoding="utf-8") as file:
        for system, held in state.customers.items():
            for key, customer in held.items():
                file.write(json.dumps([system, key, customer.consent.state]) + "\n")


def read_permissions(folder: Path) -> dict[Record, str]:
    """The inverse of `write_permissions`."""
    with (folder / "truth" / "permissions.jsonl").open(encoding="utf-8") as file:
        return {(system, key): state for system, key, state in map(json.loads, file)}
