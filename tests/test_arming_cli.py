"""`trueup keygen`, `arm` and `disarm`: what they show and sign, what they refuse with which exit code, and status."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from cli.main import app
from pipelines.arming.keys import private_from, public_text
from pipelines.ledger.export import swap_snapshot
from pipelines.ledger.inbox import import_answers
from resources.settings import Settings
from resources.signers import approvers_of
from resources.warehouse import open_warehouse
from tests.arming import NAME, SECTION, private_key

NOW = datetime.now(UTC)  # noqa: TID251 (what is typed is judged by the machine's own day)
SOON = f"{NOW + timedelta(days=20):%Y-%m-%d}"
ESTATE = """
[estate]
name = "small"
timezone = "Europe/Paris"

[systems.square]
base_url = "https://connect.squareup.com"
shop_id = "s"
mode = { prices = "live" }
"""


class Now:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None: ...


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose estate is on the open network, Ana's key, and no night yet."""
    (tmp_path / "estate.toml").write_text(ESTATE + SECTION, encoding="utf-8")
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    monkeypatch.setenv("TRUEUP_ESTATE", str(tmp_path / "estate.toml"))
    monkeypatch.setenv("TRUEUP_CONTACT_KEY", "k")
    monkeypatch.setenv("TRUEUP_SIGNING_KEY", str(private_key(tmp_path / "ana.pem")))
    return tmp_path


def trueup(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, [*words])
    assert done.exit_code == code, done.output
    return done.output


def told(*words: str) -> dict:
    return json.loads(trueup(*words, "--json"))


@pytest.fixture
def warehouse(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(home / "warehouse", contact_key=b"k") as con:
        yield con


def take_in(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """What the next run does with the inbox, and the snapshot that it leaves."""
    from pipelines.arming.content import document, keep
    from pipelines.estate import read_estate
    from pipelines.policy import read_policy

    settings = Settings.read()
    estate = read_estate(settings.estate)
    keep(con, document(read_policy(None, estate), estate))
    found = import_answers(con, settings.inbox, approvers=approvers_of(settings, estate), clock=Now())
    swap_snapshot(con, settings.snapshot)
    return list(found.refused)


def test_a_key_is_made_for_its_owner_alone_and_never_twice(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = told("keygen", str(home / "bo.pem"))
    assert (home / "bo.pem").stat().st_mode & 0o777 == 0o600
    key = private_from((home / "bo.pem").read_bytes(), "", where="")
    assert public_text(key.public_key()) == made["public_key"]
    before = (home / "bo.pem").read_bytes()
    assert "never overwritten" in trueup("keygen", str(home / "bo.pem"), code=2)
    assert (home / "bo.pem").read_bytes() == before
    monkeypatch.setenv("TRUEUP_SIGNING_PASSPHRASE", "a long one")
    assert "[approvers.your_name]" in trueup("keygen", str(home / "cy.pem"))
    assert b"ENCRYPTED" in (home / "cy.pem").read_bytes()


def test_without_a_hash_it_is_shown_what_would_be_armed_and_nothing_is(home: Path) -> None:
    shown = told("arm")
    assert shown["arming"] is None and shown["modes"] == {"square": {"prices": "live"}}
    assert f"trueup arm --policy-hash {shown['policy_hash'][:12]}" in trueup("arm")
    assert not (home / "inbox").exists()


def test_an_arming_is_signed_taken_in_shown_and_taken_back(home: Path, warehouse: duckdb.DuckDBPyConnection) -> None:
    policy_hash = told("arm")["policy_hash"]
    made = told("arm", "--policy-hash", policy_hash[:12], "--scope", "all", "--until", SOON, "--reason", "spring")
    assert (made["arming"]["author"], made["arming"]["until"][:10]) == (NAME, SOON)
    assert take_in(warehouse) == []
    (stands,) = told("status")["armings"]
    assert (stands["arming_id"], stands["state"], stands["by"]) == (made["arming"]["arming_id"], "counts", NAME)
    assert "Nothing is armed" not in trueup("status")
    assert told("disarm", stands["arming_id"][:8], "--reason", "a mistake") == {"disarmed": [stands["arming_id"]]}
    assert take_in(warehouse) == []
    assert [each["state"] for each in told("status")["armings"]] == ["taken back"]
    assert "Nothing is armed, so nothing is written" in trueup("status")


def test_what_has_changed_since_is_told_and_needs_a_new_arming(
    home: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    before = told("arm")["policy_hash"]
    trueup("arm", "--policy-hash", before, "--scope", "all", "--until", SOON, "--reason", "spring")
    assert take_in(warehouse) == []
    (home / "estate.toml").write_text((ESTATE + SECTION).replace('"live"', '"live", stock = "live"'), encoding="utf-8")
    shown = told("arm")
    assert shown["armed_before"] == before != shown["policy_hash"]
    assert {"setting": "estate.systems.square.mode.stock", "before": "", "now": '"live"'} in shown["changed"]
    assert "policy or estate have changed" in told("status")["armings"][0]["state"]
    again = ("arm", "--policy-hash", before, "--scope", "all", "--until", SOON, "--reason", "spring")
    assert f"policy and estate are {shown['policy_hash']} now" in trueup(*again, code=2)


@pytest.mark.parametrize(("change", "words"), [
    ({"--until": f"{NOW + timedelta(days=99):%Y-%m-%d}"}, "at most 90 days"),
    ({"--until": f"{NOW - timedelta(days=1):%Y-%m-%d}"}, "a day in the future"),
    ({"--until": None}, "needs --until"), ({"--reason": None}, "a --reason"), ({"--scope": None}, "say what is armed"),
    ({"--scope": "systems=squar"}, 'did you mean "square"'), ({"--policy-hash": "0" * 64}, "policy and estate are"),
    ({"--author": "Bo"}, "the key is Ana's"),
])
def test_what_cannot_be_armed_is_told_in_a_sentence(home: Path, change: dict[str, str | None], words: str) -> None:
    asked = {"--policy-hash": told("arm")["policy_hash"], "--scope": "all", "--until": SOON, "--reason": "x"} | change
    typed = [word for name, value in asked.items() if value is not None for word in (name, value)]
    assert words in trueup("arm", *typed, code=2)
    assert not list((home / "inbox").glob("*.json"))


def test_on_the_open_network_the_built_in_key_signs_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRUEUP_SIGNING_KEY")
    asked = ("--policy-hash", told("arm")["policy_hash"], "--scope", "all", "--until", SOON, "--reason", "x")
    said = trueup("arm", *asked, code=2)
    assert "TRUEUP_SIGNING_KEY is not set" in said and "square (connect.squareup.com) is not" in said
    assert not (home / "inbox").exists()


def test_on_loopback_the_built_in_key_signs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRUEUP_SIGNING_KEY")
    monkeypatch.setenv("TRUEUP_SQUARE_URL", "http://127.0.0.1:9")
    made = told("arm", "--policy-hash", told("arm")["policy_hash"], "--scope", "all", "--until", SOON, "--reason", "x")
    assert made["arming"]["arming_id"]
    assert (home / "secrets" / "built_in_key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("words", "told"), [
    (("disarm", "--reason", "x"), "name the armings"), (("disarm", "--all"), "needs a --reason"),
    (("disarm", "--all", "--reason", "x"), "no arming stands"),
    (("disarm", "abc", "--reason", "x"), "begins like this"),
])
def test_what_cannot_be_taken_back_is_told_in_a_sentence(home: Path, words: tuple[str, ...], told: str) -> None:
    assert told in trueup(*words, code=2)


def test_doctor_goes_through_the_audit_and_says_what_is_armed(
    home: Path, warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cli import examine

    asked = ("--policy-hash", told("arm")["policy_hash"], "--scope", "all", "--until", SOON, "--reason", "x")
    trueup("arm", *asked)
    assert take_in(warehouse) == []
    settings = Settings.read()
    assert examine._arming(settings).level == "ok"
    assert [finding.level for finding in examine._audit(settings)] == ["ok"]
    warehouse.execute("UPDATE ledger.sync.words SET payload = replace(payload, 'spring', 'sprung'), taken_at = now()")
    swap_snapshot(warehouse, settings.snapshot)
    (found,) = examine._audit(settings)
    assert found.level == "failure" and "words" in found.detail and "changed after it was linked" in found.detail
