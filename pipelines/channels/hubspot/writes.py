"""HubSpot's writes and read-backs: prices and contact fields in traced batches, permissions down one by one.

A row that HubSpot refuses is one rejected outcome, never the batch's end: each row carries `objectWriteTraceId`. A
batch that is refused whole raises FatalChannelError, and push halves it. Nothing here raises a permission: a desired
value other than "no" is rejected without a call.
"""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

import msgspec

from pipelines.channels.hubspot.reads import decode
from pipelines.channels.outcomes import rejected
from pipelines.errors import FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus, Reading

MAX_BATCH = 100
MAX_STATUS_CALLS = 8
CUSTOMER_PROPERTIES = {
    "first_name": "firstname", "last_name": "lastname", "phone": "phone", "street": "address", "city": "city",
    "postcode": "zip",
}
_REFUSED = (400, 404, 409)


class _Fault(msgspec.Struct):
    code: str = ""


class _RowError(msgspec.Struct):
    category: str = ""
    context: dict[str, list[str]] = {}
    errors: list[_Fault] = []


class _Row(msgspec.Struct):
    id: str
    properties: dict[str, str | None] = {}
    updated_at: str | None = msgspec.field(name="updatedAt", default=None)


class _Batch(msgspec.Struct):
    results: list[_Row]
    errors: list[_RowError] = []


class _Status(msgspec.Struct):
    id: str
    status: str


class _Statuses(msgspec.Struct):
    shown: list[_Status] = msgspec.field(name="subscriptionStatuses")


# -- writes -------------------------------------------------------------------------------------------------


async def write_prices(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """One price property of up to 100 products."""
    return await _update(session, "products", corrections, _price_property)


async def write_customers(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """One field of up to 100 contacts."""
    return await _update(session, "contacts", corrections, _customer_property)


def _price_name(correction: Correction) -> str:
    return correction.vendor_sub_id


def _digits(correction: Correction) -> int:
    return int(correction.context["digits"])


def _price_property(correction: Correction) -> tuple[str, str]:
    digits = _digits(correction)
    return _price_name(correction), f"{Decimal(correction.desired or '').scaleb(-digits):.{digits}f}"


def _customer_property(correction: Correction) -> tuple[str, str]:
    return CUSTOMER_PROPERTIES[correction.field], correction.desired or ""


async def _update(
    session: Session, kind: str, corrections: Sequence[Correction], value: Callable[[Correction], tuple[str, str]]
) -> list[Outcome]:
    """A batch update; an outcome for each correction, in order."""
    blank = [c for c in corrections if not c.clears and not (c.desired or "").strip()]
    sent = [c for c in corrections if c not in blank]
    done = {outcome.correction_key: outcome for outcome in await _batch(session, kind, sent, value)} if sent else {}
    done |= {c.correction_key: rejected(c, "BLANK", "a blank is never written") for c in blank}
    return [done[correction.correction_key] for correction in corrections]


async def _batch(
    session: Session, kind: str, corrections: Sequence[Correction], value: Callable[[Correction], tuple[str, str]]
) -> list[Outcome]:
    inputs = []
    for correction in corrections:
        name, text = value(correction)
        trace = correction.correction_key
        inputs.append({"id": correction.vendor_id, "properties": {name: text}, "objectWriteTraceId": trace})
    answer = await session.post(f"crm/v3/objects/{kind}/batch/update", {"inputs": inputs}, is_repeatable=False)
    batch = decode(answer, _Batch)
    request_id = answer.headers.get("x-hubspot-correlation-id", "")
    applied = {row.id: row.updated_at for row in batch.results}
    refused = {trace: error for error in batch.errors for trace in error.context.get("objectWriteTraceId", ())}
    outcomes = []
    for correction in corrections:
        key, bad = correction.correction_key, refused.get(correction.correction_key)
        if bad is not None:
            code = bad.errors[0].code if bad.errors and bad.errors[0].code else bad.category
            outcomes.append(rejected(correction, code, "HubSpot refused the row", request_id))
        elif correction.vendor_id in applied:
            outcomes.append(Outcome(key, OutcomeStatus.APPLIED, request_id=request_id))
        else:
            # A merged contact answers under its new id; what became of this row only a read-back can tell.
            text = "HubSpot's answer does not name the row"
            outcomes.append(Outcome(key, OutcomeStatus.UNKNOWN, "NOT_NAMED", text, request_id))
    return outcomes


async def write_consents(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Unsubscribe one address from one subscription type a call. Only "no" is ever written."""
    return [await _unsubscribe(session, correction) for correction in corrections]


async def _unsubscribe(session: Session, correction: Correction) -> Outcome:
    key = correction.correction_key
    if correction.desired != "no":
        return rejected(correction, "RAISE_REFUSED", "a permission is never raised by a sync")
    email = str(correction.context["email"])
    request = {"emailAddress": email, "subscriptionId": correction.vendor_sub_id}
    try:
        # Absolute and only ever downward, so a lost answer may be asked for again.
        answer = await session.post("communication-preferences/v3/unsubscribe", request)
    except FatalChannelError as error:
        if error.status not in _REFUSED:
            raise
        # HubSpot also refuses to take away what is already gone: then the goal is reached.
        if await _status(session, email, correction.vendor_sub_id) == "no":
            return Outcome(key, OutcomeStatus.APPLIED, "ALREADY", "was unsubscribed already", error.request_id)
        return rejected(correction, error.code, "HubSpot refused the unsubscription", error.request_id)
    return Outcome(key, OutcomeStatus.APPLIED, request_id=answer.headers.get("x-hubspot-correlation-id", ""))


# -- read-backs ---------------------------------------------------------------------------------------------


async def read_back_prices(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Price properties by product id, in minor units; what is no such number comes back as HubSpot has it."""

    def value(correction: Correction, text: str | None) -> str | None:
        return None if not text else _minor(text, _digits(correction))

    return await _read_back(session, "products", corrections, _price_name, value)


async def read_back_customers(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Contact fields by id, as staged: without outer blanks; an untouched free-text phone reads as it was observed."""

    def value(correction: Correction, text: str | None) -> str | None:
        held = (text or "").strip(" ") or None
        if correction.field == "phone" and held is not None and held == correction.context.get("phone"):
            return correction.observed
        return held

    return await _read_back(session, "contacts", corrections, lambda c: CUSTOMER_PROPERTIES[c.field], value)


async def _read_back(
    session: Session, kind: str, corrections: Sequence[Correction], name: Callable[[Correction], str],
    value: Callable[[Correction, str | None], str | None],
) -> list[Reading]:
    ids = list(dict.fromkeys(correction.vendor_id for correction in corrections))
    request: dict[str, Any] = {
        "inputs": [{"id": key} for key in ids],
        "properties": sorted({name(correction) for correction in corrections}),
        "propertiesWithHistory": [],
    }
    answer = await session.post(f"crm/v3/objects/{kind}/batch/read", request)
    # A merged contact answers under another id: the one asked for exists no more.
    held = {row.id: row.properties for row in decode(answer, _Batch).results}
    readings = []
    for correction in corrections:
        properties = held.get(correction.vendor_id)
        text = None if properties is None else value(correction, properties.get(name(correction)))
        readings.append(_reading(correction, text, exists=properties is not None))
    return readings


async def read_back_consents(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """The status of each address, up to 8 calls at a time. HubSpot knows yes and no."""
    gate = asyncio.Semaphore(MAX_STATUS_CALLS)

    async def one(correction: Correction) -> Reading:
        async with gate:
            state = await _status(session, str(correction.context["email"]), correction.vendor_sub_id)
        return _reading(correction, state, exists=state is not None)

    return list(await asyncio.gather(*(one(correction) for correction in corrections)))


async def _status(session: Session, email: str, subscription: str) -> str | None:
    """'yes', 'no', or None where HubSpot knows no such address or subscription."""
    try:
        answer = await session.get(f"communication-preferences/v3/status/email/{quote(email, safe='@')}")
    except FatalChannelError as error:
        if error.status == 404:
            return None
        raise
    for shown in decode(answer, _Statuses).shown:
        if shown.id == subscription:
            return "yes" if shown.status == "SUBSCRIBED" else "no"
    return None


def _minor(text: str, digits: int) -> str:
    try:
        minor = Decimal(text).scaleb(digits)
    except InvalidOperation:
        return text
    return str(int(minor)) if minor.is_finite() and minor == minor.to_integral_value() else text


def _reading(correction: Correction, value: str | None, *, exists: bool) -> Reading:
    return Reading(
        correction.system, correction.entity, correction.field, correction.vendor_id, correction.vendor_sub_id,
        value, exists=exists,
    )
