"""Which of a Brevo account's attributes holds which of our fields: its owner named them, in any language.

An option of the estate names one (`options = { card = "CARTE" }`); where nothing is said, the names that Brevo's own
accounts and forms use are looked for, and two of them at once are asked about, never chosen from; points have no usual
name, and are held only where an option says so. The account's own list is what counts: an attribute that is not there,
or is of another type, is passed over by Brevo without a word, so it is an error here.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from pipelines.channels.base import Page, RawRow, Window
from pipelines.errors import FatalChannelError
from pipelines.http import Answer, Session

SMS = "SMS"
"""Every account has it, listed or not: the number that Brevo itself sends text messages to."""
_TYPES: Mapping[str, tuple[str, ...]] = {"birth_date": ("date", "text"), "loyalty_points": ("float", "text")}
_USUAL: Mapping[str, tuple[str, ...]] = {
    "first_name": ("FIRSTNAME", "PRENOM", "FNAME", "FIRST_NAME"),
    "last_name": ("LASTNAME", "NOM", "LNAME", "LAST_NAME"),
    "phone": ("PHONE", "TELEPHONE"),
    "street": ("ADDRESS", "ADRESSE", "STREET", "RUE"),
    "city": ("CITY", "VILLE"),
    "postcode": ("ZIP_CODE", "CODE_POSTAL", "POSTCODE", "ZIP"),
    "country": ("COUNTRY", "PAYS"),
    "card": ("LOYALTY_CARD", "CARTE_FIDELITE"),
    "birth_date": ("DOB", "DATE_OF_BIRTH", "DATE_NAISSANCE", "DATE_DE_NAISSANCE", "BIRTHDAY"),
    "loyalty_points": (),
}
CHOSEN = frozenset(_USUAL)
"""Our fields, by which an option names an attribute."""
_NOT_FOR_PHONES = frozenset({"WHATSAPP"})
"""Would open a channel that Brevo lets nobody close by the same call, as it does with SMS."""

T = TypeVar("T")


class _Attribute(msgspec.Struct):
    name: str
    category: str
    type: str = ""


class _Attributes(msgspec.Struct):
    attributes: list[_Attribute]


def decode(answer: Answer, kind: type[T]) -> T:
    """An answer as the type it must have; FatalChannelError otherwise."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.DecodeError as error:
        raise FatalChannelError(f"an answer is no {kind.__name__}", system="brevo", status=answer.status) from error


async def read_attributes(session: Session, window: Window) -> AsyncIterator[Page]:
    """One row for each of our fields that the account holds: the vendor's attribute, with `field`, our name for it."""
    held = decode(await session.get("v3/contacts/attributes"), _Attributes).attributes
    chosen = choose(held, session.options)
    rows = [
        RawRow(field, None, msgspec.json.encode({"field": field, **_shown(attribute)}))
        for field, attribute in sorted(chosen.items())
    ]
    yield Page(rows, total=len(rows))


def _shown(attribute: _Attribute) -> dict[str, Any]:
    return {"name": attribute.name, "category": attribute.category, "type": attribute.type}


def choose(held: Sequence[_Attribute], options: Mapping[str, str]) -> dict[str, _Attribute]:
    """The attribute of each field. FatalChannelError, with the option that mends it, where nothing can be chosen."""
    named = {attribute.name.upper(): attribute for attribute in held}
    named.setdefault(SMS, _Attribute(SMS, "normal", "text"))
    found = {}
    for field, usual in _USUAL.items():
        wanted = options.get(field, "").upper()
        names = [wanted] if wanted else [name for name in usual if name in named]
        if field == "phone" and not names:
            names = [SMS]
        if len(names) > 1:
            raise _error(field, f"the account has {' and '.join(names)}: say which one holds it")
        for name in names:
            found[field] = _checked(field, name, named)
    return found


def _checked(field: str, name: str, named: Mapping[str, _Attribute]) -> _Attribute:
    if name not in named:
        raise _error(field, f"the account has no attribute {name}")
    attribute, types = named[name], _TYPES.get(field, ("text",))
    if name in _NOT_FOR_PHONES:
        raise _error(field, f"{name} cannot be kept up here; name an attribute of your own, or SMS")
    if attribute.category != "normal" or attribute.type not in types:
        kind = attribute.type or attribute.category
        raise _error(field, f"the attribute {name} is of type {kind}, and this takes {' or '.join(types)}")
    return attribute


def _error(field: str, reason: str) -> FatalChannelError:
    return FatalChannelError(f"[systems.brevo] options, {field}: {reason}", system="brevo")
