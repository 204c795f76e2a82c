"""Results as rows of a table, as JSON's plain values, and as a section of `docs/conformance.md`.

A section is of one system against one server and replaces an older one of both; the others stay as they are. Which
connector, which version, against what and on which day stand at its top.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from conformance.verdicts import Result, Verdict

HEAD = """# Conformance

What each connector was seen to do, check by check. Every section is written by the command that it names, with
`--write --markdown docs/conformance.md`, and says against what it ran and when; none is edited by hand. "Not shown" is
no pass: the reason says what was missing. What the checks are, and how a system comes to be examined, is in
[channels.md](channels.md#the-conformance-kit).
"""
_SECTION = re.compile(r"^## ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Report:
    """One system's results against one server."""

    system: str
    title: str
    version: str
    """trueup's."""
    against: str
    """The server, in words: its product and version."""
    on: date
    results: Sequence[Result]
    command: str = "trueup conformance"
    """By what it was made; the system's name follows."""
    writes: bool = False
    """Whether it had leave to write, without which the checks that write show nothing."""

    said: Sequence[str] = ()
    """The other options of the command, as a document may show them: no address."""

    @property
    def asked(self) -> str:
        """What was run, so far as it says what could be seen."""
        return " ".join([self.command, self.system, *self.said, *(["--write"] if self.writes else [])])

    @property
    def summary(self) -> str:
        """How many of each verdict."""
        counts = Counter(result.verdict for result in self.results)
        return ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)


def table(report: Report) -> list[dict[str, str]]:
    """A row a check."""
    return [
        {"check": result.check, "shows": result.shows, "verdict": str(result.verdict), "detail": result.detail}
        for result in report.results
    ]


def plain(report: Report) -> dict[str, Any]:
    """For JSON."""
    return {
        "system": report.system, "writes": report.writes, "version": report.version, "against": report.against,
        "on": report.on.isoformat(),
        "results": table(report),
    }


def heading(report: Report) -> str:
    """The line by which a section is found again."""
    return f"## {report.title}: {report.against}"


def section(report: Report) -> str:
    """The section of one report."""
    lines = [
        heading(report), "",
        f"`{report.asked}`, trueup {report.version}, {report.on.isoformat()}: {report.summary}.",
        "",
        "| check | what it shows | verdict | seen |", "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{result.check}` | {_cell(result.shows)} | {result.verdict} | {_cell(result.detail)} |"
        for result in report.results
    ]
    return "\n".join(lines) + "\n"


def put_section(text: str, report: Report) -> str:
    """The document with this section in it: in the place of the older one, else at the end."""
    starts = [match.start() for match in _SECTION.finditer(text)]
    parts = [text[start:end] for start, end in pairwise([*starts, len(text)])]
    fresh, head = section(report), heading(report)
    places = [number for number, part in enumerate(parts) if part.partition("\n")[0] == head]
    parts = [part for number, part in enumerate(parts) if number not in places[1:]]
    if places:
        parts[places[0]] = fresh
    else:
        parts.append(fresh)
    return "\n".join([HEAD, *(part.rstrip("\n") + "\n" for part in parts)])


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
