"""The frozen types that stages hand to each other: corrections, outcomes, what was read back, read verdicts.

No behaviour beyond naming. Values of corrections are canonical text (`None` = absent): integers in decimal
("1299" minor units, "7" units), text as it is, consent states as `yes | no | pending`.
"""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Entity(StrEnum):
    """What is compared; plural tables."""

    ITEMS = "items"
    PRICES = "prices"
    STOCK = "stock"
    CUSTOMERS = "customers"
    CONSENTS = "consents"
    ORDERS = "orders"


class DriftClass(StrEnum):
    """Who moved; DESIGN.md, "Drift classes"."""

    NEVER_AGREED = "never_agreed"
    HERE = "here"
    ELSEWHERE = "elsewhere"
    BOTH = "both"
    RULE = "rule"
    EXPLAINED = "explained"
    UNEXPLAINED = "unexplained"
    LOWER = "lower"
    RAISE_WITH_PROOF = "raise_with_proof"
    RAISE_WITHOUT_PROOF = "raise_without_proof"


class Disposition(StrEnum):
    """What policy says about one correction."""

    APPROVE = "approve"
    HOLD = "hold"
    REFUSE = "refuse"
    NOT_WRITABLE = "not_writable"
    OBSERVE = "observe"
    """The system is not opened for writing; reported only."""
    PIN = "pin"
    REJECT = "reject"


class OutcomeStatus(StrEnum):
    """What became of one write."""

    APPLIED = "applied"
    REJECTED = "rejected"
    STALE = "stale"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class VerificationStatus(StrEnum):
    """What the re-read by id showed."""

    CONFIRMED = "confirmed"
    OVERWRITTEN = "overwritten"
    SETTLING = "settling"
    UNCONFIRMED = "unconfirmed"


NEW_RECORD = "new:"
UNMERGE = "unmerge"
"""The rule of what is taken back since two persons have been parted."""
POLICY = "policy"
"""The approver of what no person has to approve."""
ROLLBACK = "rollback"
"""The rule of what is written back since a person has rolled back the plan that wrote it."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One value to change in one system. Identity across nights is `correction_key`."""

    correction_key: str
    plan_id: str
    system: str
    entity: str
    field: str
    vendor_id: str
    vendor_sub_id: str
    """The vendor's location, price list or audience; '' where the record alone is the key."""
    subject_id: str
    subject_sub_id: str
    observed: str | None
    desired: str | None
    base: str | None = None
    currency: str | None = None
    version: str | None = None
    """The vendor's own version of the record as read, where it has one (compare-and-set)."""
    drift_class: str = ""
    rule: str = ""
    reason: str = ""
    risk: str = ""
    context: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Vendor ids a writer needs beside the key, e.g. {"product_id": "gid://..."}; from the stage SQL."""

    @property
    def makes_record(self) -> bool:
        """Whether the record is not there yet: its `vendor_id` is `new:` and our own key, until the vendor names it."""
        return self.vendor_id.startswith(NEW_RECORD)

    @property
    def clears(self) -> bool:
        """Whether the field is emptied, since trueup had filled it and that is taken back; the only blank."""
        return self.rule in (UNMERGE, ROLLBACK) and self.desired is None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The vendor's word on one correction."""

    correction_key: str
    status: OutcomeStatus
    code: str = ""
    message: str = ""
    """Never holds a personal value."""
    request_id: str = ""
    version_after: str | None = None

    def __post_init__(self) -> None:
        """TypeError where a vendor's answer gave something else than text: it is of a shape that is not known."""
        _texts(self.code, self.message, self.request_id, self.version_after)


@dataclass(frozen=True, slots=True)
class Reading:
    """One value as the system holds it now, read by id."""

    system: str
    entity: str
    field: str
    vendor_id: str
    vendor_sub_id: str
    value: str | None
    version: str | None = None
    exists: bool = True

    def __post_init__(self) -> None:
        """TypeError where a vendor's answer gave something else than text: it is of a shape that is not known."""
        _texts(self.value, self.version)


@dataclass(frozen=True, slots=True)
class ReadVerdict:
    """Whether one read of one endpoint can be believed (R7)."""

    system: str
    endpoint: str
    entities: tuple[str, ...]
    kind: str
    """census | delta"""
    is_complete: bool
    reason: str
    row_count: int
    page_count: int
    declared_total: int | None
    started_at: datetime
    finished_at: datetime
    cursor_from: datetime | None
    cursor_to: datetime


def _texts(*values: object) -> None:
    for value in values:
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{type(value).__name__} where text is due")
