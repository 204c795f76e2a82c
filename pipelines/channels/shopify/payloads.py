"""What the vendor's answer says about each correction: user errors, their place in the batch, outcomes.

Shared by the writers; sends nothing. No personal value gets into an outcome: the vendor's messages name fields, and
only for customers is the message left out.
"""

from collections.abc import Iterable, Mapping, Sequence

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


def blank(correction: Correction) -> Outcome:
    """A row without a value to write: a blank is never written over something."""
    return outcome(correction, OutcomeStatus.REJECTED, code="BLANK", message="there is no value to write")


def by_record(corrections: Iterable[Correction]) -> dict[str, list[Correction]]:
    """Corrections by vendor id, in order."""
    records: dict[str, list[Correction]] = {}
    for correction in corrections:
        records.setdefault(correction.vendor_id, []).append(correction)
    return records


def in_order(corrections: Sequence[Correction], outcomes: Mapping[str, Outcome]) -> list[Outcome]:
    """One outcome per correction; what nothing was heard of is unknown."""
    return [
        outcomes.get(c.correction_key)
        or outcome(c, OutcomeStatus.UNKNOWN, code="NOT_IN_ANSWER", message="the answer does not mention it")
        for c in corrections
    ]
