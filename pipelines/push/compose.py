"""Pure: which corrections travel together, under which key, and in which wave. Knows no system, no table, no clock.

A record's corrections stay in one batch (its version changes with the first write), a batch agrees on the writer's
`group`, and the order is fixed, so that the same rows always make the same batches and the same keys.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby

from pipelines.channels.base import Writer
from pipelines.model import Correction


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sent in one call. The composition never changes; a split or a second attempt is another batch."""

    batch_id: str
    vendor_key: str
    attempt: int
    corrections: tuple[Correction, ...]


def vendor_key(plan_id: str, fingerprint: str, corrections: Sequence[Correction], attempt: int) -> str:
    """The idempotency key: the same rows of the same plan in the same order and attempt, and nothing else, share it."""
    words = [plan_id, fingerprint, str(attempt), *(correction.correction_key for correction in corrections)]
    return sha256("|".join(words).encode()).hexdigest()


def in_order(corrections: Iterable[Correction], writer: Writer) -> list[Correction]:
    """The writer's order: by group, then record, then place and field."""
    return sorted(corrections, key=lambda c: (writer.group(c), c.vendor_id, c.vendor_sub_id, c.field, c.correction_key))


def chunks(corrections: Sequence[Correction], writer: Writer) -> Iterator[list[Correction]]:
    """Cut ordered corrections into batches of one group; a record is only cut where it alone is over the maximum."""
    for _, members in groupby(corrections, key=writer.group):
        batch: list[Correction] = []
        for _, record in groupby(members, key=lambda c: c.vendor_id):
            rows = list(record)
            if batch and len(batch) + len(rows) > writer.batch_max:
                yield batch
                batch = []
            batch += rows
            while len(batch) > writer.batch_max:
                yield batch[: writer.batch_max]
                batch = batch[writer.batch_max :]
        if batch:
            yield batch


def halves(corrections: Sequence[Correction]) -> tuple[Sequence[Correction], Sequence[Correction]]:
    """Two parts, in order; of one row the first is empty."""
    middle = len(corrections) // 2
    return corrections[:middle], corrections[middle:]


def waves(corrections: Sequence[Correction], canary_rows: int) -> tuple[list[Correction], list[Correction]]:
    """The canary and the rest: the first `canary_rows` rows of each field, with all rows of their records (R8).

    Where no field has more rows than that, there is no canary: all is in the rest.
    """
    counts: dict[str, int] = {}
    first: set[str] = set()
    for correction in corrections:
        counts[correction.field] = counts.get(correction.field, 0) + 1
        if counts[correction.field] <= canary_rows:
            first.add(correction.vendor_id)
    if canary_rows <= 0 or all(count <= canary_rows for count in counts.values()):
        return [], list(corrections)
    canary = [correction for correction in corrections if correction.vendor_id in first]
    return canary, [correction for correction in corrections if correction.vendor_id not in first]
