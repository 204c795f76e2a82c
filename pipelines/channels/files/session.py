"""Access to a folder of drops: listing, reading and atomic writing, counted, off the event loop, errors of ours.

The folder is an fsspec file system that was handed in; here nothing is opened. Knows names and bytes, no mapping's
columns and no rows. Files have no version and no lock, so a file is written under another name and then renamed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from threading import Lock
from typing import Any, TypeVar, cast

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

from pipelines.channels.base import Connection, Identity
from pipelines.channels.files.mapping import Mapping
from pipelines.channels.files.mapping_check import mapping_of
from pipelines.clock import Clock
from pipelines.configuration import read_file
from pipelines.errors import ConfigurationError, CredentialError, FatalChannelError, RetriableChannelError
from pipelines.http import BACKOFF_SECONDS, MAX_TRIES, Answer, Session
from pipelines.toml_file import TomlFile

MAPPING = "mapping.toml"
"""Where the mapping is looked for in the folder, if the estate names none (`options = { mapping = "files.toml" }`)."""
MAX_FILE_BYTES = 512 * 1024 * 1024
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "created")
"""What the file systems of fsspec call the time of the last change."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the folder. `name`: its path inside; `modified_at`: UTC, by the clock of whoever keeps the files."""

    name: str
    size: int
    modified_at: datetime


class _NoHttp(httpx.AsyncBaseTransport):
    """A folder is not asked over HTTP; what tries to is a fault of ours."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise FatalChannelError("a folder of files has no HTTP", system="files")


class _NoLimit:
    """A folder allows any number of calls."""

    async def acquire(self, cost: float) -> None:
        return

    def observe(self, answer: Answer) -> None:
        return


class FilesSession(Session):
    """All access to one folder. What the base class does over HTTP is not there; counters, clock and options are."""

    def __init__(self, connection: Connection, mapping: Mapping | None) -> None:
        super().__init__(
            system="files", base_url=connection.base_url, headers={}, limiter=_NoLimit(), judge=lambda answer: None,
            clock=cast(Clock, connection.clock), options=connection.options, transport=_NoHttp(),
            chance=connection.chance,
        )
        self._folder: Any = connection.transport
        self._mapping, self._waits = mapping, connection.chance
        self._one = Lock()  # not every library of a file system lets several threads call at once
        self.kept: dict[object, Any] = {}
        """Files that have been taken apart, for who reads them again tonight; shared by all copies of the session."""

    async def mapping(self) -> Mapping:
        """The mapping: the estate's, or the folder's own. FatalChannelError with all that is wrong in the latter."""
        if self._mapping is None:
            content = await self.read(MAPPING)
            try:
                self._mapping = mapping_of(TomlFile(MAPPING, content.decode("utf-8")))
            except UnicodeDecodeError as error:
                raise FatalChannelError(f"{MAPPING} is not UTF-8", system="files") from error
            except ConfigurationError as error:
                raise FatalChannelError(error.message, system="files") from error
        return self._mapping

    async def entries(self, folder: str) -> list[Entry]:
        """The files of a folder (not of those below it), in the order of their names."""
        def look() -> list[dict[str, Any]]:
            self._folder.invalidate_cache()
            return cast("list[dict[str, Any]]", self._folder.ls(folder, detail=True))

        found = await self._do(look, folder or "the folder of the drops")
        files = [entry for entry in found if entry["type"] == "file"]
        return sorted(
            (Entry(str(PurePosixPath(f["name"])), int(f["size"] or 0), _modified(f)) for f in files),
            key=lambda entry: entry.name,
        )

    async def read(self, name: str) -> bytes:
        """A whole file. FatalChannelError where there is none, or one of over MAX_FILE_BYTES."""
        size = int(await self._do(lambda: self._folder.size(name), name) or 0)
        if size > MAX_FILE_BYTES:
            raise FatalChannelError(f"{name} has {size} bytes, more than {MAX_FILE_BYTES}", system="files")
        content = cast(bytes, await self._do(lambda: self._folder.cat_file(name), name))
        self.counters.bytes_read += len(content)
        return content

    async def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return bool(await self._do(lambda: self._folder.exists(name), name))

    async def write(self, name: str, content: bytes) -> None:
        """Put a file there as a whole or not at all; one of that name is replaced.

        Said again, it ends in the same file: whoever lost the answer may repeat it.
        """
        path = PurePosixPath(name)
        part = str(path.with_name(f".{path.name}.part"))

        def put() -> None:
            self._folder.makedirs(str(path.parent), exist_ok=True)
            self._folder.pipe_file(part, content)
            self._folder.mv(part, name)

        await self._do(put, name)

    async def _do(self, work: Callable[[], T], name: str) -> T:
        """One call in a thread of its own, repeated where a connection broke; never outside the folder."""
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise FatalChannelError(f"{name} is not inside the folder", system="files")
        async for attempt in AsyncRetrying(
            sleep=self.clock.sleep, stop=stop_after_attempt(MAX_TRIES), reraise=True,
            wait=lambda state: self._waits() * BACKOFF_SECONDS * float(2 ** state.attempt_number),
            retry=retry_if_exception_type(RetriableChannelError),
        ):
            with attempt:
                self.fence()
                with self.breaker.call():
                    self.counters.calls += 1
                    self.counters.retries += attempt.retry_state.attempt_number > 1
                    return await asyncio.to_thread(self._translated, work, name)
        raise AssertionError("unreachable: tenacity re-raises")

    def _translated(self, work: Callable[[], T], name: str) -> T:
        try:
            with self._one:
                return work()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise FatalChannelError(f"{name}: there is no such file or folder", system="files") from error
        except PermissionError as error:
            raise CredentialError(f"{name}: access is denied", system="files") from error
        except Exception as error:  # the libraries of remote file systems raise their own, of no common root
            raise RetriableChannelError(f"{name}: {type(error).__name__}", system="files") from error


def _modified(entry: dict[str, Any]) -> datetime:
    found = next((entry[key] for key in _TIMES if entry.get(key) is not None), None)
    if isinstance(found, datetime):
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    if isinstance(found, int | float):
        return datetime.fromtimestamp(found, UTC)
    if isinstance(found, str):
        return datetime.fromisoformat(found)
    raise FatalChannelError(f"{entry['name']}: the file system does not say when it was changed", system="files")


def connect(connection: Connection) -> Session:
    """The session of one folder; ConfigurationError for a mapping of the estate's that is wrong or not there."""
    named = connection.options.get("mapping", "")
    return FilesSession(connection, mapping_of(read_file(connection.folder / named)) if named else None)


async def identify(session: Session) -> Identity:
    """Whose drops these are, by the mapping; the folder is there."""
    files = of_files(session)
    mapping = await files.mapping()
    await files.entries("")
    return Identity(mapping.shop_id, mapping.shop_id)


def of_files(session: Session) -> FilesSession:
    """The session as what it is."""
    if not isinstance(session, FilesSession):
        raise FatalChannelError("not a session of files", system="files")
    return session
