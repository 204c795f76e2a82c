"""Parquet: bytes to a sheet and back, by pyarrow; on the way out in the columns' own types.

A Parquet file has no lines: what counts as one is the row, from 1. Lists and structs are no cells; where whole rows are
written they go out as they came in, like all that nobody corrects.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.channels.files.mapping import Table
from pipelines.channels.files.sheet import (
    MAX_UNPACKED_BYTES,
    MOST_CELLS,
    Line,
    Sheet,
    broken,
    located,
    text_of,
    without_trailer,
)


@dataclass(frozen=True, slots=True)
class _Row:
    """The cells of one row as Arrow has them: no type, no nanosecond and no list is lost."""

    held: pa.Table
    at: int

    def __getitem__(self, place: int) -> pa.ChunkedArray:
        return self.held.column(place).slice(self.at, 1)


def read_parquet(name: str, content: bytes, table: Table) -> Sheet:
    """A whole file as a sheet; FatalChannelError for what is not one."""
    try:
        said = pq.read_metadata(io.BytesIO(content))
        size = sum(said.row_group(number).total_byte_size for number in range(said.num_row_groups))
        cells = said.num_rows * said.num_columns
        if size > MAX_UNPACKED_BYTES or cells > MOST_CELLS:
            words = f"it unpacks to {size} bytes and {cells} cells, more than {MAX_UNPACKED_BYTES} or {MOST_CELLS}"
            raise broken(name, None, words)
        held = pq.read_table(io.BytesIO(content))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, ValueError) as error:
        raise broken(name, None, "it does not open as Parquet: cut off, or still being written?") from error
    header = tuple(held.column_names)
    columns = located(name, header, table)
    for place in columns.values():
        if pa.types.is_nested(held.schema.field(place).type):
            raise broken(name, None, f"column {place + 1} holds lists or structs, not single values")
    texts = [_texts(held, place, table, is_mapped=place in columns.values()) for place in range(len(header))]
    is_kept = table.rows == "whole"
    lines = [
        Line(number, cells, _Row(held, number - 1) if is_kept else ())
        for number, cells in enumerate(zip(*texts, strict=True), start=1)
    ]
    return Sheet(name, header, without_trailer(name, lines, table), kinds=held.schema, columns=columns)


def write_parquet(
    sheet: Sheet, places: Sequence[int], rows: Sequence[Sequence[str | pa.ChunkedArray]], table: Table
) -> bytes:
    """Rows of the columns at `places` of `sheet`. pa.ArrowException for a text that its column's type cannot hold."""
    fields = [sheet.kinds.field(place) for place in places]
    columns = [
        pa.chunked_array([part for row in rows for part in _parts(row[at], field.type, table)], field.type)
        for at, field in enumerate(fields)
    ]
    target = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=pa.schema(fields)), target)
    return target.getvalue()


def _parts(cell: str | pa.ChunkedArray, kind: pa.DataType, table: Table) -> list[pa.Array]:
    """One cell as arrays of its column's type."""
    if not isinstance(cell, str):
        return list(cell.chunks)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return [pa.array([(cell if is_text else cell.replace(table.decimal, ".")) or None], pa.string()).cast(kind)]


def _texts(held: pa.Table, place: int, table: Table, *, is_mapped: bool) -> list[str]:
    column = held.column(place)
    if pa.types.is_nested(column.type):
        return [""] * len(column) if not is_mapped else []
    return [text_of(value, table) for value in column.to_pylist()]
