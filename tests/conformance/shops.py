"""The small shops of systems that the retailer of the sandbox's world does not use, with enough in them for the kit.

Those of the systems' own tests, filled up: more contacts than a page of a handful, orders of several moments. These
tests' modules are imported where a shop is made: that takes longer than most tests of the kit.
"""

from datetime import timedelta

from sandbox.records import Line, Order
from tests.channels.harness import Outside

CONTACTS = 40
"""More than Brevo's hands ask for in a page."""


def brevo() -> Outside:
    """A club of some forty."""
    from tests.channels.test_brevo import JUNE, club, customer

    world = club()
    world.vendor.put_customers(world.store, [customer(100 + number) for number in range(CONTACTS)], JUNE)
    return world


def woocommerce() -> Outside:
    """A shop with orders on several days."""
    from tests.channels.test_woocommerce import JUNE, furnished

    world = furnished()
    for number in range(3):
        at = JUNE + timedelta(days=1 + number)
        lines = (Line(str(9_100 + number), "101", 1, 4990),)
        world.vendor.put_orders(world.store, [Order(str(400 + number), "shop", "1", "EUR", lines, at, at)])
    return world


OWN_WORLDS = {"brevo": brevo, "woocommerce": woocommerce}
