"""The GraphQL documents of this channel, which lie beside as `.graphql` files. Sends nothing.

A line `# custom fields` in a file stands where the retailer's own fields are selected, which the estate's options name.
Mutations are called `m0`, `m1`, …: by that name an error says which of them it stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
_CUSTOM = "# custom fields"


@dataclass(frozen=True, slots=True)
class Document:
    """One query or mutation."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Alias:
    """One mutation among several in a document: its variables carry the alias as prefix."""

    mutation: str
    variables: dict[str, str]
    """Argument to GraphQL type."""
    selection: str


@cache
def read_document(name: str, custom: str = "") -> Document:
    """The document `<name>.graphql`, with a selection of custom fields."""
    text = (FOLDER / f"{name}.graphql").read_text(encoding="utf-8")
    return Document(name, text.replace(_CUSTOM, custom))


def aliased(name: str, aliases: Sequence[Alias]) -> Document:
    """Several mutations in one document, run in turn until one fails."""
    declared = [f"$m{n}_{arg}: {kind}" for n, one in enumerate(aliases) for arg, kind in one.variables.items()]
    fields = [
        f"  m{n}: {one.mutation}(" + ", ".join(f"{arg}: $m{n}_{arg}" for arg in one.variables) + f") {one.selection}"
        for n, one in enumerate(aliases)
    ]
    text = f"mutation {name}({', '.join(declared)}) {{\n" + "\n".join(fields) + "\n}\n"
    return Document(name, text)
