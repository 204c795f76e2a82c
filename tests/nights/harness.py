"""A whole estate in one process: the sandbox's world, trueup's home, nights by the steps that Dagster runs, a judge.

No server, no Dagster, no child process, and no waiting: time is the world's and moves when somebody sleeps or a
vendor answers. A played estate is a folder, so that many tests can begin from copies of one that has been adopted.
"""

import asyncio
import json
import logging
import shutil
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx

from cli.summary import Summary, last_night, summarise
from pipelines.channels import CHANNELS
from pipelines.ledger.inbox import Answer, AnswerKind, drop
from pipelines.planfile import write_plan_file
from pipelines.report.facts import plan_rows
from resources.channels import Settings
from resources.means import Means
from resources.steps import run_night
from resources.tonight import Tonight
from resources.warehouse import open_copy
from resources.workplace import Workplace, open_workplace
from sandbox.app import VENDORS, build_app, load_vendors
from sandbox.estate import write_estate
from sandbox.judge import judge_scene
from sandbox.plan_rows import read_plan
from sandbox.store import Store, parse_stamp
from sandbox.vendor import Settings as Behaviour
from sandbox.verdict import Verdict
from sandbox.world import ids
from sandbox.world.create import create_world
from sandbox.world.day import live_day
from sandbox.world.scene import Scene
from sandbox.world.settings import EPOCH, DayRates, WorldSettings
from sandbox.world.truth import Row, read_truth
from tests import arming
from tests.described.openapi import Mismatch
from tests.described.vendors import described
from tests.simulation.loading import load_by_arrow

URL = "http://sandbox.test"
KEY = "the tests' own key"
SYSTEMS = ("square", "shopify", "hubspot", "mailchimp")
MEANS = Means(load=load_by_arrow)
"""The raw tables without dlt, which takes a quarter of a small night; nights that are played whole have it."""
_EVERYTHING = 1_000_000
_ANSWER_TAKES = timedelta(milliseconds=7)


class StillStore(Store):
    """A world whose clock stands until it is moved."""

    def now(self) -> datetime:
        return parse_stamp(self.fact("now") or "")

    def go_on(self, until: datetime) -> None:
        """Move the clock, never back."""
        if until > self.now():
            self.set_now(until)


class WorldClock:
    """The pipeline's clock, which is the world's: who sleeps moves it, and sleepers side by side sleep at once."""

    def __init__(self, store: StillStore) -> None:
        self._store = store

    def now(self) -> datetime:
        return self._store.now()

    def monotonic(self) -> float:
        return self._store.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        until = self.now() + timedelta(seconds=seconds, milliseconds=1)
        await asyncio.sleep(0)
        self._store.go_on(until)


class Vendors(httpx.AsyncBaseTransport):
    """The vendors' apps; every answer takes a moment of the world's time and is as its vendor describes it."""

    def __init__(self, app: Any, store: StillStore, planted: Set[str]) -> None:
        self._inner, self._store, self._planted = httpx.ASGITransport(app=app), store, planted
        self._descriptions = {name: described(name) for name in VENDORS}
        self.mismatches: list[str] = []
        self.checked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._store.go_on(self._store.now() + _ANSWER_TAKES)
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        await request.aread()
        answer = httpx.Response(response.status_code, headers=response.headers, content=body)
        if description := self._descriptions[request.url.path.split("/")[1]]:
            try:
                description.check(request, answer, self._planted)
                self.checked += 1
            except Mismatch as mismatch:
                self.mismatches.append(str(mismatch))
        return answer


@dataclass(frozen=True, slots=True)
class Night:
    """What one night left: its status, its corrections of both lanes with what became of each, and who wrote what."""

    night_id: str
    status: str
    rows: list[dict[str, Any]]
    effects: list[dict[str, Any]]
    """What the pipeline changed in the systems, in the order in which they took it."""
    words: list[str] = field(default_factory=list)
    """What the steps said while at work."""

    def chosen(self, **facts: Any) -> list[dict[str, Any]]:
        """Corrections with these values."""
        return [row for row in self.rows if all(row[name] == value for name, value in facts.items())]

    @property
    def new(self) -> list[dict[str, Any]]:
        """Corrections that no earlier night has planned."""
        return self.chosen(is_new=True)

    @property
    def written(self) -> set[str]:
        """Systems that were written to."""
        return {effect["vendor"] for effect in self.effects}


class PlayedEstate:
    """One world and one home of trueup, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.world, self.home = folder, folder / "world", folder / "home"
        self.vendors = load_vendors()
        self.store = StillStore(self.world / "world.sqlite", epoch=EPOCH)
        self.away: frozenset[str] = frozenset()
        """Systems that the last night could not read."""
        self.slowness: dict[str, float] = {}
        """How the vendors lag, by the names of the sandbox's settings."""
        self.is_armed = True
        """Whether all is armed anew before each run."""
        self.settings = Settings.read({
            "TRUEUP_HOME": str(self.home), "TRUEUP_ESTATE": str(self.world / "estate.toml"),
            "TRUEUP_CONTACT_KEY": KEY, "TRUEUP_THREADS": "1",
            "TRUEUP_SIGNING_KEY": str(arming.private_key(folder / "ana.pem")),
            **{secret: "sandbox" for channel in CHANNELS for secret in channel.secrets},
        })

    @classmethod
    def made(cls, folder: Path, size: WorldSettings) -> "PlayedEstate":
        """A new world, before its first night."""
        (folder / "world").mkdir(parents=True)
        played = cls(folder)
        create_world(played.world, size, played.store, played.vendors)
        arming.name_her(write_estate(played.world, size, URL))
        return played

    def copied(self, folder: Path) -> "PlayedEstate":
        """The same as it is now, to go on in another way."""
        self.close()
        shutil.copytree(self.folder, folder)
        self.__init__(self.folder)  # type: ignore[misc]
        return PlayedEstate(folder)

    def close(self) -> None:
        """Close the world's file."""
        self.store.close()

    # -- the world -----------------------------------------------------------------------------------------

    def day(self, rates: DayRates | None = None) -> list[Row]:
        """Let one day go by; returns the truth about the next night."""
        return live_day(self.world, self.store, self.vendors, rates=rates, away=self.away)

    def scene(self) -> Scene:
        """All there is to know about the world."""
        return Scene.load(self.world, self.store, self.vendors)

    def truth(self) -> list[Row]:
        """What the present night must find."""
        return read_truth(self.world, self.scene().chronicle.night)

    def effects(self, after_seq: int = 0) -> list[dict[str, Any]]:
        """What the pipeline changed in the systems."""
        return self.store.effects(after_seq=after_seq, origin="api")

    # -- trueup --------------------------------------------------------------------------------------------

    @contextmanager
    def open(self, *, down: Sequence[str] = (), refuses: Sequence[str] = ()) -> Iterator[Workplace]:
        """The workplace of one run; armed, unless `is_armed` says otherwise."""
        if self.is_armed:
            arming.arm(self.settings, self.store.now())
        behaviour = Behaviour(base_url=URL, is_down=frozenset(down), refuses=frozenset(refuses), **self.slowness)
        app = build_app(self.store, behaviour, folder=self.world, vendors=self.vendors)
        vendors = Vendors(app, self.store, _planted(self.scene()))
        with open_workplace(
            self.settings, CHANNELS, holder="a test", clock=WorldClock(self.store),
            transports=lambda _: vendors, means=MEANS,
        ) as place:
            yield place
        assert not vendors.mismatches, "\n".join(vendors.mismatches)

    def night(
        self, kind: str = "nightly", *, down: Sequence[str] = (), refuses: Sequence[str] = (), **asked: Any
    ) -> Night:
        """Run one whole night. `down` and `refuses`: systems that answer 503, or 401, to everything."""
        seen = max((effect["seq"] for effect in self.store.effects()), default=0)
        heard, self.away = Heard(), frozenset(down) | frozenset(refuses)
        with self.open(down=down, refuses=refuses) as place:
            night_id = run_night(Tonight(place, kind, **asked), heard.log)
        with self.copy() as con:
            row = con.execute("SELECT status FROM sync.nights WHERE night_id = ?", [night_id]).fetchone()
            rows = plan_rows(con, night_id, most=_EVERYTHING)
        assert row is not None
        return Night(night_id, row[0], rows, self.effects(seen), heard.words)

    def mode(self, system: str, modes: dict[str, str], pilot: dict[str, list[str]] | None = None) -> None:
        """Rewrite what the estate file allows in one system; entities that are not named are only observed."""
        path = self.world / "estate.toml"
        lines = path.read_text(encoding="utf-8").splitlines()
        start = lines.index(f"[systems.{system}]")
        end = next(number for number in range(start, len(lines)) if lines[number] == "")
        kept = [line for line in lines[start:end] if not line.startswith(("mode =", "pilot ="))]
        kept.append(f"mode = {_inline({name: json.dumps(mode) for name, mode in modes.items()})}")
        if pilot:
            kept.append(f"pilot = {_inline({name: json.dumps(keys) for name, keys in pilot.items()})}")
        path.write_text("\n".join([*lines[:start], *kept, *lines[end:]]) + "\n", encoding="utf-8")

    def judge(self, *, down: Sequence[str] = ()) -> Verdict:
        """Hold the last night, and the systems as they are now, against the truth."""
        night_id = self._last()
        with self.copy() as con:
            path = write_plan_file(con, night_id, self.home / "plans" / f"{night_id}.jsonl")
        return judge_scene(self.scene(), read_plan(path), down=frozenset(down))

    def answer(self, row: dict[str, Any], kind: AnswerKind, *, days: int | None = None) -> None:
        """A person's word on a held row; it takes effect with the next night."""
        at = self.store.now()
        until = None if days is None else at + timedelta(days=days)
        drop(self.settings.inbox, Answer(
            correction_key=row["correction_key"], answer=kind, author="Ana", reason="I asked the shop", at=at,
            until=until,
        ), arming.signer())

    def summary(self) -> Summary:
        """What the command line shows of the last night."""
        return summarise(self.settings, self._last())

    @contextmanager
    def copy(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The snapshot that the last night left, as questions read it."""
        with open_copy(self.settings.snapshot, contact_key=KEY.encode()) as con:
            con.execute("USE ledger")
            yield con

    def _last(self) -> str:
        night_id = last_night(self.settings)
        assert night_id is not None, "there was no night yet"
        return night_id


class Heard(logging.Handler):
    """Keeps what the steps of one night say."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.words: list[str] = []
        self.log = logging.Logger("a night", logging.INFO)
        self.log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.words.append(record.getMessage())


def _inline(table: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{name} = {value}" for name, value in table.items()) + " }"


def _planted(scene: Scene) -> set[str]:
    """Ids of the records that the world spoilt on purpose; a title is the product's, not the variant's."""
    bad = scene.chronicle.bad
    products = {ids.square_item(int(scene.catalogue.product[row.item])) for row in bad if row.item >= 0}
    return {row.vendor_id for row in bad} | products


def told(verdict: Verdict) -> str:
    """What is wrong, for a failing test: kinds, and some examples of each."""
    lines = [
        f"{kind}: {one.where}: {one.words}" for kind, some in verdict.examples().items() for one in some
    ]
    return f"{len(verdict.failures)} things are not as the truth has them\n" + "\n".join(lines)
