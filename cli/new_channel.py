"""`trueup new-channel NAME`: the files of a new connector, working from the first minute against its own sandbox.

Fills the templates beside (`templates/channel`), adds the two lines by which the system is known, and overwrites
nothing. What is written is meant to be changed: it is a plain vendor with customers, so that every part is there.
"""

import keyword
import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import jinja2

from pipelines.channels import CHANNELS
from pipelines.errors import ConfigurationError
from pipelines.tables import STAGE, TABLES

TEMPLATES = Path(__file__).parent / "templates" / "channel"
FILES = {
    "__init__.py": "pipelines/channels/{name}/__init__.py",
    "session.py": "pipelines/channels/{name}/session.py",
    "reads.py": "pipelines/channels/{name}/reads.py",
    "writes.py": "pipelines/channels/{name}/writes.py",
    "customers.sql": "pipelines/channels/{name}/customers.sql",
    "cases.yaml": "tests/cases/{name}/customers.yaml",
    "hands.py": "conformance/hands/{name}.py",
    "sandbox_init.py": "sandbox/{name}/__init__.py",
    "sandbox_api.py": "sandbox/{name}/api.py",
    "sandbox_vendor.py": "sandbox/{name}/vendor.py",
    "page.md": "docs/channels/{name}.md",
}
"""Template to place."""
CHANNEL_LIST, VENDOR_LIST = "pipelines/channels/__init__.py", "sandbox/app.py"
READ_COLUMNS = (
    "first_name", "last_name", "email", "phone", "street", "city", "postcode", "country", "version", "created_at",
    "updated_at",
)
MADE_COLUMNS = {"vendor_id": "id", "email_norm": "norm_email(email)", "phone_e164": "norm_phone(phone, country)"}
_TITLE = re.compile(r"[^\\\"'<>|`\x00-\x1f]{1,40}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
_OURS = {
    "base", "keys", "limits", "ledger", "main", "sync", "staged", "compared", "checks", "catalogue", "plan", "agree",
    "world", "store", "vendor", "app", "estate", "records", "raw", "information_schema", "pg_catalog", "judge",
}
"""Modules and schemas of ours that a system must not be called like."""


def new_channel(name: str, *, title: str = "", root: Path) -> list[Path]:
    """Write the files and lines of a system under `root`; the paths written, in order.

    Raises ConfigurationError for a name that cannot be one, for one that is taken, and where any file is there already.
    """
    check_name(name)
    kind = "".join(part.title() for part in name.split("_"))
    if title and not _TITLE.fullmatch(title):
        raise ConfigurationError(f"--title {title!r} is too long, or has quotes or signs that mean something elsewhere")
    given = {
        "name": name, "constant": name.upper(), "kind": kind, "title": title or kind,
        "columns": list(STAGE["customers"].items()), "read": READ_COLUMNS, "made": MADE_COLUMNS,
    }
    texts = {
        root / place.format(name=name): _in_order(_filled(template, given)) for template, place in FILES.items()
    }
    if there := [path for path in texts if path.exists()]:
        raise ConfigurationError(f"{there[0].relative_to(root)} is there already; nothing was written")
    lists = {
        root / CHANNEL_LIST: _with_channel((root / CHANNEL_LIST).read_text(encoding="utf-8"), name),
        root / VENDOR_LIST: _with_vendor((root / VENDOR_LIST).read_text(encoding="utf-8"), name, kind),
    }
    for path, text in (texts | lists).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [*texts, *lists]


def check_name(name: str) -> None:
    """ConfigurationError for a name that cannot be a package, a schema and a variable at once, or that is taken."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise ConfigurationError(
            f"{name!r} cannot be a system's name; allowed: a Python identifier of small letters, digits and _, "
            "30 at most, as \"lightspeed\""
        )
    if name in {channel.name for channel in CHANNELS}:
        raise ConfigurationError(f"there is a system {name!r} already")
    if name in _OURS | {table.split(".")[0] for table in TABLES} or name.startswith("raw_"):
        raise ConfigurationError(f"{name!r} is a name of trueup's own; the system needs another")


def _filled(template: str, given: Mapping[str, object]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
        variable_start_string="<<", variable_end_string=">>", block_start_string="<%", block_end_string="%>",
        comment_start_string="<#", comment_end_string="#>", trim_blocks=True, autoescape=False,
    )
    return environment.get_template(f"{template}.jinja").render(given)


def _in_order(text: str) -> str:
    """Imports from modules in the order of their names: where the new one stands among them depends on its name."""
    lines = text.splitlines(keepends=True)
    for is_import, run in groupby(range(len(lines)), key=lambda number: lines[number].startswith("from ")):
        places = list(run)
        if is_import:
            ordered = sorted((lines[number] for number in places), key=lambda line: line.split()[1])
            lines[places[0] : places[-1] + 1] = ordered
    return "".join(lines)


def _with_channel(text: str, name: str) -> str:
    """The list of channels with one more, its import in the order of the others."""
    line = f"from pipelines.channels.{name} import {name.upper()}"
    lines = text.splitlines()
    imports = [number for number, one in enumerate(lines) if one.startswith("from pipelines.channels.")]
    place = next((number for number in imports if lines[number] > line), imports[-1] + 1)
    lines.insert(place, line)
    found = re.subn(r"(?s)(CHANNELS: [^\n]*= \(.*?),?\s*\)\n", rf"\1, {name.upper()})\n", "\n".join(lines) + "\n")
    if found[1] != 1:
        raise ConfigurationError(f"{CHANNEL_LIST} holds no list CHANNELS to add to")
    return found[0]


def _with_vendor(text: str, name: str, kind: str) -> str:
    """The sandbox's table of vendors with one more."""
    found = re.subn(r"(?s)(VENDORS = \{.*?)\n\}", rf'\1\n    "{name}": "{kind}Vendor",\n}}', text, count=1)
    if found[1] != 1:
        raise ConfigurationError(f"{VENDOR_LIST} holds no table VENDORS to add to")
    return found[0]


NEXT = """next:
  trueup conformance {name} --write    against your server: --url and {token}; the sandbox plays it in tests
  python -m pipelines.policy           the schema of policy.toml
  python -m cli.reference              docs/reference.md
docs/channels.md walks through the rest: its rank in policy.toml, its traps in the sandbox, its page in docs/channels"""
