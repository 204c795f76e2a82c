"""Shopify's own schema, held against documents, variables, answers and the lines of bulk files.

Formats that the schema leaves to its scalars (moments, decimals, addresses) are checked too. Documents are judged once
a process; the memory of which bulk file answers which query is one world's.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import httpx
from graphql import (
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from tests.described.openapi import Mismatch
from tests.described.walk import Walk, kind_of

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_FORMATS = {
    "DateTime": _MOMENT,
    "Date": re.compile(r"\d{4}-\d\d-\d\d"),
    "Decimal": re.compile(r"-?\d+(\.\d+)?"),
    "Money": re.compile(r"-?\d+(\.\d+)?"),
    "UnsignedInt64": re.compile(r"\d+"),
    "URL": re.compile(r"https?://\S+"),
}
_TOLD = 5

@dataclass(frozen=True, slots=True)
class Asked:
    """A document that the schema allows."""

    operation: OperationDefinitionNode
    walk: Walk
    lines: Walk
    """The same for the lines of a bulk file."""


@dataclass
class Schema:
    """The vendor's schema and the documents that it was found to allow."""

    schema: GraphQLSchema
    known: dict[str, Asked] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, pattern in _FORMATS.items():
            scalar = self.schema.type_map.get(name)
            if isinstance(scalar, GraphQLScalarType):
                checked = _formatted(name, pattern)
                scalar.parse_value = checked  # type: ignore[method-assign]
                scalar.serialize = checked  # type: ignore[method-assign]

    def allowed(self, text: str) -> Asked:
        """The document, parsed; Mismatch where the vendor would not accept it."""
        if text not in self.known:
            try:
                document = parse(text)
            except GraphQLError as error:
                raise Mismatch(f"no GraphQL: {error.message}") from error
            if errors := validate(self.schema, document):
                raise Mismatch("\n".join(error.message for error in errors[:_TOLD]))
            operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
            fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
            self.known[text] = Asked(
                operation, Walk(self.schema, fragments), Walk(self.schema, fragments, is_bulk=True)
            )
        return self.known[text]


def _formatted(name: str, pattern: re.Pattern[str]) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        if not pattern.fullmatch(str(value)):
            raise GraphQLError(f"no {name}: {str(value)[:40]!r}")
        return value

    return checked


@dataclass
class GraphQLSpec:
    """Holds each exchange of one shop against the schema."""

    full: Schema
    bulk: dict[str, str] = field(default_factory=dict)
    """The query of each bulk operation, then also of its file."""
    latest: str = ""
    """The query of the bulk operation that was started last."""
    pieces: dict[str, bytes] = field(default_factory=dict)
    """The end of a file that ended within a line."""
    checked: int = 0
    lines: int = 0

    def check(self, request: httpx.Request, response: httpx.Response, planted: Set[str] = frozenset()) -> None:
        """Mismatch for what the vendor would not accept, or never say.

        `planted`: ids of records that are bad on purpose; their fields are passed over.
        """
        if request.method == "POST":
            self._check_call(json.loads(request.content), response, planted)
        elif response.is_success:
            self._check_file(str(request.url), response, planted)
        self.checked += 1

    def _check_call(self, sent: dict[str, Any], response: httpx.Response, planted: Set[str]) -> None:
        asked, variables = self.full.allowed(sent["query"]), sent.get("variables") or {}
        taken = get_variable_values(self.full.schema, asked.operation.variable_definitions, variables)
        if isinstance(taken, list):
            raise Mismatch("\n".join(error.message for error in taken[:_TOLD]))
        if not response.is_success:
            return
        answer = json.loads(response.content)
        if strange := set(answer) - {"data", "errors", "extensions"}:
            raise Mismatch(f"an answer has no {sorted(strange)}")
        if any(not isinstance(one.get("message"), str) for one in answer.get("errors", ())):
            raise Mismatch("an error has no message")
        if answer.get("data") is None:
            if not answer.get("errors"):
                raise Mismatch("neither data nor errors")
            return
        root = self.full.schema.get_root_type(asked.operation.operation)
        assert root is not None
        asked.walk.check(root, asked.operation.selection_set, answer["data"], planted)
        self._remember(variables, answer["data"])

    def _remember(self, variables: dict[str, Any], data: dict[str, Any]) -> None:
        """Which query each bulk operation, and so its file, answers."""
        started = (data.get("bulkOperationRunQuery") or {}).get("bulkOperation")
        if started:
            query = variables["query"] if "query" in variables else variables["q"]
            self.full.allowed(query)
            self.bulk[started["id"]] = self.latest = query
        polled, current = data.get("node"), data.get("currentBulkOperation")
        if polled and polled.get("url") and variables.get("id") in self.bulk:
            self.bulk[polled["url"]] = self.bulk[variables["id"]]
        elif current and current.get("url"):
            self.bulk[current["url"]] = self.latest

    def _check_file(self, url: str, response: httpx.Response, planted: Set[str]) -> None:
        if url not in self.bulk:
            raise Mismatch("a file that no bulk operation named")
        asked = self.full.allowed(self.bulk[url])
        *whole, rest = (self.pieces.get(url, b"") + response.content).split(b"\n")
        start, _, total = response.headers.get("content-range", "").rpartition("/")
        is_last = not total or int(start.rpartition("-")[2]) + 1 == int(total)
        self.pieces[url] = b"" if is_last else rest
        kinds = _nodes(self.full.schema, asked)
        for text in [*whole, *([rest] if is_last else [])]:
            if not text:
                continue
            line = json.loads(text)
            if "__parentId" in line and not isinstance(line.pop("__parentId"), str):
                raise Mismatch("a parent's id is no text")
            kind = kind_of(line) or next((name for name, (one, _) in kinds.items() if "id" not in _fields(one)), "")
            if kind not in kinds:
                raise Mismatch(f"a line of {kind}, which was not asked for")
            asked.lines.check(kinds[kind][0], kinds[kind][1], line, planted)
            self.lines += 1


def _fields(kind: GraphQLNamedType) -> Mapping[str, Any]:
    return getattr(kind, "fields", {})


def _nodes(schema: GraphQLSchema, asked: Asked) -> dict[str, tuple[GraphQLNamedType, SelectionSetNode]]:
    """The kinds of record that a bulk query writes lines of, with what it asks of each."""
    found: dict[str, tuple[GraphQLNamedType, SelectionSetNode]] = {}
    walk = asked.walk

    def look(parent: GraphQLNamedType, selections: SelectionSetNode) -> None:
        for nodes in walk.selected(parent, selections).values():
            kind = walk.field_type(parent, nodes[0])
            below = nodes[0].selection_set
            if below is None:
                continue
            named = get_named_type(kind)
            if named.name.endswith("Connection"):
                for node_type, node in _connected(walk, named, below):
                    found[node_type.name] = (node_type, node)
                    look(node_type, node)
            else:
                look(named, below)

    root = schema.get_root_type(asked.operation.operation)
    assert root is not None
    look(root, asked.operation.selection_set)
    return found


def _connected(
    walk: Walk, connection: GraphQLNamedType, selections: SelectionSetNode
) -> Iterator[tuple[GraphQLNamedType, SelectionSetNode]]:
    for [one, *_] in walk.selected(connection, selections).values():
        named, below = get_named_type(walk.field_type(connection, one)), one.selection_set
        if below is None:
            continue
        if one.name.value in ("nodes", "node"):
            yield named, below
        elif one.name.value == "edges":
            yield from _connected(walk, named, below)


