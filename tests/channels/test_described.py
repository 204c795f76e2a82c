"""What holds the exchanges against the vendors' descriptions notices what it is there for."""

import json
from typing import Any

import httpx
import pytest

from tests.channels import (
    shopify_world,
    test_brevo,
    test_hubspot,
    test_mailchimp,
    test_square,
    test_woocommerce,
)
from tests.described.openapi import Mismatch
from tests.described.vendors import described


def exchange(
    path: str, answer: Any, *, method: str = "GET", body: Any = None, status: int = 200
) -> tuple[httpx.Request, httpx.Response]:
    """A call and what came back."""
    request = httpx.Request(method, f"http://sandbox/{path}", content=None if body is None else json.dumps(body))
    content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return request, httpx.Response(status, content=content)


def graphql(document: str, data: Any, **variables: Any) -> tuple[httpx.Request, httpx.Response]:
    """A GraphQL call and its answer's data."""
    body = {"query": document, "variables": variables}
    return exchange("shopify/admin/api/2026-07/graphql.json", {"data": data}, method="POST", body=body)


@pytest.mark.parametrize(
    ("vendor", "found", "says"),
    [
        ("square", exchange("square/v2/locations", {"locations": [{"id": "L1", "mood": "fine"}]}), "mood"),
        ("square", exchange("square/v2/nowhere", {}), "not described"),
        ("square", exchange("square/v2/locations?limit=1", {}), "knows no"),
        ("square", exchange("square/v2/catalog/search", {}, method="POST", body={"limits": 3}), "limits"),
        ("mailchimp", exchange("mailchimp/3.0/lists", {"lists": [{"date_created": "yesterday"}]}), "date-time"),
        ("mailchimp", exchange("mailchimp/3.0/search-members", {}), "needs"),
        ("mailchimp", exchange("mailchimp/3.0/ping", {"health_status": "ok"}, body={}), "takes no body"),
        ("brevo", exchange("brevo/v3/contacts", {"contacts": [{"id": 7}], "count": 1}), "is a required property"),
        ("brevo", exchange("brevo/v3/contacts", {"contacts": [], "count": 0, "next": 1}), "next"),
        ("brevo", exchange("brevo/v3/contacts?page=2", {"contacts": [], "count": 0}), "knows no"),
        ("brevo", exchange("brevo/v3/contacts/7", None, method="PUT", body={"smsBlacklisted": 1}, status=204), "bool"),
        ("brevo", exchange("brevo/v3/contacts/7", {"code": "oh", "message": "no"}, status=418), "code"),
        ("hubspot", exchange("hubspot/crm/v3/objects/products", {"results": [{"id": 7}]}), "not of type"),
        ("shopify", graphql("{ shop { nonsense } }", {}), "nonsense"),
        ("shopify", graphql("{ shop { id } }", {"shop": {"id": "x", "name": "y"}}), "name"),
        ("shopify", graphql("{ shop { id name } }", {"shop": {"id": "x"}}), "name"),
        ("shopify", graphql("{ shop { id } }", {"shop": {"id": None}}), "null"),
        ("shopify", graphql("{ shop { ianaTimezone createdAt } }", {
            "shop": {"ianaTimezone": "Europe/Paris", "createdAt": "yesterday"},
        }), "DateTime"),
        ("shopify", graphql("query($n: Int!) { products(first: $n) { nodes { id } } }", {}, n="ten"), "Int"),
        ("shopify", graphql('{ node(id: "x") { id } }', {"node": {"id": "gid://shopify/Shoe/1"}}), "is no Node"),
        ("shopify", graphql("{ productsCount { count precision } }", {
            "productsCount": {"count": 1, "precision": "ROUGHLY"},
        }), "ROUGHLY"),
    ],
)
def test_what_a_vendor_would_not_take_or_say_is_noticed(shared, vendor, found, says):
    for _ in range(2):  # what was right once is not looked at again; what was wrong is wrong each time
        with pytest.raises(Mismatch, match=says):
            described(vendor).check(*found)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"id": "gid://shopify/Product/1"}, "title"),
        ({"id": "gid://shopify/Product/1", "title": None}, "null"),
        ({"id": "gid://shopify/Customer/1", "title": "x"}, "not asked for"),
        ({"id": "gid://shopify/ProductVariant/1", "price": "12,50", "__parentId": "gid://shopify/Product/1"}, "Money"),
    ],
)
def test_every_line_of_a_bulk_file_is_noticed_too(shared, line, says):
    spec, url = described("shopify"), "http://sandbox/shopify/bulk/1.jsonl"
    text = "{ products { edges { node { id title variants { edges { node { id price } } } } } } }"
    run = "mutation($query: String!) { bulkOperationRunQuery(query: $query) { bulkOperation { id } } }"
    job = "gid://shopify/BulkOperation/1"
    spec.check(*graphql(run, {"bulkOperationRunQuery": {"bulkOperation": {"id": job}}}, query=text))
    poll = "query($id: ID!) { node(id: $id) { ... on BulkOperation { id url } } }"
    spec.check(*graphql(poll, {"node": {"id": job, "url": url}}, id=job))
    good = {"id": "gid://shopify/Product/2", "title": "Robe"}
    with pytest.raises(Mismatch, match=says):
        spec.check(*exchange("shopify/bulk/1.jsonl", f"{json.dumps(good)}\n{json.dumps(line)}\n".encode()))
    assert spec.lines == 1


def test_what_was_planted_is_passed_over_and_its_neighbours_are_not(shared):
    bad = {"type": "ITEM_VARIATION", "item_variation_data": {"price_money": {"amount": "12,50"}}}
    found = exchange("square/v2/catalog/list", {"objects": [bad | {"id": "V1"}]})
    described("square").check(*found, {"V1"})
    with pytest.raises(Mismatch, match="12,50"):
        described("square").check(*found)
    with pytest.raises(Mismatch, match="12,50"):
        described("square").check(*exchange("square/v2/catalog/list", {"objects": [bad | {"id": "V2"}]}), {"V1"})


@pytest.mark.parametrize(
    "world",
    [
        test_square.shop, test_hubspot.shop, test_mailchimp.club, shopify_world.shop, test_brevo.club,
        test_woocommerce.shop,
    ],
    ids=["square", "hubspot", "mailchimp", "shopify", "brevo", "woocommerce"],
)
async def test_every_exchange_of_a_world_is_held_against_its_description(shared, world):
    made = world()
    for endpoint in made.channel.endpoints:
        await made.rows(endpoint.name)
    assert made.transport.checked == len(made.transport.exchanges) > 2
