"""What Square's endpoints share on the wire: the error model, cursors bound to their query, pages of stored text.

Knows no entity. A page is joined from the stored JSON texts; nothing here parses a stored document.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from sandbox.store import Doc, Store

NAME = "square"
Body = dict[str, Any]


class Refusal(Exception):
    """One error in Square's model: status, category, code, detail, field."""

    def __init__(
        self, status: int, code: str, detail: str, *, field: str = "", category: str = "INVALID_REQUEST_ERROR",
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.retry_after = status, retry_after
        self.error = {"category": category, "code": code, "detail": detail, **({"field": field} if field else {})}


def encode(value: Any) -> str:
    """JSON text, compact."""
    return msgspec.json.encode(value).decode()


def decode(text: str) -> Any:
    """A stored document, parsed."""
    return msgspec.json.decode(text)


def reply(cursor: str | None = None, **parts: str) -> str:
    """An answer from JSON texts by name; Square leaves out a cursor at the end and empty lists."""
    fields = [f'"{name}":{text}' for name, text in parts.items() if text not in ("[]", "")]
    if cursor:
        fields.append(f'"cursor":"{cursor}"')
    return "{" + ",".join(fields) + "}"


def join(texts: Iterable[str]) -> str:
    """A JSON array of stored texts."""
    return "[" + ",".join(texts) + "]"


def _query_print(operation: str, query: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in sorted(query.items()) if name not in ("cursor", "limit")}
    return hashlib.sha256(msgspec.json.encode([operation, rest])).hexdigest()[:12]


def cursor_for(operation: str, query: Mapping[str, Any], position: str) -> str:
    """An opaque cursor that only the same query may use."""
    return base64.urlsafe_b64encode(f"{_query_print(operation, query)}:{position}".encode()).decode()


def position_of(operation: str, query: Mapping[str, Any]) -> str:
    """Where the query's cursor points; '' at the start. Refuses a foreign or garbled cursor."""
    cursor = query.get("cursor")
    if not cursor:
        return ""
    try:
        mark, _, position = base64.urlsafe_b64decode(str(cursor)).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refusal(400, "INVALID_CURSOR", "The cursor cannot be read.", field="cursor") from error
    if mark != _query_print(operation, query):
        raise Refusal(400, "INVALID_CURSOR", "The cursor belongs to another query.", field="cursor")
    return position


def limit_of(query: Mapping[str, Any], *, default: int, maximum: int) -> int:
    """The page size asked for; refuses what the endpoint refuses."""
    value = query.get("limit", default)
    try:
        limit = int(value)
    except (TypeError, ValueError) as error:
        raise Refusal(400, "EXPECTED_INTEGER", "Expected an integer.", field="limit") from error
    if limit < 1:
        raise Refusal(400, "VALUE_TOO_LOW", "The limit must be at least 1.", field="limit")
    if limit > maximum:
        raise Refusal(400, "VALUE_TOO_HIGH", f"The limit must be at most {maximum}.", field="limit")
    return limit


def items_of(body: Body, name: str, *, maximum: int) -> list[Any]:
    """A list of the body with 1 to `maximum` entries."""
    value = body.get(name)
    if not isinstance(value, list):
        raise Refusal(400, "EXPECTED_ARRAY", f"Field must be an array: {name}", field=name)
    if not value:
        raise Refusal(400, "ARRAY_EMPTY", f"Field must not be empty: {name}", field=name)
    if len(value) > maximum:
        raise Refusal(400, "ARRAY_LENGTH_TOO_LONG", f"At most {maximum}: {name}", field=name)
    return value


def seq_page(
    store: Store, kind: str, operation: str, query: Mapping[str, Any], limit: int, where: str, args: list[Any],
    *, with_deleted: bool = False, tail: str = "",
) -> tuple[list[Doc], str | None]:
    """A page in order of first insertion, which never moves: (documents, next cursor). The cursor carries `tail`."""
    after = int(position_of(operation, query).partition("/")[0] or 0)
    docs = store.page(
        NAME, kind, after_seq=after, limit=limit + 1, where=where, args=args, with_deleted=with_deleted
    )
    more = len(docs) > limit
    docs = docs[:limit]
    return docs, cursor_for(operation, query, f"{docs[-1].seq}/{tail}") if more else None


def keyed_page(
    store: Store, kind: str, operation: str, query: Mapping[str, Any], limit: int, where: list[str], args: list[Any],
    *, column: str, descending: bool, mark: Callable[[Doc], str],
) -> tuple[list[Doc], str | None]:
    """A page sorted by a column (then insertion), as endpoints with a documented order give it."""
    position = position_of(operation, query)
    beyond, direction = ("<", "DESC") if descending else (">", "ASC")
    last, _, seq = position.rpartition("/")
    # Two queries, since SQLite walks all equal values of a row comparison: a seeded world has one stamp for all.
    steps: list[tuple[str, list[Any]]] = [("1 = 1", [])]
    if position:
        steps = [(f"{column} = ? AND seq {beyond} ?", [last, int(seq)]), (f"{column} {beyond} ?", [last])]
    docs: list[Doc] = []
    for step, bound in steps:
        if len(docs) <= limit:
            docs += store.select(
                NAME, kind, where=" AND ".join([step, *where, "deleted = 0"]), args=[*bound, *args],
                order=f"{column} {direction}, seq {direction}", limit=limit + 1 - len(docs),
            )
    more = len(docs) > limit
    docs = docs[:limit]
    return docs, cursor_for(operation, query, f"{mark(docs[-1])}/{docs[-1].seq}") if more else None
