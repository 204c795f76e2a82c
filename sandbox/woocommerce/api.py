"""WooCommerce's routes under /wp-json/wc/v3: who calls, lists, single records, and batches of up to 100.

A batch answers 200 whatever became of its rows: what was refused stands in the place of its record, under `error`. Over
100 rows it answers 413 and does nothing. Rows of a batch are not held to the types of the description, as single calls
are: "12,50" is cleaned to 1250 there. Rules about records are in `goods` and `people`, paging in `lists`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.store import Store
from sandbox.vendor import Settings
from sandbox.woocommerce import goods, people
from sandbox.woocommerce.documents import VENDOR
from sandbox.woocommerce.keys import Unknown, let_in
from sandbox.woocommerce.lists import CUSTOMERS, ORDERS, PRODUCTS, REFUNDS, TAXES, VARIATIONS, Listing, Refusal, page_of

ROOT = "/wp-json/wc/v3"
MAX_BATCH = 100
VERSION = "10.3.0"
Answer = tuple[int, Any, dict[str, str]]
Handler = Callable[[Request], Awaitable[Answer]]
_TEXTS = ("regular_price", "sale_price", "sku", "global_unique_id", "first_name", "last_name", "email")


class WoocommerceApi:
    """One shop's API over the world's store. The credential's two halves are both the settings' token."""

    def __init__(self, store: Store, settings: Settings, home: str) -> None:
        self._store, self._settings, self._home = store, settings, home

    def app(self) -> ASGIApp:
        """The ASGI application."""
        one, child = "/products/{id:int}", "/products/{product:int}/variations"
        routes = [
            self._route("GET", "/system_status", self._status),
            self._route("GET", "/settings/{group}/{id}", self._setting),
            self._route("GET", "/taxes", self._list(TAXES)),
            self._route("GET", "/taxes/classes", self._classes),
            self._route("GET", "/products", self._list(PRODUCTS)),
            self._route("POST", "/products/batch", self._goods_batch),
            self._route("GET", one, self._read_good),
            self._route("PUT", one, self._change_good),
            self._route("DELETE", one, self._remove_good),
            self._route("GET", child, self._list(VARIATIONS)),
            self._route("POST", f"{child}/batch", self._goods_batch),
            self._route("GET", f"{child}/{{id:int}}", self._read_good),
            self._route("PUT", f"{child}/{{id:int}}", self._change_good),
            self._route("DELETE", f"{child}/{{id:int}}", self._remove_good),
            self._route("GET", "/customers", self._list(CUSTOMERS)),
            self._route("POST", "/customers", self._make_person),
            self._route("POST", "/customers/batch", self._people_batch),
            self._route("GET", "/customers/{id:int}", self._read_person),
            self._route("PUT", "/customers/{id:int}", self._change_person),
            self._route("DELETE", "/customers/{id:int}", self._remove_person),
            self._route("GET", "/orders", self._list(ORDERS)),
            self._route("GET", "/orders/{id:int}", self._read_order),
            self._route("GET", "/orders/{order:int}/refunds", self._list(REFUNDS)),
        ]
        return Starlette(routes=routes, exception_handlers={404: _no_route})

    # -- around every call ---------------------------------------------------------------------------------

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            request.state.operation = f"{method} {path}"
            if VENDOR in self._settings.is_down:
                self._store.called(VENDOR, request.state.operation, 503)
                return Response("<h1>Briefly unavailable for scheduled maintenance.</h1>", 503, media_type="text/html")
            try:
                if VENDOR in self._settings.refuses:
                    raise Unknown("woocommerce_rest_authentication_error", "Consumer key is invalid.")
                let_in(request, self._store, self._settings.token)
                status, body, headers = await handler(request)
            except Unknown as unknown:
                refusal = Refusal(401, unknown.code, unknown.message)
                status, body, headers = 401, refusal.body(), {}
            except Refusal as refusal:
                status, body, headers = refusal.status, refusal.body(), {}
            except msgspec.DecodeError:
                refusal = Refusal(400, "rest_invalid_json", "Invalid JSON body passed.")
                status, body, headers = 400, refusal.body(), {}
            self._store.called(VENDOR, request.state.operation, status)
            content = body if isinstance(body, str) else msgspec.json.encode(body)
            return Response(content, status, headers, "application/json; charset=UTF-8")

        return Route(ROOT + path, endpoint, methods=[method])

    def _list(self, listing: Listing) -> Handler:
        async def handler(request: Request) -> Answer:
            parent = request.path_params.get("product", request.path_params.get("order"))
            if listing is REFUNDS and self._store.get(VENDOR, "orders", str(parent)) is None:
                raise Refusal(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
            key = None if parent is None else str(parent)
            found = page_of(self._store, listing, request.query_params, parent=key)
            if listing.kind in ("products", "variations"):
                shown = [goods.priced(doc.body, self._store.now()) for doc in found.docs]
                return 200, shown, found.headers()
            return 200, f"[{','.join(doc.text for doc in found.docs)}]", found.headers()

        return handler

    async def _body(self, request: Request) -> dict[str, Any]:
        body = msgspec.json.decode(await request.body())
        if not isinstance(body, dict):
            raise Refusal(400, "rest_invalid_param", "The body is no object.")
        return body

    # -- the shop ------------------------------------------------------------------------------------------

    async def _status(self, request: Request) -> Answer:
        site = {"home_url": self._home, "site_url": self._home, "version": VERSION, "wp_version": "6.8.1"}
        return 200, {"environment": site}, {}

    async def _setting(self, request: Request) -> Answer:
        group, key = request.path_params["group"], request.path_params["id"]
        doc = self._store.get(VENDOR, "settings", f"{group}/{key}")
        if doc is None:
            raise Refusal(404, "rest_setting_setting_invalid", "Invalid setting.")
        return 200, doc.text, {}

    async def _classes(self, request: Request) -> Answer:
        docs = self._store.select(VENDOR, "tax_classes")
        return 200, [doc.body for doc in docs], {}

    # -- products and variations ---------------------------------------------------------------------------

    def _good(self, request: Request, key: Any) -> tuple[str, str | None, Any]:
        product = request.path_params.get("product")
        return ("products", None, key) if product is None else ("variations", str(product), key)

    async def _read_good(self, request: Request) -> Answer:
        kind, parent, key = self._good(request, request.path_params["id"])
        return 200, goods.priced(goods.find(self._store, kind, key, parent=parent).body, self._store.now()), {}

    async def _change_good(self, request: Request) -> Answer:
        given = await self._body(request)
        _typed(given)
        return 200, self._changed_good(request, given | {"id": request.path_params["id"]}), {}

    def _changed_good(self, request: Request, given: Mapping[str, Any]) -> Any:
        kind, parent, key = self._good(request, given["id"])
        doc = goods.find(self._store, kind, key, parent=parent)
        with self._store.transaction():
            return goods.change(self._store, kind, doc, given, operation=request.state.operation)

    async def _remove_good(self, request: Request) -> Answer:
        return 200, self._removed_good(request, request.path_params["id"], _is_forced(request)), {}

    def _removed_good(self, request: Request, key: Any, is_forced: bool) -> Any:
        kind, parent, key = self._good(request, key)
        doc = goods.find(self._store, kind, key, parent=parent)
        if doc.deleted and not is_forced:
            raise Refusal(410, "woocommerce_rest_already_trashed", "The product has already been deleted.")
        with self._store.transaction():
            return goods.remove(
                self._store, kind, doc, self._store.now(), origin="api", is_forced=is_forced,
                operation=request.state.operation,
            )

    async def _goods_batch(self, request: Request) -> Answer:
        return await self._batch(
            request, lambda row: self._changed_good(request, row), lambda key: self._removed_good(request, key, True)
        )

    # -- people and orders ---------------------------------------------------------------------------------

    async def _read_person(self, request: Request) -> Answer:
        return 200, people.find(self._store, request.path_params["id"]).text, {}

    async def _make_person(self, request: Request) -> Answer:
        given = await self._body(request)
        _typed(given)
        made = self._made_person(request, given)
        return 201, made, {"Location": f"{self._home}{ROOT}/customers/{made['id']}"}

    def _made_person(self, request: Request, given: Mapping[str, Any]) -> Any:
        with self._store.transaction():
            return people.create(self._store, given, operation=request.state.operation)

    async def _change_person(self, request: Request) -> Answer:
        given = await self._body(request)
        _typed(given)
        return 200, self._changed_person(request, given | {"id": request.path_params["id"]}), {}

    def _changed_person(self, request: Request, given: Mapping[str, Any], *, in_batch: bool = False) -> Any:
        doc = people.find(self._store, given["id"], in_batch=in_batch)
        with self._store.transaction():
            return people.change(self._store, doc, given, operation=request.state.operation)

    async def _remove_person(self, request: Request) -> Answer:
        if not _is_forced(request):
            raise Refusal(501, "woocommerce_rest_trash_not_supported", "Customers do not support trashing.")
        return 200, self._removed_person(request, request.path_params["id"]), {}

    def _removed_person(self, request: Request, key: Any) -> Any:
        doc = people.find(self._store, key)
        with self._store.transaction():
            people.remove(self._store, doc, self._store.now(), origin="api", operation=request.state.operation)
        return doc.body

    async def _people_batch(self, request: Request) -> Answer:
        return await self._batch(
            request, lambda row: self._changed_person(request, row, in_batch=True),
            lambda key: self._removed_person(request, key), lambda row: self._made_person(request, row),
        )

    async def _read_order(self, request: Request) -> Answer:
        doc = self._store.get(VENDOR, "orders", str(request.path_params["id"]))
        if doc is None or doc.deleted:
            raise Refusal(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return 200, doc.text, {}

    # -- batches -------------------------------------------------------------------------------------------

    async def _batch(
        self, request: Request, change: Callable[[Mapping[str, Any]], Any], remove: Callable[[Any], Any],
        make: Callable[[Mapping[str, Any]], Any] | None = None,
    ) -> Answer:
        """Rows are done one after the other, each for itself; making new goods is not played."""
        body = await self._body(request)
        new, rows, gone = body.get("create") or [], body.get("update") or [], body.get("delete") or []
        if len(new) + len(rows) + len(gone) > MAX_BATCH:
            words = f"Unable to accept more than {MAX_BATCH} items for this request."
            raise Refusal(413, "woocommerce_rest_request_entity_too_large", words)
        if new and make is None:
            raise Refusal(501, "sandbox_not_played", "The sandbox makes no goods.")
        answer: dict[str, list[Any]] = {}
        for name, some, act, key_of in (
            ("create", new, make, lambda row: 0), ("update", rows, change, lambda row: row["id"]),
            ("delete", gone, remove, lambda key: key),
        ):
            for row in some:
                try:
                    answer.setdefault(name, []).append(act(row))
                except Refusal as refusal:
                    is_old = refusal.code.startswith("woocommerce_") and refusal.code.endswith("_invalid_id")
                    status = 400 if is_old else refusal.status
                    error = {"code": refusal.code, "message": refusal.message, "data": {"status": status}}
                    answer.setdefault(name, []).append({"id": key_of(row), "error": error})
        return 200, answer, {}


async def _no_route(request: Request, error: Exception) -> Response:
    words = "No route was found matching the URL and request method."
    return Response(msgspec.json.encode(Refusal(404, "rest_no_route", words).body()), 404, None, "application/json")


def _is_forced(request: Request) -> bool:
    return request.query_params.get("force", "false").lower() in ("true", "1")


def _typed(given: Mapping[str, Any]) -> None:
    """A single call is held to the types of the description, before anything is done."""
    if wrong := [name for name in _TEXTS if name in given and not isinstance(given[name], str)]:
        words = f"Invalid parameter(s): {', '.join(wrong)}"
        raise Refusal(400, "rest_invalid_param", words, params=dict.fromkeys(wrong, "is not of type string."))
