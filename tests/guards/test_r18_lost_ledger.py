"""R18: with a ledger that was lost, or is an older copy, nothing but opt-outs is written until a person mends it."""

import json
import shutil
from collections.abc import Iterator

import pytest

import resources.closing
from pipelines.check import suites
from pipelines.duck import connect
from pipelines.errors import ConfigurationError
from pipelines.ledger.audit import faults
from pipelines.ledger.generation import FILE, age_fault, grow, of_file, of_ledger
from resources import steps
from resources.restoring import restore
from resources.tonight import Tonight
from sandbox.world.settings import DayRates, WorldSettings
from tests.conftest import played_once
from tests.nights.harness import PlayedEstate
from tests.nights.test_opt_outs import is_opt_out
from tests.plan.world import AS_OF, VirtualClock

SMALL = WorldSettings(seed=5, variants=40, persons=120, shops=2)
SOME_OPT_OUTS = DayRates(opt_outs=(0.0, 16))
LEDGER = "ledger.duckdb"


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Leaves out what decides nothing here. Not the package's of `tests.nights`: borrowed, that would never end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suites, "run_suites", lambda con, checks: [])
        patch.setattr(resources.closing, "write_report", lambda con, night_id, folder: folder / night_id)
        yield


def test_the_number_grows_in_both_and_an_older_ledger_is_told_with_the_cure(con, tmp_path):
    path, clock = tmp_path / FILE, VirtualClock()
    assert age_fault(con, path) == "", "a fresh home"
    assert [grow(con, path, reason="a night", clock=clock) for _ in range(3)] == [1, 2, 3]
    assert (of_ledger(con), of_file(path), age_fault(con, path)) == (3, 3, "")
    con.execute("DELETE FROM ledger.sync.generations WHERE generation = 3")
    assert "it has generation 2, generation.json says 3" in age_fault(con, path)
    con.execute("DELETE FROM ledger.sync.generations")
    assert "it is empty" in age_fault(con, path) and "`trueup restore`" in age_fault(con, path)
    assert grow(con, path, reason="a person's word", clock=clock) == 4
    path.unlink()
    assert age_fault(con, path) == "", "a death before the file was written leaves the ledger ahead"


@pytest.mark.parametrize("text", ["", "{}", '{"generation": "4"}', '{"generation": 4, "more": 1}'])
def test_a_file_that_says_nothing_stops_the_run(con, tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigurationError, match="does not say which generation"):
        age_fault(con, tmp_path / FILE)


@pytest.fixture(scope="session")
def moved_on(tmp_path_factory):
    """A home after its first night, a copy of its ledger, a second night, and another day: there is much to write."""

    def play(folder):
        played = PlayedEstate.made(folder, SMALL)
        assert played.night("adopt").status == "complete"
        warehouse = played.settings.warehouse
        shutil.copy(warehouse / LEDGER, folder / LEDGER)
        played.day(SOME_OPT_OUTS)
        assert played.night().status == "complete"
        played.day(SOME_OPT_OUTS)
        return played, of_file(warehouse / FILE)

    return played_once(tmp_path_factory, "moved on", play)


@pytest.fixture
def home(moved_on, tmp_path):
    played = moved_on[0].copied(tmp_path / "copy")
    yield played
    played.close()


def put_back(played):
    """Yesterday's ledger.duckdb."""
    shutil.copy(played.folder / LEDGER, played.settings.warehouse / LEDGER)
    (played.settings.warehouse / f"{LEDGER}.wal").unlink(missing_ok=True)


def tonight(played):
    """How many goods were written, how many permissions, the status."""
    night = played.night()
    lowered = [effect for effect in night.effects if is_opt_out(effect)]
    return len(night.effects) - len(lowered), len(lowered), night


def test_with_yesterdays_ledger_put_back_only_opt_outs_are_written_until_it_is_restored(home, moved_on):
    put_back(home)
    goods, lowered, night = tonight(home)
    assert goods == 0 and lowered > 0
    assert night.status == "partial"
    assert any("the ledger is older than what was written from here" in words for words in night.words)
    told = home.summary().facts.summary["too_old"]
    assert told["rows"] == len(night.chosen(lane="main", disposition="approve")) > 0
    assert "`trueup restore`" in told["reason"]
    assert of_file(home.settings.warehouse / FILE) == moved_on[1], "an older ledger does not grow past what it missed"

    found = restore(home.settings, clock=VirtualClock(home.store.now()))
    assert (found.generation, found.fault) == (moved_on[1], "")
    assert found.kept_as is not None and found.kept_as.exists()
    with home.open() as place:
        assert faults(place.con) == [], "the chain is whole, row by row"
    goods, _, night = tonight(home)
    assert goods > 0 and night.status == "complete"


def test_a_lost_ledger_writes_nothing_but_opt_outs_and_is_adopted_by_a_persons_word(home, moved_on):
    shutil.rmtree(home.settings.export)
    (home.settings.warehouse / LEDGER).unlink()
    with pytest.raises(ConfigurationError, match="there is no back-up"):
        restore(home.settings, clock=VirtualClock(home.store.now()))
    assert tonight(home)[0] == 0
    adopted = home.night("adopt")
    assert (adopted.status, [effect for effect in adopted.effects if not is_opt_out(effect)]) == ("complete", [])
    assert of_file(home.settings.warehouse / FILE) > moved_on[1]
    home.day(SOME_OPT_OUTS)
    goods, _, night = tonight(home)
    assert goods > 0 and night.status == "complete"


def test_of_a_stored_plan_in_an_older_ledger_only_the_opt_outs_go_out(home, moved_on):
    plan = home.night(dry_run=True)
    assert len(plan.chosen(lane="main", disposition="approve")) > 0
    (home.settings.warehouse / FILE).write_text(json.dumps({"generation": moved_on[1] + 100}))
    seen = max(effect["seq"] for effect in home.store.effects())
    with home.open() as place:
        run = Tonight(place, "sync_now", plan_id=f"{plan.night_id}-main")
        assert steps.approve(run) == (0, 0)
        steps.push(run)
    assert len(home.effects(seen)) > 0 and all(is_opt_out(effect) for effect in home.effects(seen))


def test_a_ledger_that_is_no_older_than_the_back_up_stays(home):
    with pytest.raises(ConfigurationError, match="it is no older, and nothing is restored"):
        restore(home.settings, clock=VirtualClock(home.store.now()))


def test_what_cannot_be_read_is_replaced_and_kept(home, moved_on):
    path = home.settings.warehouse / LEDGER
    path.write_bytes(b"no database" * 1000)
    found = restore(home.settings, clock=VirtualClock(AS_OF))
    assert found.generation == moved_on[1]
    assert found.kept_as is not None and found.kept_as.read_bytes().startswith(b"no database")
    with connect() as con:
        con.execute("ATTACH ? AS ledger (READ_ONLY)", [str(path)])
        assert of_ledger(con) == moved_on[1]
    path.write_bytes(b"nor is this" * 1000)
    again = restore(home.settings, clock=VirtualClock(AS_OF))
    assert again.kept_as is not None and again.kept_as.read_bytes().startswith(b"nor is this")
    assert found.kept_as.exists(), "what was kept before is not replaced"


@pytest.mark.parametrize("gone", ["sync/plans.parquet", "main/migrations.parquet"])
def test_a_back_up_that_is_not_whole_restores_nothing(home, gone):
    (home.settings.export / gone).unlink()
    path = home.settings.warehouse / LEDGER
    path.unlink()
    with pytest.raises(ConfigurationError, match=r"is not whole: sync\.plans|there is no back-up"):
        restore(home.settings, clock=VirtualClock(AS_OF))
    assert not path.exists()
