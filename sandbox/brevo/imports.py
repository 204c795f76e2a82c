"""Imports: work that goes on after its answer, and of which no row is ever told what became of it.

An import makes who is not there, and puts everybody, new or not, into the lists that it must name: what is meant as a
correction would subscribe people. Rows without an address that can be one, and attributes that are not there, are
passed over. Who was blacklisted stays so.
"""

from datetime import datetime, timedelta
from typing import Any

from sandbox.brevo.contacts import Refusal, by_email, create, update
from sandbox.brevo.documents import VENDOR
from sandbox.store import Store, stamp

MAX_BYTES = 10 * 1024 * 1024


def accept(store: Store, body: dict[str, Any], size: int, at: datetime, seconds: float) -> int:
    """Queue an import; the id of its process."""
    if size > MAX_BYTES:
        raise Refusal("invalid_parameter", "the body is over 10 MB")
    if not body.get("jsonBody") and not body.get("fileBody"):
        raise Refusal("missing_parameter", "fileUrl, fileBody or jsonBody is missing")
    if not body.get("listIds"):
        raise Refusal("missing_parameter", "listIds or newList is missing")
    number = store.count(VENDOR, "processes", "1 = 1") + 1
    due = stamp(at + timedelta(seconds=seconds))
    held = {"id": number, "name": "IMPORTUSER", "status": "queued", "due": due, "body": body}
    store.put(VENDOR, "processes", str(number), held, updated_at=at)
    return number


def run_due(store: Store, at: datetime, *, per_list: bool) -> None:
    """Do what is due by now, in the order in which it came."""
    for doc in store.select(VENDOR, "processes", where="json_extract(doc, '$.status') = 'queued'"):
        if doc.body["due"] <= stamp(at):
            with store.transaction():
                for row in _rows(doc.body["body"]):
                    _one(store, row, doc.body["body"], at, per_list=per_list)
                done = {**doc.body, "status": "completed"}
                store.put(VENDOR, "processes", doc.key, done, updated_at=at)


def _rows(body: dict[str, Any]) -> list[dict[str, Any]]:
    if body.get("jsonBody"):
        return list(body["jsonBody"])
    header, *lines = str(body["fileBody"]).splitlines()
    names = header.split(";")
    rows = [dict(zip(names, line.split(";"), strict=False)) for line in lines]
    return [{"email": row.pop("EMAIL", ""), "attributes": row} for row in rows]


def _one(store: Store, row: dict[str, Any], body: dict[str, Any], at: datetime, *, per_list: bool) -> None:
    empties = body.get("emptyContactsAttributes", False)
    attributes = {name: v for name, v in (row.get("attributes") or {}).items() if v not in (None, "") or empties}
    wanted = {"email": row.get("email"), "attributes": attributes, "listIds": body["listIds"]}
    if body.get("emailBlacklist"):
        wanted["emailBlacklisted"] = True
    held = by_email(store, str(row.get("email") or ""))
    try:
        if held is None:
            create(store, wanted, at, per_list=per_list, operation="import")
        elif body.get("updateExistingContacts", True):
            update(store, held, wanted, at, operation="import")
    except Refusal:
        # What an import cannot take it leaves out, and nobody is told.
        store.called(VENDOR, "import row", 400)


def shown(body: dict[str, Any]) -> dict[str, Any]:
    """A process as the API shows it."""
    return {name: body[name] for name in ("id", "name", "status")}
