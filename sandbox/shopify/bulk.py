"""Bulk operations: a query that runs in the background and ends in a JSONL file.

Jobs run in a thread, so that a million records do not stop the server; their outcome is stored by the event loop.
At most five at a time, as the vendor allows since 2026-01. Files live as long as the app.
"""

import asyncio
import hashlib
import shutil
import sqlite3
import tempfile
import weakref
from datetime import timedelta
from pathlib import Path
from typing import Any

from graphql import GraphQLError

from sandbox.shopify.documents import Document, moment
from sandbox.shopify.fields import bulk_status
from sandbox.shopify.graph import VENDOR, Call
from sandbox.shopify.projection import BulkQuery, read_bulk_query, write_lines
from sandbox.shopify.writing import Context
from sandbox.store import stamp

MAX_RUNNING = 5
GRACE_SECONDS = 2.0
"""How long the request that starts a job waits for it: small worlds are done before the first poll."""


class BulkJobs:
    """The jobs of one app and the folder of their files."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sandbox-shopify-"))
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: list[str] = []
        weakref.finalize(self, shutil.rmtree, self.folder, True)

    def is_full(self, call: Call) -> bool:
        """Whether as many jobs run as may."""
        shown = call.store.get_many(VENDOR, "bulk", self._open)
        self._open = [key for key, doc in shown.items() if bulk_status(call, doc.body) in ("CREATED", "RUNNING")]
        return len(self._open) >= MAX_RUNNING

    def start(self, call: Call, query: BulkQuery, text: str, *, grouped: bool) -> Document:
        """Begin one job; its document, as it stands."""
        key = f"gid://shopify/BulkOperation/{7_000_001 + call.store.count(VENDOR, 'bulk', '1 = 1')}"
        now = call.store.now()
        secret = hashlib.sha256(f"{call.settings.token}{key}".encode()).hexdigest()
        document = {
            "id": key, "status": "CREATED", "type": "QUERY", "errorCode": None, "createdAt": moment(now),
            "completedAt": None, "objectCount": "0", "rootObjectCount": "0", "fileSize": None, "query": text,
            "partialDataUrl": None, "_file": f"{secret[:32]}.jsonl",
            "_due": stamp(now + timedelta(seconds=call.settings.bulk_seconds)),
        }
        call.store.put(VENDOR, "bulk", key, document, updated_at=now)
        self._open.append(key)
        task = asyncio.get_running_loop().create_task(self._run(call, query, document, grouped))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return document

    async def settle(self) -> None:
        """Wait a moment for what runs."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)

    async def _run(self, call: Call, query: BulkQuery, document: Document, grouped: bool) -> None:
        path = self.folder / document["_file"]
        try:
            rows, roots = await asyncio.to_thread(write_lines, call, query, path, grouped=grouped)
        except (GraphQLError, sqlite3.Error):
            changes: dict[str, Any] = {"status": "FAILED", "errorCode": "INTERNAL_SERVER_ERROR"}
        else:
            changes = {
                "status": "COMPLETED", "objectCount": str(rows), "rootObjectCount": str(roots),
                "fileSize": str(path.stat().st_size),
            }
        kept = call.store.get(VENDOR, "bulk", document["id"])
        if kept is None or kept.body["status"] == "CANCELED":
            return
        now = call.store.now()
        call.store.put(
            VENDOR, "bulk", document["id"], {**kept.body, **changes, "completedAt": moment(now)}, updated_at=now
        )


def run_bulk_query(context: Context, key: str | None, args: Document) -> Document:
    """bulkOperationRunQuery."""
    call = context.call
    if context.bulk.is_full(call):
        return _refused("LIMIT_REACHED", "Bulk operations limit reached. Please try again later.")
    try:
        query = read_bulk_query(context.schema, args["query"])
    except GraphQLError as error:
        return _refused("INVALID", error.message)
    return {
        "bulkOperation": context.bulk.start(call, query, args["query"], grouped=args["groupObjects"]),
        "userErrors": [],
    }


def _refused(code: str, message: str) -> Document:
    return {"bulkOperation": None, "userErrors": [{"code": code, "field": ["query"], "message": message}]}


def cancel_bulk(context: Context, key: str | None, args: Document) -> Document:
    """bulkOperationCancel."""
    store = context.call.store
    doc = store.get(VENDOR, "bulk", args["id"])
    if doc is None:
        return {"bulkOperation": None, "userErrors": [{"field": ["id"], "message": "Bulk operation does not exist"}]}
    if bulk_status(context.call, doc.body) not in ("CREATED", "RUNNING"):
        message = "A bulk operation cannot be canceled when it is completed"
        return {"bulkOperation": doc.body, "userErrors": [{"field": None, "message": message}]}
    body = {**doc.body, "status": "CANCELED"}
    store.put(VENDOR, "bulk", doc.key, body, updated_at=store.now())
    return {"bulkOperation": body, "userErrors": []}
