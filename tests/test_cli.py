"""The command line: every command says what it does, asking imports no Dagster, answers land in the inbox, and the
two commands of the README work on a small world with real processes."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook
from rich.console import Console
from typer.testing import CliRunner

from cli import answers, examine, night, questions
from cli.main import app
from cli.outside import World, free_port, served
from cli.summary import show, summarise
from pipelines.channels import CHANNELS
from pipelines.clock import Clock
from pipelines.errors import ConfigurationError, DataError
from pipelines.ledger.export import swap_snapshot
from pipelines.ledger.lease import acquire
from resources import embedded
from resources.clock import SystemClock
from resources.settings import Settings
from resources.warehouse import open_warehouse
from resources.workplace import check_settings

ROOT = Path(__file__).parents[1]
AT = datetime(2026, 6, 16, tzinfo=UTC)
KEYS = ("aaaaaa11" + "0" * 56, "aaaaaa22" + "0" * 56, *(f"dddddd{n}" + "0" * 56 for n in (44, 55, 66)))
ESTATE = """
[estate]
name = "small"
timezone = "Europe/Paris"
[systems.square]
base_url = "http://127.0.0.1:9"
shop_id = "s"
"""
SLOW = ("dagster", "dlt", "sqlalchemy", "splink", "great_expectations", "sqlglot")
"""What takes long to import, and no question or answer needs."""
COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """A command prepares its process by the environment; what runs after it here must not inherit that."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one night has left two held rows, one of them personal."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "estate.toml").write_text(ESTATE)
    settings = Settings.read({"TRUEUP_HOME": str(folder), "TRUEUP_CONTACT_KEY": "k"})
    with open_warehouse(settings.warehouse, contact_key=b"k") as con:
        con.execute(
            "INSERT INTO ledger.sync.nights VALUES ('2026-06-16.1', 'small', 'nightly', ?, ?, ?, 'complete', '{}', "
            "NULL)",
            [AT, AT, AT],
        )
        con.execute(
            "INSERT INTO ledger.sync.plans VALUES ('p', '2026-06-16.1', 'main', 'small', ?, ?, ?, 'f', 2, '{}')",
            [AT, AT, AT],
        )
        for key, entity, field, observed, disposition, why, approver in (
            (KEYS[0], "prices", "amount", "1299", "hold", "for a person", None),
            (KEYS[1], "customers", "last_name", "Canari", "hold", "for a person", None),
            (KEYS[2], "prices", "amount", "1500", "refuse", "The new price is zero.", None),
            (KEYS[3], "stock", "on_hand", "5", "approve", "by policy", "policy"),
            (KEYS[4], "stock", "on_hand", "6", "approve", "by policy", "policy"),
        ):
            con.execute(
                "INSERT INTO ledger.sync.corrections (plan_id, correction_key, estate, system, entity, field, "
                "vendor_id, vendor_sub_id, subject_id, subject_sub_id, currency, observed, has_base, desired, "
                "drift_class, authority, rule, reason, risk, disposition, disposition_reason, approver, "
                "is_releasable, held_since, is_new) "
                "VALUES ('p', ?, 'small', 'square', ?, ?, 'V1', '', 's1', '', 'EUR', ?, true, '1199', 'here', "
                "'shopify', 'source of truth', 'x', 'low', ?, ?, ?, true, ?, true)",
                [key, entity, field, observed, disposition, why, approver, AT],
            )
        con.execute(
            "INSERT INTO ledger.sync.reads (system, endpoint, entities, kind, is_complete, reason, row_count, "
            "page_count, started_at, finished_at, cursor_to, night_id) VALUES "
            "('square', 'orders', ['orders'], 'delta', true, '', 17, 1, ?, ?, ?, '2026-06-16.1')", [AT, AT, AT],
        )
        for key, status in ((KEYS[3], "skipped"), (KEYS[4], "applied")):
            con.execute(
                "INSERT INTO ledger.sync.outcomes VALUES ('p', ?, ?, '', 'the kill switch is set', '', NULL, ?, 'b', "
                "NULL, NULL)",
                [key, status, AT],
            )
        con.execute(
            "INSERT INTO ledger.sync.approvals VALUES ('p', ?, 'amelie', 'seen', ?, ?, 'f', NULL, NULL)",
            [KEYS[0], AT, AT],
        )
        con.execute("INSERT INTO quarantine.square VALUES ('items', 'V9', '', 'sku', 'blank', 'blank', NULL)")
        con.execute(
            "INSERT INTO reconcile.worklist VALUES "
            "('assortment', 'square', NULL, 's1', 'ROBE1', 'missing', 'create', '{\"sku\": \"ROBE1\"}', 'x')"
        )
        con.execute("INSERT INTO estate.systems VALUES ('square', 's', 'Europe/Paris')")
        con.execute(
            "INSERT INTO ledger.identity.items VALUES ('square', 'V1', 's1', 'ROBE1', NULL, 'sku', ?, 'n')", [AT]
        )
        swap_snapshot(con, settings.snapshot)
    return folder


@pytest.fixture
def settings(home: Path) -> Iterator[Settings]:
    made = Settings.read(
        {"TRUEUP_HOME": str(home), "TRUEUP_ESTATE": str(home / "estate.toml"), "TRUEUP_CONTACT_KEY": "k"}
    )
    yield made
    for path in made.inbox.glob("*.json"):
        path.unlink()


def trueup(home: Path, *words: str, check: bool = True, **more: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ, "TRUEUP_HOME": str(home), "TRUEUP_ESTATE": str(home / "estate.toml"), "TRUEUP_CONTACT_KEY": "k",
        **more,
    }
    code = (
        "import sys\nfrom cli.main import app\n"
        "try:\n    app()\nexcept SystemExit as left:\n    code = left.code\n"
        f"print('imports', [n for n in {SLOW!r} if n in sys.modules], file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str) -> None:
    name = command.replace("_", "-")
    told = CliRunner().invoke(app, [name, "--help"])
    assert told.exit_code == 0
    assert len(told.output.splitlines()) > 3
    registered = next(c for c in app.registered_commands if (c.name or c.callback.__name__) == command)
    assert registered.callback.__doc__


@pytest.mark.process
@pytest.mark.parametrize("words", [("status", "--json"), ("why", "ROBE1", "--json"), ("worklist", "--json")])
def test_asking_imports_nothing_that_is_slow(home: Path, words: tuple[str, ...]) -> None:
    done = trueup(home, *words)
    assert "imports []" in done.stderr
    assert json.loads(done.stdout)


@pytest.mark.process
def test_the_work_list_is_shown_and_written(home: Path, tmp_path: Path) -> None:
    assert "create" in trueup(home, "worklist").stdout
    (row,) = json.loads(trueup(home, "worklist", "--json").stdout)
    assert row["entered"] == {"sku": "ROBE1"}
    told = trueup(home, "worklist", "--export", str(tmp_path / "w.csv"))
    assert "1 rows written" in told.stderr and "ROBE1" in (tmp_path / "w.csv").read_text(encoding="utf-8")
    refused = trueup(home, "worklist", "--export", str(tmp_path / "w.pdf"), check=False)
    assert refused.returncode == 2 and ".csv or .jsonl" in refused.stderr


@pytest.mark.process
@pytest.mark.parametrize(
    "words", [("status",), ("doctor",), ("approve",), ("reject",), ("accept-theirs",), ("pin", "--until", "2099-01-31")]
)
def test_answering_imports_nothing_that_is_slow(home: Path, settings: Settings, words: tuple[str, ...]) -> None:
    rest = () if words[0] in ("status", "doctor") else ("aaaaaa11", "--reason", "seen")
    done = trueup(home, *words, *rest, check=False)
    assert "imports []" in done.stderr, done.stderr[-2000:]
    assert done.returncode == (1 if words[0] == "doctor" else 0), "nobody listens where the estate says"


@pytest.mark.process
def test_a_sandbox_that_is_not_up_is_told_and_not_started(home: Path, tmp_path: Path) -> None:
    done = trueup(home, "doctor", "--json", check=False, TRUEUP_HOME=str(tmp_path), TRUEUP_ESTATE="")
    (found,) = json.loads(done.stdout)
    assert (done.returncode, found["system"], found["level"]) == (1, "sandbox", "failure")
    assert "make ui" in found["cure"]
    assert not (tmp_path / "sandbox").exists()


def test_a_system_without_its_token_is_a_finding_and_the_others_are_examined(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    estate = home / "two.toml"
    estate.write_text(ESTATE + '[systems.shopify]\nbase_url = "http://127.0.0.1:9"\nshop_id = "s"\n')
    monkeypatch.setenv("TRUEUP_HOME", str(home))
    monkeypatch.setenv("TRUEUP_ESTATE", str(estate))
    made = Settings.read({
        "TRUEUP_HOME": str(home), "TRUEUP_ESTATE": str(estate), "TRUEUP_SQUARE_TOKEN": "t", "TRUEUP_CONTACT_KEY": "k"
    })
    assert examine.doctor(made, as_json=True) == 1
    found = {row["system"]: row["detail"] for row in json.loads(capsys.readouterr().out)}
    assert "TRUEUP_SHOPIFY_TOKEN is not set" in found["shopify"]
    assert found["square"].startswith("no answer")


def test_doctor_refuses_what_would_stop_the_night(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estate = home / "nobody_counts.toml"
    estate.write_text(ESTATE + '[systems.hubspot]\nbase_url = "http://127.0.0.1:9"\nshop_id = "1"\n'
                      '[locations.paris]\nauthority = "hubspot"\nvendor_ids = { square = "L1", hubspot = "L1" }\n')
    monkeypatch.setenv("TRUEUP_ESTATE", str(estate))
    made = Settings.read({"TRUEUP_HOME": str(home), "TRUEUP_ESTATE": str(estate), "TRUEUP_CONTACT_KEY": "k"})
    with pytest.raises(ConfigurationError, match="hubspot is not read for stock"):
        examine.doctor(made, as_json=True)


@pytest.mark.process
@pytest.mark.parametrize(("words", "told"), [
    (("approve", "dddddd44", "--reason", "x"), "a guard or the policy refuses this correction (The"),
    (("why", "ROBE1", "colour"), "there is no field 'colour'; allowed: items, prices, stock"),
    (("why", "ROBE1", "amout"), 'there is no field \'amout\'; did you mean "amount"?'),
    (("why", "ROBE1", "prices", "squar"), 'there is no system \'squar\'; did you mean "square"?; allowed: square'),
    (("plan", "--last", "--export", "plan.csv"), "plan.csv: a plan is not written as .csv; allowed: .xlsx"),
    (("day",), "only the sandbox's world lives by command"),
])
def test_what_cannot_be_done_is_told_in_a_sentence(home: Path, words: tuple[str, ...], told: str) -> None:
    done = trueup(home, *words, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not list((home / "inbox").glob("*.json"))


@pytest.mark.process
def test_a_day_before_the_first_night_is_refused(tmp_path: Path, home: Path) -> None:
    done = trueup(home, "day", check=False, TRUEUP_HOME=str(tmp_path), TRUEUP_ESTATE="")
    assert done.returncode == 2
    assert "run `trueup sync`" in done.stderr


@pytest.mark.process
@pytest.mark.parametrize(("name", "value", "told"), [
    ("VARIANTS", "abc", "VARIANTS is 'abc'; allowed: a whole number"),
    ("VARIANTS", "5", "variants must lie between 20 and 1000000, not 5"),
])
def test_a_size_that_cannot_be_is_told_in_a_sentence(
    tmp_path: Path, home: Path, name: str, value: str, told: str
) -> None:
    done = trueup(home, "sync", "--json", check=False, TRUEUP_HOME=str(tmp_path), TRUEUP_ESTATE="", **{name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.process
def test_another_seed_than_the_worlds_stops(tmp_path: Path) -> None:
    def world(seed: str) -> World:
        return World(tmp_path, ("--seed", seed, "--variants", "30", "--persons", "30", "--shops", "2"))

    world("11").create()
    world("11").create()
    with pytest.raises(ConfigurationError, match="this world has seed 11, not 12. `make clean`"):
        world("12").create()


@pytest.mark.process
def test_a_sandbox_is_served_until_its_last_user_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second command uses the first one's; the first may be done sooner, and waits."""
    monkeypatch.setattr("os.environ", dict(os.environ))
    made = Settings.read({
        "TRUEUP_HOME": str(tmp_path), "SEED": "3", "VARIANTS": "30", "PERSONS": "30", "SHOPS": "2", "TRUEUP_ESTATE": ""
    })
    said: list[str] = []
    second_is_in, first_is_leaving = threading.Event(), threading.Event()
    answers: list[bool] = []

    def wait(words: str) -> None:
        said.append(words)
        first_is_leaving.set()

    def second(url: str) -> None:
        with served(made) as other:
            assert other == url
            second_is_in.set()
            first_is_leaving.wait(30)
            answers.append(httpx.get(f"{url}/_control/health", trust_env=False).status_code == 200)

    with served(made, wait) as url:
        user = threading.Thread(target=second, args=(url,))
        user.start()
        assert second_is_in.wait(30)
    user.join(30)
    assert answers == [True]
    assert said == ["another command uses this sandbox; it is served until that is done"]
    assert World.of(made).running() is None


@pytest.mark.process
def test_another_estates_sandbox_is_never_taken_for_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where it has the port that ours had, nor where it takes the one that was free a moment ago."""
    monkeypatch.setattr("os.environ", dict(os.environ))

    def estate(name: str) -> Settings:
        return Settings.read({
            "TRUEUP_HOME": str(tmp_path / name), "SEED": "3", "VARIANTS": "30", "PERSONS": "30", "SHOPS": "2",
            "TRUEUP_ESTATE": "",
        })

    ours = World.of(estate("ours"))
    ours.create()
    with served(estate("theirs")) as theirs:
        (ours.folder / "url").write_text(theirs, encoding="ascii")
        assert ours.running() is None
        assert not embedded.answers(theirs, ours.folder)
        assert embedded.answers(theirs, World.of(estate("theirs")).folder)
        taken = int(theirs.rpartition(":")[2])
        monkeypatch.setattr("cli.outside.free_port", lambda usual=(taken,): usual[0] if usual else free_port(()))
        with served(estate("ours")) as url:
            assert url != theirs
            assert ours.running() == url
            assert World.of(estate("theirs")).running() == theirs


def test_a_night_is_summed_up_with_orders_who_approved_and_why_not_written(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = settings.home / "plans" / "2026-06-16.1.jsonl"
    plan.parent.mkdir(exist_ok=True)
    plan.touch()
    told = summarise(settings, "2026-06-16.1", refused=["a guard refuses it", "a guard refuses it"])
    assert told.rows == {("square", "orders"): 17}
    assert told.approved[("square", "stock")] == (2, 0)
    assert told.approved[("square", "prices")] == (0, 1)
    causes = {(row["entity"], row["cause"]): row["row_count"] for row in told.remaining}
    assert causes[("stock", "push: skipped: the kill switch is set")] == 1
    assert not any(cause == "push: skipped" for _, cause in causes)
    show(told, Console(width=200))
    words = capsys.readouterr().out
    for expected in (
        "rows read", "by policy", "by person", "orders", "In quarantine", "sku: blank 1",
        "2 answers were not taken: a guard refuses it", "plans/2026-06-16.1.jsonl",
        "trueup plan --last --export plan.xlsx",
    ):
        assert expected in words
    assert {"quarantine", "refused_answers", "plan", "approved", "unwanted"} <= told.as_dict().keys()
    asked = {"system": "files", "entity": "prices", "field": "amount", "request": "a.csv", "row_count": 3}
    show(replace(told, facts=replace(told.facts, unwanted=[asked])), Console(width=200))
    assert "files: 3 values are not wanted any more, and may be imported: a.csv" in capsys.readouterr().out


def test_status_tells_quarantine_without_values_and_refused_answers(settings: Settings) -> None:
    folder = settings.inbox / "refused"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("a", "b"):
        (folder / f"{name}.json").write_text("{}")
        (folder / f"{name}.txt").write_text("a guard refuses this correction")
    try:
        found = questions.status(settings)
    finally:
        shutil.rmtree(folder)
    assert found["refused_answers"] == [{"answers": 2, "reason": "a guard refuses this correction"}]
    assert found["quarantine"] == [{
        "system": "square", "entity": "items", "vendor_id": "V9", "vendor_sub_id": "", "field": "sku",
        "reason": "blank", "value_class": "blank",
    }]


@pytest.mark.process
def test_asking_works_while_another_run_holds_the_warehouse(home: Path) -> None:
    with open_warehouse(home / "warehouse", contact_key=b"k"):
        status = json.loads(trueup(home, "status", "--json").stdout)
    assert status["nights"][0]["night_id"] == "2026-06-16.1"
    assert {row["change"] if "change" in row else row["observed"] for row in status["held"]} == {"12.99 EUR", "C•••"}


@pytest.mark.process
def test_answering_imports_no_dagster_and_masks_nothing_it_should_not(home: Path, settings: Settings) -> None:
    done = trueup(home, "approve", "aaaaaa11", "--reason", "seen", "--author", "amelie")
    assert "imports []" in done.stderr
    dropped = [json.loads(json.loads(path.read_text())["payload"]) for path in settings.inbox.glob("*.json")]
    assert [(a["correction_key"], a["answer"], a["author"], a["reason"]) for a in dropped] == [
        (KEYS[0], "approve", "amelie", "seen")
    ]


def test_key_must_name_one_row(settings: Settings) -> None:
    with pytest.raises(DataError, match="several corrections"):
        answers.resolve(settings, ["aaaaaa"])
    with pytest.raises(DataError, match="no plan holds"):
        answers.resolve(settings, ["ffffff99"])
    with pytest.raises(DataError, match="too short"):
        answers.resolve(settings, ["aaa"])
    assert answers.resolve(settings, ["aaaaaa22"]) == [KEYS[1]]


def test_pin_carries_its_last_day(settings: Settings) -> None:
    far = datetime(2099, 1, 31, tzinfo=UTC).date()
    answers.answer(settings, "pin", ["aaaaaa11"], reason="sale", author="a", until=far)
    (dropped,) = [json.loads(json.loads(path.read_text())["payload"]) for path in settings.inbox.glob("*.json")]
    assert dropped["until"].startswith("2099-01-31T23:59")


def test_a_sheet_with_one_row_that_takes_no_answer_is_not_taken_at_all(settings: Settings, tmp_path: Path) -> None:
    sheet = night.export_plan(settings, tmp_path / "plan.xlsx")
    book = load_workbook(sheet)
    plan = book["plan"]
    head = [cell.value for cell in plan[1]]
    at = {row[0].value: row[0].row for row in plan.iter_rows(min_row=2)}
    column = head.index("decision") + 1
    plan.cell(row=at[KEYS[0][:12]], column=column, value="approve")
    plan.cell(row=at[KEYS[2][:12]], column=column, value="approve")
    book.save(sheet)
    with pytest.raises(DataError, match=rf"row {at[KEYS[2][:12]]}: a guard or the policy refuses") as caught:
        answers.decide(settings, sheet, author="a")
    assert KEYS[0][:12] not in str(caught.value)
    assert not list(settings.inbox.glob("*.json"))
    plan.cell(row=at[KEYS[2][:12]], column=column, value="")
    book.save(sheet)
    assert answers.decide(settings, sheet, author="a") == 1


def test_nothing_to_ask_before_the_first_night(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="trueup sync"), answers.copy_of(
        Settings.read({"TRUEUP_HOME": str(tmp_path), "TRUEUP_CONTACT_KEY": "k"})
    ):
        pass


@pytest.mark.parametrize("command", ["push", "verify"])
def test_what_works_on_a_plan_says_before_any_night_that_there_is_none(tmp_path, monkeypatch, command):
    """And makes no world, nor launches anything, to find that out."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    monkeypatch.delenv("TRUEUP_ESTATE", raising=False)
    done = CliRunner().invoke(app, [command])
    assert done.exit_code == 2
    assert "there is no plan yet" in done.stderr and "`trueup sync`" in done.stderr
    assert not (tmp_path / "sandbox").exists()


def test_a_plan_of_a_dry_run_alone_is_none_to_push(tmp_path: Path) -> None:
    made = Settings.read({"TRUEUP_HOME": str(tmp_path), "TRUEUP_CONTACT_KEY": "k"})
    with open_warehouse(made.warehouse, contact_key=b"k") as con:
        con.execute(
            "INSERT INTO ledger.sync.nights VALUES ('n', 'small', 'nightly', ?, ?, ?, 'planned', '{}', NULL)",
            [AT, AT, AT],
        )
        con.execute(
            "INSERT INTO ledger.sync.plans VALUES ('p', 'n', 'main', 'small', ?, ?, ?, 'f', 0, '{}')", [AT, AT, AT]
        )
        swap_snapshot(con, made.snapshot)
    with pytest.raises(ConfigurationError, match="there is no plan yet that is not of a dry run"):
        night.on_stored_plan(made, Console(), "approve_plan", as_json=True)


@pytest.mark.parametrize("words", [
    ["status", "--nights", "-3"], ["ui", "--port", "99999999"], ["ui", "--port", "0"],
])
def test_a_number_that_cannot_be_is_refused_before_anything_is_done(tmp_path, monkeypatch, words):
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert f"Invalid value for '{words[1]}'" in done.stderr
    assert not (tmp_path / "sandbox").exists()


@pytest.mark.process
def test_missing_setting_stops_with_its_name(home: Path) -> None:
    done = trueup(home, "adopt", check=False)
    assert done.returncode == 2
    assert "TRUEUP_SQUARE_TOKEN is not set" in done.stderr


@pytest.mark.process
@pytest.mark.parametrize("command", ["adopt", "plan", "push", "verify"])
def test_a_fault_in_the_policy_is_told_before_anything_is_launched(home: Path, tmp_path: Path, command: str) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[fields."prices.amount"]\nsources = ["squar"]\n')
    done = trueup(home, command, check=False, TRUEUP_POLICY=str(policy), TRUEUP_SQUARE_TOKEN="t")
    assert done.returncode == 2
    assert "policy.toml line 2: fields.\"prices.amount\".sources: 'squar' is no system" in done.stderr
    assert "dagster" not in done.stderr.splitlines()[-1], "nothing was loaded for it"


def test_a_system_that_there_is_not_is_told_with_its_line(tmp_path: Path) -> None:
    estate = tmp_path / "estate.toml"
    estate.write_text(ESTATE.replace("systems.square", "systems.squar"))
    made = Settings.read({"TRUEUP_HOME": str(tmp_path), "TRUEUP_ESTATE": str(estate), "TRUEUP_CONTACT_KEY": "k"})
    with pytest.raises(ConfigurationError, match=r'line 5: systems.squar: .*did you mean "square".*allowed: '):
        check_settings(made, CHANNELS)


@pytest.mark.process
def test_second_writer_leaves_and_names_the_first(home: Path) -> None:
    clock: Clock = SystemClock()
    with acquire(home / "warehouse" / "lease.json", holder="the night of somebody else", clock=clock):
        done = trueup(home, "adopt", check=False, TRUEUP_SQUARE_TOKEN="t")
    assert done.returncode == 3
    assert "the night of somebody else" in done.stderr


@pytest.mark.process
@pytest.mark.night
def test_two_commands_of_the_readme(tmp_path: Path) -> None:
    """Fresh home: sync runs two nights, the judge agrees, and a further sync plans nothing new."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRUEUP_", "DAGSTER"))
    } | {"TRUEUP_HOME": str(tmp_path), "SEED": "11", "VARIANTS": "60", "PERSONS": "80", "SHOPS": "2"}

    def run(*words: str) -> str:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("trueup")), *words], cwd=ROOT, env=environment, capture_output=True,
            text=True, check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout + done.stderr

    first = run("sync")
    assert "the world lives one day" in first and "new corrections planned" in first
    assert "passed" in run("judge")
    assert "0 new corrections planned" in run("sync")
    nights = json.loads(run("status", "--json"))["nights"]
    assert [night["kind"] for night in nights] == ["nightly", "nightly", "adopt"]
    report = tmp_path / "reports" / nights[0]["night_id"] / "report.html"
    assert report.exists() and report.stat().st_mode & 0o077 == 0
    loose = [
        str(path) for path in (tmp_path / "warehouse").rglob("*") if path.is_file() and path.stat().st_mode & 0o077
    ]
    assert loose == [], "nobody but the owner reads what we write"
    sheet = tmp_path / "plan.xlsx"
    run("plan", "--last", "--export", str(sheet))
    assert sheet.exists()


@pytest.mark.parametrize(("asked", "embedded", "jobs", "code"), [
    ({}, True, [("adopt", {"kind": "adopt"}), ("nightly", {"kind": "nightly"})], 0),
    ({"dry_run": True}, True, [("adopt", {"dry_run": True, "kind": "adopt"})], 0),
    ({"systems": ["shopify"]}, True, [], 2),
    ({}, False, [], 2),
])
def test_a_sync_on_an_empty_ledger_adopts_or_only_plans_or_says_what_to_do(
    asked: dict, embedded: bool, jobs: list, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import nullcontext

    from cli import night

    ran = []
    monkeypatch.setattr(night, "outside", lambda settings, console: nullcontext(settings))
    monkeypatch.setattr(night, "is_adopted", lambda settings: False)
    monkeypatch.setattr(night, "is_embedded", lambda: embedded)
    monkeypatch.setattr(night, "_live_a_day", lambda settings, console: None)
    monkeypatch.setattr(night, "_run", lambda settings, console, job, asked, **_: ran.append((job, dict(asked))) or 0)
    assert night.sync(None, Console(quiet=True), asked=asked, as_json=False) == code
    assert ran == jobs


def test_a_first_night_that_was_not_whole_is_not_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import nullcontext

    from cli import night

    ran = []
    monkeypatch.setattr(night, "outside", lambda settings, console: nullcontext(settings))
    monkeypatch.setattr(night, "is_adopted", lambda settings: False)
    monkeypatch.setattr(night, "is_embedded", lambda: True)
    monkeypatch.setattr(night, "_run", lambda settings, console, job, *_, **__: ran.append(job) or night.PARTIAL)
    assert night.sync(None, Console(quiet=True), asked={}, as_json=False) == night.PARTIAL
    assert ran == ["adopt"]
