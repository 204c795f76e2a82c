"""The HTTP face: one GraphQL endpoint with token, cost and throttle, and the files of bulk operations.

A request goes: credential, parse and validate against the subset, price, bucket, execution, cost of the answer.
Errors keep HTTP 200, as the vendor's do.
"""

import re
import uuid
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sandbox.shopify.bulk import BulkJobs
from sandbox.shopify.cost import MAX_COST, POINTS_PER_SECOND, Bucket, Pricer
from sandbox.shopify.graph import VENDOR, Call
from sandbox.shopify.schema import shopify_schema
from sandbox.shopify.writing import Context
from sandbox.store import Store
from sandbox.vendor import Settings

VERSION = "2026-07"
_LIMITS = "https://shopify.dev/api/usage/rate-limits"
_ABOUT_BULK = frozenset({"bulkOperationRunQuery", "bulkOperation", "currentBulkOperation", "node"})


_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_CHUNK = 256 * 1024


async def _bytes(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    """A part of a file. Read here and not in a thread: a file of the server's own waits for nobody."""
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(_CHUNK, end - start))):
            start += len(chunk)
            yield chunk


class _Refused(Exception):
    def __init__(self, errors: list[GraphQLError], extensions: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.errors, self.extensions = errors, extensions


@lru_cache(maxsize=512)
def _read(query: str) -> DocumentNode:
    document = parse(query)
    if errors := validate(shopify_schema(), document):
        raise _Refused(errors)
    return document


class ShopifyApp:
    """One shop's API over one store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._bulk, self._calls = BulkJobs(), 0
        self._bucket = Bucket(POINTS_PER_SECOND[settings.plan], store.now())
        self.asgi = Starlette(routes=[
            Route(f"/admin/api/{VERSION}/graphql.json", self.graphql, methods=["POST"]),
            Route("/bulk/{name}", self.file, methods=["GET"]),
        ])

    async def file(self, request: Request) -> Response:
        """A bulk operation's result; ranges are served. The unguessable name is the permission."""
        path = self._bulk.folder / request.path_params["name"]
        if path.parent != self._bulk.folder or not path.is_file():
            return Response("not found", status_code=404)
        size, wanted = path.stat().st_size, _RANGE.fullmatch(request.headers.get("range", ""))
        if not wanted:
            headers = {"content-length": str(size), "accept-ranges": "bytes"}
            return StreamingResponse(_bytes(path, 0, size), 200, headers, "application/jsonl")
        start, end = int(wanted[1]), min(int(wanted[2] or size), size - 1)
        if start > end:
            return Response("range not satisfiable", 416, {"content-range": f"bytes */{size}"})
        headers = {"content-length": str(end + 1 - start), "content-range": f"bytes {start}-{end}/{size}"}
        return StreamingResponse(_bytes(path, start, end + 1), 206, headers, "application/jsonl")

    async def graphql(self, request: Request) -> Response:
        """One GraphQL request."""
        answer, status, operation = await self._answer(request)
        self._store.called(VENDOR, operation, status)
        self._calls += 1
        headers = {"x-request-id": str(uuid.UUID(int=self._calls)), "x-shopify-api-version": VERSION}
        return Response(msgspec.json.encode(answer), status, headers, "application/json; charset=utf-8")

    async def _answer(self, request: Request) -> tuple[dict[str, Any], int, str]:
        if VENDOR in self._settings.is_down:
            return {"errors": "Service Unavailable"}, 503, "graphql"
        token = request.headers.get("x-shopify-access-token")
        if VENDOR in self._settings.refuses or token != self._settings.token:
            message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return {"errors": message}, 401, "graphql"
        try:
            given = msgspec.json.decode(await request.body())
            query, variables = given["query"], given.get("variables") or {}
        except (msgspec.DecodeError, TypeError, KeyError):
            return {"errors": {"query": "Required parameter missing or invalid"}}, 400, "graphql"
        try:
            document = _read(query)
            operation = get_operation_ast(document, given.get("operationName"))
            if operation is None:
                raise _Refused([GraphQLError("An operation name is required")])
            answer = self._execute(request, document, operation, variables)
        except _Refused as refused:
            answer = {"errors": [error.formatted for error in refused.errors]}
            return answer | ({"extensions": refused.extensions} if refused.extensions else {}), 200, "refused"
        except GraphQLError as error:
            return {"errors": [error.formatted]}, 200, "refused"
        name = _name(operation)
        if name in _ABOUT_BULK:
            await self._bulk.settle()
        return answer, 200, name

    def _execute(
        self, request: Request, document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, Any]
    ) -> dict[str, Any]:
        schema = shopify_schema()
        coerced = get_variable_values(schema, operation.variable_definitions or (), variables)
        if isinstance(coerced, list):
            raise _Refused(coerced)
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        pricer = Pricer(schema, fragments, coerced)
        requested = pricer.price(operation)
        self._charge(requested)
        base_url = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
        call = Call(self._store, self._settings, base_url)
        context = Context(call, self._bulk, schema)

        def run() -> Any:
            return execute_sync(
                schema, document, context_value=context, variable_values=variables,
                operation_name=operation.name.value if operation.name else None,
            )

        if operation.operation is OperationType.MUTATION:
            with self._store.transaction():
                result = run()
        else:
            result = run()
        actual = min(requested, pricer.price(operation, result.data or {}))
        self._bucket.spend(actual - requested, self._store.now())
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [error.formatted for error in result.errors]
        return answer | {"extensions": self._cost(requested, actual)}

    def _charge(self, requested: int) -> None:
        if requested > MAX_COST:
            raise _Refused([GraphQLError(
                f"Query cost is {requested}, which exceeds the single query max cost limit ({MAX_COST}).\n\n"
                f"See {_LIMITS} for more information on how the\ncost of a query is calculated.",
                extensions={"code": "MAX_COST_EXCEEDED", "cost": requested, "maxCost": MAX_COST,
                            "documentation": _LIMITS},
            )])
        if not self._bucket.spend(requested, self._store.now()):
            error = GraphQLError("Throttled", extensions={"code": "THROTTLED", "documentation": _LIMITS})
            raise _Refused([error], self._cost(requested, None))

    def _cost(self, requested: int, actual: int | None) -> dict[str, Any]:
        return {"cost": {
            "requestedQueryCost": requested, "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": float(self._bucket.capacity),
                "currentlyAvailable": int(self._bucket.available(self._store.now())),
                "restoreRate": float(self._bucket.rate),
            },
        }}


def _name(operation: OperationDefinitionNode) -> str:
    """The operation as the call log knows it: its root fields, without their repetitions under aliases."""
    names = (getattr(field, "name", None) for field in operation.selection_set.selections)
    return ",".join(dict.fromkeys(name.value for name in names if name is not None))
