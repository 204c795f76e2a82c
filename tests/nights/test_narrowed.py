"""Runs that were narrowed: what they do not correct is as unknown, as capped and as unproven as it was."""

from collections.abc import Callable

import pytest

from tests.nights.harness import Night, PlayedEstate, told

pytestmark = pytest.mark.night
Copy = Callable[[PlayedEstate], PlayedEstate]


def edits(night: Night) -> set[tuple[str, str, str, str]]:
    return {
        (row["system"], row["vendor_id"], row["vendor_sub_id"], row["field"])
        for row in night.chosen(entity="prices", drift_class="here")
    }


def test_what_a_narrowed_run_left_out_is_not_agreed_on(lived: PlayedEstate, copy: Copy) -> None:
    whole = copy(lived).night()
    assert edits(whole), "people have edited prices in the shops"
    played = copy(lived)
    narrowed = played.night("nightly", systems=["mailchimp"])
    assert {row["system"] for row in narrowed.chosen(lane="main")} <= {"mailchimp"}
    after = played.night()
    assert edits(after) == edits(whole), "an edit by hand is still one"
    verdict = played.judge()
    assert verdict.failures == [], told(verdict)
