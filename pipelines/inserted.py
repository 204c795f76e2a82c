"""What an INSERT or a MERGE puts into a table, as the SELECT that it is made of: so its columns' origins can be read.

A SELECT alone is of rows that are appended by name (`pipelines.ledger.audit`). Runs nothing. The statement itself is
what the stage executes; bound values take part as constants.
"""

from collections.abc import Sequence

import sqlglot
from sqlglot import exp

from pipelines.errors import ConfigurationError
from pipelines.sql import Model, model_of


def inserted(name: str, statement: str, columns: Sequence[str]) -> Model:
    """The rows that a statement adds to a table of these columns, as a model of the table's name."""
    tree = sqlglot.parse_one(statement, dialect="duckdb")
    if isinstance(tree, exp.Merge):
        query = _merged(tree, columns)
    elif isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Query):
        named = [column.name for column in tree.this.expressions] if isinstance(tree.this, exp.Schema) else columns
        query = _named(tree.expression.copy(), named)
    elif isinstance(tree, exp.Query):
        query = tree
    else:
        raise ConfigurationError(f"{name}: neither an INSERT of a SELECT nor a MERGE")
    return model_of(name, query.sql("duckdb"))


def copied(name: str, source: str, columns: Sequence[str]) -> Model:
    """Columns that go from one table to another under their own names."""
    return model_of(name, exp.select(*map(exp.column, columns)).from_(source, dialect="duckdb").sql("duckdb"))


def _merged(tree: exp.Merge, columns: Sequence[str]) -> exp.Query:
    """What is inserted where nothing matched; what is updated where something did comes from the same source."""
    for when in tree.find_all(exp.When):
        insert = when.args["then"]
        if not when.args.get("matched") and isinstance(insert, exp.Insert):
            named = [column.name for column in insert.this.expressions] if insert.this else columns
            values = insert.expression.expressions
            chosen = [exp.alias_(value.copy(), name) for name, value in zip(named, values, strict=True)]
            return exp.select(*chosen).from_(tree.args["using"].copy())
    raise ConfigurationError("a MERGE that inserts nothing")


def _named(query: exp.Query, columns: Sequence[str]) -> exp.Query:
    """The same rows under the names of the table's columns, by position."""
    if isinstance(query, exp.SetOperation):
        for side in (query.left, query.right):
            _named(side, columns)
        return query
    chosen = [exp.alias_(value.unalias().copy(), name) for name, value in zip(columns, query.selects, strict=True)]
    query.set("expressions", chosen)
    return query
