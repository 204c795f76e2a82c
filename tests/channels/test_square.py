"""Square, both sides: the channel against the sandbox in process, its spec, its SDK, and the traps of VENDORS.md."""

import asyncio
import json
from datetime import date, timedelta

import httpx
import pytest
from square import Square

from pipelines import sql
from pipelines.channels.base import Connection
from pipelines.channels.square import SQUARE
from pipelines.channels.square.session import NEEDED_SCOPES, TOKEN, VERSION, connect, judge
from pipelines.errors import (
    AmbiguousWrite,
    ConfigurationError,
    CredentialError,
    FatalChannelError,
    RetriableChannelError,
)
from pipelines.http import Answer
from pipelines.model import OutcomeStatus
from sandbox.records import Consent, Customer, Item, Line, Movement, Order, Price, Promotion, Stock
from sandbox.square import SquareVendor
from sandbox.square.app import lock_catalogue
from sandbox.square.loyalty import put_loyalty
from sandbox.store import stamp
from sandbox.vendor import Place, Settings
from tests.channels.harness import EPOCH, Outside, outside, served
from tests.channels.square_points import account, event

PARIS, GENEVA = "LPARIS", "LGENEVE"
JUNE = EPOCH - timedelta(days=10)
MINUTE = timedelta(minutes=1)


def item(number: int, **rest) -> Item:
    given = {
        "sku": f"SKU-{number}", "gtin": "4006381333931", "title": f"Robe {number}", "option": "38", "category": "Robes",
        "vat_bp": 2000, "tax": "gross", "parent": f"I{number:08d}",
    } | rest
    return Item(key=f"V{number:08d}", **given)


def sale(*numbers: int) -> Promotion:
    items = tuple(variation(number) for number in numbers)
    return Promotion("PR1", "Soldes", items, 20, date(2026, 6, 15), date(2026, 6, 20))


def variation(number: int) -> str:
    return f"V{number:08d}"


def customer(number: int, **rest) -> Customer:
    given = {"first_name": "Anne", "last_name": f"Martin {number}", "email": f"anne{number}@example.fr"} | rest
    return Customer(key=f"C{number:08d}", **given)


def order(number: int, **rest) -> Order:
    given = {
        "location": PARIS, "customer": "C00000001", "currency": "EUR", "created_at": JUNE, "updated_at": JUNE,
        "lines": (Line("1", variation(1), 1, 4990),),
    } | rest
    return Order(key=f"O{number:010d}", **given)


def till(*, settings: Settings | None = None, options: dict[str, str] | None = None) -> Outside:
    """A merchant with a shop in Paris and one in Geneva."""
    world = outside(SquareVendor(), SQUARE, TOKEN, settings=settings, options=options)
    shops = [Place(PARIS, "Paris", "location"), Place(GENEVA, "Genève", "location", "CHF")]
    world.vendor.put_places(world.store, shops, JUNE)
    return world


def shop(**rest) -> Outside:
    """Three variations with prices, an override in Geneva, levels, and three customers."""
    world = till(**rest)
    put = world.vendor
    put.put_items(world.store, [item(1), item(2), item(3, tracked=False)], JUNE)
    put.put_prices(world.store, [Price(variation(n), "base", "EUR", 4990) for n in (1, 2, 3)], JUNE)
    put.put_prices(world.store, [Price(variation(1), f"location:{GENEVA}", "CHF", 5450)], JUNE)
    put.put_stock(world.store, [Stock(variation(n), place, 10) for n in (1, 2) for place in (PARIS, GENEVA)], JUNE)
    put.put_customers(
        world.store,
        [
            customer(1, consent=Consent("yes"), phone="06 12 34 56 78", street="1 rue de Metz", city="Lille"),
            customer(2, consent=Consent("no"), city="Lyon"),
            customer(3),
        ],
        JUNE,
    )
    return world


def version(world: Outside, key: str, kind: str = "catalog") -> str:
    return str(world.store.get("square", kind, key).body["version"])


def price(world: Outside, number: int, desired: str | None, sub: str = "base", currency: str = "EUR", **rest):
    seen = rest.pop("version", None) or version(world, variation(number))
    return world.correction(
        "prices", "amount", variation(number), desired, sub=sub, currency=currency, version=seen, **rest
    )


def level(world: Outside, number: int, desired: str, place: str = PARIS):
    return world.correction("stock", "on_hand", variation(number), desired, sub=place, observed="10")


def profile(world: Outside, number: int, field: str, desired: str | None, **rest):
    key = f"C{number:08d}"
    seen = rest.pop("version", None) or version(world, key, "customers")
    return world.correction("customers", field, key, desired, version=seen, **rest)


def catalog(world: Outside, number: int) -> dict:
    return world.store.get("square", "catalog", variation(number)).body


async def write(world: Outside, entity: str, corrections: list, key: str):
    """A write under a key of its own."""
    return await next(w for w in SQUARE.writers if w.entity == entity).write(world.session, corrections, key)


def statuses(outcomes) -> list[str]:
    return [outcome.status.value for outcome in outcomes]


@pytest.fixture
def short_pages(monkeypatch):
    """A hundred rows a page, so that a few hundred make several."""
    monkeypatch.setattr("pipelines.channels.square.reads.LIMIT", 100)


# -- reads --------------------------------------------------------------------------------------------------


async def test_census_reads_every_object_over_pages_of_a_thousand():
    world = till()
    world.vendor.put_items(world.store, [item(n) for n in range(1100)], JUNE)
    pages = await world.pages("catalog_objects")
    assert [len(page.rows) for page in pages] == [1000, 1000, 209]
    rows = await world.rows("catalog_objects")
    kinds = [json.loads(row.payload)["type"] for row in rows]
    counted = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counted == {"ITEM": 1100, "ITEM_VARIATION": 1100, "TAX": 8, "CATEGORY": 1}
    assert rows[-1].updated_at == stamp(JUNE) == json.loads(rows[-1].payload)["updated_at"]


async def test_the_other_endpoints_read_all_rows_under_their_keys(short_pages):
    world = shop()
    world.vendor.put_customers(world.store, [customer(n) for n in range(1, 251)], JUNE)
    world.vendor.put_stock(world.store, [Stock(variation(n), PARIS, n) for n in range(1, 121)], JUNE)
    world.vendor.put_movements(
        world.store,
        [Movement(f"M{n:04d}", variation(1), PARIS, "sale", -1, EPOCH - n * MINUTE) for n in range(150)],
    )
    world.vendor.put_orders(world.store, [order(n) for n in range(110)])
    customers = await world.pages("customers")
    assert [(len(page.rows), page.total) for page in customers] == [(100, 250), (100, 250), (50, 250)]
    assert [len(page.rows) for page in await world.pages("inventory_counts")] == [100, 22]
    assert [len(page.rows) for page in await world.pages("inventory_changes")] == [100, 50]
    assert [len(page.rows) for page in await world.pages("orders")] == [100, 10]
    counts = await world.rows("inventory_counts")
    assert f"{variation(1)}|{GENEVA}|IN_STOCK" in {row.id for row in counts}
    assert len(await world.rows("inventory_changes")) == 150 and len(await world.rows("orders")) == 110
    assert {row.id for row in await world.rows("locations")} == {PARIS, GENEVA}
    assert world.session.counters.throttled == 0


async def test_delta_reads_what_changed_at_or_after_the_cursor_and_nothing_else():
    world = shop()
    cursor = EPOCH - 5 * MINUTE
    world.vendor.put_prices(world.store, [Price(variation(2), "base", "EUR", 4490)], cursor, log=True)
    world.vendor.put_stock(world.store, [Stock(variation(2), PARIS, 3)], EPOCH)
    world.vendor.put_customers(world.store, [customer(3, city="Nice")], EPOCH)
    world.vendor.put_orders(world.store, [order(1, updated_at=JUNE), order(2, updated_at=EPOCH)])
    assert [row.id for row in await world.rows("catalog_objects", cursor)] == [variation(2)]
    assert [row.id for row in await world.rows("inventory_counts", cursor)] == [f"{variation(2)}|{PARIS}|IN_STOCK"]
    assert [row.id for row in await world.rows("customers", cursor)] == ["C00000003"]
    assert [row.id for row in await world.rows("orders", cursor)] == ["O0000000002"]
    assert await world.rows("inventory_changes", cursor) == []


def meddle(world: Outside, path: str, change) -> None:
    """`change()` is called after the first page of a read."""
    inner, is_first = world.transport.handle_async_request, True

    async def busy(request: httpx.Request) -> httpx.Response:
        nonlocal is_first
        answer = await inner(request)
        if is_first and request.url.path.endswith(path):
            is_first = False
            world.store.set_now(world.store.now() + timedelta(seconds=2))
            change()
        return answer

    world.transport.handle_async_request = busy


async def test_levels_sold_while_a_census_is_read_are_not_lost(short_pages):
    """Counts come newest first: what is sold jumps ahead of the cursor, out of every page still to come."""
    world, many = till(), 150
    world.vendor.put_items(world.store, [item(n) for n in range(1, many + 1)], JUNE)
    world.vendor.put_stock(world.store, [Stock(variation(n), PARIS, 10) for n in range(1, many + 1)], JUNE)
    sold = [1, 2, 3, many]

    def sell() -> None:
        levels = [Stock(variation(n), PARIS, 9) for n in sold]
        world.vendor.put_stock(world.store, levels, world.store.now())

    meddle(world, "counts/batch-retrieve", sell)
    rows = {row.id: json.loads(row.payload) for row in await world.rows("inventory_counts")}
    assert set(rows) == {f"{variation(n)}|{PARIS}|IN_STOCK" for n in range(1, many + 1)}
    lost = [n for n in sold if rows[f"{variation(n)}|{PARIS}|IN_STOCK"]["quantity"] == "9"]
    assert lost, "at least one was on a page still to come, and is there with what is left"
    assert world.transport.paths().count("POST /square/v2/inventory/counts/batch-retrieve") == 3


async def test_more_is_lost_while_the_end_of_a_census_is_read_and_that_is_read_too(short_pages):
    world, many = till(), 350
    world.vendor.put_stock(world.store, [Stock(variation(n), PARIS, 10) for n in range(many)], JUNE)
    calls = 0
    inner = world.transport.handle_async_request

    async def busy(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        answer, calls = await inner(request), calls + 1
        if calls in (1, 3):
            world.store.set_now(world.store.now() + MINUTE)
            levels = [Stock(variation(n), PARIS, 9) for n in range(150) if calls == 1 or n < 40]
            world.vendor.put_stock(world.store, levels, world.store.now())
            world.store.set_now(world.store.now() + MINUTE)
        return answer

    world.transport.handle_async_request = busy
    rows = await world.rows("inventory_counts")
    assert len(rows) == many and calls == 5, "2 pages without what was sold, 2 with it, 1 of what was sold then"


async def test_an_offline_sale_that_comes_in_while_changes_are_read_is_not_lost(short_pages):
    world = till()
    sales = [Movement(f"M{n:04d}", variation(1), PARIS, "sale", -1, EPOCH - n * MINUTE) for n in range(150)]
    world.vendor.put_movements(world.store, sales)
    late = Movement("LATE", variation(1), PARIS, "sale", -1, EPOCH - timedelta(hours=70))
    meddle(world, "changes/batch-retrieve", lambda: world.vendor.put_movements(world.store, [late]))
    rows = [row.id for row in await world.rows("inventory_changes")]
    assert len(rows) == 151 and "LATE" in rows


async def test_customers_renamed_while_the_list_is_read_are_not_lost():
    world = till()
    world.vendor.put_customers(world.store, [customer(n, first_name="Zoé") for n in range(150)], JUNE)
    renamed = [customer(n, first_name="Anne") for n in range(120, 150)]
    meddle(world, "/v2/customers", lambda: world.vendor.put_customers(world.store, renamed, world.store.now()))
    assert len(await world.rows("customers")) == 150
    first = await world.session.get("/v2/customers", params={"limit": 100})
    assert first.json()["customers"][0]["given_name"] == "Anne", "by default Square sorts by name"


async def test_more_than_ten_locations_are_asked_for_in_turns():
    world = till()
    world.vendor.put_places(world.store, [Place(f"L{n}", f"Shop {n}", "location") for n in range(12)], JUNE)
    world.vendor.put_orders(world.store, [order(n, location=f"L{n}") for n in range(12)])
    assert len(await world.rows("orders")) == 12


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"objects": [], "cursor": "again"}, "the cursor repeats"),
        ({"errors": [{"category": "API_ERROR", "code": "INTERNAL_SERVER_ERROR"}]}, "INTERNAL_SERVER_ERROR"),
        ({"objects": "none"}, "not the expected answer"),
    ],
    ids=["repeated cursor", "errors with status 200", "another shape"],
)
async def test_a_read_that_cannot_be_believed_raises(body, says):
    world = shop()
    world.transport.answers += [httpx.Response(200, json=body)] * 3
    with pytest.raises(FatalChannelError, match=says):
        await world.rows("catalog_objects")


async def test_identify_names_the_merchant_its_zone_and_its_scopes():
    identity = await SQUARE.identify(till().session)
    assert (identity.name, identity.timezone) == ("Maison Trueup", "Europe/Paris")
    assert identity.shop_id.startswith("ML") and identity.scopes >= NEEDED_SCOPES


async def test_stage_makes_our_tables_and_quarantines_bad_rows(con):
    world = shop()
    put = world.vendor
    put.put_items(world.store, [item(4, sku=" "), item(5, tax="net", vat_bp=550, kit=True, status="archived")], JUNE)
    put.put_prices(
        world.store,
        [Price(variation(4), "base", "EUR", "12,50"), Price(variation(5), "base", "EUR", -1),
         Price(variation(5), f"location:{GENEVA}", "CHF", 100)],
        JUNE,
    )
    put.put_promotions(world.store, [sale(1, 2)], JUNE)
    put.put_movements(world.store, [Movement("M1", variation(1), PARIS, "sale", -2, EPOCH)])
    put.put_customers(world.store, [customer(4, email="anne.example.fr")], JUNE)
    put.put_orders(world.store, [order(1, lines=(Line("1", variation(1), 2, 4990, returned=1),))])
    with world.transport.deviating("a price of 12,50 was planted"):
        built = await world.stage(con)
    assert built["square.items"] == 4 and built["square.customers"] == 3

    def rows(query):
        return con.execute(query).fetchall()

    assert rows("SELECT vendor_id, tax_basis, tax_rate_bp, is_kit, status FROM square.items WHERE is_kit") == [
        (variation(5), "net", 550, True, "archived")
    ]
    first = "WHERE vendor_id = 'V00000001' ORDER BY 1"
    assert rows(f"SELECT vendor_price_list, currency, amount_minor FROM square.prices {first}") == [
        ("base", "EUR", 4990), (f"location:{GENEVA}", "CHF", 5450)
    ]
    assert rows("SELECT count(*), min(percent), min(starts_on), max(ends_on) FROM square.promotions") == [
        (2, 20, date(2026, 6, 15), date(2026, 6, 20))
    ]
    assert rows(f"SELECT on_hand, is_tracked, vendor_location_id FROM square.stock {first}") == [
        (8, True, PARIS), (10, True, GENEVA)
    ]
    assert rows("SELECT kind, quantity FROM square.movements") == [("sale", -2)]
    assert rows("SELECT vendor_id, state FROM square.consents ORDER BY 1") == [
        ("C00000001", "yes"), ("C00000002", "no"), ("C00000003", "unknown")
    ]
    assert rows("SELECT state, total_minor FROM square.orders") == [("fulfilled", 9980)]
    assert rows("SELECT quantity, returned, unit_minor FROM square.order_lines") == [(2, 1, 4990)]
    assert rows("SELECT entity, vendor_id, vendor_sub_id, field, reason FROM quarantine.square ORDER BY 1, 2") == [
        ("customers", "C00000004", "", "email", "not an e-mail address"),
        ("items", variation(4), "", "sku", "blank"),
        ("prices", variation(4), "base", "amount", "not a whole number"),
        ("prices", variation(5), "base", "amount", "negative"),
    ]


async def test_over_long_texts_block_their_own_row_alone(con):
    world = shop()
    long = [item(4, title="x" * 501), item(5, sku="y" * 501), item(6, option="38" * 251)]
    world.vendor.put_items(world.store, long, JUNE)
    world.vendor.put_customers(world.store, [customer(4, last_name="z" * 501), customer(5, street="z" * 500)], JUNE)
    await world.stage(con)
    found = con.execute("SELECT vendor_id, field FROM quarantine.square WHERE value_class = 'too long' ORDER BY 1")
    assert found.fetchall() == [
        ("C00000004", "last_name"), (variation(4), "title"), (variation(5), "sku"), (variation(6), "option_title")
    ]


# -- writes -------------------------------------------------------------------------------------------------


async def test_prices_are_written_under_their_version_and_leave_the_rest_of_the_object_alone():
    world = shop()
    before = catalog(world, 1)
    corrections = [
        price(world, 1, "4490"), price(world, 1, "4900", f"location:{GENEVA}", "CHF"),
        price(world, 2, "4800", f"location:{GENEVA}", "CHF"),
    ]
    outcomes = await world.writer("prices")(corrections)
    assert statuses(outcomes) == ["applied"] * 3
    assert outcomes[0].version_after == version(world, variation(1))
    after = catalog(world, 1)
    assert after["item_variation_data"]["price_money"] == {"amount": 4490, "currency": "EUR"}
    changed = {"price_money", "location_overrides"}
    assert {k: v for k, v in after["item_variation_data"].items() if k not in changed} == {
        k: v for k, v in before["item_variation_data"].items() if k not in changed
    }
    assert [e["key"] for e in world.api_effects()] == [
        f"{variation(1)}|base", f"{variation(1)}|location:{GENEVA}", f"{variation(2)}|location:{GENEVA}"
    ]
    readings = await world.read_back("prices", corrections)
    assert [reading.value for reading in readings] == ["4490", "4900", "4800"]
    assert world.transport.paths().count("POST /square/v2/catalog/batch-upsert") == 1


@pytest.fixture
def short_batches(monkeypatch):
    """Batches of three objects, so that a call of a dozen has several."""
    monkeypatch.setattr("pipelines.channels.square.upserts.BATCH_MAX", 3)


def dozen() -> Outside:
    world = till()
    world.vendor.put_items(world.store, [item(n) for n in range(12)], JUNE)
    world.vendor.put_prices(world.store, [Price(variation(n), "base", "EUR", 4990) for n in range(12)], JUNE)
    return world


def upserts(world: Outside) -> list[dict]:
    """What was sent to the catalogue, call by call."""
    sent = [request for request, _ in world.transport.exchanges if request.url.path.endswith("batch-upsert")]
    return [json.loads(request.content) for request in sent]


async def test_ten_thousand_objects_go_in_one_call_of_batches_of_a_thousand(short_batches):
    assert [w.batch_max for w in SQUARE.writers if w.entity in ("items", "prices")] == [10_000] * 2
    world = dozen()
    outcomes = await world.writer("prices")([price(world, n, "4000") for n in range(11)])
    assert statuses(outcomes) == ["applied"] * 11
    [call] = upserts(world)
    assert [len(batch["objects"]) for batch in call["batches"]] == [3, 3, 3, 2]


async def test_of_several_batches_a_bad_one_alone_is_disregarded_and_taken_apart(short_batches):
    """A price below nothing is refused by Square: batch by batch, in halves, down to its own row."""
    world = dozen()
    corrections = [price(world, n, "4000") for n in range(12)]
    corrections[4] = price(world, 4, "4000", "location:LNOWHERE")
    outcomes = await world.writer("prices")(corrections)
    assert statuses(outcomes) == ["applied"] * 4 + ["rejected"] + ["applied"] * 7
    assert outcomes[4].code == "INVALID_VALUE"
    calls = upserts(world)
    ids = [[each["id"] for batch in call["batches"] for each in batch["objects"]] for call in calls]
    assert ids[0] == [variation(n) for n in range(12)] and set(map(len, ids[1:])) <= {1, 2}
    assert {key for some in ids[1:] for key in some} == {variation(n) for n in (3, 4, 5)}, "the others went on"
    assert len({call["idempotency_key"] for call in calls}) == len(calls)
    assert len(world.api_effects()) == 11, "nothing is written twice"


async def test_several_batches_after_a_lost_answer_go_again_as_the_same_bytes(short_batches):
    world = dozen()
    corrections = [price(world, n, "4000") for n in range(12)]
    sent, inner = [], world.transport.handle_async_request

    async def losing(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("batch-upsert"):
            sent.append(await request.aread())
            if len(sent) < 3:
                raise httpx.ReadTimeout("lost on the way there")
        return await inner(request)

    world.transport.handle_async_request = losing
    assert statuses(await write(world, "prices", corrections, "key-7")) == ["applied"] * 12
    assert len(sent) == 3 and len(set(sent)) == 1 and len(world.api_effects()) == 12
    assert statuses(await write(world, "prices", corrections, "key-7")) == ["applied"] * 12
    assert len(sent) == 3, "what stands there already is not sent again"


async def test_a_call_that_went_half_through_is_finished_under_another_key(short_batches):
    world = dozen()
    corrections = [price(world, n, "4000") for n in range(12)]
    assert statuses(await write(world, "prices", corrections[:6], "key-7")) == ["applied"] * 6
    assert statuses(await write(world, "prices", corrections, "key-7")) == ["applied"] * 12
    first, second = upserts(world)
    assert first["idempotency_key"] != second["idempotency_key"] and len(world.api_effects()) == 12


async def test_a_version_that_moved_is_stale_even_where_the_price_did_not():
    world = shop()
    correction = price(world, 1, "4490", observed="4990")
    world.vendor.put_items(world.store, [item(1, option="40")], EPOCH)
    assert statuses(await world.writer("prices")([correction, price(world, 2, "4400")])) == ["stale", "applied"]
    assert catalog(world, 1)["item_variation_data"]["price_money"]["amount"] == 4990


async def test_a_version_that_moves_between_reading_and_writing_is_stale():
    world = shop()
    correction = price(world, 1, "4490")
    held = catalog(world, 1)
    world.vendor.put_prices(world.store, [Price(variation(1), "base", "EUR", 4700)], EPOCH)
    world.transport.answers.append(httpx.Response(200, json={"objects": [held]}))
    [outcome] = await world.writer("prices")([correction])
    assert (outcome.status, outcome.code) == (OutcomeStatus.STALE, "VERSION_MISMATCH")
    assert world.api_effects() == []


async def test_a_batch_with_a_bad_row_is_refused_whole_and_a_bad_row_alone_is_rejected():
    world = shop()
    bad = price(world, 2, "4400", "location:LNOWHERE")
    with pytest.raises(FatalChannelError) as refused:
        await world.writer("prices")([price(world, 1, "4490"), bad])
    assert (refused.value.status, refused.value.code) == (400, "INVALID_VALUE")
    assert world.api_effects() == []
    [outcome] = await world.writer("prices")([bad])
    assert (outcome.status, outcome.code) == (OutcomeStatus.REJECTED, "INVALID_VALUE")


@pytest.mark.parametrize(
    ("desired", "rest", "code"),
    [
        (None, {}, "NOT_AN_AMOUNT"), ("-5", {}, "NOT_AN_AMOUNT"), ("12,50", {}, "NOT_AN_AMOUNT"),
        ("100", {"currency": "CHF"}, "CURRENCY_MISMATCH"),
    ],
)
async def test_a_price_that_is_none_is_rejected_without_a_call(desired, rest, code):
    world = shop()
    [outcome] = await world.writer("prices")([price(world, 1, desired, **rest)])
    assert (outcome.status, outcome.code) == (OutcomeStatus.REJECTED, code)
    assert world.transport.paths() == ["POST /square/v2/catalog/batch-retrieve"]


async def test_a_correction_without_a_version_or_a_record_is_rejected():
    world = shop()
    blind = world.correction("prices", "amount", variation(1), "1", sub="base", currency="EUR")
    outcomes = await world.writer("prices")([blind, price(world, 9, "1", version="3")])
    assert [(o.status, o.code) for o in outcomes] == [
        (OutcomeStatus.REJECTED, "NO_VERSION"), (OutcomeStatus.REJECTED, "NOT_FOUND")
    ]


async def test_the_same_batch_again_after_a_lost_answer_changes_nothing_more():
    world = shop()
    corrections = [price(world, 1, "4490"), price(world, 2, "4490")]
    await world.writer("prices")(corrections)
    effects = len(world.api_effects())
    again = await world.writer("prices")(corrections)
    assert [(o.status, o.code) for o in again] == [(OutcomeStatus.APPLIED, "ALREADY")] * 2
    assert len(world.api_effects()) == effects


async def test_gtins_are_written_and_read_back():
    world = shop()
    correction = world.correction(
        "items", "gtin", variation(1), "04006381333948", version=version(world, variation(1))
    )
    assert statuses(await world.writer("items")([correction])) == ["applied"]
    assert [r.value for r in await world.read_back("items", [correction])] == ["04006381333948"]
    assert catalog(world, 1)["item_variation_data"]["price_money"]["amount"] == 4990


async def test_stock_is_set_by_a_count_that_carries_its_correction():
    world = shop()
    corrections = [level(world, 1, "7"), level(world, 2, "0", GENEVA)]
    assert statuses(await world.writer("stock")(corrections)) == ["applied", "applied"]
    assert [r.value for r in await world.read_back("stock", corrections)] == ["7", "0"]
    counts = [json.loads(row.payload)["physical_count"] for row in await world.rows("inventory_changes")]
    assert [(c["quantity"], c["reference_id"]) for c in counts] == [(c.desired, c.correction_key) for c in corrections]
    assert {(e["field"], e["before"], e["after"]) for e in world.api_effects()} == {
        ("on_hand", "10", "7"), ("on_hand", "10", "0")
    }


async def test_the_same_counts_again_under_their_key_are_the_same_bytes():
    world = shop()
    await world.writer("stock")([level(world, 1, "7")])
    world.store.set_now(world.store.now() + MINUTE)
    assert statuses(await world.writer("stock")([level(world, 1, "7")])) == ["applied"]
    sent = [request.content for request, _ in world.transport.exchanges]
    assert sent[0] == sent[1] and len(world.api_effects()) == 1


async def test_a_key_used_with_another_body_is_in_doubt_and_read_back_never_overwritten():
    world = shop()
    await world.writer("stock")([level(world, 1, "7")])
    with pytest.raises(AmbiguousWrite) as doubt:
        await world.writer("stock")([level(world, 1, "6")])
    assert doubt.value.code == "IDEMPOTENCY_KEY_REUSED"
    assert [r.value for r in await world.read_back("stock", [level(world, 1, "7")])] == ["7"]


async def test_a_sale_while_a_count_is_under_way_is_carried_forward():
    world = shop()
    world.vendor.put_movements(world.store, [Movement("M9", variation(1), PARIS, "sale", -1, EPOCH)])
    [outcome] = await world.writer("stock")([level(world, 1, "7")])
    assert (outcome.status, outcome.code) == (OutcomeStatus.APPLIED, "MOVED_SINCE")
    assert [r.value for r in await world.read_back("stock", [level(world, 1, "7")])] == ["6"]


async def test_a_level_never_counted_has_no_value_and_a_bad_quantity_is_rejected():
    world = shop()
    assert [r.value for r in await world.read_back("stock", [level(world, 3, "1")])] == [None]
    outcomes = await world.writer("stock")([level(world, 1, "-1"), level(world, 2, "5")])
    assert statuses(outcomes) == ["rejected", "applied"]


async def test_a_count_of_a_variation_that_is_gone_refuses_the_batch_and_alone_is_rejected():
    world = shop()
    with pytest.raises(FatalChannelError):
        await world.writer("stock")([level(world, 1, "4"), level(world, 9, "4")])
    assert world.api_effects() == []
    [outcome] = await write(world, "stock", [level(world, 9, "4")], "key-2")
    assert (outcome.status, outcome.code) == (OutcomeStatus.REJECTED, "NOT_FOUND")


async def test_customer_fields_go_in_one_update_each_and_the_rest_of_the_address_stays():
    world = shop()
    corrections = [
        profile(world, 1, "city", "Roubaix"), profile(world, 1, "phone", "+33612345679"),
        profile(world, 2, "first_name", "Anna"), profile(world, 1, "postcode", None),
    ]
    assert statuses(await world.writer("customers")(corrections)) == ["applied"] * 4
    held = world.store.get("square", "customers", "C00000001").body
    assert held["address"] == {"address_line_1": "1 rue de Metz", "locality": "Roubaix", "country": "FR"}
    assert (held["phone_number"], held["version"]) == ("+33612345679", 1)
    readings = await world.read_back("customers", corrections)
    assert [r.value for r in readings] == ["Roubaix", "+33612345679", "Anna", None]
    assert world.store.get("square", "customers", "C00000001").body["preferences"] == {"email_unsubscribed": False}


async def test_bad_customers_do_not_stop_the_others():
    world = shop()
    corrections = [
        profile(world, 1, "phone", "12"), profile(world, 2, "city", "Metz"),
        profile(world, 3, "city", "Nice", version="7"), profile(world, 9, "city", "Nice", version="0")
    ]
    outcomes = await world.writer("customers")(corrections)
    assert [(o.status.value, o.code) for o in outcomes] == [
        ("rejected", "INVALID_PHONE_NUMBER"), ("applied", ""), ("stale", "CONFLICT"), ("rejected", "NOT_FOUND")
    ]
    assert [reading.exists for reading in await world.read_back("customers", corrections)] == [True, True, True, False]


async def test_a_lost_answer_to_customers_is_ambiguous_and_the_same_update_finds_its_own_value():
    world = shop()
    corrections = [profile(world, 2, "first_name", "Anna")]
    world.transport.answers.append(httpx.ReadTimeout("lost"))
    with pytest.raises(AmbiguousWrite):
        await world.writer("customers")(corrections)
    await world.writer("customers")(corrections)
    [again] = await world.writer("customers")(corrections)
    assert (again.status, again.code) == (OutcomeStatus.APPLIED, "ALREADY")
    assert len(world.api_effects()) == 1


async def test_a_write_without_any_answer_is_ambiguous_and_a_retried_one_is_applied_once():
    world = shop()
    upsert = [httpx.Response(200, json={"objects": [catalog(world, 1)]})]
    world.transport.answers += [*upsert, *[httpx.Response(500)] * 5]
    with pytest.raises(AmbiguousWrite):
        await world.writer("prices")([price(world, 1, "4490")])
    world.transport.answers += [*upsert, httpx.ReadTimeout("lost"), httpx.Response(503)]
    assert statuses(await world.writer("prices")([price(world, 1, "4490")])) == ["applied"]
    assert len(world.api_effects()) == 1


async def test_reads_back_by_id_and_says_what_is_gone():
    world = shop()
    world.vendor.delete(world.store, "items", [variation(2)], EPOCH)
    world.vendor.delete(world.store, "customers", ["C00000002"], EPOCH)
    asked = [price(world, 1, "1"), price(world, 2, "1"), price(world, 1, "1", "location:LX")]
    prices = await world.read_back("prices", asked)
    assert [(r.value, r.exists) for r in prices] == [("4990", True), (None, False), (None, True)]
    assert prices[0].version == version(world, variation(1))
    consents = [world.correction("consents", "state", f"C0000000{n}", "no", sub="email") for n in (1, 2, 3)]
    assert [(r.value, r.exists) for r in await world.read_back("consents", consents)] == [
        ("yes", True), (None, False), (None, True)
    ]


# -- errors, credentials, pace --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "UNAUTHORIZED", CredentialError), (403, "INSUFFICIENT_SCOPES", CredentialError),
        (429, "RATE_LIMITED", RetriableChannelError), (500, "INTERNAL_SERVER_ERROR", RetriableChannelError),
        (503, "SERVICE_UNAVAILABLE", RetriableChannelError), (400, "INVALID_VALUE", FatalChannelError),
        (404, "NOT_FOUND", FatalChannelError), (501, "NOT_IMPLEMENTED", FatalChannelError),
    ],
)
def test_errors_say_what_to_do_and_never_what_a_person_typed(status, code, kind):
    body = {"errors": [{"category": "X", "code": code, "detail": "anne@example.fr is bad", "field": "email_address"}]}
    check = judge(till().clock)
    with pytest.raises(kind) as raised:
        check(Answer(status, {"retry-after": "3"}, json.dumps(body).encode()))
    assert (raised.value.status, raised.value.code) == (status, code)
    assert "anne" not in str(raised.value) and "email_address" in str(raised.value)
    if isinstance(raised.value, RetriableChannelError):
        assert raised.value.retry_after == 3


def test_an_answer_that_is_not_squares_is_judged_by_its_status():
    with pytest.raises(RetriableChannelError, match="HTTP 502"):
        judge(till().clock)(Answer(502, {}, b"<html>Bad gateway</html>"))


async def test_a_refused_credential_and_an_outage_are_told_apart():
    with pytest.raises(CredentialError):
        await till(settings=Settings(refuses=frozenset({"square"}))).rows("locations")
    with pytest.raises(CredentialError):
        await till(settings=Settings(token="another")).rows("locations")
    down = till(settings=Settings(is_down=frozenset({"square"})))
    with pytest.raises(RetriableChannelError):
        await down.rows("locations")
    assert down.session.counters.calls == 5


def test_a_missing_token_and_a_senseless_pace_stop_with_their_names():
    clock = till().clock
    with pytest.raises(ConfigurationError, match=TOKEN):
        connect(Connection("http://sandbox/square", {}, {}, clock))
    with pytest.raises(ConfigurationError, match="calls_per_second"):
        connect(Connection("http://sandbox/square", {TOKEN: "x"}, {"calls_per_second": "fast"}, clock))


async def test_the_sandbox_refuses_other_versions_cursors_limits_and_bodies():
    world = shop()
    client = httpx.AsyncClient(transport=world.transport, base_url="http://sandbox/square")
    good = {"authorization": "Bearer sandbox", "square-version": VERSION}

    async def ask(path, body, headers=good):
        answer = await client.post(path, content=body if isinstance(body, bytes) else json.dumps(body), headers=headers)
        return answer.status_code, answer.json()["errors"][0]["code"]

    async with client:
        undated = good | {"square-version": "now"}
        assert await ask("/v2/catalog/search", {}, undated) == (400, "INVALID_SQUARE_VERSION_FORMAT")
        with world.transport.deviating("half a body"):
            assert await ask("/v2/catalog/search", b"{") == (400, "EXPECTED_JSON_BODY")
        assert await ask("/v2/catalog/search", {"cursor": "zzz"}) == (400, "INVALID_CURSOR")
        foreign = (await client.get("/v2/customers?limit=1", headers=good)).json()["cursor"]
        assert await ask("/v2/customers/search", {"cursor": foreign}) == (400, "INVALID_CURSOR")
        with world.transport.deviating("a limit over the maximum"):
            assert await ask("/v2/customers/search", {"limit": 101}) == (400, "VALUE_TOO_HIGH")
        assert await ask("/v2/orders/search", {"location_ids": ["L"] * 11}) == (400, "ARRAY_LENGTH_TOO_LONG")
        assert await ask("/v2/inventory/changes/batch-create", {"idempotency_key": "k", "changes": [{}] * 101}) == (
            400, "ARRAY_LENGTH_TOO_LONG"
        )
        assert await ask("/v2/catalog/batch-upsert", {"idempotency_key": "k", "batches": []}) == (400, "ARRAY_EMPTY")
        with world.transport.deviating("a write without its key"):
            unkeyed = await ask("/v2/catalog/batch-upsert", {"batches": []})
        assert unkeyed == (400, "MISSING_REQUIRED_PARAMETER")
        with world.transport.deviating("a path that there is not"):
            assert await ask("/v2/nowhere", {}) == (404, "NOT_FOUND")


async def test_a_client_that_does_not_pace_is_throttled_and_ours_is_not():
    world = shop()
    client = httpx.AsyncClient(
        transport=world.transport, base_url="http://sandbox/square",
        headers={"authorization": "Bearer sandbox", "square-version": VERSION},
    )
    async with client:
        answers = [await client.get("/v2/locations") for _ in range(60)]
    throttled = [answer for answer in answers if answer.status_code == 429]
    assert len(throttled) == 10 and throttled[0].headers["retry-after"] == "1"
    world.store.set_now(world.store.now() + MINUTE)
    for _ in range(100):
        await world.session.get("/v2/locations")
    assert world.session.counters.throttled == 0


# -- the traps of VENDORS.md section 4 ------------------------------------------------------------------------


async def test_trap_01_customer_search_lags_so_writes_are_proved_by_id():
    world = shop(settings=Settings(search_lag_seconds=60))
    correction = profile(world, 2, "city", "Metz")
    await world.writer("customers")([correction])
    assert [r.value for r in await world.read_back("customers", [correction])] == ["Metz"]
    before = EPOCH - 5 * MINUTE
    assert await world.rows("customers", before) == []
    old = {row.id: json.loads(row.payload) for row in await world.rows("customers", JUNE)}
    assert old["C00000002"]["address"]["locality"] == "Lyon"
    world.store.set_now(world.store.now() + 2 * MINUTE)
    assert [row.id for row in await world.rows("customers", before)] == ["C00000002"]
    overlap = next(e.overlap for e in SQUARE.endpoints if e.name == "customers")
    assert overlap >= 2 * MINUTE


async def test_trap_02_begin_time_is_exclusive_and_the_window_is_not():
    world = shop()
    world.vendor.put_prices(world.store, [Price(variation(2), "base", "EUR", 4490)], EPOCH)
    asked = {"object_types": ["ITEM_VARIATION"], "begin_time": stamp(EPOCH)}
    assert (await world.session.post("/v2/catalog/search", asked)).json() == {}
    assert [row.id for row in await world.rows("catalog_objects", EPOCH)] == [variation(2)]
    world.vendor.put_stock(world.store, [Stock(variation(2), PARIS, 1)], EPOCH)
    assert len(await world.rows("inventory_counts", EPOCH)) == 1


async def test_trap_03_an_offline_sale_comes_late_with_its_old_time():
    world = shop()
    cursor = EPOCH - 10 * MINUTE
    sold = EPOCH - timedelta(hours=70)
    world.vendor.put_movements(world.store, [Movement("M1", variation(1), PARIS, "sale", -1, sold)])
    world.vendor.put_orders(world.store, [order(1, created_at=sold, updated_at=EPOCH)])
    [change] = await world.rows("inventory_changes", cursor)
    [late] = await world.rows("orders", cursor)
    assert json.loads(change.payload)["adjustment"]["occurred_at"] == stamp(sold)
    assert json.loads(late.payload)["created_at"] == stamp(sold) and late.updated_at == stamp(EPOCH)


async def test_trap_04_deleted_objects_show_in_a_delta_and_deleted_customers_in_the_count_alone(con):
    world = shop()
    world.vendor.delete(world.store, "items", [variation(2)], EPOCH)
    world.vendor.delete(world.store, "customers", ["C00000002"], EPOCH)
    census = {row.id for row in await world.rows("catalog_objects")}
    assert not census & {variation(2), "I00000002"}
    delta = {row.id: json.loads(row.payload) for row in await world.rows("catalog_objects", EPOCH - MINUTE)}
    assert {key: doc["is_deleted"] for key, doc in delta.items()} == {variation(2): True, "I00000002": True}
    assert {row.id for row in await world.rows("customers")} == {"C00000001", "C00000003"}
    assert await world.rows("customers", EPOCH - MINUTE) == []
    assert await world.counted("customers") == 2
    await world.stage(con)
    con.executemany(
        "INSERT INTO raw_square.catalog_objects VALUES (?, NULL, ?, NULL)",
        [[key, json.dumps(doc)] for key, doc in delta.items()],
    )
    for name in ("items", "prices", "stock"):
        sql.build(con, sql.read_model(sql.ROOT / "channels" / "square" / f"{name}.sql"))
        assert con.execute(f"SELECT count(*) FROM square.{name} WHERE vendor_id = '{variation(2)}'").fetchone() == (0,)


async def test_trap_07_a_locked_catalogue_is_tried_again_with_the_same_key():
    world = shop()
    lock_catalogue(world.store, EPOCH + timedelta(seconds=2))
    assert statuses(await world.writer("prices")([price(world, 1, "4490")])) == ["applied"]
    upserts = [(r, a) for r, a in world.transport.exchanges if r.url.path.endswith("batch-upsert")]
    assert [answer.status_code for _, answer in upserts] == [429] * (len(upserts) - 1) + [200]
    assert len(upserts) >= 2 and len({request.content for request, _ in upserts}) == 1
    assert world.session.counters.throttled == len(upserts) - 1 and len(world.api_effects()) == 1


async def test_trap_07_of_two_catalogue_writes_at_once_one_is_locked_out():
    world = shop()
    body = {"batches": [{"objects": [catalog(world, 1)]}]}
    client = httpx.AsyncClient(
        transport=world.transport, base_url="http://sandbox/square",
        headers={"authorization": "Bearer sandbox", "square-version": VERSION},
    )
    async with client:
        calls = [client.post("/v2/catalog/batch-upsert", json={"idempotency_key": key, **body}) for key in "ab"]
        answers = await asyncio.gather(*calls)
    assert sorted(answer.status_code for answer in answers) == [200, 429]
    locked = next(answer for answer in answers if answer.status_code == 429)
    assert locked.json()["errors"][0]["detail"] == "Catalog locked by prior request."


async def test_trap_11_email_permission_cannot_be_written_and_nobody_pretends():
    assert all(writer.entity != "consents" for writer in SQUARE.writers)
    assert [a.rungs for a in SQUARE.abilities if a.entity == "consents"] == [(0,)]
    world = shop()
    body = {"customers": {"C00000001": {"preferences": {"email_unsubscribed": True}}}}
    with world.transport.deviating("a field that cannot be written"):
        answer = (await world.session.post("/v2/customers/bulk-update", body)).json()
    assert answer["responses"]["C00000001"]["errors"][0]["code"] == "UNKNOWN_BODY_PARAMETER"
    [held] = await world.read_back("consents", [world.correction("consents", "state", "C00000001", "no")])
    assert held.value == "yes" and world.api_effects() == []


async def test_trap_13_phones_as_typed_become_e164(con):
    world = till()
    phones = ["06 12 34 56 78", "+33 6 12 34 56 78", "0033612345678", "+33 (0)6.12.34.56.78", "n/a", ""]
    world.vendor.put_customers(world.store, [customer(n, phone=p) for n, p in enumerate(phones)], JUNE)
    await world.stage(con)
    found = con.execute("SELECT phone_e164 FROM square.customers ORDER BY vendor_id").fetchall()
    assert found == [("+33612345678",)] * 4 + [(None,)] * 2


async def test_trap_14_minor_units_with_their_currency_and_tax_basis(con):
    world = till()
    world.vendor.put_items(world.store, [item(1), item(2, tax="net", vat_bp=1000)], JUNE)
    world.vendor.put_prices(
        world.store, [Price(variation(1), "base", "EUR", 4990), Price(variation(2), "base", "JPY", 4990)], JUNE
    )
    await world.stage(con)
    rows = con.execute("SELECT currency, amount_minor, tax_basis, tax_rate_bp FROM square.prices ORDER BY vendor_id")
    assert rows.fetchall() == [("EUR", 4990, "gross", 2000), ("JPY", 4990, "net", 1000)]


async def test_trap_16_a_merge_changes_ids_and_the_old_ones_are_gone():
    world = shop()
    old = [profile(world, n, "city", "Paris") for n in (1, 2)]
    merged = world.vendor.merge(world.store, "C00000001", "C00000002", EPOCH)
    listed = {row.id: json.loads(row.payload) for row in await world.rows("customers")}
    assert set(listed) == {"C00000003", merged} and listed[merged]["email_address"] == "anne1@example.fr"
    delta = {row.id for row in await world.rows("customers", EPOCH - MINUTE)}
    assert delta == {merged}, "nothing in a delta says that the old ids are gone"
    assert await world.counted("customers") == 2, "the count does"
    assert [r.exists for r in await world.read_back("customers", old)] == [False, False]
    outcomes = await world.writer("customers")(old)
    assert [(o.status, o.code) for o in outcomes] == [(OutcomeStatus.REJECTED, "NOT_FOUND")] * 2


# -- fidelity -------------------------------------------------------------------------------------------------


async def test_every_request_and_response_is_as_square_describes_them(shared):
    world = shop(options={"loyalty": "on"})
    put_loyalty(world.store, [account(1)], [event(1)])
    world.vendor.put_promotions(world.store, [sale(1)], JUNE)
    kinds = {"sale": -1, "return": 1, "receipt": 5, "count": 12, "transfer": -2, "loss": -1}
    world.vendor.put_movements(
        world.store, [Movement(f"M{k}", variation(1), PARIS, k, q, EPOCH) for k, q in kinds.items()]
    )
    world.vendor.put_orders(
        world.store, [order(1, lines=(Line("1", variation(1), 2, 4990, returned=1),)), order(2, state="open")]
    )
    world.vendor.delete(world.store, "items", [variation(3)], EPOCH)
    await SQUARE.identify(world.session)
    for endpoint in SQUARE.endpoints:
        assert await world.rows(endpoint.name)
        await world.rows(endpoint.name, JUNE)
    await world.session.get("/v2/catalog/list", params={"types": "ITEM,TAX"})
    for entity, corrections in {
        "prices": [price(world, 1, "4490"), price(world, 2, "4400", f"location:{GENEVA}", "CHF")],
        "stock": [level(world, 1, "7"), level(world, 2, "3", GENEVA)],
        "customers": [
            profile(world, 1, "city", "Nice"), profile(world, 2, "phone", "1"), profile(world, 3, "postcode", None)
        ],
    }.items():
        await write(world, entity, corrections, f"key of {entity}")
        await world.read_back(entity, corrections)
    await world.read_back("consents", [world.correction("consents", "state", "C00000001", "no")])
    with pytest.raises(FatalChannelError):
        await write(world, "stock", [level(world, 8, "7"), level(world, 9, "3")], "another key")
    stale = catalog(world, 1) | {"version": 1}
    with pytest.raises(FatalChannelError, match="VERSION_MISMATCH"):
        body = {"idempotency_key": "k9", "batches": [{"objects": [stale]}]}
        await world.session.post("/v2/catalog/batch-upsert", body)
    assert world.transport.checked == len(world.transport.exchanges) > 20
    assert {path.split("/square")[1] for path in world.transport.paths()} >= {
        "/v2/catalog/batch-upsert", "/v2/inventory/changes/batch-create", "/v2/customers/bulk-update",
        "/v2/orders/search",
    }


@pytest.mark.process
def test_squares_own_sdk_reads_and_writes_against_a_served_sandbox():
    world = shop()
    with served(world.vendor.app(world.store, Settings())) as url, httpx.Client(trust_env=False) as transport:
        client = Square(token="sandbox", base_url=url, httpx_client=transport)
        assert client.merchants.get(merchant_id="me").merchant.business_name == "Maison Trueup"
        found = client.catalog.search(object_types=["ITEM"]).objects
        assert [one.item_data.variations[0].id for one in found] == [variation(1), variation(2), variation(3)]
        assert len(list(client.catalog.list(types="ITEM_VARIATION"))) == 3
        held = client.catalog.batch_get(object_ids=[variation(1)]).objects[0]
        data = held.item_variation_data.model_dump() | {"price_money": {"amount": 3990, "currency": "EUR"}}
        sent = {"type": "ITEM_VARIATION", "id": held.id, "version": held.version, "item_variation_data": data}
        wrote = client.catalog.batch_upsert(idempotency_key="sdk-1", batches=[{"objects": [sent]}])
        assert wrote.objects[0].version > held.version
        count = {
            "catalog_object_id": variation(1), "location_id": PARIS, "state": "IN_STOCK", "quantity": "4",
            "occurred_at": stamp(world.store.now()),
        }
        changed = client.inventory.batch_create_changes(
            idempotency_key="sdk-2", changes=[{"type": "PHYSICAL_COUNT", "physical_count": count}]
        )
        assert changed.counts[0].quantity == "4"
        assert len(list(client.customers.list(limit=2))) == 3
        updated = client.customers.bulk_update_customers(customers={"C00000002": {"given_name": "Anna", "version": 0}})
        assert updated.responses["C00000002"].customer.given_name == "Anna"
        assert client.orders.search(location_ids=[PARIS], limit=5).orders is None
        lines = (Line("1", variation(1), 2, 4990, returned=1),)
        world.vendor.put_orders(world.store, [order(1, lines=lines), order(2, state="open")])
        sold = client.orders.search(location_ids=[PARIS], limit=5).orders
        assert {one.id: (one.state, one.total_money.amount) for one in sold}["O0000000001"] == ("COMPLETED", 9980)
        assert {one.line_items[0].catalog_object_id for one in sold} == {variation(1)}
    assert [e["field"] for e in world.api_effects()] == ["amount", "on_hand", "first_name"]


# -- the world's hand -----------------------------------------------------------------------------------------


def test_the_judge_sees_what_the_api_shows():
    world = shop()
    assert sorted(world.vendor.observe_prices(world.store))[:2] == [
        (variation(1), "base", "EUR", "4990", None), (variation(1), f"location:{GENEVA}", "CHF", "5450", None)
    ]
    assert (variation(1), PARIS, 10, 10) in set(world.vendor.observe_stock(world.store))
    seen = {c.key: c for c in world.vendor.observe_customers(world.store)}
    assert [seen[f"C0000000{n}"].consent.state for n in (1, 2, 3)] == ["yes", "no", "none"]
    assert seen["C00000001"].street == "1 rue de Metz"


def test_the_worlds_own_edits_are_logged_as_the_worlds():
    world = shop()
    put = world.vendor
    put.put_prices(world.store, [Price(variation(1), "base", "EUR", 4700)], EPOCH, log=True)
    put.put_stock(world.store, [Stock(variation(1), PARIS, 9)], EPOCH, log=True)
    put.put_movements(world.store, [Movement("M1", variation(1), PARIS, "sale", -2, EPOCH)], log=True)
    put.put_customers(world.store, [customer(2, city="Metz", consent=Consent("yes"))], EPOCH, log=True)
    put.put_items(world.store, [item(2, gtin="")], EPOCH, log=True)
    logged = [(e["kind"], e["key"], e["field"], e["before"], e["after"]) for e in world.store.effects(origin="world")]
    assert logged == [
        ("prices", f"{variation(1)}|base", "amount", "4990", "4700"),
        ("stock", f"{variation(1)}|{PARIS}", "on_hand", "10", "9"),
        ("stock", f"{variation(1)}|{PARIS}", "on_hand", "9", "7"),
        ("customers", "C00000002", "city", "Lyon", "Metz"),
        ("consents", "C00000002", "state", "no", "yes"),
        ("items", variation(2), "gtin", "4006381333931", None),
    ]
    assert world.api_effects() == []


async def test_prices_and_overrides_stay_when_the_world_edits_an_item():
    world = shop()
    world.vendor.put_items(world.store, [item(1, title="Robe longue")], EPOCH)
    data = catalog(world, 1)["item_variation_data"]
    assert (data["price_money"]["amount"], len(data["location_overrides"])) == (4990, 1)
    found = await world.session.post("/v2/catalog/batch-retrieve", {"object_ids": ["I00000001"]})
    [parent] = found.json()["objects"]
    assert parent["item_data"]["name"] == "Robe longue"
    assert [child["id"] for child in parent["item_data"]["variations"]] == [variation(1)]
