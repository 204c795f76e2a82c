"""`trueup new-channel`: what it writes works as it is, and it refuses what it cannot name or would overwrite."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.new_channel import CHANNEL_LIST, FILES, VENDOR_LIST, new_channel
from pipelines.channels import CHANNELS
from pipelines.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
NAME = "pogo"
"""Sorts between the others, so that it also shows where its lines go."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The two lists alone: enough to write into."""
    for name in (CHANNEL_LIST, VENDOR_LIST):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(("name", "says"), [
    ("Lightspeed", "cannot be"), ("2till", "cannot be"), ("till-system", "cannot be"), ("", "cannot be"),
    ("class", "cannot be"), ("match", "cannot be"), ("../till", "cannot be"), ("x" * 31, "cannot be"),
    ("kasse\n", "cannot be"), ("é", "cannot be"), ("square", "already"), ("golden", "trueup's own"),
    ("base", "trueup's own"), ("world", "trueup's own"), ("raw_till", "trueup's own"),
])
def test_a_name_that_cannot_be_one_is_refused_and_nothing_written(tree, name, says):
    before = files(tree)
    with pytest.raises(ConfigurationError, match=says):
        new_channel(name, root=tree)
    assert files(tree) == before


def test_a_title_that_would_break_what_it_stands_in_is_refused(tree):
    with pytest.raises(ConfigurationError, match="title"):
        new_channel(NAME, title='Pogo"""', root=tree)


def test_nothing_is_overwritten(tree):
    written = new_channel(NAME, root=tree)
    assert len(written) == len(FILES) + 2
    before = files(tree)
    with pytest.raises(ConfigurationError, match="is there already; nothing was written"):
        new_channel(NAME, root=tree)
    assert files(tree) == before


def test_one_file_in_the_way_stops_all(tree):
    place = tree / "docs" / "channels" / f"{NAME}.md"
    place.parent.mkdir(parents=True)
    place.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"{NAME}.md"):
        new_channel(NAME, root=tree)
    assert place.read_text(encoding="utf-8") == "mine" and not (tree / "pipelines" / "channels" / NAME).exists()


def test_the_command_of_the_document_can_be_run(tree):
    """Word for word: it must name no system that is there already."""
    text = (ROOT / "docs" / "channels.md").read_text(encoding="utf-8")
    (name, title), *others = re.findall(r"^trueup new-channel (\S+) --title (\S+)$", text, re.MULTILINE)
    assert others == [] and new_channel(name, title=title, root=tree)
    assert f"python -m pytest -k {name} " in text


def test_it_stands_at_the_end_of_both_lists(tree):
    new_channel(NAME, root=tree)
    channels, vendors = ((tree / name).read_text(encoding="utf-8") for name in (CHANNEL_LIST, VENDOR_LIST))
    assert f"{CHANNELS[-1].name.upper()}, {NAME.upper()})" in channels.replace("\n", " ").replace("  ", "")
    assert f'"{NAME}": "PogoVendor",\n}}' in vendors
    imports = [line for line in channels.splitlines() if line.startswith("from pipelines.channels.")]
    assert imports == sorted(imports)


def test_every_template_is_written_and_filled(tree):
    templates = {path.name.removesuffix(".jinja") for path in (ROOT / "cli" / "templates" / "channel").glob("*.jinja")}
    assert templates == set(FILES)
    new_channel("acme_till", title="Acme (till)", root=tree)
    for name, text in files(tree).items():
        if "acme_till" in name:
            assert "<<" not in text and "<%" not in text, name
            assert text.endswith("\n") and not text.endswith("\n\n"), name


@pytest.mark.process
def test_what_is_written_passes_the_kit_its_cases_and_the_linter(tmp_path):
    """In a copy of the whole tree, as somebody who runs the command would have it."""
    tree = tmp_path / "tree"
    ignored = (".git", ".venv", ".real", ".trueup*", "__pycache__", ".*_cache", "node_modules", "*.egg-info")
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*ignored))

    # A system that nobody has described is held to no description, and none lies beside the copy.
    alone = {name: value for name, value in os.environ.items() if name != "REQUIRE_SHARED"}

    def run(*words: str, program: str = sys.executable) -> str:
        done = subprocess.run([program, *words], cwd=tree, env=alone, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    assert f"wrote pipelines/channels/{NAME}/__init__.py" in run("-m", "cli.main", "new-channel", NAME)
    written = [place.format(name=NAME) for place in FILES.values() if place.endswith(".py")]
    run("check", CHANNEL_LIST, VENDOR_LIST, *written, program=str(Path(sys.executable).with_name("ruff")))
    told = run(
        "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "-k", f"{NAME} and not without",
        "tests/conformance/test_every_system.py", "tests/test_cases.py", "tests/channels/test_abilities.py",
        "tests/channels/test_quiet_logs.py",
    )
    assert "passed" in told and "skipped" not in told
