"""Writes sections of docs/conformance.md for systems that the sandbox plays and the retailer of its world does not use.

    python -m tests.conformance.page woocommerce --write --markdown docs/conformance.md

Each is examined on the small shop of its own tests, in this process and over its clock; others by `trueup conformance`.
"""

import argparse
import asyncio
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.screen import margin, tell_table
from conformance.run import has_failed, run_checks
from conformance.tell import HEAD, Report, put_section, table
from pipelines.channels import CHANNELS
from resources.clock import SystemClock
from tests.conformance.stand import OWN_WORLDS, bench_of, make_world

AGAINST = "the small shop of its tests on the sandbox"
ELSEWHERE = {"files": "a folder in memory, whose shop carries out what it is asked for"}
COMMAND = "python -m tests.conformance.page"


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine, tell, and write where that is asked for; 1 where a check failed."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("systems", nargs="+", choices=sorted({*OWN_WORLDS, *ELSEWHERE}))
    parser.add_argument("--write", action="store_true", help="write to the small shop, too")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="put the sections there")
    args = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        world = make_world(Path(folder) / "world")
        reports = [_examined(name, world, may_write=args.write) for name in args.systems]
    if args.markdown is not None:
        text = args.markdown.read_text(encoding="utf-8") if args.markdown.exists() else HEAD
        for report in reports:
            text = put_section(text, report)
        args.markdown.write_text(text, encoding="utf-8")
    for report in reports:
        tell_table(f"{report.title}, {report.against}, {report.asked}: {report.summary}", table(report), most=None)
    return 1 if any(has_failed(report.results) for report in reports) else 0


def _examined(name: str, world: Path, *, may_write: bool) -> Report:
    channel = next(channel for channel in CHANNELS if channel.name == name)

    async def run() -> Report:
        bench, _ = bench_of(channel, world, world / f"{name}.sqlite", write=may_write)
        try:
            results = await run_checks(bench, say=lambda words: margin().print(f"{name}: {words}", style="dim"))
        finally:
            await bench.close()
        today = SystemClock().now().date()
        against = ELSEWHERE.get(name, AGAINST)
        return Report(name, channel.title, version("trueup"), against, today, results, COMMAND, writes=may_write)

    return asyncio.run(run())


if __name__ == "__main__":
    raise SystemExit(main())
