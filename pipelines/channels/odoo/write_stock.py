"""Writes units by counting them in Odoo, as compare-and-set: a count that was made of another level is not applied.

Odoo applies a count only while `counted - difference` is what lies there. So both are written, the difference from what
the plan saw, and then the counts are applied, all of one level at once, under a name that says the level (movements.sql
reads it). They are applied by Odoo's own wizard, which leaves out what is no longer counted: applying twice, which by
the quant itself would set the level to 0, changes nothing. Odoo compares the one quant that is counted, and no reserved
units: what lies on other shelves, and what is promised, is read again just before. No count is left behind unapplied.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pipelines.channels.base import Writer
from pipelines.channels.odoo.levels import Level, Quant, number, read_levels, read_quants
from pipelines.channels.odoo.outcomes import (
    REFUSED_WHOLE,
    Part,
    applied,
    in_parts,
    load,
    loaded,
    stale,
    within_rights,
)
from pipelines.channels.odoo.session import OdooSession, odoo
from pipelines.channels.outcomes import in_order, rejected
from pipelines.errors import ChannelError, FatalChannelError
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
    found: Level
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
    parts: list[Part] = [([c.correction for c in counts], partial(_write, own, counts, uid))] if counts else []
    return in_order(corrections, outcomes | await in_parts(parts))


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
    if main and main.inventory_quantity_set and main.user_id != uid:
        return rejected(c, "BEING_COUNTED", "somebody's count of this product is not applied yet: apply it in Odoo")
    return Count(c, level, main, counted, seen, int(aim))


async def _write(own: OdooSession, counts: Sequence[Count], uid: int) -> dict[str, Outcome]:
    quants = {c.correction.correction_key: c.quant.id for c in counts if c.quant}
    quants |= await _make_quants(own, [c for c in counts if c.quant is None])
    by_quant = {quants[c.correction.correction_key]: c for c in counts}
    standing = set(by_quant)  # with a count of ours that is neither applied nor taken back
    try:
        outcomes = await _count(own, by_quant, uid, standing)
    except ChannelError as error:
        left = await _take_back(own, standing)
        raise type(error)(f"{error.message}{left}", system=own.system, status=error.status, code=error.code) from error
    left = await _take_back(own, standing)
    for key in (by_quant[quant].correction.correction_key for quant in standing):
        outcomes[key] = replace(outcomes[key], message=f"{outcomes[key].message}{left}")
    return outcomes


async def _count(own: OdooSession, by_quant: dict[int, Count], uid: int, standing: set[int]) -> dict[str, Outcome]:
    """Say the counts and apply them. What is applied, or was never said, is taken out of `standing`."""
    # Counting changes no level, so it may be said twice.
    rows = {str(quant): [number(c.counted), str(uid)] for quant, c in by_quant.items()}
    refused = await load(
        own, "stock.quant", ["inventory_quantity", "user_id/.id"], rows, is_repeatable=True, context=_COUNTING
    )
    standing -= set(map(int, refused))
    # A write of its own: in one with the count, Odoo computes the difference anew.
    rows = {str(quant): [number(c.counted - c.seen)] for quant, c in by_quant.items() if str(quant) not in refused}
    refused |= await load(
        own, "stock.quant", ["inventory_diff_quantity"], rows, is_repeatable=True, context=_COUNTING
    )
    said = {quant: c for quant, c in by_quant.items() if str(quant) not in refused}
    parts: list[Part] = []
    for level in dict.fromkeys(c.level for c in said.values()):
        alike = {quant: c for quant, c in said.items() if c.level == level}
        parts.append(([c.correction for c in alike.values()], partial(_apply_unmoved, own, level, alike, standing)))
    outcomes = {
        c.correction.correction_key: loaded(c.correction, refused[str(quant)])
        for quant, c in by_quant.items() if quant not in said
    }
    return outcomes | await in_parts(parts)


async def _make_quants(own: OdooSession, counts: Sequence[Count]) -> dict[str, int]:
    """Quants of 0 where the stock room has none; by correction.

    Without a count: where the answer is lost, nobody could take it back. An empty one that is left Odoo clears away.
    """
    if not counts:
        return {}
    made = await own.execute(
        "stock.quant", "create",
        vals_list=[{"product_id": int(c.correction.vendor_id), "location_id": c.found.room_id} for c in counts],
        context=_COUNTING, is_repeatable=False,
    )
    if not isinstance(made, list) or len(made) != len(counts):
        raise FatalChannelError("stock.quant: not every quant was made", system=own.system)
    return {c.correction.correction_key: int(quant) for c, quant in zip(counts, made, strict=True)}


async def _apply_unmoved(
    own: OdooSession, level: int, counts: dict[int, Count], standing: set[int]
) -> dict[str, Outcome]:
    """Apply counts that make the same level, but for those of which the level as a whole is another by now."""
    now = await read_quants(own, [c.correction for c in counts.values()])
    moved = {}
    for quant, count in counts.items():
        c = count.correction
        held = replace(count.found, quants=now.get((c.vendor_id, c.vendor_sub_id), []))
        if held.value(c.field) != c.observed:
            moved[quant] = count
    outcomes = {c.correction.correction_key: _stale(c.correction) for c in moved.values()}
    left = {quant: c for quant, c in counts.items() if quant not in moved}
    return outcomes | (await _apply(own, level, left, standing) if left else {})


async def _apply(own: OdooSession, level: int, counts: dict[int, Count], standing: set[int]) -> dict[str, Outcome]:
    """Apply counts; what moved meanwhile is stale, and what Odoo refuses is refused by itself."""
    try:
        wizards = await own.execute(
            _WIZARD, "create",
            vals_list=[{"quant_ids": [[6, 0, list(counts)]], "inventory_adjustment_name": COUNTED.format(level=level)}],
        )
        moved = _moved(await own.execute(_WIZARD, "action_apply", ids=wizards), counts)
        if moved:
            await _clear(own, moved)
            standing -= moved
            if _moved(await own.execute(_WIZARD, "action_apply", ids=wizards), counts):
                moved = set(counts)  # still moving: the next plan sees where it came to rest
    except FatalChannelError as error:
        if error.status not in REFUSED_WHOLE:
            raise
        if len(counts) > 1:
            keys, middle = list(counts), len(counts) // 2
            halves = ({quant: counts[quant] for quant in half} for half in (keys[:middle], keys[middle:]))
            return await in_parts([
                ([c.correction for c in half.values()], partial(_apply, own, level, half, standing)) for half in halves
            ])
        (only,) = (count.correction for count in counts.values())
        return {only.correction_key: rejected(only, error.code, error.message)}
    standing -= set(counts) - moved
    return {
        c.correction.correction_key: _stale(c.correction) if quant in moved else applied(c.correction)
        for quant, c in counts.items()
    }


def _stale(correction: Correction) -> Outcome:
    return stale(correction, "MOVED", "the level moved while it was counted")


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


async def _take_back(own: OdooSession, quants: set[int]) -> str:
    """Take back what is not applied, as well as can be; '' or words on what is left to do."""
    if not quants:
        return ""
    try:
        await _clear(own, quants)
    except ChannelError as error:
        return f"; counts could not be taken back: clear them in Odoo ({type(error).__name__} {error.code})".strip()
    return ""


STOCK_WRITER = Writer("stock", frozenset({"on_hand"}), BATCH, within_rights(write_stock), max_in_flight=1)
AVAILABLE_WRITER = Writer(
    "stock", frozenset({"available"}), BATCH, within_rights(write_stock), needs_check=True, max_in_flight=1
)
"""What is reserved is compared by nobody but us."""
