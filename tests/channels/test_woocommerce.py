"""WooCommerce, both sides: the channel against the sandbox in process, its description, and the traps of VENDORS.md."""

from datetime import timedelta

from pipelines.channels.woocommerce import WOOCOMMERCE
from pipelines.channels.woocommerce.session import KEY
from sandbox.records import Consent, Customer, Item, Line, Order, Price, Stock
from sandbox.vendor import Settings
from sandbox.woocommerce import WoocommerceVendor
from tests.channels.harness import EPOCH, Outside, outside

JUNE = EPOCH - timedelta(days=10)
MAY = EPOCH - timedelta(days=40)


def item(key: int, parent: int | None = None, **rest) -> Item:
    given = {
        "sku": f"SKU-{key}", "gtin": "", "title": f"Robe {parent or key}", "option": "Bleu" if parent else "",
        "category": "Robes", "vat_bp": 2000, "tax": "gross",
    } | rest
    return Item(key=str(key), parent=str(parent or key), **given)


def customer(number: int, **rest) -> Customer:
    given = {
        "first_name": "Anne", "last_name": f"Martin {number}", "email": f"anne{number}@example.fr",
        "phone": "06 12 34 56 78", "street": "1 rue X", "city": "Lyon", "postcode": "69001", "created_at": MAY,
    } | rest
    return Customer(key=str(number), **given)


def woocommerce(*, settings: Settings | None = None, vendor: WoocommerceVendor | None = None, **rest) -> Outside:
    """A shop with its settings and nothing else."""
    world = outside(vendor or WoocommerceVendor(), WOOCOMMERCE, KEY, settings=settings, **rest)
    world.vendor.put_places(world.store, [], MAY)
    return world


def shop(**rest) -> Outside:
    """A product of its own (101), a variable one (200) with two variations (201, 202), a customer and an order."""
    world = woocommerce(**rest)
    world.vendor.put_items(world.store, [item(101, gtin="4006381333931"), item(201, 200), item(202, 200)], MAY)
    world.vendor.put_prices(
        world.store, [Price("101", "base", "EUR", 4990), Price("201", "base", "EUR", 1990, 2490),
                      Price("202", "base", "EUR", 1990)], JUNE,
    )
    world.vendor.put_stock(world.store, [Stock(key, "shop", 7) for key in ("101", "201", "202")], JUNE)
    world.vendor.put_customers(
        world.store, [customer(1, card="C-1", birth_date="1980-02-01", consent=Consent("yes"))], JUNE
    )
    lines = (Line("9001", "101", 2, 4990), Line("9002", "202", 3, 1990, returned=1))
    world.vendor.put_orders(world.store, [Order("301", "shop", "1", "EUR", lines, JUNE, JUNE)])
    return world


# -- reads --------------------------------------------------------------------------------------------------


async def test_census_reads_every_record_once():
    world = shop()
    assert [row.id for row in await world.rows("products")] == ["101", "200"]
    assert [row.id for row in await world.rows("variations")] == ["201", "202"]
    assert [row.id for row in await world.rows("customers")] == ["1"]
    assert [row.id for row in await world.rows("orders")] == ["301", "refund:1000000301"]
    assert len(await world.rows("taxes")) == 4
    assert len(await world.rows("settings")) == 4
    assert world.transport.checked == len(world.transport.exchanges)


async def test_what_is_staged_is_what_the_world_put_in(con):
    world = shop(options={"consent_meta_key": "newsletter_consent", "card_meta_key": "loyalty_card",
                          "birth_date_meta_key": "birth_date"})
    print(await world.stage(con))
    print(con.execute("SELECT * FROM quarantine.woocommerce").fetchall())
    for name in ("items", "prices", "stock", "customers", "consents", "orders", "order_lines", "movements"):
        print(name, con.execute(f"SELECT * FROM woocommerce.{name}").fetchall())
