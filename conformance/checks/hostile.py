"""Hostile strings: what people type comes out as it went in, or is refused; it is never something else."""

from conformance.bench import Bench
from conformance.targets import fields_of
from conformance.verdicts import Failed, NotShown
from pipelines.model import OutcomeStatus

TEXTS = (
    "O'Brien \"Bob\" \\ Martin", "Robert'); DROP TABLE customers;--", "=1+1", "<b>Zoé</b> & fils", "007", "null", "1e3",
    "ﬁancé e\u0301", "محمد", "🥨 Bretzel", "{{ 7 * 7 }}", "${jndi:ldap://example.com}", "naïve\u00a0espace", "%00%0A",
)
FIELDS = ("last_name", "city", "street", "first_name")


async def hostile(bench: Bench) -> str:
    """Each text is kept to the character, by id and staged; or refused, and then nothing has changed."""
    bench.need_hands()
    name = next((f for f in FIELDS for w, field in fields_of(bench) if (w.entity, field) == ("customers", f)), None)
    if name is None:
        raise NotShown("no free text of a customer is written")
    made = await bench.make(len(TEXTS))
    await bench.settle(set(made))
    await bench.stage_anew(("customers",))
    rows = bench.of_persons("customers", made)
    sent = [bench.correction("customers", name, row, text) for row, text in zip(rows, TEXTS, strict=True)]
    outcomes = await bench.push(sent)
    held = await bench.read_back(sent)
    await bench.stage_anew(("customers",))
    staged = {row["vendor_id"]: row[name] for row in bench.rows("customers")}
    kept, refused = 0, 0
    for number, c in enumerate(sent):
        reading, status = held.get(c.correction_key), outcomes[c.correction_key].status
        is_applied = status is OutcomeStatus.APPLIED
        if status not in (OutcomeStatus.APPLIED, OutcomeStatus.REJECTED):
            raise Failed(f"text {number} of checks/hostile.py is neither written nor refused: {status}")
        if reading is None or not reading.exists:
            raise Failed(f"text {number} of checks/hostile.py made a record unreadable")
        if reading.value != (c.desired if is_applied else c.observed):
            raise Failed(f"text {number} of checks/hostile.py is kept as something else than was written")
        if c.vendor_id in staged and staged[c.vendor_id] != reading.value:
            raise Failed(f"text {number} of checks/hostile.py is staged as something else than is kept")
        kept, refused = kept + is_applied, refused + (not is_applied)
    await bench.remove(list(made))
    if not kept:
        raise NotShown(f"all {len(TEXTS)} texts are refused, so none is seen to be kept")
    return f"{kept} of {len(TEXTS)} texts kept to the character" + (f", {refused} refused" if refused else "")
