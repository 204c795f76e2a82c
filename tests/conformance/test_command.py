"""`trueup conformance`: over real HTTP, its exit codes and words; and the document that it keeps."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from cli.conformance import conformance
from conformance.checks import CHECKS
from conformance.run import TAKEN_BACK
from conformance.tell import HEAD, Report, put_section, section
from conformance.verdicts import Result, Verdict
from pipelines.channels import CHANNELS
from pipelines.errors import ConfigurationError
from resources.settings import Settings as Environment
from sandbox.app import build_app
from sandbox.store import Store
from sandbox.vendor import Settings
from tests.channels.harness import served
from tests.conformance.folder import Shop
from tests.conformance.page import AGAINST, COMMAND, ELSEWHERE, main

ESTATE = Path("nowhere")
"""Stands for the world's own estate in the cases below."""
DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"


def environment(home: Path, **more: str) -> Environment:
    return Environment.read({"TRUEUP_HOME": str(home), "TRUEUP_HUBSPOT_TOKEN": "sandbox", **more})


def test_any_base_url_is_examined_and_told_as_json_and_in_the_document(world, tmp_path, capsys):
    store, document = Store(world / "world.sqlite"), tmp_path / "conformance.md"
    with served(build_app(store, Settings()), says_date=False) as url:
        code = conformance(
            environment(tmp_path), ["hubspot"], url=f"{url}/hubspot", estate_path=world / "estate.toml",
            against="a sandbox", as_json=True, markdown=document,
        )
    told = json.loads(capsys.readouterr().out)
    assert code == 0 and store.effects(origin="api") == []
    store.close()
    verdicts = {result["check"]: result["verdict"] for result in told[0]["results"]}
    assert verdicts["census"] == "passed" and verdicts["echo"] == "not shown"
    head = '## HubSpot: a sandbox\n\n`trueup conformance hubspot --url URL --against "a sandbox"`, trueup'
    assert head in document.read_text(encoding="utf-8")


def test_a_folder_of_files_is_examined_and_nothing_is_asked_of_its_owner(tmp_path, capsys):
    shop, folder = Shop(), tmp_path / "drops"
    folder.mkdir()
    for name in shop.find(""):
        (folder / name).write_bytes(shop.cat_file(name))
    held = {path: path.read_bytes() for path in folder.rglob("*")}
    code = conformance(environment(tmp_path), ["files"], url=folder.as_uri(), write=True, as_json=True)
    told = json.loads(capsys.readouterr().out)
    verdicts = {result["check"]: result["verdict"] for result in told[0]["results"]}
    assert (code, verdicts["identity"], verdicts["staging"]) == (0, "passed", "passed")
    assert verdicts["abilities"] == verdicts["lost_answer"] == "not shown"
    assert {path: path.read_bytes() for path in folder.rglob("*")} == held


def test_a_failed_check_is_an_exit_code(world, tmp_path, capsys):
    store = Store(world / "world.sqlite")
    lacking = Settings(lacks=frozenset({"crm.objects.products.write"}))
    with served(build_app(store, lacking), says_date=False) as url:
        code = conformance(environment(tmp_path), ["hubspot"], url=f"{url}/hubspot")
    store.close()
    assert code == 1
    assert "crm.objects.products.write" in capsys.readouterr().out


@pytest.mark.parametrize(("systems", "more", "says"), [
    (["hubsport"], {"url": "http://127.0.0.1:1"}, "'hubsport'.*hubspot"),
    (["hubspot", "square"], {"url": "http://127.0.0.1:1"}, "one system"),
    ([], {"url": "http://127.0.0.1:1"}, "one system"),
    (["hubspot"], {"url": "localhost"}, "'localhost' is not an address of HubSpot; .*begins with https://, http://"),
    (["hubspot"], {"url": "file:///srv/drops"}, "is not an address of HubSpot"),
    (["files"], {"url": "http://127.0.0.1:1"}, "is not an address of Files; .*begins with file://"),
    (["brevo"], {"estate_path": ESTATE}, r"brevo is not in the estate, and TRUEUP_BREVO_URL.*--option NAME=VALUE"),
])
def test_what_cannot_be_asked_is_told_in_a_sentence(world, tmp_path, systems, more, says):
    if more.get("estate_path") == ESTATE:
        more = {"estate_path": world / "estate.toml"}
    with pytest.raises(ConfigurationError, match=says):
        conformance(environment(tmp_path), systems, **more)


def test_a_system_that_the_estate_lacks_is_examined_where_the_environment_says_that_it_is(world, tmp_path, capsys):
    """As the embedded sandbox does, which serves systems that its retailer does not use."""
    store = Store(world / "world.sqlite")
    with served(build_app(store, Settings()), says_date=False) as url:
        own = {"TRUEUP_WOOCOMMERCE_URL": f"{url}/woocommerce", "TRUEUP_BREVO_URL": f"{url}/brevo"}
        own |= {secret: "sandbox" for channel in CHANNELS for secret in channel.secrets}
        code = conformance(
            environment(tmp_path, **own), ["woocommerce", "brevo"], estate_path=world / "estate.toml", as_json=True
        )
    store.close()
    assert code == 0
    for report in json.loads(capsys.readouterr().out):
        results = {result["check"]: result for result in report["results"]}
        assert results["census"]["verdict"] == "passed"
        assert results["staging"]["verdict"] == "not shown", "in an account that was just opened is nobody"
        assert results["rate_limits"]["detail"] == "waited with Retry-After 7.0 s, without 0.2 s", "by no chance"


def drops(folder: Path) -> Path:
    """A folder of drops with prices, and its mapping elsewhere, as an estate would have it beside itself."""
    folder.mkdir()
    (folder / "prix.csv").write_text("sku;prix\n0012;12,50\n0013;7,00\n", encoding="utf-8")
    mapping = folder.parent / "files.toml"
    mapping.write_text(
        'shop_id = "maison"\nsettle_seconds = 0\n\n[defaults]\ncurrency = "EUR"\ndelimiter = ";"\n\n'
        '[prices.t]\nfile = "prix.csv"\ntax_basis = "gross"\n'
        'columns = { key = "sku", amount = "prix" }\n', encoding="utf-8",
    )
    return mapping


def test_options_of_a_system_outside_the_estate_come_from_the_command_line(tmp_path, capsys):
    mapping = drops(tmp_path / "drops")
    code = conformance(
        environment(tmp_path), ["files"], url=(tmp_path / "drops").as_uri(), options={"mapping": str(mapping)},
        as_json=True,
    )
    results = {one["check"]: one for one in json.loads(capsys.readouterr().out)[0]["results"]}
    assert code == 0, results
    assert results["census"]["verdict"] == results["by_id"]["verdict"] == "passed"
    assert results["rate_limits"]["verdict"] == "not shown" and "no HTTP" in results["rate_limits"]["detail"]


def test_a_credential_that_is_missing_is_named(tmp_path):
    settings = Environment.read({"TRUEUP_HOME": str(tmp_path)})
    with pytest.raises(ConfigurationError, match="TRUEUP_HUBSPOT_TOKEN"):
        conformance(settings, ["hubspot"], url="http://127.0.0.1:1")


# -- the document -------------------------------------------------------------------------------------------


def report(against: str = "a server 1.0", detail: str = "all 5", title: str = "HubSpot") -> Report:
    results = [Result("census", "Read to the end", Verdict.PASSED, detail),
               Result("echo", "No drift", Verdict.NOT_SHOWN, "only with --write")]
    return Report("hubspot", title, "0.1.0", against, date(2026, 6, 15), results)


def test_a_section_takes_the_place_of_the_older_one_and_leaves_the_others():
    text = put_section(put_section(put_section("", report()), report("another")), report(title="Shopify"))
    again = put_section(text, report(detail="a | b\n<c>"))
    assert again.startswith(HEAD)
    assert again.count("## HubSpot: a server 1.0\n") == 1 and again.count("## ") == 3
    assert "a \\| b &lt;c>" in again and again.count("all 5") == 2
    assert put_section(again, report(detail="a | b\n<c>")) == again, "the same report changes nothing"


def test_the_committed_document_has_the_commands_own_form():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.startswith(HEAD)
    titles = {channel.title: channel for channel in CHANNELS}
    known = [*(check.name for check in CHECKS), TAKEN_BACK]
    shows = {check.name: check.shows for check in CHECKS}
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert sections
    for one in sections:
        title, _, against = one.partition("\n")[0].rpartition(": ")
        assert title in titles and against
        said = r'(?: --url URL)?(?: --against "([^"]+)")?'
        head = rf"^`(.+?) (\w+){said}( --write)?`, trueup ([\d.]+), (\d{{4}}-\d\d-\d\d): (.+)\.$"
        made = re.search(head, one, re.MULTILINE)
        assert made and made[2] == titles[title].name and date.fromisoformat(made[6])
        assert made[3] in (None, against)
        assert made[1] == (COMMAND if against in (AGAINST, *ELSEWHERE.values()) else "trueup conformance")
        rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (passed|failed|not shown) \| (.*) \|$", one, re.MULTILINE)
        names = [row[0] for row in rows]
        assert bool(made[4]) == (TAKEN_BACK in names), "the head says whether it was written"
        assert set(names) <= set(known), "a check of that name is gone: run it again"
        assert names == [name for name in known if name in names], "in the kit's order"
        assert all(row[1] == shows.get(row[0], row[1]) for row in rows)
        counts = ", ".join(f"{sum(row[2] == v for row in rows)} {v}" for v in ("passed", "failed", "not shown"))
        assert made[7] == counts, "the summary counts its own rows"


def test_the_head_says_whether_it_was_leave_to_write():
    assert "`trueup conformance hubspot`, trueup" in section(report())
    assert "`trueup conformance hubspot --write`, trueup" in section(replace(report(), writes=True))


def test_the_head_names_what_else_was_said():
    said = replace(report(), said=("--url URL", '--against "a server 1.0"'), writes=True)
    assert '`trueup conformance hubspot --url URL --against "a server 1.0" --write`, trueup' in section(said)


def test_the_committed_sections_of_small_shops_are_what_their_command_writes_now(tmp_path):
    """What runs in this process is not left standing as an older kit or connector had it: run the command again."""
    page, systems = tmp_path / "conformance.md", ["files", "woocommerce"]
    assert main([*systems, "--write", "--markdown", str(page)]) == 0
    written, committed = (own_sections(path.read_text(encoding="utf-8"), systems) for path in (page, DOCUMENT))
    assert len(written) == len(systems)
    assert committed == written


def own_sections(text: str, systems: Sequence[str]) -> dict[str, str]:
    """The sections that the page's command writes of these systems, by the command, without version and day."""
    found = {}
    for one in re.split(r"^## ", text, flags=re.MULTILINE):
        for system in systems:
            command = f"`{COMMAND} {system} --write`"
            if command in one:
                found[command] = re.sub(r", trueup [\d.]+, \d{4}-\d\d-\d\d: ", ": ", one).strip()
    return found


def test_a_section_is_a_table_of_its_results():
    assert section(report()).count("\n| ") == 4
