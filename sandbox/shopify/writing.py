"""How the API changes a record: stamps, the log of effects, and user errors. Shared by the mutations.

Knows no mutation and no rule of one.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLSchema

from sandbox.shopify.documents import Document, moment
from sandbox.shopify.graph import VENDOR, Call
from sandbox.store import Doc

if TYPE_CHECKING:
    from sandbox.shopify.bulk import BulkJobs

Change = tuple[str, Any, Any]
"""(field, before, after)."""


@dataclass(slots=True)
class Context:
    """What resolvers and mutations get with a request."""

    call: Call
    bulk: "BulkJobs"
    schema: GraphQLSchema


def living(call: Call, table: str, key: str) -> Doc | None:
    """A record that is not deleted."""
    doc = call.store.get(VENDOR, table, key)
    return None if doc is None or doc.deleted else doc


def save(call: Call, table: str, doc: Doc, body: Document, *, lookup: str | None = None) -> Document:
    """Store a changed record with a new stamp. The old stamp is kept for the search index, which lags."""
    now = call.store.now().replace(microsecond=0)
    body = {**body, "updatedAt": moment(now), "_was": doc.updated_at}
    call.store.put(
        VENDOR, table, doc.key, body, updated_at=now, parent=doc.parent,
        lookup=doc.lookup if lookup is None else lookup,
    )
    return body


def effect(
    call: Call, kind: str, key: str, changes: list[Change], *, operation: str, idempotency_key: str = ""
) -> bool:
    """Log what really changed; whether anything did."""
    real = [(name, before, after) for name, before, after in changes if before != after]
    for name, before, after in real:
        call.store.effect(
            VENDOR, kind, key, name, before, after, origin="api", operation=operation,
            idempotency_key=idempotency_key,
        )
    return bool(real)


def user_error(message: str, *path: str | int, code: str | None = None) -> Document:
    """One entry of `userErrors`."""
    error: Document = {"field": [str(step) for step in path] or None, "message": message}
    return {**error, "code": code} if code else error
