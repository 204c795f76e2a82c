"""Loads judged reads into `raw_<system>.<endpoint>` by dlt: a census replaces the table, a delta is merged on `id`.

Belongs to the extract stage. dlt owns load packages, the schema contract, the merge and load ids; its own cursors
and state are not used: the ledger's cursors move once the load is staged. So its working folder lives for one load:
what a crash left pending there is dropped, and read again, since its cursor never moved.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import dlt
import duckdb
from dlt.common.typing import TDataItem
from dlt.sources import DltResource

from pipelines.extract_log import raw_schema

_COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"data_type": "text", "primary_key": True, "nullable": False},
    "updated_at": {"data_type": "text", "nullable": True},
    "payload": {"data_type": "text", "nullable": False},
    "read_at": {"data_type": "timestamp", "nullable": False},
}
# A silent retype would corrupt every later cast; a new endpoint is only a new table.
_CONTRACT = {"tables": "evolve", "columns": "freeze", "data_type": "freeze"}
_MERGE = {"disposition": "merge", "strategy": "upsert"}


@dataclass(frozen=True, slots=True)
class LoadFile:
    """One judged read: a Parquet file with the columns of `extract_spill.SCHEMA`, ids unique."""

    endpoint: str
    path: Path
    row_count: int
    is_census: bool


class Load(Protocol):
    """What fills the raw tables of one system with its judged reads; `load_files`, or a simulation's own."""

    def __call__(
        self, con: duckdb.DuckDBPyConnection, system: str, files: Sequence[LoadFile], *, folder: Path
    ) -> None:
        """Load all of them or raise."""
        ...


def load_files(
    con: duckdb.DuckDBPyConnection, system: str, files: Sequence[LoadFile], *, folder: Path
) -> None:
    """Load one system's reads as one package; all of them or, on an exception, none of their cursors.

    dlt empties a replaced table just before it fills it: a load that dies between the two leaves it empty, which
    the next night answers with a census.
    """
    if not files:
        return
    _configure()
    name, scratch = raw_schema(system), folder / "dlt"
    shutil.rmtree(scratch / name, ignore_errors=True)
    own = con.cursor()  # dlt sets the current schema of the connection it is given
    pipeline = dlt.pipeline(
        name,
        destination=dlt.destinations.duckdb(own),
        dataset_name=name,
        pipelines_dir=str(scratch),
    )
    pipeline.config.restore_from_destination = False
    try:
        source = dlt.source(_resources, name=name, max_table_nesting=0)(files)
        pipeline.extract(source, loader_file_format="parquet")
        pipeline.normalize()
        pipeline.load(raise_on_failed_jobs=True)
    finally:
        pipeline.deactivate()
        own.close()
        shutil.rmtree(scratch / name, ignore_errors=True)


def _configure() -> None:
    """Settings of dlt that keep no copy of personal data and tell nobody that we ran."""
    dlt.config["runtime.dlthub_telemetry"] = False
    dlt.config["runtime.log_level"] = "CRITICAL"  # its errors carry the tried rows; ours name the cause
    dlt.config["load.delete_completed_jobs"] = True
    dlt.config["load.truncate_staging_dataset"] = True
    dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = False


def _resources(files: Sequence[LoadFile]) -> Iterator[DltResource]:
    for file in files:
        yield dlt.resource(
            _rows(file),
            name=file.endpoint,
            columns=_COLUMNS,
            write_disposition="replace" if file.is_census else _MERGE,
            schema_contract=_CONTRACT,
        )


def _rows(file: LoadFile) -> Iterator[TDataItem]:
    yield dlt.mark.with_file_import(str(file.path), "parquet", items_count=file.row_count)
