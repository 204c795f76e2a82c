"""A record whose key or time is of an odd shape: kept as it came, in quarantine, and the rest of its page goes on."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import duckdb
import httpx
import msgspec
import pytest

from pipelines.channels import CHANNELS
from pipelines.channels.base import RawRow
from pipelines.errors import FatalChannelError
from pipelines.readable import MOST_DEEP, readable
from pipelines.stage import stage_system
from pipelines.tables import UNUSABLE
from sandbox.app import load_vendors
from tests.channels.harness import EPOCH, Outside, outside
from tests.conftest import open_warehouse

LIST, MEMBER = "a1b2c3d4e5", "0123456789abcdef0123456789abcdef"
_VENDORS = load_vendors()
Answers = Callable[[list[Any]], list[dict[str, Any]]]
"""What a vendor answers, call by call, to a read that holds these records."""


def world(system: str) -> Outside:
    """An empty world of one vendor."""
    channel = next(channel for channel in CHANNELS if channel.name == system)
    return outside(_VENDORS[system], channel, channel.secrets[0])


def listed(name: str) -> Answers:
    """One page that is the whole answer."""
    return lambda records: [{name: records}]


def contacts(records: list[Any]) -> list[dict[str, Any]]:
    return [{"subscriptionDefinitions": [{"id": "7"}]}, {"results": records}]


def members(records: list[Any]) -> list[dict[str, Any]]:
    page = {"members": records, "total_items": len(records)}
    newest = {"members": records[-1:], "total_items": len(records)}
    return [{"lists": [{"id": LIST}], "total_items": 1}, newest, page, newest]


def brevo_contacts(records: list[Any]) -> list[dict[str, Any]]:
    return [{"contacts": records, "count": len(records)}, {"contacts": records[:1], "count": len(records)}]


def bulk(records: list[Any]) -> list[Any]:
    roots = sum("__parentId" not in record for record in records)
    node = {"status": "COMPLETED", "objectCount": str(len(records)), "rootObjectCount": str(roots),
            "url": "http://sandbox/shopify/bulk/x.jsonl"}
    started = {"bulkOperation": {"id": "gid://shopify/BulkOperation/1"}, "userErrors": []}
    return [
        {"data": {"bulkOperationRunQuery": started}}, {"data": {"node": node}}, "\n".join(map(json.dumps, records)),
    ]


def woo(*before: Any) -> Answers:
    """One page of a WooCommerce list, which declares its total, after these answers."""

    def answers(records: list[Any]) -> list[httpx.Response]:
        pages = [*before, records]
        return [httpx.Response(200, json=page, headers={"X-WP-Total": str(len(page))}) for page in pages]

    return answers


VARIABLE = woo([{"id": 9, "type": "variable", "variations": [1]}])


def put(outside: Outside, answers: list[Any]) -> None:
    """Let the vendor answer so."""
    outside.transport.answers = [
        answer if isinstance(answer, httpx.Response)
        else httpx.Response(200, content=answer) if isinstance(answer, str) else httpx.Response(200, json=answer)
        for answer in answers
    ]


def products(records: list[Any]) -> list[dict[str, Any]]:
    return [{"results": records}]


VARIANT = {"id": "gid://shopify/ProductVariant/1"}
LEVEL = {"id": "gid://shopify/InventoryLevel/1", "item": {"id": "i1"}, "__parentId": "p1"}
COUNT = {"catalog_object_id": "V1", "location_id": "L1", "state": "IN_STOCK"}
ODD_TIMES = [
    ("hubspot", "contacts", contacts, {"id": "1", "updatedAt": 5}, "1"),
    ("shopify", "variants", bulk, VARIANT | {"updatedAt": 5}, VARIANT["id"]),
    ("shopify", "inventory_levels", bulk, LEVEL | {"updatedAt": 5}, "i1|p1"),
    ("shopify", "orders", bulk, {"id": "gid://shopify/Order/1", "updatedAt": {}}, "gid://shopify/Order/1"),
    ("mailchimp", "members", members, {"id": MEMBER, "last_changed": 5}, f"{LIST}:{MEMBER}"),
    ("mailchimp", "members", members, {"id": MEMBER, "last_changed": "yesterday"}, f"{LIST}:{MEMBER}"),
    ("mailchimp", "members", members, {"id": "zz", "last_changed": "2026-06-01T00:00:00+00:00"}, f"{LIST}:zz"),
    ("square", "customers", listed("customers"), {"id": "C1", "updated_at": 5}, "C1"),
    ("brevo", "contacts", brevo_contacts, {"id": 1, "modifiedAt": 5}, "1"),
    ("brevo", "contacts", brevo_contacts, {"id": 1, "modifiedAt": "yesterday"}, "1"),
    ("woocommerce", "products", woo(), {"id": 1, "date_modified_gmt": 5}, "1"),
    ("woocommerce", "orders", woo(), {"id": 1, "date_modified_gmt": {}}, "1"),
    ("woocommerce", "customers", woo(), {"id": 1, "date_modified_gmt": "yesterday"}, "1"),
]
NO_KEYS = [
    ("hubspot", "contacts", contacts, {"properties": {}}),
    ("hubspot", "contacts", contacts, {"id": 5}),
    ("hubspot", "products", products, {"id": ""}),
    ("hubspot", "products", products, {"id": "9" * 10_000}),
    ("hubspot", "products", products, None),
    ("shopify", "variants", bulk, {"id": {"gid": "x"}}),
    ("shopify", "inventory_levels", bulk, LEVEL | {"item": "i1"}),
    ("shopify", "inventory_levels", bulk, LEVEL | {"item": None}),
    ("shopify", "inventory_levels", bulk, LEVEL | {"__parentId": None}),
    ("shopify", "price_list_prices", bulk, {"variant": None, "__parentId": "l1"}),
    ("shopify", "price_list_prices", bulk, {"variant": {"id": []}, "__parentId": "l1"}),
    ("shopify", "orders", bulk, {"id": "gid://shopify/Order/1", "refunds": "many"}),
    ("mailchimp", "members", members, {"id": ["x"], "last_changed": "2026-06-01T00:00:00+00:00"}),
    ("mailchimp", "members", members, ["a list"]),
    ("brevo", "contacts", brevo_contacts, {"id": True}),
    ("brevo", "contacts", brevo_contacts, {"email": "a@b.fr"}),
    ("brevo", "contacts", brevo_contacts, "a text"),
    ("square", "catalog_objects", listed("objects"), {"type": "ITEM_VARIATION", "id": 5}),
    ("square", "catalog_objects", listed("objects"), {"type": "ITEM_VARIATION", "id": "a\u0007b"}),
    ("square", "inventory_counts", listed("counts"), COUNT | {"state": None}),
    ("square", "inventory_counts", listed("counts"), {"catalog_object_id": "V1", "location_id": "L1"}),
    ("square", "inventory_changes", listed("changes"), {"type": "MIRACLE", "miracle": {"id": "m"}}),
    ("square", "inventory_changes", listed("changes"), {"type": "ADJUSTMENT", "adjustment": "x"}),
    ("woocommerce", "products", woo(), {"id": "7"}),
    ("woocommerce", "products", woo(), ["a list"]),
    ("woocommerce", "customers", woo(), {"id": 0}),
    ("woocommerce", "customers", woo(), {"id": True}),
    ("woocommerce", "orders", woo(), {"id": {"v": 1}, "refunds": [{"id": 1}]}),
    ("square", "orders", lambda records: [{"locations": [{"id": "L1"}]}, {"orders": records}], {"id": None}),
]
SOUND = {
    "contacts": {"id": "2"}, "products": {"id": "2"}, "variants": {"id": "v2"}, "orders": {"id": "o2"},
    "inventory_levels": {"id": "x", "item": {"id": "i2"}, "__parentId": "p2"},
    "price_list_prices": {"variant": {"id": "v2"}, "__parentId": "l2"},
    "members": {"id": MEMBER[::-1], "last_changed": "2026-06-01T00:00:00+00:00"}, "customers": {"id": "C2"},
    "catalog_objects": {"id": "V2"}, "inventory_counts": COUNT | {"location_id": "L2"},
    "inventory_changes": {"type": "PHYSICAL_COUNT", "physical_count": {"id": "m2"}},
}
"""A record of each endpoint that is as it should be."""


def sound(system: str, endpoint: str) -> Any:
    """A record that is as it should be; WooCommerce numbers its own."""
    return {"id": 2} if system == "woocommerce" else SOUND[endpoint]


Kept = list[tuple[str, str, str, str]]
"""Entity, key, field and reason of what is in quarantine."""


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """One for all: each test leaves it empty."""
    con = open_warehouse()
    yield con
    con.close()


def staged(con: duckdb.DuckDBPyConnection, system: str, endpoint: str, rows: Sequence[RawRow]) -> Kept:
    """What stage keeps out of these rows; it must let none through without a key of the vendor's."""
    table = f"raw_{system}.{endpoint}"
    try:
        con.executemany(
            f"INSERT INTO {table} VALUES (?, NULL, ?, NULL)", [[row.id, row.payload.decode()] for row in rows]
        )
        stage_system(con, system)
        for (name,) in con.execute(
            "SELECT table_name FROM duckdb_columns() WHERE schema_name = ? AND column_name = 'vendor_id'", [system]
        ).fetchall():
            ids = [key for (key,) in con.execute(f"SELECT vendor_id FROM {system}.{name}").fetchall()]
            assert [key for key in ids if not key or key.startswith(UNUSABLE)] == []
        return con.execute(f"SELECT entity, vendor_id, field, reason FROM quarantine.{system}").fetchall()
    finally:
        con.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize(("system", "endpoint", "answers", "record", "key"), ODD_TIMES)
async def test_a_record_with_an_odd_time_is_read_under_its_key(system, endpoint, answers, record, key):
    there = world(system)
    put(there, answers([record, sound(system, endpoint)]))
    rows = await there.rows(endpoint)
    assert [row.id for row in rows].index(key) == 0 and len(rows) == 2
    assert json.loads(rows[0].payload) == record


@pytest.mark.parametrize(("system", "endpoint", "answers", "record"), NO_KEYS)
async def test_a_record_without_a_usable_key_is_in_quarantine_and_the_rest_goes_on(
    warehouse, system, endpoint, answers, record
):
    there = world(system)
    put(there, answers([record, sound(system, endpoint)]))
    first, second = await there.rows(endpoint)
    assert first.id.startswith(UNUSABLE) and json.loads(first.payload) == record
    assert not second.id.startswith(UNUSABLE)
    kept_out = {row[1:] for row in staged(warehouse, system, endpoint, [first, second]) if row[1] == first.id}
    assert kept_out == {(first.id, "id", "missing or unusable")}


@pytest.mark.parametrize(
    ("value", "reason"),
    [("[" * 10_000 + "]" * 10_000, "wrong type"), ('"' + "x" * 10_000_000 + '"', "longer than")],
    ids=["ten thousand levels", "ten megabytes"],
)
@pytest.mark.parametrize(
    ("system", "endpoint", "answers", "record", "entity", "field"),
    [
        ("hubspot", "products", products, {"id": "1", "properties": {"hs_sku": "A", "name": "ODD"}}, "items", "title"),
        ("square", "customers", listed("customers"), {"id": "1", "given_name": "ODD"}, "customers", "first_name"),
        ("shopify", "customers", bulk, {"id": "1", "firstName": "ODD"}, "customers", "first_name"),
        ("woocommerce", "customers", woo(), {"id": 1, "first_name": "ODD"}, "customers", "first_name"),
        ("mailchimp", "members", members,
         {"id": MEMBER, "list_id": LIST, "email_address": "a@b.fr", "status": "subscribed",
          "merge_fields": {"FNAME": "ODD"}}, "customers", "first_name"),
    ],
)
async def test_a_huge_or_deep_value_keeps_out_its_own_record(
    warehouse, system, endpoint, answers, record, entity, field, value, reason
):
    there = world(system)
    put(there, answers([record, sound(system, endpoint)]))
    there.transport.answers = [
        httpx.Response(
            200, content=answer.content.replace(b'"ODD"', value.encode()),
            headers={name: text for name, text in answer.headers.items() if name.startswith("x-")},
        )
        for answer in there.transport.answers
    ]
    rows = await there.rows(endpoint)
    assert len(rows) == 2
    (found,) = [row for row in staged(warehouse, system, endpoint, rows) if row[:3:2] == (entity, field)]
    assert found[3].startswith(reason)


async def test_a_record_that_others_hang_on_is_needed():
    there = world("mailchimp")
    put(there, [{"lists": [{"id": 5}], "total_items": 1}])
    with pytest.raises(FatalChannelError, match="an audience has no usable id"):
        await there.rows("members")
    there = world("square")
    put(there, [{"locations": [{"name": "Paris"}]}])
    with pytest.raises(FatalChannelError, match="a location has no usable id"):
        await there.rows("orders")
    there = world("hubspot")
    put(there, [{"subscriptionDefinitions": [{"name": "Lettre"}]}])
    with pytest.raises(FatalChannelError, match="a subscription type has no usable id"):
        await there.rows("contacts")


@pytest.mark.parametrize("variation", [{"id": "7"}, {"id": None}, ["a list"]])
async def test_a_variation_without_a_usable_key_is_in_quarantine_too(warehouse, variation):
    there = world("woocommerce")
    put(there, VARIABLE([variation, {"id": 2}]))
    first, second = await there.rows("variations")
    assert first.id.startswith(UNUSABLE) and json.loads(first.payload) == {"parent_id": 9, "variation": variation}
    assert second.id == "2"
    kept_out = {row[1:] for row in staged(warehouse, "woocommerce", "variations", [first])}
    assert kept_out == {(first.id, "id", "missing or unusable")}


async def test_a_search_goes_on_after_a_record_without_a_usable_id():
    there = world("hubspot")
    put(there, [{"results": [{"id": "1"}, {"id": None}], "total": 3}, {"results": [{"id": "3"}], "total": 1},
                {"results": []}])
    assert [row.id for row in await there.rows("products", EPOCH)][::2] == ["1", "3"]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ('{"a": [[1]], "b": "[{["}', None),
        ("[" * MOST_DEEP + "]" * MOST_DEEP, None),
        ('{"a":' + "[" * 5000 + "]" * 5000 + ', "b": "\\"]"}', '{"a":' + "[" * MOST_DEEP + "]" * MOST_DEEP
         + ', "b": "\\"]"}'),
        ('{"a":' * 5000 + "1" + "}" * 5000, '{"a":' * MOST_DEEP + '{' + "}" * (MOST_DEEP + 1)),
        ("[" * 5000, "[" * (MOST_DEEP + 1)),
    ],
    ids=["shallow", "just so deep", "lists", "objects", "no JSON"],
)
def test_only_what_no_parser_takes_is_cut(given, read):
    found = readable(given.encode())
    assert found.decode() == (given if read is None else read)
    if given.count("]") or given.count("}"):
        msgspec.json.decode(found)
