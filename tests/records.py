"""Sound records of every system, in the vendors' own shapes, as extract leaves them in the raw tables.

`sound(system, number)` is one of everything that a system knows of one item and one person; the same numbers are the
same item and person in every system, and all systems agree. Tests spoil a field (`spoilt`) and `put` the records into
a warehouse that `mapped` has given an estate. Not a vendor's behaviour: that is the sandbox.
"""

import copy
import hashlib
import json
from collections.abc import Iterable
from typing import Any

import duckdb

from pipelines.channels import CHANNELS
from pipelines.configuration import TomlFile
from pipelines.estate import compile_estate, estate_of
from pipelines.policy import compile_policy, read_policy
from pipelines.tables import fill_table
from tests import records_odoo, records_vendure, records_woocommerce

Records = dict[str, dict[str, dict[str, Any]]]
"""Raw records by endpoint and id."""

SYSTEMS = ("square", "shopify", "hubspot", "mailchimp", "brevo")
AT = "2026-06-14T20:00:00.000Z"
PLACE, LIST = "gid://shopify/Location/1", "gid://shopify/PriceList/1"
SUBSCRIPTION, AUDIENCE, BREVO_LIST = "7", "a1b2c3d4e5", "7"
ESTATE = f"""
estate = {{ name = "maison", timezone = "Europe/Paris" }}
[systems]
square = {{ base_url = "https://square.example", shop_id = "M1", mode = {{ prices = "live", stock = "live" }} }}
shopify = {{ base_url = "https://shopify.example", shop_id = "S1", mode = {{ prices = "live", stock = "live" }} }}
hubspot = {{ base_url = "https://hubspot.example", shop_id = "H1", mode = {{ prices = "live" }} }}
mailchimp = {{ base_url = "https://mailchimp.example", shop_id = "C1" }}
brevo = {{ base_url = "https://brevo.example", shop_id = "B1" }}
[locations.paris]
authority = "square"
vendor_ids = {{ square = "LPARIS", shopify = "{PLACE}" }}
[price_lists.eur]
currency = "EUR"
vendor_ids = {{ square = "base", shopify = "base", hubspot = {{ id = "price", tax_basis = "net" }} }}
[price_lists.chf.vendor_ids]
square = "location:LGENEVE"
shopify = "{LIST}"
hubspot = {{ id = "hs_price_chf", tax_basis = "net" }}
[price_lists.chf]
currency = "CHF"
[audiences.newsletter.vendor_ids]
square = "email"
shopify = "email"
hubspot = "{SUBSCRIPTION}"
mailchimp = "{AUDIENCE}"
brevo = "{BREVO_LIST}"
"""
BREVO_NAMES = {
    "first_name": "PRENOM", "last_name": "NOM", "phone": "SMS", "street": "ADRESSE", "city": "VILLE",
    "postcode": "CODE_POSTAL", "country": "PAYS", "card": "CARTE_FIDELITE", "birth_date": "DATE_NAISSANCE",
    "loyalty_points": "POINTS",
}
"""What the Brevo account calls our fields."""
BREVO_TYPES = {"birth_date": "date", "loyalty_points": "float"}
_FIRST = ("Claire", "Hugo", "Inès", "Jules", "Léa", "Malo", "Nora", "Oscar", "Rose", "Sacha", "Tom", "Zoé")
_SYLLABLES = ("ba", "cho", "du", "fer", "gui", "lan", "mi", "net", "pau", "rou")


def gid(kind: str, number: int) -> str:
    """Shopify's name of a thing."""
    return f"gid://shopify/{kind}/{number}"


def names(number: int) -> tuple[str, str]:
    """First and last name of person `number`; no two persons have the same last name."""
    return _FIRST[number % len(_FIRST)], "".join(_SYLLABLES[int(digit)] for digit in str(number)).title()


def email(number: int) -> str:
    """The address of person `number`, the same in every system."""
    return f"{names(number)[1].lower()}{number}@example.fr"


def phone(number: int) -> str:
    """The phone of person `number`."""
    return f"+336{number * 7919 % 10**8:08d}"


def born_on(number: int) -> str:
    """The birth date of person `number`."""
    return f"{1950 + number * 7 % 50}-{1 + number * 5 % 12:02d}-{1 + number * 11 % 28:02d}"


def member_id(number: int) -> str:
    """Mailchimp's id of person `number`: the hash of the address."""
    return hashlib.md5(email(number).encode(), usedforsecurity=False).hexdigest()


def common(system: str) -> Records:
    """What all records of a system refer to."""
    if system == "square":
        tax = {"type": "TAX", "id": "T20", "tax_data": {"percentage": "20", "inclusion_type": "INCLUSIVE"}}
        return {"catalog_objects": {"T20": tax}, "locations": {"LPARIS": {"id": "LPARIS"}}}
    if system == "shopify":
        return {
            "shop": {gid("Shop", 1): {"id": gid("Shop", 1), "currencyCode": "EUR", "taxesIncluded": True}},
            "price_lists": {LIST: {"id": LIST, "currency": "CHF"}},
            "locations": {PLACE: {"id": PLACE}},
        }
    if system == "hubspot":
        definition = {"id": SUBSCRIPTION, "isActive": True, "communicationMethod": "Email"}
        account = {"portalId": 7, "companyCurrency": "EUR"}
        return {"account": {"7": account}, "definitions": {SUBSCRIPTION: definition}}
    if system == "odoo":
        return records_odoo.common()
    if system == "brevo":
        return {
            "lists": {BREVO_LIST: {"id": int(BREVO_LIST), "name": "La lettre"}},
            "attributes": {
                field: {"field": field, "name": name, "category": "normal", "type": BREVO_TYPES.get(field, "text")}
                for field, name in BREVO_NAMES.items()
            },
        }
    if system == "woocommerce":
        return records_woocommerce.common()
    if system == "vendure":
        return records_vendure.common()
    return {"lists": {AUDIENCE: {"id": AUDIENCE}}}


def sound(system: str, number: int) -> Records:
    """One item (sold once, one unit left behind) and one person of a system."""
    makers = {
        "square": _square, "shopify": _shopify, "hubspot": _hubspot, "mailchimp": _mailchimp, "brevo": _brevo,
        "odoo": records_odoo.sound, "woocommerce": records_woocommerce.sound,
        "vendure": records_vendure.sound,
    }
    return makers[system](number)


def spoilt(records: Records, endpoint: str, path: str, value: Any) -> Records:
    """The records with one value of one record set. `path`: keys and list positions, joined by dots; the endpoint's
    first record unless the endpoint names one ("orders:LineItem": the one whose id holds that word).
    """
    endpoint, _, word = endpoint.partition(":")
    found = copy.deepcopy(records)
    record: Any = next(payload for key, payload in found[endpoint].items() if word in key)
    *way, last = path.split(".")
    for step in way:
        record = record[int(step)] if isinstance(record, list) else record[step]
    record[int(last) if isinstance(record, list) else last] = value
    return found


def mapped(con: duckdb.DuckDBPyConnection) -> None:
    """Give a warehouse this estate, the default policy, and complete reads."""
    estate = estate_of(TomlFile("estate.toml", ESTATE))
    compile_estate(con, estate)
    compile_policy(con, read_policy(), estate, CHANNELS)
    entities = ("items", "prices", "stock", "customers", "consents", "orders")
    fill_table(con, "reads.verdicts", [(system, entity, True, "") for system in SYSTEMS for entity in entities])


def put(con: duckdb.DuckDBPyConnection, system: str, records: Iterable[Records]) -> None:
    """Replace what is in the raw tables of a system."""
    found: dict[str, dict[str, str]] = {}
    for some in records:
        for endpoint, payloads in some.items():
            rows = found.setdefault(endpoint, {})
            rows |= {key: json.dumps(payload) for key, payload in payloads.items()}
    con.execute(f"CREATE SCHEMA IF NOT EXISTS raw_{system}")
    for endpoint, rows in found.items():
        con.execute(
            f"CREATE OR REPLACE TABLE raw_{system}.{endpoint} AS SELECT unnest(?::VARCHAR[]) AS id, "
            "NULL::VARCHAR AS updated_at, unnest(?::VARCHAR[]) AS payload, TIMESTAMPTZ '2026-06-15 00:00Z' AS read_at",
            [list(rows), list(rows.values())],
        )


def _square(n: int) -> Records:
    variation = {
        "type": "ITEM_VARIATION", "id": f"V{n}", "version": n, "updated_at": AT, "is_deleted": False,
        "item_variation_data": {
            "item_id": f"I{n}", "name": "Bleu", "sku": f"SKU-{n}", "upc": "", "track_inventory": True,
            "pricing_type": "FIXED_PRICING", "price_money": {"amount": 4990, "currency": "EUR"},
            "location_overrides": [{"location_id": "LGENEVE", "price_money": {"amount": 5450, "currency": "CHF"}}],
        },
    }
    item = {"type": "ITEM", "id": f"I{n}", "version": n, "item_data": {"name": f"Robe {n}", "tax_ids": ["T20"]}}
    sale = {
        "id": f"M{n}", "catalog_object_id": f"V{n}", "location_id": "LPARIS", "from_state": "IN_STOCK",
        "to_state": "SOLD", "quantity": "1", "occurred_at": AT, "created_at": AT,
    }
    count = {
        "catalog_object_id": f"V{n}", "location_id": "LPARIS", "state": "IN_STOCK", "quantity": "7",
        "calculated_at": AT,
    }
    customer = {
        "id": f"C{n}", "given_name": names(n)[0], "family_name": names(n)[1], "email_address": email(n),
        "phone_number": phone(n), "reference_id": f"CARD{n:06d}", "birthday": born_on(n), "version": n,
        "created_at": AT, "updated_at": AT, "preferences": {"email_unsubscribed": False},
        "address": {"address_line_1": f"{n} rue Haute", "locality": "Lyon", "postal_code": "69001", "country": "FR"},
    }
    line = {
        "uid": f"L{n}", "catalog_object_id": f"V{n}", "quantity": "1",
        "base_price_money": {"amount": 4990, "currency": "EUR"},
    }
    order = {
        "id": f"O{n}", "location_id": "LPARIS", "customer_id": f"C{n}", "state": "COMPLETED", "created_at": AT,
        "updated_at": AT, "total_money": {"amount": 4990, "currency": "EUR"}, "line_items": [line],
    }
    return {
        "catalog_objects": {f"V{n}": variation, f"I{n}": item},
        "inventory_counts": {f"V{n}|LPARIS|IN_STOCK": count},
        "inventory_changes": {f"M{n}": {"type": "ADJUSTMENT", "adjustment": sale}},
        "customers": {f"C{n}": customer},
        "orders": {f"O{n}": order},
        "loyalty_accounts": {f"A{n}": {
            "id": f"A{n}", "program_id": "LOYALTY", "balance": 49, "customer_id": f"C{n}", "updated_at": AT,
        }},
        "loyalty_events": {f"E{n}": {
            "id": f"E{n}", "type": "ACCUMULATE_POINTS", "created_at": AT, "loyalty_account_id": f"A{n}",
            "accumulate_points": {"loyalty_program_id": "LOYALTY", "points": 49, "order_id": f"O{n}"},
        }},
    }


def _shopify(n: int) -> Records:
    variant_id, level_id = gid("ProductVariant", n), gid("InventoryLevel", n)
    order_id, line_id, pick_id = gid("Order", n), gid("LineItem", n), gid("FulfillmentOrder", n)
    variant = {
        "id": variant_id, "sku": f"SKU-{n}", "barcode": None, "title": "Default Title", "price": "49.90",
        "compareAtPrice": None, "requiresComponents": False, "updatedAt": AT,
        "product": {"id": gid("Product", n), "title": f"Robe {n}", "status": "ACTIVE", "productType": "Robes"},
        "inventoryItem": {
            "id": gid("InventoryItem", n), "tracked": True, "unitCost": {"amount": "20.0", "currencyCode": "EUR"},
        },
    }
    levels = (("available", 6), ("on_hand", 7), ("committed", 1))
    level = {
        "id": level_id, "updatedAt": AT, "item": {"id": gid("InventoryItem", n)}, "__parentId": PLACE,
        "quantities": [{"name": name, "quantity": units} for name, units in levels],
    }
    fixed = {
        "__parentId": LIST, "variant": {"id": variant_id}, "price": {"amount": "54.50", "currencyCode": "CHF"},
        "compareAtPrice": None,
    }
    customer = {
        "id": gid("Customer", n), "firstName": names(n)[0], "lastName": names(n)[1], "createdAt": AT, "updatedAt": AT,
        "defaultEmailAddress": {
            "emailAddress": email(n), "marketingState": "SUBSCRIBED", "marketingOptInLevel": "CONFIRMED_OPT_IN",
            "marketingUpdatedAt": AT,
        },
        "defaultPhoneNumber": {"phoneNumber": phone(n)},
        "defaultAddress": {
            "id": gid("MailingAddress", n), "address1": f"{n} rue Haute", "city": "Lyon", "zip": "69001",
            "countryCodeV2": "FR",
        },
        "card": {"value": f"CARD{n:06d}"}, "birthDate": {"value": born_on(n)},
    }
    order = {
        "id": order_id, "createdAt": AT, "updatedAt": AT, "cancelledAt": None,
        "displayFulfillmentStatus": "UNFULFILLED", "currencyCode": "EUR", "customer": {"id": gid("Customer", n)},
        "totalPriceSet": {"shopMoney": {"amount": "49.90"}},
    }
    line = {
        "id": line_id, "__parentId": order_id, "quantity": 1, "currentQuantity": 1, "unfulfilledQuantity": 1,
        "variant": {"id": variant_id}, "originalUnitPriceSet": {"shopMoney": {"amount": "49.90"}},
    }
    pick = {"id": pick_id, "__parentId": order_id, "status": "OPEN", "assignedLocation": {"location": {"id": PLACE}}}
    picked_id = gid("FulfillmentOrderLineItem", n)
    picked = {"id": picked_id, "__parentId": pick_id, "totalQuantity": 1, "lineItem": {"id": line_id}}
    return {
        "variants": {variant_id: variant},
        "inventory_levels": {f"{gid('InventoryItem', n)}|{PLACE}": level},
        "price_list_prices": {f"{LIST}|{variant_id}": fixed},
        "customers": {gid("Customer", n): customer},
        "orders": {order_id: order, line_id: line, pick_id: pick, picked_id: picked},
    }


def _hubspot(n: int) -> Records:
    product = {
        "id": f"{1000 + n}", "archived": False, "updatedAt": AT,
        "properties": {
            "name": f"Robe {n}", "hs_sku": f"SKU-{n}", "price": "41.58", "hs_price_chf": "45.42", "hs_price_jpy": None,
            "category": "Robes", "hs_status": "active", "hs_cost_of_goods_sold": "20.0",
        },
    }
    contact = {
        "id": f"{5000 + n}", "archived": False, "createdAt": AT, "updatedAt": AT,
        "properties": {
            "firstname": names(n)[0], "lastname": names(n)[1], "email": email(n), "phone": phone(n),
            "address": f"{n} rue Haute", "city": "Lyon", "zip": "69001", "country": "France",
            "loyalty_card": f"CARD{n:06d}", "date_of_birth": born_on(n), "hs_email_optout": "false",
            f"hs_email_optout_{SUBSCRIPTION}": "false",
            "hs_legal_basis": "Freely given consent from contact", "email_consent_at": AT, "email_consent_proof": "",
        },
    }
    return {"products": {product["id"]: product}, "contacts": {contact["id"]: contact}}


def _mailchimp(n: int) -> Records:
    member = {
        "id": member_id(n), "email_address": email(n), "status": "subscribed", "list_id": AUDIENCE,
        "timestamp_signup": AT, "timestamp_opt": AT, "ip_opt": "192.0.2.1", "last_changed": AT,
        "merge_fields": {
            "FNAME": names(n)[0], "LNAME": names(n)[1], "PHONE": phone(n), "CARD": f"CARD{n:06d}",
            "BIRTHDATE": born_on(n),
            "ADDRESS": {
                "addr1": f"{n} rue Haute", "addr2": "", "city": "Lyon", "state": "", "zip": "69001", "country": "FR",
            },
        },
    }
    return {"members": {f"{AUDIENCE}:{member_id(n)}": member}}


def _brevo(n: int) -> Records:
    contact = {
        "id": 7000 + n, "email": email(n), "emailBlacklisted": False, "smsBlacklisted": False, "createdAt": AT,
        "modifiedAt": AT, "listIds": [int(BREVO_LIST)], "listUnsubscribed": None,
        "attributes": {
            "PRENOM": names(n)[0], "NOM": names(n)[1], "SMS": phone(n).removeprefix("+"), "ADRESSE": f"{n} rue Haute",
            "VILLE": "Lyon", "CODE_POSTAL": "69001", "PAYS": "France", "CARTE_FIDELITE": f"CARD{n:06d}",
            "DATE_NAISSANCE": born_on(n), "POINTS": n,
        },
    }
    return {"contacts": {str(contact["id"]): contact}}
