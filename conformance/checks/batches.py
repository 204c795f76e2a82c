"""Batches: the declared maximum is taken in one call, what lies above it is cut, and one bad row is bad alone."""

from conformance.bench import Bench
from conformance.hands import Person
from conformance.staged import Row
from conformance.targets import desired_of
from conformance.verdicts import Failed, NotShown
from pipelines.channels.base import Writer
from pipelines.model import OutcomeStatus
from pipelines.push.compose import chunks, in_order

MOST_MADE = 600
"""No more persons are made for one check."""


def _customer_writer(bench: Bench) -> tuple[Writer, str]:
    for writer in bench.channel.writers:
        if writer.entity == "customers":
            for name in ("last_name", "first_name", "city"):
                if name in writer.fields:
                    return writer, name
    raise NotShown("customers are not written")


async def maximum(bench: Bench) -> str:
    """As many rows as the writer declares go out in one call and are taken; one more makes a second call."""
    bench.need_hands()
    bench.wire.need_http()
    writer, name = _customer_writer(bench)
    if writer.batch_max > MOST_MADE:
        raise NotShown(f"batches of {writer.batch_max}: more than the {MOST_MADE} records that are made for a check")
    made = await bench.make(writer.batch_max + 1)
    rows = await _rows(bench, made)
    sent = [bench.correction("customers", name, row, desired_of("customers", name, row)) for row in rows]
    planned = sorted((len(rows) for rows in chunks(in_order(sent, writer), writer)), reverse=True)
    if planned[0] < writer.batch_max:
        await bench.remove(list(made))
        raise NotShown(f"what goes together is {planned[0]} of {writer.batch_max} at most: a group holds one record")
    mark = len(bench.wire.sent)
    outcomes = await bench.push(sent)
    taken = sum(outcome.status is OutcomeStatus.APPLIED for outcome in outcomes.values())
    # What the server got, not what was handed to the writer; a call that was repeated is one call.
    calls = len({(one.path, one.content) for one in bench.wire.writes_since(mark)})
    await bench.remove(list(made))
    if taken != len(sent):
        raise Failed(f"{taken} of {len(sent)} rows were taken")
    if calls != len(planned):
        raise Failed(
            f"{calls} calls for {len(sent)} rows: the vendor refuses the declared {writer.batch_max} in one, or the "
            "writer sends them in pieces"
        )
    return f"{writer.batch_max} customers in one call, one more in a second"


async def partial_failure(bench: Bench) -> str:
    """Among good rows one whose record is gone: its outcome is bad, the others are written."""
    bench.need_hands()
    writer, name = _customer_writer(bench)
    made = await bench.make(4)
    rows = await _rows(bench, made)
    sent = [bench.correction("customers", name, row, desired_of("customers", name, row)) for row in rows]
    if len(next(batch for batch in chunks(in_order(sent, writer), writer) if sent[1] in batch)) < 2:
        await bench.remove(list(made))
        raise NotShown("the bad row would go out alone: a group holds one record")
    victim = next(key for key, person in made.items() if person.email == rows[1]["email"])
    await bench.remove([victim])
    # Without the check just before the write, which would take the row out: the vendor itself is to refuse it.
    outcomes = await bench.push(sent, looks=False)
    bad = outcomes[sent[1].correction_key]
    good = [c for c in sent if c is not sent[1]]
    held = await bench.read_back(good)
    await bench.remove([key for key in made if key != victim])
    if bad.status is OutcomeStatus.APPLIED:
        raise Failed("a row whose record is gone is told as applied")
    for c in good:
        reading = held.get(c.correction_key)
        if outcomes[c.correction_key].status is not OutcomeStatus.APPLIED or reading is None:
            raise Failed(f"one bad row took a good one with it: {outcomes[c.correction_key].status}")
        if reading.value != c.desired:
            raise Failed("a row that is told as applied does not hold the value")
    return f"3 of 4 written; the one without a record: {bad.status} {bad.code}".strip()


async def _rows(bench: Bench, made: dict[str, Person]) -> list[Row]:
    await bench.settle(set(made))
    await bench.stage_anew(("customers",))
    rows = bench.of_persons("customers", made)
    if len(rows) != len(made):
        raise Failed(f"{len(rows)} of {len(made)} records that were made are staged")
    return rows
