"""Parquet: bytes to a sheet and back, by pyarrow; on the way out in the columns' own types.

A Parquet file has no lines: what counts as one is the row, from 1. Lists and structs are no cells.
"""

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.channels.files.mapping import Table
from pipelines.channels.files.sheet import Line, Sheet, broken, located, text_of, without_trailer


def read_parquet(name: str, content: bytes, table: Table) -> Sheet:
    """A whole file as a sheet; FatalChannelError for what is not one."""
    try:
        held = pq.read_table(io.BytesIO(content))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, ValueError) as error:
        raise broken(name, None, "it does not open as Parquet: cut off, or still being written?") from error
    header = tuple(held.column_names)
    columns = located(name, header, table)
    for place in columns.values():
        if pa.types.is_nested(held.schema.field(place).type):
            raise broken(name, None, f"column {place + 1} holds lists or structs, not single values")
    texts = [_texts(held, place, table, is_mapped=place in columns.values()) for place in range(len(header))]
    lines = [Line(number, cells) for number, cells in enumerate(zip(*texts, strict=True), start=1)]
    return Sheet(name, header, without_trailer(name, lines, table), kinds=held.schema, columns=columns)


def write_parquet(sheet: Sheet, places: Sequence[int], rows: Sequence[Sequence[str]], table: Table) -> bytes:
    """Rows of the columns at `places` of `sheet`. pa.ArrowInvalid for a text that its column's type cannot hold."""
    fields, arrays = [], []
    for at, place in enumerate(places):
        field = sheet.kinds.field(place)
        texts: list[str | None] = [row[at] or None for row in rows]
        if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            texts = [text.replace(table.decimal, ".") if text else None for text in texts]
        fields.append(field)
        arrays.append(pa.array(texts, pa.string()).cast(field.type))
    target = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), target)
    return target.getvalue()


def _texts(held: pa.Table, place: int, table: Table, *, is_mapped: bool) -> list[str]:
    column = held.column(place)
    if pa.types.is_nested(column.type):
        return [""] * len(column) if not is_mapped else []
    return [text_of(value, table) for value in column.to_pylist()]
