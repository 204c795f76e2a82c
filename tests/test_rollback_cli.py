"""`trueup rollback`, `stop` and `go` as people meet them: what they show, what they leave behind, how they refuse."""

import json
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from pipelines.errors import DataError
from pipelines.kill_switch import Stop, go, is_set, read_stop, stop
from pipelines.ledger.export import swap_snapshot
from resources.settings import Settings
from resources.warehouse import open_warehouse
from tests.plan.world import insert, policy
from tests.test_cli import AT, ESTATE, trueup

REASON = ("--reason", "the wrong list", "--author", "amelie")
BASE = {
    "plan_id": "n1-main", "estate": "small", "system": "square", "vendor_sub_id": "", "subject_id": "p1",
    "subject_sub_id": "", "has_base": True, "drift_class": "elsewhere", "authority": "hubspot", "reason": "x",
    "rule": "survivorship", "risk": "low", "disposition": "approve", "disposition_reason": "by policy",
    "is_releasable": False, "is_new": True,
}
PRICE = BASE | {"entity": "prices", "field": "amount", "vendor_sub_id": "base", "currency": "EUR", "subject_id": "i1"}
WRITTEN = [
    PRICE | {"correction_key": "price" + "0" * 59, "vendor_id": "V1", "observed": "900", "desired": "1000"},
    PRICE | {"correction_key": "moved" + "0" * 59, "vendor_id": "V2", "observed": "900", "desired": "1000"},
    PRICE | {"correction_key": "jump" + "0" * 60, "vendor_id": "V3", "observed": "500", "desired": "1000"},
    PRICE | {"correction_key": "shown" + "0" * 59, "system": "hubspot", "vendor_id": "H9", "observed": "9",
             "desired": "8"},
    BASE | {"correction_key": "name" + "0" * 60, "entity": "customers", "field": "last_name", "vendor_id": "C1",
            "observed": "Roux", "desired": "Petit"},
    BASE | {"correction_key": "out" + "0" * 61, "entity": "consents", "field": "state", "vendor_id": "C1",
            "vendor_sub_id": "news", "drift_class": "lower", "observed": "yes", "desired": "no"},
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose last night wrote three prices, a name and a no; one of the prices has been changed since."""
    folder = tmp_path_factory.mktemp("rollback")
    (folder / "estate.toml").write_text(ESTATE)
    settings = Settings.read({"TRUEUP_HOME": str(folder), "TRUEUP_CONTACT_KEY": "k"})
    with open_warehouse(settings.warehouse, contact_key=b"k") as con:
        policy(con)
        con.execute("UPDATE policy.targets SET mode = 'observe' WHERE system = 'hubspot'")
        con.execute("UPDATE estate.night SET as_of = ?", [AT])
        con.execute(
            "INSERT INTO ledger.sync.plans VALUES ('n1-main', 'n1', 'main', 'small', ?, ?, ?, 'f', 6, '{}')", [AT] * 3
        )
        insert(con, "ledger.sync.nights", [{
            "night_id": "n1", "estate": "small", "kind": "nightly", "as_of": AT, "started_at": AT, "finished_at": AT,
            "status": "complete"}])
        insert(con, "ledger.sync.corrections", WRITTEN)
        insert(con, "ledger.sync.outcomes", [
            {"plan_id": "n1-main", "correction_key": row["correction_key"], "status": "applied", "code": "",
             "message": "", "request_id": "", "at": AT} for row in WRITTEN
        ])
        insert(con, "ledger.sync.verifications", [  # the trees are those of before the push
            {"plan_id": "n1-main", "correction_key": row["correction_key"], "status": "confirmed", "at": AT}
            for row in WRITTEN if not row["correction_key"].startswith("moved")
        ])
        price = {"vendor_price_list": "base", "item_id": "i1", "price_list_id": "eur", "currency": "EUR"}
        insert(con, "observed.prices", [
            price | {"system": "square", "vendor_id": "V1", "amount": 900},
            price | {"system": "square", "vendor_id": "V2", "amount": 1090},
            price | {"system": "square", "vendor_id": "V3", "amount": 500},
            price | {"system": "hubspot", "vendor_id": "H9", "amount": 9},
        ])
        insert(con, "observed.customers", [
            {"system": "square", "vendor_id": "C1", "person_id": "p1", "last_name": "Roux"}])
        swap_snapshot(con, settings.snapshot)
    return folder


@pytest.fixture
def inbox(home: Path) -> Iterator[Path]:
    yield home / "inbox"
    for path in (home / "inbox").glob("*.json"):
        path.unlink()
    (home / "STOP").unlink(missing_ok=True)


@pytest.fixture
def launched(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The runs that commands start, which are not run."""
    found: list[Any] = []

    def run_job(settings: Settings, console: Any, job: str, asked: Any, *, as_json: bool) -> int:
        found.append((job, dict(asked), len(list(settings.inbox.glob("*.json")))))
        return 4

    monkeypatch.setattr("cli.night.run_job", run_job)
    for name, value in {"HOME": home, "ESTATE": home / "estate.toml", "CONTACT_KEY": "k"}.items():
        monkeypatch.setenv(f"TRUEUP_{name}", str(value))
    return found


@pytest.mark.process
def test_it_shows_what_goes_back_what_is_left_and_what_is_kept_and_does_nothing(home, inbox):
    done = trueup(home, "rollback", "n1", *REASON)
    assert "dagster" not in done.stderr and "great_expectations" not in done.stderr
    for expected in (
        "Plan n1-main", "Written back", "square prices.amount V1 at base", "9.00 EUR",
        "Somebody has changed it in square", "An opt-out stays", "hubspot prices are only observed",
        "move by more than 30 %", "Nothing was done; --yes",
        "2 values to write back, 1 changed since, 3 kept by a rule, 0 as before already",
    ):
        assert expected in " ".join(done.stdout.split())
    assert "Roux" not in done.stdout and "R•••" in done.stdout, "values are masked"
    assert not list(inbox.glob("*.json"))


@pytest.mark.process
def test_left_to_the_next_night_the_order_lies_in_the_inbox(home, inbox):
    words = ("--system", "square", "--entity", "prices", "--field", "amount", "--key", "V1")
    done = trueup(home, "rollback", "n1-main", *REASON, *words, "--yes", "--later", "--json")
    found = json.loads(done.stdout)
    assert [row["correction_key"][:5] for row in found["restored"]] == ["price"] and found["is_dropped"]
    assert (found["left"], found["kept"]) == ([], [])
    (dropped,) = [json.loads(json.loads(path.read_text())["payload"]) for path in inbox.glob("*.json")]
    assert dropped == {
        "word": "rollback", "plan_id": "n1-main", "author": "amelie", "reason": "the wrong list", "at": dropped["at"],
        "systems": ["square"], "entities": ["prices"], "fields": ["amount"], "keys": ["V1"],
    }


def test_done_now_it_is_a_run_that_does_nothing_else_and_ends_with_its_exit_code(inbox, launched):
    done = CliRunner().invoke(app, ["rollback", "n1", *REASON, "--yes"])
    assert (done.exit_code, launched) == (4, [("sync_now", {"kind": "sync_now", "rollback_of": "n1-main"}, 1)])
    assert "next night" not in done.output


def test_while_trueup_is_stopped_nothing_is_ordered_unless_for_later(home, inbox, launched):
    assert CliRunner().invoke(app, ["stop", *REASON]).exit_code == 0
    done = CliRunner().invoke(app, ["rollback", "n1", *REASON, "--yes"])
    assert done.exit_code == 2 and "trueup is stopped by amelie" in done.output and "`trueup go`" in done.output
    assert launched == [] and not list(inbox.glob("*.json"))
    assert CliRunner().invoke(app, ["rollback", "n1", *REASON, "--yes", "--later"]).exit_code == 0
    assert launched == [] and len(list(inbox.glob("*.json"))) == 1
    written = CliRunner().invoke(app, ["conformance", "square", "--write"])
    assert written.exit_code == 2 and "nothing is tried by writing" in written.output


@pytest.mark.process
@pytest.mark.parametrize(("words", "told"), [
    (["n2", *REASON], "no plan and no night goes by this"),
    (["n1", "--reason", " "], "a rollback needs its author and a reason"),
    (["n1", *REASON, "--key", "V9"], "this plan wrote nothing that the order names"),
    (["n1", *REASON, "--entity", "price"], "allowed:"),
    (["n1"], "--reason"),
])
def test_what_undoes_nothing_is_refused_with_one_sentence(home, inbox, words, told):
    done = trueup(home, "rollback", *words, "--yes", "--later", check=False)
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr
    assert not list(inbox.glob("*.json"))


@pytest.mark.process
def test_stop_and_go_are_a_file_that_status_tells_of(home, inbox):
    done = trueup(home, "stop", *REASON)
    assert "imports []" in done.stderr and "trueup is stopped by amelie since " in done.stdout
    assert (home / "STOP").stat().st_mode & 0o077 == 0
    again = trueup(home, "stop", "--reason", "another", "--author", "ben", "--json")
    assert json.loads(again.stdout)["stopped"]["by"] == "amelie", "the first word is kept"
    assert "trueup is stopped by amelie" in trueup(home, "status").stdout
    told = json.loads(trueup(home, "status", "--json").stdout)["stopped"]
    assert (told["by"], told["reason"]) == ("amelie", "the wrong list")
    assert json.loads(trueup(home, "go", "--json").stdout)["was_stopped"]["by"] == "amelie"
    assert not (home / "STOP").exists()
    assert "was not stopped" in trueup(home, "go").stdout
    assert json.loads(trueup(home, "status", "--json").stdout)["stopped"] is None


@pytest.mark.parametrize(("content", "told"), [
    (b"", "trueup is stopped"), (b"\n", "trueup is stopped"), (b"{}", "trueup is stopped"),
    (b"call Ana first\nplease", "trueup is stopped (call Ana first)"), (b"[1]", "trueup is stopped ([1])"),
    (b"\xff\xfe", "trueup is stopped (\ufffd\ufffd)"),
    (b'{"author": "Ana", "reason": "x", "at": "2026-06-16T00:00:00Z"}',
     "trueup is stopped by Ana since 2026-06-16 00:00+00:00 (x)"),
], ids=str)
def test_whatever_the_file_says_it_stops(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "STOP"
    path.write_bytes(content)
    assert is_set(path) and str(read_stop(path)) == told
    assert str(go(path)) == told and not is_set(path) and read_stop(path) is None and go(path) is None


def test_a_folder_a_link_into_nowhere_and_what_cannot_be_asked_stop_too(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    for name in ("folder", "link", "file/STOP"):
        assert is_set(tmp_path / name)
        assert str(read_stop(tmp_path / name)) == "trueup is stopped (the file cannot be read)"
    with pytest.raises(Exception, match="cannot be taken away"):
        go(tmp_path / "folder")
    assert go(tmp_path / "link") is not None and not is_set(tmp_path / "link")


def test_a_stop_has_its_author_and_reason(tmp_path: Path) -> None:
    for said in (Stop("", "why", AT.astimezone(UTC)), Stop("Ana", " ", AT)):
        with pytest.raises(DataError, match="its author and a reason"):
            stop(tmp_path / "STOP", said)
    assert not is_set(tmp_path / "STOP")
