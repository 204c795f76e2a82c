"""The JSON that WooCommerce shows for a product, a variation, a customer, an order and a refund, and back.

Ids are whole numbers, amounts are decimal strings, each moment is shown twice: in the site's own time and, under
`..._gmt`, in UTC, neither with a zone. An empty text is "" and not null. Stores nothing.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.records import Consent, Customer, Item, Line, Order
from sandbox.store import parse_stamp

VENDOR = "woocommerce"
SITE_ZONE = ZoneInfo("Europe/Paris")
SHOP = "shop"
"""The one place where stock lies: WooCommerce knows no locations."""
CONSENT_META, CARD_META, BIRTH_META = "newsletter_consent", "loyalty_card", "birth_date"
TAX_CLASSES = {2000: "", 1000: "taux-intermediaire", 550: "taux-reduit", 210: "taux-particulier"}
"""Slug by rate in basis points; the standard class has none."""
_STATUSES = {"active": "publish", "unpublished": "draft", "archived": "private"}
_ORDER_STATUSES = {"open": "processing", "fulfilled": "completed", "cancelled": "cancelled"}
_DIGITS = {"JPY": 0}
REFUND_OFFSET = 1_000_000_000
"""Ids of refunds and their lines: those of the order and its lines, and this many more."""
Document = dict[str, Any]


def local(moment: datetime | None) -> str | None:
    """The site's time, without a zone."""
    return moment.astimezone(SITE_ZONE).strftime("%Y-%m-%dT%H:%M:%S") if moment else None


def gmt(moment: datetime | None) -> str | None:
    """UTC, without a zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if moment else None


def dated(name: str, moment: datetime | None) -> Document:
    """A moment under its two names."""
    return {f"date_{name}": local(moment), f"date_{name}_gmt": gmt(moment)}


def moment_of(document: Document, name: str) -> datetime | None:
    """A moment back."""
    text = document.get(f"date_{name}_gmt")
    return parse_stamp(text) if text else None


def decimal_text(text: Any) -> str:
    """What is stored of an amount that was typed: only digits, points and a minus. "12,50" becomes "1250"."""
    cleaned = re.sub(r"[^0-9.-]", "", str(text))
    whole, point, digits = cleaned.rpartition(".")
    return whole.replace(".", "") + point + digits


def money(amount: int | str, currency: str = "EUR") -> str:
    """Minor units as a decimal string; text as it was typed in (the world's dirt)."""
    if isinstance(amount, str):
        return amount
    digits = _DIGITS.get(currency, 2)
    return f"{Decimal(amount).scaleb(-digits):.{digits}f}"


def minor(text: str, currency: str = "EUR") -> str | None:
    """A decimal string in minor units; None for "", other text as it is."""
    if not re.fullmatch(r"-?\d+(\.\d+)?", text or ""):
        return text or None
    scaled = Decimal(text).scaleb(_DIGITS.get(currency, 2))
    return str(int(scaled)) if scaled == scaled.to_integral_value() else text


def is_variation(item: Item) -> bool:
    """Whether an item is one of several of a product. What is made up of others stands by itself."""
    return item.parent not in ("", item.key) and not item.kit


def _sold(item: Item, at: datetime) -> Document:
    """What products and variations have alike."""
    return {
        "id": int(item.key), **dated("created", at), **dated("modified", at), "description": "",
        "permalink": f"https://shop.example/?p={item.key}", "sku": item.sku, "global_unique_id": item.gtin,
        "price": "", "regular_price": "", "sale_price": "", **dated("on_sale_from", None), **dated("on_sale_to", None),
        "on_sale": False, "purchasable": False, "status": _STATUSES[item.status], "virtual": False,
        "downloadable": False, "downloads": [], "download_limit": -1, "download_expiry": -1, "tax_status": "taxable",
        "tax_class": TAX_CLASSES[item.vat_bp], "manage_stock": item.tracked,
        "stock_quantity": 0 if item.tracked else None,
        "stock_status": "outofstock" if item.tracked else "instock", "backorders": "no", "backorders_allowed": False,
        "backordered": False, "weight": "", "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_class": "", "shipping_class_id": 0, "menu_order": 0, "meta_data": [],
    }


def product_document(item: Item, at: datetime, key: str = "") -> Document:
    """A product: the item itself, or (`key`) the variable product above it, which is no sellable thing."""
    is_parent = bool(key)
    slug = re.sub(r"[^a-z0-9]+", "-", item.title.lower()).strip("-")
    document = _sold(item, at) | {
        "name": item.title, "slug": slug, "type": "variable" if is_parent else "grouped" if item.kit else "simple",
        "featured": False, "catalog_visibility": "visible", "short_description": "", "price_html": "", "total_sales": 0,
        "external_url": "", "button_text": "", "sold_individually": False, "shipping_required": True,
        "shipping_taxable": True, "reviews_allowed": True, "average_rating": "0.00", "rating_count": 0,
        "related_ids": [], "upsell_ids": [], "cross_sell_ids": [], "parent_id": 0, "purchase_note": "",
        "categories": [{"id": 15, "name": item.category, "slug": item.category.lower()}] if item.category else [],
        "tags": [], "images": [], "attributes": [], "default_attributes": [], "variations": [], "grouped_products": [],
    }
    if is_parent:
        document |= {
            "id": int(key), "sku": "", "global_unique_id": "", "manage_stock": False, "stock_quantity": None,
            "stock_status": "instock", "permalink": f"https://shop.example/?p={key}",
        }
    return document


def variation_document(item: Item, at: datetime) -> Document:
    """A variation, as the list of its product shows it: it does not say of which."""
    attributes = [{"id": 0, "name": "Modèle", "option": item.option}] if item.option else []
    return _sold(item, at) | {"image": None, "attributes": attributes}


def _kept(key: str, values: Iterable[tuple[str, Any]]) -> list[Document]:
    """What is kept beside a record; nothing for nothing."""
    return [
        {"id": 10 * int(key) + place, "key": name, "value": str(value)}
        for place, (name, value) in enumerate(values) if value
    ]


def customer_document(customer: Customer, at: datetime, held: Document | None = None) -> Document:
    """A customer's account. Consent, card and birth date are what plugins keep, under keys of their own."""
    place = {
        "first_name": customer.first_name, "last_name": customer.last_name, "company": "",
        "address_1": customer.street, "address_2": "", "city": customer.city, "state": "",
        "postcode": customer.postcode, "country": customer.country,
    }
    created = moment_of(held, "created") if held else customer.created_at or at
    said = {"yes": "yes", "no": "no"}.get(customer.consent.state, "")
    kept = ((CONSENT_META, said), (CARD_META, customer.card), (BIRTH_META, customer.birth_date))
    return {
        "id": int(customer.key), **dated("created", created), **dated("modified", at), "email": customer.email,
        "first_name": customer.first_name, "last_name": customer.last_name, "role": "customer",
        "username": f"client{customer.key}", "billing": place | {"email": customer.email, "phone": customer.phone},
        "shipping": dict(place), "is_paying_customer": False, "avatar_url": "",
        "meta_data": _kept(customer.key, kept),
    }


def meta(document: Document, key: str) -> str:
    """What a plugin keeps under a key; '' for nothing."""
    return next((str(one["value"]) for one in document["meta_data"] if one["key"] == key), "")


def customer_of(document: Document) -> Customer:
    """A customer's account as the world's record."""
    billing, said = document["billing"], meta(document, CONSENT_META)
    return Customer(
        key=str(document["id"]), first_name=document["first_name"], last_name=document["last_name"],
        email=document["email"], phone=billing["phone"], street=billing["address_1"], city=billing["city"],
        postcode=billing["postcode"], country=billing["country"], card=meta(document, CARD_META),
        birth_date=meta(document, BIRTH_META), created_at=moment_of(document, "created"),
        consent=Consent("yes" if said == "yes" else "no" if said == "no" else "none"),
    )


def _line(line: Line, order: Order, where: tuple[str, str], vat_bp: int, includes_tax: bool) -> Document:
    total = Decimal(line.unit_price * line.quantity)
    net = (total * 10_000 / (10_000 + vat_bp)).quantize(Decimal(1), ROUND_HALF_UP) if includes_tax else total
    tax = total - net if includes_tax else (total * vat_bp / 10_000).quantize(Decimal(1), ROUND_HALF_UP)
    product, variation = where
    taken = line.quantity - line.returned if order.state != "cancelled" else 0
    kept = (("_reduced_stock", taken), ("_restock_refunded_items", line.returned))
    shown = {"total": money(int(net), order.currency), "total_tax": money(int(tax), order.currency)}
    return {
        "id": int(line.key), "name": "", "product_id": int(product), "variation_id": int(variation or 0),
        "quantity": line.quantity, "tax_class": "", "subtotal": shown["total"], "subtotal_tax": shown["total_tax"],
        **shown, "taxes": [], "sku": "", "price": float(net / line.quantity / 100) if line.quantity else 0,
        "meta_data": _kept(line.key, kept),
    }


def order_document(order: Order, places: dict[str, tuple[str, str]], *, vat_bp: int, includes_tax: bool) -> Document:
    """An order. `places`: product and variation of each item; an item that is gone shows as product 0."""
    lines = [_line(one, order, places.get(one.item, ("0", "")), vat_bp, includes_tax) for one in order.lines]
    total = sum(Decimal(one["total"]) + Decimal(one["total_tax"]) for one in lines)
    tax = sum(Decimal(one["total_tax"]) for one in lines)
    person = dict.fromkeys((
        "first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country"), "")
    refunded = order.state != "cancelled" and any(one.returned for one in order.lines)
    back = sum(one.unit_price * one.returned for one in order.lines)
    digits = _DIGITS.get(order.currency, 2)
    return {
        "id": int(order.key), "parent_id": 0, "number": order.key, "order_key": f"wc_order_{order.key}",
        "created_via": "checkout", "version": "10.3.0", "status": _ORDER_STATUSES[order.state],
        "currency": order.currency, **dated("created", order.created_at), **dated("modified", order.updated_at),
        "discount_total": "0.00", "discount_tax": "0.00", "shipping_total": "0.00", "shipping_tax": "0.00",
        "cart_tax": f"{tax:.{digits}f}", "total": f"{total:.{digits}f}", "total_tax": f"{tax:.{digits}f}",
        "prices_include_tax": includes_tax, "customer_id": int(order.customer or 0), "customer_ip_address": "",
        "customer_user_agent": "", "customer_note": "", "billing": person | {"email": "", "phone": ""},
        "shipping": person, "payment_method": "", "payment_method_title": "", "transaction_id": "",
        **dated("paid", order.created_at), **dated("completed", None), "cart_hash": "", "meta_data": [],
        "line_items": lines, "tax_lines": [], "shipping_lines": [], "fee_lines": [], "coupon_lines": [],
        "refunds": [{"id": REFUND_OFFSET + int(order.key), "reason": "", "total": f"-{money(back, order.currency)}"}]
        if refunded else [],
    }


def refund_document(order: Order, places: dict[str, tuple[str, str]]) -> Document:
    """What came back of an order, in one refund: quantities and amounts below zero, each line naming the one sold."""
    lines = []
    for one in order.lines:
        if one.returned:
            product, variation = places.get(one.item, ("0", ""))
            total = f"-{money(one.unit_price * one.returned, order.currency)}"
            lines.append({
                "id": REFUND_OFFSET + int(one.key), "name": "", "product_id": int(product),
                "variation_id": int(variation or 0), "quantity": -one.returned, "tax_class": "", "subtotal": total,
                "subtotal_tax": "0.00", "total": total, "total_tax": "0.00", "taxes": [], "sku": "", "price": 0,
                "meta_data": [{"id": REFUND_OFFSET + int(one.key), "key": "_refunded_item_id", "value": one.key}],
            })
    back = sum(one.unit_price * one.returned for one in order.lines)
    return {
        "id": REFUND_OFFSET + int(order.key), **dated("created", order.updated_at),
        "amount": money(back, order.currency), "reason": "", "refunded_by": 1, "refunded_payment": False,
        "meta_data": [], "line_items": lines,
    }
