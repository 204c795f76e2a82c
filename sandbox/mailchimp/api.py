"""Mailchimp's routes: credentials, ten connections, problem documents, and the calls on audiences and members.

More than ten calls at once are turned away as Mailchimp does it: 429 with a line of text or 403 with nothing, neither
of them JSON. Rules about members are in `members`, paging in `pages`.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.mailchimp import members
from sandbox.mailchimp.documents import STATUSES, VENDOR
from sandbox.mailchimp.members import Refusal
from sandbox.mailchimp.pages import Pager
from sandbox.store import Doc, Store, parse_stamp, stamp
from sandbox.vendor import Settings

ACCOUNT_ID = "sandbox"
MAX_OPEN = 10
MAX_COUNT, DEFAULT_COUNT = 1000, 10
MAX_BATCH = 500
_PROBLEMS = "https://mailchimp.com/developer/marketing/docs/errors/"
_SINCE = {"since_last_changed": ">", "before_last_changed": "<"}
Handler = Callable[[Request], Awaitable[tuple[int, str | dict[str, Any] | None]]]


class MailchimpApi:
    """One account's API over the world's store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._pager = Pager(store)
        self._open = self._turned_away = self._calls = 0

    def app(self) -> ASGIApp:
        """The ASGI application."""
        list_path, member_path = "/3.0/lists/{list_id}", "/3.0/lists/{list_id}/members/{who}"
        routes = [
            self._route("GET", "/3.0/", self._root),
            self._route("GET", "/3.0/ping", self._ping),
            self._route("GET", "/3.0/lists", self._lists),
            self._route("GET", list_path, self._list),
            self._route("POST", list_path, self._batch),
            self._route("GET", f"{list_path}/members", self._members),
            self._route("POST", f"{list_path}/members", self._add),
            self._route("GET", member_path, self._member),
            self._route("PATCH", member_path, self._patch),
            self._route("PUT", member_path, self._put),
            self._route("DELETE", member_path, self._archive),
            self._route("POST", f"{member_path}/actions/delete-permanent", self._erase),
        ]
        inner = Starlette(routes=routes)

        async def at_most_ten(scope: Scope, receive: Receive, send: Send) -> None:
            self._open += 1
            try:
                if self._open > MAX_OPEN:
                    self._turned_away += 1
                    self._store.called(VENDOR, "turned away", 429 if self._turned_away % 2 else 403)
                    text = "You have exceeded the limit of 10 simultaneous connections."
                    is_429 = self._turned_away % 2 == 1
                    answer = Response(text if is_429 else "", 429 if is_429 else 403, media_type="text/plain")
                    await answer(scope, receive, send)
                else:
                    await inner(scope, receive, send)
            finally:
                self._open -= 1

        return at_most_ten

    # -- around every call ---------------------------------------------------------------------------------

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            request.state.operation = f"{method} {path}"
            status, body = await self._answer(request, handler)
            self._store.called(VENDOR, request.state.operation, status)
            content = b"" if body is None else body.encode() if isinstance(body, str) else msgspec.json.encode(body)
            kind = "application/problem+json" if status >= 400 else "application/json"
            return Response(content, status, {"X-Request-Id": f"request-{self._calls}"}, f"{kind}; charset=utf-8")

        return Route(path, endpoint, methods=[method])

    async def _answer(self, request: Request, handler: Handler) -> tuple[int, str | dict[str, Any] | None]:
        self._calls += 1
        if VENDOR in self._settings.is_down:
            return 503, self._problem(503, "Service Unavailable", "Mailchimp is not available")
        if VENDOR in self._settings.refuses or not self._is_known(request.headers.get("authorization", "")):
            detail = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
            return 401, self._problem(401, "API Key Invalid", detail)
        try:
            return await handler(request)
        except Refusal as refusal:
            problem = self._problem(refusal.status, refusal.title, refusal.detail)
            if refusal.field:
                problem["errors"] = [{"field": refusal.field, "message": refusal.detail}]
            return refusal.status, problem
        except (msgspec.DecodeError, KeyError, ValueError) as bad:
            return 400, self._problem(400, "JSON Parse Error", f"not understood: {type(bad).__name__}")

    def _is_known(self, given: str) -> bool:
        scheme, _, value = given.partition(" ")
        if scheme.lower() == "bearer":
            return value == self._settings.token
        try:
            return scheme.lower() == "basic" and b64decode(value).decode().partition(":")[2] == self._settings.token
        except (Base64Error, UnicodeDecodeError):
            return False

    def _problem(self, status: int, title: str, detail: str) -> dict[str, Any]:
        instance = f"00000000-0000-0000-0000-{self._calls:012d}"
        return {"type": _PROBLEMS, "title": title, "status": status, "detail": detail, "instance": instance}

    # -- the account and its audiences ---------------------------------------------------------------------

    async def _root(self, request: Request) -> tuple[int, dict[str, Any]]:
        return 200, {
            "account_id": ACCOUNT_ID, "login_id": "1", "account_name": "Sandbox", "email": "owner@example.fr",
            "role": "owner", "account_timezone": "Europe/Paris", "pro_enabled": False, "_links": [],
            "total_subscribers": self._store.count(VENDOR, "members"),
        }

    async def _ping(self, request: Request) -> tuple[int, dict[str, Any]]:
        return 200, {"health_status": "Everything's Chimpy!"}

    async def _lists(self, request: Request) -> tuple[int, dict[str, Any]]:
        count, offset = _bounds(request.query_params)
        total = self._store.count(VENDOR, "lists")
        docs = self._store.select(VENDOR, "lists", where="deleted = 0", limit=count, offset=offset)
        return 200, {"lists": [self._with_counts(doc) for doc in docs], "total_items": total, "_links": []}

    async def _list(self, request: Request) -> tuple[int, dict[str, Any]]:
        return 200, self._with_counts(self._audience(request))

    def _with_counts(self, doc: Doc) -> dict[str, Any]:
        total, _ = self._pager.page("+parent = ? AND deleted = 0", (doc.key,), count=0, offset=0)
        return doc.body | {"stats": {"member_count": total}}

    def _audience(self, request: Request) -> Doc:
        doc = self._store.get(VENDOR, "lists", request.path_params["list_id"])
        if doc is None:
            raise Refusal("Resource Not Found", "The requested resource could not be found.", status=404)
        return doc

    # -- members -------------------------------------------------------------------------------------------

    async def _members(self, request: Request) -> tuple[int, str]:
        query, list_id = request.query_params, self._audience(request).key
        count, offset = _bounds(query)
        where, args = ["+parent = ?", "deleted = 0"], [list_id]
        if status := query.get("status"):
            if status not in STATUSES:
                raise Refusal("Invalid Resource", "status is not one of the statuses", field="status")
            where[1] = f"deleted = {int(status == 'archived')}"
            where.append("json_extract(doc, '$.status') = ?")
            args.append(status)
        for name, sign in _SINCE.items():
            if name in query:
                where.append(f"updated_at {sign} ?")
                args.append(stamp(parse_stamp(query[name].replace(" ", "+"))))
        total, docs = self._pager.page(
            " AND ".join(where), tuple(args), sort=query.get("sort_field", ""),
            falling=query.get("sort_dir") == "DESC", count=count, offset=offset,
        )
        texts = ",".join(_shown(docs, query.get("fields", ""), query.get("exclude_fields", "")))
        return 200, f'{{"members":[{texts}],"list_id":"{list_id}","total_items":{total}}}'

    def _found(self, request: Request) -> Doc:
        doc = members.find(self._store, self._audience(request).key, request.path_params["who"].lower())
        if doc is None:
            raise Refusal("Resource Not Found", "The requested resource could not be found.", status=404)
        return doc

    async def _member(self, request: Request) -> tuple[int, str]:
        query = request.query_params
        shown = _shown([self._found(request)], query.get("fields", ""), query.get("exclude_fields", ""), prefix="")
        return 200, next(iter(shown))

    async def _upsert(
        self, request: Request, *, may_create: bool, may_update: bool = True, who: str = ""
    ) -> tuple[int, str]:
        row, list_id = msgspec.json.decode(await request.body()), self._audience(request).key
        with self._store.transaction():
            doc, _ = members.upsert(
                self._store, list_id, row, self._store.now(), operation=request.state.operation,
                may_create=may_create, may_update=may_update, who=who, is_lenient=_is_lenient(request),
            )
        return 200, doc.text

    async def _add(self, request: Request) -> tuple[int, str]:
        return await self._upsert(request, may_create=True, may_update=False)

    async def _patch(self, request: Request) -> tuple[int, str]:
        return await self._upsert(request, may_create=False, who=request.path_params["who"].lower())

    async def _put(self, request: Request) -> tuple[int, str]:
        return await self._upsert(request, may_create=True, who=request.path_params["who"].lower())

    async def _archive(self, request: Request) -> tuple[int, None]:
        with self._store.transaction():
            members.archive(
                self._store, self._found(request), self._store.now(), origin="api",
                operation=request.state.operation,
            )
        return 204, None

    async def _erase(self, request: Request) -> tuple[int, None]:
        doc, list_id = self._found(request), request.path_params["list_id"]
        with self._store.transaction():
            members.erase(self._store, list_id, doc, self._store.now(), operation=request.state.operation)
        return 204, None

    async def _batch(self, request: Request) -> tuple[int, str]:
        """Up to 500 members; what is refused is listed, the rest is done, and the answer is 200 all the same."""
        body, list_id = msgspec.json.decode(await request.body()), self._audience(request).key
        rows: list[Mapping[str, Any]] = body["members"]
        if not 0 < len(rows) <= MAX_BATCH:
            raise Refusal("Invalid Resource", f"a batch has 1 to {MAX_BATCH} members", field="members")
        done: dict[bool, list[str]] = {True: [], False: []}
        errors, seen = [], set()
        with self._store.transaction():
            for row in rows:
                email = str(row.get("email_address") or "")
                try:
                    if email.lower() in seen:
                        raise Refusal("Duplicate", "this address comes twice in the batch")
                    seen.add(email.lower())
                    doc, is_new = members.upsert(
                        self._store, list_id, row, self._store.now(), operation=request.state.operation,
                        may_update=bool(body.get("update_existing")), is_lenient=_is_lenient(request),
                    )
                    done[is_new].append(doc.text)
                except Refusal as refusal:
                    errors.append({
                        "email_address": email, "error": refusal.detail, "field": refusal.field,
                        "error_code": "ERROR_CONTACT_EXISTS" if refusal.exists else "ERROR_GENERIC",
                        "field_message": refusal.detail if refusal.field else "",
                    })
        return 200, (
            f'{{"new_members":[{",".join(done[True])}],"updated_members":[{",".join(done[False])}],'
            f'"errors":{msgspec.json.encode(errors).decode()},"total_created":{len(done[True])},'
            f'"total_updated":{len(done[False])},"error_count":{len(errors)},"_links":[]}}'
        )


def _is_lenient(request: Request) -> bool:
    return request.query_params.get("skip_merge_validation") == "true"


def _bounds(query: Mapping[str, str]) -> tuple[int, int]:
    count, offset = int(query.get("count", DEFAULT_COUNT)), int(query.get("offset", 0))
    if not 0 <= count <= MAX_COUNT or offset < 0:
        raise Refusal("Invalid Resource", f"count goes from 0 to {MAX_COUNT}", field="count")
    return count, offset


def _shown(docs: Iterable[Doc], fields: str, left_out: str, *, prefix: str = "members.") -> Iterable[str]:
    """Members with the fields asked for; stored text goes out as it is when all are."""
    wanted = {name.removeprefix(prefix) for name in fields.split(",") if name and name.startswith(prefix)}
    unwanted = {name.removeprefix(prefix) for name in left_out.split(",") if name and name.startswith(prefix)}
    for doc in docs:
        if not wanted and not unwanted:
            yield doc.text
            continue
        held = msgspec.json.decode(doc.text, type=dict[str, msgspec.Raw])
        kept = {name: raw for name, raw in held.items() if (not wanted or name in wanted) and name not in unwanted}
        yield msgspec.json.encode(kept).decode()
