"""What every check works with: one system's channel and session over a wire that plays faults, and a scratch database.

Writes go through push's own sender, so that what is examined is what a night does: batches, keys, checks just before a
write, and what is made of a lost answer. Every value is kept before it is first written, and put back at the end
(`restore`); records that the hands made are removed. The database lives in memory and holds nothing afterwards.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

import duckdb
import msgspec

from conformance.hands import CarriesOut, Hands, Person
from conformance.read import Read, read
from conformance.staged import Row, clean_rows, endpoints_of, models_of, scratch, stage, sub_id_of, typed_of, value_of
from conformance.verdicts import Failed, NotShown
from conformance.wire import Wire
from pipelines.channels.base import Channel, Endpoint
from pipelines.clock import Clock
from pipelines.estate import Estate, compile_estate
from pipelines.http import Session
from pipelines.ledger.plans import PlanHead
from pipelines.model import Correction, Outcome, OutcomeStatus, Reading
from pipelines.push.journal import Approved, Journal
from pipelines.push.send import SystemPush
from pipelines.readback import read_back
from pipelines.stage import stage_models
from pipelines.tables import create_tables

T = TypeVar("T")
SETTLING_WAITS = (0.0, 2.0, 8.0, 30.0)
"""Seconds of the clock in which an index that lags may show what was written."""
OURS = "made by the hands"
"""The subject of corrections of records that are removed at the end, so that no value of theirs is put back."""
Place = tuple[str, str, str, str]


@dataclass
class Bench:
    """One system, examined. Close it with `close`."""

    channel: Channel
    session: Session
    wire: Wire
    connect: Callable[[Clock], Session]
    """Another session over the same wire, going by this clock."""
    hands: Hands | None = None
    estate: Estate | None = None
    may_write: bool = False
    con: duckdb.DuckDBPyConnection = field(default_factory=scratch)
    made: dict[str, Person] = field(default_factory=dict)
    """Records that the hands made and have not removed, by id in the raw table."""
    _before: dict[Place, Correction] = field(default_factory=dict)
    _own: set[str] = field(default_factory=set)
    """Addresses of all persons that were ever made here."""
    _kept: dict[str, Any] = field(default_factory=dict)
    _numbers: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        create_tables(self.con, stage_models([self.channel.name]).values())
        if self.estate is not None:
            compile_estate(self.con, self.estate)
        self.token = f"{int(self.clock.now().timestamp() * 1000):x}{int(self.clock.now().timestamp()) % 1000:03d}"

    @property
    def clock(self) -> Clock:
        """The session's."""
        return self.session.clock

    @property
    def is_over_http(self) -> bool:
        """Whether the wire carries the calls; a folder of files is reached otherwise, and no fault is played there."""
        return not {"http", "https"}.isdisjoint(self.channel.schemes)

    async def close(self) -> None:
        """End the session, the connections and the database."""
        await self.session.__aexit__(None, None, None)
        await self.wire.close()
        self.con.close()

    async def once(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """What several checks look at is done once; its failure is the failure of each of them."""
        if name not in self._kept:
            try:
                self._kept[name] = (await work(), None)
            except Exception as error:
                self._kept[name] = (None, error)
        found, failure = self._kept[name]
        if failure is not None:
            raise failure
        result: T = found
        return result

    # -- reading -------------------------------------------------------------------------------------------

    def endpoint(self, name: str) -> Endpoint:
        """An endpoint by name."""
        return next(e for e in self.channel.endpoints if e.name == name)

    async def census(self) -> dict[str, Read]:
        """All endpoints, read whole, once; who needs them after a change reads anew."""
        return await self.once("census", self._census)

    async def _census(self, names: Container[str] | None = None) -> dict[str, Read]:
        wanted = [e for e in self.channel.endpoints if names is None or e.name in names]
        found = await asyncio.gather(*(read(self.session, endpoint) for endpoint in wanted))
        return {one.endpoint.name: one for one in found}

    async def stage_anew(self, entities: Iterable[str] = ()) -> None:
        """A fresh census of what feeds these entities (none named: all), loaded and staged.

        Failed where a read is not believed.
        """
        models = models_of(self.channel, set(entities))
        reads = await self._census(endpoints_of(models))
        if broken := [f"{name}: {one.reason}" for name, one in reads.items() if not one.is_believed]:
            raise Failed(f"not read whole: {'; '.join(broken)}")
        stage(self.con, self.channel, reads.values(), models, at=self.clock.now())

    async def staged(self, entity: str) -> list[Row]:
        """The clean rows of one staged table, as they were when last staged; none where the system has no such."""
        await self.once("staged", self.stage_anew)
        return self.rows(entity)

    def rows(self, entity: str) -> list[Row]:
        """The clean rows of one staged table as it is now."""
        return clean_rows(self.con, self.channel, entity)

    # -- the other side's hands ----------------------------------------------------------------------------

    @property
    def has_hands(self) -> bool:
        """Whether persons can be made."""
        is_read = self.hands is not None and any(e.name == self.hands.endpoint for e in self.channel.endpoints)
        return is_read and self.may_write

    def need_hands(self) -> Hands:
        """The hands; NotShown without them."""
        if self.hands is None:
            raise NotShown(f"nobody has written conformance/hands/{self.channel.name}.py")
        if all(endpoint.name != self.hands.endpoint for endpoint in self.channel.endpoints):
            raise NotShown("in the roles that it has here the system is read for no persons")
        return self.hands

    async def make(self, count: int) -> dict[str, Person]:
        """New persons, by id."""
        if not self.may_write:
            raise NotShown("no record is made without --write")
        hands, first = self.need_hands(), self._numbers["person"]
        self._numbers["person"] += count
        persons = [Person(first + n, self.token, hands.can_opt_in) for n in range(count)]
        ids = await hands.make(self.session, persons)
        if len(ids) != count:
            raise Failed(f"the hands made {len(ids)} of {count} records")
        made = dict(zip(ids, persons, strict=True))
        self.made |= made
        self._own |= {person.email for person in persons}
        return made

    @property
    def has_made(self) -> bool:
        """Whether any person was to be made in this run."""
        return self._numbers["person"] > 0

    async def ours_listed(self) -> list[str]:
        """Ids of all persons of this run that the system lists, whether their making was answered or not."""
        mark = f"conformance.{self.token}.".encode()
        found = await read(self.session, self.endpoint(self.need_hands().endpoint))
        return [key for key, row in found.living.items() if mark in row.payload]

    async def remove(self, ids: Sequence[str]) -> None:
        """Remove persons that were made."""
        await self.need_hands().remove(self.session, ids)
        for key in ids:
            self.made.pop(key, None)

    @contextmanager
    def few_a_page(self) -> Iterator[None]:
        """Pages of a handful of rows."""
        with self.wire.rewriting(self.need_hands().few):
            yield

    def several_pages(self) -> AbstractContextManager[None]:
        """What makes a crowd come in several pages."""
        return self.few_a_page() if self.need_hands().pages_follow else nullcontext()

    async def persons(self) -> list[Row]:
        """Staged customers that the hands made, three at least; made and staged once."""

        async def ready() -> list[Row]:
            made = await self.make(3)
            await self.settle(set(made))
            await self.once("staged", self.stage_anew)
            await self.stage_anew(("customers", "consents"))
            return self.of_persons("customers", made)

        found = await self.once("persons", ready)
        if not found:
            raise Failed("records that were made by the vendor's API are not staged")
        return found

    def of_persons(self, entity: str, made: dict[str, Person]) -> list[Row]:
        """Staged rows of persons that were made, in their order."""
        order = {person.email: person.number for person in made.values()}
        rows = [row for row in self.rows(entity) if row.get("email") in order]
        return sorted(rows, key=lambda row: order[row["email"]])

    async def settle(self, ids: set[str], *, are_there: bool = True) -> None:
        """Wait, within reason, until the census shows these records, or does not show them any more."""
        endpoint = self.endpoint(self.need_hands().endpoint)
        for wait in SETTLING_WAITS:
            await self.clock.sleep(wait)
            found = (await read(self.session, endpoint)).living.keys() & ids
            if found == (ids if are_there else set()):
                return

    # -- writing -------------------------------------------------------------------------------------------

    def correction(self, entity: str, name: str, row: Row, desired: str | None) -> Correction:
        """A correction of a staged row's value, as a plan would hold it."""
        self._numbers["correction"] += 1
        context = row.get("write_context")
        return Correction(
            f"{self.token}-{self._numbers['correction']:06d}", "", self.channel.name, entity, name,
            str(row["vendor_id"]), sub_id_of(entity, row), OURS if self._is_ours(row) else "", "",
            value_of(name, row), desired, base=typed_of(name, row),
            currency=row.get("currency"), version=row.get("version"), drift_class="elsewhere", rule="conformance",
            context=msgspec.json.decode(context) if context else {},
        )

    async def push(
        self, corrections: Sequence[Correction], *, channel: Channel | None = None, keep: bool = True
    ) -> dict[str, Outcome]:
        """Send corrections as a night would; the last outcome of each, by key. Only with `may_write`."""
        if not self.may_write:
            raise NotShown("nothing is written without --write")
        self._need_effects({c.entity for c in corrections})
        self._numbers["plan"] += 1
        plan = f"conformance-{self.token}-{self._numbers['plan']}"
        rows = [replace(c, plan_id=plan) for c in corrections]
        if keep:
            self._keep(rows)
        now = self.clock.now()
        head = PlanHead(plan, plan, "main", now + timedelta(hours=1), plan)
        sender = SystemPush(
            self.con, Journal(self.con, head, self.clock), channel or self.channel, self.session,
            may_send=lambda: "", canary_rows=0,
        )
        await sender.run([Approved(c, "policy", now + timedelta(hours=1)) for c in rows])
        found = self.con.execute(
            "SELECT o.correction_key, arg_max(o.status, o.rowid), arg_max(o.code, o.rowid), "
            "arg_max(o.version_after, o.rowid) FROM ledger.sync.outcomes AS o WHERE o.plan_id = ? "
            "GROUP BY o.correction_key", [plan],
        ).fetchall()
        if sender.stopped:
            raise Failed(f"the system was stopped: {sender.stopped}")
        return {str(key): Outcome(str(key), OutcomeStatus(s), c, version_after=v) for key, s, c, v in found}

    def _need_effects(self, entities: Container[str]) -> None:
        """NotShown where a write is a request that nobody here carries out: it could be neither seen nor taken back."""
        requests = any(w.settles_within is not None and w.entity in entities for w in self.channel.writers)
        if requests and not (isinstance(self.hands, CarriesOut) and self.hands.carries_out()):
            raise NotShown("a write is a request that is carried out later: it would be neither seen nor taken back")

    def _is_ours(self, row: Row) -> bool:
        return bool(row.get("email")) and row["email"] in self._own

    @property
    def before(self) -> list[Correction]:
        """The first correction of each value that was written, with what it was before; records of ours left out."""
        return list(self._before.values())

    def _keep(self, corrections: Sequence[Correction]) -> None:
        for c in corrections:
            if c.subject_id != OURS:
                self._before.setdefault((c.entity, c.field, c.vendor_id, c.vendor_sub_id), c)

    async def read_back(self, corrections: Sequence[Correction]) -> dict[str, Reading]:
        """The present values, by correction key."""
        return await read_back(self.channel, self.session, corrections)
