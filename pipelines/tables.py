"""The columns of every table that stages hand to each other in `work.duckdb`, and empty tables of those types.

SQL always finds its inputs: a system that has not been read yet, or a stage that has not run, is an empty table of
the right types, never a missing one. The ledger's tables are made by its migrations (`pipelines.ledger`), not here.
A test holds the models to the columns written down here.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipelines.tables_rollback import ROLLBACK
from pipelines.tables_settings import SETTINGS

if TYPE_CHECKING:  # an estate is read in commands that have no time to import these
    import duckdb

    from pipelines.sql import Model


def _text(names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), "VARCHAR")


UNUSABLE = "unusable:"
"""What a raw record's id begins with where the vendor gave it none that could be one."""
RAW = {"id": "VARCHAR", "updated_at": "VARCHAR", "payload": "VARCHAR", "read_at": "TIMESTAMPTZ"}
_WRITE = {"version": "VARCHAR", "updated_at": "TIMESTAMPTZ", "write_context": "VARCHAR"}
_PERSON = _text("first_name last_name phone street city postcode loyalty_points")
_DRIFT = {
    **_text("system entity field vendor_id vendor_sub_id subject_id subject_sub_id"),
    "currency": "VARCHAR", "observed": "VARCHAR", "base": "VARCHAR", "has_base": "BOOLEAN", "desired": "VARCHAR",
    "drift_class": "VARCHAR", "authority": "VARCHAR", "rule": "VARCHAR", "reason": "VARCHAR", "version": "VARCHAR",
    "context": "VARCHAR", "cost_minor": "BIGINT", "old_minor": "BIGINT", "desired_until": "TIMESTAMPTZ",
}

STAGE: dict[str, dict[str, str]] = {
    "items": {
        **_text("vendor_id parent_id sku sku_norm gtin gtin_norm title option_title category status"),
        "is_tracked": "BOOLEAN", "is_kit": "BOOLEAN", "tax_rate_bp": "INTEGER", "tax_basis": "VARCHAR",
        "cost_minor": "BIGINT", "currency": "VARCHAR", **_WRITE,
    },
    "prices": {
        "vendor_id": "VARCHAR", "vendor_price_list": "VARCHAR", "currency": "VARCHAR", "amount_minor": "BIGINT",
        "compare_at_minor": "BIGINT", "tax_basis": "VARCHAR", "tax_rate_bp": "INTEGER", "valid_until": "TIMESTAMPTZ",
        **_WRITE,
    },
    "promotions": {
        "promotion_id": "VARCHAR", "vendor_id": "VARCHAR", "percent": "INTEGER", "starts_on": "DATE", "ends_on": "DATE",
    },
    "stock": {
        "vendor_id": "VARCHAR", "vendor_location_id": "VARCHAR", "on_hand": "BIGINT", "committed": "BIGINT",
        "available": "BIGINT", "is_tracked": "BOOLEAN", **_WRITE,
    },
    "movements": {
        **_text("movement_id vendor_id vendor_location_id kind"),
        "quantity": "BIGINT", "order_state": "VARCHAR", "occurred_at": "TIMESTAMPTZ", "updated_at": "TIMESTAMPTZ",
        "hold_id": "VARCHAR",
    },
    "holds": {
        **_text("hold_id order_id reference vendor_id vendor_location_id"), "quantity": "BIGINT", "taken": "BIGINT",
        "state": "VARCHAR", "placed_at": "TIMESTAMPTZ", "expires_at": "TIMESTAMPTZ", "updated_at": "TIMESTAMPTZ",
    },
    "customers": {
        **_text("vendor_id first_name last_name email email_norm phone phone_e164 street city postcode country card"),
        "loyalty_points": "VARCHAR",
        "birth_date": "DATE", "version": "VARCHAR", "created_at": "TIMESTAMPTZ", "updated_at": "TIMESTAMPTZ",
        "write_context": "VARCHAR",
    },
    "consents": {
        **_text("vendor_id vendor_audience_id channel contact_point state vendor_state"),
        "changed_at": "TIMESTAMPTZ", "has_proof": "BOOLEAN", "proof": "VARCHAR", "email": "VARCHAR", **_WRITE,
    },
    "orders": {
        **_text("vendor_id vendor_location_id vendor_customer_id currency"),
        "total_minor": "BIGINT", "state": "VARCHAR", "created_at": "TIMESTAMPTZ", "updated_at": "TIMESTAMPTZ",
    },
    "loyalty_cards": {
        **_text("vendor_id vendor_customer_id program_id"), "points": "DECIMAL(18,3)", "updated_at": "TIMESTAMPTZ",
    },
    "loyalty_events": {
        **_text("vendor_id card_id vendor_customer_id program_id kind"), "points": "DECIMAL(18,3)",
        "order_id": "VARCHAR", "occurred_at": "TIMESTAMPTZ",
    },
    "order_lines": {
        "order_id": "VARCHAR", "vendor_id": "VARCHAR", "vendor_item_id": "VARCHAR", "quantity": "BIGINT",
        "returned": "BIGINT", "unit_minor": "BIGINT",
    },
}
"""Columns of `<system>.<entity>`; the models end in one more, `problems`, which becomes quarantine."""

QUARANTINE = _text("entity vendor_id vendor_sub_id field reason value_class contact_point")
"""`contact_point`: of a permission whose address can be read; it may be a no, so nothing of that address is raised."""

TABLES: dict[str, dict[str, str]] = {
    **SETTINGS,
    "reads.verdicts": {"system": "VARCHAR", "entity": "VARCHAR", "is_complete": "BOOLEAN", "reason": "VARCHAR"},
    "quarantine.reconcile": {"system": "VARCHAR", **QUARANTINE},
    "reconcile.item_matches": {
        "system": "VARCHAR", "vendor_id": "VARCHAR", "item_id": "VARCHAR", "rule": "VARCHAR", "is_new": "BOOLEAN",
    },
    "reconcile.category_items": _text("item_id category"),
    "reconcile.movement_log": {
        **_text("system movement_id vendor_id vendor_location_id item_id location_id kind"), "quantity": "BIGINT",
        "order_state": "VARCHAR", "occurred_at": "TIMESTAMPTZ", "first_seen_at": "TIMESTAMPTZ",
        **_text("settled_night authority hold_id"),
    },
    "reconcile.assortment": {
        **_text("item_id system expected_by state vendor_id proof"),
        "proved_at": "TIMESTAMPTZ", "census_at": "TIMESTAMPTZ", "reason": "VARCHAR",
    },
    "reconcile.assortment_work": _text("system item_id vendor_id sku title state action entered reason"),
    "reconcile.item_suggestions": _text("system vendor_id sku reason suggestion"),
    "reconcile.loyalty_balances": {
        **_text("system card_id vendor_customer_id program_id"), "balance": "DECIMAL(18,3)",
        "explained": "DECIMAL(18,3)", "event_count": "BIGINT", **_text("state reason"),
    },
    "reconcile.loyalty_twins": _text(
        "doubted_system doubted_id doubted_card other_system other_id other_card person_id reason"
    ),
    "reconcile.worklist": _text("kind system vendor_id subject_id name state action entered reason"),
    "reconcile.person_matches": {
        "system": "VARCHAR", "vendor_id": "VARCHAR", "person_id": "VARCHAR", "rule": "VARCHAR", "score": "DOUBLE",
        "is_auto": "BOOLEAN",
    },
    "reconcile.person_gaps": _text("person_id system"),
    "reconcile.person_parted": {
        **_text("system vendor_id other_system other_id author reason"),
        **dict.fromkeys(("said_at", "together_since", "last_plan_at"), "TIMESTAMPTZ"),
    },
    "reconcile.person_written": {
        **_text("system vendor_id field written before observed"), "has_base": "BOOLEAN", **_text("base state"),
        "parted_at": "TIMESTAMPTZ", **_text("author reason"),
    },
    "reconcile.person_undo": _DRIFT,
    **ROLLBACK,
    "reconcile.rollback_drift": _DRIFT,
    "reconcile.stock_drifted": {
        **_text("system vendor_id vendor_sub_id subject_id subject_sub_id currency version context"),
        "authority": "VARCHAR", **dict.fromkeys(("on_hand", "observed", "desired"), "BIGINT"), "field": "VARCHAR",
    },
    "reconcile.person_pairs": {
        "l": "BIGINT", "r": "BIGINT", "weight": "DOUBLE", "probability": "DOUBLE",
        **_text("first_name last_name birth email phone card place street source"),
    },
    "reconcile.person_weights": {
        **_text("comparison level"), "m": "DOUBLE", "u": "DOUBLE", "weight": "DOUBLE", "is_trained": "BOOLEAN",
    },
    "reconcile.person_components": {"record_id": "BIGINT", "component": "BIGINT"},
    "reconcile.person_clusters": {"record_id": "BIGINT", "cluster": "BIGINT"},
    "reconcile.hold_records": {
        **_text("system hold_id lead_system lead_id order_id item_id location_id authority state"),
        "quantity": "BIGINT", "taken": "BIGINT", "placed_at": "TIMESTAMPTZ", "expires_at": "TIMESTAMPTZ",
        "updated_at": "TIMESTAMPTZ",
    },
    "reconcile.holds": {
        **_text("system hold_id order_id item_id location_id authority state systems reason"),
        "quantity": "BIGINT", "taken": "BIGINT", "placed_at": "TIMESTAMPTZ", "expires_at": "TIMESTAMPTZ",
        "occurred_at": "TIMESTAMPTZ",
    },
    "reconcile.outstanding": {
        **_text("system movement_id item_id location_id term"), "quantity": "BIGINT", "is_of_hold_alone": "BOOLEAN",
    },
    "reconcile.drift": _DRIFT,
    "reconcile.prior_prices": {
        **_text("system vendor_id vendor_price_list item_id price_list_id currency"), "is_planned": "BOOLEAN",
        "field": "VARCHAR", **dict.fromkeys(("amount", "was", "days", "lowest"), "BIGINT"), "lowest_on": "DATE",
        "began_at": "TIMESTAMPTZ", "known_since": "TIMESTAMPTZ", "finding": "VARCHAR", "reason": "VARCHAR",
    },
    "reconcile.consent_drift": _DRIFT,
    "observed.items": {
        **_text("system vendor_id item_id gtin title status"),
        "is_tracked": "BOOLEAN", "is_kit": "BOOLEAN", "version": "VARCHAR", "write_context": "VARCHAR",
    },
    "observed.prices": {
        **_text("system vendor_id vendor_price_list item_id price_list_id currency"),
        "amount": "BIGINT", "compare_at": "BIGINT", "tax_basis": "VARCHAR", "tax_rate_bp": "INTEGER",
        "valid_until": "TIMESTAMPTZ", "version": "VARCHAR", "write_context": "VARCHAR",
    },
    "observed.stock": {
        **_text("system vendor_id vendor_location_id item_id location_id"),
        "quantity": "BIGINT", "on_hand": "BIGINT", "committed": "BIGINT",
        "version": "VARCHAR", "write_context": "VARCHAR",
    },
    "observed.customers": {
        "system": "VARCHAR", "vendor_id": "VARCHAR", "person_id": "VARCHAR", **_PERSON, "country": "VARCHAR",
        "version": "VARCHAR", "write_context": "VARCHAR",
    },
    "observed.consents": {
        **_text("system vendor_id vendor_audience_id contact_point channel purpose state"),
        "changed_at": "TIMESTAMPTZ", "has_proof": "BOOLEAN", "email": "VARCHAR", "version": "VARCHAR",
        "write_context": "VARCHAR",
    },
    "golden.items": {
        **_text("item_id sku gtin title status"),
        "is_tracked": "BOOLEAN", "is_kit": "BOOLEAN", "tax_rate_bp": "INTEGER", "cost_minor": "BIGINT",
        "cost_currency": "VARCHAR", "authority": "VARCHAR", "rule": "VARCHAR", "reason": "VARCHAR",
    },
    "golden.prices": {
        "item_id": "VARCHAR", "price_list_id": "VARCHAR", "currency": "VARCHAR", "amount": "BIGINT",
        "compare_at": "BIGINT", "tax_basis": "VARCHAR", "tax_rate_bp": "INTEGER", "authority": "VARCHAR",
        "rule": "VARCHAR", "reason": "VARCHAR", "desired_until": "TIMESTAMPTZ",
    },
    "golden.stock": {
        "item_id": "VARCHAR", "location_id": "VARCHAR",
        **dict.fromkeys(("on_hand", "committed", "held", "safety", "available"), "BIGINT"),
        **_text("authority rule reason"), "counted": "BIGINT", "fulfilled": "BIGINT", "safety_rule": "VARCHAR",
    },
    "golden.customers": {
        "person_id": "VARCHAR",
        **{name: "VARCHAR" for field in _PERSON for name in (field, f"{field}_authority")}, "country": "VARCHAR",
    },
    "golden.consents": {
        **_text("contact_point channel purpose state authority rule reason"), "no_at": "TIMESTAMPTZ",
    },
}
"""Columns of all other tables of `work.duckdb` that one stage writes and another reads."""

_PRESENT = """
SELECT schema_name || '.' || table_name, list(column_name) FROM duckdb_columns()
WHERE database_name = current_database() GROUP BY ALL
"""


def create_tables(con: "duckdb.DuckDBPyConnection", models: Iterable["Model"] = ()) -> None:
    """Make what is missing, empty and typed; nothing that exists is touched.

    With stage models: also the raw tables they read, the tables they fill and their systems' quarantine. Of these, and
    of the quarantine, one that an older version filled, with other columns, is made anew: the views over it would not
    fit, and a night fills it.
    """
    wanted, staged = dict(TABLES), {}
    for model in models:
        wanted |= {name: RAW for name in model.inputs if name.startswith("raw_")}
        if model.table in STAGE and model.name not in TABLES:
            staged[f"quarantine.{model.schema}"] = QUARANTINE
            staged[model.name] = STAGE[model.table]
    if staged:
        staged["quarantine.reconcile"] = TABLES["quarantine.reconcile"]
    wanted |= staged
    for schema in sorted({name.split(".")[0] for name in wanted}):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    present = dict(con.execute(_PRESENT).fetchall())
    for name, columns in sorted(wanted.items()):
        is_older = name in staged and not columns.keys() <= set(present.get(name, columns))
        if is_older or name not in present:
            con.execute(f"CREATE OR REPLACE TABLE {name} ({_listed(columns)})")


def fill_table(con: "duckdb.DuckDBPyConnection", name: str, rows: Sequence[Sequence[object]]) -> None:
    """Make a small table of `TABLES` anew with these rows; values are bound, in the order of its columns."""
    con.execute(f"CREATE OR REPLACE TABLE {name} ({_listed(TABLES[name])})")
    if rows:  # in one statement: executemany commits row by row
        marks = f"({', '.join('?' for _ in TABLES[name])})"
        values = [value for row in rows for value in row]
        con.execute(f"INSERT INTO {name} VALUES {', '.join(marks for _ in rows)}", values)


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"{column} {kind}" for column, kind in columns.items())
