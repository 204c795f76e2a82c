"""The mutation of stock: inventorySetQuantities, with the rules that are not in the vendor's schema.

`@idempotent` and `changeFromQuantity` (even if null) are mandatory at run time since 2026-04; one stale row refuses
the whole batch; a key belongs to one set of parameters, and to a failed attempt for ever.
"""

import hashlib
import json

from graphql import GraphQLError

from sandbox.shopify.documents import Document, gid, level_id, moment
from sandbox.shopify.graph import VENDOR
from sandbox.shopify.writing import Context, effect, living, save, user_error
from sandbox.store import Doc

_OPERATION = "inventorySetQuantities"
_LIMIT = 1_000_000_000
_REASONS = frozenset({
    "correction", "cycle_count_available", "damaged", "movement_created", "movement_updated", "movement_received",
    "movement_canceled", "other", "promotion", "quality_control", "received", "reservation_created",
    "reservation_deleted", "reservation_updated", "restock", "safety_stock", "shrinkage",
})


def set_quantities(context: Context, key: str | None, args: Document) -> Document:
    """inventorySetQuantities: all rows or none."""
    given = args["input"]
    _require(key, given)
    assert key is not None
    call = context.call
    fingerprint = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
    answered = call.store.answered(VENDOR, key)
    if answered is not None:
        request, status, answer = answered
        if request != fingerprint:
            return _refused([user_error(
                "The same idempotency key cannot be used with different operation parameters.",
                code="IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
            )])
        if status != 200:
            return _refused([user_error(
                "A previous request with this idempotency key failed. Retry with a new idempotency key.",
                code="IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
            )])
        return dict(json.loads(answer))
    levels, errors = _check(context, given)
    payload = _refused(errors) if errors else _apply(context, key, given, levels)
    call.store.remember(VENDOR, key, fingerprint, 422 if errors else 200, json.dumps(payload))
    return payload


def _require(key: str | None, given: Document) -> None:
    if key is None:
        raise GraphQLError(
            "The @idempotent directive is required for this mutation but was not provided.",
            extensions={"code": "BAD_REQUEST"},
        )
    for place, quantity in enumerate(given["quantities"]):
        if "changeFromQuantity" not in quantity:
            raise GraphQLError(
                "InventoryQuantityInput must include the following argument: changeFromQuantity "
                f"(quantities.{place}).",
                extensions={"code": "INVALID_FIELD_ARGUMENTS"},
            )


def _refused(errors: list[Document]) -> Document:
    return {"inventoryAdjustmentGroup": None, "userErrors": errors}


def _check(context: Context, given: Document) -> tuple[list[Doc], list[Document]]:
    call, name = context.call, given["name"]
    if name not in ("available", "on_hand"):
        message = "The quantity name must be either 'available' or 'on_hand'."
        return [], [user_error(message, "input", "name", code="INVALID_NAME")]
    if given["reason"] not in _REASONS:
        return [], [user_error("The specified reason is invalid.", "input", "reason", code="INVALID_REASON")]
    keys = [level_id(quantity["locationId"], quantity["inventoryItemId"]) for quantity in given["quantities"]]
    found = call.store.get_many(VENDOR, "levels", keys)
    levels, errors, seen = [], [], set()
    for place, (quantity, key) in enumerate(zip(given["quantities"], keys, strict=True)):
        at = ("input", "quantities", place)
        doc = found.get(key)
        if key in seen:
            errors.append(user_error(
                "The combination of inventoryItemId and locationId must be unique.", *at,
                code="NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
            ))
        elif doc is None or doc.deleted:
            errors.append(_missing(context, quantity, at))
        elif abs(quantity["quantity"]) > _LIMIT:
            code = "INVALID_QUANTITY_TOO_HIGH" if quantity["quantity"] > 0 else "INVALID_QUANTITY_TOO_LOW"
            errors.append(user_error("The quantity is out of bounds.", *at, "quantity", code=code))
        elif quantity["changeFromQuantity"] not in (None, doc.body["_quantities"][name]):
            errors.append(user_error(
                "The changeFromQuantity value does not match persisted value.", *at, "changeFromQuantity",
                code="CHANGE_FROM_QUANTITY_STALE",
            ))
        else:
            levels.append(doc)
        seen.add(key)
    return levels, errors


def _missing(context: Context, quantity: Document, at: tuple[str | int, ...]) -> Document:
    call = context.call
    if living(call, "locations", quantity["locationId"]) is None:
        return user_error("The specified location could not be found.", *at, "locationId", code="INVALID_LOCATION")
    items = call.store.count(VENDOR, "variants", "deleted = 0 AND lookup = ?", [quantity["inventoryItemId"]])
    if not items:
        message = "The specified inventory item could not be found."
        return user_error(message, *at, "inventoryItemId", code="INVALID_INVENTORY_ITEM")
    message = "The specified inventory item is not stocked at the location."
    return user_error(message, *at, "locationId", code="ITEM_NOT_STOCKED_AT_LOCATION")


def _apply(context: Context, key: str, given: Document, levels: list[Doc]) -> Document:
    call, name = context.call, given["name"]
    changes = []
    for doc, quantity in zip(levels, given["quantities"], strict=True):
        body, before = doc.body, doc.body["_quantities"]
        delta = quantity["quantity"] - before[name]
        after = {**before, "available": before["available"] + delta, "on_hand": before["on_hand"] + delta}
        where = f"{body['_variant']}|{body['location']['id']}"
        effect(
            call, "stock", where, [(part, before[part], after[part]) for part in ("available", "on_hand")],
            operation=_OPERATION, idempotency_key=key,
        )
        if delta:
            save(call, "levels", doc, {**body, "_quantities": after})
        changes += [
            {"name": part, "delta": delta, "quantityAfterChange": after[part], "item": body["item"],
             "location": body["location"]}
            for part in ("available", "on_hand")
        ]
    group = {
        "id": gid("InventoryAdjustmentGroup", f"x/{int(hashlib.sha256(key.encode()).hexdigest()[:12], 16)}"),
        "createdAt": moment(call.store.now()), "reason": given["reason"],
        "referenceDocumentUri": given.get("referenceDocumentUri"), "changes": changes,
    }
    return {"inventoryAdjustmentGroup": group, "userErrors": []}
