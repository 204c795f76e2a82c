"""What a request costs in points, and the leaky bucket that pays for it.

Published: an object 1, a scalar 0, a mutation 10, an interface its dearest selection, a connection "sized by first
and last", at most 1,000 a query. How the size enters is not published; the one figure known from the vendor's
answers (25 for a product's 250 variants with their inventory items) fits 2 + 2 ln(first) x node, used here.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLNamedType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.values import get_argument_values

MAX_COST = 1_000
POINTS_PER_SECOND = {"standard": 100, "advanced": 200, "plus": 1_000, "enterprise": 2_000}
BUCKET_SECONDS = 20
_MUTATION = 10
_CONNECTION = 2
_ABSENT: Any = object()


class Bucket:
    """Points that an app may spend in one shop: full at first, refilled at a steady rate."""

    def __init__(self, rate: float, now: datetime) -> None:
        self.rate, self.capacity = rate, rate * BUCKET_SECONDS
        self._available, self._at = self.capacity, now

    def available(self, now: datetime) -> float:
        """Points that may be spent now."""
        seconds = max(0.0, (now - self._at).total_seconds())
        self._available = min(self.capacity, self._available + seconds * self.rate)
        self._at = max(self._at, now)
        return self._available

    def spend(self, points: float, now: datetime) -> bool:
        """Take points if there are enough; a negative number gives back."""
        if points > self.available(now):
            return False
        self._available = min(self.capacity, self._available - points)
        return True


class Pricer:
    """Counts one operation, before (from its arguments) or after (from its answer)."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._schema, self._fragments, self._variables = schema, fragments, dict(variables)

    def price(self, operation: OperationDefinitionNode, data: Any = _ABSENT) -> int:
        """Points of an operation: what it may cost at most, or, with `data`, what it did cost."""
        root = self._schema.get_root_type(operation.operation)
        assert root is not None
        if operation.operation is OperationType.MUTATION:
            return _MUTATION * len(self._fields(root, operation.selection_set))
        return max(1, self._object(root, operation.selection_set, data))

    def _fields(self, of: GraphQLNamedType, selections: SelectionSetNode) -> list[FieldNode]:
        found: list[FieldNode] = []
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                found.append(selection)
                continue
            inner = selection if hasattr(selection, "selection_set") else self._fragments[selection.name.value]
            condition = inner.type_condition
            if condition is None or condition.name.value == of.name:
                found += self._fields(of, inner.selection_set)
        return found

    def _object(self, of: GraphQLNamedType, selections: SelectionSetNode, data: Any) -> int:
        if is_abstract_type(of):
            possible = self._schema.get_possible_types(of)  # type: ignore[arg-type]
            return max(self._object(one, selections, data) for one in possible)
        return sum(self._field(of, field, data) for field in self._fields(of, selections))

    def _field(self, of: GraphQLNamedType, field: FieldNode, data: Any) -> int:
        definition = of.fields.get(field.name.value)  # type: ignore[union-attr]
        if definition is None or field.selection_set is None:
            return 0
        inner = get_named_type(definition.type)
        if is_leaf_type(inner):
            return 0
        key = field.alias.value if field.alias else field.name.value
        value = _ABSENT if data is _ABSENT or not isinstance(data, dict) else data.get(key)
        if value is None:
            return 0
        args = get_argument_values(definition, field, self._variables)
        if inner.name.endswith("Connection"):
            return self._connection(inner, field.selection_set, value, args.get("first") or 0)
        if inner.name == "Node" and "ids" in args:
            if value is _ABSENT:
                return len(args["ids"]) * (1 + self._object(inner, field.selection_set, _ABSENT))
            return sum(1 + self._object(inner, field.selection_set, one) for one in value if one is not None)
        if isinstance(value, list):
            return 1 + max((self._object(inner, field.selection_set, one) for one in value), default=0)
        return 1 + self._object(inner, field.selection_set, value)

    def _connection(self, of: GraphQLNamedType, selections: SelectionSetNode, value: Any, first: int) -> int:
        each = 0
        for field in self._fields(of, selections):
            if field.name.value not in ("nodes", "edges") or field.selection_set is None:
                continue
            inner = get_named_type(of.fields[field.name.value].type)  # type: ignore[union-attr]
            if field.name.value == "edges":
                for node in self._fields(inner, field.selection_set):
                    if node.name.value == "node" and node.selection_set is not None:
                        node_type = get_named_type(inner.fields["node"].type)  # type: ignore[union-attr]
                        each = max(each, 1 + self._object(node_type, node.selection_set, _ABSENT))
            else:
                each = max(each, 1 + self._object(inner, field.selection_set, _ABSENT))
        size = first if value is _ABSENT else len(value.get("nodes", value.get("edges", ())))
        return _CONNECTION + _weight(size) * each


def _weight(size: int) -> int:
    return min(size, max(5, int(2 * math.log(size)))) if size else 0
