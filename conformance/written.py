"""What a run wrote over, or beside: each place with the value it had before, and every value sent for it since.

By these `restore` knows what to put back, and tells what this run wrote from what somebody changed meanwhile. Records
that the hands made are not kept: they are removed.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from conformance.verdicts import Failed
from pipelines.channels.base import Channel
from pipelines.model import Correction, Reading
from pipelines.readback import is_same

Place = tuple[str, str, str, str]


def place_of(correction: Correction) -> Place:
    """Entity, field, and the record's two keys."""
    return correction.entity, correction.field, correction.vendor_id, correction.vendor_sub_id


@dataclass(slots=True)
class Written:
    """One place that was written over, or that lies beside one in the same record (`sent` is empty)."""

    first: Correction
    """The first correction: `base` is what was there, as the system spells it."""
    sent: list[str | None] = field(default_factory=list)

    @property
    def name(self) -> str:
        """For people; no value."""
        return f"{self.first.entity}.{self.first.field} of {self.first.vendor_id}"

    def is_back(self, con: duckdb.DuckDBPyConnection, reading: Reading) -> bool:
        """Whether the place holds what it held before."""
        return is_same(con, self.first, reading.value, self.first.base)

    def is_ours(self, con: duckdb.DuckDBPyConnection, reading: Reading) -> bool:
        """Whether it holds something that this run sent."""
        return any(is_same(con, self.first, reading.value, value) for value in self.sent)


@dataclass(slots=True)
class Keeping:
    """Remembers what is there before it is first written over, and beside it in the same record.

    What is on hand moves with what is available, and a price with the one that it is reduced from.
    """

    con: duckdb.DuckDBPyConnection
    channel: Channel
    read_back: Callable[[Sequence[Correction]], Awaitable[dict[str, Reading]]]
    new_key: Callable[[], str]
    places: dict[Place, Written] = field(default_factory=dict)

    async def keep(self, corrections: Sequence[Correction]) -> None:
        """Before these are sent. Failed where one could not be put back: it is not what was listed, or not there."""
        fresh = [c for c in corrections if place_of(c) not in self.places]
        beside = {place_of(one): one for c in fresh for one in self._beside(c) if place_of(one) not in self.places}
        held = await self.read_back([*fresh, *beside.values()]) if fresh else {}
        for c in fresh:
            reading = held.get(c.correction_key)
            if reading is None or not reading.exists or not is_same(self.con, c, reading.value, c.observed):
                raise Failed(f"{c.entity}.{c.field}: read by id it is not what was listed; nothing was written")
        for c in corrections:
            self.places.setdefault(place_of(c), Written(c)).sent.append(c.desired)
        for place, c in beside.items():
            if (reading := held.get(c.correction_key)) is not None and reading.exists:
                self.places.setdefault(place, Written(replace(c, observed=reading.value, base=reading.value)))

    def _beside(self, correction: Correction) -> list[Correction]:
        """The other fields that are written of the same record."""
        names = {name for w in self.channel.writers if w.entity == correction.entity for name in w.fields}
        return [
            replace(correction, correction_key=self.new_key(), field=name)
            for name in sorted(names - {correction.field})
        ]
