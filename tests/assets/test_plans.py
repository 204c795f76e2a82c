"""The jobs that take up a stored plan: which plan that is, what they push of it, and whose report they renew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import dagster as dg
import pytest

from assets.catalogue import specs
from pipelines.errors import ConfigurationError
from resources.steps import STEPS
from resources.tonight import Tonight
from resources.workplace import Workplace
from tests.assets.conftest import QUIET, defs_over, run, told
from tests.nights.harness import PlayedEstate

Copy = Callable[[PlayedEstate], PlayedEstate]
Told = dict[str, dict[str, Any]]

pytestmark = pytest.mark.night


def _ran(played: PlayedEstate, job: str, **asked: Any) -> tuple[Told, dg.ExecuteInProcessResult]:
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(played, job, instance, **asked)
        assert result.success
        words = [entry.user_message for entry in instance.all_logs(result.run_id) if entry.level == 30]
    return told(result) | {"words": {"warnings": words}}, result


@pytest.fixture(scope="module")
def held(begun: PlayedEstate, tmp_path_factory: pytest.TempPathFactory) -> PlayedEstate:
    """A day and its night later, with a row that waits for a person; then another day, and a dry run on top."""
    played = begun.copied(tmp_path_factory.mktemp("plans") / "held")
    for kind, is_dry in (("nightly", False), ("sync_now", True)):
        played.day()
        played.night(kind, dry_run=is_dry)
    return played


def _plans(played: PlayedEstate) -> list[tuple[str, str, str]]:
    """(plan, its night, that night's status) of the main lane, oldest first."""
    with played.copy() as con:
        return con.execute(
            "SELECT p.plan_id, p.night_id, n.status FROM sync.plans AS p JOIN sync.nights AS n USING (night_id) "
            "WHERE p.lane = 'main' ORDER BY p.created_at"
        ).fetchall()


def _waiting(played: PlayedEstate, plan_id: str) -> list[dict[str, Any]]:
    with played.copy() as con:
        rows = con.execute(
            "SELECT correction_key, vendor_id, entity FROM sync.corrections "
            "WHERE plan_id = ? AND disposition = 'hold' AND is_releasable ORDER BY correction_key", [plan_id],
        ).fetchall()
    return [dict(zip(("correction_key", "vendor_id", "entity"), row, strict=True)) for row in rows]


def test_a_dry_runs_plan_is_never_pushed_unasked(held: PlayedEstate, copy: Copy) -> None:
    played = copy(held)
    (*_, (plan_id, night_id, status), (dry, _, dry_status)) = _plans(played)
    assert (status, dry_status) == ("complete", "planned")
    seen = len(played.effects())
    found, _ = _ran(played, "approve_plan", kind="sync_now")
    approvals = found["sync/approvals"]
    assert (approvals["plan_id"], approvals["plan_of_night"]) == (plan_id, night_id)
    assert (approvals["by_policy"], approvals["by_person"]) == (0, 0)
    assert approvals["warning"].startswith("0 rows approved: of the ") and plan_id in approvals["warning"]
    assert approvals["warning"] in found["words"]["warnings"]
    assert approvals["waiting"] == len(_waiting(played, plan_id)) > 0
    assert len(played.effects()) == seen
    with played.copy() as con:
        assert con.execute("SELECT count(*) FROM sync.approvals WHERE plan_id = ?", [dry]).fetchone() == (0,)


def test_an_answered_row_is_pushed_and_its_own_nights_report_renewed(held: PlayedEstate, copy: Copy) -> None:
    played = copy(held)
    (*_, (plan_id, night_id, _), _) = _plans(played)
    row = _waiting(played, plan_id)[0]
    played.answer(row, "approve")
    report = played.settings.reports / night_id / "report.html"
    report.write_text("as it was before")
    found, _ = _ran(played, "approve_plan", kind="sync_now")
    assert found["sync/approvals"]["by_person"] == 1
    assert "warning" not in found["sync/approvals"]
    with played.copy() as con:
        approved = con.execute(
            "SELECT correction_key FROM sync.approvals WHERE plan_id = ? AND approver = 'Ana'", [plan_id]
        )
        assert approved.fetchall() == [(row["correction_key"],)]
        ended = con.execute(
            "SELECT count(*) FROM sync.outcomes WHERE plan_id = ? AND correction_key = ?",
            [plan_id, row["correction_key"]],
        ).fetchone()
    assert ended is not None and ended[0] > 0, "the row had its turn, written or told why not"
    night = found["sync/nights"]
    assert night["night_id"] == night_id
    assert Path(night["report"]) == report.resolve()
    assert night["report_link"] == report.resolve().as_uri()
    assert night_id in report.read_text(encoding="utf-8")


def test_a_dry_runs_plan_that_is_named_is_approved_and_pushed(held: PlayedEstate, copy: Copy) -> None:
    played = copy(held)
    (*_, (dry, dry_night, _)) = _plans(played)
    seen = len(played.effects())
    found, _ = _ran(played, "approve_plan", kind="sync_now", plan_id=dry)
    assert found["sync/approvals"]["by_policy"] > 0
    assert found["sync/nights"]["night_id"] == dry_night
    assert len(played.effects()) > seen
    assert sum(n for name, n in found["sync/outcomes"].items() if name.endswith("/applied")) > 0
    assert found["sync/verifications"]["confirmed"] > 0


def test_a_plan_that_is_not_there_stops_with_its_name(begun: PlayedEstate, copy: Copy) -> None:
    played = copy(begun)
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(played, "approve_plan", instance, kind="sync_now", plan_id="2026-01-01.1-main")
    assert not result.success
    causes = [event.event_specific_data.error.cause.message for event in result.all_events if event.is_step_failure]
    assert any("there is no plan '2026-01-01.1-main'" in cause or "2026-01-01.1-main" in cause for cause in causes)


def test_what_was_written_and_not_confirmed_is_read_back(held: PlayedEstate, copy: Copy) -> None:
    played = copy(held)
    (*_, (plan_id, night_id, _), _) = _plans(played)
    with played.open() as place:
        gone = place.con.execute(
            "DELETE FROM ledger.sync.verifications WHERE plan_id = ? AND correction_key IN (SELECT correction_key "
            "FROM ledger.sync.verifications WHERE plan_id = ? ORDER BY correction_key LIMIT 1)", [plan_id, plan_id],
        ).fetchone()
        assert gone is not None and gone[0] > 0
        before = place.con.execute(
            "SELECT count(DISTINCT correction_key) FROM ledger.sync.verifications WHERE plan_id = ?", [plan_id]
        ).fetchone()
    seen = len(played.effects())
    found, result = _ran(played, "verify_plan", kind="sync_now")
    proofs = found["sync/verifications"]
    shown = sum(proofs[name] for name in ("confirmed", "overwritten", "settling", "unconfirmed"))
    assert before is not None and shown == before[0] + 1
    assert proofs["plan_id"] == plan_id
    assert found["sync/nights"]["night_id"] == night_id
    assert len(played.effects()) == seen, "it writes to no system"
    assert {event.step_key for event in result.all_events if event.step_key} == {"verify"}


@pytest.mark.parametrize("step", ["suppress", "reach", "plan"])
def test_tables_that_are_launched_by_themselves_plan_nothing_more_for_a_night_that_has_ended(
    begun: PlayedEstate, copy: Copy, step: str
) -> None:
    played = copy(begun)
    before, seen = _plans(played), len(played.effects())
    job = defs_over(played).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            run_config={"loggers": QUIET}, instance=instance, raise_on_error=False,
            asset_selection=[spec.key for spec in specs(step)],
        )
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "launch the job nightly or sync_now" in failure.step_failure_data.error_display_string
    assert (_plans(played), len(played.effects())) == (before, seen)


@pytest.mark.parametrize("step", [s for s in STEPS if s.__name__ not in ("extract", "approve", "push", "verify")])
def test_a_step_that_makes_a_night_needs_one_that_has_begun(step: Callable[..., object]) -> None:
    with pytest.raises(ConfigurationError, match="approve_plan and verify_plan"):
        step(Tonight(create_autospec(Workplace, instance=True)))
