"""The documents tell the truth: the reference is what the code makes, links lead somewhere, commands exist."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from sqlglot import parse_one

from cli import reference
from cli.main import app
from pipelines.channels import CHANNELS
from pipelines.check import declared_checks
from pipelines.model import DriftClass
from pipelines.policy import FIELDS
from pipelines.reconcile.models import reconcile_models
from pipelines.tables import TABLES

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
PACKAGES = ("pipelines", "assets", "resources", "cli", "conformance", "sandbox")
CODE = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
SCRATCH = {"linkage"}
"""Dropped again by the step that makes it (`persons`)."""
COMMANDS = typer.main.get_command(app).commands


def test_the_committed_reference_is_what_the_code_makes():
    assert reference.reference() == REFERENCE, "run `make docs`"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_and_is_documented(name):
    command = COMMANDS[name]
    assert (command.help or "").strip()
    assert f"`trueup {name}`" in REFERENCE
    silent = [p.name for p in command.params if p.param_type_name == "option" and not getattr(p, "help", None)]
    assert silent == [], "every option says what it does"


def test_every_environment_variable_is_documented():
    read = re.compile(r"[\"'\s(]((?:TRUEUP|DAGSTER)_[A-Z][A-Z_]*[A-Z])\b")
    named = {name for path in CODE for name in read.findall(path.read_text(encoding="utf-8"))}
    named |= {name for channel in CHANNELS for name in channel.secrets}
    off = {"DAGSTER_DISABLE_TELEMETRY"}
    assert named - off, "the pattern finds something"
    assert {name for name in named - off if f"`{name}`" not in REFERENCE} == set()


def test_every_job_is_documented():
    from assets.jobs import JOBS

    assert {job.name for job in JOBS if f"| `{job.name}` |" not in REFERENCE} == set()
    assert [job.name for job in JOBS if not job.description] == []


@pytest.mark.parametrize("check", declared_checks(), ids=lambda check: check.name)
def test_every_check_is_documented(check):
    assert f"| `{check.name}` | `{check.table}` |" in REFERENCE


def test_every_schema_is_named():
    """What SQL files and generated models fill, and what code creates by name."""
    made = re.compile(r"CREATE SCHEMA (?:IF NOT EXISTS )?([a-z_.]+)")
    paths = [path for path in (ROOT / "pipelines").rglob("*") if path.suffix in (".py", ".sql")]
    schemas = {name.rstrip(".") for path in paths for name in made.findall(path.read_text(encoding="utf-8"))}
    assert {"checks", "compared", "catalogue", "ledger.sync"} <= schemas, "the pattern finds something"
    schemas |= {name.split(".")[0] for name in TABLES} | {"plan", "agree"}
    named = (ROOT / "docs" / "naming.md").read_text(encoding="utf-8")
    assert {name for name in schemas - SCRATCH if f"`{name}`" not in named} == set()


def test_every_compared_field_and_class_is_documented():
    missing = {field for field in FIELDS if REFERENCE.count(f"| `{field}` |") < 2}
    assert missing == set(), "each is in the ladder and with its policy"
    assert set(reference.CLASSES) == set(DriftClass)
    assert {name for name in DriftClass if f"| `{name}` |" not in REFERENCE} == set()


def test_every_endpoint_ability_and_scope_is_documented():
    for channel in CHANNELS:
        words = [*(f"`raw_{channel.name}.{endpoint.name}`" for endpoint in channel.endpoints)]
        words += [f"`{name}`" for name in (*channel.secrets, *channel.needed_scopes)]
        words += [ability.note for ability in channel.abilities if ability.note]
        assert [word for word in words if word not in REFERENCE] == []
        assert {a.rungs for a in channel.abilities} <= {*((rung,) for rung in reference.RUNGS), (1, 2), (2, 3)}


def test_every_ability_matches_a_writer():
    """What is not on rung 0 has a writer, and what is written has a rung."""
    for channel in CHANNELS:
        able = {(a.entity, a.field) for a in channel.abilities if a.rungs != (0,)}
        assert able == {(writer.entity, name) for writer in channel.writers for name in writer.fields}


def _links() -> Iterator[tuple[str, str]]:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                yield str(path.relative_to(ROOT)), target


@pytest.mark.parametrize(("document", "target"), sorted(set(_links())))
def test_links_lead_somewhere(document, target):
    name, _, anchor = target.partition("#")
    path = (ROOT / document).parent / name if name else ROOT / document
    assert path.exists()
    if anchor:
        heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_documents_exist(document):
    text = document.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    code = "\n".join(_code(text))
    assert set(re.findall(r"^\s*make ([a-z]+)\b", code, re.MULTILINE)) <= targets
    assert set(re.findall(r"^\s*trueup ([a-z][a-z-]*)", code, re.MULTILINE)) <= set(COMMANDS)
    modules = set(re.findall(r"python -m ([a-z_.]+)", code))
    missing = {
        name for name in modules & {m for m in modules if m.split(".")[0] in ("benchmarks", "sandbox", "cli")}
        if not (ROOT / name.replace(".", "/")).with_suffix(".py").exists()
        and not (ROOT / name.replace(".", "/") / "__main__.py").exists()
    }
    assert missing == set()


def _code(text: str) -> list[str]:
    """What stands in code blocks and between backticks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [*blocks, *re.findall(r"`([^`\n]+)`", rest)]


def test_paths_named_in_documents_exist():
    """`pipelines/policy.toml` and the like; what is a pattern or a folder of a run is left out."""
    named = re.compile(rf"`((?:{'|'.join(PACKAGES)}|tests|benchmarks|docs|deploy)/[\w./-]+)`")
    for document in DOCUMENTS:
        for name in named.findall(document.read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{document.name}: {name}"


def test_every_benchmark_is_described():
    described = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    names = [path.stem for path in (ROOT / "benchmarks").glob("*.py") if path.stem != "__init__"]
    assert [name for name in names if f"python -m benchmarks.{name}" not in described] == []


def test_the_reference_imports_nothing_of_dagster_until_it_is_made():
    """The command line stays quick: asking imports no Dagster."""
    code = "import cli.reference, cli.main, sys; sys.exit('dagster' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert result.returncode == 0


@pytest.mark.parametrize("table", ["golden.availability", "golden.customer_360", "reconcile.assortment"])
def test_every_column_that_people_read_is_described(table: str) -> None:
    text = (ROOT / "docs" / "views.md").read_text(encoding="utf-8")
    section = text.split(f"## `{table}`")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    query = parse_one(reconcile_models()[table].sql, dialect="duckdb")
    assert described == {column.alias_or_name for column in query.expressions}
