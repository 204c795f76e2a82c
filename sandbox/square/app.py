"""Square's API as an ASGI app: credentials, version header, rate limit, idempotency, the catalogue's lock, routes.

Errors are Square's model in every case. Each call is counted in the store; what a call changes is logged there too.
"""

import asyncio
import hashlib
import re
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.square import catalog, customers, inventory, loyalty, orders, profiles, wire
from sandbox.square.wire import NAME, Body, Refusal
from sandbox.store import Store, parse_stamp, stamp
from sandbox.vendor import Settings

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOCKED_UNTIL = "square_catalogue_locked_until"
Operation = Callable[[Body], str]


def lock_catalogue(store: Store, until: datetime) -> None:
    """Another client holds the catalogue until a moment of the world's time."""
    store.set_fact(_LOCKED_UNTIL, stamp(until))


class Gate:
    """What one app holds in memory: calls of the last second, whether a catalogue write is in flight."""

    def __init__(self, store: Store, settings: Settings, calls_per_second: int | None, write_seconds: float) -> None:
        self.store, self.settings, self.write_seconds = store, settings, write_seconds
        self._rate, self._recent = calls_per_second, deque[float]()
        self.is_writing = False

    def admit(self, request: Request) -> None:
        """Refuse what Square would refuse before looking at the body."""
        if NAME in self.settings.is_down:
            raise Refusal(503, "SERVICE_UNAVAILABLE", "Down.", category="API_ERROR")
        token = request.headers.get("authorization", "")
        if NAME in self.settings.refuses or token != f"Bearer {self.settings.token}":
            raise Refusal(
                401, "UNAUTHORIZED", "This request could not be authorized.", category="AUTHENTICATION_ERROR"
            )
        if not _VERSION.fullmatch(request.headers.get("square-version", "")):
            raise Refusal(400, "INVALID_SQUARE_VERSION_FORMAT", "Square-Version must be a date.")
        if self._rate is None:
            return
        now = self.store.now().timestamp()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self._rate:
            raise _throttled("Too many requests.")
        self._recent.append(now)

    def check_lock(self) -> None:
        """One catalogue write at a time."""
        until = self.store.fact(_LOCKED_UNTIL)
        if self.is_writing or (until and self.store.now() < parse_stamp(until)):
            raise _throttled("Catalog locked by prior request.")


def _throttled(detail: str) -> Refusal:
    return Refusal(429, "RATE_LIMITED", detail, category="RATE_LIMIT_ERROR", retry_after=1)


def build_app(store: Store, settings: Settings, calls_per_second: int | None, write_seconds: float) -> ASGIApp:
    """Square over a store."""
    gate = Gate(store, settings, calls_per_second, write_seconds)
    lag = settings.search_lag_seconds

    async def once(operation: str, write: Callable[[Body, str, str], str], body: Body) -> str:
        """A write with an idempotency key: the same body gets the same answer, another body is refused."""
        key = body.get("idempotency_key")
        if not isinstance(key, str) or not 1 <= len(key) <= 128:
            code = "MISSING_REQUIRED_PARAMETER" if not key else "VALUE_TOO_LONG"
            raise Refusal(400, code, "An idempotency key of 1 to 128 characters.", field="idempotency_key")
        is_catalogue = operation == "BatchUpsertCatalogObjects"
        mark = hashlib.sha256(msgspec.json.encode([operation, body])).hexdigest()
        known = store.answered(NAME, key)
        if known and known[0] != mark:
            raise Refusal(400, "IDEMPOTENCY_KEY_REUSED", "The key was used with another body.", field="idempotency_key")
        if known:
            return known[2]
        if is_catalogue:
            gate.check_lock()
        gate.is_writing = gate.is_writing or is_catalogue
        try:
            if is_catalogue:
                await asyncio.sleep(gate.write_seconds)
            answer = write(body, operation, key)
        finally:
            if is_catalogue:
                gate.is_writing = False
        store.remember(NAME, key, mark, 200, answer)
        return answer

    def endpoint(operation: str, run: Callable[..., Any], *, method: str = "POST", path: str) -> Route:
        async def serve(request: Request) -> Response:
            status, headers = 200, {}
            try:
                gate.admit(request)
                body = await _body(request)
                result = run({**body, **request.path_params})
                text = await result if asyncio.iscoroutine(result) else result
            except Refusal as refusal:
                status, text = refusal.status, wire.encode({"errors": [refusal.error]})
                headers = {} if refusal.retry_after is None else {"retry-after": str(refusal.retry_after)}
            store.called(NAME, operation, status)
            return Response(text, status, headers, "application/json")

        return Route(path, serve, methods=[method])

    async def missing(request: Request, error: Exception) -> Response:
        refusal = Refusal(404, "NOT_FOUND", "API endpoint for URL path is not found.")
        return Response(wire.encode({"errors": [refusal.error]}), 404, media_type="application/json")

    return Starlette(
        routes=[
            endpoint("RetrieveMerchant", lambda q: orders.merchant(store, q["key"]), method="GET",
                     path="/v2/merchants/{key}"),
            endpoint("ListLocations", lambda q: orders.locations(store), method="GET", path="/v2/locations"),
            endpoint("RetrieveTokenStatus", lambda q: orders.token_status(store), path="/oauth2/token/status"),
            endpoint("ListCatalog", partial(catalog.list_catalog, store), method="GET", path="/v2/catalog/list"),
            endpoint("SearchCatalogObjects", partial(catalog.search, store), path="/v2/catalog/search"),
            endpoint("BatchRetrieveCatalogObjects", partial(catalog.retrieve, store),
                     path="/v2/catalog/batch-retrieve"),
            endpoint("BatchUpsertCatalogObjects",
                     partial(once, "BatchUpsertCatalogObjects", partial(catalog.upsert, store)),
                     path="/v2/catalog/batch-upsert"),
            endpoint("BatchRetrieveInventoryCounts", partial(inventory.counts, store),
                     path="/v2/inventory/counts/batch-retrieve"),
            endpoint("BatchRetrieveInventoryChanges", partial(inventory.changes, store),
                     path="/v2/inventory/changes/batch-retrieve"),
            endpoint("BatchChangeInventory",
                     partial(once, "BatchChangeInventory", partial(inventory.create, store)),
                     path="/v2/inventory/changes/batch-create"),
            endpoint("ListCustomers", partial(customers.list_customers, store), method="GET", path="/v2/customers"),
            endpoint("SearchCustomers", lambda q: customers.search(store, q, lag), path="/v2/customers/search"),
            endpoint("BulkRetrieveCustomers", partial(customers.retrieve, store),
                     path="/v2/customers/bulk-retrieve"),
            endpoint("BulkUpdateCustomers", lambda q: customers.update(store, q, "BulkUpdateCustomers", lag),
                     path="/v2/customers/bulk-update"),
            endpoint("BulkCreateCustomers", partial(profiles.create, store), path="/v2/customers/bulk-create"),
            endpoint("BulkDeleteCustomers", partial(profiles.delete, store), path="/v2/customers/bulk-delete"),
            endpoint("SearchOrders", partial(orders.search, store), path="/v2/orders/search"),
            endpoint("SearchLoyaltyAccounts", partial(loyalty.accounts, store), path="/v2/loyalty/accounts/search"),
            endpoint("SearchLoyaltyEvents", partial(loyalty.events, store), path="/v2/loyalty/events/search"),
        ],
        exception_handlers={404: missing, 405: missing},
    )


async def _body(request: Request) -> Body:
    if request.method == "GET":
        return dict(request.query_params)
    raw = await request.body()
    if not raw:
        return {}
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise Refusal(400, "EXPECTED_JSON_BODY", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise Refusal(400, "EXPECTED_JSON_BODY", "The body is not a JSON object.")
    return body
