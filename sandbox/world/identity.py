"""Which records are one person's, and in which one form their values may be compared. The world's own reading.

Written apart from the pipeline's on purpose: two readings of one rule are a check, one reading used twice is none.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from sandbox.records import Customer
from sandbox.world.dirt import unaccented
from sandbox.world.memory import FIELDS

Record = tuple[str, str]
"""(system, key)."""
Persons = dict[str, list[Record]]
_NOISE = re.compile(r"[^a-z0-9+]")
_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+")


def email_norm(text: str) -> str:
    """Lower case without outer blanks; '' where it is no address."""
    found = text.strip().lower()
    return found if _EMAIL.fullmatch(found) and ".." not in found else ""


def phone_norm(text: str, country: str) -> str:
    """E.164 of what the world writes: French, Swiss, or with its country code."""
    digits = re.sub(r"[^0-9+]", "", text.replace("(0)", ""))
    digits = re.sub(r"^00", "+", digits)
    if digits.startswith("0"):
        return ("+41" if country == "CH" else "+33") + digits[1:]
    return re.sub(r"^\+330", "+33", digits)


def value_of(customer: Customer, field: str) -> str | None:
    """A field as it is compared; None where it is blank."""
    text = str(getattr(customer, field))
    if field == "phone":
        return phone_norm(text, customer.country) or None
    return " ".join(text.split()) or None


def values_of(customer: Customer) -> dict[str, str | None]:
    """All compared fields."""
    return {field: value_of(customer, field) for field in FIELDS}


def folded(text: str | None) -> str:
    """What is left when case, accents, blanks and punctuation do not matter."""
    return _NOISE.sub("", unaccented(text or "").lower())


def persons_path(folder: Path) -> Path:
    """Where the truth about persons lies."""
    return folder / "truth" / "persons.jsonl"


def write_persons(folder: Path, rows: Iterable[tuple[str, str, str]], *, append: bool = False) -> None:
    """Rows of (person, system, key)."""
    with persons_path(folder).open("a" if append else "w", encoding="utf-8") as file:
        for person, system, key in rows:
            file.write(json.dumps({"person": person, "system": system, "vendor_id": key}) + "\n")


def read_persons(folder: Path) -> Persons:
    """Records by person."""
    result: Persons = {}
    with persons_path(folder).open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            result.setdefault(row["person"], []).append((row["system"], row["vendor_id"]))
    return result
