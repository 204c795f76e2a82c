"""Fills a Vendure with a catalogue and customers through its own API, plants differences, reads values back.

In big batches: aliased mutations for what Vendure makes one by one, lists where it takes lists.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from deploy.real.rows import CatalogueRow, CustomerRow
from deploy.real.vendure_api import VendureApi, aliased

PRODUCTS_AT_ONCE, VARIANTS_AT_ONCE, CUSTOMERS_AT_ONCE = 50, 100, 50
IN_FLIGHT = 3
"""Node answers on one core; more requests at a time only wait."""
LANGUAGE, CURRENCY = "fr", "EUR"

T = TypeVar("T")


def open_shop(api: VendureApi, shops: Sequence[str]) -> dict[str, str]:
    """Euro prices with tax, and one stock location per shop; the location ids by name."""
    zone = api.all("zones", "id")[0]["id"]
    languages = ["fr", "en"]
    api.ask(
        "mutation($l: [LanguageCode!]) { updateGlobalSettings(input: {availableLanguages: $l, trackInventory: true})"
        " { __typename } }", l=languages,
    )
    channel = api.ask("{ activeChannel { id } }")["activeChannel"]["id"]
    given = {
        "id": channel, "pricesIncludeTax": True, "availableCurrencyCodes": [CURRENCY], "defaultCurrencyCode": CURRENCY,
        "defaultTaxZoneId": zone, "defaultShippingZoneId": zone, "defaultLanguageCode": LANGUAGE,
        "availableLanguageCodes": languages,
    }
    query = "mutation($i: UpdateChannelInput!) { updateChannel(input: $i) { __typename } }"
    if api.ask(query, i=given)["updateChannel"]["__typename"] != "Channel":
        raise RuntimeError("Vendure did not take the channel's settings")
    there = {one["name"]: str(one["id"]) for one in api.all("stockLocations", "id name")}
    for name in shops:
        if name not in there:
            made = api.ask("mutation($n: String!) { createStockLocation(input: {name: $n}) { id } }", n=name)
            there[name] = str(made["createStockLocation"]["id"])
    return {name: there[name] for name in shops}


def load_catalogue(api: VendureApi, rows: Sequence[CatalogueRow], locations: Mapping[str, str]) -> dict[str, str]:
    """One product with one variant for each row; variant ids by SKU. `locations`: ids by shop, of `open_shop`."""
    taxes = _tax_categories(api)

    def load(some: list[CatalogueRow]) -> list[tuple[str, str]]:
        query, given = aliased("createProduct", "CreateProductInput!", "id", map(_product, some))
        products = [one["id"] for one in api.ask(query, **given).values()]
        variants = [_variant(row, product, taxes, locations) for row, product in zip(some, products, strict=True)]
        query = "mutation($i: [CreateProductVariantInput!]!) { createProductVariants(input: $i) { id sku } }"
        return [(one["sku"], one["id"]) for one in api.ask(query, i=variants)["createProductVariants"]]

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        return dict(pair for pairs in pool.map(load, _chunks(rows, PRODUCTS_AT_ONCE)) for pair in pairs)


def _tax_categories(api: VendureApi) -> dict[int, str]:
    rates = api.all("taxRates", "value category { id }")
    return {round(rate["value"] * 100): rate["category"]["id"] for rate in rates}


def _product(row: CatalogueRow) -> dict[str, Any]:
    slug = "".join(char if char.isalnum() else "-" for char in row.sku.lower())
    return {"translations": [{"languageCode": LANGUAGE, "name": row.name, "slug": slug, "description": ""}]}


def _variant(row: CatalogueRow, product: str, taxes: Mapping[int, str], places: Mapping[str, str]) -> dict[str, Any]:
    return {
        "productId": product, "sku": row.sku, "taxCategoryId": taxes[row.tax_rate_bp],
        "price": row.gross_minor,  # `prices` alone would be overwritten with 0 in the channel's own currency
        "stockLevels": [{"stockLocationId": places[shop], "stockOnHand": units} for shop, units in row.stock.items()],
        "translations": [{"languageCode": LANGUAGE, "name": row.name}], "customFields": {"ean": row.barcode or None},
    }


def load_customers(api: VendureApi, rows: Sequence[CustomerRow]) -> dict[str, str]:
    """Customers with consent, points and address; ids by e-mail address."""

    def load(some: list[CustomerRow]) -> list[tuple[str, str]]:
        query, given = aliased(
            "createCustomer", "CreateCustomerInput!", "... on Customer { id emailAddress }", map(_customer, some)
        )
        made = [(one["emailAddress"], one["id"]) for one in api.ask(query, **given).values() if one]
        ids = dict(made)
        homes = [(ids[row.email.lower()], row) for row in some if row.street and row.email.lower() in ids]
        if homes:
            _load_addresses(api, homes)
        return made

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        return dict(pair for pairs in pool.map(load, _chunks(rows, CUSTOMERS_AT_ONCE)) for pair in pairs)


def _customer(row: CustomerRow) -> dict[str, Any]:
    return {
        "emailAddress": row.email, "firstName": row.first_name, "lastName": row.last_name,
        "phoneNumber": row.phone or None,
        "customFields": {
            "emailConsent": row.consent, "emailConsentAt": row.consent_at, "emailConsentProof": row.consent_proof,
            "loyaltyCard": row.card, "loyaltyPoints": row.points,
        },
    }


def _load_addresses(api: VendureApi, homes: Sequence[tuple[str, CustomerRow]]) -> None:
    declared = ", ".join(f"$c{n}: ID!, $i{n}: CreateAddressInput!" for n in range(len(homes)))
    calls = " ".join(
        f"a{n}: createCustomerAddress(customerId: $c{n}, input: $i{n}) {{ id }}" for n in range(len(homes))
    )
    given: dict[str, Any] = {}
    for n, (customer, row) in enumerate(homes):
        given[f"c{n}"] = customer
        given[f"i{n}"] = {
            "streetLine1": row.street, "city": row.city, "postalCode": row.postcode, "countryCode": "FR",
            "defaultShippingAddress": True, "defaultBillingAddress": True,
        }
    api.ask(f"mutation({declared}) {{ {calls} }}", **given)


def set_price(api: VendureApi, variant: str, gross_minor: int) -> None:
    """Plant another price."""
    _update_variant(api, id=variant, prices=[{"currencyCode": CURRENCY, "price": gross_minor}])


def set_stock(api: VendureApi, variant: str, location: str, units: int) -> None:
    """Plant another level."""
    _update_variant(api, id=variant, stockLevels=[{"stockLocationId": location, "stockOnHand": units}])


def set_customer(api: VendureApi, customer: str, **fields: Any) -> None:
    """Plant other values of a customer, as UpdateCustomerInput names them (`customFields` among them)."""
    query = "mutation($i: UpdateCustomerInput!) { updateCustomer(input: $i) { __typename } }"
    found = api.ask(query, i={"id": customer, **fields})["updateCustomer"]
    if found["__typename"] != "Customer":
        raise RuntimeError(f"Vendure did not take the customer: {found['__typename']}")


def set_barcode(api: VendureApi, variant: str, barcode: str) -> None:
    """Plant another barcode."""
    _update_variant(api, id=variant, customFields={"ean": barcode})


def set_street(api: VendureApi, customer: str, street: str) -> None:
    """Plant another street in a customer's first address."""
    address = customer_of(api, customer)["addresses"][0]["id"]
    query = "mutation($i: UpdateAddressInput!) { updateCustomerAddress(input: $i) { id } }"
    api.ask(query, i={"id": address, "streetLine1": street})


def _update_variant(api: VendureApi, **given: Any) -> None:
    api.ask("mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id } }", i=[given])


def price_of(api: VendureApi, variant: str) -> int:
    """The stored price in cents, by the server's own word."""
    found = api.ask("query($id: ID!) { productVariant(id: $id) { prices { currencyCode price } } }", id=variant)
    return next(int(p["price"]) for p in found["productVariant"]["prices"] if p["currencyCode"] == CURRENCY)


def stock_of(api: VendureApi, variant: str) -> dict[str, tuple[int, int]]:
    """Units on hand and allocated, by location id."""
    query = (
        "query($id: ID!) { productVariant(id: $id) { stockLevels { stockLocationId stockOnHand stockAllocated } } }"
    )
    levels = api.ask(query, id=variant)["productVariant"]["stockLevels"]
    return {level["stockLocationId"]: (level["stockOnHand"], level["stockAllocated"]) for level in levels}


def customer_of(api: VendureApi, customer: str) -> dict[str, Any]:
    """A customer with custom fields and addresses."""
    query = (
        "query($id: ID!) { customer(id: $id) { emailAddress firstName lastName phoneNumber addresses { id streetLine1"
        " city postalCode defaultShippingAddress } customFields { emailConsent emailConsentAt emailConsentProof"
        " loyaltyCard loyaltyPoints } } }"
    )
    return dict(api.ask(query, id=customer)["customer"])


def _chunks(rows: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(rows)
    while some := list(islice(rest, size)):
        yield some
