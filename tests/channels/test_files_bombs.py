"""Files that become far more than they are: left before anything of them is unpacked."""

import io
from zipfile import ZIP_DEFLATED, ZipFile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.channels.files import excel_files, parquet_files
from pipelines.channels.files.excel_files import read_excel
from pipelines.channels.files.mapping import Items
from pipelines.channels.files.parquet_files import read_parquet
from pipelines.errors import FatalChannelError

MB = 1024 * 1024
FORM = Items(file="items", columns={"key": "key", "sku": "sku"})


def test_an_excel_file_that_unpacks_to_too_much_is_left(monkeypatch):
    monkeypatch.setattr(excel_files, "MAX_UNPACKED_BYTES", 5 * MB)
    target = io.BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as book:
        for number in range(6):
            book.writestr(f"xl/worksheets/sheet{number}.xml", bytes(MB))
    assert len(target.getvalue()) < MB / 10
    with pytest.raises(FatalChannelError, match=f"unpacks to {6 * MB} bytes, more than {5 * MB}"):
        read_excel("items.xlsx", target.getvalue(), FORM)


@pytest.mark.parametrize(("limit", "value"), [("MOST_CELLS", 1_000_000), ("MAX_UNPACKED_BYTES", 50)])
def test_a_parquet_file_that_unpacks_to_too_much_is_left(monkeypatch, limit, value):
    monkeypatch.setattr(parquet_files, limit, value)
    target = io.BytesIO()
    pq.write_table(pa.table({"key": ["x"] * 600_000, "sku": ["y"] * 600_000}), target)
    assert len(target.getvalue()) < MB / 10
    with pytest.raises(FatalChannelError, match=f"1200000 cells, more than .*{value}"):
        read_parquet("items.parquet", target.getvalue(), FORM)
