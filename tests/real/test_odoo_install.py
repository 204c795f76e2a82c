"""How an Odoo of our own is found: the machine's Debian mirror, and the one error where something cannot be had."""

from pathlib import Path

import pytest

from deploy.real import odoo
from deploy.real.missing import Missing

RELEASE = 'NAME="Debian"\nVERSION_CODENAME=bookworm\n'
STANZAS = """Types: deb
# a comment: of the mirror
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


def etc(folder: Path, **files: str) -> Path:
    """A folder like /etc."""
    (folder / "apt" / "sources.list.d").mkdir(parents=True)
    (folder / "os-release").write_text(RELEASE)
    for name, text in files.items():
        (folder / "apt" / "sources.list.d" / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("text", "mirror"),
    [
        (STANZAS, "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian"),
        ("# old\ndeb http://mirror.example/debian bookworm main contrib\n", "http://mirror.example/debian"),
        ("deb [arch=amd64] http://mirror.example/debian bookworm main\n", "[arch=amd64] http://mirror.example/debian"),
    ],
)
def test_the_mirror_is_the_machines_own(tmp_path, text, mirror):
    other = "deb http://tools.example/apt tools-bookworm main\n"
    assert odoo._mirror(etc(tmp_path, a=other, b=text)) == mirror


def test_no_mirror_no_package_manager_and_no_python_are_one_error_that_says_which(tmp_path, monkeypatch):
    with pytest.raises(Missing, match="no Debian mirror"):
        odoo._mirror(etc(tmp_path / "etc", a="deb http://tools.example/apt stable main\n"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Missing, match="no apt-get here"):
        odoo.install(tmp_path / "odoo")
    monkeypatch.setattr(odoo, "PYTHONS", ((3, 1), (3, 2)))
    with pytest.raises(Missing, match="needs Python"):
        odoo.install(tmp_path / "odoo")


def test_what_is_installed_is_not_installed_again(tmp_path, monkeypatch):
    (tmp_path / "version").write_text("19.0.0")
    done = []
    monkeypatch.setattr(odoo, "_install_libraries", done.append)
    monkeypatch.setenv("PATH", "")
    assert [odoo.install(tmp_path), odoo.install(tmp_path)] == ["19.0.0", "19.0.0"]
    assert done == [tmp_path]


def test_every_library_has_one_version():
    lines = odoo.REQUIREMENTS.read_text().splitlines()
    assert lines and all(line.count("==") == 1 for line in lines)
