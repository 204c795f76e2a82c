"""Markdown as the generated reference writes it: prose of one width, and tables whose cells cannot break them."""

import textwrap
from collections.abc import Iterable, Sequence


def prose(text: str) -> str:
    """A paragraph, wrapped at 118 columns; no word is broken."""
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of pipes."""
    lines = ([_cell(text) for text in line] for line in (head, ["---"] * len(head), *rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
