"""A mapping out of its file: checked as a whole, with every fault told by line, key and what is allowed.

The forms are `mapping`; here is what no form can say: what contradicts itself, is said twice or has no effect.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pipelines.channels.files.mapping import (
    COUNTERS,
    ENTITIES,
    PLACES,
    Form,
    ItemColumns,
    Mapping,
    PriceColumns,
    StockColumns,
    Table,
    headers_of,
)
from pipelines.channels.files.patterns import may_name_one
from pipelines.configuration import TomlFile, parse
from pipelines.errors import ConfigurationError

SCHEMA = Path(__file__).with_name("mapping.schema.json")


def mapping_of(file: TomlFile) -> Mapping:
    """Check a file already read; ConfigurationError names line, key and allowed values of all that is wrong."""
    content = file.content
    defaults = content.get("defaults", {})
    parse(file, Form, defaults, ("defaults",))
    own = content.get("consents", {})
    for entity in ENTITIES:
        tables = content.get(entity, {})
        if isinstance(tables, dict):
            content[entity] = {n: {**defaults, **t} if isinstance(t, dict) else t for n, t in tables.items()}
    mapping = parse(file, Mapping, content)
    for name, table in mapping.consents.items():
        table.model_fields_set.intersection_update(own[name])  # a no under [defaults] is not said of permissions
    if told := [file.error(path, message).message for path, message in _faults(mapping)]:
        raise ConfigurationError("\n".join(told))
    return mapping


def _faults(mapping: Mapping) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where, and what contradicts itself or has no effect."""
    if not any(mapping.tables(entity) for entity in ENTITIES):
        yield (), f"no table is mapped; allowed: at least one of {', '.join(ENTITIES)}"
    tables = {(entity, name): table for entity in ENTITIES for name, table in mapping.tables(entity).items()}
    for path, table in tables.items():
        yield from ((path + below, message) for below, message in _faults_of(path[0], table))
        if any(_looks_in(pattern, mapping.out) for pattern in _patterns(table)):
            yield ("out",), f"drops of {'.'.join(path)} are looked for there; allowed: a folder without drops, as out"
        if table.rows == "whole":
            others = {other: t for other, t in tables.items() if other != path}
            yield from ((path + ("rows",), message) for message in _faults_of_whole(table, others))


def _faults_of(entity: str, table: Table) -> Iterator[tuple[tuple[str, ...], str]]:
    if table.thousands == table.decimal:
        yield ("thousands",), f"{table.thousands!r} is the decimal sign too; allowed: another sign, or an empty text"
    if table.changes and table.newest_by == "name":
        yield ("newest_by",), "changes are laid over the file by their times; allowed with changes: time"
    headers = [header for _, headers in headers_of(table.columns) for header in headers]
    if not table.header_row and (named := [header for header in headers if not header.startswith("#")]):
        yield ("columns",), f"no line names the columns (header_row = 0), so {named[0]!r} is none; allowed: as #1"
    if not table.header_row and table.rows == "changed":
        words = "without headers nobody could tell which columns they are; allowed with header_row = 0: whole"
        yield ("rows",), f"{words}, or none where nothing is to be written"
    if bad := [header for header in headers if header.startswith("#") and not header[1:].isdecimal() or header == "#0"]:
        yield ("columns",), f"{bad[0]!r} is no column's number; allowed: #1, #2 …"
    yield from _faults_of_place(entity, table)
    columns = table.columns
    if isinstance(columns, PriceColumns) and not table.currency and columns.currency is None:
        yield ("currency",), "is missing; allowed: a code of ISO 4217, or a column currency"
    if isinstance(columns, ItemColumns) and columns.cost and not table.currency and columns.currency is None:
        yield ("currency",), "is missing, and the cost needs one; allowed: a code of ISO 4217, or a column currency"
    if isinstance(columns, StockColumns) and columns.on_hand is None and columns.available is None:
        yield ("columns",), "no column holds a quantity; allowed: on_hand, available, or both"


def _faults_of_whole(table: Table, others: dict[tuple[str, str], Table]) -> Iterator[str]:
    """A whole row takes along what nobody corrects: that must be nothing which another table or nobody may write."""
    allowed = "allowed: changed, or none where nothing is to be written"
    if counters := [name for name, _ in headers_of(table.columns) if name in COUNTERS]:
        yield f"whole rows would set {counters[0]} back to what it was when it was dropped; {allowed}"
    for other, its in others.items():
        if any(may_name_one(a, b) for a in _patterns(table) for b in _patterns(its)):
            words = "may be of the same file, and whole rows would take its corrections back"
            yield f"{'.'.join(other)} {words}; {allowed}"


def _patterns(table: Table) -> list[str]:
    return [pattern for pattern in (table.file, table.changes) if pattern]


def _looks_in(pattern: str, folder: str) -> bool:
    """Whether files of a pattern are looked for in a folder; not every file system knows upper from lower case."""
    return str(PurePosixPath(pattern).parent).lower() == folder.lower()


def _faults_of_place(entity: str, table: Table) -> Iterator[tuple[tuple[str, ...], str]]:
    place = PLACES.get(entity, "")
    slots = [part.split("}")[0] for part in f"{table.file}\n{table.changes}".split("{")[1:]]
    if strange := [slot for slot in slots if slot != place]:
        words = f"{{{place}}}" if place else "no braces"
        yield ("file",), f"{{{strange[0]}}} means nothing here; allowed: {words}"
        return
    if table.changes and ("{" in table.file) != ("{" in table.changes):
        yield ("changes",), f"one of the two names holds {{{place}}}, the other does not; allowed: in both, or in none"
    if not place:
        return
    said = [bool(slots), bool(getattr(table, place)), getattr(table.columns, place) is not None]
    allowed = f"allowed: one of {place}, columns.{place}, {{{place}}} in the file name"
    if sum(said) > 1:
        yield (place,), f"is said more than once; {allowed}"
    if not any(said) and entity != "prices":
        yield (place,), f"is missing; {allowed}"


def json_schema() -> dict[str, Any]:
    """What `mapping.schema.json` holds, for editors that complete and check TOML."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Mapping.model_json_schema()}
