"""Vendor-neutral records of the world as Square's documents, and back.

Belongs here: the shape of each document. Not here: storing them, or what an endpoint does with them. Catalogue
objects keep their type's data block last, so that a page can splice the variations into an item's stored text.
"""

import hashlib
from datetime import datetime
from typing import Any

from sandbox.records import Consent, Customer, Item, Movement, Order, Promotion
from sandbox.store import parse_stamp, stamp

VAT_RATES = (2000, 1000, 550, 210)
_INCLUSION = {"gross": "INCLUSIVE", "net": "ADDITIVE"}
_ORDER_STATES = {"open": "OPEN", "fulfilled": "COMPLETED", "cancelled": "CANCELED"}
_STATES = {
    "sale": ("IN_STOCK", "SOLD"),
    "return": ("SOLD", "IN_STOCK"),
    "restock": ("UNLINKED_RETURN", "IN_STOCK"),
    "receipt": ("NONE", "IN_STOCK"),
    "loss": ("IN_STOCK", "WASTE"),
}
SOURCE = {"product": "SQUARE_POS", "name": "Square Point of Sale"}


def _filled(**fields: Any) -> dict[str, Any]:
    """Only what holds something: Square leaves empty fields out."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def catalog_object(kind: str, key: str, at: datetime, version: int, **rest: Any) -> dict[str, Any]:
    """The frame around any catalogue object; the data block must come last in `rest`."""
    return {
        "type": kind, "id": key, "updated_at": stamp(at), "version": version, "is_deleted": False,
        "present_at_all_locations": True, **rest,
    }


def tax_id(rate_bp: int, tax: str) -> str:
    """The tax object of a rate that is included in the price ('gross') or added to it ('net')."""
    return f"TAX{_INCLUSION[tax]}{rate_bp}"


def taxes(at: datetime, version: int) -> list[dict[str, Any]]:
    """The four French rates, included and added."""
    return [
        catalog_object(
            "TAX", tax_id(rate, tax), at, version,
            tax_data={
                "name": f"TVA {rate / 100:g} %", "calculation_phase": "TAX_SUBTOTAL_PHASE",
                "inclusion_type": _INCLUSION[tax], "percentage": f"{rate / 100:g}", "enabled": True,
            },
        )
        for rate in VAT_RATES
        for tax in ("gross", "net")
    ]


def category_id(name: str) -> str:
    """A stable id for a category's name."""
    return "CAT" + hashlib.sha256(name.encode()).hexdigest()[:12].upper()


def category(name: str, at: datetime, version: int) -> dict[str, Any]:
    """A CATEGORY."""
    return catalog_object("CATEGORY", category_id(name), at, version, category_data={"name": name})


def item(record: Item, at: datetime, version: int) -> dict[str, Any]:
    """The ITEM above a variation; its variations are stored apart and spliced in when served."""
    return catalog_object(
        "ITEM", record.parent, at, version,
        item_data=_filled(
            name=record.title, is_taxable=True, tax_ids=[tax_id(record.vat_bp, record.tax)],
            categories=[{"id": category_id(record.category)}] if record.category else [],
            product_type="REGULAR",
        ) | {"is_archived": record.status == "archived"},
    )


def variation(record: Item, at: datetime, version: int, old: dict[str, Any]) -> dict[str, Any]:
    """The ITEM_VARIATION; prices and overrides of the stored one (`old` data block) stay."""
    present = {} if record.status != "unpublished" else {"present_at_all_locations": False}
    return catalog_object(
        "ITEM_VARIATION", record.key, at, version, **present,
        item_variation_data=_filled(
            item_id=record.parent, name=record.option, sku=record.sku, upc=record.gtin,
            pricing_type="FIXED_PRICING", price_money=old.get("price_money"),
            location_overrides=old.get("location_overrides"),
        ) | {"track_inventory": record.tracked, "sellable": True, "stockable": not record.kit},
    )


def promotion(record: Promotion, at: datetime, version: int) -> list[dict[str, Any]]:
    """A PRICING_RULE with its PRODUCT_SET and DISCOUNT."""
    products, discount = f"PS{record.key}", f"D{record.key}"
    return [
        catalog_object(
            "PRODUCT_SET", products, at, version,
            product_set_data={"name": record.name, "product_ids_any": list(record.items), "quantity_min": 1},
        ),
        catalog_object(
            "DISCOUNT", discount, at, version,
            discount_data={
                "name": record.name, "discount_type": "FIXED_PERCENTAGE", "percentage": str(record.percent)
            },
        ),
        catalog_object(
            "PRICING_RULE", record.key, at, version,
            pricing_rule_data={
                "name": record.name, "discount_id": discount, "match_products_id": products,
                "valid_from_date": record.starts_on.isoformat(), "valid_until_date": record.ends_on.isoformat(),
            },
        ),
    ]


def count(item_key: str, location: str, quantity: str, at: str) -> dict[str, Any]:
    """An InventoryCount of units in stock."""
    return {
        "catalog_object_id": item_key, "catalog_object_type": "ITEM_VARIATION", "state": "IN_STOCK",
        "location_id": location, "quantity": quantity, "calculated_at": at,
    }


def change(record: Movement, received_at: datetime) -> dict[str, Any]:
    """An InventoryChange; a transfer shows as an adjustment to or from the road, as Square lists it."""
    common = {
        "id": record.key, "catalog_object_id": record.item, "catalog_object_type": "ITEM_VARIATION",
        "location_id": record.location, "quantity": str(abs(record.quantity)), "source": SOURCE,
        "occurred_at": stamp(record.at), "created_at": stamp(received_at),
        **({"transaction_id": record.order} if record.order else {}),
    }
    if record.kind == "count":
        return {"type": "PHYSICAL_COUNT", "physical_count": {**common, "state": "IN_STOCK"}}
    if record.kind == "transfer":
        source, target = ("IN_TRANSIT", "IN_STOCK") if record.quantity > 0 else ("IN_STOCK", "IN_TRANSIT")
    else:
        source, target = _STATES[record.kind]
    return {"type": "ADJUSTMENT", "adjustment": {**common, "from_state": source, "to_state": target}}


def customer(record: Customer, at: datetime, version: int) -> dict[str, Any]:
    """A Customer. A consent nobody was asked for ('none', 'pending') leaves the preferences out."""
    unsubscribed = {"yes": False, "no": True}.get(record.consent.state)
    return _filled(
        id=record.key, created_at=stamp(record.created_at or at), updated_at=stamp(at),
        given_name=record.first_name, family_name=record.last_name, email_address=record.email,
        phone_number=record.phone, birthday=record.birth_date, reference_id=record.card,
        address=_filled(
            address_line_1=record.street, locality=record.city, postal_code=record.postcode, country=record.country
        ),
        preferences={} if unsubscribed is None else {"email_unsubscribed": unsubscribed},
        creation_source="DIRECTORY",
    ) | {"version": version}


def customer_record(doc: dict[str, Any]) -> Customer:
    """The record that a Customer document shows."""
    address, preferences = doc.get("address") or {}, doc.get("preferences") or {}
    state = {False: "yes", True: "no"}.get(preferences.get("email_unsubscribed"), "none")
    return Customer(
        key=doc["id"], first_name=doc.get("given_name") or "", last_name=doc.get("family_name") or "",
        email=doc.get("email_address") or "", phone=doc.get("phone_number") or "",
        street=address.get("address_line_1") or "", city=address.get("locality") or "",
        postcode=address.get("postal_code") or "", country=address.get("country") or "",
        card=doc.get("reference_id") or "", birth_date=doc.get("birthday") or "",
        created_at=parse_stamp(doc["created_at"]), consent=Consent(state=state),  # type: ignore[arg-type]
    )


def _fulfilments(record: Order) -> list[dict[str, Any]]:
    """The pickup of an order. One that expires is only proposed: work on it has not begun."""
    if record.pickup is None:
        return []
    waits = "PROPOSED" if record.pickup.expires_at else "PREPARED"
    state = {"placed": waits, "collected": "COMPLETED", "cancelled": "CANCELED"}[record.pickup.state]
    details = _filled(
        schedule_type="ASAP", placed_at=stamp(record.created_at), pickup_at=stamp(record.created_at),
        expires_at=stamp(record.pickup.expires_at) if record.pickup.expires_at else None,
        picked_up_at=stamp(record.updated_at) if state == "COMPLETED" else None,
        canceled_at=stamp(record.updated_at) if state == "CANCELED" else None,
    )
    return [{"uid": f"{record.key}F", "type": "PICKUP", "state": state, "line_item_application": "ALL",
             "pickup_details": details}]


def order(record: Order) -> dict[str, Any]:
    """An Order with its lines; what came back stands under `returns`."""
    def money(amount: int) -> dict[str, Any]:
        return {"amount": amount, "currency": record.currency}

    back = [
        {"uid": f"{line.key}R", "source_line_item_uid": line.key, "catalog_object_id": line.item,
         "quantity": str(line.returned), "base_price_money": money(line.unit_price)}
        for line in record.lines if line.returned
    ]
    closed = {} if record.state == "open" else {"closed_at": stamp(record.updated_at)}
    return {
        **_filled(
            id=record.key, location_id=record.location, customer_id=record.customer,
            reference_id=record.pickup.reference if record.pickup else "", fulfillments=_fulfilments(record),
            returns=[{"uid": f"{record.key}R", "source_order_id": record.key, "return_line_items": back}] if back
            else [],
        ),
        "line_items": [
            {"uid": line.key, "catalog_object_id": line.item, "quantity": str(line.quantity), "item_type": "ITEM",
             "base_price_money": money(line.unit_price), "total_money": money(line.unit_price * line.quantity)}
            for line in record.lines
        ],
        "total_money": money(sum(line.unit_price * line.quantity for line in record.lines)),
        "state": _ORDER_STATES[record.state], "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at), **closed, "version": 1,
    }
