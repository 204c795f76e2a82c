"""The ids that each vendor would mint, made from plain numbers, and back. The world alone relies on their form."""

from hashlib import md5

SHOPIFY_VARIANT = 4_000_000_000
SHOPIFY_INVENTORY = 5_000_000_000
SHOPIFY_CUSTOMER = 6_000_000_000
SHOPIFY_PRODUCT = 7_000_000_000
SHOPIFY_ORDER = 8_000_000_000
SHOPIFY_LINE = 12_000_000_000
HUBSPOT_PRODUCT = 20_000_000_000
HUBSPOT_CONTACT = 30_000_000_000


def square_variation(number: int) -> str:
    """The sellable variation."""
    return f"V{number + 1:08d}"


def square_item(product: int) -> str:
    """The item above the variations."""
    return f"I{product + 1:08d}"


def shopify_variant(number: int) -> str:
    """The ProductVariant's gid."""
    return f"gid://shopify/ProductVariant/{SHOPIFY_VARIANT + number}"


def shopify_product(product: int) -> str:
    """The Product's gid."""
    return f"gid://shopify/Product/{SHOPIFY_PRODUCT + product}"


def shopify_inventory(number: int) -> str:
    """The InventoryItem's gid."""
    return f"gid://shopify/InventoryItem/{SHOPIFY_INVENTORY + number}"


def hubspot_product(number: int) -> str:
    """The product object's id."""
    return str(HUBSPOT_PRODUCT + number)


def square_order(number: int) -> str:
    """A till's order."""
    return f"O{number + 1:010d}"


def square_line(order: int, line: int) -> str:
    """A line of a till's order."""
    return f"O{order + 1:010d}-{line + 1}"


def square_movement(number: int) -> str:
    """An entry of the inventory log."""
    return f"M{number + 1:012d}"


def shopify_order(number: int) -> str:
    """The Order's gid."""
    return f"gid://shopify/Order/{SHOPIFY_ORDER + number}"


def shopify_line(number: int) -> str:
    """The LineItem's gid."""
    return f"gid://shopify/LineItem/{SHOPIFY_LINE + number}"


def customer(system: str, number: int, email: str) -> str:
    """A customer record's id in one system; Mailchimp's follows from the address."""
    if system == "brevo":
        return str(number + 1)
    if system == "square":
        return f"C{number + 1:08d}"
    if system == "shopify":
        return f"gid://shopify/Customer/{SHOPIFY_CUSTOMER + number}"
    if system == "hubspot":
        return str(HUBSPOT_CONTACT + number)
    return md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def item_number(system: str, key: str) -> int:
    """Which variant a vendor's item id stands for; beyond the catalogue for extra rows."""
    if system == "square":
        return int(key[1:]) - 1
    if system == "shopify":
        return int(key.rsplit("/", 1)[1]) - SHOPIFY_VARIANT
    return int(key) - HUBSPOT_PRODUCT


def item_key(system: str, number: int) -> str:
    """The vendor's id of a variant."""
    return {"square": square_variation, "shopify": shopify_variant, "hubspot": hubspot_product}[system](number)
