"""Sound records of WooCommerce, as its reader leaves them in the raw tables: numbered, and with the zone left out."""

from typing import Any

AT = "2026-06-14T20:00:00"
Records = dict[str, dict[str, dict[str, Any]]]


def common() -> Records:
    """A French shop whose prices hold the tax, and what the estate says of its plugins."""
    said = {
        "woocommerce_currency": "EUR", "woocommerce_default_country": "FR", "woocommerce_calc_taxes": "yes",
        "woocommerce_prices_include_tax": "yes", "option:consent_meta_key": "newsletter",
        "option:consent_no_words": "unsubscribed",
        "option:card_meta_key": "card", "option:birth_date_meta_key": "born",
    }
    rate = {"id": 1, "country": "FR", "state": "", "postcode": "", "city": "", "postcodes": [], "cities": [],
            "rate": "20.0000", "class": "standard"}
    return {"settings": {key: {"id": key, "value": value} for key, value in said.items()}, "taxes": {"1": rate}}


def _sold(number: int, sku: str) -> dict[str, Any]:
    return {
        "id": number, "sku": sku, "global_unique_id": "", "status": "publish", "regular_price": "49.90",
        "sale_price": "39.90", "date_on_sale_from_gmt": AT, "date_on_sale_to_gmt": AT, "tax_status": "taxable",
        "tax_class": "", "manage_stock": True, "stock_quantity": 7, "date_modified_gmt": AT,
    }


def sound(n: int) -> Records:
    """Two items (one a variation), the first sold twice and once taken back, and one person."""
    own, parent, variation = 10_000 + n, 20_000 + n, 30_000 + n
    person, order, line, refund, back = 40_000 + n, 50_000 + n, 60_000 + n, 70_000 + n, 80_000 + n
    named = {"name": f"Robe {n}", "categories": [{"name": "Robes"}]}
    return {
        "products": {
            str(own): _sold(own, f"SKU-{n}") | named | {"type": "simple", "variations": []},
            str(parent): {"id": parent, "type": "variable", "status": "publish", "variations": [variation], **named},
        },
        "variations": {str(variation): {
            "parent_id": parent, "variation": _sold(variation, f"SKU-{n}-B") | {"attributes": [{"option": "Bleu"}]},
        }},
        "customers": {str(person): {
            "id": person, "first_name": "Anne", "last_name": f"Martin{n}", "email": f"woo{n}@example.fr",
            "billing": {"phone": "0612345678", "address_1": f"{n} rue Haute", "city": "Lyon", "postcode": "69001",
                        "country": "FR"},
            "meta_data": [{"key": "card", "value": f"CARD{n:06d}"}, {"key": "born", "value": "1980-02-01"},
                          {"key": "newsletter", "value": "yes"}],
            "date_created_gmt": AT, "date_modified_gmt": AT,
        }},
        "orders": {
            str(order): {
                "id": order, "status": "completed", "currency": "EUR", "total": "99.80", "customer_id": person,
                "prices_include_tax": True, "date_created_gmt": AT, "date_modified_gmt": AT,
                "refunds": [{"id": refund}],
                "line_items": [{
                    "id": line, "product_id": own, "variation_id": 0, "quantity": 2, "subtotal": "83.16",
                    "subtotal_tax": "16.64", "meta_data": [{"key": "_restock_refunded_items", "value": "1"}],
                }],
            },
            f"refund:{refund}": {"order_id": order, "refund": {
                "id": refund, "date_created_gmt": AT,
                "line_items": [{
                    "id": back, "quantity": -1, "meta_data": [{"key": "_refunded_item_id", "value": str(line)}],
                }],
            }},
        },
    }
