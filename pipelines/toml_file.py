"""A TOML file of the user's, with its text kept: so that an error can say on which line a key stands."""

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigurationError

KeyPath = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A file's name and text, kept to say where a key stands."""

    name: str
    text: str

    @property
    def content(self) -> dict[str, Any]:
        """The parsed file; ConfigurationError with the parser's own line when it is not TOML."""
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{self.name}: not valid TOML: {error}") from error

    def line_of(self, path: KeyPath) -> int:
        """The line of a key, or of the nearest table above it that is written down; 1 when nothing is."""
        lines = _key_lines(self.text)
        for wanted in ([str(part) for part in path], [str(part) for part in path if not isinstance(part, int)]):
            while wanted and tuple(wanted) not in lines:
                wanted.pop()
            if wanted:
                return lines[tuple(wanted)]
        return 1

    def error(self, path: KeyPath, message: str) -> ConfigurationError:
        """The error for one key of this file."""
        key = ".".join(_quoted(str(part)) for part in path)
        return ConfigurationError(f"{self.name} line {self.line_of(path)}: {key}: {message}")


def read_file(path: Path) -> TomlFile:
    """The file's text; ConfigurationError naming the path when there is none, or what in it is not UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        words = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise ConfigurationError(f"{path}: {words}") from error
    try:
        return TomlFile(path.name, content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        wrong = f"byte 0x{content[error.start]:02X} is not UTF-8"
        raise ConfigurationError(f"{path.name} line {line}: {wrong}; allowed: a TOML file saved as UTF-8") from error


_HEADER = re.compile(r"^\s*\[\[?\s*(?P<key>[^\]]+?)\s*\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"""^\s*(?P<key>(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def _key_lines(text: str) -> dict[tuple[str, ...], int]:
    """First line of every table and key that is written on a line of its own; each `[[table]]` also by its number."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    seen: Counter[tuple[str, ...]] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _parts(header["key"])
            if line.lstrip().startswith("[["):
                found.setdefault(table, number)
                seen[table] += 1
                table = (*table, str(seen[table] - 1))
            path = table
        elif assignment := _ASSIGNMENT.match(line):
            path = (*table, *_parts(assignment["key"]))
        else:
            continue
        for depth in range(1, len(path) + 1):
            found.setdefault(path[:depth], number)
        found[path] = min(found[path], number)
    return found


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(key))


def _quoted(part: str) -> str:
    return part if re.fullmatch(r"[\w-]+", part) else f'"{part}"'
