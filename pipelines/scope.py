"""What an on-demand sync was asked to correct: narrows the draft of the plan to some systems, entities or keys.

Everything is read, reconciled and decided all the same, so that caps count the whole drift (R8) and nothing is taken
for agreed because nobody asked about it; only what is sealed is narrowed. Opt-outs never are: they have a plan of their
own. Rewrites `plan.decided`. A word that nothing goes by is an error: a run that was asked about a misspelt SKU must
not end in "all agree".
"""

from collections.abc import Iterable, Sequence
from typing import get_args

import duckdb

from pipelines.configuration import suggestion
from pipelines.errors import ConfigurationError
from pipelines.estate import Writable

_NARROW = """
DELETE FROM plan.decided AS d
WHERE (len($systems) > 0 AND NOT list_contains($systems, d.system))
   OR (len($entities) > 0 AND NOT list_contains($entities, d.entity))
   OR (len($keys) > 0 AND NOT (list_contains($keys, d.vendor_id) OR CAST(d.subject_id AS VARCHAR) IN (
     SELECT CAST(i.item_id AS VARCHAR) FROM ledger.identity.items AS i, unnest($keys) AS k(word)
     WHERE i.sku_norm = norm_sku(k.word) OR i.gtin_norm = norm_gtin(k.word) OR CAST(i.item_id AS VARCHAR) = k.word
     UNION ALL
     SELECT CAST(m.person_id AS VARCHAR) FROM reconcile.person_matches AS m
     LEFT JOIN staged.customers AS c ON c.system = m.system AND c.vendor_id = m.vendor_id, unnest($keys) AS k(word)
     WHERE CAST(m.person_id AS VARCHAR) = k.word OR c.email_norm = norm_email(k.word))))
"""

_ROLLED_BACK = """
DELETE FROM plan.decided AS d
WHERE d.rule <> 'rollback' OR NOT EXISTS (
  SELECT 1 FROM reconcile.rollback_rows AS r
  WHERE r.plan_id = $plan_id AND r.state = 'restore' AND r.system = d.system AND r.entity = d.entity
    AND r.field = d.field AND r.vendor_id = d.vendor_id AND r.vendor_sub_id = d.vendor_sub_id)
"""

_UNKNOWN = """
SELECT k.word FROM unnest($keys) AS k(word)
WHERE NOT EXISTS (
    SELECT 1 FROM ledger.identity.items AS i
    WHERE i.sku_norm = norm_sku(k.word) OR i.gtin_norm = norm_gtin(k.word) OR CAST(i.item_id AS VARCHAR) = k.word
      OR i.vendor_id = k.word)
  AND NOT EXISTS (
    SELECT 1 FROM reconcile.person_matches AS m WHERE CAST(m.person_id AS VARCHAR) = k.word OR m.vendor_id = k.word)
  AND NOT EXISTS (SELECT 1 FROM staged.customers AS c WHERE c.email_norm = norm_email(k.word) OR c.vendor_id = k.word)
  AND NOT EXISTS (SELECT 1 FROM observed.consents AS o WHERE o.vendor_id = k.word)
  AND NOT EXISTS (SELECT 1 FROM reconcile.drift AS d WHERE d.vendor_id = k.word)
"""


def narrow_to_rollback(con: duckdb.DuckDBPyConnection, plan_id: str) -> int:
    """Drop all but what rolls this plan back; returns how many rows were dropped.

    ConfigurationError where nobody has ordered that plan to be rolled back.
    """
    known = "SELECT 1 FROM reconcile.rollback_said AS s WHERE s.plan_id = ? LIMIT 1"
    if con.execute(known, [plan_id]).fetchone() is None:
        raise ConfigurationError(
            f"nobody has ordered plan {plan_id!r} to be rolled back, so nothing was planned; `trueup rollback` does"
        )
    row = con.execute(_ROLLED_BACK, {"plan_id": plan_id}).fetchone()
    return int(row[0]) if row else 0


def narrow_plan(
    con: duckdb.DuckDBPyConnection, *, systems: Sequence[str], entities: Sequence[str], keys: Sequence[str]
) -> int:
    """Drop what is outside the scope; an empty list does not narrow. Returns how many rows were dropped.

    ConfigurationError for a system that the estate has not, an entity that is not corrected, or a key that nothing
    goes by.
    """
    if not (systems or entities or keys):
        return 0
    there = [str(row[0]) for row in con.execute("SELECT system FROM estate.systems ORDER BY system").fetchall()]
    _refuse_strange("system", systems, there)
    _refuse_strange("entity", entities, get_args(Writable))
    asked = {"keys": list(keys)}
    unknown = {str(row[0]) for row in con.execute(_UNKNOWN, asked).fetchall()} if keys else set()
    if unknown:
        told = ", ".join(_named(place, word) for place, word in enumerate(keys, 1) if word in unknown)
        raise ConfigurationError(
            f"nothing goes by {told}: no SKU, GTIN, vendor id, e-mail or id of ours; nothing was planned"
        )
    row = con.execute(_NARROW, {"systems": list(systems), "entities": list(entities), **asked}).fetchone()
    return int(row[0]) if row else 0


def _refuse_strange(what: str, words: Sequence[str], allowed: Iterable[str]) -> None:
    known = sorted(allowed)
    for word in words:
        if word not in known:
            raise ConfigurationError(
                f"{word!r} is no {what}{suggestion(word, known)}; allowed: {', '.join(known)}"
            )


def _named(place: int, word: str) -> str:
    """A key as a message may show it: an address is told by its place alone."""
    return f"the e-mail address that is key {place}" if "@" in word else repr(word)
