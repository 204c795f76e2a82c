"""The command of the real estate without a server: how much it loads, what a day takes, what it tells at the end."""

import shlex
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from deploy.real import __main__ as run
from deploy.real import plant
from deploy.real.retail import ALL, MOST, USUAL, Limits, read_retail
from tests.real import vendure_shop

ITEM = SimpleNamespace(sku="A1", stock={"Paris": 9, "Lyon": 5})


@pytest.fixture
def loaded(monkeypatch):
    """Runs the command up to where servers would start; the limits that it reads the file with."""
    asked: list[Limits] = []

    def read(path, limits):
        asked.append(limits)
        raise run.NotRetail("far enough")

    monkeypatch.setattr(run, "read_retail", read)
    return asked


@pytest.mark.parametrize(("words", "limits"), [
    ([], USUAL),
    (["--items", "2000", "--customers", "1000", "--invoices", "5000"], MOST),
    (["--items", "20", "--all"], ALL),
])
def test_it_loads_what_is_asked_for(loaded, words, limits):
    assert run.main(["--made", *words]) == 2
    assert loaded == [limits]


@pytest.mark.parametrize("words", [
    ["--items", "2001"], ["--customers", "1001"], ["--invoices", "5001"], ["--items", "0"], ["--items", "-1"],
    ["--items", "many"],
])
def test_more_than_that_is_asked_for_by_all_alone(loaded, capsys, words):
    with pytest.raises(SystemExit) as ended:
        run.main(["--made", *words])
    assert ended.value.code == 2 and loaded == []
    assert "for everything in the file --all" in capsys.readouterr().err


def test_too_little_for_a_day_is_said_before_anything_starts(tmp_path, capsys):
    assert run.main(["--made", "--items", "20", "--customers", "30", "--folder", str(tmp_path / "real")]) == 2
    assert "customers who said yes, where it takes 20 and 28" in capsys.readouterr().err
    assert not (tmp_path / "real").exists()
    assert plant.too_few(read_retail(None, Limits(plant.ITEMS, 60, 20))) == ""
    assert "19 items" in plant.too_few(read_retail(None, Limits(plant.ITEMS - 1, 60, 20)))


@pytest.mark.parametrize(("left", "fewer"), [({"1": (9, 0), "2": (5, 0)}, 0), ({"1": (8, 0), "2": (4, 0)}, 2)])
def test_an_order_online_that_takes_nothing_off_a_shelf_is_a_failure(monkeypatch, left, fewer):
    levels = iter([{"1": (9, 0), "2": (5, 0)}, left])
    monkeypatch.setattr(plant.vendure_seed, "stock_of", lambda api, variant: next(levels))
    monkeypatch.setattr(plant.vendure_orders, "place_order", lambda api, customer, lines: "7")
    monkeypatch.setattr(plant.vendure_orders, "lines_of", lambda api, order: {"v1": "l1"})
    monkeypatch.setattr(plant.vendure_orders, "fulfil", lambda api, lines: None)
    estate = SimpleNamespace(
        products={"A1": 1}, variants={"A1": "v1"}, customers={"a@example.fr": "c1"}, vendure=None,
        locations={"Paris": "1", "Lyon": "2"}, warehouses={"Paris": None, "Lyon": None},
    )
    with pytest.raises(RuntimeError, match=f"its shelves have {fewer} fewer"):
        list(plant._sold_online(estate, ITEM, SimpleNamespace(email="a@example.fr")))


SERVERS = SimpleNamespace(
    odoo_url="http://127.0.0.1:1", odoo_key="a key", vendure_url="http://127.0.0.1:2", vendure_key="b'c",
    pids=(11, 12, 13),
)


@pytest.mark.parametrize("words", [[], ["--keep"]])
def test_what_stays_after_a_night_that_failed_is_told_too(monkeypatch, tmp_path, capsys, words):
    def failing(home, servers, retail, say, *, pour_only):
        raise RuntimeError("the quiet night failed")

    monkeypatch.setattr(run, "running", lambda folder, say, *, is_kept: nullcontext(SERVERS))
    monkeypatch.setattr(run, "_nights", failing)
    with pytest.raises(RuntimeError, match="quiet night"):
        run.main(["--made", "--folder", str(tmp_path / "real"), *words])
    assert ("and to end them: kill 11 12 13" in capsys.readouterr().out.splitlines()) == bool(words)


def test_what_stays_is_told_in_lines_that_a_shell_takes_and_the_tests_read(tmp_path, capsys):
    run._tell_kept(SERVERS, tmp_path)
    said = capsys.readouterr().out.splitlines()
    names = dict(shlex.split(line)[1].split("=", 1) for line in said if line.startswith("export "))
    assert names["TRUEUP_ODOO_URL"] == "http://127.0.0.1:1" and names["TRUEUP_ODOO_KEY"] == "a key"
    assert names["TRUEUP_VENDURE_KEY"] == "b'c" and names["TRUEUP_ESTATE"] == str(tmp_path / "estate.toml")
    assert {vendure_shop.URL, vendure_shop.USER, vendure_shop.PASSWORD} <= names.keys()
    assert said[-1] == "and to end them: kill 11 12 13"
