"""Key and time of a record, from the bytes that a vendor sent, whatever shape these have.

One record of an odd shape is no reason to leave its page unread. So a record that does not say which it is gets a key
of its own bytes, by which stage knows it: to quarantine, and nowhere else. A time that is no text is no time.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

import msgspec

from pipelines.channels.base import RawRow
from pipelines.errors import FatalChannelError
from pipelines.tables import UNUSABLE

LONGEST = 255

Record = bytes | msgspec.Raw
T = TypeVar("T")


def head_of(record: Record, decoder: "msgspec.json.Decoder[T]") -> T:
    """The part of a record that makes its key; the type's defaults, all of which say nothing, for another shape."""
    try:
        return decoder.decode(record)
    except msgspec.ValidationError:
        nothing: T = decoder.type()
        return nothing
    except msgspec.DecodeError as error:
        raise FatalChannelError("a record is not JSON") from error


def raw_row(record: Record, *key: object, at: object = None) -> RawRow:
    """A record under its key, which is made of these parts; under one of its own where any of them is none."""
    payload = bytes(record)
    parts = [part for part in key if isinstance(part, str) and _is_usable(part)]
    own = "|".join(parts) if len(parts) == len(key) else f"{UNUSABLE}{sha256(payload).hexdigest()}"
    return RawRow(own, at if isinstance(at, str) else None, payload)


def _is_usable(part: str) -> bool:
    return 0 < len(part) <= LONGEST and part.isprintable() and not part.isspace() and not part.startswith(UNUSABLE)


def is_usable(row: RawRow) -> bool:
    """Whether a record has a key of the vendor's."""
    return not row.id.startswith(UNUSABLE)


def usable_ids(rows: Iterable[RawRow], what: str) -> list[str]:
    """The keys of records that others hang on, and without which those could not be asked for."""
    ids = []
    for row in rows:
        if not is_usable(row):
            raise FatalChannelError(f"{what} has no usable id")
        ids.append(row.id)
    return ids


def moment_of(text: object) -> datetime | None:
    """A vendor's time with its zone; None where it is no such text."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
