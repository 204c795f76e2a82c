"""The four answers to a held row, over real nights: approve, reject, accept-theirs, and pin until a day."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.nights.harness import Night, PlayedEstate

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]


def test_each_answer_is_obeyed_the_next_night(second: tuple[PlayedEstate, Night], copy: Copy) -> None:
    played, before = copy(second[0]), second[1]
    held = sorted(
        (
            row for row in before.chosen(entity="prices", field="amount", disposition="hold")
            if row["drift_class"] in ("here", "both")
        ),
        key=lambda row: (row["authority"] != "square" or row["system"] != "shopify", row["correction_key"]),
    )
    theirs, approved, rejected, pinned = held[:4]
    assert theirs["system"] == "shopify"
    played.answer(theirs, "accept-theirs")
    played.answer(approved, "approve")
    played.answer(rejected, "reject")
    played.answer(pinned, "pin", days=2)

    night = played.night()
    by_key = {row["correction_key"]: row for row in night.rows}
    assert by_key[approved["correction_key"]]["disposition"] == "approve"
    assert by_key[approved["correction_key"]]["disposition_reason"].startswith("Approved by Ana")
    assert by_key[approved["correction_key"]]["verification"] == "confirmed"
    for row, disposition in ((rejected, "reject"), (pinned, "pin")):
        assert by_key[row["correction_key"]]["disposition"] == disposition
        assert by_key[row["correction_key"]]["outcome"] is None
    accepted = [row for row in night.rows if row["disposition_reason"] == "Ana accepted the edited value."]
    assert {row["system"] for row in accepted} == {theirs["authority"]}, "the edit goes to the source of truth"
    assert {row["verification"] for row in accepted} == {"confirmed"}
    assert len(night.effects) == len(accepted) + 1

    following = played.night()
    left = {row["correction_key"]: row["disposition"] for row in following.rows}
    assert theirs["correction_key"] not in left, "both agree on the edited value now"
    assert value(following, theirs) is None
    assert approved["correction_key"] not in left
    assert (left[rejected["correction_key"]], left[pinned["correction_key"]]) == ("reject", "pin")

    played.store.go_on(played.store.now() + timedelta(days=2))
    later = {row["correction_key"]: row["disposition"] for row in played.night().rows}
    assert (later[rejected["correction_key"]], later[pinned["correction_key"]]) == ("reject", "hold")


def value(night: Night, row: dict[str, Any]) -> dict[str, Any] | None:
    """What a night plans for the same value, if anything."""
    names = ("system", "entity", "field", "vendor_id", "vendor_sub_id")
    return next(iter(night.chosen(**{name: row[name] for name in names})), None)
