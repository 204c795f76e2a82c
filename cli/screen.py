"""What a person sees: results on stdout, progress and errors on stderr, tables no longer than somebody reads.

rich is for what runs for minutes; questions and answers do not wait for its import.
"""

import shutil
import sys
import textwrap
from datetime import datetime
from functools import cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 25
"""Rows of a table, unless all are asked for."""
WIDTH = 120
"""A pipe or a file is as wide as our tables; a terminal is as wide as it is."""


@cache
def screen() -> "Console":
    """Where a night's results go: stdout."""
    return _console(is_error=False)


@cache
def margin() -> "Console":
    """Where progress and errors go: stderr."""
    return _console(is_error=True)


def tell(words: str) -> None:
    """A line on stdout."""
    print(words)


def warn(words: str) -> None:
    """A line on stderr, red on a terminal."""
    if sys.stderr.isatty():
        words = f"\x1b[31m{words}\x1b[0m"
    print(words, file=sys.stderr)


def tell_json(found: Any) -> None:
    """JSON on stdout, and nothing else."""
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


def tell_table(title: str, rows: list[dict[str, Any]], *, most: int | None = SHOWN) -> None:
    """Rows of the same keys; nothing where there are none."""
    if not rows:
        return
    names = list(rows[0])
    cells = [[_cell(name, row[name]) for name in names] for row in rows[:most]]
    head = [name.replace("_", " ") for name in names]
    widths = _widths([head, *cells])
    if title:
        tell(_bold(title))
    for number, line in enumerate([head, *cells]):
        folded = [_folded(text, width) for text, width in zip(line, widths, strict=True)]
        for part in zip_longest(*folded, fillvalue=""):
            words = "  ".join(text.ljust(width) for text, width in zip(part, widths, strict=True)).rstrip()
            tell(words if number else _bold(words))
    if len(rows) > len(cells):
        tell(f"… and {len(rows) - len(cells)} more; --all shows them, --json too")


def _widths(lines: list[list[str]]) -> list[int]:
    """As wide as the widest cell; where that is wider than the screen, the widest columns fold."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    room = (shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH) - 2 * (len(widths) - 1)
    while sum(widths) > max(room, 4 * len(widths)):
        widths[widths.index(max(widths))] -= 1
    return widths


def _folded(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 1)) or [""]


def _bold(words: str) -> str:
    return f"\x1b[1m{words}\x1b[0m" if sys.stdout.isatty() else words


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    text = str(value)[:12] if name == "correction_key" else str(value)
    return "".join(char if char.isprintable() else " " for char in text)  # a vendor's text steers no terminal


def _console(*, is_error: bool) -> "Console":
    from rich.console import Console

    stream = sys.stderr if is_error else sys.stdout
    return Console(stderr=is_error, width=None if stream.isatty() else WIDTH)
