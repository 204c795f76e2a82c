"""What a run works with where somebody hands in something else than the product's own: simulations and tests do.

Every field that is None is the product's: asyncio's loop, dlt, Splink, Great Expectations, the report with its charts.
Nothing here is a setting; no file and no environment reaches it.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.clock import Clock
from pipelines.ledger.export import export_ledger, swap_snapshot
from resources.clock import SystemClock
from resources.warehouse import open_warehouse

if TYPE_CHECKING:  # each takes seconds to import, and only its step needs it
    from pipelines.check import Suites
    from pipelines.extract_load import Load
    from pipelines.reconcile.persons_link import Score

Report = Callable[[duckdb.DuckDBPyConnection, str, Path], Path]
"""Writes one night's report into a folder; its path."""


Warehouse = Callable[..., AbstractContextManager[duckdb.DuckDBPyConnection]]
"""Opens the writing connection, as `open_warehouse` does."""
Keep = Callable[[duckdb.DuckDBPyConnection, Path], object]
"""Puts what the ledger holds into a folder or a file."""


@dataclass(frozen=True, slots=True)
class Means:
    """The replaceable parts of a run."""

    loop: Callable[[], asyncio.AbstractEventLoop] | None = None
    load: "Load | None" = None
    score: "Score | None" = None
    suites: "Suites | None" = None
    report: Report | None = None
    warehouse: Warehouse = open_warehouse
    export: Keep = export_ledger
    snapshot: Keep = swap_snapshot
    lease_clock: Clock = field(default_factory=SystemClock)
    """The lease goes by the machine's time: its holders share a machine, not an estate's clock."""


USUAL = Means()
