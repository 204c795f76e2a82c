"""The columns of the tables that say what estate and policy settle; `pipelines.tables` has all others."""


def _text(names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), "VARCHAR")


SETTINGS: dict[str, dict[str, str]] = {
    "estate.night": {
        "night_id": "VARCHAR", "estate": "VARCHAR", "as_of": "TIMESTAMPTZ", "timezone": "VARCHAR", "kind": "VARCHAR",
    },
    "estate.systems": {"system": "VARCHAR", "shop_id": "VARCHAR", "timezone": "VARCHAR"},
    "estate.locations": {"system": "VARCHAR", "vendor_location_id": "VARCHAR", "location_id": "VARCHAR"},
    "estate.price_lists": {
        "system": "VARCHAR", "vendor_price_list": "VARCHAR", "price_list_id": "VARCHAR", "currency": "VARCHAR",
        "tax_basis": "VARCHAR",
    },
    "estate.audiences": {
        "system": "VARCHAR", "vendor_audience_id": "VARCHAR", "channel": "VARCHAR", "purpose": "VARCHAR",
    },
    "estate.stock_rules": {"location_id": "VARCHAR", "authority": "VARCHAR", "safety_stock": "BIGINT"},
    "estate.safety_rules": {**_text("category location_id"), "units": "BIGINT", "rule": "VARCHAR"},
    "estate.buffers": {**_text("system category location_id"), "units": "BIGINT", "rule": "VARCHAR"},
    "estate.hold_limits": {"location_id": "VARCHAR", "hours": "BIGINT"},
    "policy.sources": {"entity": "VARCHAR", "field": "VARCHAR", "system": "VARCHAR", "rank": "INTEGER"},
    "policy.targets": {
        "system": "VARCHAR", "entity": "VARCHAR", "field": "VARCHAR", "mode": "VARCHAR", "is_writable": "BOOLEAN",
        "tolerance": "BIGINT",
    },
    **dict.fromkeys(("policy.creates", "policy.raises", "policy.clears"), _text("system entity")),
    "policy.requests": {**_text("system entity"), "seconds": "BIGINT"},
    "policy.pilots": _text("system entity subject_id"),
    "policy.pilot_skus": _text("system entity sku"),
    "policy.derivations": {
        "system": "VARCHAR", "price_list_id": "VARCHAR", "markup_bp": "BIGINT", "ends_in": "BIGINT",
        "ends_of": "BIGINT", "from_list": "VARCHAR", "rate_units": "HUGEINT", "rate_until": "DATE", "told": "VARCHAR",
    },
    "policy.roundings": _text("system price_list_id mode"),
    "policy.decisions": {"entity": "VARCHAR", "field": "VARCHAR", "drift_class": "VARCHAR", "action": "VARCHAR"},
    "policy.caps": {
        "system": "VARCHAR", "entity": "VARCHAR", "field": "VARCHAR", "max_share_pct": "DOUBLE", "floor_rows": "BIGINT",
        "max_rows": "BIGINT",
    },
    "policy.guards": {
        "entity": "VARCHAR", "field": "VARCHAR", "max_jump_pct": "DOUBLE", "refuses_zero": "BOOLEAN",
        "refuses_below_cost": "BOOLEAN", "floor_minor": "BIGINT", "ceiling_minor": "BIGINT",
    },
    "policy.prior_prices": {"price_list_id": "VARCHAR", "days": "BIGINT"},
    "policy.assortment": _text("system carries"),
    "policy.left_out": _text("system sku"),
    "policy.loyalty": {"same_within_seconds": "BIGINT"},
    "policy.parking": dict.fromkeys(("flap_writes", "flap_days", "tries"), "BIGINT"),
}
