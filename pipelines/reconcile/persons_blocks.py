"""Which pairs of records are looked at: those that share all columns of a block, as `linkage.toml` lists them.

Reads reconcile.person_features, writes reconcile.person_candidates (l, r, rule). A crowded block tells nothing and is
skipped; a rule that would make too many pairs tonight is left out: cost grows with the records, not their square.
"""

from collections.abc import Sequence

import duckdb
from sqlglot import exp

from pipelines.reconcile.persons_settings import FEATURES, Linkage

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
    con.execute("CREATE OR REPLACE TABLE reconcile.person_blocked (l BIGINT, r BIGINT, rule INTEGER)")
    is_few = settings.training["from_records"] <= records <= blocking["few_records"]
    rules = blocking["rules"] + (blocking["few_rules"] if is_few else [])
    for number, columns in enumerate(rules):
        if not filled.issuperset(columns):
            continue
        con.execute("CREATE OR REPLACE TABLE reconcile.person_blocks AS " + _blocks(columns, blocking["most_in_block"]))
        if one_number(con, "SELECT sum(len(members) * (len(members) - 1) // 2) FROM reconcile.person_blocks") <= budget:
            con.execute(
                "INSERT INTO reconcile.person_blocked SELECT least(a, b), greatest(a, b), ? FROM ("
                "SELECT members[i] AS a, unnest(members[i + 1:]) AS b "
                "FROM (SELECT members, unnest(range(1, len(members))) AS i FROM reconcile.person_blocks))",
                [number],
            )
    con.execute(
        "CREATE OR REPLACE TABLE reconcile.person_candidates AS "
        "SELECT l, r, min(rule) AS rule FROM reconcile.person_blocked GROUP BY l, r"
    )
    for scratch in ("person_blocks", "person_blocked"):
        con.execute(f"DROP TABLE IF EXISTS reconcile.{scratch}")
    return one_number(con, "SELECT count(*) FROM reconcile.person_candidates")


def count_pairs(con: duckdb.DuckDBPyConnection, columns: Sequence[str], *, table: str = TABLE, most: int = 50) -> int:
    """Pairs of records that share all these columns, but for blocks of more than `most`."""
    query = _block_query(columns, most, table).select(exp.func("count", exp.Star()).as_("n"))
    text = exp.select("sum(n * (n - 1) // 2)", dialect="duckdb").from_(query.subquery("blocks")).sql("duckdb")
    return one_number(con, text)


def one_number(con: duckdb.DuckDBPyConnection, text: str) -> int:
    """The single number of a query, 0 for NULL. Fetches all: DuckDB 2.0 keeps a half-read result open."""
    rows = con.execute(text).fetchall()
    return int(rows[0][0] or 0) if rows else 0


def _blocks(columns: Sequence[str], most: int) -> str:
    """One row per block: the numbers of its records, in any order."""
    members = exp.func("list", exp.column("record_id"))
    return str(_block_query(columns, most, TABLE).select(exp.alias_(members, "members")).sql("duckdb"))


def _block_query(columns: Sequence[str], most: int, table: str) -> exp.Select:
    keys = [exp.column(name) for name in columns]
    query = exp.select().from_(table)
    for key in keys:
        query = query.where(key.is_(exp.null()).not_())
    return query.group_by(*keys).having(exp.func("count", exp.Star()).between(2, most))
