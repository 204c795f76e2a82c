"""Where read records wait until the whole read is judged: one Parquet file per read, appended page by page.

Belongs to the extract stage. Knows no vendor, no table and no clock. Records stay the bytes that the vendor sent:
nothing is parsed here, so a read of any size costs the memory of one batch.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.channels.base import RawRow
from pipelines.errors import FatalChannelError

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("updated_at", pa.string()),
        pa.field("payload", pa.string(), nullable=False),
        pa.field("read_at", pa.timestamp("us", "UTC"), nullable=False),
    ]
)
_BATCH_ROWS = 20_000
_BATCH_BYTES = 16 * 1024 * 1024


class Spill:
    """Appends rows to one file. As a context manager it gives the file free; only `finish` makes it whole."""

    def __init__(self, path: Path) -> None:
        self.path, self.row_count = path, 0
        # Payloads never repeat, so dictionaries and statistics would only cost time (they did: 25 times).
        self._writer = pq.ParquetWriter(
            path, SCHEMA, compression="snappy", use_dictionary=False, write_statistics=False
        )
        self._rows: list[tuple[RawRow, datetime]] = []
        self._bytes = 0

    def __enter__(self) -> "Spill":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def add(self, rows: Sequence[RawRow], read_at: datetime) -> None:
        """Append one page. Raises FatalChannelError for a record without id or not in UTF-8."""
        self._rows.extend((row, read_at) for row in rows)
        self._bytes += sum(len(row.payload) for row in rows)
        if len(self._rows) >= _BATCH_ROWS or self._bytes >= _BATCH_BYTES:
            self._flush()

    def finish(self) -> None:
        """Write what waits and end the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if not self._rows:
            return
        rows, self._rows, self._bytes = self._rows, [], 0
        try:
            batch = pa.record_batch(
                [
                    pa.array([row.id or None for row, _ in rows], pa.string()),
                    pa.array([row.updated_at for row, _ in rows], pa.string()),
                    pa.array([row.payload for row, _ in rows], pa.string()),
                    pa.array([read_at for _, read_at in rows], pa.timestamp("us", "UTC")),
                ],
                schema=SCHEMA,
            )
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise FatalChannelError(f"a record is not UTF-8 text: {type(error).__name__}") from error
        if batch.column(0).null_count:
            raise FatalChannelError(f"{batch.column(0).null_count} records have no id")
        self._writer.write_batch(batch)
        self.row_count += len(rows)
