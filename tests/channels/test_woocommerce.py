"""WooCommerce, both sides: the channel against the sandbox in process, its description, and the traps of VENDORS.md."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from pipelines.channels.base import Page, Window
from pipelines.channels.woocommerce import WOOCOMMERCE
from pipelines.channels.woocommerce.lists import PAGE, read_list
from pipelines.channels.woocommerce.session import API, KEY
from pipelines.errors import ConfigurationError, FatalChannelError
from pipelines.extract import extract_all
from pipelines.stage import stage_system
from pipelines.stage_cursors import commit_cursors
from sandbox.records import Consent, Customer, Item, Line, Order, Price, Stock
from sandbox.vendor import Settings
from sandbox.woocommerce import WoocommerceVendor, api
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


OPTIONS = {
    "consent_meta_key": "newsletter_consent", "card_meta_key": "loyalty_card", "birth_date_meta_key": "birth_date",
}


def furnished() -> Outside:
    """The same with goods for several small pages, orders of several days, and what plugins keep."""
    world, keys = shop(options=OPTIONS), [str(number) for number in range(1, 21)]
    world.vendor.put_items(world.store, [item(int(key)) for key in keys], MAY)
    world.vendor.put_prices(world.store, [Price(key, "base", "EUR", 2990) for key in keys], JUNE)
    world.vendor.put_stock(world.store, [Stock(key, "shop", 3) for key in keys], JUNE)
    world.vendor.put_customers(world.store, [customer(number) for number in range(2, 14)], JUNE)
    days = [JUNE + timedelta(days=day) for day in (1, 2, 3)]
    world.vendor.put_orders(world.store, [
        Order(f"31{n}", "shop", "1", "EUR", (Line(f"91{n}", "1", 1, 2990),), day, day) for n, day in enumerate(days)
    ])
    return world


def crowd(world: Outside, count: int) -> list[str]:
    """Products of their own, a second apart."""
    for number in range(1, count + 1):
        world.vendor.put_items(world.store, [item(number)], MAY + timedelta(seconds=number))
    return [str(number) for number in range(1, count + 1)]


def paging(world: Outside, endpoint: str, since: datetime | None = None) -> AsyncIterator[Page]:
    """The pages of a read, one after the other, so that the shop can change between them."""
    found = next(e for e in WOOCOMMERCE.endpoints if e.name == endpoint)
    return found.read(world.session, Window(since, world.clock.now()))


def queries(world: Outside, path: str) -> list[dict[str, str]]:
    """What was asked of one list, without the signature."""
    return [
        {name: value for name, value in request.url.params.items() if not name.startswith("oauth_")}
        for request, _ in world.transport.exchanges if request.url.path.endswith(path)
    ]


async def ask(world: Outside, path: str, **params: Any) -> Any:
    """One list, as JSON."""
    return (await world.session.get(f"{API}/{path}", params=params)).json()


# -- reads --------------------------------------------------------------------------------------------------


async def test_census_reads_every_record_once():
    world = shop()
    assert [row.id for row in await world.rows("products")] == ["101", "200"]
    assert [row.id for row in await world.rows("variations")] == ["201", "202"]
    assert [row.id for row in await world.rows("customers")] == ["1"]
    assert [row.id for row in await world.rows("orders")] == ["301", "refund:1000000301"]
    assert len(await world.rows("taxes")) == 4
    assert [row.id for row in await world.rows("settings")] == [
        "woocommerce_currency", "woocommerce_default_country", "woocommerce_calc_taxes",
        "woocommerce_prices_include_tax",
    ]


async def test_each_read_declares_its_total_and_a_row_says_of_what_it_is():
    world = shop()
    assert {page.total for page in await world.pages("products")} == {2}
    assert {page.total for page in await world.pages("variations")} == {None, 2}
    assert {page.total for page in await world.pages("orders")} == {None, 2}
    row = (await world.rows("variations"))[0]
    payload = json.loads(row.payload)
    assert (payload["parent_id"], payload["variation"]["id"]) == (200, 201)
    assert row.updated_at == "2026-06-04T20:00:00Z", "the vendor leaves the zone out"
    refund = json.loads((await world.rows("orders"))[1].payload)
    assert refund["order_id"] == 301 and refund["refund"]["line_items"][0]["quantity"] == -1


async def test_what_is_staged_is_what_the_world_put_in(con):
    world = shop(options=OPTIONS)
    assert await world.stage(con) == {
        "woocommerce.consents": 1, "woocommerce.customers": 1, "woocommerce.items": 3, "woocommerce.movements": 3,
        "woocommerce.order_lines": 2, "woocommerce.orders": 1, "woocommerce.prices": 3, "woocommerce.stock": 3,
    }
    assert con.execute("SELECT * FROM quarantine.woocommerce").fetchall() == []
    prices = con.execute(
        "SELECT vendor_id, vendor_price_list, currency, CAST(amount_minor AS VARCHAR), "
        "CAST(compare_at_minor AS VARCHAR) FROM woocommerce.prices"
    ).fetchall()
    assert sorted(prices) == sorted(world.vendor.observe_prices(world.store))
    levels = con.execute("SELECT vendor_id, vendor_location_id, available, available FROM woocommerce.stock").fetchall()
    assert sorted(levels) == sorted(world.vendor.observe_stock(world.store))
    person = con.execute(
        "SELECT vendor_id, first_name, last_name, email, phone, street, city, postcode, country, card, "
        "CAST(birth_date AS VARCHAR) FROM woocommerce.customers"
    ).fetchone()
    found = next(world.vendor.observe_customers(world.store))
    assert person == (
        found.key, found.first_name, found.last_name, found.email, found.phone, found.street, found.city,
        found.postcode, found.country, found.card, found.birth_date,
    )
    assert con.execute("SELECT state, has_proof FROM woocommerce.consents").fetchall() == [("yes", False)]
    lines = con.execute("SELECT vendor_item_id, quantity, returned, unit_minor FROM woocommerce.order_lines").fetchall()
    assert sorted(lines) == [("101", 2, 0, 4990), ("202", 3, 1, 1990)]
    moves = con.execute("SELECT vendor_id, kind, quantity FROM woocommerce.movements").fetchall()
    assert sorted(moves) == [("101", "order", -2), ("202", "order", -3), ("202", "restock", 1)]


@pytest.mark.parametrize(
    ("words", "state"), [("", "unknown"), (" ", "unknown"), ("Off, NO", "no"), ("unsubscribed", "unknown")]
)
async def test_an_unticked_box_is_a_withdrawal_only_where_the_estate_says_so(con, words, state):
    world = shop(options=OPTIONS | {"consent_no_words": words})
    world.vendor.put_customers(world.store, [customer(1, consent=Consent("no"))], JUNE)
    await world.stage(con)
    assert con.execute("SELECT state, vendor_state FROM woocommerce.consents").fetchall() == [(state, "no")]


def test_a_yes_is_no_word_for_a_withdrawal_and_that_is_said_before_anything_is_read():
    with pytest.raises(ConfigurationError, match="consent_no_words names '1', which is a yes; take it out") as raised:
        shop(options=OPTIONS | {"consent_no_words": "0, 1"})
    assert "[systems.woocommerce.options]" in str(raised.value)


async def test_without_options_no_permission_card_or_birth_date_is_made_up(con):
    world = shop()
    assert (await world.stage(con))["woocommerce.consents"] == 0
    assert con.execute("SELECT card, birth_date FROM woocommerce.customers").fetchall() == [(None, None)]


@pytest.mark.parametrize(
    ("vendor", "basis", "rate"),
    [
        (WoocommerceVendor(), "gross", 2000), (WoocommerceVendor(includes_tax=False), "net", 2000),
        (WoocommerceVendor(has_taxes=False), "gross", None),
    ],
    ids=["with the tax", "without it", "a shop without taxes"],
)
async def test_whether_prices_hold_the_tax_is_the_shops_own_word(con, vendor, basis, rate):
    world = shop(vendor=vendor)
    await world.stage(con)
    found = con.execute("SELECT DISTINCT tax_basis, tax_rate_bp FROM woocommerce.prices").fetchall()
    assert found == [(basis, rate)]
    assert con.execute("SELECT unit_minor FROM woocommerce.order_lines ORDER BY vendor_id").fetchall() == [
        (4990,), (1990,)
    ], "on the basis of the shop's prices"


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 195, 196, 250])
async def test_a_page_that_is_exactly_full_is_not_taken_for_the_end(count):
    world = woocommerce()
    ids = crowd(world, count)
    assert [row.id for row in await world.rows("products")] == ids
    assert await world.counted("products") == count


async def test_a_shop_without_anything_says_that_there_is_nothing():
    world = woocommerce()
    for endpoint in ("products", "variations", "customers", "orders"):
        pages = await world.pages(endpoint)
        assert [row for page in pages for row in page.rows] == []
        assert {page.total for page in pages} == {0}


@pytest.mark.parametrize("gone", [1, 5, 6, 60, 99])
async def test_records_that_are_deleted_while_they_are_listed_hide_no_others(gone):
    world = woocommerce()
    ids = crowd(world, 320)
    pages = paging(world, "products")
    seen = [row.id for row in (await anext(pages)).rows]
    world.vendor.delete(world.store, "items", ids[:gone], EPOCH)
    seen += [row.id async for page in pages for row in page.rows]
    assert seen == ids, "each once, those that went away after they were read among them"


async def test_records_that_come_while_they_are_listed_are_read_too():
    world = woocommerce()
    ids = crowd(world, 150)
    pages = paging(world, "products")
    first = await anext(pages)
    world.vendor.put_items(world.store, [item(900 + n) for n in range(80)], EPOCH)
    rest = [page async for page in pages]
    assert [row.id for page in (first, *rest) for row in page.rows] == ids + [str(900 + n) for n in range(80)]
    assert (first.total, rest[-1].total) == (150, 230)


async def test_a_shop_that_is_emptied_while_it_is_listed_ends_the_read():
    world = woocommerce()
    ids = crowd(world, 250)
    pages = paging(world, "products")
    await anext(pages)
    world.vendor.delete(world.store, "items", ids, EPOCH)
    assert [row.id async for page in pages for row in page.rows] == []


async def test_pages_that_a_host_caps_without_a_word_are_no_end(monkeypatch):
    whole = api.page_of

    def capped(store, listing, query, *, parent=None):
        return whole(store, listing, {**query, "per_page": str(min(30, int(query.get("per_page", 10))))}, parent=parent)

    monkeypatch.setattr(api, "page_of", capped)
    world = woocommerce()
    ids = crowd(world, 130)
    assert [row.id for row in await world.rows("products")] == ids
    pages = paging(world, "products")
    seen = [row.id for row in (await anext(pages)).rows]
    world.vendor.delete(world.store, "items", ids[:29], EPOCH)
    assert seen + [row.id async for page in pages for row in page.rows] == ids


async def test_a_list_in_another_order_or_without_its_total_is_refused():
    world = shop()
    world.transport.answers = [httpx.Response(200, json=[{"id": 2}, {"id": 1}], headers={"X-WP-Total": "2"})]
    with pytest.raises(FatalChannelError, match="not in the order of ids"):
        await world.pages("products")
    world.transport.answers = [httpx.Response(200, json=[{"id": 1}])]
    with pytest.raises(FatalChannelError, match="drops X-WP-Total"):
        await world.pages("products")
    world.transport.answers = [httpx.Response(200, text="<br>PHP Warning: x<br>[]", headers={"X-WP-Total": "0"})]
    with pytest.raises(FatalChannelError, match="no list in JSON"):
        await world.pages("products")
    world.transport.answers = [httpx.Response(200, json={"id": 1}, headers={"X-WP-Total": "1"})]
    with pytest.raises(FatalChannelError, match="no list in JSON"):
        await world.pages("products")


# -- what changed since -------------------------------------------------------------------------------------


async def test_delta_reads_what_changed_at_or_after_the_cursor():
    world = shop()
    world.vendor.put_prices(world.store, [Price("101", "base", "EUR", 5990)], EPOCH, log=True)
    assert [row.id for row in await world.rows("products", EPOCH)] == ["101"]
    assert await world.rows("products", EPOCH + timedelta(seconds=1)) == []
    world.vendor.put_orders(world.store, [Order("302", "shop", "", "EUR", (), EPOCH, EPOCH)])
    assert [row.id for row in await world.rows("orders", EPOCH)] == ["302"]


async def test_trap_02_woocommerce_leaves_the_given_second_out_and_the_window_does_not():
    world = shop()
    world.vendor.put_prices(world.store, [Price("101", "base", "EUR", 5990)], EPOCH, log=True)
    second = EPOCH.strftime("%Y-%m-%dT%H:%M:%S")
    assert await ask(world, "products", modified_after=second, dates_are_gmt="true") == []
    assert [row.id for row in await world.rows("products", EPOCH)] == ["101"]


async def test_trap_dates_are_read_in_the_sites_own_time_unless_told_otherwise():
    world = shop()
    at = EPOCH - timedelta(hours=1)
    world.vendor.put_prices(world.store, [Price("101", "base", "EUR", 5990)], at, log=True)
    before = (at - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = [one["id"] for one in await ask(world, "products", modified_after=before)]
    assert 101 in found, "Paris is ahead of UTC, so the filter lets too much through"
    late = (at + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert 101 in [one["id"] for one in await ask(world, "products", modified_after=late)]
    await world.rows("products", EPOCH)
    asked = queries(world, "/products")[-1]
    assert asked["dates_are_gmt"] == "true" and asked["modified_after"] == "2026-06-14T19:59:59"


async def test_a_closed_window_ends_before_its_end():
    world = shop()
    for number, at in ((302, EPOCH - timedelta(days=2)), (303, EPOCH - timedelta(days=1))):
        world.vendor.put_orders(world.store, [Order(str(number), "shop", "", "EUR", (), at, at)])
    endpoint = next(e for e in WOOCOMMERCE.endpoints if e.name == "orders")
    window = Window(EPOCH - timedelta(days=2), EPOCH - timedelta(days=1), is_closed=True)
    rows = [row.id async for page in endpoint.read(world.session, window) for row in page.rows]
    assert rows == ["302"]


async def test_trap_variations_have_no_filter_by_date_and_are_found_by_their_product():
    world = shop()
    world.vendor.put_items(world.store, [item(301, 300), item(302, 300)], MAY)
    world.vendor.put_prices(world.store, [Price("202", "base", "EUR", 2990)], EPOCH, log=True)
    later = "2030-01-01T00:00:00"
    with world.transport.deviating("the description names no such filter"):
        found = await ask(world, "products/200/variations", modified_after=later, dates_are_gmt="true")
    assert [one["id"] for one in found] == [202, 201], "ignored without a word"
    assert [row.id for row in await world.rows("variations", EPOCH)] == ["201", "202"]
    asked = [path for path in world.transport.paths() if path.endswith("/variations")]
    assert asked[1:] == ["GET /woocommerce/wp-json/wc/v3/products/200/variations"], "of the changed product alone"


async def test_trap_what_an_import_sets_moves_no_date_and_is_found_by_the_census():
    world = shop()
    world.vendor.put_stock(world.store, [Stock("101", "shop", 3), Stock("201", "shop", 2)], EPOCH, log=True)
    assert await world.rows("products", JUNE + timedelta(seconds=1)) == []
    assert await world.rows("variations", JUNE + timedelta(seconds=1)) == []
    held = {row.id: json.loads(row.payload) for row in await world.rows("products") + await world.rows("variations")}
    assert held["101"]["stock_quantity"] == 3 and held["201"]["variation"]["stock_quantity"] == 2


async def test_trap_customers_ignore_the_filter_so_they_are_read_whole():
    world = shop()
    world.vendor.put_customers(world.store, [customer(2)], JUNE)
    with world.transport.deviating("the description names no such filter"):
        found = await ask(world, "customers", modified_after="2030-01-01T00:00:00", dates_are_gmt="true")
    assert len(found) == 2, "ignored without a word"
    endpoint = next(e for e in WOOCOMMERCE.endpoints if e.name == "customers")
    assert not endpoint.has_delta
    assert [row.id for row in await world.rows("customers", EPOCH)] == ["1", "2"]
    assert "modified_after" not in queries(world, "/customers")[-1]


async def test_trap_customers_of_other_roles_are_left_out_unless_asked_for():
    for options, expected in (({}, ["1"]), ({"customer_role": "all"}, ["1", "2"])):
        world = shop(options=options)
        world.vendor.put_customers(world.store, [customer(2)], JUNE)
        doc = world.store.get("woocommerce", "customers", "2")
        world.store.put("woocommerce", "customers", "2", doc.body | {"role": "subscriber"}, updated_at=JUNE)
        assert [row.id for row in await world.rows("customers")] == expected


async def test_a_deleted_variation_is_gone_from_its_products_list_and_from_stage(con):
    world = shop()
    await world.stage(con)
    world.vendor.delete(world.store, "items", ["202"], EPOCH)
    changed = await world.rows("products", EPOCH)
    assert [row.id for row in changed] == ["200"]
    con.execute("UPDATE raw_woocommerce.products SET payload = ? WHERE id = '200'", [changed[0].payload.decode()])
    stage_system(con, "woocommerce")
    assert con.execute("SELECT count(*) FROM raw_woocommerce.variations").fetchone() == (2,), "a delta forgets nothing"
    for table in ("items", "prices", "stock"):
        found = con.execute(f"SELECT vendor_id FROM woocommerce.{table} ORDER BY 1").fetchall()
        assert found == [("101",), ("201",)]


async def test_trap_04_a_trashed_product_is_only_missed_by_the_count():
    world = shop()
    assert await world.counted("products") == 2
    world.vendor.delete(world.store, "items", ["101"], EPOCH)
    assert await world.rows("products", EPOCH) == [] and await world.counted("products") == 1
    assert [row.id for row in await world.rows("products")] == ["200"]


async def test_a_product_that_is_deleted_between_the_lists_has_no_variations():
    world = shop()
    product = {"id": 200, "type": "variable", "variations": [201]}
    error = {"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
    world.transport.answers = [
        httpx.Response(200, json=[product], headers={"X-WP-Total": "1"}), httpx.Response(404, json=error),
    ]
    pages = await world.pages("variations")
    assert [row for page in pages for row in page.rows] == [] and {page.total for page in pages} == {0}


async def test_orders_go_back_as_far_as_the_option_says():
    world = shop(options={"orders_days": "5"})
    assert await world.rows("orders") == []
    world = shop(options={"orders_days": "11"})
    assert [row.id for row in await world.rows("orders")][:1] == ["301"]


async def test_guests_and_deleted_products_have_no_key(con):
    world = shop()
    lines = (Line("9005", "101", 1, 4990), Line("9006", "666", 1, 100))
    world.vendor.put_orders(world.store, [Order("305", "shop", "", "EUR", lines, JUNE, JUNE, "open")])
    await world.stage(con)
    order = con.execute("SELECT vendor_customer_id, state FROM woocommerce.orders WHERE vendor_id = '305'").fetchone()
    assert order == (None, "open")
    found = con.execute("SELECT vendor_item_id FROM woocommerce.order_lines WHERE order_id = '305' ORDER BY vendor_id")
    assert found.fetchall() == [("101",), (None,)]


async def test_a_list_of_more_records_than_a_page_is_read_under_a_product_too():
    world = woocommerce()
    world.vendor.put_items(world.store, [item(1000 + n, 500) for n in range(130)], MAY)
    assert len(await world.rows("variations")) == 130
    parts = [part async for part in read_list(world.session, "products/500/variations")]
    assert [len(part.records) for part in parts] == [PAGE, 30]


async def test_a_row_is_kept_whatever_shape_its_key_has():
    world = shop()
    records = [{"id": 5, "date_modified_gmt": 7}, {"id": "6"}, {"id": 0}, {"id": 8}]
    world.transport.answers = [httpx.Response(200, json=records, headers={"X-WP-Total": "4"})]
    rows = await world.rows("products")
    assert [row.id if row.id.isdigit() else "?" for row in rows] == ["5", "?", "?", "8"]
    assert rows[0].updated_at is None


@pytest.mark.parametrize("is_empty", [False, True], ids=["a shop", "an empty shop"])
def test_a_night_believes_every_read_and_the_next_one_reads_what_changed(con, tmp_path, is_empty):
    world = woocommerce() if is_empty else shop()

    def night(number: int) -> dict[str, tuple[str, str, int]]:
        verdicts = extract_all(
            con, [(WOOCOMMERCE, world.session)], night_id=f"n{number}", clock=world.clock, folder=tmp_path
        )
        stage_system(con, "woocommerce")
        commit_cursors(con, [WOOCOMMERCE], f"n{number}", now=world.clock.now())
        assert {v.endpoint: v.reason for v in verdicts if not v.is_complete} == {}
        return {v.endpoint: (v.kind, v.reason, v.row_count) for v in verdicts}

    assert {kind for kind, _, _ in night(1).values()} == {"census"}
    world.store.set_now(EPOCH + timedelta(days=1))
    if is_empty:
        return
    world.vendor.put_prices(world.store, [Price("202", "base", "EUR", 2990)], world.clock.now(), log=True)
    found = night(2)
    assert {name: kind for name, (kind, _, _) in found.items()} == {
        "settings": "census", "taxes": "census", "customers": "census", "products": "delta", "variations": "delta",
        "orders": "delta",
    }
    assert (found["products"][2], found["variations"][2], found["orders"][2]) == (1, 2, 0)
    world.store.set_now(EPOCH + timedelta(days=2))
    world.vendor.delete(world.store, "items", ["101"], world.clock.now())
    assert night(3)["products"] == ("census", "", 1), "more held than counted: read again, whole"
