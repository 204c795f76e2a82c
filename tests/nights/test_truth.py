"""Whole nights against the world's truth: the first, the next, one on quiet systems, and five days in a row."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.world.settings import WorldSettings
from tests.nights.effects import is_desired, value_of
from tests.nights.harness import Night, PlayedEstate, told

pytestmark = pytest.mark.night

ALL_CLASSES = {
    "prices": {"elsewhere", "here", "both", "rule", "bad_row"},
    "stock": {"explained", "unexplained"},
    "customers": {"elsewhere", "here", "both", "bad_row"},
    "consents": {"lower", "raise_with_proof", "raise_without_proof"},
}
REMAINS = {"must_hold", "must_refuse", "not_writable"}

Copy = Callable[[PlayedEstate], PlayedEstate]


@pytest.mark.parametrize("seed", [1, 2])
def test_first_two_nights_are_as_the_truth_has_them(
    seed: int, tmp_path: Path, whole: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed == 1:  # once is enough for what takes long
        whole(monkeypatch)
    played = PlayedEstate.made(tmp_path / "estate", WorldSettings(seed, variants=150, persons=300, shops=3))
    assert played.night("adopt").status == "complete"
    first = played.judge()
    assert first.is_passed, told(first)
    planted = played.day()
    for entity, classes in ALL_CLASSES.items():
        assert classes <= {row.drift_class for row in planted if row.entity == entity}, "the world plants every class"
    night = played.night()
    verdict = played.judge()
    assert verdict.is_passed, told(verdict)
    tallies = verdict.tallies.values()
    assert sum(tally.found for tally in tallies) > 50
    assert sum(tally.false + tally.missed + tally.misclassed for tally in tallies) == 0
    assert verdict.raised == 0
    strangers = apart(played, night)
    assert verdict.confirmed == sum(
        row["disposition"] == "approve" and row["verification"] == "confirmed" for row in night.rows
        if row["correction_key"] not in strangers
    ) - verdict.looks_only
    assert verdict.persons.precision >= 0.99
    assert verdict.persons.recall >= 0.90
    played.close()


def test_the_second_night_reads_what_changed_since_the_first(second: tuple[PlayedEstate, Night]) -> None:
    with second[0].copy() as con:
        kinds = con.execute(
            "SELECT r.endpoint, r.kind FROM ledger.sync.reads AS r JOIN ledger.sync.nights AS n USING (night_id) "
            "WHERE r.system = 'square' AND n.kind = 'nightly' ORDER BY ALL"
        ).fetchall()
        behind = con.execute(
            "SELECT r.system, r.endpoint, max(r.cursor_to), any_value(c.cursor_at) FROM ledger.sync.reads AS r "
            "LEFT JOIN ledger.sync.cursors AS c USING (system, endpoint) WHERE r.is_complete "
            "GROUP BY ALL HAVING max(r.cursor_to) IS DISTINCT FROM any_value(c.cursor_at)"
        ).fetchall()
    assert {"catalog_objects", "inventory_changes", "orders"} <= {name for name, kind in kinds if kind == "delta"}
    assert behind == []


def test_second_run_on_quiet_systems_plans_nothing_new(second: tuple[PlayedEstate, Night], copy: Copy) -> None:
    played, before = copy(second[0]), second[1]
    night = played.night()
    assert night.status == "complete"
    assert night.new == []
    assert night.effects == []
    left = {row["correction_key"]: row for row in before.rows if row["disposition"] != "approve"}
    carried = {row["correction_key"] for row in night.rows}
    assert carried <= left.keys()
    gone = {row["drift_class"] for name, row in left.items() if name not in carried}
    assert gone <= {"raise_without_proof"}, "the unproven yes was lowered, so that nobody asks for a raise any more"


def test_five_days_in_a_row_leave_only_what_must_be_left(second: tuple[PlayedEstate, Night], copy: Copy) -> None:
    played = copy(second[0])
    for _ in range(4):
        played.day()
        night = played.night()
        verdict = played.judge()
        assert verdict.is_passed, told(verdict)
        assert unplanned(played, night) == []
    truth = {row.key: row for row in played.truth()}
    night = played.night()
    assert night.new == []
    left = [row for row in night.rows if key(row) not in truth or truth[key(row)].disposition not in REMAINS]
    strangers = apart(played, night)
    assert [row for row in left if row["entity"] != "customers" or row["correction_key"] not in strangers] == []
    assert played.scene().chronicle.night == 5


def test_every_write_is_an_approved_correction(second: tuple[PlayedEstate, Night], adopted: PlayedEstate) -> None:
    played, night = second
    assert unplanned(played, night) == []
    everything = Night(night.night_id, "", night.rows, played.effects())
    assert {"square", "shopify", "hubspot", "mailchimp"} <= everything.written
    assert Counter(effect["after"] for effect in everything.effects if effect["kind"] == "consents").keys() <= {
        "no", "UNSUBSCRIBED"
    }, "a permission only ever becomes no"


def key(row: dict) -> tuple[str, str, str, str, str]:
    """Which value a correction is about."""
    return row["system"], row["entity"], row["field"], row["vendor_id"], row["vendor_sub_id"]


def unplanned(played: PlayedEstate, night: Night) -> list[dict]:
    """Changes that no approved row of the night's plans wanted, or not so."""
    with played.copy() as con:
        approved = {
            row[0] for row in con.execute(
                "SELECT a.correction_key FROM sync.approvals AS a JOIN sync.plans AS p "
                "ON p.plan_id = a.plan_id AND p.fingerprint = a.fingerprint WHERE p.night_id = ?", [night.night_id],
            ).fetchall()
        }
    rows = {key(row): row for row in night.rows if row["correction_key"] in approved}
    lowered = {row[:4] for row in rows}
    strange = []
    for effect in night.effects:
        value = value_of(effect)
        if value[4] == "*":
            if value[:4] not in lowered:
                strange.append(effect)
        elif value not in rows or not is_desired(effect, rows[value]):
            strange.append(effect)
    return strange


def apart(played: PlayedEstate, night: Night) -> set[str]:
    """Corrections of records whose person was not recognised exactly: reported apart, never judged."""
    from sandbox.judge_persons import strangers

    scene = played.scene()
    with played.copy() as con:
        found = {
            (system, vendor_id): str(person) for system, vendor_id, person in
            con.execute("SELECT system, vendor_id, person_id FROM reconcile.person_matches").fetchall()
        }
    gone = scene.chronicle.is_gone("customers")
    living = {name: [one for one in records if one not in gone] for name, records in scene.persons().items()}
    unknown = strangers(living, found, scene.bad_records)
    return {row["correction_key"] for row in night.rows
            if row["entity"] == "customers" and (row["system"], row["vendor_id"]) in unknown}
