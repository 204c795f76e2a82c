"""Shopify, what is written: prices, barcodes, stock, customers, consent; what is refused, what reading back says."""

import json
from dataclasses import replace

import httpx
import pytest

from pipelines.channels.shopify import SHOPIFY
from pipelines.errors import AmbiguousWrite
from pipelines.model import OutcomeStatus
from sandbox.records import Price, Stock
from sandbox.vendor import Settings
from tests.channels.harness import EPOCH, Outside
from tests.channels.shopify_world import (
    CHF,
    JPY,
    JUNE,
    LYON,
    PARIS,
    context,
    customer,
    customer_id,
    empty,
    item,
    level_context,
    query,
    shop,
    stock_item,
    variant,
    watch_costs,
)

A, R, S = OutcomeStatus.APPLIED, OutcomeStatus.REJECTED, OutcomeStatus.STALE


def price(world: Outside, number: int, desired: str | None, field: str = "amount", **rest):
    sub, currency = rest.pop("sub", "base"), rest.pop("currency", "EUR")
    return world.correction(
        "prices", field, variant(number), desired, sub=sub, currency=currency, context=context(number), **rest
    )


def stock(world: Outside, number: int, observed: str | None, desired: str | None, place: str = PARIS):
    return world.correction(
        "stock", "available", variant(number), desired, sub=place, observed=observed,
        context=level_context(number, place),
    )


def person(world: Outside, number: int, field: str, desired: str | None, address: bool = True):
    held = {"address_id": f"gid://shopify/MailingAddress/{6_000_000_000 + number}"} if address else {"address_id": None}
    return world.correction("customers", field, customer_id(number), desired, context=held)


def consent(world: Outside, number: int, observed: str | None, desired: str, **held):
    given = {"email": f"anne{number}@example.fr"} | held
    return world.correction(
        "consents", "state", customer_id(number), desired, sub="email", observed=observed, context=given
    )


async def codes(world: Outside, entity: str, corrections) -> list[tuple[OutcomeStatus, str]]:
    """Status and code of each outcome; each belongs to its correction."""
    outcomes = await world.writer(entity)(corrections)
    assert [o.correction_key for o in outcomes] == [c.correction_key for c in corrections]
    return [(o.status, o.code) for o in outcomes]


async def values(world: Outside, entity: str, corrections) -> list[str | None]:
    return [reading.value for reading in await world.read_back(entity, corrections)]


# -- prices and barcodes ------------------------------------------------------------------------------------------


async def test_base_prices_of_a_product_go_in_one_call_amount_and_compare_at_together():
    world = shop()
    rows = [price(world, 0, "3990"), price(world, 0, "4990", "compare_at"), price(world, 1, "100")]
    assert await codes(world, "prices", rows) == [(A, "")] * 3
    assert len(world.transport.exchanges) == 1
    sent = json.loads(world.transport.exchanges[0][0].content)["variables"]["variants"]
    assert sent[0] == {"id": variant(0), "price": "39.90", "compareAtPrice": "49.90"}
    assert sent[1] == {"id": variant(1), "price": "1.00"}
    assert await values(world, "prices", rows) == ["3990", "4990", "100"]
    logged = {(e["key"], e["field"], e["before"], e["after"]) for e in world.api_effects()}
    assert logged == {
        (f"{variant(0)}|base", "amount", "49.90", "39.90"), (f"{variant(0)}|base", "compare_at", None, "49.90"),
        (f"{variant(1)}|base", "amount", "49.91", "1.00"),
    }


async def test_a_compare_at_price_is_taken_away_by_none_and_an_amount_never():
    world = shop()
    await codes(world, "prices", [price(world, 0, "9990", "compare_at")])
    assert await codes(world, "prices", [price(world, 0, None, "compare_at")]) == [(A, "")]
    assert await values(world, "prices", [price(world, 0, None, "compare_at")]) == [None]
    assert await codes(world, "prices", [price(world, 0, None)]) == [(R, "BLANK")]


async def test_one_bad_variant_does_not_keep_the_others_out():
    world = shop()
    world.vendor.delete(world.store, "items", [variant(1)], EPOCH)
    rows = [price(world, 0, "3990"), price(world, 1, "3990")]
    assert await codes(world, "prices", rows) == [(A, ""), (R, "PRODUCT_VARIANT_DOES_NOT_EXIST")]
    gone = (await world.read_back("prices", rows))[1]
    assert (gone.exists, gone.value) == (False, None)
    negative = await codes(world, "prices", [price(world, 0, "-1")])
    assert negative == [(R, "GREATER_THAN_OR_EQUAL_TO")]


async def test_batches_are_grouped_by_product_and_by_price_list():
    writer = next(w for w in SHOPIFY.writers if w.entity == "prices")
    world = shop()
    first, second, third = (writer.group(price(world, n, "1")) for n in (0, 1, 2))
    assert first == second != third
    assert writer.group(price(world, 0, "1", sub=CHF)) == writer.group(price(world, 4, "1", sub=CHF)) == CHF
    assert writer.needs_check and writer.batch_max == 250


async def fixed(world: Outside, number: int, desired: str | None, field: str = "amount", **rest):
    """A correction of a fixed price of the Swiss list, planned on what is there now."""
    asked = price(world, number, desired, field, sub=rest.pop("sub", CHF), currency=rest.pop("currency", "CHF"))
    (now,) = await values(world, "prices", [asked])
    return replace(asked, observed=now)


async def test_fixed_prices_keep_the_half_that_no_correction_names():
    world = shop()
    rows = [await fixed(world, 0, "5000")]
    assert await codes(world, "prices", rows) == [(A, "")]
    both = [*rows, await fixed(world, 0, None, "compare_at")]
    assert await values(world, "prices", both) == ["5000", "6000"]
    assert await codes(world, "prices", [both[1]]) == [(A, "")]
    assert await values(world, "prices", both) == ["5000", None]
    yen = await fixed(world, 0, "8300", sub=JPY, currency="JPY")
    assert await codes(world, "prices", [yen]) == [(A, "")]
    assert await values(world, "prices", [yen]) == ["8300"]


async def test_a_fixed_price_that_moves_between_the_check_and_the_write_is_left_as_it_is():
    """Shopify compares nothing; but the writer reads the other half of a price, and so sees this one."""
    world = shop()
    rows = [await fixed(world, 0, "5000"), await fixed(world, 1, "5000")]
    world.vendor.put_prices(world.store, [Price(variant(0), CHF, "CHF", 4711)], JUNE, log=True)
    assert await codes(world, "prices", rows) == [(S, "moved"), (A, "")]
    assert await values(world, "prices", rows) == ["4711", "5000"]
    assert await codes(world, "prices", [rows[1]]) == [(A, "")], "the same bytes again, after a lost answer"


async def test_fixed_prices_are_all_or_none_and_the_good_ones_are_sent_again():
    world = shop()
    rows = [await fixed(world, n, "5000") for n in (0, 77, 1)]
    assert await codes(world, "prices", rows) == [(A, ""), (R, "VARIANT_NOT_FOUND"), (A, "")]
    wrong = [await fixed(world, 0, "5000", currency="EUR")]
    assert await codes(world, "prices", wrong) == [(R, "PRICE_LIST_CURRENCY_MISMATCH")]
    nowhere = [price(world, 0, "5000", sub="gid://shopify/PriceList/9", currency="EUR")]
    assert await codes(world, "prices", nowhere) == [(R, "PRICE_LIST_NOT_FOUND")]
    half = [price(world, 5, "5000", "compare_at", sub=CHF, currency="CHF")]
    assert await codes(world, "prices", half) == [(R, "VARIANT_NOT_FOUND")]


async def test_250_fixed_prices_go_in_one_call():
    world = empty()
    world.vendor.put_items(world.store, [item(n) for n in range(250)], JUNE)
    rows = [
        correction for n in range(125)
        for correction in (price(world, n, "700", sub=CHF, currency="CHF"),
                           price(world, n, "900", "compare_at", sub=CHF, currency="CHF"))
    ]
    assert set(await codes(world, "prices", rows)) == {(A, "")}
    assert len(world.transport.exchanges) == 1
    assert set(await values(world, "prices", rows)) == {"700", "900"}


async def test_barcodes_are_written_as_shops_print_them():
    world = shop()
    rows = [
        world.correction("items", "gtin", variant(0), "04006381333931", context=context(0)),
        world.correction("items", "gtin", variant(1), "00000096385074", context=context(1)),
    ]
    assert await codes(world, "items", rows) == [(A, ""), (A, "")]
    assert await values(world, "items", rows) == ["4006381333931", "96385074"]
    assert await codes(world, "items", [world.correction("items", "gtin", variant(0), None, context=context(0))]) == [
        (R, "BLANK")
    ]


async def test_a_price_write_whose_answer_is_lost_is_not_sent_again():
    world = shop()
    world.transport.answers = [httpx.ReadTimeout("lost")]
    with pytest.raises(AmbiguousWrite):
        await world.writer("prices")([price(world, 0, "3990")])
    world.transport.answers = [httpx.Response(502, text="bad gateway")]
    with pytest.raises(AmbiguousWrite):
        await world.writer("prices")([price(world, 0, "3990")])


# -- stock --------------------------------------------------------------------------------------------------------


async def test_stock_is_set_against_the_observed_quantity():
    world = shop()
    rows = [stock(world, 0, "8", "5"), stock(world, 1, "9", "0", LYON)]
    assert await codes(world, "stock", rows) == [(A, ""), (A, "")]
    assert await values(world, "stock", rows) == ["5", "0"]
    sent = json.loads(world.transport.exchanges[0][0].content)["variables"]
    assert sent["key"] == "key-1"
    assert sent["input"]["quantities"][0] == {
        "inventoryItemId": stock_item(0), "locationId": PARIS, "quantity": 5, "changeFromQuantity": 8,
    }
    effects = [(e["field"], e["before"], e["after"], e["idempotency_key"]) for e in world.api_effects()]
    assert ("available", "8", "5", "key-1") in effects and ("on_hand", "10", "7", "key-1") in effects


async def test_a_stale_row_stays_out_and_the_rest_of_its_batch_goes_in():
    world = shop()
    world.vendor.put_stock(world.store, [Stock(variant(1), PARIS, 30)], EPOCH)
    rows = [stock(world, n, observed, "5") for n, observed in ((0, "8"), (1, "9"), (77, "1"), (2, "10"))]
    assert await codes(world, "stock", rows) == [
        (A, ""), (S, "CHANGE_FROM_QUANTITY_STALE"), (R, "INVALID_INVENTORY_ITEM"), (A, ""),
    ]
    keys = [json.loads(request.content)["variables"]["key"] for request, _ in world.transport.exchanges]
    assert len(keys) == len(set(keys)) == 2
    assert await values(world, "stock", rows[:2]) == ["5", "30"]
    assert not (await world.read_back("stock", [rows[2]]))[0].exists


async def test_the_same_key_with_the_same_rows_is_one_effect():
    world = shop()
    rows = [stock(world, 0, "8", "5")]
    await codes(world, "stock", rows)
    await codes(world, "stock", rows)
    assert len(world.api_effects()) == 2
    other = [replace(rows[0], desired="4")]
    outcome = (await world.writer("stock")(other))[0]
    assert (outcome.status, outcome.code) == (OutcomeStatus.UNKNOWN, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")


async def test_a_stock_write_whose_answer_is_lost_is_sent_again_with_its_key():
    world = shop()
    real, lost = world.transport._inner, []

    class Loses(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            response = await real.handle_async_request(request)
            if not lost:
                lost.append(request.content)
                raise httpx.ReadTimeout("applied, but the answer is lost")
            assert request.content == lost[0]
            return response

    world.transport._inner = Loses()
    assert await codes(world, "stock", [stock(world, 0, "8", "5")]) == [(A, "")]
    assert len(world.api_effects()) == 2 and world.session.counters.retries == 1


async def test_stock_is_never_set_blindly():
    world = shop()
    rows = [stock(world, 0, None, "5"), stock(world, 1, "9", None)]
    assert await codes(world, "stock", rows) == [(R, "NOT_OBSERVED"), (R, "BLANK")]
    assert world.transport.exchanges == []


async def test_a_location_where_the_item_is_not_stocked_is_named():
    world = shop()
    world.vendor.put_items(world.store, [item(9)], JUNE)
    nowhere = [replace(stock(world, 0, "1", "2"), vendor_sub_id="gid://shopify/Location/1")]
    assert await codes(world, "stock", nowhere) == [(R, "INVALID_LOCATION")]
    world = shop()
    world.vendor.put_items(world.store, [item(9)], JUNE)
    assert await codes(world, "stock", [stock(world, 9, "1", "2")]) == [(R, "ITEM_NOT_STOCKED_AT_LOCATION")]


# -- customers ----------------------------------------------------------------------------------------------------


async def test_fields_of_several_customers_go_in_one_document():
    world = shop()
    rows = [
        person(world, 1, "first_name", "Jeanne"), person(world, 1, "phone", "+33698765432"),
        person(world, 1, "city", "Paris"), person(world, 2, "street", "2 rue B", address=False),
        person(world, 2, "postcode", "75001", address=False),
    ]
    assert await codes(world, "customers", rows) == [(A, "")] * 5
    assert len(world.transport.exchanges) == 1
    assert await values(world, "customers", rows) == ["Jeanne", "+33698765432", "Paris", "2 rue B", "75001"]
    untouched = [person(world, 1, "street", ""), person(world, 1, "last_name", "")]
    assert await values(world, "customers", untouched) == ["1 rue A", "Martin 1"]


async def test_a_field_that_is_refused_does_not_keep_the_others_of_its_customer_out():
    world = shop()
    rows = [person(world, 1, "phone", "+33612345679"), person(world, 1, "first_name", "Jeanne"),
            person(world, 2, "last_name", "Durand"), person(world, 4, "phone", "0612345678")]
    outcomes = await world.writer("customers")(rows)
    assert [o.status for o in outcomes] == [R, A, A, R]
    assert not any("336" in o.message for o in outcomes)
    assert await values(world, "customers", rows[1:3]) == ["Jeanne", "Durand"]


async def test_a_customer_who_is_gone_and_a_blank_are_rejected():
    world = shop()
    world.vendor.delete(world.store, "customers", [customer_id(1)], EPOCH)
    rows = [person(world, 1, "first_name", "Jeanne"), person(world, 2, "first_name", "")]
    assert [status for status, _ in await codes(world, "customers", rows)] == [R, R]
    assert [reading.exists for reading in await world.read_back("customers", rows)] == [False, True]


async def test_a_full_batch_of_customers_is_one_query_below_the_cost_limit():
    world = empty()
    world.vendor.put_customers(world.store, [customer(n) for n in range(50)], JUNE)
    costs = watch_costs(world)
    rows = [person(world, n, "first_name", "Jeanne") for n in range(50)]
    assert set(await codes(world, "customers", rows)) == {(A, "")}
    await values(world, "customers", rows)
    assert costs == [(500, 500), (200, 200)]


# -- consent ------------------------------------------------------------------------------------------------------


async def test_a_permission_is_lowered_as_of_now_whenever_the_no_was_said():
    """Shopify keeps the answer with the younger date: a no that is older than its own yes might change nothing."""
    world = shop()
    at = "2001-01-01T00:00:00.000Z"
    rows = [consent(world, 1, "yes", "no", changed_at=at), consent(world, 3, "pending", "no")]
    assert await codes(world, "consents", rows) == [(A, ""), (A, "")]
    assert await values(world, "consents", rows) == ["no", "no"]
    held = {c.key: c for c in world.vendor.observe_customers(world.store)}
    assert held[customer_id(1)].consent.at == EPOCH
    assert [(e["before"], e["after"]) for e in world.api_effects()] == [
        ("SUBSCRIBED", "UNSUBSCRIBED"), ("PENDING", "UNSUBSCRIBED"),
    ]


@pytest.mark.parametrize(("observed", "desired"), [("no", "yes"), ("no", "pending"), (None, "yes"), ("pending", "yes")])
async def test_a_permission_is_never_raised(observed, desired):
    world = shop()
    row = consent(world, 2, observed, desired, proof="double opt-in")
    assert await codes(world, "consents", [row]) == [(R, "RAISE_REFUSED")]
    assert world.transport.exchanges == [] and world.api_effects() == []


async def test_a_permission_whose_address_changed_is_not_this_contact_points_any_more():
    world = shop()
    world.vendor.put_customers(world.store, [customer(1, email="other@example.fr")], EPOCH)
    reading = (await world.read_back("consents", [consent(world, 1, "yes", "no")]))[0]
    assert (reading.exists, reading.value) == (False, None)
    never_asked = (await world.read_back("consents", [consent(world, 4, None, "no")]))[0]
    assert never_asked.value == "unknown"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ('marketingState: NOT_SUBSCRIBED', "INVALID"),
        ('marketingState: REDACTED', "INVALID"),
        ('marketingState: PENDING, marketingOptInLevel: SINGLE_OPT_IN', "INVALID"),
        ('marketingState: SUBSCRIBED, consentUpdatedAt: "2030-01-01T00:00:00Z"', "INVALID"),
    ],
)
async def test_the_vendor_takes_three_states_and_no_time_to_come(given, code):
    world = shop()
    answer = await query(world, f"""mutation {{ customerEmailMarketingConsentUpdate(input: {{
        customerId: "{customer_id(1)}", emailMarketingConsent: {{ {given} }} }}) {{ userErrors {{ code }} }} }}""")
    assert answer["data"]["customerEmailMarketingConsentUpdate"]["userErrors"] == [{"code": code}]
    assert world.api_effects() == []


# -- the vendor's run-time rules ------------------------------------------------------------------------------------


async def test_arrays_over_250_are_refused():
    world = empty(settings=Settings(plan="enterprise"))
    prices = [{"variantId": variant(n), "price": {"amount": "1", "currencyCode": "CHF"}} for n in range(251)]
    answer = await query(
        world, "mutation($l: ID!, $p: [PriceListPriceInput!]!) "
        "{ priceListFixedPricesAdd(priceListId: $l, prices: $p) { userErrors { code } } }", l=CHF, p=prices,
    )
    assert answer["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


async def test_without_partial_updates_one_bad_variant_stops_all():
    world = shop()
    variants = [{"id": variant(0), "price": "1"}, {"id": variant(5), "price": "1"}]
    answer = await query(
        world, "mutation($p: ID!, $v: [ProductVariantsBulkInput!]!) { productVariantsBulkUpdate(productId: $p, "
        "variants: $v) { productVariants { id } userErrors { code field } } }", p=context(0)["product_id"], v=variants,
    )
    payload = answer["data"]["productVariantsBulkUpdate"]
    assert payload == {"productVariants": None, "userErrors": [
        {"code": "PRODUCT_VARIANT_DOES_NOT_EXIST", "field": ["variants", "1", "id"]}
    ]}
    assert world.api_effects() == []


async def test_the_world_logs_its_own_hand():
    world = shop()
    world.vendor.put_prices(world.store, [Price(variant(0), "base", "EUR", 100), Price(variant(0), CHF, "CHF", 200)],
                            EPOCH, log=True)
    world.vendor.put_stock(world.store, [Stock(variant(0), PARIS, 1)], EPOCH, log=True)
    world.vendor.put_customers(world.store, [customer(1, city="Nice")], EPOCH, log=True)
    logged = {(e["kind"], e["field"]) for e in world.store.effects(origin="world")}
    assert {("prices", "amount"), ("stock", "available"), ("customers", "city"), ("consents", "state")} <= logged
    assert world.api_effects() == []
    assert ("100", None) in {(amount, was) for _, name, _, amount, was in world.vendor.observe_prices(world.store)
                             if name == "base"}
    assert (variant(0), PARIS, 1, 1) in set(world.vendor.observe_stock(world.store))


async def test_only_what_trueup_had_filled_in_for_another_person_is_emptied():
    world = shop()
    rows = [person(world, 1, "first_name", None), person(world, 2, "first_name", None)]
    sent = [replace(rows[0], rule="unmerge"), rows[1], replace(person(world, 1, "city", None), rule="unmerge")]
    assert [o.status for o in await world.writer("customers")(sent)] == [A, R, A]
    readings = await world.read_back("customers", sent)
    assert [reading.value for reading in readings] == [None, "Anne", None]
