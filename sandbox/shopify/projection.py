"""The bulk query: checked against the vendor's rules once, compiled to closures, run over stored documents.

The executor would need minutes for a million records. The fields are read by the same functions (`graph`), so the
lines equal what pages show; a test compares them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    parse,
    validate,
)
from graphql.execution.values import get_argument_values

from sandbox.shopify.documents import Document
from sandbox.shopify.fields import FIELDS
from sandbox.shopify.graph import CONNECTIONS, REFERENCES, Call, Connection, everything, gone_records, node

MAX_CONNECTIONS = 5
MAX_NESTING = 2

Reader = Callable[["Run", Document], Any]


@dataclass(slots=True)
class Run:
    """One job's reading."""

    call: Call
    gone: set[str]


@dataclass(slots=True)
class Children:
    """A connection of the query: where its records come from and what of them is shown."""

    name: str
    source: Connection
    args: Mapping[str, Any]
    shape: "Shape"


@dataclass(slots=True)
class Shape:
    """What is shown of one record: plain keys, read keys, and connections, which become lines of their own."""

    plain: list[tuple[str, str]] = field(default_factory=list)
    read: list[tuple[str, Reader]] = field(default_factory=list)
    children: list[Children] = field(default_factory=list)

    def show(self, run: Run, record: Document) -> Document:
        """The selected part of a record, without its connections."""
        shown = {key: record.get(name) for key, name in self.plain}
        for key, reader in self.read:
            shown[key] = reader(run, record)
        return shown


@dataclass(frozen=True, slots=True)
class BulkQuery:
    """A checked and compiled bulk query."""

    root: Children


def read_bulk_query(schema: GraphQLSchema, text: str) -> BulkQuery:
    """Check and compile; GraphQLError with the vendor's reason."""
    document = parse(text)
    if errors := validate(schema, document):
        raise errors[0]
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
        raise GraphQLError("Bulk queries must be one query operation.")
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    compiler = _Compiler(fragments)
    root = schema.query_type
    assert root is not None
    shape = compiler.compile(root, operations[0].selection_set, depth=-1, in_list=False)
    if len(shape.children) != 1 or shape.plain or shape.read:
        raise GraphQLError("Bulk queries must have a single top-level field, which is a connection.")
    if compiler.connections > MAX_CONNECTIONS:
        raise GraphQLError(f"Bulk queries cannot contain more than {MAX_CONNECTIONS} connections.")
    return BulkQuery(shape.children[0])


class _Compiler:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments, self.connections = fragments, 0

    def compile(self, of: GraphQLObjectType, selections: SelectionSetNode, *, depth: int, in_list: bool) -> Shape:
        shape = Shape()
        for selected in self._fields(of, selections):
            name = selected.name.value
            key = selected.alias.value if selected.alias else name
            if (spec := CONNECTIONS.get((of.name, name))) is not None:
                if in_list:
                    raise GraphQLError("Queries that contain a connection field within a list field are not supported.")
                shape.children.append(self._connection(of, selected, spec, depth + 1))
            elif name == "__typename":
                shape.read.append((key, lambda run, record, known=of.name: known))
            else:
                self._value(shape, of, selected, key, depth, in_list)
        if shape.children and depth >= 0 and not any(name == "id" for _, name in shape.plain):
            raise GraphQLError(f"The parent 'node' field for a nested connection must select 'id' ({of.name}).")
        return shape

    def _connection(self, of: GraphQLObjectType, selected: FieldNode, spec: Connection, depth: int) -> Children:
        self.connections += 1
        if depth > MAX_NESTING:
            raise GraphQLError(f"Bulk queries cannot nest connections more than {MAX_NESTING} levels deep.")
        definition = of.fields[selected.name.value]
        connection = get_named_type(definition.type)
        shape = Shape()
        for part in self._fields(connection, selected.selection_set):  # type: ignore[arg-type]
            inner = get_named_type(connection.fields[part.name.value].type)  # type: ignore[union-attr]
            if part.name.value == "nodes":
                shape = self.compile(inner, part.selection_set, depth=depth, in_list=False)  # type: ignore[arg-type]
            elif part.name.value == "edges":
                for edge in self._fields(inner, part.selection_set):  # type: ignore[arg-type]
                    if edge.name.value == "node":
                        record = get_named_type(inner.fields["node"].type)  # type: ignore[union-attr]
                        shape = self.compile(record, edge.selection_set, depth=depth, in_list=False)  # type: ignore
        return Children(selected.name.value, spec, get_argument_values(definition, selected, {}), shape)

    def _value(
        self, shape: Shape, of: GraphQLObjectType, selected: FieldNode, key: str, depth: int, in_list: bool
    ) -> None:
        name, definition = selected.name.value, of.fields[selected.name.value]
        computed = FIELDS.get((of.name, name))
        inner = get_named_type(definition.type)
        if depth < 0:
            raise GraphQLError("Bulk queries must have a single top-level field, which is a connection.")
        if is_leaf_type(inner) and computed is None:
            shape.plain.append((key, name))
            return
        args = get_argument_values(definition, selected, {})
        is_list = is_list_type(get_nullable_type(definition.type))
        part = None
        if selected.selection_set is not None:
            part = self.compile(inner, selected.selection_set, depth=depth, in_list=in_list or is_list)  # type: ignore
            if part.children:
                raise GraphQLError(f"Nested connections below '{name}' are not served by the sandbox.")
        get: Reader
        if (of.name, name) in REFERENCES:
            only_id = part is not None and part.plain == [("id", "id")] and not part.read
            get = _referred(name, only_id=only_id)
        elif computed is not None:
            get = _computed(computed, args)
        else:
            get = _plain(name)
        shape.read.append((key, _shaped(get, part, is_list=is_list) if part else get))

    def _fields(self, of: Any, selections: SelectionSetNode) -> Iterator[FieldNode]:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                yield selection
                continue
            inner = selection if hasattr(selection, "selection_set") else self._fragments[selection.name.value]
            if inner.type_condition is None or inner.type_condition.name.value == of.name:
                yield from self._fields(of, inner.selection_set)


def _plain(name: str) -> Reader:
    return lambda run, record: record.get(name)


def _computed(fn: Callable[..., Any], args: Mapping[str, Any]) -> Reader:
    return lambda run, record: fn(run.call, record, args)


def _referred(name: str, *, only_id: bool) -> Reader:
    def read(run: Run, record: Document) -> Document | None:
        held = record.get(name)
        if held is None or held["id"] in run.gone:
            return None
        return held if only_id else node(run.call, held["id"])

    return read


def _shaped(get: Reader, part: Shape, *, is_list: bool) -> Reader:
    def read(run: Run, record: Document) -> Any:
        value = get(run, record)
        if value is None:
            return None
        return [part.show(run, one) for one in value] if is_list else part.show(run, value)

    return read


def write_lines(call: Call, query: BulkQuery, path: Path, *, grouped: bool) -> tuple[int, int]:
    """Write the JSONL file; (lines, lines of the root). Ungrouped, all lines of one depth come before the next."""
    run, encoder = Run(call, gone_records(call)), msgspec.json.Encoder()
    counts = [0] * (MAX_NESTING + 1)
    parts = [path if grouped or not depth else path.with_suffix(f".{depth}") for depth in range(MAX_NESTING + 1)]
    files: list[BinaryIO] = []

    def write(children: Children, parent: Document, depth: int) -> None:
        file = files[0 if grouped else depth]
        for record in everything(call, children.source, parent, children.name, children.args):
            shown = children.shape.show(run, record)
            if depth:
                shown["__parentId"] = parent["id"]
            file.write(encoder.encode(shown) + b"\n")
            counts[depth] += 1
            for nested in children.shape.children:
                write(nested, record, depth + 1)

    try:
        files += [part.open("wb") for part in dict.fromkeys(parts)]
        write(query.root, {}, 0)
    finally:
        for file in files:
            file.close()
    if not grouped:
        with path.open("ab") as whole:
            for part in parts[1:]:
                with part.open("rb") as some:
                    while chunk := some.read(1 << 20):
                        whole.write(chunk)
                part.unlink()
    return sum(counts), counts[0]
