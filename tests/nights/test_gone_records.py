"""Records that are deleted, archived, merged or erased while others live on: noticed the same night, and left be."""

from collections.abc import Callable

import pytest

from sandbox.world.settings import DayRates
from tests.nights.harness import PlayedEstate, told

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]
MANY_GO = DayRates(deleted_items=(0.0, 2), gone_customers=(0.0, 2), edits_of_deleted_items=(0.0, 3))


def test_a_pipeline_that_never_notices_a_deletion_fails(
    lived: PlayedEstate, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no delta shows is known by the vendors' counts alone; without them the dead are believed, and corrected."""
    monkeypatch.setattr("pipelines.extract._outlived", lambda night, system, reads: [])
    played = copy(lived)
    played.night()
    verdict = played.judge()
    false = [failure.words for failure in verdict.failures if failure.kind == "false"]
    assert any("the record is gone" in words for words in false), told(verdict)
    assert "believed gone record" in {failure.kind for failure in verdict.failures}
    monkeypatch.undo()
    assert played.night().status == "complete"


def test_days_on_which_many_records_go_leave_nothing_wrong(adopted: PlayedEstate, copy: Copy) -> None:
    played = copy(adopted)
    for _ in range(2):
        planted = played.day(MANY_GO)
        gone = {(one.system, one.key) for one in played.scene().chronicle.gone}
        assert gone and not any((row.system, row.vendor_id) in gone for row in planted)
        night = played.night()
        verdict = played.judge()
        assert verdict.is_passed, told(verdict)
        touched = {(effect["vendor"], str(effect["key"]).split("|")[0]) for effect in night.effects}
        assert touched.isdisjoint(gone)
    ways = {(one.system, one.how) for one in played.scene().chronicle.gone}
    assert len(ways) >= 12, "every system's own ways, items and customers"
    quiet = played.night()
    assert quiet.new == [] and quiet.effects == []
