"""A person's order to roll back a plan, or a part of it: said, found, kept.

`find_plan` and `scoped` work out of the ledger, or a copy of it, which written corrections an order names; the file
that is dropped for it (`pipelines.ledger.inbox`) names the plan and how it was narrowed. `keep_rollback` is the
writer's part: `ledger.sync.rollbacks` and `rollback_rows`, once, whatever the number of imports. What becomes of each
row is decided by the night (`reconcile.rollback_rows`).
"""

from datetime import datetime
from hashlib import sha256

import duckdb
import msgspec

from pipelines.errors import DataError

SHORTEST = 6
"""Characters of a correction's key that name it."""

_SCOPED = """
SELECT c.correction_key
FROM ledger.sync.corrections AS c
WHERE c.plan_id = $plan_id
  AND (len($systems) = 0 OR list_contains($systems, c.system))
  AND (len($entities) = 0 OR list_contains($entities, c.entity))
  AND (len($fields) = 0 OR list_contains($fields, c.field))
  AND (len($keys) = 0 OR list_contains($keys, c.vendor_id) OR list_contains($keys, c.subject_id)
    OR EXISTS (
      SELECT 1 FROM unnest($keys) AS k(word)
      WHERE length(k.word) >= $shortest AND starts_with(c.correction_key, k.word))
    OR c.subject_id IN (
      SELECT i.item_id FROM ledger.identity.items AS i, unnest($keys) AS k(word)
      WHERE i.sku_norm = norm_sku(k.word) OR i.gtin_norm = norm_gtin(k.word)))
  AND ((c.plan_id, c.correction_key) IN (
      SELECT (o.plan_id, o.correction_key) FROM ledger.sync.outcomes AS o
      WHERE o.plan_id = $plan_id AND o.status IN ('applied', 'unknown'))
    OR (c.plan_id, c.correction_key) IN (
      SELECT (i.plan_id, i.correction_key) FROM ledger.sync.intents AS i
      WHERE i.plan_id = $plan_id AND i.state = 'sent'))
"""
_ORDER = "INSERT INTO ledger.sync.rollbacks SELECT ?, ?, ?, ?, ?, max(p.created_at) FROM ledger.sync.plans AS p"
_KEYS = f"INSERT INTO ledger.sync.rollback_rows SELECT $rollback_id, $plan_id, s.correction_key FROM ({_SCOPED}) AS s"
_PLANS = """
SELECT p.plan_id FROM ledger.sync.plans AS p
WHERE p.plan_id = $word OR (p.night_id = $word AND p.lane = 'main')
ORDER BY p.plan_id = $word DESC, p.created_at DESC, p.plan_id DESC LIMIT 1
"""


class Rollback(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="word", tag="rollback"
):
    """What the plan wrote is to be undone; empty lists narrow nothing."""

    plan_id: str
    author: str
    reason: str
    at: datetime
    systems: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    """SKUs, GTINs, vendor ids, ids of ours, or beginnings of correction keys."""

    @property
    def word_id(self) -> str:
        """The same order dropped twice is one order."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:32]


def find_plan(con: duckdb.DuckDBPyConnection, word: str) -> str:
    """The plan that goes by this: its own id, or a night's, whose main plan is meant; DataError where none does."""
    row = con.execute(_PLANS, {"word": word}).fetchone()
    if row is None:
        raise DataError("no plan and no night goes by this; `trueup status` lists the nights", key=word)
    return str(row[0])


def scoped(con: duckdb.DuckDBPyConnection, word: Rollback) -> list[str]:
    """The keys of what the plan wrote, or may have written, within the order; DataError where there is nothing."""
    found = [str(row[0]) for row in con.execute(_SCOPED, _bound(word)).fetchall()]
    if not found:
        narrowed = any((word.systems, word.entities, word.fields, word.keys))
        words = "this plan wrote nothing that the order names" if narrowed else "this plan wrote nothing"
        raise DataError(f"{words}, so that nothing is to be rolled back", key=word.plan_id)
    return sorted(found)


def judge_rollback(word: Rollback) -> None:
    """DataError where an order says too little."""
    if not word.author.strip() or not word.reason.strip():
        raise DataError("a rollback needs its author and a reason", key=word.plan_id)
    if word.at.tzinfo is None:
        raise DataError("a rollback's time carries its time zone", key=word.plan_id)


def keep_rollback(con: duckdb.DuckDBPyConnection, word: Rollback) -> None:
    """Take an order into the ledger; the same order twice is one. DataError where the plan wrote nothing it names.

    Within the caller's transaction, in which the signed word is kept too.
    """
    said = [word.word_id, word.plan_id, word.author, word.reason, word.at]
    if con.execute("SELECT 1 FROM ledger.sync.rollbacks AS r WHERE r.rollback_id = ?", said[:1]).fetchall():
        return
    scoped(con, word)
    con.execute(_ORDER, said)
    con.execute(_KEYS, {**_bound(word), "rollback_id": word.word_id})


def _bound(word: Rollback) -> dict[str, object]:
    return {
        "plan_id": word.plan_id, "systems": list(word.systems), "entities": list(word.entities),
        "fields": list(word.fields), "keys": list(word.keys), "shortest": SHORTEST,
    }
