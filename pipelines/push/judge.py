"""What one reading says about one correction: just before its write, and after a write whose end is unknown."""

import duckdb

from pipelines.model import Correction, Outcome, OutcomeStatus, Reading
from pipelines.readback import is_same


def skipped(correction: Correction, code: str, message: str) -> Outcome:
    """An outcome for a row that was not written."""
    return Outcome(correction.correction_key, OutcomeStatus.SKIPPED, code, message)


def before_write(con: duckdb.DuckDBPyConnection, correction: Correction, reading: Reading | None) -> Outcome | None:
    """What speaks against writing; None: the value is still the one that was planned on, write."""
    key = correction.correction_key
    if reading is None or not reading.exists:
        return Outcome(key, OutcomeStatus.STALE, "gone", "the record is not there any more")
    if is_same(con, correction, reading.value, correction.observed):
        return None
    if is_same(con, correction, reading.value, correction.desired):
        return skipped(correction, "already", "the system holds the value already")
    return Outcome(key, OutcomeStatus.STALE, "moved", "the value moved since it was read")


def after_doubt(con: duckdb.DuckDBPyConnection, correction: Correction, reading: Reading | None) -> Outcome:
    """What became of a write whose answer was lost."""
    key = correction.correction_key
    if reading is None:
        return Outcome(key, OutcomeStatus.UNKNOWN, "no_answer", "the answer was lost and the value not read back")
    if not reading.exists:
        return Outcome(key, OutcomeStatus.STALE, "gone", "the record is not there any more")
    if is_same(con, correction, reading.value, correction.desired):
        return Outcome(
            key, OutcomeStatus.APPLIED, "read_back", "found applied by reading back", version_after=reading.version
        )
    if is_same(con, correction, reading.value, correction.observed):
        return skipped(correction, "not_applied", "found not applied by reading back")
    return Outcome(key, OutcomeStatus.STALE, "moved", "another value was found by reading back")
