"""Writes customers' fields and e-mail permissions, several records in one document.

Vendure runs the mutations of a document in turn, each for itself, and stops at the first that fails: those before it
stand, it alone is refused, and the rest is sent again. Where a right is missing, all that need it are refused. A
permission is only ever lowered, to no; with it goes the proof of the yes that it takes back, and the time becomes that
of the no, or unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pipelines.channels.base import Writer
from pipelines.channels.outcomes import blank, by_record, in_order, rejected
from pipelines.channels.vendure.documents import Alias, aliased
from pipelines.channels.vendure.options import unnamed
from pipelines.channels.vendure.outcomes import NO_RIGHT, applied, refused
from pipelines.channels.vendure.session import Forbidden, Refused, ask
from pipelines.errors import CredentialError
from pipelines.http import Session
from pipelines.model import Correction, Outcome

RECORDS_AT_ONCE = 50
PERSON_KEYS = {"first_name": "firstName", "last_name": "lastName", "phone": "phoneNumber"}
ADDRESS_KEYS = {"street": "streetLine1", "city": "city", "postcode": "postalCode"}
POINTS = "loyalty_points"
MAKE_ADDRESS = "createCustomerAddress"
"""It needs CreateCustomer; every other mutation here UpdateCustomer."""
CUSTOMER_FIELDS = frozenset(PERSON_KEYS) | frozenset(ADDRESS_KEYS) | {POINTS}
_RESULT = "{ __typename ... on ErrorResult { errorCode } }"
_RECORD = "{ __typename }"


class _Result(msgspec.Struct, rename={"error_code": "errorCode"}):
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class _Change:
    """One mutation and the corrections that it carries."""

    mutation: str
    variables: dict[str, tuple[str, Any]]
    """Argument to (GraphQL type, value)."""
    rows: tuple[Correction, ...]
    selection: str = _RESULT


async def _send(
    session: Session, name: str, changes: Sequence[_Change], *, is_first: bool = True
) -> list[tuple[_Change, str]]:
    """Each change with the code of Vendure's refusal; '' where it was applied.

    CredentialError only where nothing of these rows was tried (nor before: `is_first`) but the making of addresses:
    whatever was written is told, and what could not be is refused.
    """
    answered: list[tuple[_Change, str]] = []
    rest = list(changes)
    while rest:
        aliases = [
            Alias(change.mutation, {arg: kind for arg, (kind, _) in change.variables.items()}, change.selection)
            for change in rest
        ]
        variables = {f"m{n}_{arg}": value for n, c in enumerate(rest) for arg, (_, value) in c.variables.items()}
        try:
            found = await ask(session, aliased(name, aliases), variables, dict[str, _Result], is_repeatable=False)
        except Refused as error:
            answered += [(change, "") for change in rest[: error.place]]
            answered.append((rest[error.place], error.code or "REFUSED"))
            rest = rest[error.place + 1 :]
        except CredentialError as error:
            place = error.place if isinstance(error, Forbidden) else 0
            lacking = rest[place].mutation
            is_told = any(code != NO_RIGHT for _, code in answered)
            if is_first and not (is_told or place or lacking == MAKE_ADDRESS):
                raise
            answered += [(change, "") for change in rest[:place]]
            answered += [(change, NO_RIGHT) for change in rest[place:] if change.mutation == lacking]
            rest = [change for change in rest[place:] if change.mutation != lacking]
        else:
            answered += [(change, found[f"m{n}"].error_code) for n, change in enumerate(rest)]
            rest = []
    return answered


async def write_customers(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Names, phones and addresses. Fields refused together are tried once more one by one."""
    outcomes = {c.correction_key: blank(c) for c in corrections if not c.desired}
    outcomes |= _homeless(session, [c for c in corrections if c.desired])
    if "points_field" not in session.options:
        outcomes |= {c.correction_key: rejected(c, "NO_FIELD", unnamed("points_field")) for c in corrections
                     if c.field == POINTS}
    again: list[Correction] = []
    for change, code in await _send(session, "UpdateCustomers", _changes(session, corrections, outcomes)):
        if code not in ("", NO_RIGHT) and len(change.rows) > 1 and change.mutation != MAKE_ADDRESS:
            again += change.rows
        else:
            outcomes |= {c.correction_key: refused(c, code) if code else applied(c) for c in change.rows}
    alone = [change for c in again for change in _changes(session, [c])]
    for change, code in await _send(session, "UpdateCustomers", alone, is_first=False):
        outcomes |= {c.correction_key: refused(c, code) if code else applied(c) for c in change.rows}
    return in_order(corrections, outcomes)


def _homeless(session: Session, corrections: Sequence[Correction]) -> dict[str, Outcome]:
    """Rows of an address that is not there and cannot be made: Vendure wants a street and a country.

    One is made only in the country that the options name: where the golden address is known to be in another, it would
    become the address of somebody else.
    """
    found: dict[str, Outcome] = {}
    for rows in by_record(c for c in corrections if c.field in ADDRESS_KEYS).values():
        if rows[0].context.get("address_id"):
            continue
        if not (country := session.options.get("country", "")):
            found |= {c.correction_key: rejected(c, "NO_ADDRESS", unnamed("country")) for c in rows}
        elif all(c.field != "street" for c in rows):
            message = "there is no address, and none is made without a street"
            found |= {c.correction_key: rejected(c, "NO_ADDRESS", message) for c in rows}
        elif str(rows[0].context.get("country") or country).upper() != country.upper():
            message = "there is no address, and none is made in another country than the option's"
            found |= {c.correction_key: rejected(c, "NO_ADDRESS", message) for c in rows}
    return found


def _changes(session: Session, corrections: Sequence[Correction], settled: Any = ()) -> list[_Change]:
    changes = []
    for customer, rows in by_record(c for c in corrections if c.correction_key not in settled).items():
        person = tuple(c for c in rows if c.field not in ADDRESS_KEYS)
        home = tuple(c for c in rows if c.field in ADDRESS_KEYS)
        if person:
            given: dict[str, Any] = {"id": customer}
            given |= {PERSON_KEYS[c.field]: c.desired for c in person if c.field != POINTS}
            if points := [int(c.desired or 0) for c in person if c.field == POINTS]:
                given["customFields"] = {session.options["points_field"]: points[-1]}
            changes.append(_Change("updateCustomer", {"input": ("UpdateCustomerInput!", given)}, person))
        if home:
            changes.append(_address(session, customer, home))
    return changes


def _address(session: Session, customer: str, rows: tuple[Correction, ...]) -> _Change:
    given: dict[str, Any] = {ADDRESS_KEYS[c.field]: c.desired for c in rows}
    if address := rows[0].context.get("address_id"):
        variables = {"input": ("UpdateAddressInput!", {"id": address, **given})}
        return _Change("updateCustomerAddress", variables, rows, _RECORD)
    given |= {"countryCode": session.options["country"], "defaultShippingAddress": True}
    made: dict[str, tuple[str, Any]] = {
        "customerId": ("ID!", customer), "input": ("CreateAddressInput!", given),
    }
    return _Change(MAKE_ADDRESS, made, rows, _RECORD)


async def write_consents(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """E-mail permissions, taken away."""
    outcomes: dict[str, Outcome] = {}
    changes = []
    field = session.options.get("consent_field")
    for c in corrections:
        if not c.desired:
            outcomes[c.correction_key] = blank(c)
        elif c.desired != "no":
            outcomes[c.correction_key] = rejected(c, "RAISE_REFUSED", "a permission is never raised by a sync")
        elif field is None:
            outcomes[c.correction_key] = rejected(c, "NO_FIELD", unnamed("consent_field"))
        else:
            held: dict[str, Any] = {field: False}
            if at := session.options.get("consent_at_field"):
                held[at] = c.context.get("changed_at")
            if proof := session.options.get("consent_proof_field"):
                held[proof] = None
            given = {"id": c.vendor_id, "customFields": held}
            changes.append(_Change("updateCustomer", {"input": ("UpdateCustomerInput!", given)}, (c,)))
    for change, code in await _send(session, "UpdateConsents", changes):
        outcomes |= {c.correction_key: refused(c, code) if code else applied(c) for c in change.rows}
    return in_order(corrections, outcomes)


PEOPLE_WRITERS = (
    Writer("customers", CUSTOMER_FIELDS, RECORDS_AT_ONCE, write_customers, needs_check=True, max_in_flight=2),
    Writer("consents", frozenset({"state"}), RECORDS_AT_ONCE, write_consents, needs_check=True, max_in_flight=2),
)
