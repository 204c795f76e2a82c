"""The retailer's places: shops, warehouse, price lists, audiences, with each vendor's id and our own.

Some exist in one system only and are left out of the estate on purpose (`ours` is None): a drop-ship location and a
USD price list in Shopify, a pop-up stand in Square, a competition's audience in the e-mail tool, HubSpot's invitations.
"""

from dataclasses import dataclass

from sandbox.vendor import Place
from sandbox.world.settings import WorldSettings

_SHOPS = (
    ("paris-rivoli", "Paris Rivoli"), ("geneve", "Genève Rive"), ("lyon-bellecour", "Lyon Bellecour"),
    ("bordeaux-sainte-catherine", "Bordeaux Sainte-Catherine"), ("lille-vieille-bourse", "Lille Vieille Bourse"),
    ("nantes-crebillon", "Nantes Crébillon"), ("marseille-paradis", "Marseille Paradis"),
    ("strasbourg-gutenberg", "Strasbourg Gutenberg"), ("toulouse-capitole", "Toulouse Capitole"),
    ("nice-massena", "Nice Masséna"), ("rennes-lices", "Rennes Lices"), ("dijon-liberte", "Dijon Liberté"),
)
GENEVA = 1
"""Index of the shop that sells in CHF."""

SQUARE_CHF = "location:LGENEVE"
SHOPIFY_CHF = "gid://shopify/PriceList/1"
SHOPIFY_JPY = "gid://shopify/PriceList/2"
SHOPIFY_USD = "gid://shopify/PriceList/3"
MAILCHIMP_LIST = "a1b2c3d4e5"
MAILCHIMP_OTHER = "0f9e8d7c6b"
BREVO_LIST = "7"
BREVO_OTHER = "12"
HUBSPOT_NEWSLETTER = "318273641"
HUBSPOT_INVITATIONS = "318273642"
AUDIENCES = {
    "square": "email", "shopify": "email", "hubspot": HUBSPOT_NEWSLETTER, "mailchimp": MAILCHIMP_LIST,
    "brevo": BREVO_LIST,
}
"""vendor_audience_id of each system's newsletter consent."""


@dataclass(frozen=True, slots=True)
class Location:
    """One place that holds stock. A system that does not know it has ''."""

    ours: str | None
    name: str
    square: str
    shopify: str
    currency: str = "EUR"
    safety: int = 0


def locations(settings: WorldSettings) -> list[Location]:
    """Shops first (Geneva second), then the warehouse, Shopify's drop-shipper, Square's pop-up stand."""
    places = []
    for index in range(settings.shops):
        ours, name = _SHOPS[index] if index < len(_SHOPS) else (f"boutique-{index + 1}", f"Boutique {index + 1}")
        square = "L" + ours.replace("-", "").upper()
        currency = "CHF" if index == GENEVA else "EUR"
        places.append(Location(ours, name, square, _shopify_location(index), currency, 0 if index == GENEVA else 1))
    count = settings.shops
    places.append(Location("entrepot", "Entrepôt de Gennevilliers", "LENTREPOT", _shopify_location(count), safety=2))
    places.append(Location(None, "Drop-ship Hangzhou", "", _shopify_location(count + 1)))
    places.append(Location(None, "Stand éphémère", "LSTAND", ""))
    return places


def _shopify_location(index: int) -> str:
    return f"gid://shopify/Location/{90_000_000 + index}"


def override_list(settings: WorldSettings) -> str:
    """Square's price list of the one EUR shop that overrides prices; the estate does not map it."""
    return f"location:{locations(settings)[min(2, settings.shops - 1) if settings.shops > 2 else 0].square}"


def places_of(system: str, settings: WorldSettings) -> list[Place]:
    """The places that a vendor knows; none of one that has no part in the world."""
    known = locations(settings)
    if system == "square":
        return [Place(p.square, p.name, "location", p.currency) for p in known if p.square]
    if system == "shopify":
        lists = ((SHOPIFY_CHF, "Suisse", "CHF"), (SHOPIFY_JPY, "Japon", "JPY"), (SHOPIFY_USD, "États-Unis", "USD"))
        return [Place(p.shopify, p.name, "location") for p in known if p.shopify] + [
            Place(key, name, "price_list", currency) for key, name, currency in lists
        ]
    if system == "hubspot":
        return [Place(HUBSPOT_NEWSLETTER, "Lettre d'information", "subscription"),
                Place(HUBSPOT_INVITATIONS, "Invitations", "subscription")]
    if system == "brevo":
        return [Place(BREVO_LIST, "La lettre", "audience"), Place(BREVO_OTHER, "Jeu-concours", "audience")]
    if system == "mailchimp":
        return [Place(MAILCHIMP_LIST, "La lettre", "audience"), Place(MAILCHIMP_OTHER, "Jeu-concours", "audience")]
    return []
