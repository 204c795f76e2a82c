"""The folders that files are dropped in, opened by their address: of this machine, over SFTP, in object storage.

The one place that opens a file system for a channel, as `warehouse` is for DuckDB: channels get a folder, cannot leave
it, and tests hand in one in memory. Credentials come from the environment alone; for object storage the provider's own
variables and profiles count too. What SFTP and object storage need is no dependency of ours: docs/channels/files.md
names it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from pipelines.errors import ConfigurationError

USER, PASSWORD, KEY_FILE = "TRUEUP_FILES_USER", "TRUEUP_FILES_PASSWORD", "TRUEUP_FILES_KEY_FILE"
KNOWN_HOSTS = "TRUEUP_FILES_KNOWN_HOSTS"
_NEEDS = {"sftp": "paramiko", "s3": "s3fs", "gs": "gcsfs", "abfs": "adlfs"}


def open_folder(address: str, environment: Mapping[str, str]) -> Any:
    """An fsspec file system whose root is the folder at `address`; ConfigurationError where it cannot be opened.

    Nothing is looked at yet in a folder of this machine; SFTP connects at once, since fsspec does.
    """
    parts = urlsplit(address)
    if parts.password or (parts.username and parts.scheme != "abfs"):  # there the container stands before the @
        raise ConfigurationError(f"a credential stands in the address of the files; put it in {USER} and {PASSWORD}")
    from fsspec import filesystem
    from fsspec.implementations.dirfs import DirFileSystem

    if parts.scheme == "file":
        if parts.netloc:
            raise ConfigurationError(f"{address}: a folder of this machine begins with file:/// (three slashes)")
        return DirFileSystem(unquote(parts.path), filesystem("file", skip_instance_cache=True))
    if parts.scheme == "sftp":
        options, root = _sftp(parts.hostname or "", parts.port, environment), parts.path
    else:
        options, root = _storage(parts, environment)
    try:
        found = filesystem(parts.scheme, skip_instance_cache=True, **options)
    except ImportError as error:
        need = _NEEDS.get(parts.scheme, "an fsspec package")
        raise ConfigurationError(f"{parts.scheme}:// needs the package {need}: see docs/channels/files.md") from error
    except Exception as error:  # each library of a file system raises its own; none has a common root
        raise ConfigurationError(
            f"{parts.scheme}://{parts.hostname} was not opened: {type(error).__name__}; are the address, {USER} and "
            f"{PASSWORD} or {KEY_FILE} right, and for SFTP does {KNOWN_HOSTS} hold the server's key?"
        ) from error
    return DirFileSystem(root.rstrip("/"), found)


def _storage(parts: SplitResult, environment: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """Options and root. Key and secret are S3's words; the others have their own, in their own variables."""
    options: dict[str, Any] = {"use_listings_cache": False}  # what was dropped since the last look would not be seen
    key, secret = environment.get(USER, ""), environment.get(PASSWORD, "")
    if parts.scheme == "s3" and key and secret:
        options |= {"key": key, "secret": secret}
    if parts.username:
        options["account_name"] = (parts.hostname or "").partition(".")[0]
    return options, f"{parts.username or parts.netloc}{parts.path}"


def _sftp(host: str, port: int | None, environment: Mapping[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {"host": host, "port": port or 22, "timeout": 30}
    found = {"username": environment.get(USER), "password": environment.get(PASSWORD),
             "key_filename": environment.get(KEY_FILE)}
    options |= {name: value for name, value in found.items() if value}
    known = Path(environment.get(KNOWN_HOSTS) or Path.home() / ".ssh" / "known_hosts")
    return options | {"host_key_policy": _known_hosts(known)}


def _known_hosts(file: Path) -> Any:
    """Only a server whose key is known gets the password; fsspec by itself would trust whoever answers first."""
    try:
        import paramiko
    except ImportError as error:
        raise ConfigurationError("sftp:// needs the package paramiko: see docs/channels/files.md") from error

    class KnownHosts(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
        """Takes the keys of one file, as ssh does."""

        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            keys = paramiko.HostKeys(str(file)) if file.exists() else paramiko.HostKeys()
            if not keys.check(hostname, key):
                raise paramiko.SSHException(f"the key of {hostname} is not in {file.name}")

    return KnownHosts()
