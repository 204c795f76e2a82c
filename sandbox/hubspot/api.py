"""HubSpot's routes: credentials, rate limits, the error model, and the calls on contacts and products.

A page is a SELECT and a join of stored texts. Rules about records are in `objects`, `search` and `preferences`.
"""

import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.hubspot import account, limits, objects, preferences
from sandbox.hubspot.answers import (
    batch_answer,
    error,
    inputs,
    names,
    no_scope,
    paging,
    row_error,
    too_many,
    trimmed,
)
from sandbox.hubspot.documents import ALWAYS, DEFAULTS, VENDOR, known_properties
from sandbox.hubspot.objects import Refusal
from sandbox.hubspot.search import search
from sandbox.store import Doc, Store, stamp
from sandbox.vendor import Settings

MAX_LIST = 100
_STATUS = {"OBJECT_NOT_FOUND": 404, "CONFLICT": 409}
KINDS = ("contacts", "products")

Handler = Callable[[Request], Awaitable[tuple[int, str | dict[str, Any] | None]]]


class HubspotApi:
    """One account's API over the world's store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._window = limits.Window(
            limits.MAX_CALLS.get(settings.plan, limits.DEFAULT_MAX_CALLS), limits.INTERVAL_SECONDS
        )
        self._searches = limits.Window(limits.MAX_SEARCHES, 1.0)
        self._day = limits.Day(limits.DAILY.get(settings.plan, limits.DEFAULT_DAILY), account.TIMEZONE)
        self._calls = 0

    def app(self) -> ASGIApp:
        """The ASGI application."""
        routes = [
            self._route("GET", "/communication-preferences/v3/definitions", self._definitions),
            self._route("GET", "/communication-preferences/v3/status/email/{email}", self._status),
            self._route("POST", "/communication-preferences/v3/unsubscribe", self._unsubscribe),
            self._route("POST", "/communication-preferences/v3/subscribe", self._subscribe),
            self._route("GET", "/account-info/v3/details", self._details),
            self._route("POST", "/oauth/v2/private-apps/get/access-token-info", self._token),
            self._route("POST", "/crm/v3/objects/contacts/gdpr-delete", self._erase),
            self._route("POST", "/crm/v3/objects/contacts/merge", self._merge),
        ]
        for kind in KINDS:
            base = f"/crm/v3/objects/{kind}"
            routes += [
                self._route("GET", base, self._list, kind),
                self._route("POST", f"{base}/search", self._search, kind, is_search=True),
                self._route("POST", f"{base}/batch/read", self._batch_read, kind),
                self._route("POST", f"{base}/batch/update", self._batch_update, kind),
                self._route("POST", f"{base}/batch/create", self._batch_create, kind),
                self._route("GET", f"{base}/{{id}}", self._read, kind),
                self._route("PATCH", f"{base}/{{id}}", self._update, kind),
                self._route("DELETE", f"{base}/{{id}}", self._archive, kind),
            ]
        return Starlette(routes=routes)

    # -- around every call ---------------------------------------------------------------------------------

    def _route(
        self, method: str, path: str, handler: Handler, kind: str = "", *, is_search: bool = False
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            request.state.kind, request.state.operation = kind, f"{method} {path}"
            status, body, headers = await self._answer(request, handler, is_search)
            self._store.called(VENDOR, request.state.operation, status)
            content = b"" if body is None else body.encode() if isinstance(body, str) else msgspec.json.encode(body)
            return Response(content, status, headers, "application/json;charset=utf-8")

        return Route(path, endpoint, methods=[method])

    async def _answer(
        self, request: Request, handler: Handler, is_search: bool
    ) -> tuple[int, str | dict[str, Any] | None, dict[str, str]]:
        self._calls += 1
        correlation = str(uuid.UUID(int=self._calls))
        headers = {"X-HubSpot-Correlation-Id": correlation}
        if VENDOR in self._settings.is_down:
            return 503, error("SERVICE_UNAVAILABLE", "HubSpot is not available", correlation), headers
        given = request.headers.get("authorization", "")
        if VENDOR in self._settings.refuses or given != f"Bearer {self._settings.token}":
            return 401, error("INVALID_AUTHENTICATION", "Authentication credentials not found", correlation), headers
        now, policy = self._store.now(), ""
        if not self._day.admit(now):
            policy = "DAILY"
        elif not (self._searches if is_search else self._window).admit(now):
            policy = "SECONDLY" if is_search else "TEN_SECONDLY_ROLLING"
        if not is_search:
            headers |= limits.headers(self._window, self._day)
        if policy:
            return 429, too_many(policy, correlation), headers
        scope = account.scope_of(request.state.operation)
        if scope in self._settings.lacks:
            return 403, no_scope(scope, correlation), headers
        try:
            status, body = await handler(request)
            return status, body, headers
        except Refusal as refusal:
            status = _STATUS.get(refusal.category, 400)
            return status, error(refusal.category, refusal.message, correlation, code=refusal.code), headers
        except (msgspec.DecodeError, KeyError, ValueError) as bad:
            return 400, error("VALIDATION_ERROR", f"Invalid input: {type(bad).__name__}", correlation), headers

    def _now(self) -> str:
        return stamp(self._store.now())

    def _visible_until(self) -> str:
        lag = self._settings.search_lag_seconds
        return stamp(self._store.now() - timedelta(seconds=lag)) if lag > 0 else ""

    def _shown(self, kind: str, docs: Iterable[Doc], wanted: Iterable[str] | None) -> str:
        """Records with the properties asked for, joined; stored text goes out as it is when all are asked for."""
        shown = DEFAULTS[kind] if not wanted else ALWAYS[kind] | set(wanted)
        if shown >= known_properties(self._store, kind):
            return ",".join(doc.text for doc in docs)
        return ",".join(trimmed(doc.text, shown) for doc in docs)

    # -- objects -------------------------------------------------------------------------------------------

    async def _list(self, request: Request) -> tuple[int, str]:
        query = request.query_params
        limit, after = int(query.get("limit", 10)), int(query.get("after", 0))
        if not 0 < limit <= MAX_LIST:
            raise Refusal("VALIDATION_ERROR", f"limit must be between 1 and {MAX_LIST}")
        is_archived = query.get("archived") == "true"
        kind = request.state.kind
        docs = self._store.page(
            VENDOR, kind, after_seq=after, limit=limit + 1, with_deleted=is_archived,
            where=objects.IN_THE_BIN if is_archived else "",
        )
        texts = self._shown(kind, docs[:limit], names(query.getlist("properties")))
        more = paging(str(docs[limit - 1].seq), request.url.path) if len(docs) > limit else ""
        return 200, f'{{"results":[{texts}]{more}}}'

    async def _search(self, request: Request) -> tuple[int, str]:
        body, kind = msgspec.json.decode(await request.body()), request.state.kind
        total, docs, after = search(self._store, kind, body, lag_seconds=self._settings.search_lag_seconds)
        texts = self._shown(kind, docs, body.get("properties"))
        return 200, f'{{"total":{total},"results":[{texts}]{paging(after) if after else ""}}}'

    async def _read(self, request: Request) -> tuple[int, str]:
        kind = request.state.kind
        doc = self._found(kind, request.path_params["id"])
        return 200, self._shown(kind, [doc], names(request.query_params.getlist("properties")))

    async def _update(self, request: Request) -> tuple[int, str]:
        kind, body = request.state.kind, msgspec.json.decode(await request.body())
        with self._store.transaction():
            doc = self._change(kind, self._found(kind, request.path_params["id"]), body, request.state.operation)
        return 200, self._shown(kind, [doc], None)

    async def _archive(self, request: Request) -> tuple[int, None]:
        kind = request.state.kind
        doc = self._store.get(VENDOR, kind, request.path_params["id"])
        if doc is not None and not doc.deleted:
            objects.archive(
                self._store, kind, doc, at=self._now(), origin="api", operation=request.state.operation
            )
        return 204, None

    async def _batch_read(self, request: Request) -> tuple[int, dict[str, Any] | str]:
        body, kind = msgspec.json.decode(await request.body()), request.state.kind
        ids = inputs(body, "id")
        found = {key: objects.find(self._store, kind, key) for key in ids}
        texts = self._shown(kind, [doc for doc in found.values() if doc is not None], body.get("properties"))
        lost = [key for key, doc in found.items() if doc is None]
        errors = [row_error("OBJECT_NOT_FOUND", "Could not get some objects", {"ids": lost})] if lost else []
        return batch_answer(texts, errors, 200, self._now())

    async def _batch_update(self, request: Request) -> tuple[int, str]:
        body, kind = msgspec.json.decode(await request.body()), request.state.kind
        ids = inputs(body, "id")
        if len(set(ids)) < len(ids):
            raise Refusal("VALIDATION_ERROR", "Duplicate IDs found in batch input", code="DUPLICATE_IDS")
        operation = request.state.operation

        def update(row: Mapping[str, Any]) -> Doc:
            return self._change(kind, self._found(kind, str(row["id"])), row, operation)

        return self._rows(kind, body["inputs"], update, 200)

    async def _batch_create(self, request: Request) -> tuple[int, str]:
        body, kind = msgspec.json.decode(await request.body()), request.state.kind
        inputs(body, "properties")
        at, operation = self._now(), request.state.operation

        def create(row: Mapping[str, Any]) -> Doc:
            return objects.create(self._store, kind, row["properties"], at=at, operation=operation)

        return self._rows(kind, body["inputs"], create, 201)

    def _rows(
        self, kind: str, rows: list[Mapping[str, Any]], apply: Callable[[Mapping[str, Any]], Doc], status: int
    ) -> tuple[int, str]:
        """All rows; a bad one fails alone where it carries a trace id, and the whole batch where it does not."""
        done: list[Doc] = []
        errors: list[dict[str, Any]] = []
        with self._store.transaction():
            for row in rows:
                try:
                    done.append(apply(row))
                except Refusal as refusal:
                    trace = row.get("objectWriteTraceId")
                    if not trace:
                        raise
                    context = {"objectWriteTraceId": [str(trace)]} | ({"ids": refusal.ids} if refusal.ids else {})
                    errors.append(row_error(refusal.category, refusal.message, context, refusal.code))
        return batch_answer(self._shown(kind, done, None), errors, status, self._now())

    def _found(self, kind: str, key: str) -> Doc:
        doc = objects.find(self._store, kind, key)
        if doc is None:
            raise Refusal("OBJECT_NOT_FOUND", f"Object not found. objectId are usually numeric: {key}", ids=[key])
        return doc

    def _change(self, kind: str, doc: Doc, row: Mapping[str, Any], operation: str) -> Doc:
        wanted = objects.checked(self._store, kind, row["properties"], key=doc.key)
        return objects.change(
            self._store, kind, doc, wanted, at=self._now(), origin="api", operation=operation,
            visible_until=self._visible_until(),
        )

    # -- erasure, merge, permissions, the account ----------------------------------------------------------

    async def _erase(self, request: Request) -> tuple[int, None]:
        body = msgspec.json.decode(await request.body())
        column = "lookup" if body.get("idProperty") == "email" else "key"
        value = str(body["objectId"]).lower()
        with self._store.transaction():
            for doc in list(self._store.select(VENDOR, "contacts", where=f"{column} = ?", args=[value])):
                objects.erase(self._store, doc, at=self._now(), operation=request.state.operation)
        return 204, None

    async def _merge(self, request: Request) -> tuple[int, str]:
        body = msgspec.json.decode(await request.body())
        with self._store.transaction():
            primary = self._found("contacts", str(body["primaryObjectId"]))
            other = self._found("contacts", str(body["objectIdToMerge"]))
            doc = objects.merge(self._store, primary, other, at=self._now(), operation=request.state.operation)
        return 200, self._shown("contacts", [doc], None)

    async def _definitions(self, request: Request) -> tuple[int, str]:
        return 200, preferences.definitions(self._store)

    async def _status(self, request: Request) -> tuple[int, dict[str, Any]]:
        return 200, preferences.status(self._store, request.path_params["email"])

    async def _unsubscribe(self, request: Request) -> tuple[int, dict[str, Any]]:
        return 200, await self._permission(request, lets_in=False)

    async def _subscribe(self, request: Request) -> tuple[int, dict[str, Any]]:
        return 200, await self._permission(request, lets_in=True)

    async def _permission(self, request: Request, *, lets_in: bool) -> dict[str, Any]:
        body = msgspec.json.decode(await request.body())
        with self._store.transaction():
            return preferences.update(
                self._store, body, at=self._now(), lets_in=lets_in, operation=request.state.operation,
                visible_until=self._visible_until(),
            )

    async def _details(self, request: Request) -> tuple[int, dict[str, Any]]:
        return 200, account.details(self._store.now())

    async def _token(self, request: Request) -> tuple[int, dict[str, Any]]:
        if msgspec.json.decode(await request.body())["tokenKey"] != self._settings.token:
            raise Refusal("OBJECT_NOT_FOUND", "access token not found")
        return 200, account.token_info(self._settings.lacks)
