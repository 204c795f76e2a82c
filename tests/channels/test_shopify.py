"""Shopify, what is read: censuses by bulk, deltas by pages, costs and errors; and its documents against its schema."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest
from graphql import GraphQLError, build_schema, is_input_object_type, is_required_input_field, parse, validate
from graphql.validation import NoDeprecatedCustomRule

from pipelines.channels.base import Connection, Window
from pipelines.channels.shopify import SHOPIFY
from pipelines.channels.shopify import bulk as shopify_bulk
from pipelines.channels.shopify.documents import FOLDER, bulk_text, page_document, read_document
from pipelines.channels.shopify.limiter import CostLimiter
from pipelines.channels.shopify.session import MAX_FILE_BYTES, TOKEN, ShopifySession, judge
from pipelines.errors import CredentialError, FatalChannelError, RetriableChannelError
from pipelines.http import Answer
from sandbox.records import Line, Order, Price, Stock
from sandbox.shopify.projection import read_bulk_query
from sandbox.shopify.schema import SDL, shopify_schema
from sandbox.vendor import Settings
from tests.channels.harness import EPOCH, StillStore, WorldClock
from tests.channels.shopify_world import (
    CHF,
    JUNE,
    LYON,
    MAY,
    PARIS,
    customer,
    customer_id,
    empty,
    item,
    line_id,
    order,
    order_id,
    query,
    shop,
    stock_item,
    variant,
    watch_costs,
)
from tests.described.vendors import shopify_schema_of_the_vendor

HOUR = timedelta(hours=1)
STARTED = {
    "data": {"bulkOperationRunQuery": {"bulkOperation": {"id": "gid://shopify/BulkOperation/1"}, "userErrors": []}}
}


# -- the schema -----------------------------------------------------------------------------------------------


def test_the_sandbox_serves_a_true_subset_of_the_vendors_schema(shared):
    full, subset = shopify_schema_of_the_vendor(), build_schema(SDL.read_text(encoding="utf-8"))
    wrong = []
    for name, ours in subset.type_map.items():
        theirs = full.type_map.get(name)
        if name.startswith("__"):
            continue
        if type(theirs) is not type(ours):
            wrong.append(name)
            continue
        wrong += [f"{name}.{value}" for value in set(getattr(ours, "values", ())) - set(getattr(theirs, "values", ()))]
        interfaces = {one.name for one in getattr(theirs, "interfaces", ())}
        wrong += [f"{name}: {one.name}" for one in getattr(ours, "interfaces", ()) if one.name not in interfaces]
        for field, mine in getattr(ours, "fields", {}).items():
            their = theirs.fields.get(field)
            if their is None or str(their.type) != str(mine.type):
                wrong.append(f"{name}.{field}")
                continue
            for arg, given in getattr(mine, "args", {}).items():
                known = their.args.get(arg)
                if known is None or (str(known.type), known.default_value) != (str(given.type), given.default_value):
                    wrong.append(f"{name}.{field}({arg})")
        if is_input_object_type(theirs):
            needed = {field for field, one in theirs.fields.items() if is_required_input_field(one)}
            wrong += [f"{name}.{field} is required" for field in needed - set(ours.fields)]
    assert wrong == []


def test_every_document_file_is_valid_in_the_vendors_schema(shared):
    problems = {}
    for path in sorted(FOLDER.glob("*.graphql")):
        text = path.read_text(encoding="utf-8")
        if text.split("\n", 2)[1].startswith("fragment"):
            continue
        problems[path.stem] = [error.message for error in validate(shopify_schema_of_the_vendor(), parse(text))]
    assert {name: found for name, found in problems.items() if found} == {}
    pages = [page_document("productVariants", "variant"), page_document("customers", "customer")]
    assert [validate(shopify_schema_of_the_vendor(), parse(page.text)) for page in pages] == [[], []]


def test_no_document_uses_what_the_vendor_is_taking_back(shared):
    """Fields that are deprecated in 2026-07 are gone a year later."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.graphql")}
    for name, text in texts.items():
        uses = [] if "fragment" not in text else ["\nquery Uses { shop { id } }"]
        problems = validate(shopify_schema_of_the_vendor(), parse(text + "".join(uses)), [NoDeprecatedCustomRule])
        assert [error.message for error in problems] == [], name


# -- reads ----------------------------------------------------------------------------------------------------


async def test_identify_says_shop_zone_and_scopes():
    identity = await SHOPIFY.identify(shop().session)
    assert (identity.shop_id, identity.timezone) == ("gid://shopify/Shop/1", "Europe/Paris")
    assert SHOPIFY.needed_scopes <= identity.scopes


async def test_a_census_reads_every_record_by_bulk():
    world = empty()
    world.vendor.put_items(world.store, [item(n) for n in range(620)], JUNE)
    pages = await world.pages("variants")
    assert {page.total for page in pages} == {620}
    rows = [row for page in pages for row in page.rows]
    assert {row.id for row in rows} == {variant(n) for n in range(620)}
    held = json.loads(rows[0].payload)
    assert (held["product"]["status"], held["inventoryItem"]["id"]) == ("ACTIVE", stock_item(0))
    assert rows[0].updated_at == held["updatedAt"] == "2026-06-04T20:00:00Z"
    assert [path for path in world.transport.paths() if "bulk" in path]
    assert world.session.counters.calls == 3


async def test_levels_and_fixed_prices_are_keyed_by_both_of_their_halves():
    world = shop()
    levels = {row.id: json.loads(row.payload) for row in await world.rows("inventory_levels")}
    assert len(levels) == 12
    one = levels[f"{stock_item(1)}|{LYON}"]
    assert {q["name"]: q["quantity"] for q in one["quantities"]} == {"available": 9, "on_hand": 11, "committed": 2}
    prices = {row.id: json.loads(row.payload) for row in await world.rows("price_list_prices")}
    assert prices[f"{CHF}|{variant(0)}"]["price"] == {"amount": "54.5", "currencyCode": "CHF"}
    assert [page.total for page in await world.pages("price_list_prices")] == [4]


async def test_an_empty_shop_declares_that_there_is_nothing():
    world = empty()
    for name in ("variants", "customers", "inventory_levels", "price_list_prices", "orders"):
        assert [(list(page.rows), page.total) for page in await world.pages(name)] == [([], 0)], name


async def test_orders_come_with_lines_fulfilment_orders_and_refunds_as_rows_of_their_own():
    rows = {row.id: json.loads(row.payload) for row in await shop().rows("orders")}
    kinds = sorted(key.split("/")[3] for key in rows)
    assert kinds == sorted(["Order", "LineItem", "FulfillmentOrder", "FulfillmentOrderLineItem"] * 3 + ["Refund"] * 2)
    assert rows[line_id(2)]["__parentId"] == order_id(2)
    refund = rows["gid://shopify/Refund/8000000002"]["refundLineItems"]["nodes"][0]
    assert (refund["quantity"], refund["restockType"], refund["lineItem"]["id"]) == (1, "RETURN", line_id(2))


async def test_a_refund_of_many_lines_is_read_whole():
    world = empty()
    lines = tuple(Line(line_id(n), variant(0), 2, 100, returned=1) for n in range(620))
    world.vendor.put_orders(world.store, [Order(order_id(1), PARIS, "", "EUR", lines, MAY, JUNE)])
    rows = {row.id: json.loads(row.payload) for row in await world.rows("orders") if "/Refund/" in row.id}
    assert sorted(rows) == [f"gid://shopify/Refund/8000000001{part}" for part in ("", "#2", "#3", "#4")]
    assert sum(len(row["refundLineItems"]["nodes"]) for row in rows.values()) == 620


async def test_orders_older_than_the_option_says_are_not_read():
    world = shop()
    world.vendor.put_orders(world.store, [order(9, "open", [Line(line_id(9), variant(0), 1, 100)], at=MAY)])
    world.session.options = {"orders_days": "20"}
    assert order_id(9) not in {row.id for row in await world.rows("orders")}


async def test_a_delta_pages_what_changed_since():
    world = empty()
    world.vendor.put_items(world.store, [item(n) for n in range(700)], JUNE)
    world.vendor.put_prices(world.store, [Price(variant(n), "base", "EUR", 100) for n in range(600)], EPOCH)
    pages = await world.pages("variants", EPOCH - HOUR)
    assert [len(page.rows) for page in pages] == [250, 250, 100]
    assert {row.id for page in pages for row in page.rows} == {variant(n) for n in range(600)}
    assert not [path for path in world.transport.paths() if "bulk" in path]
    world.vendor.put_customers(world.store, [customer(1), customer(2)], EPOCH)
    assert {row.id for row in await world.rows("customers", EPOCH)} == {customer_id(1), customer_id(2)}


async def test_a_delta_deeper_than_the_vendor_pages_is_read_by_bulk(monkeypatch):
    monkeypatch.setattr("pipelines.channels.shopify.reads.MAX_DEPTH", 500)
    world = empty()
    world.vendor.put_items(world.store, [item(n) for n in range(900)], EPOCH)
    rows = [row for page in await world.pages("variants", EPOCH - HOUR) for row in page.rows]
    assert {row.id for row in rows} == {variant(n) for n in range(900)}
    assert "GET" in {path.split()[0] for path in world.transport.paths()}
    answer = await query(world, page_document("productVariants", "variant").text, first=251)
    assert "cannot exceed 250" in answer["errors"][0]["message"]


async def test_a_page_that_costs_too_much_is_halved(monkeypatch):
    monkeypatch.setattr("sandbox.shopify.app.MAX_COST", 40)
    world = shop()
    pages = await world.pages("variants", MAY)
    assert sum(len(page.rows) for page in pages) == 6
    monkeypatch.setattr("sandbox.shopify.app.MAX_COST", 20)
    assert len([row for row in await world.rows("orders") if "/Refund/" in row.id]) == 2


async def test_a_stock_change_moves_no_variants_date():
    world = shop()
    world.vendor.put_stock(world.store, [Stock(variant(0), PARIS, 3)], EPOCH, log=True)
    assert await world.rows("variants", EPOCH - HOUR) == []
    assert not next(e for e in SHOPIFY.endpoints if e.name == "inventory_levels").has_delta
    assert [row.updated_at for row in await world.rows("inventory_levels") if row.updated_at > "2026-06-10"] != []


async def test_pages_and_bulk_show_the_same_records():
    world = shop()
    bulk = {row.id: json.loads(row.payload) for row in await world.rows("variants")}
    pages = {row.id: json.loads(row.payload) for row in await world.rows("variants", MAY)}
    assert bulk == pages and len(bulk) == 6
    bulk = {row.id: json.loads(row.payload) for row in await world.rows("customers")}
    assert bulk == {row.id: json.loads(row.payload) for row in await world.rows("customers", MAY)}


# -- bulk operations --------------------------------------------------------------------------------------------


async def test_a_bulk_job_is_waited_for():
    world = shop(settings=Settings(bulk_seconds=30))
    assert len(await world.rows("variants")) == 6
    assert 25 < sum(world.clock.slept) < 60
    world.session.options = {"bulk_patience_seconds": "10"}
    with pytest.raises(FatalChannelError, match="too long"):
        await world.rows("variants")


async def test_the_sixth_bulk_job_at_once_waits_for_its_turn():
    world = shop(settings=Settings(bulk_seconds=60))
    text = bulk_text("products", "id")
    for _ in range(5):
        answer = await query(world, read_document("bulk_run").text, query=text)
        assert answer["data"]["bulkOperationRunQuery"]["userErrors"] == []
    answer = await query(world, read_document("bulk_run").text, query=text)
    assert answer["data"]["bulkOperationRunQuery"]["userErrors"][0]["code"] == "LIMIT_REACHED"
    assert len(await world.rows("variants")) == 6
    assert 5.0 in world.clock.slept


async def test_a_bulk_file_with_lines_missing_is_not_believed():
    world = shop()
    status = {"data": {"node": {"status": "COMPLETED", "objectCount": "7", "rootObjectCount": "7",
                                "url": "http://sandbox/shopify/bulk/x.jsonl"}}}
    world.transport.answers = [
        httpx.Response(200, json=STARTED), httpx.Response(200, json=status),
        httpx.Response(200, content=b'{"id":"1"}\n{"id":"2"}\n'),
    ]
    with pytest.raises(FatalChannelError, match="2 lines of 7"):
        await world.rows("variants")


def over_size(lines: int, total: str) -> list[httpx.Response]:
    """The answers around a bulk file that is to have so many lines and whose first piece says that total size."""
    node = {"status": "COMPLETED", "objectCount": str(lines), "rootObjectCount": str(lines),
            "url": "http://sandbox/shopify/bulk/x.jsonl"}
    return [
        httpx.Response(200, json=STARTED), httpx.Response(200, json={"data": {"node": node}}),
        httpx.Response(206, content=b'{"id":"1"}\n{"id":"2"}\n', headers={"content-range": f"bytes 0-21/{total}"}),
    ]


@pytest.mark.parametrize(
    ("lines", "total", "words"),
    [(1, "99999", "more than the 1 lines"), (9, str(MAX_FILE_BYTES + 1), f"more than {MAX_FILE_BYTES} bytes")],
)
async def test_a_bulk_file_that_goes_on_and_on_is_left(lines, total, words):
    world = shop()
    world.transport.answers = over_size(lines, total)
    with pytest.raises(FatalChannelError, match=words):
        await world.rows("variants")
    assert world.transport.answers == [], "no further piece was asked for"


async def test_a_line_of_a_bulk_file_that_never_ends_is_left(monkeypatch):
    monkeypatch.setattr(shopify_bulk, "MAX_BODY_BYTES", 50)
    world = shop()
    world.transport.answers = over_size(9, "99999")[:2] + [
        httpx.Response(206, content=b"x" * 40, headers={"content-range": f"bytes {start}-{start + 39}/99999"})
        for start in (0, 40, 80)
    ]
    with pytest.raises(FatalChannelError, match="a line of the bulk file has more than 50 bytes"):
        await world.rows("variants")
    assert len(world.transport.answers) == 1, "the third piece was not asked for"


async def test_a_failed_bulk_job_says_so():
    world = shop()
    failed = {"node": {"status": "FAILED", "errorCode": "TIMEOUT", "objectCount": "0", "rootObjectCount": "0"}}
    world.transport.answers = [httpx.Response(200, json=STARTED), httpx.Response(200, json={"data": failed})]
    with pytest.raises(FatalChannelError) as caught:
        await world.rows("variants")
    assert caught.value.code == "TIMEOUT"


async def test_a_bulk_file_comes_in_ranges_without_the_token_and_from_allowed_hosts_alone(monkeypatch):
    monkeypatch.setattr("pipelines.channels.shopify.session.CHUNK_BYTES", 1000)
    world = empty()
    world.vendor.put_items(world.store, [item(n) for n in range(40)], JUNE)
    assert len(await world.rows("variants")) == 40
    files = [request for request, _ in world.transport.exchanges if request.method == "GET"]
    assert len(files) > 5
    assert not [request for request in files if "x-shopify-access-token" in request.headers]
    assert isinstance(world.session, ShopifySession)
    with pytest.raises(FatalChannelError, match="not allowed"):
        await anext(world.session.download("https://elsewhere.example/file.jsonl"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{ shop { name } }", "single top-level field"),
        ("{ products { edges { node { id } } } customers { edges { node { id } } } }", "single top-level field"),
        ("{ products { edges { node { title variants { edges { node { id } } } } } } }", "must select 'id'"),
        ("{ orders { edges { node { id refunds { id refundLineItems { edges { node { id } } } } } } } }", "list field"),
        ("{ products { edges { node { nonsense } } } }", "nonsense"),
        (
            "{ products { edges { node { id variants { edges { node { id inventoryItem { id variants { edges { node "
            "{ id } } } } } } } } } } }",
            "not served",
        ),
    ],
)
def test_bulk_queries_keep_the_vendors_limits(text, reason):
    with pytest.raises(GraphQLError, match=reason):
        read_bulk_query(shopify_schema(), text)


async def test_children_come_after_all_parents_unless_grouped():
    world = shop()
    text = "{ products { edges { node { id variants { edges { node { id sku } } } } } } }"
    run = """mutation($q: String!, $g: Boolean!) {
        bulkOperationRunQuery(query: $q, groupObjects: $g) { bulkOperation { id } } }"""
    order_of = {}
    for grouped in (False, True):
        await query(world, run, q=text, g=grouped)
        answer = await query(world, "{ currentBulkOperation { url objectCount rootObjectCount } }")
        job = answer["data"]["currentBulkOperation"]
        assert (job["objectCount"], job["rootObjectCount"]) == ("9", "3")
        url = job["url"]
        lines = b"".join([chunk async for chunk in world.session.download(url)]).splitlines()
        order_of[grouped] = "".join("c" if b"__parentId" in line else "p" for line in lines)
    assert order_of == {False: "pppcccccc", True: "pccpccpcc"}


# -- cost, throttle, errors ---------------------------------------------------------------------------------------


async def test_documents_hold_enough_points_ready():
    world = shop()
    costs = watch_costs(world)
    await SHOPIFY.identify(world.session)
    for endpoint in SHOPIFY.endpoints:
        await world.rows(endpoint.name)
        if endpoint.has_delta:
            await world.rows(endpoint.name, MAY)
    assert len(costs) >= 20
    assert [pair for pair in costs if pair[1] > pair[0]] == []


def test_declared_costs_are_those_of_the_sandbox():
    """A page of 250 costs what its fragment's header says, and not a point more."""
    from sandbox.shopify.cost import Pricer

    for connection, fragment in (("productVariants", "variant"), ("customers", "customer")):
        document = page_document(connection, fragment)
        operation = parse(document.text).definitions[0]
        pricer = Pricer(shopify_schema(), {}, {"first": 250, "after": None, "query": ""})
        assert 0.9 * document.cost <= pricer.price(operation) <= document.cost


async def test_the_cost_of_the_vendors_one_published_answer():
    """25 points for a product's 250 variants with their inventory items; 1 for a product that is not there."""
    text = "query($id: ID!) { product(id: $id) { variants(first: 250) { nodes { inventoryItem { id tracked } } } } }"
    answer = await query(shop(), text, id="gid://shopify/Product/1")
    cost = answer["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (25, 1)
    assert cost["throttleStatus"]["maximumAvailable"] == 20_000


@pytest.mark.parametrize(("plan", "rate"), [("standard", 100), ("advanced", 200), ("plus", 1000), ("enterprise", 2000)])
async def test_the_bucket_is_the_plans(plan, rate):
    answer = await query(shop(settings=Settings(plan=plan)), "{ shop { name } }")
    status = answer["extensions"]["cost"]["throttleStatus"]
    assert (status["restoreRate"], status["maximumAvailable"]) == (rate, 20 * rate)


async def test_a_query_over_1000_points_is_refused():
    answer = await query(
        shop(), "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { id refunds { id refundLineItems(first: 250)"
        " { nodes { id lineItem { id } } } } } } }", ids=[order_id(n) for n in range(60)],
    )
    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


async def test_the_limiter_runs_at_the_plans_rate_and_draws_no_throttled():
    world = shop(settings=Settings(plan="standard"))
    assert isinstance(world.session._limiter, CostLimiter)
    started = world.clock.monotonic()

    async def mutate(n: int) -> None:
        text = "mutation { customerUpdate(input: {id: \"x\"}) { userErrors { field } } }"
        await world.session.post("admin/api/2026-07/graphql.json", {"query": text}, cost=10)

    await SHOPIFY.identify(world.session)
    await asyncio.gather(*(mutate(n) for n in range(600)))
    seconds = world.clock.monotonic() - started
    assert world.session.counters.throttled == 0
    limit = (600 * 10 - 2000) / 100
    assert limit * 0.9 <= seconds <= limit * 1.05 + 3


async def test_the_limiter_survives_answers_that_overtake_each_other_and_that_are_lost():
    store = StillStore(":memory:", epoch=EPOCH)
    limiter = CostLimiter(100, WorldClock(store))

    def says(available: float, spent: float) -> Answer:
        cost = {"requestedQueryCost": spent, "actualQueryCost": spent, "throttleStatus": {
            "maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": 100.0}}
        return Answer(200, {}, json.dumps({"data": {}, "extensions": {"cost": cost}}).encode())

    async def one(cost: float, answer: Answer | None) -> None:
        await limiter.acquire(cost)
        await asyncio.sleep(0)
        if answer is not None:
            limiter.observe(answer)

    await asyncio.create_task(one(10, says(1990, 10)))
    assert limiter._level == 1990
    await asyncio.create_task(one(500, None))
    assert limiter._level == 1490
    await asyncio.create_task(one(10, says(1480, 10)))
    assert limiter._level == pytest.approx(980, abs=1)
    store.set_now(store.now() + timedelta(seconds=400))
    await asyncio.create_task(one(10, says(1990, 10)))
    assert limiter._level == 1990


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"errors": "[API] Invalid API key"}, CredentialError),
        (403, {"errors": "no"}, CredentialError),
        (404, {"errors": "Not Found"}, FatalChannelError),
        (429, {"errors": "slow"}, RetriableChannelError),
        (503, {"errors": "down"}, RetriableChannelError),
        (200, {"errors": [{"message": "x", "extensions": {"code": "ACCESS_DENIED"}}]}, CredentialError),
        (200, {"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, RetriableChannelError),
        (200, {"errors": [{"message": "Field 'x' doesn't exist"}]}, FatalChannelError),
        (200, ["no GraphQL"], FatalChannelError),
    ],
)
def test_answers_are_judged_by_status_and_by_body(status, body, kind):
    with pytest.raises(kind):
        judge(Answer(status, {"x-request-id": "r-1"}, json.dumps(body).encode()))


async def test_a_wrong_token_is_refused_and_a_vendor_that_is_down_is_retried():
    world = shop(settings=Settings(token="another"))
    with pytest.raises(CredentialError):
        await SHOPIFY.identify(world.session)
    down = shop(settings=Settings(is_down=frozenset({"shopify"})))
    with pytest.raises(RetriableChannelError):
        await SHOPIFY.identify(down.session)
    assert down.session.counters.retries == 4


def test_connect_needs_its_token_by_name_and_takes_the_plans_points():
    clock = WorldClock(StillStore(":memory:", epoch=EPOCH))
    with pytest.raises(KeyError, match=TOKEN):
        SHOPIFY.connect(Connection("http://shop", {}, {}, clock))
    session = SHOPIFY.connect(Connection("http://shop", {TOKEN: "t"}, {"points_per_second": "1000"}, clock))
    assert session._limiter._rate == 1000


async def test_every_endpoint_honours_its_declaration():
    world = shop()
    for endpoint in SHOPIFY.endpoints:
        pages = [page async for page in endpoint.read(world.session, Window(None, world.clock.now()))]
        rows = [row for page in pages for row in page.rows]
        assert rows and all(row.id and json.loads(row.payload) for row in rows), endpoint.name
