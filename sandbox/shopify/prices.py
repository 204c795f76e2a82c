"""Mutations of items and prices: productVariantsBulkUpdate and priceListFixedPricesAdd.

The first is per product and may apply some variants and refuse others; the second is all or nothing, and replaces a
fixed price whole: a compare-at price left out is gone afterwards.
"""

from decimal import Decimal
from typing import Any

from sandbox.shopify.documents import Document, trimmed
from sandbox.shopify.graph import VENDOR
from sandbox.shopify.writing import Change, Context, effect, living, save, user_error
from sandbox.store import Doc

_MAX_TEXT = 255


def update_variants(context: Context, key: str | None, args: Document) -> Document:
    """productVariantsBulkUpdate."""
    call = context.call
    product = living(call, "products", args["productId"])
    if product is None:
        error = user_error("Product does not exist", "productId", code="PRODUCT_DOES_NOT_EXIST")
        return {"product": None, "productVariants": None, "userErrors": [error]}
    wanted = [variant.get("id") for variant in args["variants"]]
    found = call.store.get_many(VENDOR, "variants", [gid for gid in wanted if gid])
    errors: list[Document] = []
    accepted: list[tuple[Doc, Document]] = []
    for place, (given, gid) in enumerate(zip(args["variants"], wanted, strict=True)):
        doc = found.get(gid or "")
        refused = _refuse_variant(given, doc, product.key, place)
        if refused:
            errors.append(refused)
        elif doc is not None:
            accepted.append((doc, given))
    if errors and not args["allowPartialUpdates"]:
        return {"product": product.body, "productVariants": None, "userErrors": errors}
    return {
        "product": product.body,
        "productVariants": [_change_variant(context, doc, given) for doc, given in accepted],
        "userErrors": errors,
    }


def _refuse_variant(given: Document, doc: Doc | None, product: str, place: int) -> Document | None:
    if not given.get("id"):
        return user_error("Product variant is missing ID attribute", "variants", place, "id",
                          code="PRODUCT_VARIANT_ID_MISSING")
    if doc is None or doc.deleted or doc.parent != product:
        return user_error("Product variant does not exist", "variants", place, "id",
                          code="PRODUCT_VARIANT_DOES_NOT_EXIST")
    if "price" in given and given["price"] is None:
        return user_error("Price can't be blank", "variants", place, "price", code="BLANK")
    for name in ("price", "compareAtPrice"):
        if given.get(name) is not None and Decimal(given[name]) < 0:
            return user_error(f"{name} must be greater than or equal to 0", "variants", place, name,
                              code="GREATER_THAN_OR_EQUAL_TO")
    if len(given.get("barcode") or "") > _MAX_TEXT:
        return user_error("Barcode is too long", "variants", place, "barcode", code="TOO_LONG")
    return None


def _change_variant(context: Context, doc: Doc, given: Document) -> Document:
    call, body = context.call, doc.body
    changed = dict(body)
    for name in ("price", "compareAtPrice"):
        if name in given:
            changed[name] = None if given[name] is None else f"{Decimal(given[name]):.2f}"
    if "barcode" in given:
        changed["barcode"] = given["barcode"]
    names = (("price", "prices", "amount"), ("compareAtPrice", "prices", "compare_at"), ("barcode", "items", "gtin"))
    is_changed = False
    for name, kind, logged in names:
        where = f"{doc.key}|base" if kind == "prices" else doc.key
        is_changed |= effect(
            call, kind, where, [(logged, body[name], changed[name])], operation="productVariantsBulkUpdate"
        )
    return save(call, "variants", doc, changed) if is_changed else body


def add_fixed_prices(context: Context, key: str | None, args: Document) -> Document:
    """priceListFixedPricesAdd."""
    call = context.call
    price_list = living(call, "lists", args["priceListId"])
    if price_list is None:
        error = user_error("Price list does not exist.", "priceListId", code="PRICE_LIST_NOT_FOUND")
        return {"prices": None, "userErrors": [error]}
    currency = price_list.body["currency"]
    variants = call.store.get_many(VENDOR, "variants", [given["variantId"] for given in args["prices"]])
    errors = []
    for place, given in enumerate(args["prices"]):
        variant = variants.get(given["variantId"])
        if variant is None or variant.deleted:
            errors.append(user_error("Variant not found.", "prices", place, "variantId", code="VARIANT_NOT_FOUND"))
        for name in ("price", "compareAtPrice"):
            if given.get(name) and given[name]["currencyCode"] != currency:
                errors.append(user_error(
                    "The specified currency does not match the price list's currency.", "prices", place, name,
                    "currencyCode", code="PRICE_LIST_CURRENCY_MISMATCH",
                ))
    if errors:
        return {"prices": None, "userErrors": errors}
    return {"prices": [_fix_price(context, price_list.key, given) for given in args["prices"]], "userErrors": []}


def _fix_price(context: Context, price_list: str, given: Document) -> Document:
    call, variant = context.call, given["variantId"]
    key = f"{price_list}|{variant}"
    doc = living(call, "prices", key)
    before = doc.body if doc else {"price": None, "compareAtPrice": None}
    body = {
        "variant": {"id": variant}, "originType": "FIXED", "price": _shown(given["price"]),
        "compareAtPrice": _shown(given.get("compareAtPrice")),
    }
    changes: list[Change] = [
        (logged, _amount(before[name]), _amount(body[name]))
        for name, logged in (("price", "amount"), ("compareAtPrice", "compare_at"))
    ]
    if effect(call, "prices", f"{variant}|{price_list}", changes, operation="priceListFixedPricesAdd"):
        now = call.store.now().replace(microsecond=0)
        call.store.put(VENDOR, "prices", key, body, updated_at=now, parent=price_list, lookup=variant)
    return body


def _shown(money: Document | None) -> Document | None:
    if money is None:
        return None
    return {"amount": trimmed(Decimal(money["amount"])), "currencyCode": money["currencyCode"]}


def _amount(money: Document | None) -> Any:
    return money and money["amount"]
