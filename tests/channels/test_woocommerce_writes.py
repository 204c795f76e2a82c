"""WooCommerce's writes and read-backs, and how it is reached: each outcome by row, and the traps of VENDORS.md."""

import base64
import json
from datetime import timedelta

import httpx
import pytest

from pipelines.channels.base import Connection
from pipelines.channels.woocommerce import WOOCOMMERCE
from pipelines.channels.woocommerce.session import API, KEY, SECRET, connect, identify, judge_of
from pipelines.errors import (
    AmbiguousWrite,
    ConfigurationError,
    CredentialError,
    FatalChannelError,
    RetriableChannelError,
)
from pipelines.http import Answer
from pipelines.model import OutcomeStatus
from sandbox.records import Consent, Price, Stock
from sandbox.woocommerce import SHOP_ID
from tests.channels.harness import EPOCH, Outside
from tests.channels.test_woocommerce import JUNE, OPTIONS, ask, customer, item, shop

APPLIED, REJECTED, UNKNOWN = OutcomeStatus.APPLIED, OutcomeStatus.REJECTED, OutcomeStatus.UNKNOWN
WITH_NO_PRODUCT, OF_200 = {"product_id": ""}, {"product_id": "200"}


def price(world: Outside, key: str, desired: str | None, field: str = "amount", **rest):
    rest.setdefault("context", WITH_NO_PRODUCT if key == "101" else OF_200)
    return world.correction("prices", field, key, desired, sub="base", currency="EUR", **rest)


def level(world: Outside, key: str, desired: str | None):
    context = WITH_NO_PRODUCT if key == "101" else OF_200
    return world.correction("stock", "available", key, desired, sub="shop", context=context)


def gtin(world: Outside, key: str, desired: str | None, **context):
    return world.correction("items", "gtin", key, desired, context=context or WITH_NO_PRODUCT)


def field(world: Outside, key: str, name: str, desired: str | None):
    return world.correction("customers", name, key, desired)


def consent(world: Outside, key: str, desired: str = "no", said: str = "yes"):
    context = {"email": f"anne{key}@example.fr", "vendor_state": said}
    return world.correction("consents", "state", key, desired, sub="email", context=context)


def words(outcomes) -> list[tuple[OutcomeStatus, str]]:
    return [(o.status, o.code) for o in outcomes]


def prices(world: Outside) -> dict[str, tuple[str, str | None]]:
    return {key: (amount, compare) for key, _, _, amount, compare in world.vendor.observe_prices(world.store)}


def levels(world: Outside) -> dict[str, int]:
    return {key: available for key, _, _, available in world.vendor.observe_stock(world.store)}


def sent(world: Outside) -> list[dict]:
    """The rows of the batches that went out."""
    return [
        row for request, _ in world.transport.exchanges if request.method == "POST"
        for row in json.loads(request.content)["update"]
    ]


# -- prices -------------------------------------------------------------------------------------------------


async def test_a_price_without_a_sale_is_the_regular_one():
    world = shop()
    rows = [price(world, "101", "5990")]
    assert words(await world.writer("prices")(rows)) == [(APPLIED, "")]
    assert prices(world)["101"] == ("5990", None)
    assert sent(world) == [{"id": 101, "regular_price": "59.90"}], "nothing else is touched"
    assert [r.value for r in await world.read_back("prices", rows)] == ["5990"]
    effects = world.api_effects()
    await world.writer("prices")(rows)
    assert world.api_effects() == effects, "a repeat changes nothing"


async def test_a_price_during_a_sale_is_the_sale_price_and_its_days_stay():
    world = shop()
    ends = (EPOCH + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%S")
    doc = world.store.get("woocommerce", "variations", "201")
    body = doc.body | {"date_on_sale_to_gmt": ends, "date_on_sale_to": ends}
    world.store.put("woocommerce", "variations", "201", body, updated_at=JUNE, parent="200")
    assert words(await world.writer("prices")([price(world, "201", "1790")])) == [(APPLIED, "")]
    assert prices(world)["201"] == ("1790", "2490")
    after = world.store.get("woocommerce", "variations", "201").body
    assert (after["regular_price"], after["sale_price"], after["date_on_sale_to_gmt"]) == ("24.90", "17.90", ends)


async def test_a_struck_through_price_begins_and_ends_with_both_values_in_one_row():
    world = shop()
    begin = [price(world, "101", "3990"), price(world, "101", "4990", "compare_at")]
    assert words(await world.writer("prices")(begin)) == [(APPLIED, "")] * 2
    assert prices(world)["101"] == ("3990", "4990")
    assert [r.value for r in await world.read_back("prices", begin)] == ["3990", "4990"]
    end = [price(world, "101", "4490"), price(world, "101", None, "compare_at")]
    assert words(await world.writer("prices")(end)) == [(APPLIED, "")] * 2
    assert prices(world)["101"] == ("4490", None)
    assert [r.value for r in await world.read_back("prices", end)] == ["4490", None]
    assert len(sent(world)) == 2


async def test_one_of_two_values_keeps_the_other():
    world = shop()
    assert words(await world.writer("prices")([price(world, "201", "2990", "compare_at")])) == [(APPLIED, "")]
    assert prices(world)["201"] == ("1990", "2990")
    assert words(await world.writer("prices")([price(world, "201", None, "compare_at")])) == [(APPLIED, "")]
    assert prices(world)["201"] == ("1990", None)
    after = world.store.get("woocommerce", "variations", "201").body
    assert after["sale_price"] == "", "a sale that we ended waits in no record for a higher regular price"


def idle(world: Outside, sale: str, starts: timedelta | None, ends: timedelta | None) -> None:
    """A regular price of 20.00 and a sale price that is not below it, or has had its days."""
    body = world.store.get("woocommerce", "products", "101").body | {"regular_price": "20.00", "sale_price": sale}
    for name, away in (("from", starts), ("to", ends)):
        day = "" if away is None else (EPOCH + away).strftime("%Y-%m-%dT%H:%M:%S")
        body |= {f"date_on_sale_{name}": day or None, f"date_on_sale_{name}_gmt": day or None}
    world.store.put("woocommerce", "products", "101", body, updated_at=JUNE)


async def test_a_sale_that_is_still_to_come_stays_as_it_is():
    world = shop()
    doc = world.store.get("woocommerce", "products", "101")
    starts = (EPOCH + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
    body = doc.body | {"sale_price": "29.90", "date_on_sale_from_gmt": starts, "date_on_sale_from": starts}
    world.store.put("woocommerce", "products", "101", body, updated_at=JUNE)
    assert words(await world.writer("prices")([price(world, "101", "5990")])) == [(APPLIED, "")]
    after = world.store.get("woocommerce", "products", "101").body
    assert (after["regular_price"], after["sale_price"], after["date_on_sale_from_gmt"]) == ("59.90", "29.90", starts)
    rows = [price(world, "101", "4990"), price(world, "101", "5990", "compare_at")]
    assert words(await world.writer("prices")(rows)) == [(REJECTED, "NO_SALE")] * 2, "it has the only place there is"
    assert world.store.get("woocommerce", "products", "101").body == after


@pytest.mark.parametrize("starts", [None, timedelta(days=-9)])
@pytest.mark.parametrize("ends", [None, timedelta(days=9)])
async def test_a_sale_price_that_lay_idle_is_cleared_where_the_shop_would_sell_at_it(starts, ends):
    world = shop()
    idle(world, "22.00", starts, ends)
    rows = [price(world, "101", "2500")]
    assert words(await world.writer("prices")(rows)) == [(APPLIED, "")]
    assert prices(world)["101"] == ("2500", None), "not 22.00"
    assert sent(world)[-1]["sale_price"] == ""
    assert [r.value for r in await world.read_back("prices", rows)] == ["2500"]


@pytest.mark.parametrize(("sale", "ends"), [("22.00", timedelta(days=-1)), ("29.90", None)])
async def test_a_sale_price_that_goes_on_lying_idle_is_left_alone(sale, ends):
    world = shop()
    idle(world, sale, None, ends)
    assert words(await world.writer("prices")([price(world, "101", "2500")])) == [(APPLIED, "")]
    assert sent(world)[-1] == {"id": 101, "regular_price": "25.00"}


@pytest.mark.parametrize("ends", [timedelta(days=-1), timedelta(days=9)], ids=["run out", "never below the price"])
async def test_a_sale_of_ours_takes_the_place_of_one_that_has_run_out(ends):
    world = shop()
    idle(world, "22.00", None, ends)
    rows = [price(world, "101", "2100"), price(world, "101", "2500", "compare_at")]
    assert words(await world.writer("prices")(rows)) == [(APPLIED, "")] * 2
    assert prices(world)["101"] == ("2100", "2500"), "it runs now, so it has no days"
    after = world.store.get("woocommerce", "products", "101").body
    assert not after["date_on_sale_to_gmt"], "nor does it end with the one that lay there"
    assert sent(world)[-1]["date_on_sale_to_gmt"] == ""


async def test_what_the_shop_could_not_show_is_not_sent():
    world = shop()
    rows = [
        price(world, "101", None), price(world, "101", "4990", "compare_at"), price(world, "999", "100", context={}),
    ]
    assert words(await world.writer("prices")(rows)) == [(REJECTED, "BLANK"), (REJECTED, "NO_SALE"), (REJECTED, "GONE")]
    assert world.api_effects() == []


async def test_trap_14_a_comma_is_dropped_and_a_hundredfold_price_stored_so_we_never_send_one():
    world = shop()
    await world.session.post(f"{API}/products/batch", {"update": [{"id": 101, "regular_price": "12,50"}]})
    assert prices(world)["101"] == ("125000", None), "the answer is 200, the price is 1250.00"
    rows = [price(world, "101", "1250")]
    assert words(await world.writer("prices")(rows)) == [(APPLIED, "")]
    assert prices(world)["101"] == ("1250", None) and sent(world)[-1]["regular_price"] == "12.50"


async def test_trap_15_the_digits_of_an_amount_do_not_matter(con):
    world = shop()
    await world.session.post(f"{API}/products/batch", {"update": [{"id": 101, "regular_price": "49.9"}]})
    await world.stage(con)
    assert con.execute("SELECT amount_minor FROM woocommerce.prices WHERE vendor_id = '101'").fetchone() == (4990,)
    assert [r.value for r in await world.read_back("prices", [price(world, "101", "4990")])] == ["4990"]


async def test_our_own_write_is_no_drift_the_next_night(con):
    world = shop()
    await world.writer("prices")([price(world, "101", "3990"), price(world, "101", "4990", "compare_at")])
    await world.writer("stock")([level(world, "101", "4")])
    await world.stage(con)
    found = con.execute("SELECT amount_minor, compare_at_minor FROM woocommerce.prices WHERE vendor_id = '101'")
    assert found.fetchone() == (3990, 4990)
    assert con.execute("SELECT available FROM woocommerce.stock WHERE vendor_id = '101'").fetchone() == (4,)


# -- stock and barcodes -------------------------------------------------------------------------------------


async def test_a_quantity_is_set_and_read_back():
    world = shop()
    rows = [level(world, "101", "0")]
    assert words(await world.writer("stock")(rows)) == [(APPLIED, "")]
    rows += [level(world, "202", "12")]
    assert words(await world.writer("stock")(rows[1:])) == [(APPLIED, "")]
    assert levels(world) == {"101": 0, "201": 7, "202": 12}
    assert [r.value for r in await world.read_back("stock", rows)] == ["0", "12"]
    effects = [(e["kind"], e["key"], e["field"], e["before"], e["after"]) for e in world.api_effects()]
    assert effects == [("stock", "101", "stock_quantity", "7", "0"), ("stock", "202", "stock_quantity", "7", "12")]


async def test_trap_a_quantity_is_dropped_without_a_word_where_stock_is_not_managed():
    world = shop()
    world.vendor.put_items(world.store, [item(103, tracked=False)], JUNE)
    row = world.correction("stock", "available", "103", "5", sub="shop", context=WITH_NO_PRODUCT)
    assert words(await world.writer("stock")([row])) == [(REJECTED, "NOT_TAKEN")]
    assert [(r.value, r.exists) for r in await world.read_back("stock", [row])] == [(None, True)]


async def test_trap_a_count_shared_with_siblings_is_never_written(con):
    world = shop()
    doc = world.store.get("woocommerce", "variations", "201")
    body = doc.body | {"manage_stock": "parent", "stock_quantity": 9}
    world.store.put("woocommerce", "variations", "201", body, updated_at=JUNE, parent="200")
    await world.stage(con)
    kept_out = con.execute("SELECT entity, vendor_id, field FROM quarantine.woocommerce").fetchall()
    assert kept_out == [("stock", "201", "available")]
    assert [r.value for r in await world.read_back("stock", [level(world, "201", "5")])] == [None]
    assert words(await world.writer("stock")([level(world, "201", "5")])) == [(REJECTED, "NOT_TAKEN")]


async def test_a_barcode_is_written_as_shops_print_it_and_belongs_to_one_thing():
    world = shop()
    world.vendor.put_items(world.store, [item(104), item(105)], JUNE)
    rows = [gtin(world, "104", "04006381333931"), gtin(world, "105", "00000096385074"), gtin(world, "101", None)]
    outcomes = await world.writer("items")(rows)
    assert words(outcomes) == [(REJECTED, "product_invalid_global_unique_id"), (APPLIED, ""), (REJECTED, "BLANK")]
    assert [(row["id"], row["global_unique_id"]) for row in sent(world)] == [(104, "4006381333931"), (105, "96385074")]
    assert [r.value for r in await world.read_back("items", rows)] == [None, "96385074", "4006381333931"]
    of_a_variation = gtin(world, "201", "05901234123457", product_id="200")
    assert words(await world.writer("items")([of_a_variation])) == [(APPLIED, "")]


async def test_a_barcode_that_this_version_does_not_know_is_not_taken_for_written():
    world = shop()
    world.transport.answers = [httpx.Response(200, json={"update": [{"id": 101, "sku": "SKU-101"}]})]
    outcomes = await world.writer("items")([gtin(world, "101", "05901234123457")])
    assert words(outcomes) == [(REJECTED, "NOT_TAKEN")]


# -- batches ------------------------------------------------------------------------------------------------


async def test_trap_a_batch_answers_200_whatever_became_of_its_rows():
    world = shop()
    rows = [
        level(world, "101", "3"),
        world.correction("stock", "available", "999", "3", sub="shop", context=WITH_NO_PRODUCT),
        world.correction("stock", "available", "201", "3", sub="shop", context=WITH_NO_PRODUCT),
    ]
    outcomes = await world.writer("stock")(rows)
    assert world.transport.exchanges[-1][1].status_code == 200
    assert words(outcomes) == [
        (APPLIED, ""), (REJECTED, "woocommerce_rest_product_invalid_id"),
        (REJECTED, "woocommerce_rest_invalid_product_id"),
    ], "a variation is no product"
    assert levels(world)["101"] == 3
    other = world.correction("stock", "available", "201", "3", sub="shop", context={"product_id": "101"})
    (found,) = await world.writer("stock")([other])
    assert found.code == "woocommerce_rest_product_variation_invalid_parent", "nor one of any product"


async def test_a_hundred_rows_are_one_call_and_more_are_refused_whole():
    world = shop()
    numbers = range(1000, 1101)
    world.vendor.put_items(world.store, [item(n) for n in numbers], JUNE)
    rows = [
        world.correction("stock", "available", str(n), "5", sub="shop", context=WITH_NO_PRODUCT) for n in numbers
    ]
    assert words(await world.writer("stock")(rows[:100])) == [(APPLIED, "")] * 100
    assert world.transport.paths() == ["POST /woocommerce/wp-json/wc/v3/products/batch"]
    with pytest.raises(FatalChannelError, match="request_entity_too_large"):
        await world.session.post(f"{API}/products/batch", {"update": [{"id": n} for n in numbers]})
    writers = {writer.entity: writer for writer in WOOCOMMERCE.writers}
    assert {writer.batch_max for writer in writers.values()} == {100}
    assert writers["stock"].group(level(world, "201", "1")) == "200" != writers["stock"].group(level(world, "101", "1"))


@pytest.mark.parametrize(
    ("answer", "code"),
    [([], "NOT_NAMED"), ([{"id": 7, "stock_quantity": 3}], "NOT_NAMED"), (["text"], "NOT_NAMED"),
     ([{"id": 101, "error": {"code": "x"}}], "x"), ([{"id": 101, "error": {}}], "REFUSED")],
)
async def test_a_row_that_the_answer_does_not_name_is_unknown(answer, code):
    world = shop()
    world.transport.answers = [httpx.Response(200, json={"update": answer})]
    (found,) = await world.writer("stock")([level(world, "101", "3")])
    assert (found.status, found.code) == (UNKNOWN if code == "NOT_NAMED" else REJECTED, code)


async def test_a_write_whose_answer_is_lost_is_ambiguous_and_never_sent_twice():
    world = shop()
    for lost in (httpx.ReadTimeout("x"), httpx.Response(502, text="<html>")):
        world.transport.answers = [lost]
        before = len(world.transport.exchanges)
        with pytest.raises(AmbiguousWrite):
            await world.writer("stock")([level(world, "101", "3")])
        assert world.transport.answers == [] and len(world.transport.exchanges) == before


async def test_trap_a_read_back_asks_for_all_it_names_and_takes_nothing_else():
    world = shop()
    world.vendor.put_items(world.store, [item(n) for n in range(1000, 1030)], JUNE)
    rows = [level(world, "101", "1"), level(world, "201", "1"), level(world, "202", "1")]
    rows += [
        world.correction("stock", "available", str(n), "5", sub="shop", context={"product_id": ""})
        for n in range(1000, 1030)
    ]
    assert len(await ask(world, "products", include=",".join(str(n) for n in range(1000, 1030)))) == 10, "by default"
    assert [r.value for r in await world.read_back("stock", rows)] == ["7"] * 3 + ["0"] * 30
    world.vendor.delete(world.store, "items", ["1000", "202"], EPOCH)
    gone = [r.exists for r in await world.read_back("stock", rows)]
    assert gone[:4] == [True, True, False, False] and all(gone[4:])
    world.vendor.delete(world.store, "items", ["101"], EPOCH)
    world.transport.answers = [httpx.Response(200, json=[{"id": 1}, {"id": 2}])]
    assert [r.exists for r in await world.read_back("stock", rows[:1])] == [False], "an include that is ignored"


# -- people -------------------------------------------------------------------------------------------------


async def test_fields_are_written_in_parts_and_read_back():
    world = shop()
    given = (("first_name", "Ana"), ("city", "Brest"), ("phone", "06"))
    rows = [field(world, "1", name, value) for name, value in given]
    assert words(await world.writer("customers")(rows)) == [(APPLIED, "")] * 3
    assert sent(world) == [{"id": 1, "first_name": "Ana", "billing": {"city": "Brest", "phone": "06"}}]
    found = next(world.vendor.observe_customers(world.store))
    assert (found.first_name, found.last_name, found.street, found.city, found.postcode) == (
        "Ana", "Martin 1", "1 rue X", "Brest", "69001"
    )
    assert [r.value for r in await world.read_back("customers", rows)] == ["Ana", "Brest", "06"]


async def test_a_bad_field_does_not_take_the_others_with_it():
    world = shop()
    rows = [
        field(world, "1", "first_name", "x" * 300), field(world, "1", "city", "Brest"), field(world, "1", "phone", " "),
        field(world, "9", "city", "Nulle part"),
    ]
    outcomes = await world.writer("customers")(rows)
    assert words(outcomes) == [
        (REJECTED, "customer_invalid_first_name"), (APPLIED, ""), (REJECTED, "BLANK"),
        (REJECTED, "woocommerce_rest_invalid_id"),
    ]
    assert "xxx" not in "".join(o.message + o.code for o in outcomes)
    assert next(world.vendor.observe_customers(world.store)).city == "Brest"
    assert [r.exists for r in await world.read_back("customers", rows)] == [True, True, True, False]


async def test_white_space_that_the_shop_tidies_is_no_other_value():
    world = shop()
    assert words(await world.writer("customers")([field(world, "1", "street", " 2  quai Y ")])) == [(APPLIED, "")]
    assert next(world.vendor.observe_customers(world.store)).street == "2 quai Y"


@pytest.mark.parametrize("text", ["<b>Zoé</b>", "a < b", "100%25", "O\\Brien", "%%0000"])
async def test_a_text_that_wordpress_would_keep_as_another_is_not_sent(text):
    world = shop()
    rows = [field(world, "1", "last_name", text), field(world, "1", "city", "Brest")]
    assert words(await world.writer("customers")(rows)) == [(REJECTED, "CLEANED"), (APPLIED, "")]
    assert [r.value for r in await world.read_back("customers", rows)] == ["Martin 1", "Brest"]
    await world.session.post(f"{API}/customers/batch", {"update": [{"id": 1, "last_name": text}]})
    assert (await world.read_back("customers", rows))[0].value != text, "so it is right not to send it"


async def test_an_account_is_made_under_a_number_of_its_own_and_an_address_once():
    world = shop()
    new = [{"email": "z@example.fr", "first_name": " Zoé "}, {"email": "Z@example.fr"}, {"email": "z"}, {}]
    made = (await world.session.post(f"{API}/customers/batch", {"create": new})).json()["create"]
    assert (made[0]["id"], made[0]["first_name"], made[0]["role"], made[0]["username"]) == (2, "Zoé", "customer", "z")
    assert [(row["id"], row["error"]["code"]) for row in made[1:]] == [
        (0, "registration-error-email-exists"), (0, "customer_invalid_email"), (0, "registration-error-invalid-email"),
    ]
    single = await world.session.post(f"{API}/customers", {"email": "y@example.fr", "username": "y", "password": "x"})
    assert single.status == 201 and single.json()["id"] == 3 and "password" not in single.json()
    assert {row.id for row in await world.rows("customers")} == {"1", "2", "3"}


async def test_a_person_of_another_role_is_read_back_too():
    world = shop()
    doc = world.store.get("woocommerce", "customers", "1")
    world.store.put("woocommerce", "customers", "1", doc.body | {"role": "shop_manager"}, updated_at=JUNE)
    assert [r.exists for r in await world.read_back("customers", [field(world, "1", "city", "Brest")])] == [True]


@pytest.mark.parametrize(
    ("said", "denied"), [("yes", "no"), ("1", "0"), ("TRUE", "false"), ("subscribed", "unsubscribed")]
)
async def test_a_permission_is_lowered_in_the_plugins_own_words(said, denied):
    world = shop(options=OPTIONS)
    doc = world.store.get("woocommerce", "customers", "1")
    body = doc.body | {"meta_data": [{"id": 5, "key": "newsletter_consent", "value": said}]}
    world.store.put("woocommerce", "customers", "1", body, updated_at=JUNE)
    rows = [consent(world, "1", said=said)]
    assert [r.value for r in await world.read_back("consents", rows)] == ["yes"]
    assert words(await world.writer("consents")(rows)) == [(APPLIED, "")]
    assert sent(world) == [{"id": 1, "meta_data": [{"key": "newsletter_consent", "value": denied}]}]
    assert [r.value for r in await world.read_back("consents", rows)] == ["no"]


async def test_a_permission_is_never_raised_and_none_is_written_where_none_is_kept():
    world = shop(options=OPTIONS)
    world.vendor.put_customers(world.store, [customer(2, consent=Consent("no"))], JUNE)
    assert words(await world.writer("consents")([consent(world, "2", "yes", "no")])) == [(REJECTED, "RAISE_REFUSED")]
    bare = shop()
    (found,) = await bare.writer("consents")([consent(bare, "1")])
    assert (found.status, found.code) == (REJECTED, "NOT_KEPT") and "consent_meta_key" in found.message
    assert world.api_effects() == bare.api_effects() == []


async def test_a_permission_planned_for_another_address_does_not_exist():
    world = shop(options=OPTIONS)
    world.vendor.put_customers(world.store, [customer(1, email="new@example.fr", consent=Consent("yes"))], JUNE)
    assert [r.exists for r in await world.read_back("consents", [consent(world, "1")])] == [False]


async def test_a_permission_stays_where_the_other_things_that_plugins_keep_are_written():
    world = shop(options=OPTIONS)
    await world.writer("consents")([consent(world, "1")])
    found = next(world.vendor.observe_customers(world.store))
    assert (found.consent.state, found.card, found.birth_date) == ("no", "C-1", "1980-02-01")


# -- how it is reached --------------------------------------------------------------------------------------


def reached(world: Outside, base: str, key: str = "sandbox", secret: str = "sandbox"):
    """A session of its own to the same shop."""
    return connect(Connection(base, {KEY: key, SECRET: secret}, {}, world.clock, world.transport))


async def test_over_plain_http_each_call_is_signed_and_the_secret_stays_here():
    world = shop()
    await world.rows("products")
    request = world.transport.exchanges[0][0]
    given = dict(request.url.params)
    assert given.keys() >= {"oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature"}
    assert given["oauth_signature_method"] == "HMAC-SHA256" and "oauth_version" not in given
    assert "authorization" not in request.headers
    nonces = {r.url.params["oauth_nonce"] for r, _ in world.transport.exchanges}
    await world.rows("variations")
    nonces |= {r.url.params["oauth_nonce"] for r, _ in world.transport.exchanges}
    assert len(nonces) == len(world.transport.exchanges)


async def test_over_tls_the_key_goes_as_basic_and_nothing_into_the_address():
    world = shop()
    async with reached(world, "https://sandbox/woocommerce") as session:
        assert len((await session.get(f"{API}/products")).json()) == 2
    request = world.transport.exchanges[-1][0]
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"sandbox:sandbox").decode()
    assert not [name for name in request.url.params if name.startswith("oauth")]


async def test_trap_basic_over_plain_http_is_not_looked_at():
    world = shop()
    client = httpx.AsyncClient(transport=world.transport, auth=("sandbox", "sandbox"))
    answer = await client.get("http://sandbox/woocommerce/wp-json/wc/v3/products")
    assert (answer.status_code, answer.json()["code"]) == (401, "woocommerce_rest_cannot_view")
    answer = await client.get("https://sandbox/woocommerce/wp-json/wc/v3/products")
    assert answer.status_code == 200


@pytest.mark.parametrize(("key", "secret"), [("wrong", "sandbox"), ("sandbox", "wrong")])
async def test_a_wrong_half_of_the_key_is_named_with_its_cure(key, secret):
    for base in ("http://sandbox/woocommerce", "https://sandbox/woocommerce"):
        async with reached(shop(), base, key, secret) as session:
            with pytest.raises(CredentialError, match="refused the key") as raised:
                await session.get(f"{API}/products")
            assert "wrong" not in str(raised.value)


async def test_a_signed_call_is_taken_once_and_in_its_quarter_of_an_hour():
    world = shop()
    await world.rows("taxes")
    address = str(world.transport.exchanges[0][0].url)
    client = httpx.AsyncClient(transport=world.transport)
    assert "already been used" in (await client.get(address)).json()["message"]
    other = shop()
    assert (await httpx.AsyncClient(transport=other.transport).get(address)).status_code == 200
    late = shop()
    late.store.set_now(EPOCH + timedelta(minutes=16))
    assert "timestamp" in (await httpx.AsyncClient(transport=late.transport).get(address)).json()["message"]
    forged = address.replace("per_page=100", "per_page=50")
    fresh = httpx.AsyncClient(transport=shop().transport)
    assert "does not match" in (await fresh.get(forged)).json()["message"]


async def test_parameters_with_signs_of_their_own_are_signed_right():
    world = shop()
    world.vendor.put_customers(world.store, [customer(2, email="a+b@example.fr")], JUNE)
    found = await ask(world, "customers", email="a+b@example.fr")
    assert [one["id"] for one in found] == [2]
    assert await ask(world, "customers", email="é à~b&c=d%25") == []


async def test_a_repeat_of_a_call_has_a_signature_of_its_own():
    world = shop()
    world.transport.answers = [httpx.Response(503, text="<h1>Briefly unavailable</h1>")]
    assert [row.id for row in await world.rows("products")] == ["101", "200"]
    assert world.session.counters.retries == 1


async def test_identify_says_which_site_it_is_whatever_the_scheme():
    assert (await identify(shop().session)).shop_id == SHOP_ID
    world = shop()
    for home in ("https://Shop.example/fr/", "http://shop.example/fr"):
        world.transport.answers = [httpx.Response(200, json={"environment": {"home_url": home}})]
        assert (await identify(world.session)).shop_id == "shop.example/fr"
    world.transport.answers = [httpx.Response(200, json={"environment": {}})]
    with pytest.raises(FatalChannelError, match="which site"):
        await identify(world.session)


def answered(status: int, code: str = "", text: str = "<html>Anne anne1@example.fr</html>", **headers: str) -> Answer:
    body = json.dumps({"code": code, "message": "anne1@example.fr", "data": {"status": status}}) if code else text
    return Answer(status, headers, body.encode())


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (answered(401, "woocommerce_rest_authentication_error"), CredentialError, "clock"),
        (answered(401, "woocommerce_rest_cannot_view"), CredentialError, "shop manager"),
        (answered(403, "woocommerce_rest_cannot_edit"), CredentialError, "shop manager"),
        (answered(403), CredentialError, "firewall"),
        (answered(404, "rest_no_route"), FatalChannelError, "permalinks"),
        (answered(404), FatalChannelError, "permalinks"),
        (answered(404, "woocommerce_rest_product_invalid_id"), FatalChannelError, "invalid_id"),
        (answered(400, "rest_invalid_param"), FatalChannelError, "rest_invalid_param"),
        (answered(501, "woocommerce_rest_trash_not_supported"), FatalChannelError, "trash"),
        (answered(429), RetriableChannelError, "429"),
        (answered(500, "internal_server_error"), RetriableChannelError, "internal_server_error"),
        (answered(503), RetriableChannelError, "503"),
    ],
    ids=str,
)
def test_errors_are_sorted_by_what_is_to_be_done_and_quote_no_value(answer, kind, says):
    with pytest.raises(kind, match=says) as raised:
        judge_of(shop().clock)(answer)
    assert "anne" not in str(raised.value).lower() and raised.value.status == answer.status


def test_a_wait_that_the_host_asks_for_is_kept():
    with pytest.raises(RetriableChannelError) as raised:
        judge_of(shop().clock)(answered(503, **{"retry-after": "600"}))
    assert raised.value.retry_after == 600


def test_success_is_no_error():
    judge_of(shop().clock)(Answer(200, {}, b"[]"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("orders_days", "many"), ("orders_days", "0"), ("calls_per_second", "fast"), ("calls_per_second", "0")],
)
def test_an_option_that_cannot_be_read_is_named_with_its_cure(name, value):
    with pytest.raises(ConfigurationError, match=f"{name} is '{value}'; write a number"):
        shop(options={name: value})


async def test_calls_are_paced():
    world = shop(options={"calls_per_second": "2"})
    for _ in range(5):
        await ask(world, "taxes")
    assert sum(world.clock.slept) >= 2


# -- the sandbox's own word on what it plays ----------------------------------------------------------------


async def test_trap_more_than_a_hundred_a_page_is_an_error_and_not_a_shorter_page():
    world = shop()
    with pytest.raises(FatalChannelError, match="rest_invalid_param"):
        await ask(world, "products", per_page=101)
    assert len(await ask(world, "products")) == 2


async def test_trap_people_are_only_deleted_by_force():
    world = shop()
    with pytest.raises(FatalChannelError, match="trash_not_supported"):
        await world.session.call("DELETE", f"{API}/customers/1")
    await world.session.call("DELETE", f"{API}/customers/1", params={"force": "true"})
    assert await world.rows("customers") == []
    await world.session.call("DELETE", f"{API}/products/101")
    assert (await ask(world, "products/101"))["status"] == "trash", "of products there is a trash"


async def test_trap_16_nothing_is_merged_and_what_is_erased_is_gone():
    world = shop()
    with pytest.raises(ValueError, match="merges no customers"):
        world.vendor.merge(world.store, "1", "2", EPOCH)
    world.vendor.erase(world.store, ["1"], EPOCH)
    assert list(world.vendor.observe_customers(world.store)) == []


async def test_what_is_put_again_keeps_its_prices_and_quantities():
    world = shop()
    world.vendor.put_items(world.store, [item(101, title="Robe neuve"), item(201, 200, option="Vert")], EPOCH, log=True)
    assert prices(world)["101"] == ("4990", None) and prices(world)["201"] == ("1990", "2490")
    assert levels(world) == {"101": 7, "201": 7, "202": 7}
    assert [row.id for row in await world.rows("variations")] == ["201", "202"]
    world.vendor.put_prices(world.store, [Price("101", "base", "EUR", "12,50")], EPOCH)
    assert prices(world)["101"] == ("12,50", None), "the world's dirt stays as it was typed"
    world.vendor.put_stock(world.store, [Stock("101", "shop", 9, committed=2)], EPOCH)
    assert levels(world)["101"] == 7
