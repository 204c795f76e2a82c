"""`trueup doctor`: what is not ready. Opens sessions, writes nothing to any system or table; imports no Dagster."""

import asyncio
from dataclasses import asdict

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.night import outside
from pipelines.channels import CHANNELS
from pipelines.doctor import Finding, examine
from pipelines.estate import read_estate
from resources.channels import Settings, channels_of, connect
from resources.clock import SystemClock, clock_of_systems

_STYLE = {"ok": "green", "warning": "yellow", "failure": "red"}


def doctor(settings: Settings, console: Console, out: Console, *, as_json: bool) -> int:
    """Examine every system of the estate; exit code 1 where something fails."""
    with outside(settings, console) as refreshed:
        findings = asyncio.run(_examine(refreshed))
    if as_json:
        out.print_json(msgspec.json.encode([asdict(finding) for finding in findings]).decode())
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("system", "check", "", "detail", "cure"):
            table.add_column(name, overflow="fold")
        for finding in findings:
            mark = f"[{_STYLE[finding.level]}]{finding.level}[/]"
            table.add_row(finding.system, finding.check, mark, Text(finding.detail), Text(finding.cure))
        out.print(table)
    return 1 if any(finding.level == "failure" for finding in findings) else 0


async def _examine(settings: Settings) -> list[Finding]:
    estate = read_estate(settings.estate)
    urls = [settings.base_url(estate, system) for system in estate.systems]
    clock = clock_of_systems(urls) if estate.estate.clock == "systems" else SystemClock()
    return await examine(connect(settings, estate, channels_of(estate, CHANNELS), clock=clock), estate)
