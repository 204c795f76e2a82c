"""Which pairs of records are looked at: those that share all columns of a block, as `linkage.toml` lists them.

Reads reconcile.person_features, writes reconcile.person_candidates (l, r, rule). A crowded block tells nothing and is
skipped; a rule that would make too many pairs tonight is left out: cost grows with the records, not their square. A
block is the hash of its columns: should two ever be one number, some pairs more are weighed, and found to be nothing.
"""

from collections.abc import Sequence

import duckdb
import numpy as np
import numpy.typing as npt
from sqlglot import exp

from pipelines.reconcile.persons_settings import FEATURES, Linkage

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
TABLE = "reconcile.person_features"


def filled_features(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Features that at least two records have."""
    counts = exp.select(*[exp.func("count", exp.column(name)) for name in FEATURES]).from_(TABLE)
    counted = con.execute(counts.sql("duckdb")).fetchall()[0]
    found = {name for name, count in zip(FEATURES, counted, strict=True) if count >= 2}
    sources = one_number(con, f"SELECT count(DISTINCT source) FROM {TABLE}")
    return frozenset(found - ({"source"} if sources < 2 else set()))


def build_candidates(con: duckdb.DuckDBPyConnection, settings: Linkage, filled: frozenset[str]) -> int:
    """Fill reconcile.person_candidates; returns the pairs."""
    blocking = settings.blocking
    records = one_number(con, f"SELECT count(*) FROM {TABLE}")
    budget = max(float(blocking["least_budget"]), records * float(blocking["most_pairs_per_record"]))
    span = 1 + one_number(con, f"SELECT max(record_id) FROM {TABLE}")
    is_few = settings.training["from_records"] <= records <= blocking["few_records"]
    keys, rules = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for number, columns in enumerate(blocking["rules"] + (blocking["few_rules"] if is_few else [])):
        if filled.issuperset(columns):
            blocks = con.execute(_hashes(columns)).fetchnumpy()
            found = pairs_in_blocks(blocks["record_id"], blocks["block"], int(blocking["most_in_block"]), budget)
            if found is not None:
                keys.append(np.minimum(*found) * span + np.maximum(*found))
                rules.append(np.full(len(keys[-1]), number, np.int64))
    pairs, first = np.unique(np.concatenate(keys), return_index=True)  # the first, and so the first rule that finds it
    con.register("person_found", {"l": pairs // span, "r": pairs % span, "rule": np.concatenate(rules)[first]})
    try:
        con.execute(
            "CREATE OR REPLACE TABLE reconcile.person_candidates AS "
            "SELECT CAST(l AS BIGINT) AS l, CAST(r AS BIGINT) AS r, CAST(rule AS INTEGER) AS rule FROM person_found"
        )
    finally:
        con.unregister("person_found")
    return len(pairs)


def pairs_in_blocks(records: Ints, blocks: Hashes, most: int, budget: float) -> tuple[Ints, Ints] | None:
    """Every two records of one block of at most `most`; None where that makes more pairs than the budget allows."""
    order = np.argsort(blocks)
    edges = np.flatnonzero(np.diff(blocks[order])) + 1
    starts, ends = np.concatenate([[0], edges]), np.concatenate([edges, [len(order)]])
    sizes = ends - starts
    useful = (sizes > 1) & (sizes <= most)
    starts, sizes = starts[useful], sizes[useful]
    if int((sizes * (sizes - 1) // 2).sum()) > budget:
        return None
    firsts, left = _counted(starts, sizes)  # where each record of a block stands, and how many follow it in the block
    partners, _ = _counted(firsts + 1, left)
    return records[order[np.repeat(firsts, left)]].astype(np.int64), records[order[partners]].astype(np.int64)


def _counted(starts: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """From each start on as many numbers as `counts` says, one after the other; and how many follow each of them."""
    behind = np.repeat(np.cumsum(counts), counts) - 1 - np.arange(int(counts.sum()))
    return np.repeat(starts + counts - 1, counts) - behind, behind


def count_pairs(con: duckdb.DuckDBPyConnection, columns: Sequence[str], *, table: str = TABLE, most: int = 50) -> int:
    """Pairs of records that share all these columns, but for blocks of more than `most`."""
    query = _block_query(columns, most, table).select(exp.func("count", exp.Star()).as_("n"))
    text = exp.select("sum(n * (n - 1) // 2)", dialect="duckdb").from_(query.subquery("blocks")).sql("duckdb")
    return one_number(con, text)


def one_number(con: duckdb.DuckDBPyConnection, text: str) -> int:
    """The single number of a query, 0 for NULL. Fetches all: DuckDB 2.0 keeps a half-read result open."""
    rows = con.execute(text).fetchall()
    return int(rows[0][0] or 0) if rows else 0


def _hashes(columns: Sequence[str]) -> str:
    """The records that have all these columns, with the hash of the columns: a number sorts much faster than texts."""
    block = exp.func("hash", *[exp.column(name) for name in columns]).as_("block")
    query = exp.select("record_id", block).from_(TABLE)
    for name in columns:
        query = query.where(exp.column(name).is_(exp.null()).not_())
    return str(query.sql("duckdb"))


def _block_query(columns: Sequence[str], most: int, table: str) -> exp.Select:
    keys = [exp.column(name) for name in columns]
    query = exp.select().from_(table)
    for key in keys:
        query = query.where(key.is_(exp.null()).not_())
    return query.group_by(*keys).having(exp.func("count", exp.Star()).between(2, most))
