"""Writes the real estate's `estate.toml`: an Odoo at the tills, with customers and mailings, a Vendure online.

Prices, levels and points are Odoo's word, barcodes and postal addresses Vendure's, so that each of the two is corrected
in something; everything else is as `policy.toml` has it.
"""

from collections.abc import Mapping
from pathlib import Path

ENTITIES = ("items", "prices", "stock", "customers", "consents")
_TEMPLATE = """\
# Written by `make real`, for the servers that it started.

[estate]
name = "real"
timezone = "Europe/Paris"

[systems.odoo]
base_url = "{odoo_url}"
shop_id = "{odoo_id}"
roles = ["pos", "crm", "email"]
mode = {{ {modes} }}

[systems.vendure]
base_url = "{vendure_url}"
shop_id = "{vendure_id}"
options = {{ {options} }}
mode = {{ {modes} }}
{places}
[price_lists.eur]
currency = "EUR"
tax_basis = "gross"
vendor_ids = {{ odoo = "list_price", vendure = "EUR" }}

[audiences.newsletter]
channel = "email"
vendor_ids = {{ odoo = ["{mailing_list}", "blacklist"], vendure = "email" }}

[policy.adopt]
never_agreed = "approve"

[policy.fields."items.gtin"]
sources = ["vendure", "odoo"]
targets = ["odoo", "vendure"]

[policy.fields."prices.amount"]
sources = ["odoo", "vendure"]
targets = ["odoo", "vendure"]

[policy.fields."customers.street"]
sources = ["vendure", "odoo"]
targets = ["odoo", "vendure"]

[policy.fields."customers.loyalty_points"]
sources = ["odoo"]
targets = ["odoo", "vendure"]
"""


def write_estate(
    path: Path, *, odoo: tuple[str, str], vendure: tuple[str, str], warehouses: Mapping[str, int],
    locations: Mapping[str, str], mailing_list: int, options: Mapping[str, str],
) -> None:
    """`odoo`, `vendure`: URL and shop id; `warehouses`, `locations`: each shop's id there."""
    places = "".join(
        f'\n[locations.{place_id(shop)}]\nauthority = "odoo"\n'
        f'vendor_ids = {{ odoo = "{warehouse}", vendure = "{locations[shop]}" }}\n'
        for shop, warehouse in warehouses.items()
    )
    path.write_text(
        _TEMPLATE.format(
            odoo_url=odoo[0], odoo_id=odoo[1], vendure_url=vendure[0], vendure_id=vendure[1], places=places,
            mailing_list=mailing_list, modes=", ".join(f'{entity} = "live"' for entity in ENTITIES),
            options=", ".join(f'{name} = "{value}"' for name, value in options.items()),
        ),
        encoding="utf-8",
    )


def place_id(shop: str) -> str:
    """Our own id of a shop: its name in plain small letters."""
    return "".join(letter for letter in shop.lower() if letter.isascii() and letter.isalnum())
