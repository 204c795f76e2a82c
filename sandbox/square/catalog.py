"""Square's catalogue endpoints: list, search, batch-retrieve, batch-upsert.

Kept strictly: `begin_time` is exclusive; deleted objects show only on request; an upsert replaces the whole object
(what is left out is gone) and checks its version; each batch is all or nothing. The lock that lets one catalogue
write through at a time is in `app`. Not kept: catalogue queries and history (`catalog_version`).
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sandbox.square import objects, wire
from sandbox.square.objects import Object
from sandbox.square.wire import NAME, Body, Refusal
from sandbox.store import Doc, Store, parse_stamp, stamp

DEFAULT_TYPES = ("ITEM", "CATEGORY", "TAX", "DISCOUNT", "PRICING_RULE", "PRODUCT_SET")
TYPES = (*DEFAULT_TYPES, "ITEM_VARIATION")
LIST_LIMIT, SEARCH_LIMIT, RETRIEVE_LIMIT = 100, 1000, 1000
BATCH_OBJECTS, CALL_OBJECTS = 1000, 10_000
_CURRENCIES = {"EUR", "CHF", "JPY", "USD", "GBP"}


def list_catalog(store: Store, query: Body) -> str:
    """GET /v2/catalog/list: 100 a page, living objects of the types asked for."""
    wanted = [t for t in str(query.get("types") or "").split(",") if t] or list(DEFAULT_TYPES)
    return _page(store, "ListCatalog", query, LIST_LIMIT, wanted, "", False)


def search(store: Store, body: Body) -> str:
    """POST /v2/catalog/search: by type and time of change. A silly limit is ignored, as Square says."""
    limit = body.get("limit")
    limit = limit if isinstance(limit, int) and 0 < limit <= SEARCH_LIMIT else SEARCH_LIMIT
    if body.get("query"):
        raise Refusal(501, "NOT_IMPLEMENTED", "Catalogue queries are not played.", field="query")
    begin = body.get("begin_time")
    try:
        after = stamp(parse_stamp(begin)) if begin else ""
    except (TypeError, ValueError) as error:
        raise Refusal(400, "INVALID_TIME", "Not an RFC 3339 time.", field="begin_time") from error
    wanted = body.get("object_types") or list(DEFAULT_TYPES)
    deleted = bool(body.get("include_deleted_objects"))
    return _page(store, "SearchCatalogObjects", body, limit, wanted, after, deleted)


def _page(
    store: Store, operation: str, query: Body, limit: int, wanted: Iterable[str], after: str, deleted: bool
) -> str:
    unknown = [name for name in wanted if name not in TYPES]
    if unknown:
        raise Refusal(400, "INVALID_ENUM_VALUE", f"Not a catalogue type here: {unknown[0]}", field="object_types")
    types = list(wanted)
    # "+" keeps SQLite off the index by type, which would sort the whole catalogue anew for each page.
    where = f"+lookup IN ({','.join('?' * len(types))})" + (" AND updated_at > ?" if after else "")
    args = [*types, *([after] if after else [])]
    docs, cursor = wire.seq_page(store, "catalog", operation, query, limit, where, args, with_deleted=deleted)
    return wire.reply(cursor, objects=wire.join(_shown(store, docs)))


def retrieve(store: Store, body: Body) -> str:
    """POST /v2/catalog/batch-retrieve: what there is of the ids asked for; the missing are left out."""
    keys = wire.items_of(body, "object_ids", maximum=RETRIEVE_LIMIT)
    docs = store.get_many(NAME, "catalog", [str(key) for key in keys])
    deleted = bool(body.get("include_deleted_objects"))
    found = [docs[key] for key in dict.fromkeys(map(str, keys)) if key in docs]
    return wire.reply(objects=wire.join(_shown(store, [d for d in found if deleted or not d.deleted])))


def _shown(store: Store, docs: list[Doc]) -> list[str]:
    """Texts as served: an item carries its variations, spliced into the end of its data block."""
    items = [doc.key for doc in docs if doc.lookup == "ITEM"]
    if not items:
        return [doc.text for doc in docs]
    children: dict[str, list[str]] = defaultdict(list)
    marks = ",".join("?" * len(items))
    for child in store.select(NAME, "catalog", where=f"parent IN ({marks}) AND deleted = 0", args=items):
        children[child.parent].append(child.text)
    return [
        f'{doc.text[:-2]},"variations":{wire.join(children[doc.key])}}}}}' if children.get(doc.key) else doc.text
        for doc in docs
    ]


def upsert(store: Store, body: Body, operation: str, key: str) -> str:
    """POST /v2/catalog/batch-upsert: replaces or creates objects, batch by batch."""
    batches = wire.items_of(body, "batches", maximum=CALL_OBJECTS)
    sizes = [len(wire.items_of(batch, "objects", maximum=BATCH_OBJECTS)) for batch in batches]
    if sum(sizes) > CALL_OBJECTS:
        raise Refusal(400, "ARRAY_LENGTH_TOO_LONG", f"At most {CALL_OBJECTS} objects.", field="batches")
    written: list[Object] = []
    mappings: dict[str, str] = {}
    refusals: list[Refusal] = []
    for batch in batches:
        try:
            with store.transaction():
                done, ids = _write(store, batch["objects"], operation, key)
        except Refusal as refusal:
            refusals.append(refusal)
        else:
            written += done
            mappings |= ids
    if refusals and not written:
        raise refusals[0]
    return wire.reply(
        errors=wire.encode([refusal.error for refusal in refusals]), objects=wire.encode(written),
        updated_at=wire.encode(stamp(store.now())),
        id_mappings=wire.encode([{"client_object_id": c, "object_id": o} for c, o in mappings.items()]),
    )


def _write(
    store: Store, sent: list[Any], operation: str, key: str
) -> tuple[list[Object], dict[str, str]]:
    flat = [one for each in sent for one in _flatten(each)]
    old = {k: d.body for k, d in store.get_many(NAME, "catalog", [o["id"] for o in flat]).items() if not d.deleted}
    ids = {o["id"]: _new_id(store, o, number) for number, o in enumerate(flat) if o["id"].startswith("#")}
    now, written = store.now(), []
    for each in flat:
        before = old.get(each["id"])
        _check(store, each, before)
        block = f"{each['type'].lower()}_data"
        data = {k: ids.get(v, v) if isinstance(v, str) else v for k, v in (each.get(block) or {}).items()}
        frame = {k: v for k, v in each.items() if k != block}
        done = {
            **frame, "id": ids.get(each["id"], each["id"]), "is_deleted": False, "updated_at": stamp(now),
            "version": objects.next_version(now, before), block: data,
        }
        done.setdefault("present_at_all_locations", True)
        done[block] = done.pop(block)
        objects.note(store, before or {}, done, origin="api", operation=operation, key=key)
        written.append(done)
    objects.put_objects(store, written, now)
    for item in sent:
        kept = [ids.get(v["id"], v["id"]) for v in (item.get("item_data") or {}).get("variations") or []]
        if item["type"] == "ITEM" and item["id"] in old:
            living = store.select(NAME, "catalog", where="parent = ? AND deleted = 0", args=[item["id"]])
            objects.delete_objects(store, [doc.key for doc in living if doc.key not in kept], now)
    return written, ids


def _flatten(sent: Any) -> list[Object]:
    if not isinstance(sent, dict) or not isinstance(sent.get("id"), str) or sent.get("type") not in TYPES:
        raise Refusal(400, "INVALID_VALUE", "An object needs a known type and an id.", field="objects")
    sent = _without_nulls(sent)
    nested = (sent.get("item_data") or {}).get("variations") or []
    if not nested:
        return [sent]
    data = {k: v for k, v in sent["item_data"].items() if k != "variations"}
    children = [
        {**child, "item_variation_data": {**child["item_variation_data"], "item_id": sent["id"]}} for child in nested
    ]
    return [{**sent, "item_data": data}, *children]


def _without_nulls(value: Any) -> Any:
    """Null and absent are the same to an upsert."""
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


def _new_id(store: Store, each: Object, number: int) -> str:
    return f"{each['type'][:1]}{int(store.now().timestamp() * 1000):X}{number:04d}"


def _check(store: Store, each: Object, before: Object | None) -> None:
    if each.get("is_deleted"):
        raise Refusal(400, "INVALID_VALUE", "is_deleted must not be set.", field="is_deleted")
    if before is None and not each["id"].startswith("#"):
        raise Refusal(400, "NOT_FOUND", f"Catalog object with ID {each['id']} not found.", field="id")
    # An upsert without a version is taken as of the latest: that is how a newer edit gets lost.
    if before is not None and each.get("version") not in (None, before["version"]):
        raise Refusal(400, "VERSION_MISMATCH", "Object version does not match latest database version.")
    for price_list, money in objects.prices(each.get("item_variation_data") or {}):
        if type(money.get("amount")) is not int:
            raise Refusal(400, "EXPECTED_INTEGER", "Expected an integer.", field="price_money.amount")
        if money["amount"] < 0:
            raise Refusal(400, "VALUE_TOO_LOW", "The amount must not be negative.", field="price_money.amount")
        if money.get("currency") not in _CURRENCIES:
            raise Refusal(400, "INVALID_ENUM_VALUE", "Unknown currency.", field="price_money.currency")
        location = price_list.removeprefix("location:")
        if price_list != "base" and store.get(NAME, "locations", location) is None:
            raise Refusal(400, "INVALID_VALUE", "Unknown location.", field="location_overrides.location_id")
