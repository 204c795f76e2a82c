"""Match any table of persons with the night's own code and default settings; nothing is tuned to a data set.

    python -m benchmarks.linkage --records FILE.parquet --columns MAPPING.toml --out clusters.parquet

MAPPING.toml has a table [columns]: canonical name = a column, or a list of columns that are joined by a space. Names:
record_id, and any of source, first_name, last_name, full_name, email, phone, birth_date, street, city, postcode,
country, card. Values may be as they come. Writes record_id, cluster_id (the lowest record number of the person).
"""

import argparse
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

import duckdb
from sqlglot import exp

from pipelines.duck import connect
from pipelines.errors import ConfigurationError
from pipelines.reconcile.persons_link import link_records
from pipelines.sql import load_macros

NAMES = (
    "source", "first_name", "last_name", "full_name", "email", "phone", "birth_date", "street", "city", "postcode",
    "country", "card",
)
_INPUT = exp.to_table("input").as_("i")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.linkage", description=__doc__.splitlines()[0])
    parser.add_argument("--records", required=True, type=Path)
    parser.add_argument("--columns", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    given = parser.parse_args(arguments)
    mapping = tomllib.loads(given.columns.read_text(encoding="utf-8"))["columns"]
    con = connect(threads=2, preserve_insertion_order=False)
    records, persons = match(con, given.records, mapping, given.out)
    print(json.dumps({"records": records, "persons": persons, "out": str(given.out)}))


def match(
    con: duckdb.DuckDBPyConnection, records: Path, mapping: dict[str, str | list[str]], out: Path
) -> tuple[int, int]:
    """Match the records of a Parquet file; returns how many there are, and how many persons."""
    unknown = mapping.keys() - {"record_id", *NAMES}
    if unknown or "record_id" not in mapping:
        names = ", ".join(("record_id", *NAMES))
        raise ConfigurationError(f"[columns] needs record_id and knows {names}; not {sorted(unknown)}")
    load_macros(con, contact_key=b"not used: linkage compares values, it stores no contact point")
    con.execute("CREATE SCHEMA IF NOT EXISTS reconcile")
    con.read_parquet(str(records), file_row_number=True).create_view("input", replace=True)
    kinds = {row[0]: row[1] for row in con.execute("DESCRIBE input").fetchall()}
    named = {name: [columns] if isinstance(columns, str) else columns for name, columns in mapping.items()}
    missing = {column for columns in named.values() for column in columns} - kinds.keys()
    if missing:
        raise ConfigurationError(f"{records.name} has no column {sorted(missing)}; it has {sorted(kinds)}")
    con.execute("CREATE OR REPLACE TABLE reconcile.person_records AS " + _records(named, kinds))
    con.execute("CREATE OR REPLACE TABLE reconcile.person_bound (l BIGINT, r BIGINT, is_weighed BOOLEAN)")
    con.execute("CREATE OR REPLACE TABLE reconcile.person_apart (l BIGINT, r BIGINT)")
    link_records(con)
    target = exp.Literal.string(str(out)).sql()
    con.execute(
        "COPY (SELECT i.given_id AS record_id, c.cluster AS cluster_id FROM reconcile.person_records AS i "
        f"JOIN reconcile.person_clusters AS c ON c.record_id = i.record_id) TO {target} (FORMAT parquet)"
    )
    row = con.execute("SELECT count(*), count(DISTINCT cluster) FROM reconcile.person_clusters").fetchall()[0]
    return int(row[0]), int(row[1])


def _records(named: dict[str, list[str]], kinds: dict[str, str]) -> str:
    """The SELECT that fills reconcile.person_records; the given id stays beside our number.

    Only keys go through the numbering: sorting whole records costs more than reading them twice. A source goes in as
    its place among the sources, since numbers sort in a third of the time.
    """
    values = {name: _value(named.get(name, ()), kinds) for name in NAMES}
    given_id, row = _given(named["record_id"][0]), _given("file_row_number")
    source, place = exp.column("source", table="p"), exp.column("place", table="p")
    sources = exp.select(values["source"].as_("source")).distinct().from_(_INPUT.copy()).subquery("s")
    places = exp.select("source", _number(exp.column("source")).as_("place")).from_(sources).subquery("p")
    numbered = exp.select(row.as_("row"), _number(place, given_id).as_("number")).from_(_INPUT.copy())
    numbered = numbered.join(places, on=exp.NullSafeEQ(this=source, expression=values["source"].copy()))
    query = exp.select(
        exp.column("number", table="n").as_("record_id"), given_id.as_("given_id"),
        exp.cast(given_id.copy(), "VARCHAR").as_("vendor_id"),
        *(value.copy().as_(name) for name, value in values.items()),
    ).from_(_INPUT.copy())
    query = query.join(numbered.subquery("n"), on=exp.EQ(this=exp.column("row", table="n"), expression=row.copy()))
    return str(query.sql("duckdb"))


def _given(column: str) -> exp.Column:
    """A column of the file, whatever it is called: none of our own names is taken for it."""
    return exp.column(column, table="i", quoted=True)


def _number(*keys: exp.Expression) -> exp.Expression:
    order = exp.Order(expressions=[exp.Ordered(this=key) for key in keys])
    return exp.Window(this=exp.func("row_number"), order=order)


def _value(columns: Sequence[str], kinds: dict[str, str]) -> exp.Expression:
    """Some columns as one text, joined by a blank; NULL where nothing is left."""
    texts = [_text(column, kinds[column]) for column in columns]
    value = next(iter(texts), exp.null())
    if len(texts) > 1:
        value = exp.func("concat_ws", exp.Literal.string(" "), *texts)
    return exp.cast(exp.func("nullif", value, exp.Literal.string("")), "VARCHAR")


def _text(column: str, kind: str) -> exp.Expression:
    """A column as text; whole numbers that came as floats lose their ".0"."""
    value: exp.Expression = exp.cast(_given(column), "VARCHAR")
    if kind in {"DOUBLE", "FLOAT"}:
        value = exp.func("regexp_replace", value, exp.Literal.string(r"\.0$"), exp.Literal.string(""))
    return value


if __name__ == "__main__":
    main()
