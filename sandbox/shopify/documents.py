"""Records of the world as the documents that Shopify's API shows, and back.

A document has the shape of its GraphQL type, so that the default resolver serves it: references hold the other
record's id, connections hold a list or live in a table of their own (`connections`). Keys that begin with an
underscore are the sandbox's own. Nothing here reads or writes the store.
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from sandbox.records import Consent, Customer, Item, Order, Price, Stock
from sandbox.store import parse_stamp
from sandbox.vendor import Place

Document = dict[str, Any]

_DIGITS = {"JPY": 0}
_STATUS = {"active": "ACTIVE", "unpublished": "DRAFT", "archived": "ARCHIVED"}
_MARKETING = {"yes": "SUBSCRIBED", "no": "UNSUBSCRIBED", "pending": "PENDING", "none": "NOT_SUBSCRIBED"}
_CONSENT = {shown: state for state, shown in _MARKETING.items()}
_FULFILMENT = {"open": "UNFULFILLED", "fulfilled": "FULFILLED", "cancelled": "UNFULFILLED"}


def moment(at: datetime) -> str:
    """A moment as Shopify writes it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def encoded(document: Document) -> str:
    """The text that the store keeps."""
    return msgspec.json.encode(document).decode()


def number(gid: str) -> str:
    """The number at the end of a gid."""
    return gid.partition("?")[0].rpartition("/")[2]


def gid(kind: str, source: str) -> str:
    """The gid of a record of `kind` that hangs on `source` one to one."""
    return f"gid://shopify/{kind}/{number(source)}"


def level_id(location: str, item: str) -> str:
    """The gid of an inventory level, as Shopify makes it of its two halves."""
    return f"gid://shopify/InventoryLevel/{number(location)}?inventory_item_id={number(item)}"


def money(minor: int | str, currency: str) -> str:
    """A price of a variant: a decimal string with all its digits ("49.90"). Dirt is handed on as it is."""
    if isinstance(minor, str):
        return minor
    digits = _DIGITS.get(currency, 2)
    return f"{Decimal(minor).scaleb(-digits):.{digits}f}"


def amount(minor: int | str, currency: str) -> str:
    """An amount of a MoneyV2: a decimal string without trailing zeros, but one digit at least ("49.9", "100.0")."""
    if isinstance(minor, str):
        return minor
    return trimmed(Decimal(minor).scaleb(-_DIGITS.get(currency, 2)))


def trimmed(value: Decimal) -> str:
    """A decimal as MoneyV2 shows it."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if "." in text else f"{text}.0"


def minor(text: str | None, currency: str) -> str | None:
    """A decimal string in minor units, as text; dirt and None as they are."""
    if text is None:
        return None
    try:
        return str(int(Decimal(text).scaleb(_DIGITS.get(currency, 2))))
    except InvalidOperation:
        return text


def money_v2(value: int | str | None, currency: str) -> Document | None:
    """A MoneyV2, or None."""
    return None if value is None else {"amount": amount(value, currency), "currencyCode": currency}


def bag(value: int, currency: str) -> Document:
    """A MoneyBag with the same money on both sides."""
    side = money_v2(value, currency)
    return {"shopMoney": side, "presentmentMoney": side}


def shop_document(key: str, name: str, currency: str, timezone: str, *, is_plus: bool) -> Document:
    """The shop. European shops enter prices with tax."""
    return {
        "id": key, "name": name, "email": "webshop@example.com", "myshopifyDomain": "maison-sandbox.myshopify.com",
        "currencyCode": currency, "taxesIncluded": True, "ianaTimezone": timezone,
        "plan": {"publicDisplayName": "Shopify Plus" if is_plus else "Basic", "shopifyPlus": is_plus},
    }


def location_document(place: Place, at: datetime) -> Document:
    """A location."""
    return {
        "id": place.key, "legacyResourceId": number(place.key), "name": place.name, "isActive": True,
        "fulfillsOnlineOrders": True, "createdAt": moment(at), "updatedAt": moment(at),
    }


def product_document(item: Item, at: datetime, created: str) -> Document:
    """The product above a variant."""
    return {
        "id": item.parent, "legacyResourceId": number(item.parent), "title": item.title,
        "handle": f"product-{number(item.parent)}", "status": _STATUS[item.status], "productType": item.category,
        "vendor": "Maison Sandbox", "createdAt": created, "updatedAt": moment(at),
    }


def variant_document(item: Item, at: datetime, before: Document | None) -> Document:
    """A variant with its product and inventory item inside; the price is kept from `before`."""
    old = before or {}
    created, now = old.get("createdAt", moment(at)), moment(at)
    stock_item = item.inventory_key or gid("InventoryItem", item.key)
    option = item.option or "Default Title"
    return {
        "id": item.key, "legacyResourceId": number(item.key), "sku": item.sku, "barcode": item.gtin or None,
        "title": option, "displayName": f"{item.title} - {option}", "price": old.get("price", "0.00"),
        "compareAtPrice": old.get("compareAtPrice"), "taxable": True, "requiresComponents": item.kit,
        "inventoryPolicy": "DENY", "selectedOptions": [{"name": "Title", "value": option}],
        "createdAt": created, "updatedAt": now,
        "product": product_document(item, at, created),
        "inventoryItem": {
            "id": stock_item, "legacyResourceId": number(stock_item), "sku": item.sku, "tracked": item.tracked,
            "requiresShipping": True, "unitCost": money_v2(item.cost, "EUR"), "createdAt": created, "updatedAt": now,
        },
    }


def level_document(stock: Stock, item: str, at: datetime, before: Document | None) -> Document:
    """One inventory item at one location. Quantities hang together: on_hand = available + committed."""
    now = moment(at)
    return {
        "id": level_id(stock.location, item), "isActive": True, "createdAt": (before or {}).get("createdAt", now),
        "updatedAt": now, "item": {"id": item}, "location": {"id": stock.location}, "_variant": stock.item,
        "_quantities": {
            "available": stock.on_hand - stock.committed, "on_hand": stock.on_hand, "committed": stock.committed,
        },
    }


def price_document(price: Price) -> Document:
    """A fixed price in a price list."""
    return {
        "variant": {"id": price.item}, "originType": "FIXED", "price": money_v2(price.amount, price.currency),
        "compareAtPrice": money_v2(price.compare_at, price.currency),
    }


def customer_document(customer: Customer, at: datetime, before: Document | None) -> Document:
    """A customer with the e-mail permission of the default address."""
    created = moment(customer.created_at) if customer.created_at else (before or {}).get("createdAt", moment(at))
    address = {
        "id": gid("MailingAddress", customer.key), "firstName": customer.first_name or None,
        "lastName": customer.last_name or None, "address1": customer.street or None, "address2": None,
        "city": customer.city or None, "zip": customer.postcode or None, "phone": None,
        "countryCodeV2": customer.country or None,
    }
    has_address = bool(customer.street or customer.city or customer.postcode)
    return {
        "id": customer.key, "legacyResourceId": number(customer.key), "firstName": customer.first_name or None,
        "lastName": customer.last_name or None, "displayName": f"{customer.first_name} {customer.last_name}".strip(),
        "note": None, "state": "DISABLED", "tags": [], "createdAt": created, "updatedAt": moment(at),
        "defaultAddress": address if has_address else None, "_country": customer.country,
        "defaultPhoneNumber": {"phoneNumber": customer.phone} if customer.phone else None,
        "defaultEmailAddress": _email_address(customer) if customer.email else None,
        "_metafields": {
            name: value
            for name, value in (("loyalty.card", customer.card), ("facts.birth_date", customer.birth_date))
            if value
        },
    }


def _email_address(customer: Customer) -> Document:
    consent = customer.consent
    level = "CONFIRMED_OPT_IN" if consent.is_proven else "SINGLE_OPT_IN"
    return {
        "emailAddress": customer.email, "marketingState": _MARKETING[consent.state],
        "marketingOptInLevel": None if consent.state == "none" else level,
        "marketingUpdatedAt": moment(consent.at) if consent.at else None, "sourceLocation": None, "validFormat": True,
    }


def customer_record(document: Document) -> Customer:
    """A customer as the world knows one, from what the API shows."""
    address, email = document["defaultAddress"] or {}, document["defaultEmailAddress"] or {}
    changed = email.get("marketingUpdatedAt")
    return Customer(
        key=document["id"], first_name=document["firstName"] or "", last_name=document["lastName"] or "",
        email=email.get("emailAddress") or "", phone=(document["defaultPhoneNumber"] or {}).get("phoneNumber") or "",
        street=address.get("address1") or "", city=address.get("city") or "", postcode=address.get("zip") or "",
        country=address.get("countryCodeV2") or document["_country"],
        card=document["_metafields"].get("loyalty.card", ""),
        birth_date=document["_metafields"].get("facts.birth_date", ""),
        created_at=parse_stamp(document["createdAt"]),
        consent=Consent(
            state=_CONSENT.get(email.get("marketingState", ""), "none"),  # type: ignore[arg-type]
            at=parse_stamp(changed) if changed else None,
            is_proven=email.get("marketingOptInLevel") == "CONFIRMED_OPT_IN" and bool(changed),
        ),
    )


def order_document(order: Order) -> Document:
    """An order: its lines, one fulfilment order at its location, and a refund for what was cancelled or came back."""
    created, updated = moment(order.created_at), moment(order.updated_at)
    is_open, is_cancelled = order.state == "open", order.state == "cancelled"
    total = sum(line.quantity * line.unit_price for line in order.lines)
    lines, picked, refunded = [], [], []
    for line in order.lines:
        gone = line.quantity if is_cancelled else line.returned
        reference = {"id": line.key}
        lines.append({
            "id": line.key, "name": line.key, "title": line.key, "sku": None, "variant": {"id": line.item},
            "quantity": line.quantity, "currentQuantity": line.quantity - gone,
            "unfulfilledQuantity": line.quantity if is_open else 0,
            "originalUnitPriceSet": bag(line.unit_price, order.currency),
        })
        picked.append({
            "id": gid("FulfillmentOrderLineItem", line.key), "lineItem": reference, "totalQuantity": line.quantity,
            "remainingQuantity": line.quantity if is_open else 0,
        })
        if gone:
            refunded.append({
                "id": gid("RefundLineItem", line.key), "lineItem": reference, "quantity": gone,
                "location": {"id": order.location}, "restocked": True,
                "restockType": "CANCEL" if is_cancelled else "RETURN",
            })
    refund = {
        "id": gid("Refund", order.key), "createdAt": updated, "processedAt": updated, "updatedAt": updated,
        "note": None, "refundLineItems": refunded,
    }
    return {
        "id": order.key, "legacyResourceId": number(order.key), "name": f"#{number(order.key)}",
        "createdAt": created, "processedAt": created, "updatedAt": updated,
        "cancelledAt": updated if is_cancelled else None, "currencyCode": order.currency, "taxesIncluded": True,
        "displayFulfillmentStatus": _FULFILMENT[order.state],
        "totalPriceSet": bag(total, order.currency), "currentTotalPriceSet": bag(total, order.currency),
        "customer": {"id": order.customer} if order.customer else None, "lineItems": lines,
        "fulfillmentOrders": [{
            "id": gid("FulfillmentOrder", order.key), "orderId": order.key, "createdAt": created,
            "updatedAt": updated,
            "deliveryMethod": {
                "id": gid("DeliveryMethod", order.key), "methodType": "PICK_UP" if order.pickup else "SHIPPING",
            },
            "status": "OPEN" if is_open else "CANCELLED" if is_cancelled else "CLOSED",
            "assignedLocation": {"name": "", "countryCode": "FR", "location": {"id": order.location}},
            "lineItems": picked,
        }],
        "refunds": [refund] if refunded else [],
    }
