"""`trueup unmerge` as people meet it: what it shows, what it drops, and how it says that it cannot."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.ledger.export import swap_snapshot
from resources.settings import Settings
from resources.warehouse import open_warehouse
from tests.plan.world import insert
from tests.test_cli import AT, ESTATE, trueup

REASON = ("--reason", "father and son", "--author", "amelie")
BASE = {
    "plan_id": "p", "estate": "small", "system": "square", "vendor_id": "V1", "vendor_sub_id": "", "subject_id": "p1",
    "has_base": True, "drift_class": "elsewhere", "authority": "hubspot", "reason": "x", "risk": "low",
    "disposition": "approve", "disposition_reason": "by policy", "is_releasable": False, "is_new": True,
}
WRITTEN = [
    BASE | {"correction_key": "k1", "entity": "customers", "field": "phone", "subject_sub_id": "",
            "rule": "survivorship", "observed": "+33611111111", "desired": "+33622222222"},
    BASE | {"correction_key": "k2", "entity": "consents", "field": "state", "subject_sub_id": "email:news",
            "rule": "withdrawal of the same person", "observed": "yes", "desired": "no", "vendor_sub_id": "news"},
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a till's customer was taken for a contact of the CRM, and got its phone and its no."""
    folder = tmp_path_factory.mktemp("unmerge")
    (folder / "estate.toml").write_text(ESTATE)
    settings = Settings.read({"TRUEUP_HOME": str(folder), "TRUEUP_CONTACT_KEY": "k"})
    bound = {"person_id": "p1", "rule": "email", "bound_at": AT, "night_id": "n"}
    with open_warehouse(settings.warehouse, contact_key=b"k") as con:
        con.execute(
            "INSERT INTO ledger.sync.plans VALUES ('p', 'n', 'main', 'small', ?, ?, ?, 'f', 2, '{}')", [AT, AT, AT]
        )
        insert(con, "ledger.identity.persons", [
            {"system": "square", "vendor_id": "V1"} | bound, {"system": "hubspot", "vendor_id": "H1"} | bound,
        ])
        insert(con, "ledger.sync.corrections", WRITTEN)
        insert(con, "ledger.sync.outcomes", [
            {"plan_id": "p", "correction_key": key, "status": "applied", "code": "", "message": "", "request_id": "",
             "at": AT} for key in ("k1", "k2")
        ])
        insert(con, "ledger.sync.verifications", [
            {"plan_id": "p", "correction_key": "k1", "status": "confirmed", "at": AT},
        ])
        insert(con, "estate.night", [{"night_id": "n", "estate": "small", "as_of": AT, "kind": "nightly"}])
        insert(con, "observed.customers", [
            {"system": "square", "vendor_id": "V1", "person_id": "p1", "phone": "+33611111111"},
        ])
        insert(con, "observed.consents", [
            {"system": "square", "vendor_id": "V1", "vendor_audience_id": "news", "contact_point": "c",
             "channel": "email", "purpose": "news", "state": "no"},
        ])
        swap_snapshot(con, settings.snapshot)
    return folder


@pytest.fixture
def inbox(home: Path) -> Iterator[Path]:
    yield home / "inbox"
    for path in (home / "inbox").glob("*.json"):
        path.unlink()


@pytest.mark.process
def test_it_shows_who_is_parted_and_what_is_undone_and_does_nothing(home, inbox):
    done = trueup(home, "unmerge", "hubspot:H1", *REASON)
    assert "imports []" in done.stderr
    for expected in ("taken out  hubspot:H1", "stay       square:V1", "phone", "email:news", "Nothing was done; --yes"):
        assert expected in done.stdout
    assert "3362222" not in done.stdout and "+•••" in done.stdout, "values are masked"
    assert not list(inbox.glob("*.json"))


@pytest.mark.process
def test_with_yes_the_word_lies_in_the_inbox(home, inbox):
    found = json.loads(trueup(home, "unmerge", "p1", "square:V1", *REASON, "--yes", "--json").stdout)
    assert (found["person_id"], found["taken"], found["kept"], found["is_dropped"]) == (
        "p1", ["square:V1"], ["hubspot:H1"], True)
    assert [row["field"] for row in found["undone"]] == ["phone"] and found["left"] == []
    assert found["permissions"] == [
        {"system": "square", "vendor_id": "V1", "permission": "email:news", "told": "hubspot"}]
    (dropped,) = [json.loads(json.loads(path.read_text())["payload"]) for path in inbox.glob("*.json")]
    assert (dropped["word"], dropped["taken"], dropped["kept"], dropped["author"], dropped["reason"]) == (
        "unmerge", [["square", "V1"]], [["hubspot", "H1"]], "amelie", "father and son")


@pytest.mark.process
@pytest.mark.parametrize(("words", "told"), [
    (["square:V9", *REASON], "no night has seen a customer by this record"),
    (["p1", *REASON], "name the records to take out of this person"),
    (["square:V1", "hubspot:H1", *REASON], "nothing would be left of the person"),
    (["square:V1", "--reason", " "], "an unmerge needs its author and a reason"),
    (["square:V1", "--undo", *REASON], "no unmerge that stands"),
    (["square:V1"], "--reason"),
])
def test_what_parts_nobody_is_refused_with_one_sentence(home, inbox, words, told):
    done = trueup(home, "unmerge", *words, "--yes", check=False)
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr
    assert not list(inbox.glob("*.json"))
