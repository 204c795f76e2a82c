"""Square's order and account endpoints: orders by time of change, locations, the merchant, the token's scopes.

Kept strictly: a time filter must be on the field that sorts; at most 10 locations a call. Orders of offline tills
come up to 72 hours late with their old `created_at`, which is why `updated_at` is what one filters by.
"""

from typing import Any

from sandbox.square import wire
from sandbox.square.wire import NAME, Body, Refusal
from sandbox.store import Store, parse_stamp, stamp

LIMIT, LOCATIONS = 1000, 10
SCOPES = (
    "CUSTOMERS_READ", "CUSTOMERS_WRITE", "INVENTORY_READ", "INVENTORY_WRITE", "ITEMS_READ", "ITEMS_WRITE",
    "LOYALTY_READ", "MERCHANT_PROFILE_READ", "ORDERS_READ",
)
_COLUMNS = {"UPDATED_AT": "updated_at", "CREATED_AT": "json_extract(doc, '$.created_at')"}
_STATES = ("OPEN", "COMPLETED", "CANCELED", "DRAFT")


def search(store: Store, body: Body) -> str:
    """POST /v2/orders/search."""
    limit = wire.limit_of(body, default=500, maximum=LIMIT)
    shops = wire.items_of(body, "location_ids", maximum=LOCATIONS)
    query: dict[str, Any] = body.get("query") or {}
    criteria, sort = query.get("filter") or {}, query.get("sort") or {}
    field = sort.get("sort_field", "CREATED_AT")
    if field not in _COLUMNS:
        raise Refusal(501, "NOT_IMPLEMENTED", "Only UPDATED_AT and CREATED_AT are played.", field="query.sort")
    where, args = [f"+parent IN ({','.join('?' * len(shops))})"], list(shops)
    for name, span in (criteria.get("date_time_filter") or {}).items():
        if name != field.lower():
            raise Refusal(400, "CONFLICTING_PARAMETERS", "Sort by the field of the time filter.", field="query.sort")
        for side, comparison in (("start_at", ">="), ("end_at", "<=")):
            if span.get(side):
                where.append(f"{_COLUMNS[field]} {comparison} ?")
                args.append(_moment(span[side], side))
    states = (criteria.get("state_filter") or {}).get("states") or []
    if any(state not in _STATES for state in states):
        raise Refusal(400, "INVALID_ENUM_VALUE", "Unknown order state.", field="query.filter.state_filter")
    if states:
        where.append(f"json_extract(doc, '$.state') IN ({','.join('?' * len(states))})")
        args += states
    created = field == "CREATED_AT"
    docs, cursor = wire.keyed_page(
        store, "orders", "SearchOrders", body, limit, where, args, column=_COLUMNS[field],
        descending=sort.get("sort_order", "DESC") == "DESC",
        mark=lambda doc: doc.body["created_at"] if created else doc.updated_at,
    )
    return wire.reply(cursor, orders=wire.join(doc.text for doc in docs))


def _moment(text: Any, side: str) -> str:
    try:
        return stamp(parse_stamp(text))
    except (TypeError, ValueError, AttributeError) as error:
        raise Refusal(400, "INVALID_TIME", "Not an RFC 3339 time.", field=side) from error


def locations(store: Store) -> str:
    """GET /v2/locations."""
    return wire.reply(locations=wire.join(doc.text for doc in store.page(NAME, "locations", limit=300)))


def merchant(store: Store, key: str) -> str:
    """GET /v2/merchants/{id}; 'me' is whoever the token belongs to."""
    docs = [doc for doc in store.page(NAME, "merchants", limit=1) if key in ("me", doc.key)]
    if not docs:
        raise Refusal(404, "NOT_FOUND", "No such merchant.", field="merchant_id")
    return wire.reply(merchant=docs[0].text)


def token_status(store: Store) -> str:
    """POST /oauth2/token/status."""
    docs = store.page(NAME, "merchants", limit=1)
    return wire.encode(
        {"scopes": list(SCOPES), "client_id": "sandbox-trueup", "merchant_id": docs[0].key if docs else "MLUNKNOWN"}
    )
