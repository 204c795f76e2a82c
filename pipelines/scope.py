"""What an on-demand sync was asked to correct: narrows tonight's drift to some systems, entities or keys.

Everything is read and reconciled all the same; only what is planned is narrowed. Opt-outs are never narrowed: they
live in a table of their own. Rewrites `reconcile.drift`. A word that nothing goes by is an error: a run that was asked
about a misspelt SKU must not end in "all agree".
"""

from collections.abc import Iterable, Sequence
from typing import get_args

import duckdb

from pipelines.configuration import suggestion
from pipelines.errors import ConfigurationError
from pipelines.estate import Writable

_NARROW = """
DELETE FROM reconcile.drift AS d
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


def narrow_drift(
    con: duckdb.DuckDBPyConnection, *, systems: Sequence[str], entities: Sequence[str], keys: Sequence[str]
) -> int:
    """Drop drift outside the scope; an empty list does not narrow. Returns how many rows were dropped.

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
