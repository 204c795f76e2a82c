"""Stage 1, extract: systems -> `raw_<system>.*`, with a verdict on how far each read can be believed.

All systems and all their endpoints are read at once. A read goes to a Parquet file first and is judged whole; only
a complete one is loaded (extract_load), and its cursor moves once it is staged (stage_cursors). What failed keeps its
last raw table, its cursor and an incomplete verdict, which freezes everything that it feeds. A delta that leaves more
than the vendor counts, or brings records that do not say which they are, is followed by a census. Vendors are known
only through `channels.base`.
"""

import asyncio
import copy
import logging
import shutil
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.channels.base import Channel, Endpoint, Window
from pipelines.channels.foreseen import where
from pipelines.clock import Clock
from pipelines.errors import ChannelError, FatalChannelError
from pipelines.extract_judge import (
    MIN_SHARE,
    Seen,
    count_held,
    count_nameless,
    count_twins,
    count_unique,
    judge,
    without_repeats,
)
from pipelines.extract_load import Load, LoadFile, load_files
from pipelines.extract_log import Due, commit_reads, commit_verdicts, due_reads, ensure_raw_tables, raw_schema
from pipelines.extract_spill import Spill
from pipelines.http import Counters, Session
from pipelines.model import ReadVerdict

log = logging.getLogger("trueup.extract")

Runner = Callable[[Coroutine[Any, Any, "list[Read]"]], "list[Read]"]


@dataclass(frozen=True, slots=True)
class Read:
    """One endpoint's read: what is known about it, the file it lies in, and what it cost."""

    endpoint: Endpoint
    verdict: ReadVerdict
    seen: Seen
    path: Path
    calls: int
    waited_seconds: float
    counted: int | None = None
    """Records that the vendor has, where a delta asked for it."""


@dataclass(frozen=True, slots=True)
class _Night:
    """What every read of one extraction shares."""

    con: duckdb.DuckDBPyConnection
    clock: Clock
    folder: Path
    due: dict[tuple[str, str], Due]
    accept_short: frozenset[str]
    min_share: float
    load: Load


def extract_all(
    con: duckdb.DuckDBPyConnection,
    channels: list[tuple[Channel, Session]],
    *,
    night_id: str,
    clock: Clock,
    folder: Path,
    force_census: bool = False,
    accept_short: frozenset[str] = frozenset(),
    min_share: float = MIN_SHARE,
    run: Runner = asyncio.run,
    load: Load | None = None,
) -> list[ReadVerdict]:
    """Read, judge and load every endpoint of `channels`; one system's failure never stops the others.

    `folder` is scratch space of ours. `accept_short` names endpoints ("square.catalog") whose shrinking a person
    has explained, `min_share` how much of the last census must be there. `run` runs the reading on the event loop to
    which the sessions belong; closing them is the caller's. `load`: what fills the raw tables; None: dlt.
    """
    systems = [channel for channel, _ in channels]
    ensure_raw_tables(con, systems)
    con.execute("CHECKPOINT")  # frees what the last night's tables held, so that the file does not grow
    due = due_reads(con, systems, now=clock.now(), force_census=force_census)
    reads = _spilled(_Night(con, clock, folder, due, accept_short, min_share, load or load_files), channels, run)
    commit_reads(con, night_id, [(read.verdict, read.calls, read.waited_seconds) for read in reads])
    verdicts = [read.verdict for read in reads]
    commit_verdicts(con, verdicts)
    return verdicts


def extract_days(
    con: duckdb.DuckDBPyConnection,
    channels: list[tuple[Channel, Session]],
    *,
    entity: str,
    start: datetime,
    end: datetime,
    clock: Clock,
    folder: Path,
    run: Runner = asyncio.run,
) -> list[ReadVerdict]:
    """Read again what of one entity changed in [start, end), merged into the raw tables; no cursor moves.

    FatalChannelError where a read was not complete: a day is read whole or not at all.
    """
    narrowed = []
    for channel, session in channels:
        endpoints = tuple(e for e in channel.endpoints if entity in e.entities and e.has_delta)
        narrowed.append((replace(channel, endpoints=endpoints), session))
    ensure_raw_tables(con, [channel for channel, _ in narrowed])
    due = {(c.name, e.name): Due(start, None, None, until=end) for c, _ in narrowed for e in c.endpoints}
    night = _Night(con, clock, folder, due, frozenset(), MIN_SHARE, load_files)
    verdicts = [read.verdict for read in _spilled(night, narrowed, run)]
    if broken := [f"{v.system}.{v.endpoint}: {v.reason}" for v in verdicts if not v.is_complete]:
        raise FatalChannelError("; ".join(broken))
    return verdicts


def _spilled(night: _Night, channels: list[tuple[Channel, Session]], run: Runner) -> list[Read]:
    spill = night.folder / "spill"
    shutil.rmtree(spill, ignore_errors=True)
    spill.mkdir(parents=True)
    try:
        return run(_read_all(night, channels))
    finally:
        shutil.rmtree(spill, ignore_errors=True)


async def _read_all(night: _Night, channels: list[tuple[Channel, Session]]) -> list[Read]:
    # DuckDB has one connection and dlt is synchronous: one thread loads while the others' pages go on arriving.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="load") as loader:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_read_system(night, *pair, loader)) for pair in channels]
    return [read for task in tasks for read in task.result()]


async def _read_system(
    night: _Night, channel: Channel, session: Session, loader: ThreadPoolExecutor
) -> list[Read]:
    loop, name = asyncio.get_running_loop(), channel.name

    async def read(endpoint: Endpoint, *, is_census: bool = False) -> Read:
        due = night.due[name, endpoint.name]
        return await _read(night, name, endpoint, session, replace(due, since=None) if is_census else due)

    reads = {found.endpoint.name: found for found in await asyncio.gather(*map(read, channel.endpoints))}
    stale = await loop.run_in_executor(loader, _outlived, night, name, reads.values())
    for census in await asyncio.gather(*(read(delta.endpoint, is_census=True) for delta in stale)):
        reads[census.endpoint.name] = _in_all(census, reads[census.endpoint.name])
    return await loop.run_in_executor(loader, _judge_and_load, night, name, list(reads.values()))


def _in_all(census: Read, delta: Read) -> Read:
    """The census that followed a delta, with what both cost."""
    return replace(
        census, calls=census.calls + delta.calls, waited_seconds=census.waited_seconds + delta.waited_seconds
    )


async def _read(night: _Night, system: str, endpoint: Endpoint, session: Session, due: Due) -> Read:
    started, counted_total = night.clock.now(), None
    counted = copy.copy(session)  # shares the connections and the limiter, counts for itself
    counted.counters = Counters()
    path, seen, problem = night.folder / "spill" / f"{system}.{endpoint.name}.parquet", Seen(), ""
    with Spill(path) as spill:
        try:
            async for page in endpoint.read(counted, Window(due.since, due.until or started, due.until is not None)):
                seen.add(page)
                spill.add(page.rows, night.clock.now())
            spill.finish()
            if endpoint.count and due.kind == "delta" and due.until is None:
                counted_total = await endpoint.count(counted)
        except ChannelError as error:
            problem = f"{type(error).__name__}: {error}"
        except Exception as error:  # an answer of a shape nobody foresaw: this system only; no values in the words
            problem = where(error)
            log.error("%s.%s: %s", system, endpoint.name, problem)
    finished = night.clock.now()
    log.info(
        "%s.%s: %s of %d rows in %d pages, %.1f s%s", system, endpoint.name, due.kind, seen.row_count,
        seen.page_count, (finished - started).total_seconds(), f" ({problem})" if problem else "",
    )
    verdict = ReadVerdict(
        system=system,
        endpoint=endpoint.name,
        entities=endpoint.entities,
        kind=due.kind,
        is_complete=not problem,
        reason=problem,
        row_count=seen.row_count,
        page_count=seen.page_count,
        declared_total=seen.declared_max,
        started_at=started,
        finished_at=finished,
        cursor_from=due.since,
        cursor_to=started,
    )
    counters = counted.counters
    return Read(endpoint, verdict, seen, path, counters.calls, counters.waited_seconds, counted_total)


def _outlived(night: _Night, system: str, reads: Iterable[Read]) -> list[Read]:
    """Deltas after which we would still hold what the vendor no longer has: records that are gone, or that have changed
    and do not say which they are."""
    found = []
    for read in reads:
        due = night.due[system, read.endpoint.name]
        if due.kind == "census" or due.until is not None or not read.verdict.is_complete:
            continue
        table = f"{raw_schema(system)}.{read.endpoint.name}"
        if nameless := count_nameless(night.con, table, read.path):
            why = f"{nameless} records do not say which they are"
        elif read.counted is None:
            continue
        else:
            held = count_held(night.con, table, read.path, gone=read.endpoint.gone)
            why = f"{held} held, {read.counted} there" if held > read.counted else ""
        if why:
            log.info("%s.%s: %s: a census", system, read.endpoint.name, why)
            found.append(read)
    return found


def _judge_and_load(night: _Night, system: str, reads: list[Read]) -> list[Read]:
    judged, files = [], []
    for read in reads:
        verdict, path = read.verdict, read.path
        if verdict.is_complete:
            unique = count_unique(night.con, path)
            accepted = f"{system}.{verdict.endpoint}" in night.accept_short
            last = None if accepted else night.due[system, verdict.endpoint].last_census
            verdict = judge(
                verdict, read.seen, unique_count=unique, last_census=last, may_be_empty=read.endpoint.may_be_empty,
                twins=count_twins(night.con, path) if unique < verdict.row_count else 0, min_share=night.min_share,
            )
            if verdict.is_complete and unique < verdict.row_count:
                path = without_repeats(night.con, path)
            files.append(LoadFile(verdict.endpoint, path, unique, verdict.kind == "census"))
        if not verdict.is_complete:
            log.warning("%s.%s is not complete: %s", system, verdict.endpoint, verdict.reason)
        judged.append(replace(read, verdict=verdict))
    complete = {read.verdict.endpoint for read in judged if read.verdict.is_complete}
    try:
        night.load(night.con, system, [file for file in files if file.endpoint in complete], folder=night.folder)
    except PipelineStepFailed as error:
        reason = f"the load failed: {type(error.exception).__name__}"  # its words may hold a row's values
        log.error("%s: %s", system, reason)
        return [
            replace(read, verdict=replace(read.verdict, is_complete=False, reason=read.verdict.reason or reason))
            for read in judged
        ]
    return judged
