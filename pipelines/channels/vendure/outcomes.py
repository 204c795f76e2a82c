"""What Vendure said of each correction, in words without values. Shared by the writers; sends nothing."""

from pipelines.channels.outcomes import rejected
from pipelines.model import Correction, Outcome, OutcomeStatus

NO_RIGHT = "FORBIDDEN"


def applied(correction: Correction) -> Outcome:
    """A row that Vendure took."""
    return Outcome(correction.correction_key, OutcomeStatus.APPLIED)


def refused(correction: Correction, code: str) -> Outcome:
    """A row that Vendure did not take; its own words may quote values, and are left out."""
    message = "the key or user lacks the right to this" if code == NO_RIGHT else "Vendure refused the row"
    return rejected(correction, code or "REFUSED", message)
