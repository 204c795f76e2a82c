"""SQL models: finds the `.sql` files, says which tables each reads (sqlglot), and builds them in DuckDB.

A model is one file with exactly one SELECT; its name is `<folder>.<file>` and is also the table's. Stage models end
in a column `problems`: rows that have any go to `quarantine.<system>` instead of the table, with their reasons. So do
raw records that have no id of the vendor's; no model sees these.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp

from pipelines.errors import ConfigurationError
from pipelines.macros import MACROS as MACROS
from pipelines.macros import load_macros as load_macros
from pipelines.tables import QUARANTINE, UNUSABLE

ROOT = Path(__file__).parent
_RAW = re.compile(r"\braw_\w+\.\w+")
_KEYLESS = f"starts_with(id, '{UNUSABLE}')"


@dataclass(frozen=True, slots=True)
class Model:
    """One SELECT, the table it fills, and the tables it reads ("schema.table" or "ledger.schema.table")."""

    name: str
    sql: str
    inputs: frozenset[str]
    doc: str
    """The header comment: grain, key, why."""
    has_problems: bool

    @property
    def schema(self) -> str:
        """The DuckDB schema, which is also the asset's group prefix."""
        return self.name.split(".")[0]

    @property
    def table(self) -> str:
        """The table without its schema."""
        return self.name.split(".")[1]


def read_model(path: Path) -> Model:
    """Parse one file; ConfigurationError unless it holds exactly one SELECT with named columns."""
    text = path.read_text(encoding="utf-8")
    return model_of(f"{path.parent.name}.{path.stem}", text, origin=str(path.relative_to(ROOT.parent)))


@lru_cache(maxsize=1024)
def model_of(name: str, text: str, *, origin: str = "generated") -> Model:
    """A model from text, for SQL that is generated from policy; each text is parsed once a process."""
    try:
        statements = [s for s in sqlglot.parse(text, dialect="duckdb") if s is not None]
    except sqlglot.errors.ParseError as error:
        raise ConfigurationError(f"{origin}: not valid DuckDB SQL: {error}") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ConfigurationError(f"{origin}: a model is exactly one SELECT")
    tree = statements[0]
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    inputs = {
        ".".join(part for part in (t.catalog, t.db, t.name) if part)
        for t in tree.find_all(exp.Table)
        if t.name and not (t.name in ctes and not t.db) and t.db
    }
    doc = "\n".join(line[2:].strip() for line in text.splitlines() if line.startswith("--"))
    return Model(name, text.strip().rstrip(";"), frozenset(inputs), doc, "problems" in tree.named_selects)


def find_models(*folders: Path) -> dict[str, Model]:
    """All models of some folders, by name."""
    found = [read_model(path) for folder in folders for path in sorted(folder.glob("*.sql"))]
    return {model.name: model for model in found}


def in_order(models: dict[str, Model]) -> list[Model]:
    """Models so that each comes after those it reads."""
    graph = {name: sorted(model.inputs & models.keys()) for name, model in sorted(models.items())}
    return [models[name] for name in TopologicalSorter(graph).static_order()]


def build(con: duckdb.DuckDBPyConnection, model: Model) -> int:
    """(Re)build a model's table; returns its row count. Rows with problems go to quarantine."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {model.schema}")
    if not model.has_problems:
        con.execute(f"CREATE OR REPLACE TABLE {model.name} AS {model.sql}")
    else:
        _build_with_quarantine(con, model)
    row = con.execute(f"SELECT count(*) FROM {model.name}").fetchone()
    return int(row[0]) if row else 0


def _build_with_quarantine(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    staged = f"{model.schema}.staged_{model.table}"
    con.execute("CREATE SCHEMA IF NOT EXISTS quarantine")
    con.execute(
        f"CREATE TABLE IF NOT EXISTS quarantine.{model.schema} "
        f"({', '.join(f'{name} {kind}' for name, kind in QUARANTINE.items())})"
    )
    sql = _RAW.sub(rf"(FROM \g<0> WHERE NOT {_KEYLESS})", model.sql)
    con.execute(f"CREATE OR REPLACE TABLE {staged} AS {sql}")
    columns = [row[0] for row in con.execute(f"DESCRIBE {staged}").fetchall()]
    sub = next((c for c in ("vendor_location_id", "vendor_price_list", "vendor_audience_id") if c in columns), "''")
    point = "contact_point" if "contact_point" in columns else "NULL"
    con.execute(f"DELETE FROM quarantine.{model.schema} WHERE entity = ?", [model.table])
    con.execute(
        f"INSERT INTO quarantine.{model.schema} SELECT ?, vendor_id, {sub}, p.field, p.reason, p.value_class, {point} "
        f"FROM (SELECT *, unnest(problems) AS p FROM {staged} WHERE len(problems) > 0)",
        [model.table],
    )
    for raw in sorted(name for name in model.inputs if _RAW.fullmatch(name)):
        con.execute(
            f"INSERT INTO quarantine.{model.schema} "
            f"SELECT ?, id, '', 'id', 'missing or unusable', 'unknown value', NULL FROM {raw} WHERE {_KEYLESS}",
            [model.table],
        )
    con.execute(
        f"CREATE OR REPLACE TABLE {model.name} AS SELECT * EXCLUDE (problems) FROM {staged} "
        "WHERE coalesce(len(problems), 0) = 0"
    )
    con.execute(f"DROP TABLE {staged}")
