"""Made nights for the tests of the report: one row, one flow, one night, and a night as rich as a real one."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.model import Disposition
from pipelines.report.facts import NightFacts

AS_OF = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)
HOSTILE = ["<script>alert(1)</script>", "javascript:alert(1)", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "=1+1"]
STATES = (
    "confirmed", "unproved", "untaken", "unpushed", "waiting", "refused", "not_writable", "observed", "answered",
)


def row(**changes: Any) -> dict[str, Any]:
    """One correction as `rows.sql` gives it; a price that was pushed and confirmed unless told otherwise."""
    base = {
        "correction_key": "k" * 64, "system": "shopify", "entity": "prices", "field": "amount", "vendor_id": "v1",
        "vendor_sub_id": "base", "subject_sub_id": "eur", "currency": "EUR", "observed": "1299", "desired": "1199",
        "base": "1299", "has_base": True, "drift_class": "elsewhere", "authority": "square",
        "rule": "source of truth", "reason": "square moved", "risk": "low", "disposition": "approve",
        "disposition_reason": "policy", "is_releasable": False, "held_since": None, "is_new": True, "lane": "main",
        "sku": "ROB-0417-38", "title": "Robe 38", "tax_basis": "gross", "outcome": "applied", "outcome_code": "",
        "verification": "confirmed", "seen_at": AS_OF, "is_allowed": True, "answered_by": None, "answered_at": None,
        "answered_until": None, "change_size": 0.077, "alike_count": 1,
    }
    return base | changes


def unsent(disposition: str, **changes: Any) -> dict[str, Any]:
    """One correction that nothing was done about."""
    nothing = {"outcome": None, "outcome_code": None, "verification": None, "seen_at": None, "is_allowed": False}
    return row(disposition=disposition, **nothing, is_releasable=disposition == "hold") | changes


def flow(**counts: int) -> dict[str, Any]:
    """A line of `flow.sql`: where the values of one system and entity stand; `planned` is their sum."""
    states = dict.fromkeys(STATES, 0) | {name: counts[name] for name in STATES if name in counts}
    sent = states["confirmed"] + states["unproved"]
    line = {
        "system": "shopify", "entity": "prices", "planned": sum(states.values()), "new": 0,
        "approved": sent + states["untaken"] + states["unpushed"], "held": states["waiting"], "pushed": sent,
        "seen_at": AS_OF if sent else None, **states,
    }
    return line | counts


def read(system: str = "square", **changes: Any) -> dict[str, Any]:
    """One read, whole unless told otherwise."""
    return {
        "system": system, "endpoint": "catalog_objects", "kind": "delta", "row_count": 9, "page_count": 1, "calls": 1,
        "waited_seconds": 0.0, "is_complete": True, "reason": "",
    } | changes


def facts(**changes: Any) -> NightFacts:
    """One night: a price that was corrected and proved."""
    base: dict[str, Any] = {
        "night_id": "n1", "estate": "sandbox", "kind": "nightly", "as_of": AS_OF, "status": "complete",
        "reads": [read()], "flow": [flow(confirmed=1)], "rows": [row()],
        "drift": [{"system": "shopify", "entity": "prices", "drift_class": "elsewhere", "row_count": 1}],
    }
    return NightFacts(**(base | changes))


def rich_night(size: int = 60) -> NightFacts:
    """Every disposition, entity and class, hundreds of rows, thirty nights of trend, and texts without a space."""
    classes = {
        "prices": "both", "stock": "unexplained", "items": "never_agreed", "customers": "here", "consents": "lower",
    }
    rows, lines, drift = [], [], []
    for system in ("square", "shopify", "hubspot", "mailchimp"):
        for entity, drift_class in classes.items():
            personal = entity in ("customers", "consents")
            found = [
                unsent(
                    str(disposition), system=system, entity=entity, drift_class=drift_class, risk=risk,
                    correction_key=f"{system[0]}{entity[0]}{disposition[0]}{number:09d}" + "0" * 52,
                    field={"prices": "compare_at", "stock": "available", "items": "gtin", "customers": "postcode"}.get(
                        entity, "state"
                    ),
                    vendor_id=f"gid://shopify/Customer/{6_000_000_000 + number}" if number % 2 else "d" * 32,
                    currency="EUR" if entity == "prices" else None, title=None if personal else _title(number),
                    observed=None if number % 7 == 0 else str(1000 + number), desired=str(1100 + 3 * number),
                    sku=None if personal else f"ROB-{number:06d}-38", tax_basis="net" if entity == "prices" else None,
                    reason=f"{number % 3} of them moved since 2026-06-14, when all agreed; square sets the value.",
                    disposition_reason=f"The policy says {disposition} to {drift_class} of {entity}.",
                    held_since=AS_OF - timedelta(days=number), change_size=float(number), alike_count=size // 6,
                    answered_by="amelie" if disposition in ("pin", "reject") else None,
                    answered_until=AS_OF + timedelta(days=9) if disposition == "pin" else None,
                )
                for disposition in Disposition
                for number, risk in zip(range(size // 6), ("low", "high", "medium") * size, strict=False)
            ]
            rows += found
            each = size // 6
            lines.append(flow(
                system=system, entity=entity, unpushed=each, waiting=each, refused=each, not_writable=each,
                observed=each, answered=2 * each, new=each, confirmed=1, unproved=1, untaken=1,
            ))
            drift.append({"system": system, "entity": entity, "drift_class": drift_class, "row_count": 7 * each})
    nights = [(f"2026-05-{day:02d}.1", AS_OF - timedelta(days=30 - day)) for day in range(1, 31)]
    return facts(
        rows=rows, flow=lines, drift=drift,
        trend=[
            {"night_id": night, "as_of": at, "system": system, "entity": entity, "drift_class": drift_class,
             "row_count": 40 + place % 9}
            for place, (night, at) in enumerate(nights) for entity, drift_class in classes.items()
            for system in ("shopify", "square")
        ],
        backlog=[
            {"night_id": night, "as_of": at, "waiting": 200 + place, "confirmed": 400 - place}
            for place, (night, at) in enumerate(nights)
        ],
        remaining=[
            {"system": line["system"], "entity": line["entity"], "cause": "hold: " + "x" * 90, "row_count": 4}
            for line in lines
        ],
        unwanted=[
            {"system": "files", "entity": "prices", "field": "amount", "request": "prices.t." + "x" * 90 + ".csv",
             "asked_at": AS_OF, "row_count": 1000 + number} for number in range(3)
        ],
        assortment=[
            {"system": system, "expected": 9000, "listed": 8000, "unpublished": 400, "deleted": 300, "missing": 200,
             "unknown": 100 * place, "proved_at": AS_OF if place else None, "census_at": AS_OF if place else None}
            for place, system in enumerate(("square", "shopify", "hubspot"))
        ],
        worklist=[
            {"kind": kind, "system": "shopify", "vendor_id": f"gid://shopify/ProductVariant/{number}",
             "name": _title(number), "state": "in quarantine", "action": "x" * 90, "reason": "r" * 120,
             "alike_count": 1000}
            for kind in ("assortment", "keys") for number in range(20)
        ],
        quarantine=[
            {"system": "hubspot", "entity": "customers", "field": "first_name", "reason": "r" * 120, "row_count": 3}
            for _ in range(20)
        ],
        reads=[read(system, endpoint=f"a_long_endpoint_name_{number}") for system in ("square", "shopify")
               for number in range(12)],
        summary={"calls": {"square": {
            "read": 82, "read_least": 81, "write": 1295, "write_least": 27, "throttled": 3, "waited_seconds": 61.2,
        }}},
    )


def _title(number: int) -> str:
    if number == 1:
        return "W" * 200
    return HOSTILE[number % 5] if number < 6 else f"Cardigan ajusté « Cap Ferret » {number}"
