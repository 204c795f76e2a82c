"""Who is who among items: records of all systems to item ids, by binding, then GTIN, then SKU.

Reads `staged.items`, `policy.sources` and the bindings; fills `reconcile.item_matches` and `quarantine.reconcile`, and
appends new bindings (and finished renames) to `ledger.identity.items`. The rules are in the SQL: `item_records`,
`item_claims`.
"""

import duckdb

from pipelines.reconcile.models import build_models

FAULTS = "SELECT system, vendor_id, '' AS vendor_sub_id, field, reason, value_class FROM reconcile.item_faults"
REMEMBER = """
INSERT INTO ledger.identity.items (system, vendor_id, item_id, sku_norm, gtin_norm, rule, bound_at, night_id)
SELECT m.system, m.vendor_id, m.item_id, r.sku_norm, r.gtin_norm, m.rule, n.as_of, n.night_id
FROM reconcile.item_matches AS m
JOIN reconcile.item_records AS r ON r.system = m.system AND r.vendor_id = m.vendor_id
CROSS JOIN estate.night AS n WHERE m.is_new
UNION ALL
SELECT x.system, x.vendor_id, x.item_id, x.sku_norm, x.gtin_norm, 'renamed', n.as_of, n.night_id
FROM reconcile.renamed_items AS x CROSS JOIN estate.night AS n
"""
"""New bindings, and renames that are finished."""


def reconcile_items(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Match every record; returns the rows of each table built. May be run again in the same night: same ids.

    The views `staged.*` are there already (`pipelines.stage.create_unions`, when the warehouse is opened).
    """
    built = build_models(
        con, "reconcile.item_records", "reconcile.item_claims", "reconcile.item_matches", "reconcile.item_faults",
        "reconcile.item_suggestions", "reconcile.renamed_items",
    )
    quarantine(con, "items", FAULTS)
    con.execute(REMEMBER)
    con.execute(
        "INSERT INTO policy.pilots SELECT DISTINCT p.system, p.entity, m.item_id FROM policy.pilot_skus AS p "
        "JOIN reconcile.item_records AS r ON r.sku_norm = norm_sku(p.sku) "
        "JOIN reconcile.item_matches AS m ON m.system = r.system AND m.vendor_id = r.vendor_id "
        "WHERE NOT EXISTS (SELECT 1 FROM policy.pilots AS q "
        "WHERE q.system = p.system AND q.entity = p.entity AND q.subject_id = m.item_id)"
    )
    return built


def quarantine(con: duckdb.DuckDBPyConnection, entity: str, faults: str) -> None:
    """Replace what reconcile keeps out of one entity. `faults` is a SELECT of the columns after `entity`."""
    con.execute("DELETE FROM quarantine.reconcile WHERE entity = ?", [entity])
    con.execute(
        "INSERT INTO quarantine.reconcile (system, entity, vendor_id, vendor_sub_id, field, reason, value_class) "
        f"SELECT f.system, ?, f.vendor_id, f.vendor_sub_id, f.field, f.reason, f.value_class FROM ({faults}) AS f",
        [entity],
    )
