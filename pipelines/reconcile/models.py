"""The static models of reconcile: `<schema>/<table>.sql` beside this file. Finds them and builds some, in order."""

from functools import cache
from pathlib import Path

import duckdb

from pipelines.sql import Model, build, find_models, in_order

_FOLDER = Path(__file__).parent


@cache
def reconcile_models() -> dict[str, Model]:
    """All of them, by name."""
    return find_models(*sorted(path for path in _FOLDER.iterdir() if any(path.glob("*.sql"))))


def build_models(con: duckdb.DuckDBPyConnection, *names: str) -> dict[str, int]:
    """Build the named models, each after those it reads; returns their rows."""
    wanted = {name: reconcile_models()[name] for name in names}
    return {model.name: build(con, model) for model in in_order(wanted)}
