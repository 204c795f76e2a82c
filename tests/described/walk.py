"""An answer beside the document that asked for it: every selected field is there, of its type, and nothing else is."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
)

from tests.described.openapi import Mismatch

Selected = dict[str, list[FieldNode]]


def kind_of(value: Mapping[str, Any]) -> str:
    """A record's type: by its `__typename`, else by its id."""
    if isinstance(named := value.get("__typename"), str):
        return named
    parts = str(value.get("id", "")).split("/")
    return parts[3] if len(parts) > 3 else ""


@dataclass
class Walk:
    """Compares a value with what was selected."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    is_bulk: bool = False
    """Connections have lines of their own in a bulk file, not a place in their parent's line."""
    cache: dict[tuple[str, int], Selected] = field(default_factory=dict)
    merged: dict[tuple[int, ...], SelectionSetNode] = field(default_factory=dict)
    """What is asked of a field that is selected more than once."""

    def check(
        self, kind: GraphQLNamedType, selections: SelectionSetNode, value: Any, planted: Set[str] = frozenset(),
        where: str = "",
    ) -> None:
        """Mismatch unless an object has the selected fields, each as its type says, and no others.

        Records whose ids are `planted` are passed over.
        """
        if not isinstance(value, dict):
            raise Mismatch(f"{where}: no object")
        if value.get("id") in planted:
            return
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            concrete = self.schema.type_map.get(kind_of(value))
            if not isinstance(concrete, GraphQLObjectType) or not self.schema.is_sub_type(kind, concrete):
                raise Mismatch(f"{where}: {kind_of(value)!r} is no {kind.name}")
            kind = concrete
        wanted = self.selected(kind, selections)
        if self.is_bulk:
            wanted = {
                key: nodes for key, nodes in wanted.items()
                if not get_named_type(self.field_type(kind, nodes[0])).name.endswith("Connection")
            }
        if set(value) != set(wanted):
            raise Mismatch(f"{where}: {sorted(set(value) ^ set(wanted))} is given or missing against the document")
        for key, nodes in wanted.items():
            self._check_value(self.field_type(kind, nodes[0]), nodes, value[key], planted, f"{where}.{key}")

    def _check_value(
        self, kind: GraphQLOutputType, nodes: list[FieldNode], value: Any, planted: Set[str], where: str
    ) -> None:
        if isinstance(kind, GraphQLNonNull):
            if value is None:
                raise Mismatch(f"{where}: null")
            kind = kind.of_type
        if value is None:
            return
        if isinstance(kind, GraphQLList):
            if not isinstance(value, list):
                raise Mismatch(f"{where}: no list")
            for one in value:
                self._check_value(kind.of_type, nodes, one, planted, f"{where}[]")
        elif is_leaf_type(kind):
            try:
                same = kind.serialize(value)  # type: ignore[union-attr]
            except GraphQLError as error:
                raise Mismatch(f"{where}: {error.message}") from error
            if type(same) is not type(value):
                raise Mismatch(f"{where}: {value!r} is no {kind}")
        else:
            self.check(kind, self._below(nodes), value, planted, where)  # type: ignore[arg-type]

    def _below(self, nodes: list[FieldNode]) -> SelectionSetNode:
        if len(nodes) == 1:
            assert nodes[0].selection_set is not None
            return nodes[0].selection_set
        key = tuple(map(id, nodes))
        if key not in self.merged:
            sets = [node.selection_set for node in nodes if node.selection_set is not None]
            self.merged[key] = SelectionSetNode(selections=tuple(one for some in sets for one in some.selections))
        return self.merged[key]

    def field_type(self, parent: GraphQLNamedType, node: FieldNode) -> GraphQLOutputType:
        """The type of a selected field."""
        if node.name.value == "__typename":
            return GraphQLNonNull(self.schema.type_map["String"])  # type: ignore[arg-type]
        fields = parent.fields  # type: ignore[attr-defined]
        return fields[node.name.value].type  # type: ignore[no-any-return]

    def selected(self, kind: GraphQLNamedType, selections: SelectionSetNode) -> Selected:
        """Fields by their key in the answer, with fragments put in where they apply to this type."""
        key = (kind.name, id(selections))
        if key not in self.cache:
            found: Selected = {}
            self._collect(kind, selections, found)
            self.cache[key] = found
        return self.cache[key]

    def _collect(self, kind: GraphQLNamedType, selections: SelectionSetNode, found: Selected) -> None:
        for one in selections.selections:
            if isinstance(one, FieldNode):
                found.setdefault((one.alias or one.name).value, []).append(one)
                continue
            fragment = self.fragments[one.name.value] if isinstance(one, FragmentSpreadNode) else one
            condition = fragment.type_condition  # type: ignore[union-attr]
            named = kind if condition is None else self.schema.type_map[condition.name.value]
            if named is kind or (
                isinstance(named, GraphQLInterfaceType | GraphQLUnionType) and self.schema.is_sub_type(named, kind)  # type: ignore[arg-type]
            ):
                self._collect(kind, fragment.selection_set, found)  # type: ignore[union-attr]
