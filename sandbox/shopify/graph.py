"""What hangs where: references and connections of the sandbox's Shopify, said once; `fields` has what is computed.

Both the executor (`schema`) and bulk operations (`projection`) read records through these, so that a bulk file and a
page cannot differ. Reads the store, writes nothing.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import GraphQLError

from sandbox.shopify.documents import Document, gid
from sandbox.shopify.search import read_query
from sandbox.store import Doc, Store
from sandbox.vendor import Settings

VENDOR = "shopify"
MAX_PAGE = 250
MAX_DEPTH = 25_000
BULK_CHUNK = 2_000


@dataclass(slots=True)
class Call:
    """What one request reads with."""

    store: Store
    settings: Settings
    base_url: str
    """Where the app is mounted, as the client sees it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Where records of a GraphQL type are stored; `inside` is the key of the part, where one lies in another."""

    table: str
    column: str = "key"
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a connection's records come from: a list in the document itself, or a table."""

    table: str = ""
    column: str = ""
    """The column that holds the parent's id; '' for a connection of the root."""
    inside: str = ""
    filters: frozenset[str] = frozenset()


KINDS: Mapping[str, Kind] = {
    "Shop": Kind("shop"),
    "Product": Kind("products"),
    "ProductVariant": Kind("variants"),
    "InventoryItem": Kind("variants", column="lookup", inside="inventoryItem"),
    "InventoryLevel": Kind("levels"),
    "Location": Kind("locations"),
    "PriceList": Kind("lists"),
    "Customer": Kind("customers"),
    "Order": Kind("orders"),
    "BulkOperation": Kind("bulk"),
}

REFERENCES: Mapping[tuple[str, str], str] = {
    ("PriceListPrice", "variant"): "ProductVariant",
    ("LineItem", "variant"): "ProductVariant",
    ("InventoryLevel", "item"): "InventoryItem",
    ("InventoryLevel", "location"): "Location",
    ("InventoryChange", "item"): "InventoryItem",
    ("InventoryChange", "location"): "Location",
    ("RefundLineItem", "location"): "Location",
    ("FulfillmentOrderAssignedLocation", "location"): "Location",
    ("Order", "customer"): "Customer",
}
"""Fields whose document holds the other record's id alone, and the type that it names."""

_UPDATED = frozenset({"updated_at"})
CONNECTIONS: Mapping[tuple[str, str], Connection] = {
    ("QueryRoot", "products"): Connection("products", filters=_UPDATED),
    ("QueryRoot", "productVariants"): Connection("variants", filters=_UPDATED | {"product_id"}),
    ("QueryRoot", "inventoryItems"): Connection("variants", inside="inventoryItem", filters=_UPDATED),
    ("QueryRoot", "locations"): Connection("locations"),
    ("QueryRoot", "priceLists"): Connection("lists"),
    ("QueryRoot", "customers"): Connection("customers", filters=_UPDATED),
    ("QueryRoot", "orders"): Connection("orders", filters=_UPDATED),
    ("Product", "variants"): Connection("variants", "parent"),
    ("InventoryItem", "variants"): Connection("variants", "lookup"),
    ("InventoryItem", "inventoryLevels"): Connection("levels", "lookup", filters=_UPDATED),
    ("Location", "inventoryLevels"): Connection("levels", "parent", filters=_UPDATED | {"inventory_item_id"}),
    ("PriceList", "prices"): Connection("prices", "parent", filters=frozenset({"variant_id"})),
    ("Order", "lineItems"): Connection(),
    ("Order", "fulfillmentOrders"): Connection(),
    ("FulfillmentOrder", "lineItems"): Connection(),
    ("Refund", "refundLineItems"): Connection(),
}


def find(call: Call, type_name: str, ids: list[str]) -> dict[str, Document]:
    """Living records of one type by id. Reads by id never lag."""
    if type_name == "Refund":
        return _find_refunds(call, ids)
    kind = KINDS.get(type_name)
    if kind is None or not ids:
        return {}
    if kind.column == "key":
        docs = call.store.get_many(VENDOR, kind.table, ids).values()
        return {doc.key: doc.body for doc in docs if not doc.deleted}
    found = call.store.select(
        VENDOR, kind.table, where="lookup IN (SELECT value FROM json_each(?)) AND deleted = 0", args=[json.dumps(ids)]
    )
    return {doc.lookup: doc.body[kind.inside] for doc in found}


def _find_refunds(call: Call, ids: list[str]) -> dict[str, Document]:
    """Refunds lie in their orders, whose number they carry."""
    orders = find(call, "Order", [gid("Order", one) for one in ids])
    return {refund["id"]: refund for order in orders.values() for refund in order["refunds"]}


def node(call: Call, key: str | None) -> Document | None:
    """One living record by its gid, or None."""
    return None if key is None else find(call, type_of(key), [key]).get(key)


def type_of(key: str) -> str:
    """The type that a gid names; GraphQLError for what is no gid."""
    parts = key.partition("?")[0].split("/")
    if len(parts) != 5 or parts[:3] != ["gid:", "", "shopify"]:
        raise GraphQLError(f"Invalid global id '{key}'")
    return parts[3]


def gone_records(call: Call) -> set[str]:
    """Deleted variants and customers: what still refers to them refers to nothing."""
    return {
        doc.key
        for table in ("variants", "customers")
        for doc in call.store.select(VENDOR, table, where="deleted = 1")
    }


# -- connections -------------------------------------------------------------------------------------------------


def page(call: Call, spec: Connection, source: Document, name: str, args: Mapping[str, Any]) -> Document:
    """One page of a connection, in order of id."""
    first, (after, depth) = args.get("first"), _read_cursor(args.get("after"))
    if first is None:
        raise GraphQLError("you must provide one of first or last")
    if not 0 <= first <= MAX_PAGE:
        raise GraphQLError(
            f"first cannot exceed {MAX_PAGE}. To query larger amounts of data with fewer limits, bulk operations "
            "should be used instead."
        )
    if depth + first > MAX_DEPTH:
        raise GraphQLError(f"Cannot paginate beyond {MAX_DEPTH} objects")
    if spec.table:
        where, values = _condition(call, spec, source, args)
        docs = call.store.page(VENDOR, spec.table, after_seq=after, limit=first + 1, where=where, args=values)
        found = [(doc.seq, _unwrap(doc, spec)) for doc in docs]
    else:
        found = list(enumerate(source[name], 1))[after : after + first + 1]
    shown = found[:first]
    cursors = [_cursor(seq, depth + place) for place, (seq, _) in enumerate(shown, 1)]
    nodes = [record for _, record in shown]
    return {
        "nodes": nodes,
        "edges": [{"cursor": cursor, "node": record} for cursor, record in zip(cursors, nodes, strict=True)],
        "pageInfo": {
            "hasNextPage": len(found) > first, "hasPreviousPage": after > 0,
            "startCursor": cursors[0] if cursors else None, "endCursor": cursors[-1] if cursors else None,
        },
    }


def everything(
    call: Call, spec: Connection, source: Document, name: str, args: Mapping[str, Any]
) -> Iterator[Document]:
    """All records of a connection, for bulk operations; holds one chunk at a time."""
    if not spec.table:
        yield from source[name]
        return
    where, values = _condition(call, spec, source, args)
    after = 0
    while docs := call.store.page(VENDOR, spec.table, after_seq=after, limit=BULK_CHUNK, where=where, args=values):
        for doc in docs:
            yield _unwrap(doc, spec)
        after = docs[-1].seq


def count(call: Call, spec: Connection, query: str | None, limit: int | None) -> Document:
    """How many records a search finds, at most `limit`; None is no limit."""
    where, values = _condition(call, spec, {}, {"query": query})
    found = call.store.count(VENDOR, spec.table, f"deleted = 0{' AND ' + where if where else ''}", values)
    is_exact = limit is None or found <= limit
    return {"count": found if is_exact else limit, "precision": "EXACT" if is_exact else "AT_LEAST"}


def _condition(
    call: Call, spec: Connection, source: Document, args: Mapping[str, Any]
) -> tuple[str, tuple[str, ...]]:
    search = read_query(
        args.get("query"), spec.filters, now=call.store.now(), lag_seconds=call.settings.search_lag_seconds
    )
    if not spec.column:
        return search.where, search.args
    where = f"{spec.column} = ?{' AND ' + search.where if search.where else ''}"
    return where, (source["id"], *search.args)


def _unwrap(doc: Doc, spec: Connection) -> Document:
    body = msgspec.json.decode(doc.text)
    return body[spec.inside] if spec.inside else body


def _cursor(seq: int, depth: int) -> str:
    return base64.b64encode(json.dumps({"last_id": seq, "depth": depth}).encode()).decode()


def _read_cursor(cursor: str | None) -> tuple[int, int]:
    if cursor is None:
        return 0, 0
    try:
        read = json.loads(base64.b64decode(cursor, validate=True))
        return int(read["last_id"]), int(read["depth"])
    except (ValueError, KeyError, TypeError) as error:
        raise GraphQLError(f"Invalid cursor for current pagination sort: {cursor}") from error
