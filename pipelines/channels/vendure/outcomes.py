"""What became of each correction, in words without values. Shared by the writers; sends nothing."""

from collections.abc import Iterable, Mapping, Sequence

from pipelines.model import Correction, Outcome, OutcomeStatus

NO_RIGHT = "FORBIDDEN"


def applied(correction: Correction) -> Outcome:
    """A row that Vendure took."""
    return Outcome(correction.correction_key, OutcomeStatus.APPLIED)


def rejected(correction: Correction, code: str, message: str) -> Outcome:
    """A row that was not written, and stays as it is."""
    return Outcome(correction.correction_key, OutcomeStatus.REJECTED, code, message)


def refused(correction: Correction, code: str) -> Outcome:
    """A row that Vendure did not take; its own words may quote values, and are left out."""
    message = "the key or user lacks the right to this" if code == NO_RIGHT else "Vendure refused the row"
    return rejected(correction, code or "REFUSED", message)


def blank(correction: Correction) -> Outcome:
    """A row without a value to write: a blank is never written over something."""
    return rejected(correction, "BLANK", "there is no value to write")


def by_record(corrections: Iterable[Correction]) -> dict[str, list[Correction]]:
    """Corrections by vendor id, in order."""
    records: dict[str, list[Correction]] = {}
    for correction in corrections:
        records.setdefault(correction.vendor_id, []).append(correction)
    return records


def in_order(corrections: Sequence[Correction], outcomes: Mapping[str, Outcome]) -> list[Outcome]:
    """One outcome per correction."""
    return [outcomes[correction.correction_key] for correction in corrections]
