"""What the vendor's answer says about each correction: user errors, their place in the batch, outcomes.

Shared by the writers; sends nothing. No personal value gets into an outcome: the vendor's messages name fields, and
only for customers is the message left out.
"""

import msgspec

from pipelines.model import Correction, Outcome, OutcomeStatus


class UserError(msgspec.Struct):
    """One entry of `userErrors`."""

    message: str
    code: str | None = None
    field: list[str] | None = None

    @property
    def place(self) -> int | None:
        """The index of the row that it is about, where it names one."""
        return next((int(step) for step in self.field or () if step.isdigit()), None)


class Record(msgspec.Struct):
    """A record that came back."""

    id: str


def outcome(
    correction: Correction, status: OutcomeStatus, *, code: str = "", message: str = "", request_id: str = ""
) -> Outcome:
    """The outcome of a correction."""
    return Outcome(correction.correction_key, status, code, message[:200], request_id)


def refused(correction: Correction, error: UserError | None, request_id: str) -> Outcome:
    """A row that the vendor did not take."""
    code = (error and error.code) or "USER_ERROR"
    message = error.message if error else "not among the changed records"
    return outcome(correction, OutcomeStatus.REJECTED, code=code, message=message, request_id=request_id)
