"""Fields that are computed rather than kept in a document, for the executor and for bulk operations alike.

Reads the store through `graph`, writes nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLError

from sandbox.shopify.documents import Document, level_id
from sandbox.shopify.graph import VENDOR, Call, find
from sandbox.store import parse_stamp


def _quantities(call: Call, source: Document, args: Mapping[str, Any]) -> list[Document]:
    known, item = source["_quantities"], source["item"]["id"]
    for name in args["names"]:
        if name not in known:
            raise GraphQLError(f"Quantity name not served by the sandbox: {name}")
    return [
        {"id": f"gid://shopify/InventoryQuantity/{item.rpartition('/')[2]}?inventory_state={name}", "name": name,
         "quantity": known[name], "updatedAt": source["updatedAt"]}
        for name in args["names"]
    ]


def _metafield(call: Call, source: Document, args: Mapping[str, Any]) -> Document | None:
    namespace, key = args.get("namespace") or "app", args["key"]
    value = source["_metafields"].get(f"{namespace}.{key}")
    return value and {
        "id": f"gid://shopify/Metafield/{source['legacyResourceId']}{len(key)}", "namespace": namespace, "key": key,
        "type": "single_line_text_field", "value": value,
    }


def _email_consent(call: Call, source: Document, args: Mapping[str, Any]) -> Document | None:
    email = source["defaultEmailAddress"]
    return email and {
        "marketingState": email["marketingState"], "marketingOptInLevel": email["marketingOptInLevel"],
        "consentUpdatedAt": email["marketingUpdatedAt"], "sourceLocation": email["sourceLocation"],
    }


def _level(call: Call, location: str, item: str) -> Document | None:
    return find(call, "InventoryLevel", [key := level_id(location, item)]).get(key)


def _changes(call: Call, source: Document, args: Mapping[str, Any]) -> list[Document]:
    return [
        change for change in source["changes"]
        if change["name"] in (args.get("quantityNames") or (change["name"],))
        and change["item"]["id"] in (args.get("inventoryItemIds") or (change["item"]["id"],))
        and change["location"]["id"] in (args.get("locationIds") or (change["location"]["id"],))
    ]


def bulk_status(call: Call, source: Document) -> str:
    """A job that is done is shown as running until its time (`Settings.bulk_seconds`) is over."""
    is_early = parse_stamp(source["_due"]) > call.store.now()
    return "RUNNING" if source["status"] == "COMPLETED" and is_early else source["status"]


FIELDS: Mapping[tuple[str, str], Callable[[Call, Document, Mapping[str, Any]], Any]] = {
    ("InventoryLevel", "quantities"): _quantities,
    ("InventoryAdjustmentGroup", "changes"): _changes,
    ("Customer", "metafield"): _metafield,
    ("Customer", "email"): lambda call, source, args: (source["defaultEmailAddress"] or {}).get("emailAddress"),
    ("Customer", "phone"): lambda call, source, args: (source["defaultPhoneNumber"] or {}).get("phoneNumber"),
    ("Customer", "emailMarketingConsent"): _email_consent,
    ("Order", "refunds"): lambda call, source, args: source["refunds"][: args.get("first")],
    ("Location", "inventoryLevel"): lambda call, source, args: _level(call, source["id"], args["inventoryItemId"]),
    ("InventoryItem", "inventoryLevel"): lambda call, source, args: _level(call, args["locationId"], source["id"]),
    ("PriceList", "fixedPricesCount"): lambda call, source, args: call.store.count(
        VENDOR, "prices", "deleted = 0 AND parent = ?", [source["id"]]
    ),
    ("BulkOperation", "status"): lambda call, source, args: bulk_status(call, source),
    ("BulkOperation", "url"): lambda call, source, args: (
        f"{call.base_url}/bulk/{source['_file']}"
        if source["objectCount"] != "0" and bulk_status(call, source) == "COMPLETED" else None
    ),
}
