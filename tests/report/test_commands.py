"""Every command line that the report or a document shows is one that the command line takes, options included."""

import html
import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from cli.main import app
from pipelines.report.commands import answers, sheet, why
from pipelines.report.page import render
from tests.report.night import AS_OF, HOSTILE, facts, flow, rich_night, unsent

ROOT = Path(__file__).parents[2]
GROUP = typer.main.get_command(app)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
_LINE = re.compile(r"^(?:\.venv/bin/)?trueup(?: .*)?$")


def parse(line: str) -> str | None:
    """What is wrong with a line, or nothing."""
    try:
        words = shlex.split(line, comments=True)[1:]
        if not words or words == ["--help"]:
            return None
        name, *rest = words
        if name not in GROUP.commands:
            return f"there is no command {name}"
        with click.Context(GROUP, info_name="trueup") as parent, GROUP.commands[name].make_context(
            name, rest, parent=parent
        ):
            return None
    except click.exceptions.Exit:
        return None
    except (click.ClickException, ValueError) as error:
        return str(getattr(error, "message", error))


def printed(page: str) -> list[str]:
    """The command lines of a rendered page."""
    found = [html.unescape(text).strip() for text in re.findall(r"<code[^>]*>(.*?)</code>", page, re.DOTALL)]
    return [line for line in found if _LINE.match(line) and line != "trueup"]


def written(path: Path) -> list[str]:
    """The command lines of a document: in its code blocks, and between backticks."""
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    if path.name == "reference.md":  # its table of commands has their names, which are no lines to run
        rest = re.sub(r"^\| `trueup [a-z-]+` \|", "|", rest, flags=re.MULTILINE).replace("trueup COMMAND --help", "")
    spans = re.findall(r"`([^`]+)`", rest)
    lines = [line.strip() for block in blocks for line in block.splitlines()] + [" ".join(s.split()) for s in spans]
    return [line for line in lines if _LINE.match(line) and line not in ("trueup", ".venv/bin/trueup")]


@pytest.mark.parametrize(
    ("line", "is_good"),
    [
        ("trueup approve abcdef", False),
        ('trueup approve abcdef --reason "seen"', True),
        ('trueup pin abcdef --until someday --reason "seen"', False),
        ("trueup pin abcdef --until 2026-07-01", False),
        ("trueup push --hard", False),
        ("trueup shove", False),
        ("trueup why", False),
        (".venv/bin/trueup status", True),
        ("trueup --help", True),
    ],
)
def test_the_parser_of_this_test_tells_good_lines_from_bad(line, is_good):
    assert (parse(line) is None) is is_good


def test_every_command_of_the_report_can_be_run_as_it_stands():
    lines = printed(render(rich_night(12)))
    names = {line.split()[1] for line in lines}
    assert {"approve", "accept-theirs", "reject", "pin", "plan", "decide", "push", "why"} <= names
    assert {line: wrong for line in lines if (wrong := parse(line))} == {}


def test_a_dry_run_and_a_hostile_name_print_lines_that_can_be_run():
    rows = [
        unsent("hold", correction_key=f"{n:064d}", sku=name, vendor_id=name, disposition_reason=str(n))
        for n, name in enumerate([*HOSTILE, "-rf", "a b", "'", "$(rm x)"])
    ]
    lines = printed(render(facts(status="planned", rows=rows, flow=[flow(waiting=len(rows))])))
    assert len([line for line in lines if line.startswith("trueup why")]) == len(rows)
    assert {line: wrong for line in lines if (wrong := parse(line))} == {}
    assert shlex.split(why(unsent("hold", sku="$(rm x)"))) == ["trueup", "why", "$(rm x)"]


def test_an_answer_names_its_row_and_gives_a_reason():
    lines = [command.line for command in answers(unsent("hold", correction_key="abc123" * 11), AS_OF.date())]
    assert [line.split()[1] for line in lines] == ["approve", "accept-theirs", "reject", "pin"]
    assert all("abc123abc123 " in line and "--reason" in line for line in lines)
    assert "--until 2026-06-29" in lines[3]


def test_the_spreadsheet_comes_back_and_is_pushed():
    assert [command.line.split()[1] for command in sheet()] == ["plan", "decide", "push"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_of_a_document_can_be_run_as_it_stands(path):
    assert {line: wrong for line in written(path) if (wrong := parse(line))} == {}


def test_documents_are_searched_and_say_where_the_command_line_is():
    found = {path.name: written(path) for path in DOCUMENTS}
    assert {"README.md", "lifecycle.md", "operations.md"} <= {name for name, lines in found.items() if lines}
    for name in ("README.md", "docs/operations.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert ".venv/bin/trueup" in text and "source .venv/bin/activate" in text
