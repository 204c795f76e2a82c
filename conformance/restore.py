"""Takes back what a run wrote: every value as it was before, every record of ours removed; told if anything is left."""

from conformance.bench import SETTLING_WAITS, Bench
from conformance.staged import sub_id_of, typed_of
from conformance.verdicts import Failed
from pipelines.model import Correction
from pipelines.readback import is_same


async def restore(bench: Bench) -> str:
    """What was done, in words. Failed where a value is still as this run wrote it, by vendor id."""
    removed = await _remove_ours(bench)
    before = bench.before
    if not before:
        return f"nothing of anybody's was written, {removed} records removed"
    await bench.stage_anew({c.entity for c in before})
    wanted = [c for c in (_back(bench, c) for c in before) if c is not None]
    outcomes = await bench.push(wanted, keep=False) if wanted else {}
    held = await bench.read_back(before)
    left = []
    for c in before:
        reading = held.get(c.correction_key)
        if reading is None or not is_same(bench.con, c, reading.value, c.observed):
            said = [outcomes[w.correction_key].code for w in wanted if _place(w) == _place(c)]
            left.append(f"{c.entity}.{c.field} of {c.vendor_id} ({', '.join(said) or 'not sent'})")
    if left:
        raise Failed(f"still as this run wrote it: {'; '.join(left)}")
    return f"{len(before)} values are as they were, {removed} records removed"


async def _remove_ours(bench: Bench) -> int:
    """Remove all persons of this run, those too of whose making nobody heard; how many. Failed where some are left."""
    if not bench.has_hands or not bench.has_made:
        return 0
    known = list(bench.made)
    if known:
        await bench.remove(known)
    orphans: set[str] = set()
    left: list[str] = []
    for wait in SETTLING_WAITS:
        await bench.clock.sleep(wait)
        left = await bench.ours_listed()
        if not left:
            break
        orphans.update(left)
        await bench.remove(left)
    if left:
        raise Failed(f"{len(left)} records of this run are still listed: {', '.join(left[:5])}")
    return len(known) + len(orphans - set(known))


def _back(bench: Bench, c: Correction) -> Correction | None:
    """The correction that puts a value back; None where it stands as it did."""
    for row in bench.rows(c.entity):
        if (str(row["vendor_id"]), sub_id_of(c.entity, row)) == (c.vendor_id, c.vendor_sub_id):
            is_back = typed_of(c.field, row) == c.base
            return None if is_back else bench.correction(c.entity, c.field, row, c.base)
    return None


def _place(c: Correction) -> tuple[str, str, str, str]:
    return c.entity, c.field, c.vendor_id, c.vendor_sub_id
