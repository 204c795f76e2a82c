"""What an estate allows: observed systems are reported and never written, a pilot writes its scope alone."""

from collections.abc import Callable

import pytest

from tests.nights.harness import PlayedEstate

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]


def test_an_observed_system_is_reported_and_never_written(lived: PlayedEstate, copy: Copy) -> None:
    played = copy(lived)
    played.mode("shopify", {})
    night = played.night()
    assert night.status == "complete"
    assert night.written == {"square", "hubspot", "mailchimp"}
    planned = {
        (row["entity"], row["field"], row["vendor_id"], row["vendor_sub_id"]): row
        for row in night.chosen(system="shopify")
    }
    truth = [row for row in played.truth() if row.system == "shopify" and row.disposition == "must_push"]
    assert {row.key[1:] for row in truth if row.entity != "customers" and not row.is_apart} <= planned.keys()
    would_go = [planned[row.key[1:]] for row in truth if row.key[1:] in planned]
    assert {row["disposition"] for row in would_go} == {"observe"}
    assert all("observe" in row["disposition_reason"] for row in would_go)

    scope = next(row for row in would_go if row["entity"] == "prices" and row["field"] == "amount")
    sku = played.store.get("shopify", "variants", scope["vendor_id"]).body["sku"]
    played.mode("shopify", {"prices": "pilot"}, {"prices": [sku]})
    pilot = played.night()
    written = [effect for effect in pilot.effects if effect["vendor"] == "shopify"]
    assert {effect["key"].split("|")[0] for effect in written} == {scope["vendor_id"]}
    assert {effect["kind"] for effect in written} == {"prices"}
    assert {row["vendor_id"] for row in pilot.chosen(system="shopify", disposition="approve")} == {scope["vendor_id"]}


def test_an_estate_that_is_only_observed_is_left_as_it_is(lived: PlayedEstate, copy: Copy) -> None:
    played = copy(lived)
    for system in ("square", "shopify", "hubspot", "mailchimp"):
        played.mode(system, {})
    night = played.night()
    assert night.effects == []
    assert night.chosen(disposition="approve") == []
    must = {row.key for row in played.truth() if row.disposition == "must_push" and row.entity in ("prices", "stock")}
    seen = {(r["system"], r["entity"], r["field"], r["vendor_id"], r["vendor_sub_id"]) for r in night.rows}
    assert must <= seen
