"""Who answers, and whether what is read is all there is: identity, censuses, ids, the vendor's own counts."""

from conformance.bench import Bench
from conformance.verdicts import Failed, NotShown


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
    """What was read stages into tables of our names; bad rows are kept out with a reason."""
    await bench.all_staged()
    name = bench.channel.name
    tables = bench.con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = ? ORDER BY table_name", [name]
    ).fetchall()
    words = []
    for (table,) in tables:
        count = bench.con.execute(f"SELECT count(*) FROM {name}.{table}").fetchone()
        words.append(f"{table} {count[0] if count else 0}")
    kept_out = bench.con.execute(f"SELECT count(*) FROM quarantine.{name}").fetchone()
    return f"{', '.join(words)}; in quarantine {kept_out[0] if kept_out else 0}"
