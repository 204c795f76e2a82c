"""`trueup conformance`: runs the kit on systems of the estate, or on any base URL, and tells what was seen.

Reads alone unless `--write` is given. Prepares the benches and prints; what is examined, and how, is in `conformance`.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cli.home import is_embedded
from cli.outside import outside
from cli.screen import margin, tell_json, tell_table
from pipelines.errors import ConfigurationError
from resources.settings import Settings

if TYPE_CHECKING:
    from conformance.bench import Bench
    from conformance.tell import Report
    from pipelines.channels.base import Channel
    from pipelines.estate import Estate

EMBEDDED = "the embedded sandbox"
UNNAMED = "a server of no stated version"
WARNING = "writes to {where}: values are changed and put back, records of nobody are made and removed"


def conformance(
    settings: Settings, systems: list[str], *, url: str = "", estate_path: Path | None = None,
    options: Mapping[str, str] | None = None, against: str = "", write: bool = False, as_json: bool = False,
    markdown: Path | None = None,
) -> int:
    """Examine these systems; 1 where a check failed.

    Raises ConfigurationError for a system that is not known, a URL for several, or a credential that is missing.
    """
    if url and len(systems) != 1:
        raise ConfigurationError("--url goes with one system")
    from pipelines.estate import read_estate

    reports = []
    with _reachable(settings, needs_estate=not url and estate_path is None) as found:
        path = _estate_path(found, estate_path, is_url=bool(url))
        estate = read_estate(path) if path else None
        folder = path.parent if path else Path()
        for channel in _channels(systems, estate):
            if url and urlsplit(url).scheme not in channel.schemes:
                raise ConfigurationError(f"--url {url!r} is no {' or '.join(sorted(channel.schemes))} URL")
            where = against or (EMBEDDED if not url and is_embedded() and estate_path is None else UNNAMED)
            if write:
                margin().print(f"{channel.name}: {WARNING.format(where=where)}", style="dim")
            reports.append(
                _examined(found, channel, estate, folder, url, dict(options or {}), where, write=write)
            )
    _tell(reports, as_json=as_json, markdown=markdown)
    from conformance.run import has_failed

    return 1 if any(has_failed(report.results) for report in reports) else 0


@contextmanager
def _reachable(settings: Settings, *, needs_estate: bool) -> Iterator[Settings]:
    if not needs_estate:
        yield settings
        return
    with outside(settings, margin()) as found:
        yield found


def _estate_path(settings: Settings, path: Path | None, *, is_url: bool) -> Path | None:
    return path or (None if is_url and is_embedded() else settings.estate)


def _channels(systems: list[str], estate: "Estate | None") -> "list[Channel]":
    from pipelines.channels import CHANNELS
    from pipelines.configuration import suggestion
    from resources.channels import channels_of

    known = {channel.name: channel for channel in CHANNELS}
    if estate is not None:  # in the roles that they have there
        known |= {channel.name: channel for channel in channels_of(estate, CHANNELS)}
    for name in systems:
        if name not in known:
            words = f"there is no system {name!r}{suggestion(name, sorted(known))}"
            raise ConfigurationError(f"{words}; allowed: {', '.join(known)}")
    wanted = systems or [name for name in known if estate is not None and name in estate.systems]
    return [known[name] for name in wanted]


def _examined(
    settings: Settings, channel: "Channel", estate: "Estate | None", folder: Path, url: str, options: dict[str, str],
    against: str, *, write: bool,
) -> "Report":
    from conformance.run import run_checks
    from conformance.tell import Report
    from resources.clock import SystemClock

    async def run() -> "Report":
        bench = _bench(settings, channel, estate, folder, url, options, write=write)
        with margin().status("") as status:
            try:
                results = await run_checks(
                    bench, say=lambda words: status.update(f"{channel.name}: {words}"),
                    # Told at once: whoever breaks a run off must know what stands now.
                    taken_back=lambda result: margin().print(f"{channel.name}: {result.verdict}: {result.detail}"),
                )
            finally:
                await bench.close()
        today = SystemClock().now().date()
        return Report(channel.name, channel.title, version("trueup"), against, today, results)

    return asyncio.run(run())


def _bench(
    settings: Settings, channel: "Channel", estate: "Estate | None", folder: Path, url: str, options: dict[str, str],
    *, write: bool,
) -> "Bench":
    import httpx

    from conformance.bench import Bench
    from conformance.hands import hands_of, write_test
    from conformance.wire import Wire
    from pipelines.channels.base import Connection
    from pipelines.clock import Clock
    from pipelines.http import Session, trust
    from resources.channels import secrets_of
    from resources.clock import SystemClock, clock_of_systems
    from resources.folders import open_folder

    system = estate.systems.get(channel.name) if estate else None
    if not url and (estate is None or system is None):
        raise ConfigurationError(f"{channel.name} is not in the estate: say --url, or name an estate that has it")
    base = url or settings.base_url(estate, channel.name)  # type: ignore[arg-type]
    own = {**(system.options if system else {}), **options}
    secrets, hands = secrets_of(settings, channel), hands_of(channel.name)
    wire = Wire(httpx.AsyncHTTPTransport(verify=trust()), write_test(hands))

    is_over_http = base.startswith(("https://", "http://"))
    transport = wire if is_over_http else open_folder(base, settings.environment)

    def connect(clock: Clock) -> Session:
        return channel.connect(Connection(base, secrets, own, clock, transport, folder=folder))

    # By the server's own time: what is asked for "from now on" is meant by its clock.
    clock = clock_of_systems([base]) if is_over_http else SystemClock()
    return Bench(
        channel, connect(clock), wire, connect, hands, estate if system else None, may_write=write
    )


def _tell(reports: "list[Report]", *, as_json: bool, markdown: Path | None) -> None:
    from conformance.tell import HEAD, plain, put_section, table

    if markdown is not None:
        text = markdown.read_text(encoding="utf-8") if markdown.exists() else HEAD
        for report in reports:
            text = put_section(text, report)
        markdown.write_text(text, encoding="utf-8")
    if as_json:
        tell_json([plain(report) for report in reports])
        return
    for report in reports:
        tell_table(f"{report.title}, {report.against}: {report.summary}", table(report), most=None)
