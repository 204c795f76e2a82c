"""Mailchimp's writes and read-backs: merge fields and opt-outs in batches by address, members read back by hash.

A batch answers 200 and lists what it refused: one rejected outcome a row, never the batch's end. Corrections of
customers name no status, so they cannot raise a permission, and no merge field but their own, so they blank nothing;
an address goes out whole, as it was read. The only status that a correction of a member ever sets is `unsubscribed`.
New subscribers, whose opt-in was proven elsewhere, are `pending`: Mailchimp asks them.
"""

import asyncio
from collections.abc import Callable, Container, Sequence
from hashlib import md5
from typing import Any

import msgspec

from pipelines.channels.mailchimp.reads import decode
from pipelines.channels.outcomes import rejected
from pipelines.errors import FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus, Reading

MAX_BATCH = 500
MAX_READS = 8
FIELDS = {
    "first_name": "FNAME", "last_name": "LNAME", "phone": "PHONE", "street": "ADDRESS", "city": "ADDRESS",
    "postcode": "ADDRESS",
}
ADDRESS_PARTS = {"street": "addr1", "city": "city", "postcode": "zip"}
_STATES = {"subscribed": "yes", "unsubscribed": "no", "pending": "pending"}


class _Member(msgspec.Struct):
    id: str = ""
    email_address: str = ""
    status: str = ""
    merge_fields: dict[str, Any] = {}


class _RowError(msgspec.Struct):
    email_address: str = ""
    error_code: str = ""
    field: str | None = None


class _Batch(msgspec.Struct):
    new_members: list[_Member] = []
    updated_members: list[_Member] = []
    errors: list[_RowError] = []


# -- writes -------------------------------------------------------------------------------------------------


def group_of(correction: Correction) -> str:
    """One audience and one merge field a batch: no address twice, and a bad field takes no other with it."""
    return f"{correction.context['list_id']}|{FIELDS[correction.field]}"


async def write_customers(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """One merge field of up to 500 members of one audience."""
    rows: dict[str, dict[str, Any]] = {}
    blank = [c for c in corrections if not c.clears and not (c.desired or "").strip()]
    sent = [c for c in corrections if c not in blank]
    for correction in sent:
        email, tag = str(correction.context["email"]), FIELDS[correction.field]
        fields = rows.setdefault(email.lower(), {"email_address": email, "merge_fields": {}})["merge_fields"]
        if tag == "ADDRESS":
            whole = fields.setdefault(tag, dict(correction.context.get("address") or {}))
            whole[ADDRESS_PARTS[correction.field]] = correction.desired or ""
        else:
            fields[tag] = correction.desired or ""
    done = await _batch(session, sent, list(rows.values()), is_repeatable=False) if sent else {}
    done |= {c.correction_key: rejected(c, "BLANK", "a blank is never written") for c in blank}
    return [done[correction.correction_key] for correction in corrections]


async def write_consents(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Unsubscribe up to 500 members of one audience, or ask addresses to join it. No member is ever raised."""
    lowered = [c for c in corrections if c.desired == "no" and not c.makes_record]
    asked = [c for c in corrections if c.desired == "pending" and c.makes_record]
    emails = dict.fromkeys(str(c.context["email"]) for c in lowered)
    rows: list[dict[str, Any]] = [{"email_address": email, "status": "unsubscribed"} for email in emails]
    # Absolute and only ever downward, so a lost answer may be asked for again.
    done = await _batch(session, lowered, rows, is_repeatable=True) if lowered else {}
    done |= await _ask_to_join(session, asked) if asked else {}
    refused = "a permission is never raised by a sync"
    return [done.get(c.correction_key) or rejected(c, "RAISE_REFUSED", refused) for c in corrections]


async def _batch(
    session: Session, corrections: Sequence[Correction], rows: list[dict[str, Any]], *, is_repeatable: bool
) -> dict[str, Outcome]:
    """Send one batch of changes; outcomes by correction key."""
    list_id = str(corrections[0].context.get("list_id") or corrections[0].vendor_sub_id)
    answer = await _post(session, list_id, rows, update_existing=True, is_repeatable=is_repeatable)
    batch = decode(answer, _Batch)
    request_id = answer.headers.get("x-request-id", "")
    done = _outcomes(corrections, {member.id for member in batch.updated_members}, batch.errors, request_id)
    # Between the check by id and the write somebody took the member out: Mailchimp has no "update only".
    made_anew = {member.id for member in batch.new_members}
    text = "the member was gone, and Mailchimp made it anew; take it out again"
    return done | {
        c.correction_key: rejected(c, "MADE_ANEW", text, request_id)
        for c in corrections if c.vendor_id in made_anew
    }


async def _post(
    session: Session, list_id: str, rows: list[dict[str, Any]], *, update_existing: bool, is_repeatable: bool
) -> Any:
    return await session.call(
        "POST", f"3.0/lists/{list_id}", body={"members": rows, "update_existing": update_existing},
        params={"skip_merge_validation": "true"}, is_repeatable=is_repeatable,
    )


async def _ask_to_join(session: Session, corrections: Sequence[Correction]) -> dict[str, Outcome]:
    """Add addresses as `pending`: Mailchimp asks the person. Members that exist are left as they are."""
    rows = [{"email_address": str(c.context["email"]), "status": "pending"} for c in corrections]
    answer = await _post(session, corrections[0].vendor_sub_id, rows, update_existing=False, is_repeatable=False)
    batch = decode(answer, _Batch)
    made = {member.id for member in batch.new_members}
    return _outcomes(corrections, made, batch.errors, answer.headers.get("x-request-id", ""))


def _outcomes(
    corrections: Sequence[Correction], applied: Container[str], errors: Sequence[_RowError], request_id: str
) -> dict[str, Outcome]:
    """One outcome a row: what the answer names as done, what it refuses, and what it does not name."""
    refused = {error.email_address.lower(): error for error in errors}
    outcomes = {}
    for correction in corrections:
        key, bad = correction.correction_key, refused.get(str(correction.context["email"]).lower())
        if bad is not None:
            code = ".".join(part for part in (bad.error_code or "ERROR_GENERIC", bad.field) if part)
            outcomes[key] = rejected(correction, code, "Mailchimp refused the row", request_id)
        elif member_of(correction) in applied:
            outcomes[key] = Outcome(key, OutcomeStatus.APPLIED, request_id=request_id)
        else:
            text = "Mailchimp's answer does not name the row"
            outcomes[key] = Outcome(key, OutcomeStatus.UNKNOWN, "NOT_NAMED", text, request_id)
    return outcomes


def member_of(correction: Correction) -> str:
    """The subscriber hash: of a member to be made it follows from the address."""
    if not correction.makes_record:
        return correction.vendor_id
    return md5(str(correction.context["email"]).lower().encode(), usedforsecurity=False).hexdigest()


# -- read-backs ---------------------------------------------------------------------------------------------


async def read_back_customers(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Merge fields by subscriber hash, as staged; an untouched free-text phone reads as it was observed."""

    def value(correction: Correction, member: _Member) -> str | None:
        held = member.merge_fields.get(FIELDS[correction.field]) or ""
        if isinstance(held, dict):
            held = held.get(ADDRESS_PARTS.get(correction.field, "")) or ""
        text = str(held).strip(" ") or None
        if correction.field == "phone" and text is not None and text == correction.context.get("phone"):
            return correction.observed
        return text

    return await _read_back(session, corrections, value, _is_listed)


async def read_back_consents(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Permissions by subscriber hash; a cleaned or transactional member has none, an archived one is gone."""
    return await _read_back(
        session, corrections, lambda _, member: _STATES.get(member.status, "unknown"), _is_listed
    )


def _is_listed(member: _Member) -> bool:
    return member.status != "archived"


async def _read_back(
    session: Session, corrections: Sequence[Correction], value: Callable[[Correction, _Member], str | None],
    exists: Callable[[_Member], bool],
) -> list[Reading]:
    """One call a member, at most MAX_READS at a time, however many of its values are asked for."""
    gate = asyncio.Semaphore(MAX_READS)
    places = {
        c.correction_key: (str(c.context.get("list_id") or c.vendor_sub_id), member_of(c)) for c in corrections
    }

    async def one(place: tuple[str, str]) -> _Member | None:
        async with gate:
            return await _member(session, *place)

    wanted = list(dict.fromkeys(places.values()))
    held = dict(zip(wanted, await asyncio.gather(*(one(place) for place in wanted)), strict=True))
    readings = []
    for c in corrections:
        member = held[places[c.correction_key]]
        is_there = member is not None and exists(member)
        shown = value(c, member) if member is not None and is_there else None
        readings.append(Reading(c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, shown, exists=is_there))
    return readings


async def _member(session: Session, list_id: str, member: str) -> _Member | None:
    try:
        answer = await session.get(
            f"3.0/lists/{list_id}/members/{member}", params={"fields": "id,email_address,status,merge_fields"}
        )
    except FatalChannelError as error:
        if error.status == 404:
            return None
        raise
    return decode(answer, _Member)
