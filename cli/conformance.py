"""`trueup conformance`: runs the kit on systems of the estate, or on any base URL, and tells what was seen.

Reads alone unless `--write` is given. Prepares the benches and prints; what is examined, and how, is in `conformance`.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cli.home import is_embedded
from cli.outside import outside
from cli.screen import margin, tell_json, tell_table
from pipelines.errors import ConfigurationError
from pipelines.kill_switch import read_stop
from resources.settings import Settings

if TYPE_CHECKING:
    from conformance.bench import Bench
    from conformance.tell import Report
    from pipelines.channels.base import Channel
    from pipelines.estate import Estate

EMBEDDED = "the embedded sandbox"
UNNAMED = "a server of no stated version"
WARNING = (
    "writes to {where}: a few values of goods (prices, stock, barcodes) are changed and put back; persons who do not "
    "exist are made and removed, and no real person's record is written to"
)


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
    if write and (stop := read_stop(settings.kill_switch)) is not None:
        raise ConfigurationError(f"{stop}, so nothing is tried by writing; `trueup go` ends it")
    from conformance.run import has_failed
    from pipelines.estate import read_estate

    reports = []
    with _reachable(settings, needs_estate=not url and estate_path is None) as found:
        path = _estate_path(found, estate_path, is_url=bool(url))
        estate = read_estate(path) if path else None
        for channel in _channels(systems, estate):
            where = against or (EMBEDDED if not url and is_embedded() and estate_path is None else UNNAMED)
            said = [*(["--url URL"] if url else []), *([f'--against "{against}"'] if against else [])]
            if write:
                margin().print(f"{channel.name}: {WARNING.format(where=where)}", style="dim")
            report = _examined(found, channel, path, estate, url, dict(options or {}), where, write=write)
            reports.append(replace(report, said=said))
    _tell(reports, as_json=as_json, markdown=markdown)
    return 1 if any(has_failed(report.results) for report in reports) else 0


@contextmanager
def _reachable(settings: Settings, *, needs_estate: bool) -> Iterator[Settings]:
    if not needs_estate:
        yield settings
        return
    with outside(settings, margin()) as found:
        yield found


def _estate_path(settings: Settings, path: Path | None, *, is_url: bool) -> Path | None:
    """The estate file that counts; none for a server that is named in the place of the embedded estate's."""
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
    settings: Settings, channel: "Channel", path: Path | None, estate: "Estate | None", url: str,
    options: dict[str, str], against: str, *, write: bool,
) -> "Report":
    from conformance.run import run_checks
    from conformance.tell import Report
    from resources.clock import SystemClock

    async def run() -> "Report":
        bench = _bench(settings, channel, path, estate, url, options, write=write)
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
        return Report(channel.name, channel.title, version("trueup"), against, today, results, writes=write)

    return asyncio.run(run())


def _bench(
    settings: Settings, channel: "Channel", path: Path | None, estate: "Estate | None", url: str,
    options: dict[str, str], *, write: bool,
) -> "Bench":
    import httpx

    from conformance.bench import Bench
    from conformance.hands import hands_of, write_test
    from conformance.staged import scratch
    from conformance.wire import Wire
    from pipelines.clock import Clock
    from pipelines.http import Session, middling, trust
    from resources.channels import connection_to, is_http, wrong_address
    from resources.clock import SystemClock, clock_of_systems

    system = estate.systems.get(channel.name) if estate else None
    address, hands = url or _address(settings, channel, estate), hands_of(channel.name)
    if wrong := wrong_address(channel, address):  # before anything is asked there
        raise ConfigurationError(f"{channel.name}: {address!r} is {wrong}")
    wire = Wire(httpx.AsyncHTTPTransport(verify=trust()) if is_http(address) else None, write_test(hands))
    connection = connection_to(
        settings, channel, address, options={**(system.options if system else {}), **options},
        folder=path.parent if path else Path(), clock=SystemClock(), transport=wire if is_http(address) else None,
        chance=middling,  # by chance a wait may be no wait, and whether there is one is a question of the kit's
    )

    def connect(clock: Clock) -> Session:
        return channel.connect(replace(connection, clock=clock))

    # By the server's own time: what is asked for "from now on" is meant by its clock.
    clock = clock_of_systems([address]) if is_http(address) else SystemClock()
    con = scratch(channel.name, estate if system else None)
    return Bench(channel, connect(clock), wire, connect, con, hands, may_write=write)


def _address(settings: Settings, channel: "Channel", estate: "Estate | None") -> str:
    """Where the estate, or the environment, says that a system is: the sandbox serves some that its estate lacks."""
    if estate is not None and channel.name in estate.systems:
        return settings.base_url(estate, channel.name)
    name = f"TRUEUP_{channel.name.upper()}_URL"
    if found := settings.environment.get(name, ""):
        return found
    raise ConfigurationError(
        f"{channel.name} is not in the estate, and {name} is not set: say --url (with --option NAME=VALUE for each of "
        "its options), or name an estate that has it"
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
        tell_table(f"{report.title}, {report.against}, {report.asked}: {report.summary}", table(report), most=None)
