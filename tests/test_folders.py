"""Folders of files are opened by their address, with credentials of the environment; a channel never leaves one."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from pipelines.channels import CHANNELS
from pipelines.channels.base import Connection
from pipelines.channels.files import FILES
from pipelines.channels.files.session import FilesSession
from pipelines.configuration import TomlFile
from pipelines.errors import ConfigurationError, CredentialError, FatalChannelError, RetriableChannelError
from pipelines.estate import estate_of
from resources.channels import Settings, connect
from resources.folders import open_folder
from resources.workplace import check_settings
from tests.channels.drops import StillClock

ESTATE = """
estate = {{ name = "maison", timezone = "Europe/Paris" }}
[systems.files]
base_url = "{url}"
shop_id = "maison"
"""


def session_of(folder: Any, clock: StillClock | None = None) -> FilesSession:
    session = FILES.connect(Connection("file:///drops", {}, {}, clock or StillClock(), folder))
    assert isinstance(session, FilesSession)
    return session


async def test_a_folder_of_this_machine_is_listed_read_and_written_atomically(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a b.csv").write_bytes(b"x")
    session = session_of(open_folder(f"file://{tmp_path}", {}))
    [entry] = await session.entries("in")
    assert (entry.name, entry.size) == ("in/a b.csv", 1)
    assert abs(entry.modified_at.timestamp() - (tmp_path / "in" / "a b.csv").stat().st_mtime) < 0.001
    assert await session.read("in/a b.csv") == b"x"
    await session.write("out/b.csv", b"1")
    await session.write("out/b.csv", b"2")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.csv"]
    assert (tmp_path / "out" / "b.csv").read_bytes() == b"2"
    assert (await session.has("out/b.csv"), await session.has("out/c.csv")) == (True, False)
    assert (session.counters.calls, session.counters.bytes_read) == (7, 1)


async def test_nothing_outside_the_folder_is_reached(tmp_path):
    (tmp_path / "drops").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    session = session_of(open_folder(f"file://{tmp_path}/drops", {}))
    for name in ("/etc/hostname", "../secret", "in/../../secret"):
        with pytest.raises(FatalChannelError):
            await session.read(name)
        with pytest.raises(FatalChannelError):
            await session.write(name, b"y")
    assert (tmp_path / "secret").read_bytes() == b"x"


@pytest.mark.parametrize(("address", "message"), [
    ("sftp://anne:sesame@host/drops", "a credential stands in the address of the files; put it in TRUEUP_FILES_USER"),
    ("sftp://sesame@host/drops", "a credential stands in the address of the files; put it in TRUEUP_FILES_USER"),
    ("abfs://drops:sesame@maison.dfs.core.windows.net/in", "a credential stands in the address of the files"),
    ("file://drops/", "a folder of this machine begins with file:/// (three slashes)"),
    ("sftp://host/drops", "sftp:// needs the package paramiko: see docs/channels/files.md"),
    ("s3://bucket/drops", "s3:// needs the package s3fs: see docs/channels/files.md"),
])
def test_an_address_that_cannot_be_opened_says_why(address, message, monkeypatch):
    for package in ("paramiko", "s3fs"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigurationError) as caught:
        open_folder(address, {})
    assert message in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(("address", "root", "options"), [
    ("abfs://drops@maison.dfs.core.windows.net/in/", "drops/in", {"account_name": "maison"}),
    ("abfs://drops/in", "drops/in", {}),
    ("gs://drops/in", "drops/in", {}),
    ("s3://drops", "drops", {"key": "anne", "secret": "sesame"}),
])
def test_object_storage_is_opened_by_the_forms_of_its_address(address, root, options, monkeypatch):
    asked: dict[str, Any] = {}

    def opened(scheme: str, **options: Any) -> Any:
        asked.update(options, scheme=scheme)
        return MemoryFileSystem(skip_instance_cache=True)

    monkeypatch.setattr("fsspec.filesystem", opened)
    folder = open_folder(address, {"TRUEUP_FILES_USER": "anne", "TRUEUP_FILES_PASSWORD": "sesame"})
    assert folder.path == f"/{root}", "a folder in memory is below its root"
    fresh = {"use_listings_cache": False, "skip_instance_cache": True}
    assert asked == {"scheme": address.split(":")[0], **fresh, **options}


def test_only_an_sftp_server_whose_key_is_known_gets_the_password(monkeypatch, tmp_path):
    class HostKeys:
        def __init__(self, file: str = "") -> None:
            self.lines = Path(file).read_text().split() if file else []

        def check(self, hostname: str, key: str) -> bool:
            return [hostname, key] == self.lines

    paramiko: Any = ModuleType("paramiko")
    paramiko.MissingHostKeyPolicy, paramiko.HostKeys, paramiko.SSHException = object, HostKeys, ConnectionError
    monkeypatch.setitem(sys.modules, "paramiko", paramiko)
    asked: dict[str, Any] = {}

    def opened(scheme: str, **options: Any) -> Any:
        asked.update(options, scheme=scheme)
        raise OSError("no network in tests")

    monkeypatch.setattr("fsspec.filesystem", opened)
    known = tmp_path / "known_hosts"
    known.write_text("drops.example right")
    environment = {
        "TRUEUP_FILES_USER": "anne", "TRUEUP_FILES_PASSWORD": "sesame", "TRUEUP_FILES_KNOWN_HOSTS": str(known),
    }
    with pytest.raises(ConfigurationError) as caught:
        open_folder("sftp://drops.example:2222/in", environment)
    assert "sftp://drops.example was not opened: OSError" in str(caught.value)
    assert "sesame" not in str(caught.value)
    expected = {"host": "drops.example", "port": 2222, "username": "anne", "password": "sesame", "scheme": "sftp"}
    assert expected.items() <= asked.items()
    policy = asked["host_key_policy"]
    policy.missing_host_key(None, "drops.example", "right")
    with pytest.raises(ConnectionError):
        policy.missing_host_key(None, "drops.example", "wrong")
    known.unlink()
    with pytest.raises(ConnectionError):
        policy.missing_host_key(None, "drops.example", "right")


class Broken:
    """A file system that fails in a way, a number of times."""

    def __init__(self, error: Exception, times: int = 99) -> None:
        self.error, self.times = error, times

    def invalidate_cache(self) -> None:
        return

    def ls(self, folder: str, detail: bool) -> list[dict[str, Any]]:
        self.times -= 1
        if self.times >= 0:
            raise self.error
        return [{"name": "a.csv", "size": 1, "type": "file", "LastModified": datetime(2026, 6, 14, tzinfo=UTC)}]


async def test_a_connection_that_breaks_is_tried_again():
    clock = StillClock()
    session = session_of(Broken(OSError("reset by anne@example.fr"), times=3), clock)
    assert [entry.name for entry in await session.entries("")] == ["a.csv"]
    assert (session.counters.calls, session.counters.retries, len(clock.slept)) == (4, 3, 3)


@pytest.mark.parametrize(("error", "kind"), [
    (OSError("anne@example.fr"), RetriableChannelError), (ValueError("anne@example.fr"), RetriableChannelError),
    (PermissionError("anne@example.fr"), CredentialError), (FileNotFoundError("anne@example.fr"), FatalChannelError),
])
async def test_errors_become_ours_and_quote_nothing(error, kind):
    with pytest.raises(kind) as caught:
        await session_of(Broken(error)).entries("in")
    assert "in: " in str(caught.value) and "anne" not in str(caught.value)


async def test_a_folder_has_no_http():
    with pytest.raises(FatalChannelError, match="a folder of files has no HTTP"):
        await session_of(None).get("x")


def settings_of(tmp_path: Path, url: str, **environment: str) -> Settings:
    path = tmp_path / "estate.toml"
    path.write_text(ESTATE.format(url=url), encoding="utf-8")
    found = {"TRUEUP_HOME": str(tmp_path), "TRUEUP_ESTATE": str(path), "TRUEUP_CONTACT_KEY": "k"}
    return Settings.read(found | environment)


async def test_the_estates_folder_is_opened_without_any_credential(tmp_path):
    (tmp_path / "drops").mkdir()
    (tmp_path / "drops" / "mapping.toml").write_text(
        'shop_id = "maison"\n[items.t]\nfile = "a.csv"\ncolumns = { key = "Code" }\n', encoding="utf-8"
    )
    settings = settings_of(tmp_path, f"file://{tmp_path}/drops")
    [(channel, session)] = connect(
        settings, estate_of(TomlFile("estate.toml", settings.estate.read_text())), [FILES], clock=StillClock()
    )
    assert (await channel.identify(session)).shop_id == "maison"


@pytest.mark.parametrize(("url", "message"), [
    ("https://files.example", "line 4: systems.files.base_url: not an address of Files; allowed: one that begins"),
    ("ftp://files.example", "not an address of Files"),
    ("drops", "line 4: systems.files.base_url: 'drops' is not allowed; allowed: an address that begins with https://"),
])
def test_an_address_of_another_kind_is_told_with_its_line(tmp_path, url, message):
    with pytest.raises(ConfigurationError) as caught:
        check_settings(settings_of(tmp_path, url), CHANNELS)
    assert message in str(caught.value)


def test_an_address_of_the_environment_is_judged_too(tmp_path):
    settings = settings_of(tmp_path, f"file://{tmp_path}", TRUEUP_FILES_URL="https://files.example")
    estate = estate_of(TomlFile("estate.toml", settings.estate.read_text()))
    with pytest.raises(ConfigurationError, match="files: not an address of Files"):
        connect(settings, estate, [FILES], clock=StillClock())


def test_a_vendor_is_no_folder(tmp_path):
    path = tmp_path / "estate.toml"
    path.write_text(ESTATE.replace("systems.files", "systems.square").format(url="file:///drops"), encoding="utf-8")
    settings = Settings.read({"TRUEUP_HOME": str(tmp_path), "TRUEUP_ESTATE": str(path), "TRUEUP_CONTACT_KEY": "k"})
    with pytest.raises(ConfigurationError, match="line 4: systems.square.base_url: not an address of Square"):
        check_settings(settings, CHANNELS)
