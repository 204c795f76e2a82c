"""The end of stage 8: the base moves, by its two proofs and by nothing else. Writes `ledger.agreed.*`, by delta.

    written and read back as desired     that field of that record
    read whole, compared, no difference  every compared field of the record

With it go the price history (change rows) and the movements of stock that the authority now knows of. The first proof
rests on the ledger alone and counts whichever night planned the write; the second is concluded by the run whose night
read and compared, and by no other. Talks to no system. One transaction: the base moves whole or not at all.
"""

from functools import cache
from pathlib import Path

import duckdb

from pipelines.agree import moves
from pipelines.clock import Clock
from pipelines.errors import ConfigurationError
from pipelines.ledger.plans import transaction
from pipelines.sql import Model, build, find_models, in_order

ENTITIES = {
    "items": moves.ITEMS, "prices": moves.PRICES, "stock": moves.STOCK, "customers": moves.CUSTOMERS,
    "consents": moves.CONSENTS,
}


@cache
def models() -> tuple[Model, ...]:
    """The SELECTs that say what is proven tonight, in order; each fills `agree.<name>`."""
    return tuple(in_order(find_models(Path(__file__).parent)))


def move_base(con: duckdb.DuckDBPyConnection, *, clock: Clock, by_writes_alone: bool = False) -> dict[str, int]:
    """Move the base to what is proven; returns how many rows of each table were touched. Twice changes nothing.

    `by_writes_alone`: the trees and the drift that are there are another run's (this one has not read yet, or takes up
    a stored plan), so nothing is concluded from them. The base bears the night's as-of, the one moment to which its
    values and movements are compared; a written level bears that of the night that planned it.
    """
    row = con.execute("SELECT night_id, as_of FROM estate.night").fetchone()
    if row is None:
        raise ConfigurationError("there is no night to agree on (estate.night is empty)")
    bound = {"night_id": row[0], "as_of": row[1]}
    for model in models():
        build(con, model)
        if by_writes_alone and model.name == "agree.comparable":
            con.execute("DELETE FROM agree.comparable")
    with transaction(con):
        touched = {entity: _run(con, statement, bound) for entity, statement in ENTITIES.items()}
        touched["movements"] = _run(con, moves.SETTLED, {"night_id": row[0]}) + _run(con, moves.UNSETTLED, {})
        touched["history"] = 0 if by_writes_alone else _run(con, moves.HISTORY_SEEN, {"as_of": row[1]})
        touched["history"] += _run(con, moves.HISTORY_WRITTEN, {"as_of": row[1]})
        con.execute(moves.USED, {"night_id": row[0]})
    return touched


def _run(con: duckdb.DuckDBPyConnection, statement: str, bound: dict[str, object]) -> int:
    row = con.execute(statement, bound).fetchone()
    return int(row[0]) if row else 0
