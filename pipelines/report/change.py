"""What one correction is about and what it changes, in words for the page; personal values masked, never given away.

The kind of a personal difference ("differs in 1 character") is told without the value. No HTML here.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

from pipelines.report.mask import PERSONAL_ENTITIES, shown

_LONGEST_COMPARED = 120
_STATES = frozenset({"yes", "no", "pending", "unknown"})
Row = Mapping[str, Any]


def value(row: Row, side: str) -> str:
    """One side of a correction (`observed`, `desired` or `base`) as a person reads it."""
    text = shown(row["entity"], row["field"], row[side], row["currency"])
    return "none" if text == "∅" else text or "empty"


def base(row: Row) -> str:
    """The value on which both sides last agreed."""
    return value(row, "base") if row["has_base"] else "never"


def effect(row: Row) -> str:
    """How much it changes: per cent of a price, units of stock, the kind of a personal difference.

    >>> effect({"entity": "prices", "observed": "5000", "desired": "4490"})
    '−10.2 %'
    >>> effect({"entity": "stock", "observed": "4", "desired": "7"})
    '+3'
    """
    before, after = row["observed"], row["desired"]
    if row["entity"] in PERSONAL_ENTITIES:
        return "" if {before, after} <= _STATES else difference(before, after)
    old, new = _number(before), _number(after)
    if old is None or new is None:
        return ""
    if row["entity"] == "prices":
        return f"{100 * (new - old) / old:+.1f} %".replace("-", "−") if old else ""
    return f"{new - old:+,}".replace("-", "−") if row["entity"] == "stock" else ""


def difference(before: str | None, after: str | None) -> str:
    """What kind of difference two personal values have, without either of them.

    >>> difference("Samel", "Samuel"), difference("Lyon", "Paris"), difference(None, "Lyon")
    ('differs in 1 character', 'another value', 'was empty')
    >>> difference("+33612345678", "+33698765432"), difference("Benoit", "Benoît"), difference("LYON", "Lyon")
    ('another number', 'only accents differ', 'only upper and lower case differ')
    """
    if not before or not after:
        return "is emptied" if before else "was empty"
    if before.casefold() == after.casefold():
        return "only upper and lower case differ"
    if _bare(before) == _bare(after):
        return "only accents differ"
    if _letters(before) == _letters(after):
        return "only spaces or punctuation differ"
    steps = _distance(before, after) if max(len(before), len(after)) <= _LONGEST_COMPARED else _LONGEST_COMPARED
    if steps <= 2:
        return f"differs in {steps} character{'s' if steps > 1 else ''}"
    return "another number" if _is_number(before) and _is_number(after) else "another value"


def subject(row: Row) -> str:
    """What the row is about: an item's title, or a person's record by the vendor's id."""
    if row["entity"] in PERSONAL_ENTITIES:
        return str(row["vendor_id"]).rsplit("/", 1)[-1]
    return str(row["title"] or row["sku"] or row["vendor_id"])


def place(row: Row) -> str:
    """Under the subject: the SKU, and the price list, location or purpose."""
    parts = [] if row["entity"] in PERSONAL_ENTITIES or not row["title"] else [row["sku"], row["subject_sub_id"]]
    parts = parts or [row["subject_sub_id"]]
    return " · ".join(str(part) for part in parts if part)


def proof(row: Row, *, is_dry: bool) -> str:
    """What became of an approved row."""
    if row["verification"] == "confirmed":
        at = row["seen_at"]
        return f"confirmed {at:%H:%M}" if at else "confirmed"
    if row["outcome"] in ("applied", "unknown"):
        return f"written, {row['verification'] or 'not read back'}"
    if row["outcome"]:
        return f"{row['outcome']} ({row['outcome_code']})" if row["outcome_code"] else str(row["outcome"])
    return "would be written" if is_dry else "not pushed"


def _number(text: str | None) -> int | None:
    return int(text) if text and text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() else None


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _letters(text: str) -> str:
    return "".join(char for char in _bare(text) if char.isalnum())


def _is_number(text: str) -> bool:
    digits = sum(char.isdigit() for char in text)
    return digits * 2 > len(text)


def _distance(a: str, b: str) -> int:
    """Insertions, deletions and replacements between two texts."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, start=1):
        last, row[0] = row[0], i
        for j, right in enumerate(b, start=1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (left != right))
    return row[-1]
