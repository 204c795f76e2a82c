"""The executable schema: the SDL subset with the readers of `graph` and the mutations bound to it.

No vendor rule is stated here but those of scalars and of the `@idempotent` directive's place.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    StringValueNode,
    ValueNode,
    build_schema,
)
from graphql.language import FieldNode, FloatValueNode, IntValueNode

from sandbox.shopify import customers, graph, inventory, newcomers, prices, sets
from sandbox.shopify.bulk import cancel_bulk, run_bulk_query
from sandbox.shopify.documents import Document
from sandbox.shopify.fields import FIELDS

SDL = Path(__file__).with_name("schema.graphql")
MAX_INPUT = 250

_SCOPES = (
    "read_products", "write_products", "read_inventory", "write_inventory", "read_locations", "read_orders",
    "read_all_orders", "read_customers", "write_customers", "read_merchant_managed_fulfillment_orders",
)

MUTATIONS: dict[str, Callable[..., Document]] = {
    "productVariantsBulkUpdate": prices.update_variants,
    "priceListFixedPricesAdd": prices.add_fixed_prices,
    "inventorySetQuantities": inventory.set_quantities,
    "customerCreate": newcomers.create_customer,
    "customerDelete": newcomers.delete_customer,
    "customerUpdate": customers.update_customer,
    "customerAddressCreate": customers.create_address,
    "customerAddressUpdate": customers.update_address,
    "customerEmailMarketingConsentUpdate": customers.update_consent,
    "customerSet": sets.set_customer,
    "productSet": sets.set_product,
    "bulkOperationRunQuery": run_bulk_query,
    "bulkOperationCancel": cancel_bulk,
}


@cache
def shopify_schema() -> GraphQLSchema:
    """The sandbox's schema, ready to execute."""
    schema = build_schema(SDL.read_text(encoding="utf-8"))
    for (type_name, field), fn in FIELDS.items():
        _bind(schema, type_name, field, _computed(fn))
    for (type_name, field), target in graph.REFERENCES.items():
        _bind(schema, type_name, field, _reference(target))
    for (type_name, field), spec in graph.CONNECTIONS.items():
        _bind(schema, type_name, field, _connection(spec))
    for field, resolver in _ROOT.items():
        _bind(schema, "QueryRoot", field, resolver)
    for field, fn in MUTATIONS.items():
        _bind(schema, "Mutation", field, _mutation(fn))
    schema.type_map["Node"].resolve_type = lambda value, info, abstract: graph.type_of(value["id"])  # type: ignore
    for name in ("Money", "Decimal"):
        scalar = schema.type_map[name]
        assert isinstance(scalar, GraphQLScalarType)
        scalar.parse_value, scalar.parse_literal = _decimal, _decimal_literal  # type: ignore[method-assign]
    return schema


def _bind(schema: GraphQLSchema, type_name: str, field: str, resolver: Callable[..., Any]) -> None:
    owner = schema.type_map[type_name]
    assert isinstance(owner, GraphQLObjectType)
    owner.fields[field].resolve = resolver


def _computed(fn: Callable[..., Any]) -> Callable[..., Any]:
    return lambda source, info, **args: fn(info.context.call, source, args)


def _connection(spec: graph.Connection) -> Callable[..., Any]:
    def resolve(source: Any, info: GraphQLResolveInfo, **args: Any) -> Document:
        return graph.page(info.context.call, spec, source or {}, info.field_name, args)

    return resolve


def _reference(target: str) -> Callable[..., Any]:
    def resolve(source: Document, info: GraphQLResolveInfo) -> Document | None:
        held = source.get(info.field_name)
        if held is None:
            return None
        return graph.node(info.context.call, held["id"])

    return resolve


def _mutation(fn: Callable[..., Document]) -> Callable[..., Any]:
    def resolve(source: Any, info: GraphQLResolveInfo, **args: Any) -> Document:
        for value in _arrays(args):
            if len(value) > MAX_INPUT:
                raise GraphQLError(
                    f"The input array size of {len(value)} is greater than the maximum allowed of {MAX_INPUT}.",
                    extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
                )
        return fn(info.context, _idempotency_key(info), args)

    return resolve


def _arrays(value: Any) -> list[list[Any]]:
    if isinstance(value, list):
        return [value, *(found for one in value for found in _arrays(one))]
    return [found for one in value.values() for found in _arrays(one)] if isinstance(value, dict) else []


def _idempotency_key(info: GraphQLResolveInfo) -> str | None:
    node: FieldNode = info.field_nodes[0]
    for directive in node.directives:
        if directive.name.value == "idempotent":
            value = directive.arguments[0].value
            key = info.variable_values[value.name.value] if value.kind == "variable" else value.value  # type: ignore
            if not key.strip():
                raise GraphQLError("The idempotency key cannot be blank", extensions={"code": "BAD_REQUEST"})
            return str(key)
    return None


def _decimal(value: Any) -> str:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise GraphQLError(f"invalid decimal '{value}'") from error
    if isinstance(value, bool) or not number.is_finite():
        raise GraphQLError(f"invalid decimal '{value}'")
    return str(value)


def _decimal_literal(node: ValueNode, variables: Any = None) -> str:
    if not isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
        raise GraphQLError("invalid decimal")
    return _decimal(node.value)


def _by_id(type_name: str) -> Callable[..., Any]:
    def resolve(source: Any, info: GraphQLResolveInfo, **args: Any) -> Document | None:
        gid = args["id"]
        if graph.type_of(gid) != type_name:
            raise GraphQLError(f"Invalid id: {gid}")
        return graph.node(info.context.call, gid)

    return resolve


def _nodes(source: Any, info: GraphQLResolveInfo, ids: list[str]) -> list[Document | None]:
    if len(ids) > MAX_INPUT:
        raise GraphQLError(
            f"The input array size of {len(ids)} is greater than the maximum allowed of {MAX_INPUT}.",
            extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
        )
    by_type: dict[str, list[str]] = {}
    for gid in ids:
        by_type.setdefault(graph.type_of(gid), []).append(gid)
    found: dict[str, Document] = {}
    for type_name, some in by_type.items():
        found |= graph.find(info.context.call, type_name, some)
    return [found.get(gid) for gid in ids]


def _installation(source: Any, info: GraphQLResolveInfo, id: str | None = None) -> Document:
    return {
        "id": "gid://shopify/AppInstallation/1",
        "accessScopes": [{"handle": scope, "description": scope.replace("_", " ")} for scope in _SCOPES],
    }


def _shop(source: Any, info: GraphQLResolveInfo) -> Document:
    return next(iter(info.context.call.store.select(graph.VENDOR, "shop"))).body


def _latest_bulk(source: Any, info: GraphQLResolveInfo, type: str = "QUERY") -> Document | None:
    found = info.context.call.store.select(graph.VENDOR, "bulk", order="seq DESC", limit=1)
    return next((doc.body for doc in found), None) if type == "QUERY" else None


def _count(connection: str) -> Callable[..., Document]:
    def resolve(source: Any, info: GraphQLResolveInfo, limit: int | None, query: str | None = None) -> Document:
        return graph.count(info.context.call, graph.CONNECTIONS["QueryRoot", connection], query, limit)

    return resolve


_ROOT: dict[str, Callable[..., Any]] = {
    "shop": _shop,
    "appInstallation": _installation,
    "currentAppInstallation": _installation,
    "currentBulkOperation": _latest_bulk,
    "node": lambda source, info, id: graph.node(info.context.call, id),
    "nodes": _nodes,
    "productVariantsCount": _count("productVariants"),
    "customersCount": _count("customers"),
    "bulkOperation": _by_id("BulkOperation"),
    "customer": _by_id("Customer"),
    "inventoryItem": _by_id("InventoryItem"),
    "inventoryLevel": _by_id("InventoryLevel"),
    "location": _by_id("Location"),
    "order": _by_id("Order"),
    "priceList": _by_id("PriceList"),
    "product": _by_id("Product"),
    "productVariant": _by_id("ProductVariant"),
}
