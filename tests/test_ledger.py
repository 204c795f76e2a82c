"""The ledger's own life: migrations, the inbox of answers, the export and the snapshot, the lease."""

import os
import subprocess
import sys
from datetime import timedelta

import duckdb
import pytest

from pipelines import ledger
from pipelines.duck import connect
from pipelines.errors import ConfigurationError, DataError, LeaseHeld
from pipelines.ledger.export import export_ledger, swap_snapshot
from pipelines.ledger.inbox import Answer, drop, import_answers, refusals
from pipelines.ledger.lease import acquire
from pipelines.ledger.partings import Parting, Record, Rejoining
from pipelines.plan import build_plan
from tests.arming import approvers, signer
from tests.plan.world import AS_OF, VirtualClock, consent, drift, insert, plan_rows, policy


def attached(path):
    con = connect()
    con.execute(f"ATTACH '{path}' AS ledger")
    return con


def test_migrations_run_once_and_leave_nothing_in_the_log(tmp_path):
    path = tmp_path / "ledger.duckdb"
    con = attached(path)
    version = ledger.migrate(con)
    assert not (tmp_path / "ledger.duckdb.wal").exists()
    con.execute("INSERT INTO ledger.sync.cursors VALUES ('square', 'items', ?, NULL, 'n1')", [AS_OF])
    con.close()
    con = attached(path)
    assert ledger.migrate(con) == version == ledger.migrations()[-1][0]
    assert con.execute("SELECT count(*) FROM ledger.sync.cursors").fetchone() == (1,)
    con.close()


def test_a_newer_ledger_and_a_changed_migration_stop(con):
    con.execute("UPDATE ledger.main.migrations SET digest = 'x'")
    with pytest.raises(ConfigurationError, match="was changed after it had run"):
        ledger.migrate(con)
    con.execute("UPDATE ledger.main.migrations SET version = 999, name = '999_later.sql'")
    with pytest.raises(ConfigurationError, match="999_later"):
        ledger.migrate(con)


def test_a_broken_migration_leaves_nothing_behind(tmp_path, monkeypatch):
    bad = tmp_path / "900_bad.sql"
    bad.write_text("CREATE TABLE ledger.sync.half (a INTEGER); CREATE TABLE nowhere.at.all (a INTEGER);")
    con = attached(tmp_path / "ledger.duckdb")
    ledger.migrate(con)
    known = ledger.migrations()
    monkeypatch.setattr(ledger, "migrations", lambda: [*known, (900, bad)])
    with pytest.raises(duckdb.Error):
        ledger.migrate(con)
    assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'half'").fetchone() == (0,)
    con.close()


# -- inbox -------------------------------------------------------------------------------------------------


@pytest.fixture
def planned(con):
    policy(con)
    insert(con, "reconcile.drift", [drift(drift_class="both"), drift(vendor_id="v2", desired="0")])
    insert(con, "reconcile.consent_drift", [consent()])
    clock = VirtualClock()
    rows = plan_rows(con, build_plan(con, lane="suppression", clock=clock))
    return con, [*plan_rows(con, build_plan(con, lane="main", clock=clock)), *rows]


def answer(row, kind="approve", **rest):
    return Answer(**{"correction_key": row["correction_key"], "answer": kind, "author": "Ana", "reason": "I know",
                     "at": AS_OF} | rest)


def taken(con, folder):
    return import_answers(con, folder, approvers=approvers("maison"), clock=VirtualClock())


def test_answers_go_from_a_file_into_the_ledger_once(planned, tmp_path):
    con, rows = planned
    path = drop(tmp_path / "inbox", answer(rows[0], "pin", until=AS_OF + timedelta(days=3)), signer("maison"))
    assert path.stat().st_mode & 0o077 == 0
    assert taken(con, tmp_path / "inbox").taken == 1
    drop(tmp_path / "inbox", answer(rows[0], "pin", until=AS_OF + timedelta(days=3)), signer("maison"))
    assert taken(con, tmp_path / "inbox").taken == 1
    assert taken(con, tmp_path / "inbox").taken == 0
    assert con.execute("SELECT answer, author, until FROM ledger.sync.answers").fetchall() == [
        ("pin", "Ana", AS_OF + timedelta(days=3))
    ]


@pytest.mark.parametrize("change", [
    {"author": " "}, {"reason": ""}, {"answer": "pin"}, {"answer": "pin", "until": AS_OF - timedelta(days=1)},
    {"at": AS_OF.replace(tzinfo=None)},
])
def test_an_answer_that_says_too_little_is_not_dropped(planned, tmp_path, change):
    _, rows = planned
    with pytest.raises(DataError):
        drop(tmp_path, answer(rows[0], **{"kind": change.pop("answer", "approve"), **change}), signer("maison"))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_put_aside_with_its_reason(planned, tmp_path):
    con, rows = planned
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text('{"correction_key": "x", "answer": "maybe"}')
    drop(tmp_path, answer({"correction_key": "nobody"}), signer("maison"))
    refused, opt_out = rows[1], rows[2]
    drop(tmp_path, answer(refused), signer("maison"))
    drop(tmp_path, answer(opt_out, "reject"), signer("maison"))
    found = taken(con, tmp_path)
    assert (found.taken, len(found.refused)) == (0, 5)
    assert {"a.json", "b.json"} < {name for name, _ in found.refused}
    assert len(list((tmp_path / "refused").glob("*.json"))) == 5
    told = refusals(tmp_path)
    assert len(told) == 5
    assert any("a guard or the policy refuses this correction" in reason for reason in told.values())
    assert any("an opt-out needs no answer" in reason for reason in told.values())
    assert con.execute("SELECT count(*) FROM ledger.sync.answers").fetchone() == (0,)


PARTED = {"taken": (Record("square", "a"),), "kept": (Record("hubspot", "h"),), "author": "Ana", "reason": "twins"}


def test_words_on_who_is_one_person_go_from_a_file_into_the_ledger_once(con, tmp_path):
    bound = {"person_id": "p1", "rule": "email", "bound_at": AS_OF, "night_id": "n"}
    insert(con, "ledger.identity.persons", [
        {"system": "square", "vendor_id": "a"} | bound, {"system": "hubspot", "vendor_id": "h"} | bound,
    ])
    word = Parting(**PARTED, at=AS_OF)
    stranger = Parting(**PARTED | {"taken": (Record("square", "nobody"),)}, at=AS_OF)
    for _ in range(2):
        assert drop(tmp_path, word, signer("maison")).stat().st_mode & 0o077 == 0
        assert taken(con, tmp_path).taken == 1
    drop(tmp_path, stranger, signer("maison"))
    (tmp_path / "x.json").write_text('{"word": "marry"}')
    assert len(taken(con, tmp_path).refused) == 2
    assert any("no night has seen a customer by this record" in reason for reason in refusals(tmp_path).values())
    said = "SELECT taken_id, kept_id, author, reason, together_since, last_plan_at FROM ledger.identity.apart"
    assert con.execute(said).fetchall() == [("a", "h", "Ana", "twins", AS_OF, None)]
    for _ in range(2):
        drop(tmp_path, Rejoining(parting_ids=(word.word_id,), author="Ana", reason="one", at=AS_OF), signer("maison"))
        assert taken(con, tmp_path).taken == 1
    assert con.execute("SELECT author FROM ledger.identity.apart_undone").fetchall() == [("Ana",)]


@pytest.mark.parametrize("change", [
    {"author": " "}, {"reason": ""}, {"kept": ()}, {"taken": ()}, {"kept": PARTED["taken"]},
    {"at": AS_OF.replace(tzinfo=None)},
])
def test_a_word_that_says_too_little_is_not_dropped(tmp_path, change):
    with pytest.raises(DataError):
        drop(tmp_path, Parting(**PARTED | {"at": AS_OF} | change), signer("maison"))
    assert list(tmp_path.iterdir()) == []


# -- export and snapshot -----------------------------------------------------------------------------------


def test_the_export_holds_every_table_and_replaces_the_last(planned, tmp_path):
    con, rows = planned
    folder = tmp_path / "it's here"
    export_ledger(con, folder)
    (folder / "stray").touch()
    export_ledger(con, folder)
    names = {f"{path.parent.name}.{path.stem}" for path in folder.rglob("*.parquet")}
    tables = con.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'ledger'")
    assert names == {row[0] for row in tables.fetchall()}
    assert not (folder / "stray").exists()
    target = str(folder / "sync" / "corrections.parquet")
    assert con.execute("SELECT count(*) FROM read_parquet(?)", [target]).fetchone() == (len(rows),)


def test_the_snapshot_is_swapped_whole_and_readable_while_the_writer_works(planned, tmp_path):
    con, rows = planned
    path = swap_snapshot(con, tmp_path / "snapshot.duckdb")
    reader = connect()
    reader.execute(f"ATTACH '{path}' AS ledger (READ_ONLY)")
    insert(con, "golden.items", [{"item_id": "i1"}])
    assert reader.execute("SELECT count(*) FROM ledger.sync.corrections").fetchone() == (len(rows),)
    assert reader.execute("SELECT count(*) FROM ledger.plan.corrections").fetchone() == (len(rows),)
    swap_snapshot(con, path)
    assert reader.execute("SELECT count(*) FROM ledger.golden.items").fetchone() == (0,)
    reader.close()
    reader = connect(str(path), access_mode="read_only")
    assert reader.execute("SELECT count(*) FROM golden.items").fetchone() == (1,)
    reader.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["snapshot.duckdb"]
    assert path.stat().st_mode & 0o077 == 0


# -- lease -------------------------------------------------------------------------------------------------


def test_one_holder_at_a_time_and_the_loser_is_told_who(tmp_path):
    clock = VirtualClock()
    with acquire(tmp_path / "lease", holder="the nightly run", clock=clock) as first:
        with pytest.raises(LeaseHeld, match="the nightly run"):
            acquire(tmp_path / "lease", holder="another", clock=clock)
        first.check()
    second = acquire(tmp_path / "lease", holder="another", clock=clock)
    assert second.token == first.token + 1
    with pytest.raises(LeaseHeld, match="another"):
        first.check()


def test_a_holder_that_slept_past_its_time_finds_another(tmp_path):
    clock = VirtualClock()
    sleeper = acquire(tmp_path / "lease", holder="sleeper", clock=clock)
    clock.at += timedelta(minutes=16)
    heir = acquire(tmp_path / "lease", holder="heir", clock=clock)
    with pytest.raises(LeaseHeld, match="heir"):
        sleeper.check()
    sleeper.release()
    heir.check()


def test_checks_keep_a_lease_alive(tmp_path):
    clock = VirtualClock()
    lease = acquire(tmp_path / "lease", holder="worker", clock=clock)
    for _ in range(10):
        clock.at += timedelta(minutes=6)
        lease.check()
    with pytest.raises(LeaseHeld):
        acquire(tmp_path / "lease", holder="other", clock=clock)


def test_a_dead_process_holds_nothing(tmp_path):
    code = (
        "from pathlib import Path\nfrom tests.plan.world import VirtualClock\n"
        "from pipelines.ledger.lease import acquire\n"
        "acquire(Path(__import__('sys').argv[1]), holder='ghost', clock=VirtualClock())\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "lease")], check=True, cwd=ledger.__path__[0] + "/../..")
    assert acquire(tmp_path / "lease", holder="me", clock=VirtualClock()).token == 2


def test_a_living_process_is_believed(tmp_path):
    lease = acquire(tmp_path / "lease", holder="me", clock=VirtualClock())
    assert str(os.getpid()) in (tmp_path / "lease").read_text()
    (tmp_path / "lease").unlink()
    with pytest.raises(LeaseHeld, match="gone"):
        lease.check()
