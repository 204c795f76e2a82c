"""Sound records of Odoo, as its reader leaves them in the raw tables: what is `false` for want of a value is null."""

from typing import Any

AT = "2026-06-14 20:00:00"
Records = dict[str, dict[str, dict[str, Any]]]


def common() -> Records:
    """A shop with a register, the tax, a mailing list."""
    return {
        "taxes": {"5": {"id": 5, "amount": 20.0, "amount_type": "percent", "price_include": True, "active": True}},
        "units": {"1": {"id": 1, "factor": 1.0}},
        "warehouses": {"1": {"id": 1, "name": "Paris", "active": True}},
        "locations": {
            "2": {"id": 2, "usage": "customer", "warehouse_id": None},
            "8": {"id": 8, "usage": "internal", "warehouse_id": 1},
        },
        "registers": {"3": {"id": 3, "picking_type_id": 4}},
        "picking_types": {"4": {"id": 4, "warehouse_id": 1}},
        "lists": {"7": {"id": 7, "active": True}},
    }


def sound(n: int) -> Records:
    """One item (sold twice, one taken back) and one person with a card, a subscription and a lifted ban."""
    product, move, back = 10_000 + n, 20_000 + n, 500_000 + n
    partner, card, contact, subscription = 30_000 + n, 40_000 + n, 50_000 + n, 60_000 + n
    order, line, returned, ban, quant = 70_000 + n, 80_000 + n, 90_000 + n, 100_000 + n, 200_000 + n
    email = f"odoo{n}@example.fr"
    return {
        "products": {str(product): {
            "id": product, "default_code": f"SKU-{n}", "barcode": f"B{n}", "name": f"Robe {n}",
            "product_tmpl_id": [product, f"Robe {n}"], "categ_id": [9, "Robes"],
            "type": "consu", "is_storable": True, "uom_id": [1, "Units"], "list_price": 49.9, "price_extra": 0.0,
            "standard_price": 20.0, "currency_id": [125, "EUR"], "taxes_id": [5], "active": True, "sale_ok": True,
            "write_date": AT,
        }},
        "quants": {str(quant): {
            "id": quant, "product_id": product, "location_id": 8, "quantity": 7.0, "reserved_quantity": 1.0,
            "write_date": AT,
        }},
        "moves": {
            str(move): {
                "id": move, "product_id": product, "product_uom": 1, "location_id": 8, "location_dest_id": 2,
                "quantity": 2.0, "is_inventory": False, "inventory_name": "sold", "date": AT, "write_date": AT,
            },
        },
        "partners": {str(partner): {
            "id": partner, "name": f"Claire Martin{n}", "email": email, "phone": f"+336{n * 7919 % 10**8:08d}",
            "street": f"{n} rue Haute", "city": "Lyon", "zip": "69001", "country_code": "FR", "barcode": f"CARD{n:06d}",
            "is_company": False, "active": True, "create_date": AT, "write_date": AT,
        }},
        "loyalty_cards": {str(card): {
            "id": card, "partner_id": partner, "program_id": 1, "points": 12.5, "active": True, "write_date": AT,
        }},
        "loyalty_history": {str(card): {
            "id": card, "card_id": card, "issued": 12.5, "used": 0.0, "order_model": "pos.order", "order_id": order,
            "create_date": AT, "write_date": AT,
        }},
        "contacts": {str(contact): {"id": contact, "email": email, "write_date": AT}},
        "subscriptions": {str(subscription): {
            "id": subscription, "contact_id": contact, "list_id": 7, "opt_out": True, "opt_out_datetime": AT,
            "write_date": AT,
        }},
        "blacklist": {str(ban): {
            "id": ban, "email": f"gone{n}@example.fr", "active": True, "write_date": AT,
        }},
        "orders": {str(order): {
            "id": order, "config_id": [3, "Paris"], "partner_id": [partner, "Claire"], "state": "paid",
            "amount_total": 99.8, "currency_id": [125, "EUR"], "date_order": AT, "write_date": AT,
        }},
        "order_lines": {
            str(line): {
                "id": line, "order_id": order, "product_id": product, "qty": 2.0, "price_unit": 49.9,
                "price_subtotal_incl": 99.8, "refunded_orderline_id": None, "write_date": AT,
            },
            str(returned): {
                "id": returned, "order_id": back, "product_id": product, "qty": -1.0, "price_unit": 49.9,
                "price_subtotal_incl": -49.9, "refunded_orderline_id": line, "write_date": AT,
            },
        },
    }
