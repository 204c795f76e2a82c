"""The columns of the tables that lead from an order to roll back to drift; `pipelines.tables` has all others."""

_PLACE = ("system", "entity", "field", "vendor_id", "vendor_sub_id")
_ORDER = ("rollback_id", "plan_id", "correction_key")

ROLLBACK: dict[str, dict[str, str]] = {
    "reconcile.rollback_said": {
        **dict.fromkeys((*_ORDER, "author", "reason"), "VARCHAR"), "said_at": "TIMESTAMPTZ",
        "last_plan_at": "TIMESTAMPTZ", "is_current": "BOOLEAN",
    },
    "reconcile.rollback_held": dict.fromkeys((*_PLACE, "value", "currency"), "VARCHAR"),
    "reconcile.rollback_rows": {
        **dict.fromkeys((*_ORDER, *_PLACE, "currency", "before", "after", "observed"), "VARCHAR"),
        "written_at": "TIMESTAMPTZ",
        **dict.fromkeys(("state", "rule", "why"), "VARCHAR"), "stands": "BOOLEAN",
        **dict.fromkeys(("author", "reason"), "VARCHAR"), "said_at": "TIMESTAMPTZ",
    },
}
