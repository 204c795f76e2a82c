"""Shopify, the traps of its API by their numbers, and the vendor's own SDK against a really served sandbox."""

import json
from datetime import timedelta

import httpx
import pytest
import shopify as sdk

from pipelines.channels.shopify import SHOPIFY
from pipelines.channels.shopify.documents import FOLDER
from pipelines.channels.shopify.limiter import CostLimiter
from pipelines.errors import FatalChannelError, RetriableChannelError
from pipelines.http import Answer
from pipelines.model import OutcomeStatus
from sandbox.records import Price
from sandbox.shopify import ShopifyVendor
from sandbox.vendor import Settings
from tests.channels.harness import EPOCH, served
from tests.channels.shopify_world import (
    CHF,
    JPY,
    PARIS,
    context,
    customer_id,
    level_context,
    product,
    query,
    shop,
    stock_item,
    variant,
)

APPLIED, REJECTED = OutcomeStatus.APPLIED, OutcomeStatus.REJECTED


async def test_trap_01_a_search_lags_behind_a_write_and_a_read_by_id_does_not():
    world = shop(settings=Settings(search_lag_seconds=60))
    row = world.correction("prices", "amount", variant(0), "3990", sub="base", currency="EUR", context=context(0))
    await world.writer("prices")([row])
    since = world.clock.now() - timedelta(minutes=1)
    assert await world.rows("variants", since) == []
    assert [reading.value for reading in await world.read_back("prices", [row])] == ["3990"]
    await world.clock.sleep(61)
    overlap = next(e for e in SHOPIFY.endpoints if e.name == "variants").overlap
    assert overlap > timedelta(seconds=60)
    assert [row.id for row in await world.rows("variants", world.clock.now() - overlap)] == [variant(0)]


async def test_trap_01_a_record_changed_twice_is_found_by_its_older_stamp():
    world = shop(settings=Settings(search_lag_seconds=60))
    world.vendor.put_prices(world.store, [Price(variant(0), "base", "EUR", 100)], EPOCH - timedelta(minutes=5))
    world.vendor.put_prices(world.store, [Price(variant(0), "base", "EUR", 200)], EPOCH)
    assert [row.id for row in await world.rows("variants", EPOCH - timedelta(minutes=10))] == [variant(0)]
    assert await world.rows("variants", EPOCH - timedelta(minutes=1)) == []


async def test_trap_04_deleted_records_leave_the_lists_and_only_count_and_census_show_it():
    world = shop()
    world.vendor.delete(world.store, "items", [variant(0)], EPOCH)
    world.vendor.delete(world.store, "customers", [customer_id(2)], EPOCH)
    assert await world.rows("variants", EPOCH - timedelta(hours=1)) == []
    assert {row.id for row in await world.rows("variants")} == {variant(n) for n in range(1, 6)}
    assert {row.id for row in await world.rows("customers")} == {customer_id(n) for n in (1, 3, 4)}
    assert (await world.counted("variants"), await world.counted("customers")) == (5, 3)
    levels = {row.id for row in await world.rows("inventory_levels")}
    assert len(levels) == 10 and not [key for key in levels if key.startswith(stock_item(0))]
    assert [row.id for row in await world.rows("price_list_prices")] == [f"{CHF}|{variant(1)}"]
    sold = [json.loads(row.payload) for row in await world.rows("orders") if "/LineItem/" in row.id]
    assert [line["variant"] for line in sold if line["id"].endswith("1")] == [None]
    answer = await query(world, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[variant(0), variant(1)])
    assert answer["data"]["nodes"] == [None, {"id": variant(1)}]


async def test_trap_06_throttled_comes_with_http_200():
    world = shop(settings=Settings(plan="standard"))
    page = "{ productVariants(first: 250) { nodes { id product { id } inventoryItem { unitCost { amount } } } } }"
    for _ in range(120):
        answer = await query(world, page)
        if "errors" in answer:
            break
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    cost = answer["extensions"]["cost"]
    assert cost["actualQueryCost"] is None and cost["throttleStatus"]["currentlyAvailable"] < cost["requestedQueryCost"]
    assert isinstance(world.session._limiter, CostLimiter)
    world.session._limiter._level = 2_000  # a client that does not know what others have spent
    assert len(await world.rows("variants", EPOCH - timedelta(days=30))) == 6
    assert world.session.counters.throttled == 1
    assert world.clock.slept and sum(world.clock.slept) < 1


async def test_trap_06_throttled_waits_as_long_as_the_bucket_needs():
    cost = {"requestedQueryCost": 500, "actualQueryCost": None, "throttleStatus": {
        "maximumAvailable": 2000.0, "currentlyAvailable": 100, "restoreRate": 100.0}}
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    body = json.dumps({"errors": [error], "extensions": {"cost": cost}}).encode()
    from pipelines.channels.shopify.session import judge

    with pytest.raises(RetriableChannelError) as caught:
        judge(Answer(200, {}, body))
    assert (caught.value.code, caught.value.retry_after) == ("THROTTLED", 4.0)


@pytest.mark.parametrize(
    ("directive", "quantity", "code"),
    [
        ("", "quantity: 5, changeFromQuantity: 8", "BAD_REQUEST"),
        ('@idempotent(key: "k")', "quantity: 5", "INVALID_FIELD_ARGUMENTS"),
        ('@idempotent(key: " ")', "quantity: 5, changeFromQuantity: 8", "BAD_REQUEST"),
    ],
)
async def test_trap_08_what_the_schema_lets_through_fails_at_run_time(directive, quantity, code):
    world = shop()
    text = f"""mutation {{ inventorySetQuantities(input: {{ name: "available", reason: "correction", quantities: [{{
        inventoryItemId: "{stock_item(0)}", locationId: "{PARIS}", {quantity} }}] }}) {directive}
        {{ userErrors {{ code }} }} }}"""
    answer = await query(world, text)  # held against the vendor's schema, which has nothing against it
    assert answer["errors"][0]["extensions"]["code"] == code
    assert world.api_effects() == []


async def test_trap_08_null_sets_blindly_which_the_connector_never_sends():
    world = shop()
    answer = await query(world, f"""mutation {{ inventorySetQuantities(input: {{ name: "available",
        reason: "correction", quantities: [{{ inventoryItemId: "{stock_item(0)}", locationId: "{PARIS}", quantity: 5,
        changeFromQuantity: null }}] }}) @idempotent(key: "k") {{ userErrors {{ code }} }} }}""")
    assert answer["data"]["inventorySetQuantities"]["userErrors"] == [] and world.api_effects() != []
    blind = world.correction("stock", "available", variant(0), "1", sub=PARIS, context=level_context(0))
    assert [outcome.code for outcome in await world.writer("stock")([blind])] == ["NOT_OBSERVED"]


def test_trap_09_nothing_that_deletes_what_is_left_out_is_used():
    sources = [*FOLDER.glob("*.graphql"), *FOLDER.glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert "_Change(" in text, "mutations are named in Python too, without the bracket of a document"
    assert not [name for name in ("productSet", "customerSet", "addresses:", '"addresses"') if name in text]


async def test_trap_09_product_set_deletes_the_variants_that_are_left_out():
    world = shop()
    before = {row.id for row in await world.rows("variants")}
    answer = await query(
        world, "mutation($id: ID!, $input: ProductSetInput!) { productSet(identifier: {id: $id}, input: $input) { "
        "product { variants(first: 5) { nodes { id price } } } userErrors { field message code } } }",
        id=product(0), input={"variants": [
            {"id": variant(0), "price": "12.00", "optionValues": [{"optionName": "Size", "name": "Size 0"}]},
        ]},
    )
    assert answer["data"]["productSet"] == {
        "product": {"variants": {"nodes": [{"id": variant(0), "price": "12.00"}]}}, "userErrors": []
    }
    assert before - {row.id for row in await world.rows("variants")} == {variant(1)}
    levels = {row.id for row in await world.rows("inventory_levels")}
    assert not [key for key in levels if key.startswith(stock_item(1))], "its stock is gone with it"
    assert world.vendor.observe_prices(world.store) and variant(1) not in {
        row[0] for row in world.vendor.observe_prices(world.store)
    }


async def test_trap_09_our_own_correction_of_that_price_leaves_its_siblings_alone():
    world = shop()
    before = {row.id for row in await world.rows("variants")}
    row = world.correction("prices", "amount", variant(0), "1200", sub="base", currency="EUR", context=context(0),
                           observed="4990")
    assert [o.status for o in await world.writer("prices")([row])] == [APPLIED]
    assert {row.id for row in await world.rows("variants")} == before


async def test_trap_09_customer_set_replaces_the_list_of_addresses():
    world = shop()
    text = """mutation($id: ID!, $input: CustomerSetInput!) { customerSet(identifier: {id: $id}, input: $input) {
        customer { id defaultAddress { address1 city } } userErrors { field message code } } }"""
    await query(world, text, id=customer_id(1), input={"firstName": "Anne"})
    held = {c.key: c for c in world.vendor.observe_customers(world.store)}[customer_id(1)]
    assert held.street == "1 rue A", "a list that is not given stays"
    answer = await query(world, text, id=customer_id(1), input={"addresses": [{"city": "Nice"}]})
    assert answer["data"]["customerSet"]["customer"]["defaultAddress"] == {"address1": None, "city": "Nice"}
    await query(world, text, id=customer_id(1), input={"addresses": []})
    held = {c.key: c for c in world.vendor.observe_customers(world.store)}[customer_id(1)]
    assert (held.street, held.city, held.postcode) == ("", "", "")
    answer = await query(world, text, id=customer_id(99), input={"addresses": []})
    assert answer["data"]["customerSet"]["userErrors"][0]["code"] == "NOT_FOUND"


async def test_trap_09_an_address_is_changed_without_touching_its_other_fields():
    world = shop()
    held = {"address_id": "gid://shopify/MailingAddress/6000000001"}
    row = world.correction("customers", "city", customer_id(1), "Nice", context=held)
    assert [o.status for o in await world.writer("customers")([row])] == [APPLIED]
    now = {c.key: c for c in world.vendor.observe_customers(world.store)}[customer_id(1)]
    assert (now.street, now.city, now.postcode, now.card) == ("1 rue A", "Nice", "69001", "C-1")


async def test_trap_14_money_is_decimal_text_with_each_currencys_own_digits(con):
    world = shop()
    con.execute("INSERT INTO estate.price_lists VALUES ('shopify', ?, 'jpy', 'JPY', 'gross')", [JPY])
    await world.stage(con)
    found = con.execute(
        "SELECT vendor_price_list, currency, amount_minor, compare_at_minor, tax_basis FROM shopify.prices "
        "WHERE vendor_id = ? ORDER BY 1", [variant(0)],
    ).fetchall()
    assert found == [
        ("base", "EUR", 4990, None, "gross"), (CHF, "CHF", 5450, 6000, "unknown"), (JPY, "JPY", 8200, None, "gross"),
        ("gid://shopify/PriceList/3", "USD", 5590, None, "unknown"),
    ]


async def test_trap_15_one_amount_has_several_spellings(con):
    world = shop()
    shown = {json.loads(row.payload)["price"] for row in await world.rows("variants")}
    assert "49.90" in shown
    fixed = [json.loads(row.payload)["price"]["amount"] for row in await world.rows("price_list_prices")]
    assert {"54.5", "8200.0"} <= set(fixed)
    row = world.correction("prices", "amount", variant(0), "5450", sub=CHF, currency="CHF", context={})
    assert [reading.value for reading in await world.read_back("prices", [row])] == ["5450"]
    await world.writer("prices")([row])
    assert world.api_effects() == []


async def test_trap_16_a_merge_leaves_one_id_and_a_delta_shows_that_one_alone():
    world = shop()
    before = await world.counted("customers")
    kept = world.vendor.merge(world.store, customer_id(1), customer_id(2), EPOCH)
    assert kept == customer_id(2)
    listed = {row.id: json.loads(row.payload) for row in await world.rows("customers")}
    assert customer_id(1) not in listed and listed[kept]["lastName"] == "Martin 1", "the younger id, the first's values"
    delta = {row.id for row in await world.rows("customers", EPOCH - timedelta(minutes=1))}
    assert delta == {kept}, "nothing in a delta says that the other id is gone"
    assert await world.counted("customers") == before - 1 == len(listed), "the count does"
    row = world.correction("customers", "first_name", customer_id(1), "Jeanne", context={"address_id": None})
    assert [(o.status, o.message) for o in await world.writer("customers")([row])] == [(REJECTED, "refused: id")]
    assert [reading.exists for reading in await world.read_back("customers", [row])] == [False]


# -- hostile and broken answers -------------------------------------------------------------------------------------


async def test_an_answer_of_another_shape_stops():
    world = shop()
    world.transport.answers = [httpx.Response(200, json={"data": {"rows": None}})]
    with pytest.raises(FatalChannelError, match="unexpected answer"):
        await world.rows("locations")
    stuck = {"data": {"rows": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}}}
    world.transport.answers = [httpx.Response(200, json=stuck)]
    with pytest.raises(FatalChannelError, match="does not go on"):
        await world.rows("locations")


async def test_hostile_names_stay_text():
    world = shop()
    name = """<script>alert('x')</script>"; DROP TABLE {"""
    row = world.correction("customers", "first_name", customer_id(1), name, context={"address_id": None})
    assert [o.status for o in await world.writer("customers")([row])] == [APPLIED]
    assert [reading.value for reading in await world.read_back("customers", [row])] == [name]


# -- the vendor's SDK -------------------------------------------------------------------------------------------------


def test_the_official_sdk_reads_and_writes_against_a_served_sandbox():
    world = shop()
    app = ShopifyVendor().app(world.store, Settings())
    with served(app) as url:
        sdk.ApiVersion.define_version(sdk.Release("2026-07"))
        session = sdk.Session("sandbox.myshopify.com", "2026-07", "sandbox")
        sdk.ShopifyResource.activate_session(session)
        sdk.ShopifyResource.site = f"{url}/admin/api/2026-07"
        try:
            ask = sdk.GraphQL().execute
            read = json.loads(ask(
                "query($n: Int!) { productVariants(first: $n) { edges { cursor node { sku price product { title } } } "
                "pageInfo { hasNextPage endCursor } } }", {"n": 4},
            ))["data"]["productVariants"]
            assert [edge["node"]["sku"] for edge in read["edges"]] == ["SKU-0", "SKU-1", "SKU-2", "SKU-3"]
            assert read["pageInfo"] == {"hasNextPage": True, "endCursor": read["edges"][-1]["cursor"]}
            written = json.loads(ask(
                "mutation($p: ID!, $v: [ProductVariantsBulkInput!]!) { productVariantsBulkUpdate(productId: $p, "
                "variants: $v) { productVariants { price } userErrors { message } } }",
                {"p": product(0), "v": [{"id": variant(0), "price": "12.5"}]},
            ))["data"]["productVariantsBulkUpdate"]
            assert written == {"productVariants": [{"price": "12.50"}], "userErrors": []}
            stock = json.loads(ask(
                "mutation($i: InventorySetQuantitiesInput!, $k: String!) { inventorySetQuantities(input: $i) "
                "@idempotent(key: $k) { inventoryAdjustmentGroup { changes(quantityNames: [\"available\"]) "
                "{ name delta quantityAfterChange } } userErrors { code } } }",
                {"k": "sdk-1", "i": {"name": "available", "reason": "correction", "quantities": [
                    {"inventoryItemId": stock_item(0), "locationId": PARIS, "quantity": 3, "changeFromQuantity": 8}]}},
            ))["data"]["inventorySetQuantities"]
            assert stock["userErrors"] == []
            assert stock["inventoryAdjustmentGroup"]["changes"] == [
                {"name": "available", "delta": -5, "quantityAfterChange": 3}
            ]
            people = json.loads(ask(
                "{ customers(first: 2) { nodes { id lastName defaultEmailAddress { emailAddress marketingState } } } }"
            ))["data"]["customers"]["nodes"]
            assert [one["defaultEmailAddress"]["marketingState"] for one in people] == ["SUBSCRIBED", "UNSUBSCRIBED"]
            renamed = json.loads(ask(
                "mutation($i: CustomerInput!) { customerUpdate(input: $i) { customer { lastName } "
                "userErrors { message } } }", {"i": {"id": customer_id(2), "lastName": "Durand"}},
            ))["data"]["customerUpdate"]
            assert renamed == {"customer": {"lastName": "Durand"}, "userErrors": []}
            orders = json.loads(ask(
                "{ orders(first: 3) { nodes { id displayFulfillmentStatus totalPriceSet { shopMoney { amount } } "
                "lineItems(first: 5) { nodes { quantity variant { id } } } refunds(first: 1) { id } } } }"
            ))["data"]["orders"]["nodes"]
            assert [order["lineItems"]["nodes"][0]["quantity"] for order in orders] == [2, 3, 1]
            assert orders[0]["totalPriceSet"]["shopMoney"]["amount"] == "99.8" and orders[1]["refunds"]
            sdk.ShopifyResource.clear_session()
            sdk.ShopifyResource.activate_session(sdk.Session("sandbox.myshopify.com", "2026-07", "wrong"))
            sdk.ShopifyResource.site = f"{url}/admin/api/2026-07"
            with pytest.raises(Exception, match="401"):
                sdk.GraphQL().execute("{ shop { name } }")
        finally:
            sdk.ShopifyResource.clear_session()
    assert {e["operation"] for e in world.api_effects()} == {
        "productVariantsBulkUpdate", "inventorySetQuantities", "customerUpdate"
    }
