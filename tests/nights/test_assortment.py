"""What a system is expected to carry: told by state where it does not list it, and never because it was not read."""

import json
from collections.abc import Callable

import pytest

from sandbox.world.settings import DayRates
from tests.nights.harness import PlayedEstate

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]
ITEMS_GO = DayRates(deleted_items=(0.0, 6))


def states(played: PlayedEstate) -> dict[tuple[str, str, str], str]:
    """State by item, system and record."""
    with played.copy() as con:
        con.execute("SELECT item_id, system, coalesce(vendor_id, ''), state FROM reconcile.assortment")
        found = con.fetchall()
    return {(item, system, vendor_id): state for item, system, vendor_id, state in found}


def test_an_item_that_goes_is_told_where_it_went_and_a_system_that_is_away_has_lost_nothing(
    adopted: PlayedEstate, copy: Copy
) -> None:
    played = copy(adopted)
    assert "listed" in set(states(played).values())
    assert set(states(played).values()) <= {"listed", "unpublished", "unknown"}, "a first night has lost nothing"
    played.day(ITEMS_GO)
    night = played.night()
    gone = {(one.system, one.key) for one in played.scene().chronicle.gone if one.kind == "items"}
    assert {system for system, _ in gone} == {"square", "shopify", "hubspot"}
    found = states(played)
    assert {key[1:] for key, state in found.items() if state == "deleted"} == gone
    written = {(effect["vendor"], str(effect["key"]).split("|")[0]) for effect in night.effects}
    assert written.isdisjoint(gone), "nothing is entered again by a sync"
    with played.copy() as con:
        work = con.execute(
            "SELECT system, vendor_id, action, entered FROM reconcile.worklist WHERE kind = 'assortment'"
        ).fetchall()
        shown = con.execute(
            "SELECT count(*), count(*) FILTER (a.state = 'listed') FROM golden.availability AS v "
            "JOIN golden.items AS g ON g.item_id = v.item_id JOIN reconcile.assortment AS a ON a.item_id = v.item_id "
            "AND a.system = (SELECT min_by(s.system, s.rank) FROM policy.sources AS s JOIN reconcile.item_matches AS m "
            "ON m.system = s.system AND m.item_id = v.item_id WHERE s.entity = 'items') WHERE v.status = 'active'"
        ).fetchone()
    assert {(system, vendor_id, action) for system, vendor_id, action, _ in work} == {
        (system, key, "create again") for system, key in gone
    }
    assert all(json.loads(entered)["sku"] for *_, entered in work)
    assert shown is not None and shown[0] == shown[1] > 0, "what a shop's tablet calls active is listed by its source"

    played.night(down=["shopify"])
    without = states(played)
    assert {state for (_, system, _), state in without.items() if system == "shopify"} == {"unknown"}
    assert {key[1:] for key, state in without.items() if state == "deleted"} == {k for k in gone if k[0] != "shopify"}
