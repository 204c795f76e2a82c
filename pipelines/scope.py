"""What an on-demand sync was asked to correct: narrows tonight's drift to some systems, entities or keys.

Everything is read and reconciled all the same; only what is planned is narrowed. Opt-outs are never narrowed: they
live in a table of their own. Rewrites `reconcile.drift`.
"""

from collections.abc import Sequence

import duckdb

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


def narrow_drift(
    con: duckdb.DuckDBPyConnection, *, systems: Sequence[str], entities: Sequence[str], keys: Sequence[str]
) -> int:
    """Drop drift outside the scope; an empty list does not narrow. Returns how many rows were dropped."""
    if not (systems or entities or keys):
        return 0
    row = con.execute(
        _NARROW, {"systems": list(systems), "entities": list(entities), "keys": list(keys)}
    ).fetchone()
    return int(row[0]) if row else 0
