"""The house keeps its own rules: docstrings, module size, import contracts, no path or host of one machine."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("pipelines", "assets", "resources", "cli", "conformance", "sandbox", "benchmarks")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
STAGES = ("extract", "stage", "reconcile", "check", "plan", "approve", "push", "verify")


def tracked() -> list[Path]:
    """Files that git tracks, or all source files where there is no git."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    return [*MODULES, *ROOT.glob("*.*")]


def test_modules_say_what_belongs_in_them():
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in MODULES}
    assert [name for name, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))] == []


def test_no_module_is_over_300_lines():
    long = {
        str(path.relative_to(ROOT)): count
        for path in MODULES
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert long == {}


def test_stages_meet_in_tables_alone():
    """No stage imports another stage (a package's own modules may import each other)."""
    offending = []
    for path in (ROOT / "pipelines").rglob("*.py"):
        parts = path.relative_to(ROOT / "pipelines").with_suffix("").parts
        own = parts[0].split("_")[0]
        if own not in STAGES:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                stage = name.removeprefix("pipelines.").split(".")[0].split("_")[0]
                if name.startswith("pipelines.") and stage in STAGES and stage != own:
                    offending.append(f"{path.relative_to(ROOT)} imports {name}")
    assert offending == []


def test_import_contracts_hold():
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:]


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<![\w.~$}])/(?:work|farm|home/\w+|root)/\w",
        r"python" r"hosted|py" r"pi\.org|registry\.npm" r"js|deb\.deb" r"ian",
    ],
    ids=["absolute path", "registry host"],
)
def test_nothing_of_one_machine_is_written_down(pattern):
    found = []
    for path in tracked():
        if path.suffix in {".png", ".parquet", ".xlsx"} or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert found == []


CHANCE = ("random", "secrets")
DRAWS = {"wait_random_exponential", "wait_random", "wait_exponential_jitter", "uuid1", "uuid4", "urandom",
    "getrandbits"}


def chances(source: str) -> list[str]:
    """Where Python source draws by itself: what it imports or names that nobody can seed from outside."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module).split(".")[0], *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
            if isinstance(node.value, ast.Name) and node.value.id in ("numpy", "np") and node.attr == "random":
                found.append(f"{node.lineno} numpy.random")
        elif isinstance(node, ast.Name):
            names = [node.id] if node.id in DRAWS else []
        else:
            continue
        drawn = [name for name in names if name in DRAWS or (not isinstance(node, ast.Attribute) and name in CHANCE)]
        found += [f"{node.lineno} {name}" for name in drawn]
    return found


def test_chance_is_handed_in():
    """`resources/channels.py` alone draws; connectors get `chance`, so that a simulation can repeat itself."""
    found = [
        f"{path.relative_to(ROOT)}:{where}"
        for folder in ("pipelines", "resources", "assets")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for where in chances(path.read_text(encoding="utf-8"))
    ]
    assert [place for place in found if not place.startswith("resources/channels.py:")] == []
    assert found, "the check sees the one place that may"


@pytest.mark.parametrize("source", [
    "import random", "from random import random", "import secrets", "from secrets import token_hex",
    "import uuid\nuuid.uuid4()", "from uuid import uuid4", "import os\nos.urandom(3)",
    "import numpy as np\nnp.random.rand()",
    "from tenacity import wait_random_exponential", "import tenacity\ntenacity.wait_random_exponential()",
])
def test_the_check_sees_chance(source):
    assert chances(source)


@pytest.mark.parametrize("source", ["settings.secrets", "import uuid\nuuid.uuid5(a, b)", "random_rows = 3"])
def test_the_check_lets_the_rest_be(source):
    assert chances(source) == []


def test_pipelines_do_not_read_the_clock_sleep_or_open_sockets():
    calls = {
        "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.sleep", "time.monotonic",
        "asyncio.sleep", "socket.socket",
    }
    found = []
    for path in (ROOT / "pipelines").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if ".".join(name.split(".")[-2:]) in calls:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    assert found == []
