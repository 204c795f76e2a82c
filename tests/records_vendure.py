"""Sound records of Vendure, as its reader leaves them in the raw tables: custom fields under the options' names."""

from typing import Any

AT = "2026-06-14T20:00:00.000Z"
Records = dict[str, dict[str, dict[str, Any]]]


def common() -> Records:
    """A shop whose prices hold the tax, and its one stock location."""
    channel = {"id": "1", "code": "shop", "token": "t0ken", "pricesIncludeTax": True, "defaultCurrencyCode": "EUR"}
    settings = {"trackInventory": True, "serverConfig": {"moneyStrategyPrecision": 2}}
    return {
        "shop": {"1": {"channel": channel, "settings": settings, "orderLocation": "2"}},
        "locations": {"2": {"id": "2", "updatedAt": AT, "name": "Paris"}},
    }


def sound(n: int) -> Records:
    """One item (two placed, one added, one cancelled, two sent) and one person with a card and a proven opt-in."""
    product, variant, level, customer, address = (str(k * 100_000 + n) for k in range(1, 6))
    order, line, box, event, change = (str(k * 100_000 + n) for k in range(6, 11))
    return {
        "variants": {variant: {
            "id": variant, "sku": f"SKU-{n}", "updatedAt": AT, "enabled": True, "trackInventory": "INHERIT",
            "prices": [{"currencyCode": "EUR", "price": 4990}], "taxRateApplied": {"value": 20},
            "options": [{"name": "Bleu"}], "product": {"id": product, "name": f"Robe {n}", "enabled": True},
            "customFields": {"gtin": f"B{n}"},
        }},
        "stock_levels": {variant: {
            "id": variant, "trackInventory": "INHERIT",
            "stockLevels": [
                {"id": level, "updatedAt": AT, "stockOnHand": 7, "stockAllocated": 1, "stockLocationId": "2"},
            ],
        }},
        "customers": {customer: {
            "id": customer, "createdAt": AT, "updatedAt": AT, "firstName": "Claire", "lastName": f"Martin{n}",
            "emailAddress": f"vendure{n}@example.fr", "phoneNumber": f"+336{n * 7919 % 10**8:08d}",
            "addresses": [{
                "id": address, "streetLine1": f"{n} rue Haute", "city": "Lyon", "postalCode": "69001",
                "country": {"code": "FR"}, "defaultShippingAddress": True, "defaultBillingAddress": True,
            }],
            "customFields": {
                "consent": True, "consentAt": AT, "consentProof": "double_opt_in", "card": f"CARD{n:06d}",
                "points": 12, "birthDate": "1980-02-01",
            },
        }},
        "orders": {order: {
            "id": order, "createdAt": AT, "updatedAt": AT, "orderPlacedAt": AT, "state": "Shipped",
            "currencyCode": "EUR", "totalWithTax": 9980, "customer": {"id": customer},
            "lines": [{
                "id": line, "productVariant": {"id": variant}, "quantity": 2, "orderPlacedQuantity": 2,
                "unitPriceWithTax": 4990,
            }],
            "fulfillments": [{"id": box, "state": "Shipped", "lines": [{"orderLineId": line, "quantity": 2}]}],
            "cancellations": {
                "totalItems": 1,
                "items": [{"id": event, "createdAt": AT, "data": {"lines": [{"orderLineId": line, "quantity": 1}]}}],
            },
            "modifications": [{"id": change, "createdAt": AT, "lines": [{"orderLineId": line, "quantity": 1}]}],
        }},
    }
