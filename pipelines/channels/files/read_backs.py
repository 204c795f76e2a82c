"""Reading values back by key from the newest whole files: what was dropped last, which is all that a folder knows.

A correction that waits to be imported still shows the old value here; that it was taken only a later drop can show.
"""

from collections.abc import Awaitable, Callable, Sequence

from pipelines.channels.files.numbers import minor, permission, units
from pipelines.channels.files.records import Record, held_of
from pipelines.channels.files.session import of_files
from pipelines.http import Session
from pipelines.model import Correction, Reading

ReadBackOf = Callable[[Session, Sequence[Correction]], Awaitable[list[Reading]]]


def read_back_of(entity: str) -> ReadBackOf:
    """The read-back of one entity."""

    async def read(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
        """The present values as canonical text; FatalChannelError where a file is not whole."""
        held = await held_of(of_files(session), entity)
        found = []
        for c in corrections:
            record = held.get((c.vendor_id, c.vendor_sub_id))
            value = None if record is None else value_of(record, c)
            exists = record is not None
            found.append(Reading(c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, value, exists=exists))
        return found

    return read


def value_of(record: Record, correction: Correction) -> str | None:
    """What one record says of the field of a correction, as canonical text; None where it says nothing."""
    text = record.text(correction.field)
    if correction.entity == "prices":
        return minor(text, record.table, int(correction.context["digits"]), is_euro=correction.currency == "EUR")
    if correction.entity == "stock":
        return units(text, record.table)
    if correction.entity == "consents":
        said = permission(text, record.table)
        # Our own no shows, even where the file's word for it is that of a box which nobody ticked.
        return "no" if said == "unknown" and correction.observed in ("yes", "pending") else said
    return text or None
