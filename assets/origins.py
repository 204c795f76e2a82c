"""Where the columns of a table come from, for every table that SQL fills: static, generated, by INSERT or by MERGE.

All of it is read from the SQL by sqlglot. Views are seen through, so that a column leads to columns of real tables.
"""

from collections.abc import Iterator, Mapping

import duckdb

from assets.catalogue import model_of, views
from assets.systems import NAMES
from pipelines import agree, approve
from pipelines.agree import moves
from pipelines.inserted import copied, inserted
from pipelines.lineage import Sources, kept_lineage
from pipelines.reconcile import consents, items, movements, persons, trees
from pipelines.reconcile.drift import drift, read_targets, stock_drifted
from pipelines.sql import Model
from pipelines.sql import model_of as model_from
from pipelines.stage import stage_models

Columns = Mapping[str, Mapping[str, str]]
"""Types by column by table, as the warehouse has them."""

STATEMENTS: dict[str, tuple[str, ...]] = {
    "ledger.identity.consent_events": (consents.REMEMBER,),
    "ledger.identity.items": (items.REMEMBER,),
    "ledger.identity.persons": (persons.BINDINGS,),
    "ledger.identity.person_history": (persons.HISTORY,),
    "ledger.identity.person_moves": (persons.MOVES,),
    "ledger.identity.movements": (movements.REMEMBER,),
    "ledger.identity.hold_events": (movements.HOLD_EVENTS,),
    "ledger.sync.approvals": (approve.BY_POLICY, approve.BY_PERSON),
    "ledger.history.prices": (moves.HISTORY_SEEN, moves.HISTORY_WRITTEN),
    **{f"ledger.agreed.{entity}": (statement,) for entity, statement in agree.ENTITIES.items()},
}
"""The statements that fill the ledger; what the planner decided goes there as it is."""
_Found = dict[str, set[tuple[str, str]]]
_SUBS = ("vendor_location_id", "vendor_price_list", "vendor_audience_id")
_FAULTS = (items.FAULTS, trees.FAULTS, trees.INCOMPARABLE)


class Origins:
    """Reads the origins of one warehouse's columns; what it has read of a view it does not read twice."""

    def __init__(self, con: duckdb.DuckDBPyConnection, columns: Columns) -> None:
        self._con, self._columns = con, columns
        self._views: dict[str, _Found] = {}

    def of(self, table: str) -> Sources:
        """The (table, column) pairs behind each column of a table; nothing for tables that Python fills."""
        known, found = self._columns[table], dict[str, set[tuple[str, str]]]()
        parts = [self._read(model) for model in self._models(table)] + list(self._kept_out(table))
        for column, sources in (pair for part in parts for pair in part.items()):
            if column in known:
                found.setdefault(column, set()).update(sources)
        return {column: sorted(sources) for column, sources in found.items() if sources}

    def _models(self, table: str) -> list[Model]:
        """The SELECTs that a table is made of."""
        names = list(self._columns[table])
        if table in STATEMENTS:
            return [inserted(table.removeprefix("ledger."), statement, names) for statement in STATEMENTS[table]]
        if table == "ledger.sync.corrections":
            decided = self._columns.get("plan.decided", {})
            return [copied("sync.corrections", "plan.decided", [name for name in names if name in decided])]
        if table == "reconcile.stock_drifted":
            return [stock_drifted(read_targets(self._con))]
        if table == "reconcile.drift":
            return [drift(read_targets(self._con))]
        if table == "quarantine.reconcile":
            return [model_from(table, text) for text in _FAULTS]
        model = model_of(table)
        return [model] if model else []

    def _read(self, model: Model) -> _Found:
        schema = {name: self._columns.get(name, {}) for name in sorted(model.inputs)}
        return {
            column: {real for source in sources for real in self._through_views(*source)}
            for column, sources in kept_lineage(self._con, model, schema).items()
        }

    def _through_views(self, table: str, column: str) -> set[tuple[str, str]]:
        view = views().get(table)
        if view is None:
            return {(table, column)}
        if table not in self._views:
            self._views[table] = self._read(view)
        return self._views[table].get(column, set())

    def _kept_out(self, table: str) -> Iterator[_Found]:
        """What a system's quarantine keeps of the rows that its models found problems in."""
        for model in stage_models(NAMES).values():
            if f"quarantine.{model.schema}" != table or not model.has_problems:
                continue
            read = self._read(model)
            sub = next((column for column in _SUBS if column in read), "")
            yield {"vendor_id": read.get("vendor_id", set()), "vendor_sub_id": read.get(sub, set())}
            yield {"contact_point": read.get("contact_point", set())}
            yield dict.fromkeys(("field", "reason", "value_class"), read.get("problems", set()))
