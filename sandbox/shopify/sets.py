"""productSet and customerSet: a record is made to be what is given, so entries that a given list leaves out go.

Served to be feared: a correction of one variant by productSet deletes the product's other variants, with their stock
and fixed prices. Lists that are not given at all stay. Not played: making new records, options, metafields, files.
"""

from sandbox.shopify.burial import bury_variant
from sandbox.shopify.customers import update_customer
from sandbox.shopify.documents import Document, gid
from sandbox.shopify.graph import VENDOR
from sandbox.shopify.prices import update_variants
from sandbox.shopify.writing import Context, effect, living, save, user_error

_ADDRESS = ("firstName", "lastName", "address1", "address2", "city", "zip", "phone")
_PARTS = {"address1": "street", "city": "city", "zip": "postcode", "countryCodeV2": "country"}


def set_product(context: Context, key: str | None, args: Document) -> Document:
    """productSet: title and variants of a product that there is."""
    call, given = context.call, args["input"]
    product = living(call, "products", (args.get("identifier") or {}).get("id") or "")
    if product is None:
        error = user_error("Product does not exist", "identifier", code="PRODUCT_DOES_NOT_EXIST")
        return {"product": None, "userErrors": [error]}
    variants = given.get("variants")
    if variants is not None:
        changes = [{name: one[name] for name in ("id", "price", "barcode") if name in one} for one in variants]
        asked = {"productId": product.key, "variants": changes, "allowPartialUpdates": False}
        if errors := update_variants(context, key, asked)["userErrors"]:
            refused = [{**error, "code": "INVALID_VARIANT"} for error in errors]
            return {"product": product.body, "userErrors": refused}
        kept = {one["id"] for one in variants}
        for doc in list(call.store.select(VENDOR, "variants", where="deleted = 0 AND parent = ?", args=[product.key])):
            if doc.key not in kept:
                effect(call, "items", doc.key, [("deleted", None, doc.key)], operation="productSet")
                bury_variant(call.store, doc, call.store.now())
    body = product.body
    if given.get("title") and effect(
        call, "items", product.key, [("title", body["title"], given["title"])], operation="productSet"
    ):
        body = save(call, "products", product, {**body, "title": given["title"]})
    return {"product": body, "userErrors": []}


def set_customer(context: Context, key: str | None, args: Document) -> Document:
    """customerSet: names, phone and the list of addresses of a customer that there is."""
    call, given = context.call, args["input"]
    known = (args.get("identifier") or {}).get("id") or ""
    names = {name: given[name] for name in ("firstName", "lastName", "phone") if name in given}
    answer = update_customer(context, key, {"input": {**names, "id": known}})
    if answer["customer"] is None or answer["userErrors"]:
        code = "NOT_FOUND" if answer["customer"] is None else "INVALID"
        return {**answer, "userErrors": [{**error, "code": code} for error in answer["userErrors"]]}
    doc = living(call, "customers", known)
    assert doc is not None
    if given.get("addresses") is None:
        return {"customer": doc.body, "userErrors": []}
    before, after = doc.body["defaultAddress"] or {}, _first(doc.key, given["addresses"])
    changes = [(logged, before.get(name), (after or {}).get(name)) for name, logged in _PARTS.items()]
    if effect(call, "customers", doc.key, changes, operation="customerSet"):
        return {"customer": save(call, "customers", doc, {**doc.body, "defaultAddress": after}), "userErrors": []}
    return {"customer": doc.body, "userErrors": []}


def _first(customer: str, addresses: list[Document]) -> Document | None:
    """The new default address; the sandbox keeps that one alone."""
    if not addresses:
        return None
    held = {name: addresses[0].get(name) or None for name in _ADDRESS}
    return {"id": gid("MailingAddress", customer), **held, "countryCodeV2": addresses[0].get("countryCode")}
