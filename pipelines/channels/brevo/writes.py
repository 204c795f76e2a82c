"""Brevo's writes and read-backs: one contact a call, by its number, and what was written is looked at before it counts.

Not by batch and not by import. `POST /contacts/batch` says of nobody what became of him, fails all for one who is gone,
and was withdrawn on 30 October 2026; the import that replaces it makes who is not there and must put everybody into a
list: a correction of a name would subscribe people. `PUT /contacts/{id}` changes who is there, or answers 404.

Brevo passes over in silence what it will not store, so 204 alone proves nothing: each contact is read back, and a value
that does not show is of unknown end. A permission is lowered, never raised, in one of two ways, as staged
(`consents.sql`): by the blacklist, which is what Brevo's own unsubscribe link does and what outlasts an import, or,
where Brevo's lists are of several purposes, by taking the contact out of the one list.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pipelines.channels.brevo.attributes import SMS, decode
from pipelines.channels.outcomes import rejected
from pipelines.errors import FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus, Reading

FIELDS = ("first_name", "last_name", "phone", "street", "city", "postcode", "loyalty_points")
MAX_BATCH = 10
"""Corrections of one contact."""
MAX_READS = 8
BY_NUMBER = {"identifierType": "contact_id"}
"""A bare number in the path might be a phone's."""


class _Contact(msgspec.Struct):
    attributes: dict[str, Any] = {}
    blacklisted: bool = msgspec.field(name="emailBlacklisted", default=False)
    lists: list[int] = msgspec.field(name="listIds", default_factory=list)
    away: list[int] | None = msgspec.field(name="listUnsubscribed", default=None)


# -- writes -------------------------------------------------------------------------------------------------


async def write_customers(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Attributes of one contact, in one call. Refused: a blank, and a field that the account has no attribute for."""
    done: dict[str, Outcome] = {}
    for c in corrections:
        if c.desired is None or not c.desired.strip():
            done[c.correction_key] = rejected(c, "BLANK", "a blank is never written")
        elif _attribute(c) is None:
            text = f"the account has no attribute for {c.field}: name one in options of [systems.brevo]"
            done[c.correction_key] = rejected(c, "NO_ATTRIBUTE", text)
    sent = [c for c in corrections if c.correction_key not in done]
    body: dict[str, Any] = {"attributes": {_attribute(c): _value(c) for c in sent}}
    if SMS in body["attributes"]:
        # A number that we write may not be sent to: nobody has said yes for it, whatever was said for the last one.
        body["smsBlacklisted"] = True
    return await _change(session, corrections, sent, body, done, _held, is_repeatable=False)


async def write_consents(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Close e-mail to one contact, or the lists that corrections name. Only "no" is ever written, to who is there."""
    sent = [c for c in corrections if c.desired == "no" and not c.makes_record]
    refused = "a permission is never raised by a sync, and nobody is made a contact"
    done = {c.correction_key: rejected(c, "RAISE_REFUSED", refused) for c in corrections if c not in sent}
    left = sorted({int(c.vendor_sub_id) for c in sent if _is_unlinked(c)})
    body: dict[str, Any] = {"unlinkListIds": left} if left else {}
    if any(not _is_unlinked(c) for c in sent):
        body["emailBlacklisted"] = True
    # Absolute and only ever downward, so a lost answer may be asked for again.
    return await _change(session, corrections, sent, body, done, _state, is_repeatable=True)


Value = Callable[[Correction, _Contact], str | None]


async def _change(
    session: Session, corrections: Sequence[Correction], sent: Sequence[Correction], body: dict[str, Any],
    done: dict[str, Outcome], value: Value, *, is_repeatable: bool,
) -> list[Outcome]:
    """Change one contact and look at it; outcomes in the order of `corrections`."""
    if sent:
        done |= await _put(session, sent, body, value, is_repeatable=is_repeatable)
    return [done[c.correction_key] for c in corrections]


async def _put(
    session: Session, sent: Sequence[Correction], body: dict[str, Any], value: Value, *, is_repeatable: bool
) -> dict[str, Outcome]:
    who = sent[0].vendor_id
    try:
        await session.call(
            "PUT", f"v3/contacts/{who}", body=body, params=BY_NUMBER, is_repeatable=is_repeatable
        )
    except FatalChannelError as error:
        if error.status == 404:
            return {c.correction_key: rejected(c, "GONE", "the contact is not there any more") for c in sent}
        if error.status == 400 and len(sent) == 1:
            (c,) = sent
            return {c.correction_key: rejected(c, error.code, "Brevo refused the value", error.request_id)}
        raise  # push halves what was refused together
    contact = await _contact(session, who)
    found = {}
    for c in sent:
        if contact is not None and _is_shown(c, value(c, contact)):
            found[c.correction_key] = Outcome(c.correction_key, OutcomeStatus.APPLIED)
        else:
            text = "Brevo answered that it was done and does not show it"
            found[c.correction_key] = Outcome(c.correction_key, OutcomeStatus.UNKNOWN, "NOT_SHOWN", text)
    return found


def _attribute(c: Correction) -> str | None:
    """The account's attribute of a field, as staged beside the record."""
    name = (c.context.get("attributes") or {}).get(c.field)
    return None if name is None else str(name)


def _value(c: Correction) -> str | int | None:
    """As the attribute takes it: a number is passed over where text belongs, and text where a number does."""
    is_number = c.field == "loyalty_points" and c.context.get("points_type") == "float"
    return int(c.desired) if is_number and c.desired is not None else c.desired


def _is_unlinked(c: Correction) -> bool:
    """Only what was staged as the blacklist's may be written there: it closes more than the audience asked for."""
    return c.context.get("bans") is not True


def _is_shown(c: Correction, value: str | None) -> bool:
    return value is not None and c.desired is not None and " ".join(value.split()) == " ".join(c.desired.split())


# -- read-backs ---------------------------------------------------------------------------------------------


async def read_back_customers(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Attributes by contact number, as staged; an untouched free-text phone reads as it was observed."""
    return await _read_back(session, corrections, _held)


async def read_back_consents(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Permissions by contact number; who is in no list has none, unless that is how his no was written."""
    return await _read_back(session, corrections, _state)


def _held(c: Correction, contact: _Contact) -> str | None:
    name = _attribute(c)
    held = contact.attributes.get(name) if name else None
    text = "" if held is None else str(held).strip(" ")
    if c.field == "loyalty_points":
        return text.removesuffix(".0") or None
    if not text or c.field != "phone":
        return text or None
    if text == c.context.get("phone"):
        return c.observed
    return f"+{text}" if name == SMS and text.isdecimal() and text[0] != "0" else text


def _state(c: Correction, contact: _Contact) -> str:
    list_id = int(c.vendor_sub_id)
    if contact.blacklisted or list_id in (contact.away or ()):
        return "no"
    if list_id in contact.lists:
        return "yes"
    return "no" if _is_unlinked(c) else "unknown"


async def _read_back(session: Session, corrections: Sequence[Correction], value: Value) -> list[Reading]:
    """One call a contact, at most MAX_READS at a time, however many of its values are asked for."""
    gate = asyncio.Semaphore(MAX_READS)

    async def one(who: str) -> _Contact | None:
        async with gate:
            return await _contact(session, who)

    wanted = list(dict.fromkeys(c.vendor_id for c in corrections if not c.makes_record))
    held = dict(zip(wanted, await asyncio.gather(*(one(who) for who in wanted)), strict=True))
    readings = []
    for c in corrections:
        contact = held.get(c.vendor_id)
        shown = None if contact is None else value(c, contact)
        readings.append(
            Reading(c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, shown, exists=contact is not None)
        )
    return readings


async def _contact(session: Session, who: str) -> _Contact | None:
    try:
        answer = await session.get(f"v3/contacts/{who}", params=BY_NUMBER)
    except FatalChannelError as error:
        if error.status == 404:
            return None
        raise
    return decode(answer, _Contact)
