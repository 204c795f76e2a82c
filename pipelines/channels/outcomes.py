"""What became of each correction, where no vendor is in the words. Shared by the writers; sends nothing.

What a vendor's own answer says (its errors, its versions) is in that vendor's folder.
"""

from collections.abc import Iterable, Mapping, Sequence

from pipelines.model import Correction, Outcome, OutcomeStatus


def rejected(correction: Correction, code: str, message: str, request_id: str = "") -> Outcome:
    """A row that was not written, and stays as it is."""
    return Outcome(correction.correction_key, OutcomeStatus.REJECTED, code, message, request_id)


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
    """One outcome per correction; what nothing was heard of is unknown."""
    return [
        outcomes.get(c.correction_key)
        or Outcome(c.correction_key, OutcomeStatus.UNKNOWN, "NOT_IN_ANSWER", "the answer does not mention it")
        for c in corrections
    ]
