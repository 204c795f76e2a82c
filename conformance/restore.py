"""Takes back what a run wrote: every value as it was before, every record of ours removed; told if anything is left.

What stands is decided by reading by id. The connector's own list, which is being examined, gives no more than what a
writer needs beside the key. A value is put back over nothing but what this run sent: what somebody changed meanwhile
is theirs, and is named. Nothing that goes wrong at one record keeps another from being put back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec

from conformance.bench import SETTLING_WAITS, Bench
from conformance.staged import Row, sub_id_of
from conformance.verdicts import Failed, words_of
from conformance.written import Place, Written, place_of
from pipelines.model import Correction, OutcomeStatus, Reading

_Key = tuple[str, str, str]


async def restore(bench: Bench) -> str:
    """What was done, in words. Failed where anything is left, by vendor id: values, and records of ours."""
    # Values first: they are other people's.
    left = await _values_left(bench)
    left += await _records_left(bench)
    if left:
        raise Failed("; ".join(left))
    return f"{_values_words(bench.written)}, {len(bench.removed)} records made and removed"


def _values_words(written: Sequence[Written]) -> str:
    if not written:
        return "nothing of anybody's was written"
    asked = [one.name for one in written if one.is_asked_back]
    waits = f" (once the requests are carried out: {', '.join(asked)})" if asked else ""
    return f"{len(written)} values are as they were{waits}"


async def _values_left(bench: Bench) -> list[str]:
    """Put every value back; those that are not, in words."""
    waiting, rows, words = bench.written, dict[_Key, Row](), dict[Place, str]()
    for wait in SETTLING_WAITS if waiting else ():
        await bench.clock.sleep(wait)
        entities = {one.first.entity for one in waiting}
        rows = await _listed(bench, entities, SETTLING_WAITS[:1] if rows else SETTLING_WAITS) or rows
        words = {}
        for record in _records(waiting):
            words |= await _record_left(bench, record, rows)
        waiting = [one for one in waiting if place_of(one.first) in words]
        if not waiting:
            break
    return [f"{one.name}: {words[place_of(one.first)]}" for one in waiting]


async def _listed(bench: Bench, entities: set[str], waits: Sequence[float]) -> dict[_Key, Row]:
    """The records of these entities as they are listed now; none where no list is believed."""
    for wait in waits:
        await bench.clock.sleep(wait)
        try:
            await bench.stage_anew(entities)
        except Exception:  # the list's failure is its own checks' affair; what was kept before serves in its place
            continue
        return {
            (entity, str(row["vendor_id"]), sub_id_of(entity, row)): row
            for entity in entities for row in bench.rows(entity)
        }
    return {}


def _records(written: Iterable[Written]) -> list[list[Written]]:
    """What is put back together: a record's fields, since some writers send them together."""
    found: dict[tuple[str, str], list[Written]] = {}
    for one in written:
        found.setdefault((one.first.entity, one.first.vendor_id), []).append(one)
    return list(found.values())


async def _record_left(bench: Bench, record: Sequence[Written], rows: Mapping[_Key, Row]) -> dict[Place, str]:
    """Put one record's values back; what is left of them, by place."""
    left: dict[Place, str] = {}
    try:
        held = await bench.read_back([one.first for one in record])
        back: list[tuple[Written, Correction]] = []
        for one in record:
            reading, place = held.get(one.first.correction_key), place_of(one.first)
            if reading is None or not reading.exists:
                left[place] = "it is not found by its id"
            elif one.is_asked_back or (one.is_back(bench.con, reading) and not bench.settles(one.first)):
                continue
            elif one.is_back(bench.con, reading) or one.is_ours(bench.con, reading):
                # Of a request that waits nothing can be read yet: it is followed by the opposite one in any case.
                back.append((one, _back(bench, one.first, reading, rows)))
            else:
                left[place] = "neither as it was nor as this run wrote it, so left as somebody changed it"
        if back:
            left |= await _sent_back(bench, back)
    except Exception as error:  # whatever it is, the other records come next, and this one is named
        left = {place_of(one.first): words_of(error) for one in record} | left
    return left


async def _sent_back(bench: Bench, back: Sequence[tuple[Written, Correction]]) -> dict[Place, str]:
    outcomes = await bench.push([c for _, c in back], keep=False)
    held = await bench.read_back([c for _, c in back])
    left = {}
    for one, c in back:
        reading, outcome = held.get(c.correction_key), outcomes[c.correction_key]
        one.is_asked_back = bench.settles(c) and outcome.status is OutcomeStatus.APPLIED
        if not one.is_asked_back and (reading is None or not one.is_back(bench.con, reading)):
            left[place_of(c)] = f"still as this run wrote it ({outcome.status} {outcome.code})".replace(" )", ")")
    return left


def _back(bench: Bench, c: Correction, reading: Reading, rows: Mapping[_Key, Row]) -> Correction:
    """The correction that puts a value back, over the value and the version that were just read."""
    row = rows.get((c.entity, c.vendor_id, c.vendor_sub_id), {})
    context = msgspec.json.decode(row["write_context"]) if row.get("write_context") else c.context
    return replace(
        c, correction_key=bench.correction_key(), observed=reading.value, desired=c.base, context=context,
        version=reading.version or row.get("version") or c.version,
    )


async def _records_left(bench: Bench) -> list[str]:
    """Remove all persons of this run, those too of whose making nobody heard; what is left, in words."""
    if not bench.has_hands or not bench.has_made:
        return []
    words = []
    left: set[str] = set()
    for wait in SETTLING_WAITS:
        await bench.clock.sleep(wait)
        left, words = set(bench.made), [await _removed(bench, list(bench.made))]
        try:
            listed = await bench.ours_listed()
        except Exception as error:  # a list that is not believed: asked for again, and told if it stays so
            words.append(words_of(error))
            continue
        left = {*bench.made, *listed}
        if not left:
            return []
        words.append(await _removed(bench, listed))
    why = ", ".join(dict.fromkeys(filter(None, words)))
    some = ", ".join(sorted(left)[:5]) or "of those of whom nobody knows"
    return [f"{len(left)} records of this run are not known to be removed: {some}{f' ({why})' if why else ''}"]


async def _removed(bench: Bench, ids: Sequence[str]) -> str:
    """Why these records could not be removed; '' where they were."""
    if not ids:
        return ""
    try:
        await bench.remove(ids)
    except Exception as error:  # told by whoever asked
        return words_of(error)
    return ""
