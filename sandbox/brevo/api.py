"""Brevo's routes: the key, the limits, the errors, and the calls on contacts, lists, attributes and processes.

Lists are paged by offset in the order of creation, newest first unless asked otherwise, so whoever is added or deleted
moves the pages of who is reading them. Rules about contacts are in `contacts`, imports in `imports`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.brevo import contacts, imports
from sandbox.brevo.contacts import Refusal
from sandbox.brevo.documents import VENDOR, shown_list
from sandbox.brevo.limits import Limits
from sandbox.store import Doc, Store, parse_stamp, stamp
from sandbox.vendor import Settings

ORGANIZATION = "66a1f0c2d4e5b60001a2b3c4"
_MOST = {"contacts": 1000, "list": 500, "lists": 50, "processes": 50}
_DEFAULT = {"contacts": 50, "list": 50, "lists": 10, "processes": 10}
_MAX_MOVED = 150
_IN_LIST = "EXISTS (SELECT 1 FROM json_each(doc, '$.listIds') WHERE value = ?)"
Answered = tuple[int, str | dict[str, Any] | None]
Handler = Callable[[Request], Awaitable[Answered]]


class BrevoApi:
    """One account's API over the world's store."""

    def __init__(self, store: Store, settings: Settings, *, per_list: bool) -> None:
        self._store, self._settings, self._per_list = store, settings, per_list
        self._limits = Limits(settings.plan)

    def app(self) -> ASGIApp:
        """The ASGI application."""
        one, lists = "/v3/contacts/{who:path}", "/v3/contacts/lists"
        return Starlette(routes=[
            self._route("GET", "/v3/account", self._account),
            self._route("GET", "/v3/contacts", self._contacts),
            self._route("POST", "/v3/contacts", self._create),
            self._route("POST", "/v3/contacts/batch", self._batch),
            self._route("POST", "/v3/contacts/import", self._import),
            self._route("GET", "/v3/contacts/attributes", self._attributes),
            self._route("POST", "/v3/contacts/attributes/{category}/{name}", self._add_attribute),
            self._route("GET", lists, self._lists),
            self._route("GET", f"{lists}/{{list_id:int}}", self._list),
            self._route("GET", f"{lists}/{{list_id:int}}/contacts", self._listed),
            self._route("POST", f"{lists}/{{list_id:int}}/contacts/add", self._add),
            self._route("POST", f"{lists}/{{list_id:int}}/contacts/remove", self._remove),
            self._route("GET", "/v3/processes", self._processes),
            self._route("GET", "/v3/processes/{number:int}", self._process),
            self._route("GET", one, self._contact),
            self._route("PUT", one, self._put),
            self._route("DELETE", one, self._delete),
        ])

    # -- around every call ---------------------------------------------------------------------------------

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            request.state.operation = f"{method} {path}"
            now = self._store.now()
            window = self._limits.of(path)
            status, body = await self._answer(request, handler, is_admitted=window.admit(now))
            self._store.called(VENDOR, request.state.operation, status)
            content = b"" if body is None else body.encode() if isinstance(body, str) else msgspec.json.encode(body)
            return Response(content, status, window.headers(now), "application/json")

        return Route(path, endpoint, methods=[method])

    async def _answer(self, request: Request, handler: Handler, *, is_admitted: bool) -> Answered:
        if VENDOR in self._settings.is_down:
            return 503, _error("bad_request", "Service unavailable")
        if VENDOR in self._settings.refuses or request.headers.get("api-key") != self._settings.token:
            return 401, _error("unauthorized", "Key not found")
        if not is_admitted:
            return 429, _error("not_acceptable", "Too many requests")
        try:
            imports.run_due(self._store, self._store.now(), per_list=self._per_list)
            return await handler(request)
        except Refusal as refusal:
            error = _error(refusal.code, refusal.message)
            if refusal.duplicates:
                error["metadata"] = {"duplicate_identifiers": refusal.duplicates}
            return refusal.status, error
        except (msgspec.DecodeError, KeyError, ValueError, TypeError) as bad:
            return 400, _error("bad_request", f"not understood: {type(bad).__name__}")

    # -- the account, its attributes, its processes ----------------------------------------------------------

    async def _account(self, request: Request) -> Answered:
        return 200, {
            "organization_id": ORGANIZATION, "email": "owner@example.fr", "firstName": "Ada", "lastName": "Sandbox",
            "companyName": "Sandbox",
            "address": {"street": "1 rue X", "city": "Paris", "zipCode": "75001", "country": "France"},
            "plan": [{"type": "subscription", "creditsType": "sendLimit", "credits": 10000}],
            "relay": {"enabled": True, "data": {
                "userName": "1a2b3c001@smtp-brevo.com", "relay": "smtp-relay.brevo.com", "port": 587,
            }},
        }

    async def _attributes(self, request: Request) -> Answered:
        return 200, {"attributes": [doc.body for doc in self._store.select(VENDOR, "attributes")]}

    async def _add_attribute(self, request: Request) -> Answered:
        name, category = request.path_params["name"].upper(), request.path_params["category"]
        kind = msgspec.json.decode(await request.body()).get("type")
        if category != "normal" or kind not in ("text", "date", "float", "boolean"):
            raise Refusal("invalid_parameter", "Invalid attribute")
        held = {"name": name, "category": category, "type": kind}
        self._store.put(VENDOR, "attributes", name, held, updated_at=self._store.now())
        return 201, None

    async def _processes(self, request: Request) -> Answered:
        limit, offset, order = _paging(request.query_params, "processes")
        docs = self._store.select(VENDOR, "processes", order=order, limit=limit, offset=offset)
        found = [imports.shown(doc.body) for doc in docs]
        return 200, {"processes": found, "count": self._store.count(VENDOR, "processes")}

    async def _process(self, request: Request) -> Answered:
        doc = self._store.get(VENDOR, "processes", str(request.path_params["number"]))
        if doc is None:
            raise Refusal("document_not_found", "Process ID not found", status=404)
        return 200, imports.shown(doc.body)

    # -- lists -----------------------------------------------------------------------------------------------

    async def _lists(self, request: Request) -> Answered:
        limit, offset, order = _paging(request.query_params, "lists")
        docs = self._store.select(VENDOR, "lists", where="deleted = 0", order=order, limit=limit, offset=offset)
        shown = [shown_list(doc, self._counts(doc)) for doc in docs]
        return 200, {"lists": shown, "count": self._store.count(VENDOR, "lists")}

    async def _list(self, request: Request) -> Answered:
        doc = self._list_of(request)
        return 200, shown_list(doc, self._counts(doc)) | {"createdAt": doc.body["createdAt"], "dynamicList": False}

    def _counts(self, doc: Doc) -> tuple[int, int]:
        where = f"deleted = 0 AND {_IN_LIST}"
        away = f"{where} AND json_extract(doc, '$.emailBlacklisted')"
        blacklisted = self._store.count(VENDOR, "contacts", away, [int(doc.key)])
        return self._store.count(VENDOR, "contacts", where, [int(doc.key)]) - blacklisted, blacklisted

    def _list_of(self, request: Request) -> Doc:
        doc = self._store.get(VENDOR, "lists", str(request.path_params["list_id"]))
        if doc is None or doc.deleted:
            raise Refusal("document_not_found", "List ID does not exist", status=404)
        return doc

    async def _add(self, request: Request) -> Answered:
        return await self._move(request, "listIds")

    async def _remove(self, request: Request) -> Answered:
        return await self._move(request, "unlinkListIds")

    async def _move(self, request: Request, way: str) -> Answered:
        """Up to 150 contacts into a list or out of it: here, and only here, each is named as done or not."""
        list_id, body = int(self._list_of(request).key), msgspec.json.decode(await request.body())
        given: list[Any] = body.get("ids") or body.get("emails") or []
        if not 0 < len(given) <= _MAX_MOVED:
            raise Refusal("invalid_parameter", f"1 to {_MAX_MOVED} contacts")
        done: dict[bool, list[Any]] = {True: [], False: []}
        with self._store.transaction():
            for who in given:
                doc = contacts.by_id(self._store, who) if body.get("ids") else contacts.by_email(self._store, who)
                is_in = doc is not None and list_id in doc.body["listIds"]
                moves = doc is not None and is_in == (way == "unlinkListIds")
                if doc is not None and moves:
                    self._update(request, doc, {way: [list_id]})
                done[moves].append(who)
        if not done[True]:
            raise Refusal("invalid_parameter", "Contact already removed from list and/or does not exist")
        return 201, {"contacts": {
            name: who for name, who in (("success", done[True]), ("failure", done[False])) if who
        }}

    # -- contacts --------------------------------------------------------------------------------------------

    async def _contacts(self, request: Request) -> Answered:
        query = request.query_params
        where, args = ["deleted = 0"], list[Any]()
        if lists := query.getlist("listIds"):
            where.append(f"({' OR '.join([_IN_LIST] * len(lists))})")
            args += [int(one) for one in lists]
        return self._page(query, "contacts", where, args)

    async def _listed(self, request: Request) -> Answered:
        key = int(self._list_of(request).key)
        return self._page(request.query_params, "list", ["deleted = 0", _IN_LIST], [key])

    def _page(self, query: Mapping[str, str], kind: str, where: list[str], args: list[Any]) -> Answered:
        limit, offset, order = _paging(query, kind)
        for name, field in (("modifiedSince", "updated_at"), ("createdSince", "json_extract(doc, '$.createdAt')")):
            if name in query:
                where.append(f"{field} > ?")
                args.append(stamp(parse_stamp(query[name].replace(" ", "+"))))
        condition = " AND ".join(where)
        docs = self._store.select(
            VENDOR, "contacts", where=condition, args=args, order=order, limit=limit, offset=offset
        )
        texts = ",".join(doc.text for doc in docs)
        return 200, f'{{"contacts":[{texts}],"count":{self._store.count(VENDOR, "contacts", condition, args)}}}'

    async def _create(self, request: Request) -> Answered:
        row = msgspec.json.decode(await request.body())
        held = contacts.by_email(self._store, str(row.get("email") or ""))
        if held is not None and row.get("updateEnabled") is True:
            with self._store.transaction():
                self._update(request, held, row)
            return 204, None
        with self._store.transaction():
            doc = contacts.create(
                self._store, row, self._store.now(), per_list=self._per_list, operation=request.state.operation
            )
        return 201, {"id": int(doc.key)}

    def _found(self, request: Request) -> Doc:
        doc = contacts.find(self._store, request.path_params["who"], request.query_params.get("identifierType"))
        if doc is None:
            raise Refusal("document_not_found", "Contact does not exist", status=404)
        return doc

    def _update(self, request: Request, doc: Doc, row: Mapping[str, Any]) -> None:
        contacts.update(self._store, doc, row, self._store.now(), operation=request.state.operation)

    async def _contact(self, request: Request) -> Answered:
        return 200, self._found(request).body | {"statistics": {}}

    async def _put(self, request: Request) -> Answered:
        row = msgspec.json.decode(await request.body())
        with self._store.transaction():
            self._update(request, self._found(request), row)
        return 204, None

    async def _delete(self, request: Request) -> Answered:
        with self._store.transaction():
            contacts.delete(
                self._store, self._found(request), self._store.now(), origin="api", operation=request.state.operation
            )
        return 204, None

    async def _batch(self, request: Request) -> Answered:
        """Many contacts, all or none: one that is not there fails the others, and a success names nobody."""
        rows: list[dict[str, Any]] = msgspec.json.decode(await request.body())["contacts"]
        found = [
            contacts.by_id(self._store, row["id"]) if "id" in row
            else contacts.by_email(self._store, str(row.get("email") or ""))
            for row in rows
        ]
        if missing := [str(number) for number, doc in enumerate(found) if doc is None]:
            raise Refusal("document_not_found", f"No contact found for indexes {','.join(missing)}", status=404)
        with self._store.transaction():
            for row, doc in zip(rows, found, strict=True):
                assert doc is not None
                self._update(request, doc, row)
        return 204, None

    async def _import(self, request: Request) -> Answered:
        content = await request.body()
        body = msgspec.json.decode(content)
        with self._store.transaction():
            number = imports.accept(
                self._store, body, len(content), self._store.now(), self._settings.bulk_seconds
            )
        return 202, {"processId": number}


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}


def _paging(query: Mapping[str, str], kind: str) -> tuple[int, int, str]:
    limit, offset = int(query.get("limit", _DEFAULT[kind])), int(query.get("offset", 0))
    if not 0 <= limit <= _MOST[kind] or offset < 0:
        raise Refusal("out_of_range", f"Limit goes from 0 to {_MOST[kind]}")
    sort = query.get("sort", "desc")
    if sort not in ("asc", "desc"):
        raise Refusal("invalid_parameter", "sort is asc or desc")
    return limit, offset, f"seq {sort.upper()}"
