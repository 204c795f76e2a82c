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
from pipelines.model import Correction, Outcome, Reading

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
    sent = [one for one in written if one.sent]
    if not sent:
        return "nothing of anybody's was written"
    return f"{len(sent)} values are as they were"


async def _values_left(bench: Bench) -> list[str]:
    """Put every value back; those that are not, in words."""
    records, rows, words = _records(bench.written), dict[_Key, Row](), dict[Place, str]()
    unread = ""
    for wait in SETTLING_WAITS if records else ():
        await bench.clock.sleep(wait)
        entities = {record[0].first.entity for record in records}
        found, unread = await _listed(bench, entities, SETTLING_WAITS[:1] if rows else SETTLING_WAITS)
        rows, words, left = found or rows, {}, []
        for record in records:
            if some := await _record_left(bench, record, rows):
                words |= some
                left.append(record)  # with what is back already: some values move with others
        records = left
        if not records:
            break
    told = [f"{one.name}: {words[place]}" for one in bench.written if (place := place_of(one.first)) in words]
    return [*told, *([f"tried without a fresh list ({unread})"] if told and unread else [])]


async def _listed(bench: Bench, entities: set[str], waits: Sequence[float]) -> tuple[dict[_Key, Row], str]:
    """The records of these entities as they are listed now; none where no list is believed, and why."""
    why = ""
    for wait in waits:
        await bench.clock.sleep(wait)
        try:
            await bench.stage_anew(entities)
        except Exception as error:  # what was kept before serves in its place; told where that does not do
            why = words_of(error)
            continue
        return {
            (entity, str(row["vendor_id"]), sub_id_of(entity, row)): row
            for entity in entities for row in bench.rows(entity)
        }, ""
    return {}, why


def _records(written: Iterable[Written]) -> list[list[Written]]:
    """What is put back together: a record's fields, since some writers send them together."""
    found: dict[tuple[str, str], list[Written]] = {}
    for one in written:
        found.setdefault((one.first.entity, one.first.vendor_id), []).append(one)
    return list(found.values())


async def _record_left(bench: Bench, record: Sequence[Written], rows: Mapping[_Key, Row]) -> dict[Place, str]:
    """Put one record's values back; what is left of them, by place."""
    try:
        back = {
            place_of(one.first): _back(bench, one.first, reading, rows)
            for one, reading in await _present(bench, record)
            if reading is not None and _is_to_go_back(bench, one, reading)
        }
        outcomes = await bench.push(list(back.values()), keep=False) if back else {}
        said = {place: outcomes[c.correction_key] for place, c in back.items()}
        left = {}
        for one, reading in await _present(bench, record):
            if words := _words_left(bench, one, reading, said.get(place_of(one.first))):
                left[place_of(one.first)] = words
        return left
    except Exception as error:  # whatever it is, the other records come next, and this one is named
        return {place_of(one.first): words_of(error) for one in record}


async def _present(bench: Bench, record: Sequence[Written]) -> list[tuple[Written, Reading | None]]:
    """A record's places with what they hold now; None where it is not found by its id."""
    held = await bench.read_back([one.first for one in record])
    found = [(one, held.get(one.first.correction_key)) for one in record]
    return [(one, reading if reading is not None and reading.exists else None) for one, reading in found]


def _is_to_go_back(bench: Bench, one: Written, reading: Reading) -> bool:
    """Whether a value is to be put back, over nothing but what this run sent."""
    return not one.is_back(bench.con, reading) and one.is_ours(bench.con, reading)


def _words_left(bench: Bench, one: Written, reading: Reading | None, said: Outcome | None) -> str:
    """Why a place is not as it was; '' where it is."""
    if reading is None:
        return "it is not found by its id"
    if one.is_back(bench.con, reading):
        return ""
    if not one.is_ours(bench.con, reading):
        return "neither as it was nor as this run wrote it, so left as somebody changed it"
    words = f"{said.status} {said.code}".strip() if said else "not sent"
    return f"still as this run wrote it ({words})"


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
