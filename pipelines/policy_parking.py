"""When a correction that comes to nothing waits for a person (R10, R13): `[parking]` of the policy. Opt-outs never do.

What these numbers do is `plan/flapping.sql` and `plan/spent.sql`.
"""

from pydantic import Field

from pipelines.configuration import Section


class Parking(Section):
    """After how much in vain."""

    flap_writes: int = Field(default=2, ge=1, le=10, description=(
        "R10: after so many writes of one value, each written over by somebody else, it is parked."
    ))
    flap_days: int = Field(default=7, ge=1, le=90, description="R10: the days within which they were made.")
    tries: int = Field(default=5, ge=1, le=20, description="R13: how often one correction is tried in all.")

    @property
    def row(self) -> tuple[int, int, int]:
        """The one of `policy.parking`."""
        return self.flap_writes, self.flap_days, self.tries
