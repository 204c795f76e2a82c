"""Writes units by counting them in Odoo, as compare-and-set: a count that was made of another level is not applied.

Odoo applies a count only while `counted - difference` is what lies there. So both are written, the difference from what
the plan saw, and then the counts are applied, all of one level at once, under a name that says the level (movements.sql
reads it). They are applied by Odoo's own wizard, which leaves out what is no longer counted: applying twice, which by
the quant itself would set the level to 0, changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.channels.base import Writer
from pipelines.channels.odoo.levels import Level, Quant, number, read_levels
from pipelines.channels.odoo.outcomes import (
    REFUSED_ROW,
    applied,
    in_order,
    load,
    rejected,
    stale,
    within_rights,
)
from pipelines.channels.odoo.session import OdooSession, odoo
from pipelines.errors import CredentialError, FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Outcome

BATCH = 100
"""Applying moves units one by one: about five seconds for a hundred, and the tills wait for the same rows."""
COUNTED = "trueup: counted {level}"
_COUNTING = {"inventory_mode": True}
_WIZARD = "stock.inventory.adjustment.name"


@dataclass(frozen=True, slots=True)
class Count:
    """A count to be written: of the plain quant of the stock room, so that the whole warehouse holds `level`."""

    correction: Correction
    room_id: int
    quant: Quant | None
    counted: float
    seen: float
    level: int


async def write_stock(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Set units on hand, or available, in warehouses; one outcome each, in order."""
    own = odoo(session)
    outcomes: dict[str, Outcome] = {}
    for c in corrections:
        if not (c.desired or "").isdecimal():
            outcomes[c.correction_key] = rejected(c, "NOT_A_QUANTITY", "a level is a whole number of units, 0 or more")
        elif c.observed is None:
            outcomes[c.correction_key] = rejected(c, "NOT_OBSERVED", "nothing is counted that was not seen before")
    ready = [c for c in corrections if c.correction_key not in outcomes]
    levels = await read_levels(own, ready) if ready else {}
    uid = await own.uid() if ready else 0
    counts = []
    for c in ready:
        found = _count_of(c, levels.get((c.vendor_id, c.vendor_sub_id)), uid)
        if isinstance(found, Outcome):
            outcomes[c.correction_key] = found
        else:
            counts.append(found)
    outcomes |= await _write(own, counts, uid)
    return in_order(corrections, outcomes)


def _count_of(c: Correction, level: Level | None, uid: int) -> Count | Outcome:
    """What to count, or why nothing is."""
    if level is None:
        return rejected(c, "NO_LEVEL", "Odoo keeps no stock of this product, or the warehouse is gone")
    now = level.value(c.field)
    if now == c.desired:
        return applied(c, "ALREADY")
    if now != c.observed:
        return stale(c, "MOVED", "the level moved since it was read")
    if level.is_tracked_by_lot:
        return rejected(c, "BY_LOT", "the product is counted lot by lot: count it in Odoo")
    aim = int(c.desired or 0) + (0 if c.field == "on_hand" else level.reserved)
    main = level.main
    seen = main.quantity if main else 0.0
    counted = seen + aim - level.on_hand
    if counted < 0 or aim != int(aim):
        return rejected(c, "OTHER_SHELVES", "other shelves of the warehouse hold more than this: count them in Odoo")
    if main and main.inventory_quantity_set and main.user_id not in (False, uid):
        return rejected(c, "BEING_COUNTED", "somebody's count of this product is not applied yet: apply it in Odoo")
    return Count(c, level.room_id, main, counted, seen, int(aim))


async def _write(own: OdooSession, counts: Sequence[Count], uid: int) -> dict[str, Outcome]:
    if not counts:
        return {}
    quants = {c.correction.correction_key: c.quant.id for c in counts if c.quant}
    quants |= await _make_quants(own, [c for c in counts if c.quant is None])
    by_quant = {str(quants[c.correction.correction_key]): c for c in counts}
    # Counting changes no level, so it may be said twice.
    rows = {quant: [number(c.counted), str(uid)] for quant, c in by_quant.items()}
    refused = await load(
        own, "stock.quant", ["inventory_quantity", "user_id/.id"], rows, is_repeatable=True, context=_COUNTING
    )
    # A write of its own: in one with the count, Odoo computes the difference anew.
    rows = {quant: [number(c.counted - c.seen)] for quant, c in by_quant.items() if quant not in refused}
    refused |= await load(
        own, "stock.quant", ["inventory_diff_quantity"], rows, is_repeatable=True, context=_COUNTING
    )
    outcomes = {
        by_quant[quant].correction.correction_key: rejected(by_quant[quant].correction, "LOAD_REFUSED", REFUSED_ROW)
        for quant in refused
    }
    left = {int(quant): c for quant, c in by_quant.items() if quant not in refused}
    for level in dict.fromkeys(c.level for c in left.values()):
        outcomes |= await _apply(own, level, {quant: c for quant, c in left.items() if c.level == level})
    return outcomes


async def _make_quants(own: OdooSession, counts: Sequence[Count]) -> dict[str, int]:
    """Quants of 0 where the stock room has none; by correction."""
    if not counts:
        return {}
    made = await own.execute(
        "stock.quant", "create",
        vals_list=[
            {"product_id": int(c.correction.vendor_id), "location_id": c.room_id, "inventory_quantity": c.counted}
            for c in counts
        ],
        context=_COUNTING,
    )
    if not isinstance(made, list) or len(made) != len(counts):
        raise FatalChannelError("stock.quant: not every quant was made", system=own.system)
    return {c.correction.correction_key: int(quant) for c, quant in zip(counts, made, strict=True)}


async def _apply(own: OdooSession, level: int, counts: dict[int, Count]) -> dict[str, Outcome]:
    """Apply counts that make the same level; what moved meanwhile is stale, and its count taken back."""
    try:
        wizards = await own.execute(
            _WIZARD, "create",
            vals_list=[{"quant_ids": [[6, 0, list(counts)]], "inventory_adjustment_name": COUNTED.format(level=level)}],
        )
        conflict = await own.execute(_WIZARD, "action_apply", ids=wizards)
        moved = _moved(conflict, counts)
        if moved:
            await _clear(own, moved)
            if _moved(await own.execute(_WIZARD, "action_apply", ids=wizards), counts):
                moved = set(counts)  # still moving: the next plan sees where it came to rest
                await _clear(own, moved)
    except (FatalChannelError, CredentialError) as error:
        await _clear(own, counts)
        if isinstance(error, CredentialError) or len(counts) > 1:
            raise
        (only,) = (count.correction for count in counts.values())
        return {only.correction_key: rejected(only, error.code, error.message)}
    return {
        c.correction.correction_key: stale(c.correction, "MOVED", "the level moved while it was counted")
        if quant in moved else applied(c.correction)
        for quant, c in counts.items()
    }


def _moved(answer: object, counts: dict[int, Count]) -> set[int]:
    """The quants of which Odoo says that they moved since they were counted; then it has applied none."""
    if not isinstance(answer, dict):
        return set()
    named = (answer.get("context") or {}).get("default_quant_to_fix_ids")
    found = {quant for quant in named or () if quant in counts}
    if not found:
        raise FatalChannelError("a count was not applied, and Odoo does not say why", status=422, code="NOT_APPLIED")
    return found


async def _clear(own: OdooSession, quants: Iterable[int]) -> None:
    """Take counts back, so that nobody applies them later."""
    await own.execute("stock.quant", "action_clear_inventory_quantity", ids=sorted(quants), context=_COUNTING)


STOCK_WRITER = Writer(
    "stock", frozenset({"on_hand", "available"}), BATCH, within_rights(write_stock), max_in_flight=1
)
