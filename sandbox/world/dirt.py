"""How people mistype what they know: slips of the pen, capitals, lost accents, phone formats. Pure functions."""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=1 << 14)
def unaccented(text: str) -> str:
    """Without accents: 'Hélène' -> 'Helene'."""
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def slip(text: str, draw: int) -> str:
    """One slip of the pen inside the word: two letters swapped, one lost, one doubled. Never the text itself."""
    if len(text) < 3:
        return text + text[-1:] + "e"
    at = 1 + draw % (len(text) - 2)
    swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    kinds = (swapped, text[:at] + text[at + 1 :], text[:at] + text[at] + text[at:])
    return next(kind for kind in kinds[draw % 3 :] + kinds[1:2] if kind != text)


def abbreviated(street: str) -> str:
    """'12 avenue Foch' -> '12 av. Foch'; another slip where nothing is long enough to shorten."""
    for long, short in (("avenue", "av."), ("boulevard", "bd"), ("place", "pl."), ("impasse", "imp."), ("rue", "r.")):
        if f" {long} " in street:
            return street.replace(f" {long} ", f" {short} ", 1)
    return street + " bis"


def careless(text: str, kind: int) -> str:
    """The same text to whoever ignores case and accents: capitals, small letters, or no accents."""
    return (text.upper(), text.lower(), unaccented(text))[kind % 3]


def phone_text(number: str, kind: int) -> str:
    """An E.164 number as people write it; a foreign number always keeps its country code."""
    if not number:
        return ""
    national = number[3:]
    pairs = " ".join([national[0], *(national[i : i + 2] for i in range(1, 9, 2))])
    if not number.startswith("+33"):
        return (number, f"{number[:3]} {pairs}", f"00{number[1:]}")[kind % 3]
    joined = "0" + national
    return (
        "0" + pairs, number, joined, ("0" + pairs).replace(" ", "."), f"+33 {pairs}", f"0033 {pairs}",
        f"+33 (0){pairs}", joined,
    )[kind % 8]
