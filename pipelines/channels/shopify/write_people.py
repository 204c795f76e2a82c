"""Writes customers' fields and e-mail permissions, several records in one document, each with its own answer.

Names and phone go by `customerUpdate`, the address by its own mutations: the list of addresses inside a customer is
replaced whole, and what is left out is deleted. A permission is only ever lowered, to no: nothing else is sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pipelines.channels.base import Writer
from pipelines.channels.outcomes import blank, by_record, in_order
from pipelines.channels.shopify.documents import Alias, aliased
from pipelines.channels.shopify.payloads import UserError, outcome
from pipelines.channels.shopify.session import ask
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus

RECORDS_AT_ONCE = 50
"""Aliases in one document: 10 points each, and a query may cost 1,000."""
PERSON_KEYS = {"first_name": "firstName", "last_name": "lastName", "phone": "phone"}
ADDRESS_KEYS = {"street": "address1", "city": "city", "postcode": "zip"}
_ERRORS = "{ userErrors { field message } }"
_CODED_ERRORS = "{ userErrors { code field message } }"


class _Payload(msgspec.Struct, rename="camel"):
    user_errors: list[UserError]


@dataclass(frozen=True, slots=True)
class _Change:
    """One mutation and the corrections that it carries."""

    mutation: str
    variables: Mapping[str, tuple[str, Any]]
    """Argument to (GraphQL type, value)."""
    rows: tuple[Correction, ...]
    selection: str = _ERRORS


async def _send(session: Session, name: str, changes: Sequence[_Change]) -> list[tuple[_Change, list[UserError], str]]:
    """Each change with the vendor's errors about it (none: applied) and the request's id."""
    aliases = [
        Alias(f"m{place}", change.mutation, {arg: kind for arg, (kind, _) in change.variables.items()},
              change.selection)
        for place, change in enumerate(changes)
    ]
    variables = {
        f"m{place}_{arg}": value
        for place, change in enumerate(changes)
        for arg, (_, value) in change.variables.items()
    }
    found, request = await ask(
        session, aliased(name, aliases), variables, dict[str, _Payload], is_repeatable=False
    )
    return [(change, found[f"m{place}"].user_errors, request) for place, change in enumerate(changes)]


async def write_customers(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Names, phones and addresses. Fields refused together are tried once more one by one."""
    outcomes = {c.correction_key: blank(c) for c in corrections if not c.desired and not c.clears}
    rows = [c for c in corrections if c.correction_key not in outcomes]
    again: list[Correction] = []
    for change, errors, request in await _send(session, "UpdateCustomers", _changes(rows)) if rows else ():
        if errors and len(change.rows) > 1:
            again += change.rows
        else:
            outcomes |= {c.correction_key: _outcome(c, errors, request) for c in change.rows}
    single = [change for c in again for change in _changes([c])]
    for change, errors, request in await _send(session, "UpdateCustomers", single) if single else ():
        outcomes |= {c.correction_key: _outcome(c, errors, request) for c in change.rows}
    return in_order(corrections, outcomes)


def _outcome(correction: Correction, errors: Sequence[UserError], request: str) -> Outcome:
    if not errors:
        return outcome(correction, OutcomeStatus.APPLIED, request_id=request)
    code = errors[0].code or "INVALID"
    named = ".".join(errors[0].field or ())
    return outcome(
        correction, OutcomeStatus.REJECTED, code=code, message=f"refused: {named}", request_id=request
    )


def _changes(corrections: Sequence[Correction]) -> list[_Change]:
    changes = []
    for customer, rows in by_record(corrections).items():
        person = tuple(c for c in rows if c.field in PERSON_KEYS)
        address = tuple(c for c in rows if c.field in ADDRESS_KEYS)
        if person:
            given = {"id": customer} | {PERSON_KEYS[c.field]: c.desired for c in person}
            changes.append(_Change("customerUpdate", {"input": ("CustomerInput!", given)}, person))
        if address:
            changes.append(_address_change(customer, address))
    return changes


def _address_change(customer: str, rows: tuple[Correction, ...]) -> _Change:
    given = {ADDRESS_KEYS[c.field]: c.desired for c in rows}
    variables: dict[str, tuple[str, Any]] = {
        "customerId": ("ID!", customer), "address": ("MailingAddressInput!", given),
    }
    if address_id := rows[0].context.get("address_id"):
        return _Change("customerAddressUpdate", variables | {"addressId": ("ID!", address_id)}, rows)
    return _Change("customerAddressCreate", variables | {"setAsDefault": ("Boolean", True)}, rows)


async def write_consents(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """E-mail permissions, taken away."""
    outcomes: dict[str, Outcome] = {}
    changes = []
    for c in corrections:
        if not c.desired:
            outcomes[c.correction_key] = blank(c)
        elif c.desired != "no":
            message = "a permission is never raised by a sync"
            outcomes[c.correction_key] = outcome(c, OutcomeStatus.REJECTED, code="RAISE_REFUSED", message=message)
        else:
            variables = {"input": ("CustomerEmailMarketingConsentUpdateInput!", _consent_input(c))}
            changes.append(_Change("customerEmailMarketingConsentUpdate", variables, (c,), _CODED_ERRORS))
    for change, errors, request in await _send(session, "UpdateConsents", changes) if changes else ():
        outcomes |= {c.correction_key: _outcome(c, errors, request) for c in change.rows}
    return in_order(corrections, outcomes)


def _consent_input(correction: Correction) -> dict[str, Any]:
    """Without the no's own time: of two answers Shopify keeps that of the younger date, and it takes none to come.

    An opt-in of theirs may be younger than the no that overrides it; without a date the no counts from now.
    """
    return {"customerId": correction.vendor_id, "emailMarketingConsent": {"marketingState": "UNSUBSCRIBED"}}


CUSTOMER_FIELDS = frozenset(PERSON_KEYS) | frozenset(ADDRESS_KEYS)
CUSTOMER_WRITER = Writer(
    "customers", CUSTOMER_FIELDS, RECORDS_AT_ONCE, write_customers, needs_check=True, max_in_flight=8, clears=True
)
CONSENT_WRITER = Writer(
    "consents", frozenset({"state"}), RECORDS_AT_ONCE, write_consents, needs_check=True, max_in_flight=8
)
