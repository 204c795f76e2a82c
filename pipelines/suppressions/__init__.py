"""Tonight's opt-outs as tables of their own: which went out ahead of all else, and what became of each.

The ledger has them among all corrections; here they stand by round: `by_address` over what was said at the address,
`over_links` over what tonight's links of persons have added. Built once a round has ended; reads the ledger alone.
"""

from functools import cache
from pathlib import Path

import duckdb

from pipelines.sql import Model, build, find_models


@cache
def models() -> dict[str, Model]:
    """Both, by name."""
    return find_models(Path(__file__).parent)


def show_suppressions(con: duckdb.DuckDBPyConnection, name: str) -> int:
    """(Re)build one of the two; returns its rows."""
    return build(con, models()[name])
