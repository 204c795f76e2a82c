"""The switches themselves: every table of them fits the tree, and each outcome is told from the others."""

import re
from pathlib import Path

import pytest

from tests.switches import Switch, SwitchError, ask, broken, off, read_switches

ROOT = Path(__file__).parents[2]
TABLES = sorted((ROOT / "tests").rglob("switches.toml"))
EVERY = [pytest.param(one, id=one.name) for table in TABLES for one in read_switches(table)]
RULE = Switch("the rule", "shop.py", "max(stock, 0)", "stock", "test_shop.py::test_it")


@pytest.mark.parametrize("switch", EVERY)
def test_a_switch_fits_the_tree(switch):
    assert broken(ROOT, switch)
    file, name = switch.test.split("::")
    assert re.search(rf"^(?:async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_pain_has_a_switch():
    pains = {path.name for path in (ROOT / "tests" / "pains").glob("test_*.py")}
    tried = {Path(one.test.split("::")[0]).name for one in read_switches(ROOT / "tests" / "pains" / "switches.toml")}
    assert pains == tried


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "shop.py").write_text("def offered(stock):\n    return max(stock, 0)\n")
    (tmp_path / "test_shop.py").write_text("from shop import offered\n\ndef test_it():\n    assert offered(-3) == 0\n")
    return tmp_path


def test_a_rule_that_is_missed_is_noticed_and_the_file_is_as_before(tree):
    before = (tree / "shop.py").read_text()
    assert ask(tree, [RULE.test]).words == ""
    with off(tree, RULE):
        found = ask(tree, [RULE.test])
    assert found.is_noticed and "assert -3 == 0" in found.words
    assert (tree / "shop.py").read_text() == before


@pytest.mark.parametrize(
    ("into", "words"), [("max(stock, -0)", ""), ("no_such_name", "NameError")],
    ids=["nobody misses it", "it only crashes"],
)
def test_what_nobody_misses_or_only_crashes_is_not_noticed(tree, into, words):
    with off(tree, Switch("the rule", RULE.file, RULE.text, into, RULE.test)):
        found = ask(tree, [RULE.test])
    assert not found.is_noticed and words in found.words and bool(words) == bool(found.words)


def test_a_test_that_is_not_there_is_an_error(tree):
    with pytest.raises(SwitchError, match="pytest ended with 4"):
        ask(tree, ["test_shop.py::test_another"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text": "min(stock, 0)"}, "0 times"), ({"text": "s"}, "times, not once"),
        ({"into": "max(stock, 0)"}, "nothing"), ({"file": "gone.py"}, "no file gone.py"),
    ],
)
def test_a_switch_that_does_not_fit_is_refused(tree, change, words):
    facts = {"name": "the rule", "file": RULE.file, "text": RULE.text, "into": RULE.into, "test": RULE.test} | change
    with pytest.raises(SwitchError, match=words), off(tree, Switch(**facts)):
        pass


@pytest.mark.parametrize(
    ("table", "words"),
    [("", "no .*switch"), ('[[switch]]\nname = "x"\n', "file, into, name, test, text and nothing else")],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path, table, words):
    path = tmp_path / "switches.toml"
    path.write_text(table)
    with pytest.raises(SwitchError, match=words):
        read_switches(path)
