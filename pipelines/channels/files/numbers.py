"""Values of corrections and files in each other's writing: amounts, units, words for a permission.

Reading is stage's in SQL; here is what a read-back needs of it, and the way out, which stage never goes. A test holds
both to the macros of identifiers.sql.
"""

import re
from decimal import Decimal

from pipelines.channels.files.mapping import UNTICKED, Table

_PLAIN = re.compile(r"[-+]?(?:[0-9]{1,3}(?:_[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?")
_BLANKS = " \u00a0\u202f"
_EURO = re.compile(r"\s*€$")
_BESIDE = {"1": "0", "true": "false", "vrai": "faux", "oui": "non", "yes": "no", "o": "n", "y": "n"}
"""The word for no, by the word for yes that it stands beside."""


def plain(text: str, table: Table) -> Decimal | None:
    """A number in the mapping's writing; None for anything else."""
    told = "".join(_sign(character, table) for character in text.strip())
    return Decimal(told.replace("_", "")) if _PLAIN.fullmatch(told) else None


def minor(text: str, table: Table, digits: int, *, is_euro: bool) -> str | None:
    """An amount in minor units, as canonical text; what is none as it stands, a blank as None."""
    if not text:
        return None
    found = plain(_EURO.sub("", text) if is_euro else text, table)
    if found is not None and table.unit == "major":
        found = found.scaleb(digits)
    return text if found is None or found != found.to_integral_value() else str(int(found))


def units(text: str, table: Table) -> str | None:
    """A quantity as canonical text; what is none as it stands, a blank as None."""
    found = plain(text, table) if text else None
    return (text or None) if found is None or found != found.to_integral_value() else str(int(found))


def written_amount(minor_units: str, table: Table, digits: int) -> str:
    """Minor units in the mapping's writing, with all digits of the currency and no thousands sign."""
    if table.unit == "minor":
        return minor_units
    return f"{Decimal(minor_units).scaleb(-digits):.{digits}f}".replace(".", table.decimal)


def permission(text: str, table: Table) -> str | None:
    """yes, no or pending; unknown for a box that is not ticked; None for another word, and for none."""
    word = text.strip().lower()
    said = (("no", table.withdrawals), ("pending", table.pending), ("yes", table.yes), ("unknown", table.no))
    for state, words in said:
        if word in words:
            return state
    return None


def denial(held: str, table: Table) -> str:
    """The word that takes a permission back in a cell that holds `held`: of a box, or of a column of the same words."""
    told = held.strip()
    word = _BESIDE.get(told.lower(), told.lower())
    # The table's own first word goes before a pair of ours, but it is no value of a box.
    if word not in table.no or "no" in table.model_fields_set and word not in UNTICKED:
        return (table.withdrawals or table.no)[0]
    return word.upper() if told.isupper() else word.capitalize() if told.istitle() else word


def _sign(character: str, table: Table) -> str:
    if character in "0123456789-+":
        return character
    same = " " if character in _BLANKS else "'" if character == "’" else character
    return "." if same == table.decimal else "_" if same == table.thousands else "!"
