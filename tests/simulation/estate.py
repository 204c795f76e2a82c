"""One world and one home of trueup in a folder, on virtual time; a home that may die in the middle and be opened again.

A run is a whole night by the steps that Dagster runs, with everything real but dlt, Splink, Great Expectations and the
report's charts. What a process that is killed leaves are its files as they lay at that moment, nothing else.
"""

import asyncio
import copy
import json
import logging
import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.channels import CHANNELS
from pipelines.errors import LeaseHeld
from pipelines.ledger.lease import LENGTH
from resources.channels import Settings
from resources.means import Means
from resources.steps import run_night
from resources.tonight import Tonight
from resources.warehouse import open_warehouse
from resources.workplace import open_workplace
from sandbox.app import build_app, load_vendors
from sandbox.estate import SHOP_IDS, write_estate
from sandbox.store import parse_stamp
from sandbox.vendor import Settings as Behaviour
from sandbox.world import ids
from sandbox.world.chronicle import BadRow
from sandbox.world.create import SELLERS, create_world
from sandbox.world.day import live_day
from sandbox.world.items import items_of
from sandbox.world.scene import Scene
from sandbox.world.settings import EPOCH, DayRates, WorldSettings
from sandbox.world.state import NONE
from sandbox.world.truth import Row
from tests import arming
from tests.simulation.casts import known
from tests.simulation.clocks import LeaseClock, VirtualClock, VirtualStore
from tests.simulation.keys import score_by_keys
from tests.simulation.loading import load_by_arrow
from tests.simulation.loop import Time, VirtualLoop
from tests.simulation.network import ORIGIN, Clear, Faults, Killed, Wire
from tests.simulation.run import Run, said
from tests.simulation.trace import Trace

KEY = "the simulation's own key"
DEAD_PROCESS = 2**22 + 1
"""No process has this number: above the highest that the system gives."""
LANES = ("suppress", "reach")
"""The steps whose writes lower permissions and nothing else."""


class SimulatedEstate:
    """A world, a home, and all runs so far."""

    def __init__(self, folder: Path, trace: Trace) -> None:
        self.folder, self.world, self.home = folder, folder / "world", folder / "home"
        self.trace, self.vendors = trace, load_vendors()
        self.store = VirtualStore(self.world / "world.sqlite", epoch=EPOCH)
        self.runs: list[Run] = []
        self._open_files = ExitStack()
        self._con: Any = None
        self._has_run_today = False
        self.systems: tuple[str, ...] = tuple(SHOP_IDS)[:4]
        """Those that trueup is told of."""
        self.reused: dict[str, int] = {}
        """Ids that are another thing's by now, each with the first run that could know."""
        self._touched: set[str] = set()
        """Variants, in all systems, of which somebody changed something in the middle of a night."""
        self._unread: set[str] = set()
        """Variants, in all systems, of which a reading has lost something without a sign."""
        self.away: frozenset[str] = frozenset()

    @property
    def time(self) -> Time:
        """The simulation's."""
        return self.store.time

    @property
    def settings(self) -> Settings:
        """Of this home."""
        return Settings.read({
            "TRUEUP_HOME": str(self.home), "TRUEUP_ESTATE": str(self.world / "estate.toml"),
            "TRUEUP_CONTACT_KEY": KEY, "TRUEUP_THREADS": "1",
            **{secret: "sandbox" for channel in CHANNELS for secret in channel.secrets},
        })

    @classmethod
    def made(cls, folder: Path, size: WorldSettings, trace: Trace) -> "SimulatedEstate":
        """A new world, before its first night."""
        (folder / "world").mkdir(parents=True)
        made = cls(folder, trace)
        create_world(made.world, size, made.store, made.vendors)
        arming.name_her(write_estate(made.world, size, ORIGIN))
        return made

    def close(self) -> None:
        """Close the world's file, and the warehouse."""
        self.close_warehouse()
        self.store.close()

    def close_warehouse(self) -> None:
        """Let go of the files; the next run opens them."""
        self._con = None
        self._open_files.close()

    # -- the world -----------------------------------------------------------------------------------------

    def day(self, rates: DayRates | None = None) -> list[Row]:
        """Let a day go by; the truth about the next night."""
        rows = live_day(self.world, self.store, self.vendors, rates=rates, away=self.away)
        self._has_run_today = False
        self.trace.note(self.time.now(), "day", rows=len(rows), night=self.store.fact("night"))
        return rows

    def scene(self) -> Scene:
        """All there is to know about the world."""
        return Scene.load(self.world, self.store, self.vendors)

    def truth_now(self) -> list[Row]:
        """What a night that began now would have to find."""
        scene = self.scene()
        night, state, persons = scene.chronicle.night, scene.look(), scene.persons()
        if self._has_run_today:
            scene.settle(state, persons, self.away)
        self._has_run_today = True
        return known(scene.rows(night, state, persons), self.systems)

    def sold(self, item: str, location: str, units: int) -> None:
        """A till sold while a night ran: the world, whose days alone know of sales, is told."""
        scene = self.scene()
        places = {place.square: at for at, place in enumerate(scene.shelves.places)}
        row = scene.shelves.row_of(ids.item_number("square", item), places[location])
        scene.memory.told[row] -= units
        if scene.memory.on_hand[row] != NONE:
            scene.memory.on_hand[row] -= units
        scene.memory.save(self.world)

    def touched(self, row: Row) -> None:
        """Somebody changed something of a thing in the middle of a night: which class its drift is of, no day knows."""
        if row.entity in ("prices", "stock"):
            number = ids.item_number(row.system, row.vendor_id)
            self._touched |= {ids.item_key(system, number) for system in SELLERS}

    def reuse_id(self, dice: random.Random) -> str:
        """The webshop gives the id of a variant to another thing; the key.

        One that had a barcode: without one anywhere, another SKU is a new name for the same thing.
        """
        scene = self.scene()
        spoilt = scene.chronicle.spoilt
        held = {item.key: item for item in items_of(scene.catalogue, scene.chronicle.settings, "shopify") if item.gtin}
        fits = [n for n in range(len(scene.catalogue)) if scene.catalogue.is_plain[n] and n not in spoilt]
        number = dice.choice([n for n in fits if ids.shopify_variant(n) in held])
        old = held[ids.shopify_variant(number)]
        other = replace(old, sku=f"AUTRE-{number:04d}", gtin=_gtin(number), title="Autre chose", option="Unique")
        self.vendors["shopify"].put_items(self.store, [other], self.time.now(), log=True)
        scene.chronicle.bad.append(
            BadRow("shopify", "items", "sku", old.key, "", "the id is another thing's by now", item=number)
        )
        scene.chronicle.save(self.world)
        self.reused.setdefault(old.key, len(self.runs) + 1)
        self.trace.note(self.time.now(), "id re-used", key=old.key)
        return old.key

    def leave_unread(self, rows: Iterable[str], run: Run) -> None:
        """From this night on nobody can say of what was lost in a reading without a sign: the things that it names."""
        text = "".join(rows)
        for number in range(len(self.scene().catalogue)):
            keys = {ids.item_key(system, number) for system in SELLERS}
            if any(f'"{key}"' in text for key in keys | {ids.shopify_inventory(number)}):
                self._unread |= keys
        run.spoilt |= self._unread

    def all_is_read(self) -> None:
        """A census has found again what was lost."""
        self._unread.clear()

    # -- trueup --------------------------------------------------------------------------------------------

    def run(
        self, faults: Faults | None = None, *, kind: str = "nightly", seed: str = "", dies_at: int = 0,
        skew: timedelta = timedelta(0), behaviour: dict[str, Any] | None = None,
        on_step: Callable[[str, Wire], None] | None = None, **asked: Any,
    ) -> Run:
        """One whole night. `dies_at`: the moment of its death, counted by the clock and the calls; 0: it lives."""
        number = len(self.runs) + 1
        arming.arm(self.settings, self.time.now())
        before = max((effect["seq"] for effect in self.store.effects()), default=0)
        app = build_app(
            self.store, Behaviour(base_url=ORIGIN, **(behaviour or {})), folder=self.world, vendors=self.vendors
        )
        wire = Wire(
            app, self.store, self.time, self.trace, random.Random(f"way {seed} {number}"), faults or Clear(), number,
            dies_at=dies_at, on_death=self._keep_remains,
        )
        run = Run(number, "", "killed", wire.calls, [], truth=self.truth_now(), holder=f"run {number}")
        run.spoilt = self._touched | self._unread | {
            ids.item_key(system, number) for number in self.scene().chronicle.spoilt for system in SELLERS
        }
        self.runs.append(run)
        self.trace.note(self.time.now(), "run", n=number, kind=kind)
        try:
            with self._open(wire, skew, run.holder) as place:
                night = Tonight(place, kind, **asked)
                try:
                    run.night_id = run_night(night, _quiet(), before=lambda step: self._step(run, wire, step, on_step))
                    run.status, run.new, run.parked, run.deaf = said(
                        place.con, run.night_id, partial(self.trace.note, self.time.now()), self._touched
                    )
                except Killed:
                    raise
                except Exception as error:
                    run.status, run.error = "failed", error
                    self.trace.note(self.time.now(), "broke", run=number, error=type(error).__name__)
        except Killed:
            self._take_remains()
        run.moments = wire.moments
        run.keep(self.store.effects(after_seq=before))
        if run.lanes and run.lanes[-1][1] == 0:
            run.lanes[-1] = (run.lanes[-1][0], wire.latest())
        self.trace.note(self.time.now(), "end", n=number, night=run.night_id, status=run.status, new=run.new)
        for effect in run.effects:
            self.trace.note(parse_stamp(effect["at"]), "effect", **{k: v for k, v in effect.items() if k != "at"})
        return run

    @contextmanager
    def _open(self, wire: Wire, skew: timedelta, holder: str) -> Iterator[Any]:
        means = Means(
            loop=lambda: VirtualLoop(self.time), load=load_by_arrow, score=score_by_keys,
            suites=lambda con, checks: [], report=lambda con, night_id, folder: folder / night_id,
            warehouse=self._warehouse, export=lambda con, folder: None, snapshot=lambda con, path: None,
            lease_clock=LeaseClock(self.time),
        )
        with open_workplace(
            self.settings, CHANNELS, holder=holder, clock=VirtualClock(self.time, wire, skew), transports=wire.line,
            means=means,
        ) as place:
            yield place

    @contextmanager
    def _warehouse(self, folder: Path, **how: Any) -> Iterator[Any]:
        """Opened once, and again after a death: opening costs as much as a tenth of a night."""
        if self._con is None:
            self._con = self._open_files.enter_context(open_warehouse(folder, **how))
            self._con.execute("PRAGMA disable_optimizer")  # a plan costs more than the few rows that it would spare
        yield self._con

    def _step(self, run: Run, wire: Wire, step: str, told: Callable[[str, Wire], None] | None) -> None:
        wire.moment()
        if told is not None:
            told(step, wire)
        self.trace.note(self.time.now(), "step", run=run.number, step=step)
        latest = wire.latest()
        if step == "stage":
            run.read_until = latest
        if run.lanes and run.lanes[-1][1] == 0:
            run.lanes[-1] = (run.lanes[-1][0], latest)
        if step in LANES:
            run.lanes.append((latest, 0))

    # -- a second run --------------------------------------------------------------------------------------

    def is_refused(self) -> bool:
        """Whether another run of this home, begun now, finds that somebody is writing and leaves."""
        silent = Wire(None, self.store, self.time, self.trace, random.Random(0), Clear(), 0)
        try:
            with self._open(silent, timedelta(0), "a second run"):
                return False
        except LeaseHeld:
            return True

    def take_over(self, run: Run, seed: str) -> None:
        """While one run stands still, its lease runs out and another does the night, on the files as they lie.

        The first one's process is stopped, not dead: it will wake up and believe that it may go on.
        """
        self.time.forward(LENGTH.total_seconds() + 60)
        twin = copy.copy(self)
        twin.home, twin._con, twin._open_files = self.folder / "twin", None, ExitStack()
        shutil.copytree(self.home, twin.home)
        stopped = asyncio.events._get_running_loop()  # a process that stands still runs no loop
        asyncio.events._set_running_loop(None)
        try:
            twin.run(seed=seed)
        finally:
            asyncio.events._set_running_loop(stopped)
        twin.close_warehouse()
        shutil.copy(twin.home / "warehouse" / "lease.json", self.home / "warehouse" / "lease.json")
        run.taken_over_at = len(run.calls)

    def leave_to_twin(self) -> None:
        """From now on the files of the run that took over are the home's."""
        self.close_warehouse()
        shutil.rmtree(self.home)
        (self.folder / "twin").rename(self.home)

    # -- death ---------------------------------------------------------------------------------------------

    def _keep_remains(self) -> None:
        """The files as they lie now: what is written after a process's death is written by nobody."""
        shutil.rmtree(self.folder / "remains", ignore_errors=True)
        shutil.copytree(self.home, self.folder / "remains")

    def _take_remains(self) -> None:
        """Go on with what the dead process left; its lease names a process that is no more."""
        self.close_warehouse()
        shutil.rmtree(self.home)
        (self.folder / "remains").rename(self.home)
        path = self.settings.warehouse / "lease.json"
        if path.exists():
            entry = json.loads(path.read_text(encoding="utf-8"))
            path.write_text(json.dumps(entry | {"pid": DEAD_PROCESS}), encoding="utf-8")


def _gtin(number: int) -> str:
    """A barcode that no thing of a world has, with its check digit."""
    digits = f"3769999{number:05d}"
    odd, even = (sum(int(d) for d in digits[at::2]) for at in (0, 1))
    return digits + str(-(odd + 3 * even) % 10)


def _quiet() -> logging.Logger:
    log = logging.Logger("a simulated night")
    log.addHandler(logging.NullHandler())
    return log
