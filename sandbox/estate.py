"""Writes the sandbox's `estate.toml`: what a retailer would type by hand to tell trueup about these systems.

    [estate]                     name, timezone, clock = the systems' own
    [systems.<system>]           base_url, shop_id, options, mode = live for every entity it can be written in
    [locations.<ours>]           authority, safety_stock, hold_hours, vendor_ids
    [price_lists.<ours>]         currency, tax_basis, vendor_ids
    [audiences.<purpose>]        channel, vendor_ids
    [policy]                     the first night is approved by policy; caps that fit the world's size

Left unmapped on purpose: Shopify's drop-ship location and USD list, Square's pop-up stand and its override for one EUR
shop, the e-mail tool's competition audience, HubSpot's invitations.
"""

from collections.abc import Iterator
from pathlib import Path

from sandbox.brevo import ORGANIZATION
from sandbox.world.cast import cast_of
from sandbox.world.places import (
    AUDIENCES,
    SHOPIFY_CHF,
    SHOPIFY_JPY,
    SQUARE_CHF,
    locations,
)
from sandbox.world.settings import CAP_FLOOR_ROWS, CAP_SHARE_PCT, HOLD_HOURS, TIMEZONE, WorldSettings

SHOP_IDS = {
    "square": "MLSANDBOXSQUARE",
    "shopify": "gid://shopify/Shop/1",
    "hubspot": "26260001",
    "mailchimp": "sandbox",
    "brevo": ORGANIZATION,
}
"""Each shop's id as its own API says it."""

OPTIONS = {"shopify": {"points_per_second": "1000"}}
MODES = {
    "square": ("items", "prices", "stock", "customers", "consents"),
    "shopify": ("items", "prices", "stock", "customers", "consents"),
    "hubspot": ("prices", "customers", "consents"),
    "mailchimp": ("customers", "consents"),
    "brevo": ("customers", "consents"),
}


def estate_toml(settings: WorldSettings, base_url: str) -> str:
    """The file's text, for systems served under `base_url`/<system>."""
    return "\n".join(_lines(settings, base_url.rstrip("/"))) + "\n"


def write_estate(folder: Path, settings: WorldSettings, base_url: str) -> Path:
    """Write `<folder>/estate.toml`; returns its path."""
    path = folder / "estate.toml"
    path.write_text(estate_toml(settings, base_url), encoding="utf-8")
    return path


def _lines(settings: WorldSettings, base_url: str) -> Iterator[str]:
    yield "# The sandbox's estate, as its retailer would have typed it. Written by `python -m sandbox create`."
    yield from ("", "[estate]", 'name = "sandbox"', f'timezone = "{TIMEZONE}"', 'clock = "systems"')
    cast = cast_of(settings)
    for system in cast:
        yield from ("", f"[systems.{system}]", f'base_url = "{base_url}/{system}"', f'shop_id = "{SHOP_IDS[system]}"')
        if system in OPTIONS:
            yield f"options = {_inline(OPTIONS[system])}"
        yield f"mode = {_inline(dict.fromkeys(MODES[system], 'live'))}"
    for place in locations(settings):
        if place.ours is not None:
            yield from ("", f"[locations.{place.ours}]", 'authority = "square"', f"safety_stock = {place.safety}")
            yield f"hold_hours = {HOLD_HOURS}"
            yield f"vendor_ids = {_inline({'square': place.square, 'shopify': place.shopify})}"
    yield from ("", "[price_lists.eur]", 'currency = "EUR"', 'tax_basis = "gross"')
    yield 'vendor_ids = { square = "base", shopify = "base", hubspot = { id = "price", tax_basis = "net" } }'
    yield from ("", "[price_lists.chf]", 'currency = "CHF"', 'tax_basis = "gross"')
    chf = f'square = "{SQUARE_CHF}", shopify = "{SHOPIFY_CHF}"'
    yield f'vendor_ids = {{ {chf}, hubspot = {{ id = "hs_price_chf", tax_basis = "net" }} }}'
    yield from ("", "[price_lists.jpy]", 'currency = "JPY"', 'tax_basis = "gross"')
    yield f'vendor_ids = {{ shopify = "{SHOPIFY_JPY}", hubspot = {{ id = "hs_price_jpy", tax_basis = "net" }} }}'
    audiences = {system: AUDIENCES[system] for system in cast}
    yield from ("", "[audiences.newsletter]", 'channel = "email"', f"vendor_ids = {_inline(audiences)}")
    yield from ("", "[policy.adopt]", 'never_agreed = "approve"')
    most = max(500, settings.variants, settings.persons)
    for entity, share in CAP_SHARE_PCT.items():
        yield from ("", f"[policy.caps.{entity}]", f"max_share_pct = {share}", f"floor_rows = {CAP_FLOOR_ROWS}")
        yield f"max_rows = {most}"


def _inline(table: dict[str, str]) -> str:
    return "{ " + ", ".join(f'{name} = "{value}"' for name, value in table.items()) + " }"
