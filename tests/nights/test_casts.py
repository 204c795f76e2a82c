"""Nights of a retailer whose e-mail tool is another: the same world, as far as that tool can hold it."""

from pathlib import Path

import pytest

from sandbox.world.settings import WorldSettings
from tests.nights.harness import PlayedEstate, told

pytestmark = pytest.mark.night

SIZE = WorldSettings(seed=5, variants=60, persons=160, shops=2, email="brevo")


def test_nights_with_brevo_in_mailchimps_place_are_as_the_truth_has_them(tmp_path: Path) -> None:
    played = PlayedEstate.made(tmp_path / "estate", SIZE)
    assert played.night("adopt").status == "complete"
    first = played.judge()
    assert first.is_passed, told(first)
    written = set[str]()
    for _ in range(2):
        planted = played.day()
        assert {"lower", "raise_with_proof", "raise_without_proof"} <= {
            row.drift_class for row in planted if row.entity == "consents"
        }, "the world plants every class"
        night = played.night()
        verdict = played.judge()
        assert verdict.is_passed, told(verdict)
        assert verdict.raised == 0
        written |= night.written
    assert {"square", "shopify", "hubspot", "brevo"} == written
    again = played.night()
    assert (again.new, again.effects) == ([], []), "a second night on quiet systems plans nothing new"
    brevo = [effect for effect in played.effects() if effect["vendor"] == "brevo"]
    assert {effect["after"] for effect in brevo if effect["kind"] == "consents"} == {"no"}
    assert {effect["operation"].split()[0] for effect in brevo} == {"PUT"}
    played.close()
