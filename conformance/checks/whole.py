"""Who answers, and whether what is read is all there is: identity, censuses, ids, the vendor's own counts."""

from collections.abc import Mapping

from conformance.bench import Bench
from conformance.verdicts import Failed, NotShown

RECORDS = ("items", "customers", "orders")
"""Entities that a living record always is; whether it also has a price, a level or a permission is its own affair."""

BESIDE = frozenset({"vendor_id", "version", "created_at", "updated_at", "write_context"})
"""Columns that say which record it is and how it is written, and nothing of what it says."""


async def identity(bench: Bench) -> str:
    """The system says which shop it is, and grants what the connector needs."""
    found = await bench.channel.identify(bench.session)
    if not found.shop_id:
        raise Failed("the system does not say which shop it is")
    if missing := sorted(bench.channel.needed_scopes - found.scopes):
        raise Failed(f"scopes that are declared as needed are not granted: {', '.join(missing)}")
    return f"{len(found.scopes & bench.channel.needed_scopes)} scopes needed, all granted"


async def census(bench: Bench) -> str:
    """Every endpoint reads to its end and is believed; no id comes twice."""
    reads = await bench.census()
    if broken := [f"{name}: {one.reason}" for name, one in reads.items() if not one.is_believed]:
        raise Failed("; ".join(broken))
    return ", ".join(f"{name} {len(one.rows)}" for name, one in reads.items())


async def counted(bench: Bench) -> str:
    """The vendor's own count of records is what a census reads."""
    shown = []
    reads = await bench.census()
    for endpoint in bench.channel.endpoints:
        if endpoint.count is None:
            continue
        told, living = await endpoint.count(bench.session), len(reads[endpoint.name].living)
        if told != living:
            raise Failed(f"{endpoint.name}: {told} by the vendor's count, {living} read")
        shown.append(f"{endpoint.name} {told}")
    if not shown:
        raise NotShown("no endpoint declares a count")
    return ", ".join(shown)


async def staging(bench: Bench) -> str:
    """What was read stages into tables of our names, with values in them; bad rows are kept out with a reason."""
    await bench.all_staged()
    name = bench.channel.name
    tables = bench.con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = ? ORDER BY table_name", [name]
    ).fetchall()
    counts: dict[str, int] = {}
    for (table,) in tables:
        count = bench.con.execute(f"SELECT count(*) FROM {name}.{table}").fetchone()
        counts[table] = count[0] if count else 0
    bad = dict(bench.con.execute(f"SELECT entity, count(*) FROM quarantine.{name} GROUP BY entity").fetchall())
    if lost := sorted(table for table, count in counts.items() if not count and bad.get(table)):
        raise Failed(f"all that is read is in quarantine: {', '.join(f'{table} {bad[table]}' for table in lost)}")
    await _need_records(bench, counts)
    _need_values(bench)
    if not any(counts.values()):
        raise NotShown("there is no record to be staged")
    return f"{', '.join(f'{table} {count}' for table, count in counts.items())}; in quarantine {sum(bad.values())}"


async def _need_records(bench: Bench, counts: Mapping[str, int]) -> None:
    reads = await bench.census()
    for entity in RECORDS:
        feeding = [endpoint for endpoint in bench.channel.endpoints if entity in endpoint.entities]
        # Beside records, what is read whole every night says how they are meant: settings, taxes, lists.
        telling = [endpoint for endpoint in feeding if endpoint.has_delta] or feeding
        living = {endpoint.name: len(reads[endpoint.name].living) for endpoint in telling}
        if living and all(living.values()) and not counts.get(entity):
            words = ", ".join(f"{name} {count}" for name, count in living.items())
            raise Failed(f"{entity}: none is staged, none in quarantine; read: {words}")


def _need_values(bench: Bench) -> None:
    for entity in sorted(bench.channel.entities):
        rows = bench.rows(entity)
        if rows and all(value is None for row in rows for name, value in row.items() if name not in BESIDE):
            raise Failed(f"{entity}: {len(rows)} are staged, and none says more than its key")
