"""The sandbox as a program: its app, its command line, and the estate file that it hands to the pipeline."""

import json
import subprocess
import sys

import httpx
import pytest
from starlette.applications import Starlette

from pipelines.estate import read_estate
from pipelines.policy import read_policy
from sandbox.__main__ import PORT, main
from sandbox.app import VENDORS, build_app, load_vendors
from sandbox.estate import SHOP_IDS, write_estate
from sandbox.store import Store, parse_stamp
from sandbox.vendor import Settings
from sandbox.world.cast import PARTS, cast_of
from sandbox.world.places import AUDIENCES, locations, places_of
from sandbox.world.settings import CAP_SHARE_PCT, WorldSettings
from tests.sandbox.fake import fake_vendors

SIZES = ("--seed", "3", "--variants", "60", "--persons", "80", "--shops", "3")


def client_of(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox")


async def test_controls_of_the_app(first_day):
    app = build_app(first_day.store, Settings(), folder=first_day.folder, vendors=fake_vendors())
    async with client_of(app) as client:
        health = (await client.get("/_control/health")).json()
        assert (health["status"], health["night"]) == ("ok", "1")
        day = (await client.post("/_control/day")).json()
        assert day["night"] == "2"
        assert day["expected"]["must_push"]["explained"] > 0
        assert (await client.get("/_control/health")).json()["now"] > health["now"]
        assert (await client.get("/_control/day")).status_code == 405


async def test_an_app_without_a_world_changes_none(first_day):
    async with client_of(build_app(first_day.store, Settings(), vendors=fake_vendors())) as client:
        assert (await client.post("/_control/day")).status_code == 409


def test_every_vendor_loads_by_its_name():
    vendors = load_vendors()
    assert {name: vendor.name for name, vendor in vendors.items()} == {name: name for name in VENDORS}


def test_the_estate_is_what_the_pipeline_reads(tmp_path):
    settings = WorldSettings(shops=4)
    estate = read_estate(write_estate(tmp_path, settings, "http://127.0.0.1:8765/"))
    policy = read_policy(None, estate)
    assert tuple(estate.systems) == cast_of(settings) == ("square", "shopify", "hubspot", "mailchimp")
    assert {name: system.shop_id for name, system in estate.systems.items()} == {n: SHOP_IDS[n] for n in PARTS}
    assert estate.systems["square"].base_url == "http://127.0.0.1:8765/square"
    assert estate.mode_of("mailchimp", "consents") == "live"
    assert set(estate.locations) == {place.ours for place in locations(settings)} - {None}
    assert estate.audiences["newsletter"].vendor_ids == {name: AUDIENCES[name] for name in PARTS}
    assert policy.adopt.never_agreed == "approve"
    assert {entity: policy.caps[entity].max_share_pct for entity in CAP_SHARE_PCT} == CAP_SHARE_PCT


def test_some_places_are_left_unmapped(tmp_path):
    settings = WorldSettings()
    estate = read_estate(write_estate(tmp_path, settings, "http://127.0.0.1:1"))
    mapped = {value for location in estate.locations.values() for value in location.vendor_ids.values()}
    for price_list in estate.price_lists.values():
        mapped |= {entry if isinstance(entry, str) else entry.id for entry in price_list.vendor_ids.values()}
    mapped |= {str(value) for audience in estate.audiences.values() for value in audience.vendor_ids.values()}
    for system in SHOP_IDS:
        assert {place.key for place in places_of(system, settings)} - mapped, f"{system} has nothing unmapped"


def test_the_command_line_makes_lives_and_judges(tmp_path, capsys):
    world = str(tmp_path / "world")
    assert main(["create", "--dir", world, *SIZES]) == 0
    assert main(["create", "--dir", world, *SIZES]) == 0
    assert "already" in capsys.readouterr().out
    assert main(["day", "--dir", world]) == 0
    assert "Night 1 must find" in capsys.readouterr().out
    plan = tmp_path / "plan.jsonl"
    plan.write_text("")
    assert main(["judge", "--dir", world, "--plan", str(plan), "--json"]) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["failure_counts"]["missed"] > 20
    assert main(["judge", "--dir", world, "--plan", str(plan)]) == 1
    assert "missed" in capsys.readouterr().out
    assert main(["judge", "--dir", world, "--plan", str(tmp_path / "none")]) == 2
    assert main(["day", "--dir", str(tmp_path / "nowhere")]) == 2
    assert main(["create", "--dir", world, "--force", "--shops", "1"]) == 2


def test_the_command_line_casts_another_e_mail_tool(tmp_path, capsys):
    world = str(tmp_path / "world")
    assert main(["create", "--dir", world, *SIZES, "--email", "brevo", "--webshop", "shopify"]) == 0
    estate = read_estate(tmp_path / "world" / "estate.toml")
    assert tuple(estate.systems) == ("square", "shopify", "hubspot", "brevo")
    assert estate.audiences["newsletter"].vendor_ids["brevo"] == AUDIENCES["brevo"]
    assert main(["create", "--dir", world, *SIZES]) == 0
    assert main(["create", "--dir", world, *SIZES, "--email", "mailchimp"]) == 2
    assert "this world has email brevo, not mailchimp" in capsys.readouterr().err
    assert main(["day", "--dir", world]) == 0
    store = Store(tmp_path / "world" / "world.sqlite")
    assert store.count("brevo", "contacts") > 0 and store.count("mailchimp", "members") == 0
    store.close()


def test_without_a_command_it_serves_from_the_folder_that_trueup_uses(monkeypatch):
    asked = []
    monkeypatch.setattr("sandbox.__main__._serve", lambda args: asked.append(args) or 0)
    for words in ([], ["--port", "0"], ["serve", "--lacks", "crm.objects.products.write"]):
        assert main(words) == 0
    assert [(str(args.dir), args.port) for args in asked] == [
        (".trueup/sandbox", PORT), (".trueup/sandbox", 0), (".trueup/sandbox", PORT)
    ]
    assert asked[2].lacks == ["crm.objects.products.write"]


def test_help_names_the_commands_and_what_happens_without_one(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert "create | serve | day | judge" in said and "Without a command: serve" in said


@pytest.mark.process
def test_serve_prints_where_it_answers(tmp_path):
    command = [sys.executable, "-m", "sandbox", "--dir", str(tmp_path / "w"), *SIZES, "--port", "0"]
    with subprocess.Popen([*command, "--down", "hubspot"], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        url = next(line.strip() for line in child.stdout if line.startswith("http://127.0.0.1:"))
        try:
            health = httpx.get(f"{url}/_control/health", timeout=10, trust_env=False).json()
            assert health["night"] == "0"
            token = {"Authorization": "Bearer sandbox", "Square-Version": "2025-08-20"}
            places = httpx.get(f"{url}/square/v2/locations", headers=token, timeout=10, trust_env=False)
            assert places.status_code == 200
            contacts = f"{url}/hubspot/crm/v3/objects/contacts"
            assert httpx.get(contacts, headers=token, timeout=10, trust_env=False).status_code == 503
        finally:
            child.terminate()
        assert child.wait(10) == 0
    assert Store(tmp_path / "w" / "world.sqlite").now() > parse_stamp(health["now"]), "the clock went back"
