"""A bad row goes to quarantine and blocks its own key, nothing else; its value is written down nowhere.

Every entity of every system, through the real stage SQL: on night 0 all systems agree, on night 1 each case has spoilt
one value of one record of one system. All cases lie in the same tables, so each is also "the rest" that must go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import msgspec
import pytest

from pipelines.readable import readable
from pipelines.reconcile.consents import build_consents
from pipelines.reconcile.drift import build_drift
from pipelines.reconcile.items import reconcile_items
from pipelines.reconcile.persons import reconcile_persons
from pipelines.reconcile.trees import build_trees
from pipelines.stage import stage_system
from pipelines.tables import fill_table
from tests import records
from tests.conftest import open_warehouse
from tests.records import AUDIENCE, LIST, PLACE, SUBSCRIPTION, SYSTEMS, gid, member_id

NUMBER, WORD = 918273645, "SECRET918273645"
"""What every bad value holds, so that it can be looked for."""
NIGHTS = (datetime(2026, 6, 15, tzinfo=UTC), datetime(2026, 6, 16, tzinfo=UTC))

BLANK: dict[str, Any] = {"blank": "", "white space": " \t", "absent": None}
LONG: dict[str, Any] = {"over-long": f"{WORD} " * 400}
CONTROL: dict[str, Any] = {"control character": f"{WORD}\u0007", "null character": f"a\u0000{WORD}"}
NO_TEXT: dict[str, Any] = {"object for text": {"v": WORD}, "list for text": [WORD], "number for text": NUMBER}
TEXT = LONG | CONTROL | NO_TEXT
GTIN: dict[str, Any] = TEXT | {"turned text": f"{WORD}\u202e", "byte order mark": f"\ufeff{WORD}"}
DATES: dict[str, Any] = NO_TEXT | {"no date": WORD}
MOMENTS: dict[str, Any] = {
    "no time": WORD, "never": "infinity", "always": "-infinity", "year 20000": "20000-01-01T00:00:00Z",
}
WRONG: dict[str, Any] = {"object": {"v": WORD}, "list": [WORD], "boolean": True, "text": WORD}
"""Where a number or one of some words belongs."""
NO_AMOUNT = WRONG | {"absent": None}
COST: dict[str, Any] = WRONG | {"negative": f"-{NUMBER}", "impossible": f"{NUMBER}0.00"}
DECIMALS: dict[str, Any] = NO_AMOUNT | {
    "negative": f"-{NUMBER}.5", "comma decimal": f"{NUMBER},50", "too many decimals": f"{NUMBER}.125",
    "impossible": f"{NUMBER}.00", "eighteen digits": f"{NUMBER}{NUMBER}",
    "not a number": "NaN", "endless": "1e309", "blank": "",
}
MINOR_UNITS: dict[str, Any] = NO_AMOUNT | {
    "negative": -NUMBER, "a decimal": NUMBER + 0.5, "number as text": str(NUMBER), "endless": 1e300,
    "impossible": 10**15, "the largest": 9_200_000_000_000_000_000,
}
CURRENCIES: dict[str, Any] = {"unknown currency": "ZZZ", "small letters": "eur", "number": NUMBER, "absent": None}
QUANTITIES: dict[str, Any] = {
    "object": {"v": WORD}, "list": [WORD], "boolean": True, "text": WORD, "half a unit": "7.5",
    "impossible": f"{NUMBER}00",
}
EMAILS: dict[str, Any] = {
    "no address": WORD, "two ats": f"{WORD}@a@example.fr", "no domain": f"{WORD}@",
    "blank inside": f"{WORD} x@example.fr", "two dots": f"{WORD}..x@example.fr", "object": {"v": WORD},
    "number": NUMBER,
}
STATES: dict[str, Any] = {"a word nobody knows": WORD, "object": {"v": WORD}, "number": NUMBER}


@dataclass(frozen=True)
class Bad:
    """One spoilt value, and under which key it must be found in quarantine."""

    number: int
    kind: str
    value: Any
    system: str
    entity: str
    field: str
    endpoint: str
    path: str
    sub: str = ""

    def __str__(self) -> str:
        return f"{self.system}.{self.entity}.{self.field}{f'[{self.sub}]' if self.sub else ''}: {self.kind}"

    @property
    def vendor_id(self) -> str:
        """The record's key in the stage tables."""
        n = self.number
        return {
            "square": {"customers": f"C{n}", "consents": f"C{n}", "orders": f"O{n}", "order_lines": f"L{n}"},
            "shopify": {
                "customers": gid("Customer", n), "consents": gid("Customer", n), "orders": gid("Order", n),
                "order_lines": gid("LineItem", n),
            },
            "hubspot": {"customers": str(5000 + n), "consents": str(5000 + n)},
            "mailchimp": {"customers": member_id(n), "consents": member_id(n)},
        }[self.system].get(
            self.entity, {"square": f"V{n}", "shopify": gid("ProductVariant", n)}.get(self.system, str(1000 + n))
        )


# system.entity.field[sub], where the value stands, what is put there
_PLACES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("square.items.sku", "catalog_objects:V", "item_variation_data.sku", BLANK | TEXT),
    ("square.items.gtin", "catalog_objects:V", "item_variation_data.upc", GTIN),
    ("square.items.title", "catalog_objects:I", "item_data.name", TEXT),
    ("square.items.option_title", "catalog_objects:V", "item_variation_data.name", TEXT),
    ("square.prices.amount|base", "catalog_objects:V", "item_variation_data.price_money.amount", MINOR_UNITS),
    ("square.prices.currency|base", "catalog_objects:V", "item_variation_data.price_money.currency", CURRENCIES),
    ("square.prices.amount|location:LGENEVE", "catalog_objects:V",
     "item_variation_data.location_overrides.0.price_money.amount", MINOR_UNITS),
    ("square.prices.currency|location:LGENEVE", "catalog_objects:V",
     "item_variation_data.location_overrides.0.price_money.currency", CURRENCIES),
    ("square.stock.on_hand|LPARIS", "inventory_counts", "quantity",
     QUANTITIES | {"negative": f"-{NUMBER}", "absent": None}),
    ("square.movements.quantity|LPARIS", "inventory_changes", "adjustment.quantity",
     QUANTITIES | {"negative": f"-{NUMBER}", "absent": None}),
    ("square.movements.occurred_at|LPARIS", "inventory_changes", "adjustment.occurred_at", MOMENTS),
    ("square.customers.email", "customers", "email_address", EMAILS),
    ("square.customers.first_name", "customers", "given_name", TEXT),
    ("square.customers.last_name", "customers", "family_name", TEXT),
    ("square.customers.phone", "customers", "phone_number", LONG | NO_TEXT),
    ("square.customers.street", "customers", "address.address_line_1", TEXT),
    ("square.customers.city", "customers", "address.locality", TEXT),
    ("square.customers.postcode", "customers", "address.postal_code", TEXT),
    ("square.customers.country", "customers", "address.country", NO_TEXT),
    ("square.customers.card", "customers", "reference_id", CONTROL | NO_TEXT),
    ("square.customers.birth_date", "customers", "birthday", DATES),
    ("square.consents.state|email", "customers", "preferences.email_unsubscribed", STATES),
    ("square.orders.total|LPARIS", "orders", "total_money.amount",
     MINOR_UNITS),
    ("square.orders.currency|LPARIS", "orders", "total_money.currency", {"unknown currency": "ZZZ", "absent": None}),
    ("square.orders.created_at|LPARIS", "orders", "created_at", MOMENTS),
    ("square.orders.state|LPARIS", "orders", "state", STATES),
    ("square.order_lines.quantity", "orders", "line_items.0.quantity",
     QUANTITIES | {"negative": f"-{NUMBER}", "absent": None}),
    ("square.order_lines.unit", "orders", "line_items.0.base_price_money.amount",
     {kind: value for kind, value in MINOR_UNITS.items() if kind != "absent"}),
    ("shopify.items.sku", "variants", "sku", BLANK | TEXT),
    ("shopify.items.gtin", "variants", "barcode", GTIN),
    ("shopify.items.title", "variants", "product.title", BLANK | TEXT),
    ("shopify.items.status", "variants", "product.status", STATES),
    ("shopify.items.is_tracked", "variants", "inventoryItem.tracked", {"a word": WORD, "number": NUMBER}),
    ("shopify.items.cost", "variants", "inventoryItem.unitCost.amount", COST),
    ("shopify.prices.amount|base", "variants", "price", DECIMALS),
    ("shopify.prices.compare_at|base", "variants", "compareAtPrice", COST),
    (f"shopify.prices.amount|{LIST}", "price_list_prices", "price.amount", DECIMALS),
    (f"shopify.prices.currency|{LIST}", "price_list_prices", "price.currencyCode", CURRENCIES),
    (f"shopify.stock.available|{PLACE}", "inventory_levels", "quantities.0.quantity", QUANTITIES | {"absent": None}),
    (f"shopify.stock.on_hand|{PLACE}", "inventory_levels", "quantities.1.quantity", QUANTITIES | {"absent": None}),
    (f"shopify.stock.committed|{PLACE}", "inventory_levels", "quantities.2.quantity",
     QUANTITIES | {"negative": -NUMBER, "absent": None}),
    (f"shopify.movements.quantity|{PLACE}", "orders:FulfillmentOrderLineItem", "totalQuantity",
     QUANTITIES | {"negative": -NUMBER}),
    ("shopify.customers.email", "customers", "defaultEmailAddress.emailAddress", EMAILS),
    ("shopify.customers.first_name", "customers", "firstName", TEXT),
    ("shopify.customers.last_name", "customers", "lastName", TEXT),
    ("shopify.customers.street", "customers", "defaultAddress.address1", TEXT),
    ("shopify.customers.city", "customers", "defaultAddress.city", TEXT),
    ("shopify.customers.postcode", "customers", "defaultAddress.zip", TEXT),
    ("shopify.customers.country", "customers", "defaultAddress.countryCodeV2", NO_TEXT),
    ("shopify.customers.card", "customers", "card.value", CONTROL | NO_TEXT),
    ("shopify.customers.birth_date", "customers", "birthDate.value", DATES),
    ("shopify.consents.email|email", "customers", "defaultEmailAddress.emailAddress", EMAILS),
    ("shopify.consents.state|email", "customers", "defaultEmailAddress.marketingState", STATES | {"absent": None}),
    ("shopify.consents.changed_at|email", "customers", "defaultEmailAddress.marketingUpdatedAt", MOMENTS),
    (f"shopify.orders.total|{PLACE}", "orders:Order/", "totalPriceSet.shopMoney.amount",
     NO_AMOUNT | {"negative": f"-{NUMBER}", "impossible": f"{NUMBER}000.00"}),
    (f"shopify.orders.currency|{PLACE}", "orders:Order/", "currencyCode", CURRENCIES),
    (f"shopify.orders.created_at|{PLACE}", "orders:Order/", "createdAt", MOMENTS),
    (f"shopify.movements.occurred_at|{PLACE}", "orders:Order/", "createdAt", MOMENTS),
    ("shopify.order_lines.quantity", "orders:LineItem/", "quantity",
     QUANTITIES | {"negative": -NUMBER, "absent": None}),
    ("shopify.order_lines.unit_price", "orders:LineItem/", "originalUnitPriceSet.shopMoney.amount",
     NO_AMOUNT | {"negative": f"-{NUMBER}", "impossible": f"{NUMBER}.00"}),
    ("hubspot.items.sku", "products", "properties.hs_sku", BLANK | TEXT),
    ("hubspot.items.title", "products", "properties.name", TEXT),
    ("hubspot.items.cost", "products", "properties.hs_cost_of_goods_sold", COST),
    *(
        (f"hubspot.prices.amount|{name}", "products", f"properties.{name}",
         {kind: value for kind, value in DECIMALS.items() if kind not in ("absent", "blank")})
        for name in ("price", "hs_price_chf")
    ),
    ("hubspot.customers.email", "contacts", "properties.email", EMAILS),
    ("hubspot.customers.first_name", "contacts", "properties.firstname", TEXT),
    ("hubspot.customers.last_name", "contacts", "properties.lastname", TEXT),
    ("hubspot.customers.phone", "contacts", "properties.phone", TEXT),
    ("hubspot.customers.street", "contacts", "properties.address", TEXT),
    ("hubspot.customers.city", "contacts", "properties.city", TEXT),
    ("hubspot.customers.postcode", "contacts", "properties.zip", TEXT),
    ("hubspot.customers.birth_date", "contacts", "properties.date_of_birth", DATES),
    ("hubspot.customers.country", "contacts", "properties.country", NO_TEXT),
    ("hubspot.customers.card", "contacts", "properties.loyalty_card", CONTROL | NO_TEXT),
    (f"hubspot.consents.state|{SUBSCRIPTION}", "contacts", "properties.hs_email_optout", STATES | {"capitals": "TRUE"}),
    (f"hubspot.consents.state|{SUBSCRIPTION}", "contacts", f"properties.hs_email_optout_{SUBSCRIPTION}",
     STATES | {"capitals": "TRUE"}),
    (f"hubspot.consents.changed_at|{SUBSCRIPTION}", "contacts", "properties.email_consent_at", MOMENTS),
    (f"hubspot.consents.email|{SUBSCRIPTION}", "contacts", "properties.email", EMAILS),
    ("mailchimp.customers.email", "members", "email_address", EMAILS | BLANK),
    ("mailchimp.customers.first_name", "members", "merge_fields.FNAME", TEXT),
    ("mailchimp.customers.last_name", "members", "merge_fields.LNAME", TEXT),
    ("mailchimp.customers.phone", "members", "merge_fields.PHONE", TEXT),
    ("mailchimp.customers.street", "members", "merge_fields.ADDRESS.addr1", TEXT),
    ("mailchimp.customers.city", "members", "merge_fields.ADDRESS.city", TEXT),
    ("mailchimp.customers.postcode", "members", "merge_fields.ADDRESS.zip", TEXT),
    ("mailchimp.customers.birth_date", "members", "merge_fields.BIRTHDATE", DATES),
    ("mailchimp.customers.country", "members", "merge_fields.ADDRESS.country", NO_TEXT),
    ("mailchimp.customers.card", "members", "merge_fields.CARD", CONTROL | NO_TEXT),
    (f"mailchimp.consents.changed_at|{AUDIENCE}", "members", "timestamp_opt", MOMENTS),
    (f"mailchimp.consents.email|{AUDIENCE}", "members", "email_address", EMAILS | BLANK),
    (f"mailchimp.consents.state|{AUDIENCE}", "members", "status", STATES | {"absent": None}),
)


def _cases() -> list[Bad]:
    found = []
    for place, endpoint, path, values in _PLACES:
        name, _, sub = place.partition("|")
        system, entity, field = name.split(".")
        for kind, value in values.items():
            found.append(Bad(len(found) + 10, kind, value, system, entity, field, endpoint, path, sub))
    return found


CASES = _cases()
SOUND = range(1, 10)
"""Items and persons that nobody spoils."""


@pytest.fixture(scope="module")
def night() -> Iterator[duckdb.DuckDBPyConnection]:
    """The second night of an estate in which every case is spoilt at once."""
    con = open_warehouse()
    records.mapped(con)
    bad = {case.number: case for case in CASES}
    for day, moment in enumerate(NIGHTS):
        fill_table(con, "estate.night", [(f"n{day}", "maison", moment, "Europe/Paris", "nightly" if day else "adopt")])
        for system in SYSTEMS:
            held = [records.common(system), *(records.sound(system, n) for n in SOUND)]
            for number, case in bad.items():
                sound = records.sound(system, number)
                if day and case.system == system:
                    word = f"{case.endpoint}{number}" if case.endpoint[-2:] in (":V", ":I") else case.endpoint
                    sound = records.spoilt(sound, word, case.path, case.value)
                held.append(sound)
            records.put(con, system, held)
            stage_system(con, system)
        build_consents(con)
        reconcile_items(con)
        build_trees(con)
        reconcile_persons(con)
        build_drift(con)
    yield con
    con.close()


def _quarantined(con: duckdb.DuckDBPyConnection, bad: Bad) -> list[tuple[str, str, str, str]]:
    return con.execute(
        f"SELECT field, vendor_sub_id, reason, value_class FROM quarantine.{bad.system} "
        "WHERE entity = ? AND vendor_id = ?", [bad.entity, bad.vendor_id],
    ).fetchall()


def _rows(con: duckdb.DuckDBPyConnection, table: str, bad: Bad) -> int:
    """Rows of a table under the key of a case: its price list, place or audience where it has one."""
    columns = [row[0] for row in con.execute(f"DESCRIBE {table}").fetchall()]
    sub = next((c for c in ("vendor_price_list", "vendor_location_id", "vendor_audience_id") if c in columns), "''")
    row = con.execute(
        f"SELECT count(*) FROM {table} WHERE system = ? AND vendor_id = ? AND ? IN ('', {sub})",
        [bad.system, bad.vendor_id, bad.sub],
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_a_bad_row_is_in_quarantine_and_nowhere_else(night, bad):
    found = _quarantined(night, bad)
    named = [(sub, reason, value_class) for field, sub, reason, value_class in found if field == bad.field]
    assert named, f"not in quarantine under its field; there: {found}"
    assert all(sub == bad.sub and reason and value_class for sub, reason, value_class in named)
    assert _rows(night, f"staged.{bad.entity}", bad) == 0
    observed = {"items": ("items", "prices", "stock")}.get(bad.entity, (bad.entity,))
    for entity in observed:
        if entity in ("items", "prices", "stock", "customers", "consents"):
            assert _rows(night, f"observed.{entity}", bad) == 0


def test_nothing_of_a_bad_key_drifts(night):
    """Neither the bad value itself, nor, while the source of truth holds it, anybody else's copy of it."""
    drift = night.execute(
        "SELECT system, entity, field, vendor_id, observed, desired FROM reconcile.drift UNION ALL "
        "SELECT system, entity, field, vendor_id, observed, desired FROM reconcile.consent_drift ORDER BY ALL"
    ).fetchall()
    assert drift == []


def test_no_value_is_written_down(night):
    kept_out = [f"quarantine.{system}" for system in (*SYSTEMS, "reconcile")]
    tables = [*kept_out, "reconcile.drift", "reconcile.consent_drift"]
    for table in tables:
        for row in night.execute(f"SELECT * FROM {table}").fetchall():
            assert not [cell for cell in row if WORD in str(cell) or str(NUMBER) in str(cell)], table


def test_the_rest_goes_on(night):
    """Every key that is in no quarantine is observed, of spoilt records' other entities too."""
    for system, entity, key in (
        *((system, entity, "vendor_id") for system in SYSTEMS[:3] for entity in ("items", "prices")),
        *((system, "stock", "vendor_id") for system in SYSTEMS[:2]),
        *((system, "customers", "vendor_id") for system in SYSTEMS),
    ):
        blocked = {bad.number for bad in CASES if bad.system == system and bad.entity in ("items", entity)}
        if entity == "customers":
            blocked = {bad.number for bad in CASES if bad.system == system and bad.entity in ("customers", "consents")}
        row = night.execute(
            f"SELECT count(DISTINCT {key}) FROM observed.{entity} WHERE system = ?", [system]
        ).fetchone()
        assert row is not None
        assert row[0] >= len(SOUND) + len(CASES) - len(blocked), (system, entity)


@pytest.mark.parametrize("system", ["square", "shopify", "hubspot"])
@pytest.mark.parametrize("second", ["SKU-1", " sku-1 "], ids=["the same", "written otherwise"])
def test_a_duplicate_sku_is_nobodys(con, system, second):
    records.mapped(con)
    fill_table(con, "estate.night", [("n0", "maison", NIGHTS[0], "Europe/Paris", "adopt")])
    endpoint, path = {
        "square": ("catalog_objects:V2", "item_variation_data.sku"), "shopify": ("variants", "sku"),
        "hubspot": ("products", "properties.hs_sku"),
    }[system]
    for name in SYSTEMS:
        held = [records.common(name), *(records.sound(name, n) for n in (1, 3))]
        twin = records.sound(name, 2)
        if name == system:
            held.append(records.spoilt(twin, endpoint, path, second))
        records.put(con, name, held)
        stage_system(con, name)
    reconcile_items(con)
    build_trees(con)
    build_drift(con)
    kept_out = con.execute(
        "SELECT vendor_id, field, value_class FROM quarantine.reconcile WHERE system = ? ORDER BY vendor_id", [system]
    ).fetchall()
    ids = {"square": ["V1", "V2"], "shopify": [gid("ProductVariant", n) for n in (1, 2)], "hubspot": ["1001", "1002"]}
    assert kept_out == [(vendor_id, "sku", "ambiguous") for vendor_id in ids[system]]
    for entity in ("items", "prices", "stock"):
        observed = con.execute(
            f"SELECT DISTINCT vendor_id FROM observed.{entity} WHERE system = ?", [system]
        ).fetchall()
        assert not {row[0] for row in observed} & set(ids[system])
    assert con.execute("SELECT count(*) FROM reconcile.drift").fetchone() == (0,)
    others = con.execute("SELECT count(DISTINCT system) FROM observed.items").fetchone()
    assert others == (3,), "the item nobody doubled is still there in every system"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (r'{"a": "cut \ud83d"}', "cut \x1a"), (r'{"a": "\ude00 cut"}', "\x1a cut"),
        (r'{"a": "\uD83D\uD83D\uDE00"}', "\x1a😀"),
        (r'{"a": "\ud83d\ude00"}', "😀"), (r'{"a": "\\ud83d"}', r"\ud83d"), (r'{"a": "\"\\\ud83d\n"}', '"\\\x1a\n'),
        ('{"a": "Zoé 😀 \\t"}', "Zoé 😀 \t"),
    ],
    ids=["first half", "second half", "before a whole", "a whole one", "a written one", "after a backslash", "none"],
)
def test_half_a_character_is_one_bad_row_not_an_unreadable_page(given, read):
    assert msgspec.json.decode(readable(given.encode())) == {"a": read}
