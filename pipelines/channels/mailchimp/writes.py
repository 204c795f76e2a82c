"""Mailchimp's writes and read-backs: merge fields and opt-outs in batches by address, members read back by hash.

A batch answers 200 and lists what it refused: one rejected outcome a row, never the batch's end. Corrections of
customers name no status, so they cannot raise a permission, and no merge field but their own, so they blank nothing;
an address goes out whole, as it was read. The only status that a correction ever sets is `unsubscribed`. New
subscribers are `pending` (Mailchimp asks them) unless there is proof of a double opt-in.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pipelines.channels.mailchimp.reads import decode
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


@dataclass(frozen=True, slots=True)
class NewSubscriber:
    """One address to be added to an audience. Proof of a double opt-in: its time and the address it came from."""

    key: str
    email: str
    merge_fields: dict[str, str]
    opted_in_at: str = ""
    opted_in_from: str = ""

    @property
    def has_proof(self) -> bool:
        """Whether both parts of the proof are there."""
        return bool(self.opted_in_at and self.opted_in_from)


# -- writes -------------------------------------------------------------------------------------------------


def group_of(correction: Correction) -> str:
    """One audience and one merge field a batch: no address twice, and a bad field takes no other with it."""
    return f"{correction.context['list_id']}|{FIELDS[correction.field]}"


async def write_customers(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """One merge field of up to 500 members of one audience."""
    rows: dict[str, dict[str, Any]] = {}
    blank = {c.correction_key for c in corrections if c.desired is None or not c.desired.strip()}
    sent = [c for c in corrections if c.correction_key not in blank]
    for correction in sent:
        email, tag = str(correction.context["email"]), FIELDS[correction.field]
        fields = rows.setdefault(email.lower(), {"email_address": email, "merge_fields": {}})["merge_fields"]
        if tag == "ADDRESS":
            whole = fields.setdefault(tag, dict(correction.context.get("address") or {}))
            whole[ADDRESS_PARTS[correction.field]] = correction.desired
        else:
            fields[tag] = correction.desired
    done = await _batch(session, sent, list(rows.values()), is_repeatable=False) if sent else {}
    rejected = OutcomeStatus.REJECTED
    done |= {one: Outcome(one, rejected, "BLANK", "a blank is never written") for one in blank}
    return [done[correction.correction_key] for correction in corrections]


async def write_consents(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Unsubscribe up to 500 addresses of one audience. Only "no" is ever written; push has seen that they are there."""
    lowered = [c for c in corrections if c.desired == "no"]
    emails = dict.fromkeys(str(c.context["email"]) for c in lowered)
    rows: list[dict[str, Any]] = [{"email_address": email, "status": "unsubscribed"} for email in emails]
    # Absolute and only ever downward, so a lost answer may be asked for again.
    done = await _batch(session, lowered, rows, is_repeatable=True) if lowered else {}
    refused = "a permission is never raised by a sync"
    return [
        done.get(c.correction_key) or Outcome(c.correction_key, OutcomeStatus.REJECTED, "RAISE_REFUSED", refused)
        for c in corrections
    ]


async def _batch(
    session: Session, corrections: Sequence[Correction], rows: list[dict[str, Any]], *, is_repeatable: bool
) -> dict[str, Outcome]:
    """Send one batch of changes; outcomes by correction key."""
    list_id = str(corrections[0].context.get("list_id") or corrections[0].vendor_sub_id)
    answer = await _post(session, list_id, rows, update_existing=True, is_repeatable=is_repeatable)
    batch = decode(answer, _Batch)
    request_id = answer.headers.get("x-request-id", "")
    applied = {member.id for member in batch.updated_members}
    revived = {member.id for member in batch.new_members}
    refused = {error.email_address.lower(): error for error in batch.errors}
    outcomes = {}
    for correction in corrections:
        key, bad = correction.correction_key, refused.get(str(correction.context["email"]).lower())
        if bad is not None:
            outcomes[key] = _rejected(key, bad, request_id)
        elif correction.vendor_id in applied:
            outcomes[key] = Outcome(key, OutcomeStatus.APPLIED, request_id=request_id)
        elif correction.vendor_id in revived:
            # Between the check by id and the write somebody took the member out: Mailchimp has no "update only".
            text = "the member was gone, and Mailchimp made it anew; take it out again"
            outcomes[key] = Outcome(key, OutcomeStatus.REJECTED, "MADE_ANEW", text, request_id)
        else:
            text = "Mailchimp's answer does not name the row"
            outcomes[key] = Outcome(key, OutcomeStatus.UNKNOWN, "NOT_NAMED", text, request_id)
    return outcomes


def _rejected(key: str, bad: _RowError, request_id: str) -> Outcome:
    code = ".".join(part for part in (bad.error_code or "ERROR_GENERIC", bad.field) if part)
    return Outcome(key, OutcomeStatus.REJECTED, code, "Mailchimp refused the row", request_id)


async def _post(
    session: Session, list_id: str, rows: list[dict[str, Any]], *, update_existing: bool, is_repeatable: bool
) -> Any:
    return await session.call(
        "POST", f"3.0/lists/{list_id}", body={"members": rows, "update_existing": update_existing},
        params={"skip_merge_validation": "true"}, is_repeatable=is_repeatable,
    )


async def create_subscribers(
    session: Session, list_id: str, subscribers: Sequence[NewSubscriber]
) -> list[Outcome]:
    """Add up to 500 addresses: `subscribed` with proof, else `pending`. Members that exist are left as they are."""
    rows: list[dict[str, Any]] = []
    for one in subscribers:
        row: dict[str, Any] = {"email_address": one.email, "merge_fields": one.merge_fields, "status": "pending"}
        if one.has_proof:
            row |= {"status": "subscribed", "timestamp_opt": one.opted_in_at, "ip_opt": one.opted_in_from}
        rows.append(row)
    batch = decode(await _post(session, list_id, rows, update_existing=False, is_repeatable=False), _Batch)
    created = {member.email_address.lower() for member in batch.new_members}
    refused = {error.email_address.lower(): error for error in batch.errors}
    outcomes = []
    for one in subscribers:
        bad = refused.get(one.email.lower())
        if bad is not None:
            outcomes.append(_rejected(one.key, bad, ""))
        elif one.email.lower() in created:
            outcomes.append(Outcome(one.key, OutcomeStatus.APPLIED))
        else:
            text = "Mailchimp's answer does not name the row"
            outcomes.append(Outcome(one.key, OutcomeStatus.UNKNOWN, "NOT_NAMED", text))
    return outcomes


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
    places = {c.correction_key: (str(c.context.get("list_id") or c.vendor_sub_id), c.vendor_id) for c in corrections}

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
