"""A small webshop for the tests of the Shopify channel.

Three products of two variants, two locations, lists in CHF, JPY and USD, four customers (yes with proof, no, pending,
never asked), three orders (open, delivered with one unit back, cancelled).
"""

from datetime import timedelta
from typing import Any

import httpx

from pipelines.channels.shopify import SHOPIFY
from pipelines.channels.shopify.limiter import cost_of
from pipelines.channels.shopify.session import TOKEN
from pipelines.http import Answer
from sandbox.records import Consent, Customer, Item, Line, Order, Price, Stock
from sandbox.shopify import ShopifyVendor
from sandbox.vendor import Place, Settings
from tests.channels.harness import EPOCH, Outside, outside

JUNE = EPOCH - timedelta(days=10)
MAY = EPOCH - timedelta(days=40)
PARIS, LYON = "gid://shopify/Location/90000000", "gid://shopify/Location/90000001"
CHF, JPY, USD = (f"gid://shopify/PriceList/{n}" for n in (1, 2, 3))


def variant(number: int) -> str:
    return f"gid://shopify/ProductVariant/{4_000_000_000 + number}"


def product(number: int) -> str:
    return f"gid://shopify/Product/{7_000_000_000 + number}"


def stock_item(number: int) -> str:
    return f"gid://shopify/InventoryItem/{5_000_000_000 + number}"


def customer_id(number: int) -> str:
    return f"gid://shopify/Customer/{6_000_000_000 + number}"


def order_id(number: int) -> str:
    return f"gid://shopify/Order/{8_000_000_000 + number}"


def line_id(number: int) -> str:
    return f"gid://shopify/LineItem/{9_000_000_000 + number}"


def item(number: int, **rest: Any) -> Item:
    """Variant `number`; two to a product."""
    given = {
        "sku": f"SKU-{number}", "gtin": "", "title": f"Thing {number // 2}", "option": f"Size {number % 2}",
        "category": "things", "parent": product(number // 2), "inventory_key": stock_item(number),
    } | rest
    return Item(key=variant(number), vat_bp=2000, tax="gross", **given)


def customer(number: int, **rest: Any) -> Customer:
    given = {"first_name": "Anne", "last_name": f"Martin {number}", "email": f"anne{number}@example.fr"} | rest
    return Customer(key=customer_id(number), created_at=MAY, **given)


def empty(*, settings: Settings | None = None) -> Outside:
    """A shop with its places alone."""
    world = outside(ShopifyVendor(), SHOPIFY, TOKEN, settings=settings)
    places = [Place(PARIS, "Paris", "location"), Place(LYON, "Lyon", "location")]
    places += [Place(CHF, "Suisse", "price_list", "CHF"), Place(JPY, "Japon", "price_list", "JPY")]
    world.vendor.put_places(world.store, [*places, Place(USD, "USA", "price_list", "USD")], JUNE)
    return world


def shop(**rest: Any) -> Outside:
    """The small webshop."""
    world = empty(**rest)
    put, store = world.vendor, world.store
    put.put_items(store, [item(n, gtin="4006381333931" if n == 0 else "", cost=1250) for n in range(6)], JUNE)
    prices = [Price(variant(n), "base", "EUR", 4990 + n) for n in range(6)]
    prices += [Price(variant(0), CHF, "CHF", 5450, compare_at=6000), Price(variant(0), JPY, "JPY", 8200)]
    put.put_prices(store, [*prices, Price(variant(0), USD, "USD", 5590), Price(variant(1), CHF, "CHF", 5500)], JUNE)
    levels = [Stock(variant(n), place, 10 + n, 2) for n in range(6) for place in (PARIS, LYON)]
    put.put_stock(store, levels, JUNE)
    put.put_customers(store, [
        customer(1, consent=Consent("yes", JUNE, is_proven=True), phone="+33612345678", card="C-1", city="Lyon",
                 street="1 rue A", postcode="69001"),
        customer(2, consent=Consent("no", JUNE), phone="+33612345679"),
        customer(3, consent=Consent("pending", JUNE), birth_date="1980-02-29"),
        customer(4),
    ], JUNE)
    put.put_orders(store, [
        order(1, "open", [Line(line_id(1), variant(0), 2, 4990)]),
        order(2, "fulfilled", [Line(line_id(2), variant(1), 3, 4991, returned=1)]),
        order(3, "cancelled", [Line(line_id(3), variant(2), 1, 4992)]),
    ])
    return world


def order(number: int, state: Any, lines: list[Line], at: Any = JUNE) -> Order:
    return Order(order_id(number), PARIS, customer_id(1), "EUR", tuple(lines), MAY, at, state)


def context(number: int) -> dict[str, Any]:
    """The write context of a variant's corrections, as the stage gives it."""
    return {"product_id": product(number // 2)}


def level_context(number: int, place: str = PARIS) -> dict[str, Any]:
    """The write context of a level's corrections."""
    level = f"gid://shopify/InventoryLevel/{place.rpartition('/')[2]}?inventory_item_id={5_000_000_000 + number}"
    return {"inventory_item_id": stock_item(number), "level_id": level}


def watch_costs(world: Outside) -> list[tuple[float, float]]:
    """From now on, (points held ready, points the vendor asked for) of every request, in order."""
    limiter, seen, held = world.session._limiter, [], []
    acquire, observe = limiter.acquire, limiter.observe

    async def acquired(cost: float) -> None:
        held.append(cost)
        await acquire(cost)

    def observed(answer: Answer) -> None:
        if (cost := cost_of(answer)) is not None:
            seen.append((held[-1], cost.requested_query_cost))
        observe(answer)

    limiter.acquire, limiter.observe = acquired, observed  # type: ignore[method-assign]
    return seen


async def query(world: Outside, text: str, **variables: Any) -> dict[str, Any]:
    """A GraphQL request past the connector: the answer's whole body."""
    transport = httpx.ASGITransport(app=world.transport._inner.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox/shopify") as client:
        answer = await client.post(
            "/admin/api/2026-07/graphql.json", json={"query": text, "variables": variables},
            headers={"X-Shopify-Access-Token": "sandbox"},
        )
    assert answer.status_code == 200
    world.transport.hold(answer.request, answer)
    return dict(answer.json())
