"""What a run wrote over, or beside: each place with the value it had before, and every value sent for it since.

By these `restore` knows what to put back, and tells what this run wrote from what somebody changed meanwhile. Records
that the hands made are not kept: they are removed.
"""

from dataclasses import dataclass, field

import duckdb

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
    is_asked_back: bool = False
    """Whether a request to put it back lies there, where a write is a request that somebody else carries out."""

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
