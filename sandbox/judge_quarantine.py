"""Whether every bad row was kept out, and no sound one with it."""

from sandbox.plan_rows import Plan
from sandbox.verdict import Verdict
from sandbox.world import ids
from sandbox.world.chronicle import BadRow

_SELLERS = ("square", "shopify", "hubspot")
_FAMILIES = (
    {"sku", "sku_norm"}, {"amount", "amount_minor", "price"}, {"currency", "amount"}, {"title", "name"},
    {"email", "email_norm"}, {"first_name", "last_name", "name or address"},
)
"""Names that mean one field; some systems judge all names of a record at once."""


def judge_quarantine(
    bad: list[BadRow], plan: Plan, verdict: Verdict, down: frozenset[str] = frozenset()
) -> None:
    """Judge all quarantined rows. A spoilt item may take its other records with it; a deleted one takes none."""
    for row in bad:
        tally = verdict.tally(row.entity, "bad_row")
        tally.expected += 1
        if any(_matches(row, held) for held in plan.quarantine):
            tally.found += 1
        elif down & {row.system, *row.heard}:
            tally.excused += 1
        else:
            tally.missed += 1
            verdict.fail("quarantine missed", f"{row.system} {row.entity}.{row.field} {row.vendor_id}", row.note)
    known = {(row.system, row.vendor_id) for row in bad}
    spoilt = [row.item for row in bad if row.item >= 0]
    known |= {(system, ids.item_key(system, number)) for number in spoilt for system in _SELLERS}
    for system, entity, vendor_id, name in sorted(plan.quarantine):
        if (system, vendor_id) not in known:
            verdict.tally(entity, "bad_row").false += 1
            verdict.fail("quarantine false", f"{system} {entity}.{name} {vendor_id}", "nothing is wrong with it")


def _matches(row: BadRow, held: tuple[str, str, str, str]) -> bool:
    system, entity, vendor_id, name = held
    if (system, entity, vendor_id) != (row.system, row.entity, row.vendor_id):
        return False
    return name in ("", row.field) or any(name in family and row.field in family for family in _FAMILIES)
