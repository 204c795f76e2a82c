"""The GraphQL documents of this channel, which lie beside as `.graphql` files, and the ones made of them.

A file's header says what it costs: `# cost: 46` points, as the vendor counts the largest answer. A fragment file is
the selection of one raw table: it goes into a page query or into a bulk query. Sends nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = 250
MUTATION_COST = 10


@dataclass(frozen=True, slots=True)
class Document:
    """One query or mutation, and the points to hold ready for it."""

    name: str
    text: str
    cost: float


@dataclass(frozen=True, slots=True)
class Alias:
    """One mutation among several in a document: its variables carry the alias as prefix."""

    alias: str
    mutation: str
    variables: dict[str, str]
    """Argument to GraphQL type."""
    selection: str


@cache
def read_document(name: str) -> Document:
    """The document `<name>.graphql`."""
    text = (FOLDER / f"{name}.graphql").read_text(encoding="utf-8")
    header, _, _ = text.partition("\n")
    return Document(name, text, float(header.removeprefix("# cost:")))


@cache
def selection(name: str) -> str:
    """What stands between the braces of the fragment `<name>.graphql`."""
    text = (FOLDER / f"{name}.graphql").read_text(encoding="utf-8")
    return text[text.index("{") + 1 : text.rindex("}")].strip()


@cache
def page_document(connection: str, fragment: str) -> Document:
    """A page of a root connection, as `rows`, filtered by `$query`."""
    text = (
        "query Page($first: Int!, $after: String, $query: String) {\n"
        f"  rows: {connection}(first: $first, after: $after, query: $query) {{\n"
        f"    nodes {{ {selection(fragment)} }}\n    pageInfo {{ hasNextPage endCursor }}\n  }}\n}}\n"
    )
    header = (FOLDER / f"{fragment}.graphql").read_text(encoding="utf-8").partition("\n")[0]
    return Document(f"{connection} page", text, float(header.removeprefix("# cost:")))


def bulk_text(connection: str, body: str, query: str = "") -> str:
    """A bulk query over a root connection; such queries take no variables."""
    search = f'(query: "{query}")' if query else ""
    return f"{{ {connection}{search} {{ edges {{ node {{ {body} }} }} }} }}"


def aliased(name: str, aliases: Sequence[Alias]) -> Document:
    """Several mutations in one document, each with an answer of its own."""
    declared = [f"${one.alias}_{arg}: {kind}" for one in aliases for arg, kind in one.variables.items()]
    fields = [
        f"  {one.alias}: {one.mutation}("
        + ", ".join(f"{arg}: ${one.alias}_{arg}" for arg in one.variables)
        + f") {one.selection}"
        for one in aliases
    ]
    text = f"mutation {name}({', '.join(declared)}) {{\n" + "\n".join(fields) + "\n}\n"
    return Document(name, text, MUTATION_COST * len(aliases))
