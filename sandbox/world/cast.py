"""Which system plays which part at this retailer: till, webshop, CRM, e-mail tool.

Tables and dice of the world are by part, and a part goes by the name of the system that plays it by default. So a world
whose e-mail tool is another has the same people, the same slips and the same days, as far as its tool can hold them.
"""

from sandbox.world.settings import WorldSettings

PARTS = ("square", "shopify", "hubspot", "mailchimp")
"""Till, webshop, CRM, e-mail tool; their order is that of bits and dice."""
EMAIL = "mailchimp"
_PART_OF = {"brevo": EMAIL}
_KEEPS_PROOF = frozenset({"mailchimp"})


def cast_of(settings: WorldSettings) -> tuple[str, ...]:
    """The systems of a world, in the order of their parts."""
    players = {"shopify": settings.webshop, EMAIL: settings.email}
    return tuple(players.get(part, part) for part in PARTS)


def part_of(system: str) -> str:
    """The part that a system plays, in whichever world."""
    return _PART_OF.get(system, system)


def is_email_tool(system: str) -> bool:
    """Whether a system knows people by their address alone, and for its sake."""
    return part_of(system) == EMAIL


def keeps_proof(system: str) -> bool:
    """Whether an e-mail tool keeps when somebody agreed, and how: without that nothing is proven there."""
    return system in _KEEPS_PROOF
