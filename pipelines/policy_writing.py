"""How much of a short read is believed (R7), how a plan goes out (R3, R8), what may be made: parts of the policy."""

from datetime import timedelta

from pydantic import Field

from pipelines.configuration import Section


class Reads(Section):
    """When a read is too short to be believed."""

    min_share_pct: float = Field(default=90.0, gt=0, le=100, description=(
        "R7: a census with fewer rows than this share of the last whole one is not believed."
    ))

    @property
    def min_share(self) -> float:
        """From 0 to 1."""
        return self.min_share_pct / 100


class Push(Section):
    """How a plan goes out."""

    plan_minutes: int = Field(default=60, ge=1, le=240, description=(
        "R3: how old what was read may be when it is written; a person's approval has its own days."
    ))
    canary_rows: int = Field(default=20, ge=1, le=1000, description=(
        "R8: of one field and system, how many rows go first and are read back before the rest."
    ))

    @property
    def plan_age(self) -> timedelta:
        """`plan_minutes`."""
        return timedelta(minutes=self.plan_minutes)


class Create(Section):
    """Records that a sync may make; none by default."""

    subscribers_in: list[str] = Field(
        default_factory=list, description="Systems that gain a subscriber, asked to confirm, where an opt-in is proven."
    )
