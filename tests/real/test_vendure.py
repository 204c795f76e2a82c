"""The connector against a Vendure that runs: drift is found, written, and shown by the server's own API.

Runs where the environment names a server that `python -m deploy.real --keep` left running. Adds a few items and
customers of its own, and sets the channel and the global settings up as it needs them: not in a shop that sells.
"""

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import duckdb
import pytest

from deploy.real import vendure_orders as orders
from deploy.real import vendure_seed as seed
from deploy.real.rows import CatalogueRow, CustomerRow
from deploy.real.vendure_api import VendureApi
from pipelines.channels.vendure.documents import read_document
from pipelines.channels.vendure.paging import pages
from pipelines.channels.vendure.reads import _row
from pipelines.channels.vendure.session import identify
from pipelines.errors import CredentialError
from tests.conftest import open_warehouse
from tests.real.vendure_shop import PASSWORD, Reader, WallClock, connected, operator

A, R = "applied", "rejected"


@dataclass
class Shop:
    """A few records that only this module knows."""

    api: VendureApi
    locations: dict[str, str]
    variants: list[str]
    customers: list[str]
    key: str


def _barcode(number: int) -> str:
    body = f"290{number % 10**9:09d}"
    return body + str(-sum(int(c) * (3 if n % 2 else 1) for n, c in enumerate(body)) % 10)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    mark = uuid.uuid4()
    with operator() as api:
        places = seed.open_shop(api, ["Paris", "Lyon"])
        catalogue = [
            CatalogueRow(f"T-{mark.hex[:8]}-{n}", _barcode(mark.int + n), f"Bougie {n}", 4990 + n, 2000,
                              {"Paris": 10 + n, "Lyon": 5})
            for n in range(6)
        ]
        people = [
            CustomerRow(f"anne{n}.{mark.hex[:8]}@example.fr", "Anne", f"Le Goff {n}", "06 12 34 56 78",
                             "1 rue de la Paix" if n else "", "Paris", "75002", n != 3 or None,
                             "2026-01-02T03:04:05Z", "double_opt_in" if n else None, f"C{n}", 10)
            for n in range(4)
        ]
        variants = seed.load_catalogue(api, catalogue, places)
        customers = seed.load_customers(api, people)
        yield Shop(
            api, places, [variants[row.sku] for row in catalogue], [customers[row.email] for row in people],
            api.api_key("tests"),
        )


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    con = open_warehouse()
    yield con
    con.close()


@pytest.fixture
async def reader(shop, warehouse):
    async with connected(shop.key, order_location=shop.locations["Paris"]) as session:
        yield Reader(session, warehouse)


async def test_a_key_and_a_login_reach_the_same_shop(shop, reader):
    known = await identify(reader.session)
    assert known.shop_id and known.name == "__default_channel__"
    async with connected(os.environ[PASSWORD], username="superadmin") as session:
        assert await identify(session) == known
        session._client.auth._token = "run out"
        assert await identify(session) == known, "a session that has run out is renewed"
    async with connected("0123:4567") as session:
        with pytest.raises(CredentialError, match="not allowed"):
            await identify(session)
    async with connected("wrong", username="superadmin") as session:
        with pytest.raises(CredentialError, match="login was refused"):
            await identify(session)


async def test_the_whole_shop_is_staged_and_nothing_of_it_is_kept_out(shop, reader):
    built = await reader.stage()
    assert reader.con.execute("SELECT * FROM quarantine.vendure").fetchall() == []
    assert built["vendure.items"] == len(shop.api.all("productVariants", "id"))
    assert built["vendure.customers"] == built["vendure.consents"] == len(shop.api.all("customers", "id"))
    sku, gtin, basis, rate, tracked = reader.one(
        "SELECT sku, gtin_norm, tax_basis, tax_rate_bp, is_tracked FROM vendure.items WHERE vendor_id = ?",
        shop.variants[0],
    )
    assert sku.startswith("T-") and len(gtin) == 14 and (basis, rate, tracked) == ("gross", 2000, True)
    price = "SELECT amount_minor, tax_basis FROM vendure.prices WHERE vendor_id = ? AND currency = 'EUR'"
    assert reader.one(price, shop.variants[1]) == (4991, "gross")
    assert reader.one(
        "SELECT phone_e164, street, country, card, loyalty_points FROM vendure.customers WHERE vendor_id = ?",
        shop.customers[1],
    ) == ("+33612345678", "1 rue de la Paix", "FR", "C1", "10")
    states = dict(reader.con.execute("SELECT vendor_id, state || ' ' || has_proof FROM vendure.consents").fetchall())
    assert [states[c] for c in shop.customers] == ["yes false", "yes true", "yes true", "unknown false"]


async def test_drift_in_price_and_stock_is_read_written_and_does_not_come_back(shop, reader):
    variant, paris, lyon = shop.variants[2], shop.locations["Paris"], shop.locations["Lyon"]
    seed.set_price(shop.api, variant, 9999)
    seed.set_stock(shop.api, variant, paris, 1)
    await reader.stage()
    amount, context = reader.one(
        "SELECT amount_minor, write_context FROM vendure.prices WHERE vendor_id = ? AND currency = 'EUR'", variant
    )
    level = "SELECT available FROM vendure.stock WHERE vendor_id = ? AND vendor_location_id = ?"
    assert (amount, reader.one(level, variant, paris)) == (9999, (1,))
    price = reader.correction("prices", "amount", variant, "4992", sub="EUR", context=json.loads(context))
    stock = reader.correction("stock", "available", variant, "12", sub=paris)
    assert await reader.read_back([price]) == ["9999"] and await reader.read_back([stock]) == ["1"]
    assert await reader.write([price]) == [(A, "")] and await reader.write([stock]) == [(A, "")]
    assert seed.price_of(shop.api, variant) == 4992
    held = seed.stock_of(shop.api, variant)
    assert (held[paris], held[lyon]) == ((12, 0), (5, 0)), "other locations are kept"
    since = WallClock().now() - timedelta(minutes=1)
    assert variant in {row.id for row in await reader.rows("variants", since)}, "our own write is in the next delta"
    await reader.stage()
    assert reader.one(level, variant, paris) == (12,), "and says what was written: no drift"


async def test_an_order_takes_from_what_can_be_sold_and_every_unit_of_it_is_told(shop, reader):
    variant, paris = shop.variants[3], shop.locations["Paris"]
    before = WallClock().now() - timedelta(seconds=2)
    stamps = "query($id: ID!) { productVariant(id: $id) { updatedAt } }"
    stamp = shop.api.ask(stamps, id=variant)
    order = orders.place_order(shop.api, shop.customers[1], {variant: 6})
    assert shop.api.ask(stamps, id=variant) == stamp, "an order moves no date of its variant"
    line = orders.lines_of(shop.api, order)[variant]
    assert order in {row.id for row in await reader.rows("orders", before)}
    await reader.stage()
    level = "SELECT on_hand, committed, available FROM vendure.stock WHERE vendor_id = ? AND vendor_location_id = ?"
    assert reader.one(level, variant, paris) == (13, 6, 7)
    moved = (
        "SELECT kind, quantity, order_state, vendor_location_id FROM vendure.movements WHERE vendor_id = ? ORDER BY 2"
    )
    assert reader.con.execute(moved, [variant]).fetchall() == [("order", -6, "open", paris)]
    stock = reader.correction("stock", "available", variant, "9", sub=paris)
    assert await reader.write([stock]) == [(A, "")]
    assert seed.stock_of(shop.api, variant)[paris] == (15, 6), "what is allocated stays allocated"
    orders.cancel(shop.api, order, {line: 2})
    orders.fulfil(shop.api, {line: 4})
    await reader.stage()
    assert reader.con.execute(moved, [variant]).fetchall() == [
        ("order", -6, "fulfilled", paris), ("cancel", 2, "fulfilled", paris),
    ]
    assert reader.one(level, variant, paris) == (11, 0, 11)
    total, state = reader.one("SELECT total_minor, state FROM vendure.orders WHERE vendor_id = ?", order)
    assert total > 4 * 4993 and state == "open", "sent, but not marked as shipped"
    bought = "SELECT quantity, returned, unit_minor FROM vendure.order_lines WHERE order_id = ?"
    assert reader.one(bought, order) == (6, 2, 4993)


async def test_one_unknown_variant_does_not_keep_the_others_out(shop, reader):
    paris = shop.locations["Paris"]
    ids = [shop.variants[4], "99999999", shop.variants[5]]
    prices = [reader.correction("prices", "amount", v, "700", sub="EUR", context={"precision": 2}) for v in ids]
    assert await reader.write(prices) == [(A, ""), (R, "ENTITY_NOT_FOUND"), (A, "")]
    assert [seed.price_of(shop.api, v) for v in (ids[0], ids[2])] == [700, 700]
    strange = reader.correction("prices", "amount", ids[0], "700", sub="USD", context={"precision": 2})
    assert (await reader.write([strange, prices[2]]))[1] == (A, "")
    assert (await reader.write([strange]))[0][0] == R, "a currency that the channel has not"
    negative = [reader.correction("stock", "available", ids[0], "-5", sub=paris),
                reader.correction("stock", "available", ids[1], "5", sub=paris)]
    assert await reader.write(negative) == [(R, "NEGATIVE"), (R, "NO_LEVEL")]
    barcode = reader.correction("items", "gtin", ids[0], "04006381333931")
    assert await reader.write([barcode]) == [(A, "")] and await reader.read_back([barcode]) == ["4006381333931"]


async def test_customers_are_corrected_field_by_field_and_keep_the_rest(shop, reader):
    first, second = shop.customers[1], shop.customers[0]
    await reader.stage()
    context = json.loads(reader.one("SELECT write_context FROM vendure.customers WHERE vendor_id = ?", first)[0])
    rows = [reader.correction("customers", field, first, value, context=context) for field, value in
            (("first_name", "Anna"), ("phone", "+33611111111"), ("loyalty_points", "25"), ("postcode", "75009"))]
    gone = reader.correction("customers", "first_name", "99999999", "Nobody")
    made = [reader.correction("customers", f, second, v) for f, v in (("street", "2 rue de Rivoli"), ("city", "Lyon"))]
    every = [gone, *rows, *made]
    assert await reader.write(every) == [(R, "ENTITY_NOT_FOUND")] + [(A, "")] * 6
    assert await reader.read_back(every) == [None, "Anna", "+33611111111", "25", "75009", "2 rue de Rivoli", "Lyon"]
    held = seed.customer_of(shop.api, first)
    home = held["addresses"][0]
    assert (held["lastName"], home["streetLine1"], home["defaultShippingAddress"]) == (
        "Le Goff 1", "1 rue de la Paix", True
    )
    assert len(held["addresses"]) == 1 and held["customFields"]["loyaltyPoints"] == 25


RIGHTS = ("ReadCatalog", "ReadCustomer", "ReadOrder", "UpdateCatalog", "UpdateCustomer")


async def test_without_the_right_to_make_an_address_everything_else_is_written(shop, warehouse):
    mark = uuid.uuid4().hex[:8]
    extra = list(seed.load_customers(shop.api, [CustomerRow(f"home{n}.{mark}@example.fr", "A", "B") for n in range(2)])
                 .values())
    for more, code in ((), "FORBIDDEN"), (("CreateCustomer",), ""):
        key = shop.api.api_key(f"few-{mark}{len(more)}", [*RIGHTS, *more])
        async with connected(key, order_location=shop.locations["Paris"]) as session:
            reader = Reader(session, warehouse)
            assert await identify(session)
            rows = [reader.correction("customers", "first_name", extra[0], f"Anna{len(more)}"),
                    reader.correction("customers", "street", extra[0], "3 rue de Rivoli"),
                    reader.correction("customers", "last_name", extra[1], f"Roux{len(more)}")]
            assert await reader.write(rows) == [(A, ""), (R if code else A, code), (A, "")]
            street = None if code else "3 rue de Rivoli"
            assert await reader.read_back(rows) == [f"Anna{len(more)}", street, f"Roux{len(more)}"]


async def test_a_permission_goes_down_with_its_proof_and_never_up(shop, reader):
    person = shop.customers[2]
    email = seed.customer_of(shop.api, person)["emailAddress"]
    down = reader.correction("consents", "state", person, "no", sub="email", context={"email": email})
    up = reader.correction("consents", "state", shop.customers[3], "yes", sub="email", context={"email": "x"})
    assert await reader.read_back([down]) == ["yes"]
    assert await reader.write([down, up]) == [(A, ""), (R, "RAISE_REFUSED")]
    held = seed.customer_of(shop.api, person)["customFields"]
    assert (held["emailConsent"], held["emailConsentAt"], held["emailConsentProof"]) == (False, None, None)
    assert (held["loyaltyCard"], held["loyaltyPoints"]) == ("C2", 10), "other fields are kept"
    said = {"email": email, "changed_at": "2026-01-05T06:07:08.250Z"}
    again = reader.correction("consents", "state", person, "no", sub="email", context=said)
    assert await reader.write([again]) == [(A, "")]
    await reader.stage()
    assert reader.one(
        "SELECT state, has_proof, CAST(changed_at AS VARCHAR) FROM vendure.consents WHERE vendor_id = ?", person
    ) == ("no", False, "2026-01-05 06:07:08.25+00"), "the no's own time, as it was given"
    moved = reader.correction("consents", "state", person, "no", sub="email", context={"email": "other@example.fr"})
    assert await reader.read_back([moved]) == [None], "a permission of another address is not this one"


async def test_small_pages_lose_nothing_while_records_come_and_go(shop, reader):
    extra = seed.load_customers(shop.api, [
        CustomerRow(f"gone{n}.{uuid.uuid4().hex[:8]}@example.fr", "Go", "Ne") for n in range(9)
    ])
    ids = sorted(extra.values(), key=int)
    there = {c["id"] for c in shop.api.all("customers", "id")}
    seen: list[str] = []
    where = {"id": {"in": [*shop.customers, *ids]}}
    async for page in pages(reader.session, read_document("customers"), _row, where, page=3):
        seen += [row.id for row in page.rows]
        if len(seen) == 3:
            shop.api.ask("mutation($ids: [ID!]!) { deleteCustomers(ids: $ids) { result } }", ids=seen[1:3])
    assert sorted(seen, key=int) == sorted({*shop.customers, *ids}, key=int) and set(seen) <= there
