"""Whether a read can be believed (GUARDS R7): absence is never concluded from a read that is not known to be whole.

Belongs to the extract stage. `Seen` watches the pages as they come and stops paging that goes in circles; `judge`
looks at the whole. Reads the spilled file through DuckDB, writes nothing but the file without repeated rows.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from pipelines.channels.base import Page
from pipelines.errors import FatalChannelError
from pipelines.model import ReadVerdict
from pipelines.tables import UNUSABLE

MIN_SHARE = 0.9
"""A census with fewer rows than this share of the last complete one is not believed, unless the policy says another."""
MIN_LOSS = 5
"""So few missing rows are no sign of a short read, whatever their share."""
OFF_TOTAL = "where the system declared"
"""What stands in the reason where a read is not as long as the vendor's own total says."""


@dataclass(slots=True)
class Seen:
    """What the pages of one read showed so far."""

    row_count: int = 0
    page_count: int = 0
    widest_page: int = 0
    declared_min: int | None = None
    declared_max: int | None = None
    _edges: set[tuple[str, str, int]] = field(default_factory=set)

    def add(self, page: Page) -> None:
        """Count one page; FatalChannelError where the vendor's paging repeats itself."""
        self.page_count += 1
        self.row_count += len(page.rows)
        self.widest_page = max(self.widest_page, len(page.rows))
        if page.total is not None:
            self.declared_min = page.total if self.declared_min is None else min(self.declared_min, page.total)
            self.declared_max = page.total if self.declared_max is None else max(self.declared_max, page.total)
        if page.rows:
            edge = (page.rows[0].id, page.rows[-1].id, len(page.rows))
            if edge in self._edges:
                raise FatalChannelError(f"paging repeats itself after {self.row_count} rows")
            self._edges.add(edge)


def judge(
    verdict: ReadVerdict, seen: Seen, *, unique_count: int, last_census: int | None, may_be_empty: bool = False,
    twins: int = 0, min_share: float = MIN_SHARE,
) -> ReadVerdict:
    """The verdict on a read that ended properly. `last_census`: rows of the last complete census, if there was one.

    A record may come twice while others change (pages shift): in a delta the later one counts. A census in which
    rows moved may have missed some, so it is not believed. `twins`: repeats of records without an id of the vendor's,
    which tell nothing, since such records may well be alike.
    """
    reason = ""
    repeated = verdict.row_count - unique_count
    if verdict.kind == "census":
        if repeated > twins:
            reason = f"{repeated - twins} of {verdict.row_count} rows came twice: records moved while they were listed"
        elif verdict.row_count == 0 and (last_census or (seen.declared_max is None and not may_be_empty)):
            reason = "no rows, and the system does not declare that there are none"
        elif last_census and _is_short(verdict.row_count, last_census, min_share):
            reason = f"{verdict.row_count} rows after {last_census} in the last complete census"
    low, high = seen.declared_min, seen.declared_max
    if not reason and low is not None and high is not None and not low <= verdict.row_count <= high + repeated:
        reason = f"{verdict.row_count} rows {OFF_TOTAL} {high}"
    return replace(verdict, is_complete=not reason, reason=reason)


def _is_short(row_count: int, last: int, min_share: float) -> bool:
    return row_count < min_share * last and last - row_count > MIN_LOSS


def count_unique(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """How many different ids a spilled read holds."""
    row = con.execute("SELECT count(DISTINCT id) FROM read_parquet(?)", [str(path)]).fetchone()
    return int(row[0]) if row else 0


def count_twins(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """How many rows of a spilled read repeat a record that has no id of the vendor's."""
    row = con.execute(
        "SELECT count(*) - count(DISTINCT id) FROM read_parquet(?) WHERE starts_with(id, ?)", [str(path), UNUSABLE]
    ).fetchone()
    return int(row[0]) if row else 0


def count_nameless(con: duckdb.DuckDBPyConnection, table: str, path: Path) -> int:
    """Records of a delta's file without an id of the vendor's, and not as `table` has them: which has changed, nobody
    knows."""
    row = con.execute(
        f"SELECT count(*) FROM read_parquet(?) AS f ANTI JOIN {table} AS r ON r.id = f.id WHERE starts_with(f.id, ?)",
        [str(path), UNUSABLE],
    ).fetchone()
    return int(row[0]) if row else 0


def count_held(con: duckdb.DuckDBPyConnection, table: str, path: Path, *, gone: str) -> int:
    """How many records `table` would hold after a delta's file is merged into it, those that say `gone` left out."""
    row = con.execute(
        "WITH fresh AS (SELECT id, payload FROM read_parquet($path)), "
        "merged AS (SELECT id, payload FROM fresh "
        f"UNION ALL SELECT r.id, r.payload FROM {table} AS r ANTI JOIN fresh AS f ON f.id = r.id) "
        "SELECT count(DISTINCT id) FROM merged "
        "WHERE NOT $says_gone OR coalesce(json_extract_string(payload, $gone), 'false') <> 'true'",
        {"path": str(path), "says_gone": bool(gone), "gone": gone or "$"},
    ).fetchone()
    return int(row[0]) if row else 0


def without_repeats(con: duckdb.DuckDBPyConnection, path: Path) -> Path:
    """The read with one row an id, the one that came last; a new file beside the old one."""
    target = path.with_suffix(".unique.parquet")
    con.execute(
        "COPY (SELECT id, updated_at, payload, read_at FROM read_parquet(?, file_row_number = true) "
        "QUALIFY row_number() OVER (PARTITION BY id ORDER BY file_row_number DESC) = 1) "
        "TO ? (FORMAT parquet)",
        [str(path), str(target)],
    )
    return target
