"""The judge on records that are gone: nothing may be planned for them, written to them, or made of them anew."""

import pytest

from sandbox.judge import judge_scene
from sandbox.plan_rows import plan_of
from sandbox.world import ids
from sandbox.world.chronicle import Gone
from sandbox.world.scene import Scene
from tests.sandbox.perfect import add, kinds


def _gone(scene: Scene, kind: str) -> Gone:
    """A record that is gone; of a person who is known elsewhere still."""
    kept = {one for records in scene.persons().values() if len(records) > 1 for one in records}
    return next(one for one in scene.chronicle.gone if one.kind == kind and (kind == "items" or
                (one.system, one.key) in kept))


@pytest.mark.parametrize("disposition", ["approve", "hold", "refuse"])
@pytest.mark.parametrize("entity", ["prices", "stock"])
def test_a_correction_of_a_deleted_item_is_false(night, entity, disposition):
    scene, plan = night
    gone = _gone(scene, "items")
    add(system=gone.system, entity=entity, vendor_id=gone.key, disposition=disposition)(plan)
    verdict = judge_scene(scene, plan_of(plan))
    assert kinds(verdict) == {"false"}
    assert "the record is gone (deleted)" in verdict.failures[0].words


@pytest.mark.parametrize("facts", [
    {"entity": "customers", "field": "phone", "observed": "+331", "desired": "+332"},
    {"entity": "customers", "field": "city", "observed": "SETE", "desired": "Sète"},
    {"entity": "consents", "field": "state", "observed": "yes", "desired": "no", "drift_class": "lower",
     "rule": "withdrawal of the same person"},
])
def test_a_correction_of_a_customer_who_is_gone_is_false(night, facts):
    """Whatever would excuse it of a living one: an unknown person, looks alone, another address of the person."""
    scene, plan = night
    gone = _gone(scene, "customers")
    add(system=gone.system, vendor_id=gone.key, vendor_sub_id="", **facts)(plan)
    verdict = judge_scene(scene, plan_of(plan))
    assert kinds(verdict) == {"false"}
    assert f"the record is gone ({gone.how})" in verdict.failures[0].words


def test_a_person_may_not_keep_a_record_that_is_gone(night):
    scene, plan = night
    gone = _gone(scene, "customers")
    plan.append({"kind": "person", "system": gone.system, "vendor_id": gone.key, "person_id": "P"})
    assert kinds(judge_scene(scene, plan_of(plan))) == {"believed gone record"}
    assert judge_scene(scene, plan_of(plan), down=frozenset({gone.system})).is_passed, "nobody could see that it went"


def test_a_deleted_item_excuses_no_quarantine(night):
    """Its records in other systems are as sound as ever."""
    scene, plan = night
    gone = next(one for one in scene.chronicle.gone if (one.kind, one.system) == ("items", "hubspot"))
    number = ids.item_number("hubspot", gone.key)
    plan.append({"kind": "quarantine", "system": "shopify", "entity": "prices", "field": "amount",
                 "vendor_id": ids.shopify_variant(number)})
    assert kinds(judge_scene(scene, plan_of(plan))) == {"quarantine false"}


def test_writes_to_what_is_gone_and_records_made_anew_fail(night):
    scene, plan = night
    gone = next(one for one in scene.chronicle.gone if one.system == "mailchimp")
    scene.store.effect("mailchimp", "consents", gone.key, "audience", "none", "no", origin="api")
    scene.store.effect("mailchimp", "members", "f" * 32, "created", None, "audience", origin="api")
    assert kinds(judge_scene(scene, plan_of(plan))) == {"written gone record", "recreated"}


def test_prices_that_lost_their_tax_rate_are_quarantined_where_that_could_be_seen(night):
    """The till's record is gone, and with it the rate: the CRM's net price cannot be held against the shop's."""
    scene, plan = night
    rateless = [row for row in plan if row.get("field") == "tax_rate_bp"]
    assert rateless, "the till deletes something every day"
    silent = [row for row in plan if row not in rateless]
    assert kinds(judge_scene(scene, plan_of(silent))) == {"quarantine missed"}
    for away in ("square", "shopify"):
        verdict = judge_scene(scene, plan_of(silent), down=frozenset({away}))
        assert "quarantine missed" not in kinds(verdict)
