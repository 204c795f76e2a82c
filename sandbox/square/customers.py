"""Square's customer endpoints: list, search (with its lag), bulk-retrieve, bulk-update.

Kept strictly: both sort by name unless asked for the order of creation; search shows a changed profile as it was until
the index has caught up, reads by id never lag;
`preferences` cannot be written; an update checks the version and answers per profile; an address is replaced whole.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from sandbox.square import wire
from sandbox.square.wire import NAME, Body, Refusal
from sandbox.store import Doc, Store, parse_stamp, stamp

LIMIT, BULK_LIMIT = 100, 100
_LENGTHS = {
    "given_name": 300, "family_name": 300, "company_name": 500, "nickname": 100, "email_address": 254,
    "reference_id": 100, "phone_number": 50, "note": 4096, "birthday": 10,
}
_FIELDS = {
    "given_name": "first_name", "family_name": "last_name", "phone_number": "phone", "email_address": "email",
    "reference_id": "card", "birthday": "birth_date",
}
_ADDRESS = {"address_line_1": "street", "locality": "city", "postal_code": "postcode", "country": "country"}
_NAME_COLUMN = (
    "coalesce(nullif(coalesce(json_extract(doc, '$.given_name'), '') || coalesce(json_extract(doc, '$.family_name'), "
    "''), ''), json_extract(doc, '$.email_address'), json_extract(doc, '$.phone_number'), '')"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE = re.compile(r"\+?[0-9]{9,16}")


def list_customers(store: Store, query: Body) -> str:
    """GET /v2/customers."""
    limit = wire.limit_of(query, default=LIMIT, maximum=LIMIT)
    count = ""
    if query.get("count") == "true" and query.get("sort_field") != "CREATED_AT":
        count = str(store.count(NAME, "customers"))
    elif query.get("count") == "true":
        # Counted once, on the first page: counting a million profiles for each hundred would take hours.
        count = wire.position_of("ListCustomers", query).partition("/")[2] or str(store.count(NAME, "customers"))
    docs, cursor = _page(store, "ListCustomers", query, query, "sort_field", limit, [], [], count)
    return wire.reply(cursor, customers=wire.join(doc.text for doc in docs), count=count)


def search(store: Store, body: Body, lag_seconds: float) -> str:
    """POST /v2/customers/search, by time of change."""
    limit = wire.limit_of(body, default=LIMIT, maximum=LIMIT)
    criteria = (body.get("query") or {}).get("filter") or {}
    if set(criteria) - {"updated_at"}:
        raise Refusal(501, "NOT_IMPLEMENTED", "Only the filter updated_at is played.", field="query.filter")
    start, end = (_moment(criteria.get("updated_at") or {}, side) for side in ("start_at", "end_at"))
    line = stamp(store.now() - timedelta(seconds=lag_seconds)) if lag_seconds else ""
    where, args = ["updated_at >= ?"], [start]
    if end:
        where.append("(updated_at < ? OR updated_at > ?)" if line else "updated_at < ?")
        args += [end, line] if line else [end]
    sort = (body.get("query") or {}).get("sort") or {}
    docs, cursor = _page(store, "SearchCustomers", body, sort, "field", limit, where, args, "")
    return wire.reply(cursor, customers=wire.join(_as_indexed(store, docs, line, start, end)))


def _page(
    store: Store, operation: str, query: Body, sort: Body, field: str, limit: int, where: list[str], args: list[Any],
    count: str,
) -> tuple[list[Doc], str | None]:
    """A page in the order asked for: of creation, which stands, or of names, in which who is renamed moves."""
    order = sort.get(field) or "DEFAULT"
    if order == "CREATED_AT":
        return wire.seq_page(store, "customers", operation, query, limit, " AND ".join(where), args, tail=count)
    if order != "DEFAULT":
        raise Refusal(400, "INVALID_ENUM_VALUE", "DEFAULT or CREATED_AT.", field=field)
    return wire.keyed_page(
        store, "customers", operation, query, limit, where, args, column=_NAME_COLUMN, descending=False, mark=_name
    )


def _name(doc: Doc) -> str:
    body = doc.body
    full = f"{body.get('given_name') or ''}{body.get('family_name') or ''}"
    return full or str(body.get("email_address") or body.get("phone_number") or "")


def _moment(span: dict[str, Any], side: str) -> str:
    try:
        return stamp(parse_stamp(span[side])) if span.get(side) else ""
    except (TypeError, ValueError) as error:
        raise Refusal(400, "INVALID_TIME", "Not an RFC 3339 time.", field=f"updated_at.{side}") from error


def _as_indexed(store: Store, docs: list[Doc], line: str, start: str, end: str) -> list[str]:
    """Texts as the index has them: what changed after `line` as it was before, or not at all."""
    fresh = [doc.key for doc in docs if line and doc.updated_at > line]
    shown = store.get_many(NAME, "customers_shown", fresh) if fresh else {}
    texts = []
    for doc in docs:
        if doc.key not in fresh:
            texts.append(doc.text)
            continue
        before = shown.get(doc.key)
        if before and start <= before.updated_at and (not end or before.updated_at < end):
            texts.append(before.text)
    return texts


def keep_shown(store: Store, doc: Doc, now: datetime, *, lag_seconds: float = 120) -> None:
    """Keep the state that the index shows, before it changes; a state that never got there is not kept."""
    if doc.updated_at <= stamp(now - timedelta(seconds=lag_seconds)):
        store.put(NAME, "customers_shown", doc.key, doc.text, updated_at=doc.updated_at)


def retrieve(store: Store, body: Body) -> str:
    """POST /v2/customers/bulk-retrieve: a result per id."""
    keys = [str(key) for key in wire.items_of(body, "customer_ids", maximum=BULK_LIMIT)]
    docs = store.get_many(NAME, "customers", keys)
    parts = []
    for key in dict.fromkeys(keys):
        doc = docs.get(key)
        found = f'{{"customer":{doc.text}}}' if doc and not doc.deleted else wire.encode({"errors": [gone(key)]})
        parts.append(f"{wire.encode(key)}:{found}")
    return wire.reply(responses="{" + ",".join(parts) + "}")


def gone(key: str) -> dict[str, str]:
    """The error for a profile that is not there."""
    return Refusal(404, "NOT_FOUND", f"Customer with ID `{key}` not found.", field="customer_id").error


def update(store: Store, body: Body, operation: str, lag_seconds: float) -> str:
    """POST /v2/customers/bulk-update: a result per id; the bad ones do not stop the others."""
    sent = body.get("customers")
    if not isinstance(sent, dict) or not sent:
        raise Refusal(400, "EXPECTED_MAP", "Expected a map of customers.", field="customers")
    if len(sent) > BULK_LIMIT:
        raise Refusal(400, "TOO_MANY_MAP_ENTRIES", f"At most {BULK_LIMIT} customers.", field="customers")
    docs = store.get_many(NAME, "customers", sent)
    responses: dict[str, Any] = {}
    with store.transaction():
        for key, changes in sent.items():
            try:
                responses[key] = {"customer": _update_one(store, docs.get(key), key, changes, operation, lag_seconds)}
            except Refusal as refusal:
                responses[key] = {"errors": [refusal.error]}
    return wire.reply(responses=wire.encode(responses))


def _update_one(
    store: Store, doc: Doc | None, key: str, changes: Any, operation: str, lag_seconds: float
) -> dict[str, Any]:
    if doc is None or doc.deleted:
        raise Refusal(404, "NOT_FOUND", f"Customer with ID `{key}` not found.", field="customer_id")
    before = doc.body
    check(changes)
    if changes.get("version") not in (None, before["version"]):
        raise Refusal(409, "CONFLICT", "The version does not match the current one.", field="version")
    now = store.now()
    fields = {name: value for name, value in changes.items() if name != "version"}
    if fields.get("address"):
        fields["address"] = {name: value for name, value in fields["address"].items() if value is not None} or None
    after = {name: value for name, value in {**before, **fields}.items() if value is not None}
    after |= {"updated_at": stamp(now), "version": before["version"] + 1}
    keep_shown(store, doc, now, lag_seconds=lag_seconds)
    note(store, before, after, origin="api", operation=operation)
    store.put(
        NAME, "customers", key, wire.encode(after), updated_at=now, lookup=(after.get("email_address") or "").lower()
    )
    return after


def check(changes: Any) -> None:
    """Refusal for what no profile may hold."""
    if not isinstance(changes, dict) or not set(changes) - {"version"}:
        raise Refusal(400, "NO_FIELDS_SET", "No fields to change.")
    for name, value in changes.items():
        if name not in (*_LENGTHS, "address", "version", "tax_ids"):
            raise Refusal(400, "UNKNOWN_BODY_PARAMETER", "Not a field that can be written.", field=name)
        if name in _LENGTHS and value is not None:
            if not isinstance(value, str):
                raise Refusal(400, "EXPECTED_STRING", "Expected a string.", field=name)
            if len(value) > _LENGTHS[name]:
                raise Refusal(400, "VALUE_TOO_LONG", f"At most {_LENGTHS[name]} characters.", field=name)
    email, phone = changes.get("email_address"), changes.get("phone_number")
    if email and not _EMAIL.fullmatch(email):
        raise Refusal(400, "INVALID_EMAIL_ADDRESS", "Not an e-mail address.", field="email_address")
    if phone and not _PHONE.fullmatch(re.sub(r"[\s().-]", "", phone)):
        raise Refusal(400, "INVALID_PHONE_NUMBER", "Expected 9 to 16 digits.", field="phone_number")


def note(store: Store, before: Body, after: Body, *, origin: str, operation: str = "") -> None:
    """Log each value that differs between two states of a profile."""
    key = after["id"]

    def log(kind: str, field: str, was: Any, now: Any) -> None:
        if was != now:
            store.effect(NAME, kind, key, field, was, now, origin=origin, operation=operation)

    for name, field in _FIELDS.items():
        log("customers", field, before.get(name), after.get(name))
    old, new = before.get("address") or {}, after.get("address") or {}
    for name, field in _ADDRESS.items():
        log("customers", field, old.get(name), new.get(name))
    states = [(side.get("preferences") or {}).get("email_unsubscribed") for side in (before, after)]
    log("consents", "state", *({True: "no", False: "yes"}.get(state) for state in states))
