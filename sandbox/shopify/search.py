"""Shopify's search syntax, as far as the sandbox serves it, as SQL over the columns of a store table.

Served: `updated_at` with any comparator, and ids by equality, joined by AND (or a space) or by OR, never mixed.
Anything else is refused, where the vendor would ignore it with a warning: a filter that silently does nothing is
worse. A changed record is found by its old stamp until the search lag has passed.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from graphql import GraphQLError

from sandbox.store import parse_stamp, stamp

_TERM = re.compile(
    r"""(?P<name>\w+):(?P<op><=|>=|<|>)?(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>[^\s'"]+))"""
)
_CONNECTIVES = {"AND", "OR", ""}

ID_COLUMNS = {
    "inventory_item_id": ("lookup", "InventoryItem"),
    "variant_id": ("lookup", "ProductVariant"),
    "product_id": ("parent", "Product"),
}
"""Which column holds the record that a filter names. Each is offered on one connection alone."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition over the store's columns, with its arguments; "" is no condition."""

    where: str = ""
    args: tuple[str, ...] = ()


def read_query(text: str | None, allowed: frozenset[str], *, now: datetime, lag_seconds: float) -> Filter:
    """The condition that a `query:` argument means. GraphQLError for what is not served."""
    if not text or not text.strip():
        return Filter()
    terms = list(_TERM.finditer(text))
    connectives = {word.upper() for word in _TERM.sub(" ", text).split()}
    if not terms or not connectives <= _CONNECTIVES or len(connectives) > 1:
        raise GraphQLError(f"Search query not served by the sandbox: {text}")
    parts, args = [], []
    for term in terms:
        name, value = term["name"], term["single"] or term["double"] or term["bare"] or ""
        if name not in allowed:
            raise GraphQLError(f"Invalid search field for this query: {name}")
        if name == "updated_at":
            part, values = _updated(term["op"] or "=", value, now, lag_seconds)
        else:
            column, kind = ID_COLUMNS[name]
            part, values = f"{column} = ?", (f"gid://shopify/{kind}/{value.rpartition('/')[2]}",)
        parts.append(part)
        args.extend(values)
    return Filter(f"({(' OR ' if 'OR' in connectives else ' AND ').join(parts)})", tuple(args))


def _updated(op: str, value: str, now: datetime, lag_seconds: float) -> tuple[str, tuple[str, ...]]:
    try:
        at = stamp(parse_stamp(value))
    except ValueError as error:
        raise GraphQLError(f"Invalid timestamp in search: {value}") from error
    if not lag_seconds:
        return f"updated_at {op} ?", (at,)
    horizon = stamp(now - timedelta(seconds=lag_seconds))
    return (
        f"((updated_at <= ? AND updated_at {op} ?) OR (updated_at > ? AND json_extract(doc, '$._was') {op} ?))",
        (horizon, at, horizon, at),
    )
