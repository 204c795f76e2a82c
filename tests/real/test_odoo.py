"""Odoo as it is: what is planted in a running server is found, corrected, seen there by its own API, and stays right.

Runs where the environment names a server that `python -m deploy.real --keep` left running. Makes a few records of its
own each time, and sets the company, its warehouses and its tills up as it needs them: not in a shop that sells.
"""

import json
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

import duckdb
import pytest

from deploy.real import odoo_seed as seed
from deploy.real.odoo_api import OdooApi
from deploy.real.odoo_orders import load_orders, refund
from deploy.real.rows import CatalogueRow, CustomerRow, OrderLine, OrderRow
from pipelines.channels.base import Connection, RawRow, Window
from pipelines.channels.odoo import ODOO, reads
from pipelines.channels.odoo.session import KEY, OdooSession
from pipelines.errors import CredentialError, FatalChannelError
from pipelines.model import Correction, Outcome, OutcomeStatus, Reading
from pipelines.push.compose import chunks, in_order
from pipelines.readback import is_same, read_back
from pipelines.stage import stage_system
from resources.clock import SystemClock
from tests.conftest import open_warehouse

URL, SECRET = os.environ.get("TRUEUP_ODOO_URL", ""), os.environ.get(KEY, "")
pytestmark = pytest.mark.skipif(
    not (URL and SECRET), reason=f"set TRUEUP_ODOO_URL and {KEY} to a running Odoo 19 (deploy.real --keep leaves one)"
)
SHOPS = ("Paris", "Lyon")
CLOCK = SystemClock()


@dataclass
class Shop:
    """A few records of this run in a running Odoo, and the channel's view of them."""

    api: OdooApi
    session: OdooSession
    con: duckdb.DuckDBPyConnection
    shops: dict[str, seed.Shop]
    skus: list[str]
    products: dict[str, int]
    emails: list[str]
    partners: dict[str, int]
    list_id: int

    async def rows(self, endpoint: str, since: datetime | None = None) -> list[RawRow]:
        """All rows of one read; an id that comes twice is a failure."""
        found = next(e for e in ODOO.endpoints if e.name == endpoint)
        rows = [row async for page in found.read(self.session, Window(since, CLOCK.now())) for row in page.rows]
        assert len({row.id for row in rows}) == len(rows)
        return rows

    async def count(self, endpoint: str) -> int:
        found = next(e for e in ODOO.endpoints if e.name == endpoint)
        assert found.count is not None
        return await found.count(self.session)

    async def stage(self, since: datetime | None = None) -> None:
        """Read and stage everything, or merge what changed since."""
        for endpoint in ODOO.endpoints:
            rows = await self.rows(endpoint.name, since if endpoint.has_delta else None)
            table = f"raw_odoo.{endpoint.name}"
            if since is None or not endpoint.has_delta:
                self.con.execute(f"DELETE FROM {table}")
            columns = zip(*((row.id, row.updated_at, row.payload.decode()) for row in rows), strict=True)
            listed = [list(column) for column in columns] or [[], [], []]
            self.con.execute(f"DELETE FROM {table} WHERE list_contains(?::VARCHAR[], id)", listed[:1])
            self.con.execute(
                f"INSERT INTO {table} SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), now()",
                listed,
            )
        stage_system(self.con, "odoo")

    def staged(self, entity: str, field: str, vendor_id: object, sub: str = "") -> Any:
        """One staged value, with its row's context."""
        subs = {"stock": "vendor_location_id", "prices": "vendor_price_list", "consents": "vendor_audience_id"}
        key = subs.get(entity)
        where = f" AND {key} = '{sub}'" if key else ""
        found = self.con.execute(
            f"SELECT {field}, write_context FROM odoo.{entity} WHERE vendor_id = ?{where}", [str(vendor_id)]
        ).fetchall()
        assert len(found) == 1, f"{entity} {vendor_id} {sub}: {len(found)} rows"
        return found[0]

    def correction(
        self, entity: str, field: str, vendor_id: object, desired: str | None, *, sub: str = "", column: str = ""
    ) -> Correction:
        """A correction as push would hand it over: observed and context as staged."""
        observed, context = self.staged(entity, column or field, vendor_id, sub)
        return Correction(
            f"{entity}.{field}.{vendor_id}.{sub}", "plan-1", "odoo", entity, field, str(vendor_id), sub, "s", "",
            None if observed is None else str(observed), desired, context=json.loads(context or "{}"),
        )

    async def write(self, *corrections: Correction) -> list[Outcome]:
        """Write as push composes batches; outcomes in the order given."""
        outcomes: dict[str, Outcome] = {}
        for writer in ODOO.writers:
            mine = [c for c in corrections if c.entity == writer.entity and c.field in writer.fields]
            for batch in chunks(in_order(mine, writer), writer):
                outcomes |= {o.correction_key: o for o in await writer.write(self.session, batch, "key")}
        return [outcomes[c.correction_key] for c in corrections]

    async def read_back(self, corrections: Sequence[Correction]) -> list[Reading]:
        found = await read_back(ODOO, self.session, corrections)
        return [found[c.correction_key] for c in corrections]


def connected(key: str = SECRET, **options: str) -> OdooSession:
    session = ODOO.connect(Connection(URL, {KEY: key}, {"calls_per_second": "200", **options}, CLOCK))
    assert isinstance(session, OdooSession)
    return session


@dataclass
class Pool:
    """What this run has made, in two calls; each test takes some that no other has."""

    api: OdooApi
    shops: dict[str, seed.Shop]
    products: Iterator[tuple[str, int]]
    partners: Iterator[tuple[str, int]]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    tag = uuid4().hex[:8].upper()
    rows = [CatalogueRow(f"T{tag}-{n}", "", f"Robe {n}", 4990, 2000, {"Paris": 10, "Lyon": 5}) for n in range(150)]
    people = [
        CustomerRow(f"Test{tag}.{n}@Example.fr", "Claire", f"Martin{n}", f"06 12 34 5{n // 10} 7{n % 10}",
                    "1 rue Haute", "Lyon", "69001", consent=True, card=f"{tag}{n}", points=100)
        for n in range(100)
    ]
    with OdooApi(URL, SECRET) as api:
        shops = seed.open_shops(api, SHOPS)
        products = seed.load_catalogue(api, rows, shops)
        partners = seed.load_customers(api, people)
        yield Pool(api, shops, iter(products.items()), iter(partners.items()))
        api.write("product.product", list(products.values()), {"active": False})


@pytest.fixture
async def shop(pool) -> AsyncIterator[Shop]:
    """Six products in two shops, four customers on a list with loyalty cards."""
    products, partners = dict(islice(pool.products, 6)), dict(islice(pool.partners, 4))
    with open_warehouse() as con:
        async with connected() as session:
            yield Shop(
                pool.api, session, con, pool.shops, list(products), products, list(partners), partners,
                seed.mailing_list(pool.api, "Newsletter"),
            )


def statuses(outcomes: Sequence[Outcome]) -> list[tuple[OutcomeStatus, str]]:
    return [(outcome.status, outcome.code) for outcome in outcomes]


APPLIED = (OutcomeStatus.APPLIED, "")


async def test_identify_names_the_company(shop):
    who = await ODOO.identify(shop.session)
    assert who.name and who.shop_id.split("@")[0].isdecimal()
    async with connected(company=who.shop_id.split("@")[0]) as session:
        assert await ODOO.identify(session) == who
    async with connected(company="99999") as session:
        with pytest.raises((CredentialError, FatalChannelError)):
            await ODOO.identify(session)


async def test_planted_drift_is_found_corrected_and_does_not_come_back(shop):
    product, paris = shop.products[shop.skus[0]], shop.shops["Paris"]
    partner, other = shop.partners[shop.emails[0]], shop.partners[shop.emails[1]]
    sub = str(paris.warehouse)
    await shop.stage()
    assert shop.staged("prices", "amount_minor", product, "list_price")[0] == 4990
    assert shop.staged("items", "tax_rate_bp", product)[0] == 2000
    assert shop.staged("prices", "tax_basis", product, "list_price")[0] == "gross"
    began = CLOCK.now() - timedelta(seconds=2)
    phone = shop.staged("customers", "phone_e164", partner)[0]

    seed.set_price(shop.api, product, 4000)
    seed.set_level(shop.api, product, paris, 7)
    seed.set_partner(shop.api, partner, "phone", "06 99 88 77 66")
    seed.set_partner(shop.api, partner, "zip", "75001")
    seed.set_points(shop.api, partner, 55)
    await shop.stage(began)
    assert shop.staged("prices", "amount_minor", product, "list_price")[0] == 4000
    assert shop.staged("stock", "on_hand", product, sub)[0] == 7
    assert shop.staged("customers", "phone_e164", partner)[0] == "+33699887766"
    assert shop.staged("customers", "postcode", partner)[0] == "75001"
    assert shop.staged("customers", "loyalty_points", partner)[0] == "55"
    contact = shop.con.execute(
        "SELECT vendor_id FROM odoo.consents WHERE email = ? AND vendor_audience_id = ?",
        [shop.emails[0].lower(), str(shop.list_id)],
    ).fetchall()[0][0]
    assert shop.staged("consents", "state", contact, str(shop.list_id))[0] == "yes"
    assert shop.staged("consents", "state", other, "blacklist")[0] == "yes"

    corrections = [
        shop.correction("prices", "amount", product, "4990", sub="list_price", column="amount_minor"),
        shop.correction("stock", "on_hand", product, "10", sub=sub),
        shop.correction("customers", "phone", partner, phone, column="phone_e164"),
        shop.correction("customers", "postcode", partner, "69001"),
        shop.correction("customers", "loyalty_points", partner, "100"),
        shop.correction("consents", "state", contact, "no", sub=str(shop.list_id)),
        shop.correction("consents", "state", other, "no", sub="blacklist"),
    ]
    assert [r.value for r in await shop.read_back(corrections)] == [c.observed for c in corrections]
    assert statuses(await shop.write(*corrections)) == [APPLIED] * len(corrections)

    assert seed.price(shop.api, product) == 4990
    assert seed.level(shop.api, product, paris) == 10
    assert seed.partner(shop.api, partner, "phone") == phone
    assert seed.partner(shop.api, partner, "zip") == "69001"
    assert seed.points(shop.api, partner) == 100
    card = shop.api.find("loyalty.card", [["partner_id", "=", partner]], "history_ids")[0]
    (line,) = shop.api.find("loyalty.history", [["id", "in", card["history_ids"]]], "issued", "used")
    assert (line["issued"], line["used"]) == (45, 0)
    assert seed.is_opted_out(shop.api, shop.emails[0], shop.list_id)
    assert seed.is_blacklisted(shop.api, shop.emails[1])

    readings = await shop.read_back(corrections)
    assert all(is_same(shop.con, c, r.value, c.desired) for c, r in zip(corrections, readings, strict=True))
    await shop.stage(began)
    again = [
        shop.correction("prices", "amount", product, "4990", sub="list_price", column="amount_minor"),
        shop.correction("stock", "on_hand", product, "10", sub=sub),
        shop.correction("customers", "phone", partner, phone, column="phone_e164"),
        shop.correction("customers", "postcode", partner, "69001"),
        shop.correction("customers", "loyalty_points", partner, "100"),
        shop.correction("consents", "state", contact, "no", sub=str(shop.list_id)),
        shop.correction("consents", "state", other, "no", sub="blacklist"),
    ]
    assert [c.observed for c in again] == [c.desired for c in again]
    assert shop.con.execute(
        "SELECT kind, quantity FROM odoo.movements WHERE vendor_id = ? AND vendor_location_id = ? "
        "ORDER BY occurred_at, movement_id", [str(product), sub],
    ).fetchall()[-1] == ("count", 10), "our own count is absolute, so that it explains the level by itself"
    banned = shop.con.execute(
        "SELECT DISTINCT state FROM odoo.consents WHERE email = ?", [shop.emails[1].lower()]
    ).fetchall()
    assert banned == [("no",)], "the blacklist says no for every list"


async def test_a_level_that_moved_since_it_was_seen_is_not_counted(shop):
    product, paris = shop.products[shop.skus[1]], shop.shops["Paris"]
    await shop.stage()
    correction = shop.correction("stock", "on_hand", product, "12", sub=str(paris.warehouse))
    seed.set_level(shop.api, product, paris, 9)
    assert statuses(await shop.write(correction)) == [(OutcomeStatus.STALE, "MOVED")]
    assert seed.level(shop.api, product, paris) == 9


async def test_a_sale_between_count_and_application_makes_the_count_stale_and_leaves_none_behind(shop, monkeypatch):
    moving, still = (shop.products[sku] for sku in shop.skus[1:3])
    paris = shop.shops["Paris"]
    await shop.stage()
    corrections = [shop.correction("stock", "on_hand", p, "12", sub=str(paris.warehouse)) for p in (moving, still)]
    plain = OdooSession.execute

    async def selling(self: OdooSession, model: str, method: str, **rest: Any) -> Any:
        if model == "stock.inventory.adjustment.name" and method == "create":
            line = OrderLine(shop.skus[1], 1, 4990)
            order = OrderRow(uuid4().hex, "Paris", "2026-11-01 10:00:00", (line,))
            load_orders(shop.api, [order], shop.shops, shop.products, shop.partners)
        return await plain(self, model, method, **rest)

    monkeypatch.setattr(OdooSession, "execute", selling)
    assert statuses(await shop.write(*corrections)) == [(OutcomeStatus.STALE, "MOVED"), APPLIED]
    assert [seed.level(shop.api, p, paris) for p in (moving, still)] == [9, 12]
    quants = shop.api.find("stock.quant", [["product_id", "in", [moving, still]]], "inventory_quantity_set")
    assert not any(quant["inventory_quantity_set"] for quant in quants)


async def test_a_count_that_is_applied_twice_changes_nothing(shop, monkeypatch):
    product, paris = shop.products[shop.skus[2]], shop.shops["Paris"]
    await shop.stage()
    correction = shop.correction("stock", "on_hand", product, "3", sub=str(paris.warehouse))
    plain = OdooSession.execute

    async def twice(self: OdooSession, model: str, method: str, **rest: Any) -> Any:
        if method == "action_apply":
            await plain(self, model, method, **rest)
        return await plain(self, model, method, **rest)

    monkeypatch.setattr(OdooSession, "execute", twice)
    assert statuses(await shop.write(correction)) == [APPLIED]
    assert seed.level(shop.api, product, paris) == 3
    assert statuses(await shop.write(correction)) == [(OutcomeStatus.APPLIED, "ALREADY")]


async def test_a_level_over_several_shelves_is_written_to_the_stock_room(shop):
    product, lyon = shop.products[shop.skus[3]], shop.shops["Lyon"]
    shelf = shop.api.create("stock.location", [{"name": "Shelf", "location_id": lyon.room, "usage": "internal"}])[0]
    seed.set_level(shop.api, product, seed.Shop(lyon.warehouse, shelf), 4)
    await shop.stage()
    sub = str(lyon.warehouse)
    assert shop.staged("stock", "on_hand", product, sub)[0] == 9
    assert statuses(await shop.write(shop.correction("stock", "on_hand", product, "6", sub=sub))) == [APPLIED]
    assert seed.level(shop.api, product, lyon) == 6
    await shop.stage()
    refused = await shop.write(shop.correction("stock", "on_hand", product, "2", sub=sub))
    assert statuses(refused) == [(OutcomeStatus.REJECTED, "OTHER_SHELVES")]
    assert seed.level(shop.api, product, lyon) == 6


async def test_a_level_where_nothing_ever_lay_is_0_and_can_be_counted(shop):
    (product,) = seed.load_catalogue(
        shop.api, [CatalogueRow(f"{shop.skus[0]}-new", "", "Nouvelle", 990, 2000)], shop.shops
    ).values()
    sub = str(shop.shops["Paris"].warehouse)
    await shop.stage()
    assert shop.staged("stock", "on_hand", product, sub)[0] == 0
    assert statuses(await shop.write(shop.correction("stock", "on_hand", product, "4", sub=sub))) == [APPLIED]
    assert seed.level(shop.api, product, shop.shops["Paris"]) == 4
    shop.api.write("product.product", [product], {"active": False})


async def test_what_the_till_sells_and_takes_back_are_movements_and_orders(shop):
    lines = (OrderLine(shop.skus[4], 2, 4990), OrderLine(shop.skus[5], 1, 4990))
    row = OrderRow(uuid4().hex, "Paris", "2026-11-02 10:00:00", lines, shop.emails[2])
    made = load_orders(shop.api, [row], shop.shops, shop.products, shop.partners)
    again = load_orders(shop.api, [row], shop.shops, shop.products, shop.partners)
    assert again == made, "Odoo takes an order that comes twice for one"
    back = refund(shop.api, made[row.key])
    await shop.stage()
    order = str(made[row.key])
    found = shop.con.execute(
        "SELECT vendor_location_id, vendor_customer_id, currency, total_minor, state FROM odoo.orders "
        "WHERE vendor_id = ?", [order],
    ).fetchall()
    paris = str(shop.shops["Paris"].warehouse)
    assert found == [(paris, str(shop.partners[shop.emails[2]]), "EUR", 3 * 4990, "fulfilled")]
    assert shop.con.execute("SELECT count(*) FROM odoo.orders WHERE vendor_id = ?", [str(back)]).fetchall() == [(0,)]
    sold = shop.con.execute(
        "SELECT vendor_item_id, quantity, returned, unit_minor FROM odoo.order_lines WHERE order_id = ? "
        "ORDER BY quantity", [order],
    ).fetchall()
    first, second = (str(shop.products[shop.skus[n]]) for n in (5, 4))
    assert sold == [(first, 1, 1, 4990), (second, 2, 2, 4990)]
    moves = shop.con.execute(
        "SELECT kind, quantity, order_state FROM odoo.movements WHERE vendor_id = ? AND vendor_location_id = ? "
        "AND kind IN ('sale', 'return') ORDER BY quantity", [second, paris],
    ).fetchall()
    assert moves == [("sale", -2, "fulfilled"), ("return", 2, "fulfilled")]


async def test_one_bad_row_is_refused_and_the_others_are_written(shop):
    a, b = (shop.products[sku] for sku in shop.skus[:2])
    await shop.stage()
    good = shop.correction("prices", "amount", a, "5100", sub="list_price", column="amount_minor")
    context = good.context | {"template_id": "99999999"}
    gone = Correction("gone", "plan-1", "odoo", "prices", "amount", "99999999", "list_price", "s", "", "1", "5100",
                      context=context)
    assert statuses(await shop.write(good, gone)) == [APPLIED, (OutcomeStatus.REJECTED, "LOAD_REFUSED")]
    assert seed.price(shop.api, a) == 5100
    gtin = "00" + str(uuid4().int)[:12]
    codes = [shop.correction("items", "gtin", p, gtin) for p in (a, b)]
    assert statuses(await shop.write(codes[0])) == [APPLIED]
    twice = await shop.write(codes[1])
    assert statuses(twice) == [(OutcomeStatus.REJECTED, "LOAD_REFUSED")] and gtin[2:] not in twice[0].message
    readings = await shop.read_back([codes[0], gone])
    assert readings[0].value == gtin[1:] and not readings[1].exists


async def test_a_barcode_that_another_product_has_takes_no_other_of_its_load_with_it(shop):
    free, taking, having = sorted((shop.products[sku] for sku in shop.skus[:3]), key=str)
    await shop.stage()
    gtin, other = ("00" + str(uuid4().int)[:12] for _ in range(2))
    held = shop.correction("items", "gtin", having, gtin)
    assert statuses(await shop.write(held)) == [APPLIED]
    good, taken = shop.correction("items", "gtin", free, other), shop.correction("items", "gtin", taking, gtin)
    assert statuses(await shop.write(good, taken)) == [APPLIED, (OutcomeStatus.REJECTED, "LOAD_REFUSED")]
    readings = await shop.read_back([good, taken])
    assert [reading.value for reading in readings] == [other[1:], taken.observed]


async def test_variants_that_share_a_price_are_corrected_together_or_not_at_all(shop):
    name = f"Taille {shop.skus[0]}"
    attribute = shop.api.create("product.attribute", [
        {"name": name, "value_ids": [[0, 0, {"name": "S"}], [0, 0, {"name": "L", "default_extra_price": 5}]]}
    ])[0]
    values = shop.api.find("product.attribute.value", [["attribute_id", "=", attribute]], "name")
    line = {"attribute_id": attribute, "value_ids": [[6, 0, [each["id"] for each in values]]]}
    template = shop.api.create("product.template", [
        {"name": name, "list_price": 20, "is_storable": True, "attribute_line_ids": [[0, 0, line]]}
    ])[0]
    variants = shop.api.find("product.product", [["product_tmpl_id", "=", template]], "name")
    small, large = (each["id"] for each in variants)
    for product in (small, large):
        shop.api.write("product.product", [product], {"default_code": f"{name}-{product}"})
    await shop.stage()
    assert [shop.staged("prices", "amount_minor", p, "list_price")[0] for p in (small, large)] == [2000, 2500]

    def price(product: int, desired: str) -> Correction:
        return shop.correction("prices", "amount", product, desired, sub="list_price", column="amount_minor")

    assert statuses(await shop.write(price(small, "3000"))) == [(OutcomeStatus.REJECTED, "SHARED_PRICE")]
    assert statuses(await shop.write(price(small, "3000"), price(large, "3000"))) == [
        (OutcomeStatus.REJECTED, "SHARED_PRICE")] * 2
    assert [seed.price(shop.api, p) for p in (small, large)] == [2000, 2500]
    assert statuses(await shop.write(price(small, "3000"), price(large, "3500"))) == [APPLIED] * 2
    assert [seed.price(shop.api, p) for p in (small, large)] == [3000, 3500]
    shop.api.write("product.template", [template], {"active": False})


async def test_names_are_written_where_one_name_can_hold_them(shop):
    partner = shop.partners[shop.emails[3]]
    last = seed.partner(shop.api, partner, "name").split()[1]
    await shop.stage()
    first = shop.correction("customers", "first_name", partner, "Clara")
    assert statuses(await shop.write(first)) == [APPLIED]
    assert seed.partner(shop.api, partner, "name") == f"Clara {last}"
    await shop.stage()
    double = shop.correction("customers", "first_name", partner, "Anne Laure")
    assert statuses(await shop.write(double)) == [(OutcomeStatus.REJECTED, "ONE_NAME")]
    assert seed.partner(shop.api, partner, "name") == f"Clara {last}"


async def test_hostile_text_is_written_as_it_is(shop):
    partner = shop.partners[shop.emails[3]]
    await shop.stage()
    for text in ("=1+1", "L'Haÿ-les-Roses \U0001f339", "<b>x</b>; DROP TABLE", "__import__.x", "100%,\"q\""):
        correction = shop.correction("customers", "street", partner, text)
        assert statuses(await shop.write(correction)) == [APPLIED]
        assert seed.partner(shop.api, partner, "street") == text


async def test_who_was_taken_off_the_blacklist_is_put_back_on_it(shop):
    email, partner = shop.emails[2], shop.partners[shop.emails[2]]
    seed.add_to_blacklist(shop.api, [email])
    seed.take_off_blacklist(shop.api, email)
    await shop.stage()
    assert shop.staged("consents", "state", partner, "blacklist")[0] == "yes"
    assert statuses(await shop.write(shop.correction("consents", "state", partner, "no", sub="blacklist"))) == [APPLIED]
    assert seed.is_blacklisted(shop.api, email)
    raised = shop.correction("consents", "state", partner, "yes", sub="blacklist")
    assert statuses(await shop.write(raised)) == [(OutcomeStatus.REJECTED, "RAISE_REFUSED")]
    assert seed.is_blacklisted(shop.api, email)


async def test_a_permission_is_of_the_address_that_it_was_read_for(shop):
    partner = shop.partners[shop.emails[2]]
    await shop.stage()
    correction = shop.correction("consents", "state", partner, "no", sub="blacklist")
    seed.set_partner(shop.api, partner, "email", f"other-{shop.emails[2]}")
    assert [r.exists for r in await shop.read_back([correction])] == [False]


async def test_reads_lose_nothing_while_records_come_and_go(shop, monkeypatch):
    monkeypatch.setattr(reads, "PAGE", 2)
    made = shop.api.create("res.partner", [{"name": f"Passing {n}"} for n in range(6)])
    endpoint = next(e for e in ODOO.endpoints if e.name == "partners")
    ids: list[str] = []
    async for page in endpoint.read(shop.session, Window(None, CLOCK.now())):
        assert len(page.rows) <= 2
        ids += [row.id for row in page.rows]
        if str(made[0]) in ids and made:
            shop.api.write("res.partner", made[:2], {"city": "Nice"})
            shop.api.call("res.partner", "unlink", ids=made[4:])
            made = made[:4]
    assert {str(one) for one in (*made, *shop.partners.values())} <= set(ids) and len(ids) == len(set(ids))
    shop.api.call("res.partner", "unlink", ids=made)


async def test_a_delta_shows_changes_archived_records_and_the_count_what_is_gone(shop):
    product = shop.products[shop.skus[0]]
    template = shop.api.value("product.product", product, "product_tmpl_id")
    before, there = CLOCK.now() - timedelta(seconds=1), await shop.count("partners")
    template_id = template[0] if isinstance(template, list) else template
    shop.api.write("product.template", [template_id], {"name": "Renamed"})
    shop.api.write("res.partner", [shop.partners[shop.emails[0]]], {"active": False})
    passing = shop.api.create("res.partner", [{"name": "Passing"}])
    assert str(product) in {row.id for row in await shop.rows("products", before)}
    assert str(shop.partners[shop.emails[0]]) in {row.id for row in await shop.rows("partners", before)}
    assert await shop.count("partners") == there + 1
    shop.api.call("res.partner", "unlink", ids=passing)
    assert await shop.count("partners") == there == len(await shop.rows("partners"))


async def test_errors_say_what_to_do_and_no_value(shop):
    async with connected("no key at all") as session:
        with pytest.raises(CredentialError, match=KEY):
            await ODOO.identify(session)
    with pytest.raises(FatalChannelError, match="point_of_sale"):
        await shop.session.execute("no.such.model", "search_count", domain=[])
    with pytest.raises(FatalChannelError) as caught:
        await shop.session.execute("mail.blacklist", "create", vals_list=[{"email": "SECRET918273645"}])
    assert caught.value.status == 422 and "SECRET" not in str(caught.value) and "Traceback" not in str(caught.value)
    with pytest.raises(FatalChannelError) as caught:
        await shop.session.execute("res.partner", "search_read", no_such_argument="SECRET918273645")
    assert "SECRET" not in str(caught.value)
