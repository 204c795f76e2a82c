"""Writes customers' fields, and takes permissions away where a newsletter plugin keeps them.

An address is sent in parts: the vendor leaves the others as they are. WooCommerce takes or refuses a record whole, so
fields that were refused together are tried once more one by one. WordPress cleans a text without a word (tags, what
looks percent-encoded, backslashes), and would keep another one: such a text is not sent. A permission is only ever
lowered, to the plugin's own word for no; without `consent_meta_key` there is none here, and nothing is written.
"""

import re
from collections.abc import Callable, Sequence

from pipelines.channels.base import Writer
from pipelines.channels.outcomes import blank, by_record, in_order, rejected
from pipelines.channels.woocommerce.batches import MAX_BATCH, Row, outcome, update
from pipelines.channels.woocommerce.consent import denial_of, is_denied
from pipelines.channels.woocommerce.now import kept
from pipelines.channels.woocommerce.options import CONSENT_META
from pipelines.channels.woocommerce.read_backs import CUSTOMER_FIELDS, customer_value
from pipelines.http import Session
from pipelines.model import Correction, Outcome

MAX_IN_FLIGHT = 3
_CLEANED = re.compile(r"[<\\]|%[0-9a-f]{2}", re.IGNORECASE)


async def write_customers(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Names, phones and billing addresses."""
    outcomes = {c.correction_key: blank(c) for c in corrections if not (c.desired or "").strip()}
    cleaned = "WordPress would keep this text as another one"
    outcomes |= {
        c.correction_key: rejected(c, "CLEANED", cleaned) for c in corrections if _CLEANED.search(c.desired or "")
    }
    sent = list(by_record(c for c in corrections if c.correction_key not in outcomes).values())
    again: list[list[Correction]] = []
    for some, told in await _send(session, sent):
        if isinstance(told, str) and len(some) > 1:
            again += [[c] for c in some]
        else:
            outcomes |= {c.correction_key: outcome(c, told, _holds(c)) for c in some}
    for some, told in await _send(session, again):
        outcomes |= {c.correction_key: outcome(c, told, _holds(c)) for c in some}
    return in_order(corrections, outcomes)


async def _send(
    session: Session, records: Sequence[list[Correction]]
) -> list[tuple[list[Correction], Row | str | None]]:
    """Each record's corrections with what became of its row."""
    if not records:
        return []
    return list(zip(records, await update(session, "customers", [_row(some) for some in records]), strict=True))


def _row(corrections: Sequence[Correction]) -> Row:
    row: Row = {"id": int(corrections[0].vendor_id)}
    for c in corrections:
        place = row
        *way, name = CUSTOMER_FIELDS[c.field]
        for step in way:
            place = place.setdefault(step, {})
        place[name] = c.desired
    return row


def _holds(correction: Correction) -> Callable[[Row], bool]:
    """Whether an account holds a correction's value; the vendor stores no doubled white space."""

    def is_there(record: Row) -> bool:
        held = customer_value(record, correction.field) or ""
        return held.split() == (correction.desired or "").split()

    return is_there


async def write_consents(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Permissions, taken away."""
    name = session.options.get(CONSENT_META, "").strip()
    outcomes: dict[str, Outcome] = {}
    for c in corrections:
        if c.desired != "no":
            message = "a permission is never raised by a sync"
            outcomes[c.correction_key] = rejected(c, "RAISE_REFUSED", message)
        elif not name:
            message = "[systems.woocommerce.options] consent_meta_key does not say where permissions are kept"
            outcomes[c.correction_key] = rejected(c, "NOT_KEPT", message)
    sent = [c for c in corrections if c.correction_key not in outcomes]
    if sent:
        rows = [_denial(c, name) for c in sent]
        for c, told in zip(sent, await update(session, "customers", rows), strict=True):
            outcomes[c.correction_key] = outcome(c, told, _is_closed(c, name))
    return in_order(corrections, outcomes)


def _denial(correction: Correction, name: str) -> Row:
    word = denial_of(correction.context.get("vendor_state"))
    return {"id": int(correction.vendor_id), "meta_data": [{"key": name, "value": word}]}


def _is_closed(correction: Correction, name: str) -> Callable[[Row], bool]:
    return lambda record: is_denied(kept(record, name), correction.context.get("vendor_state"))


CUSTOMER_WRITER = Writer(
    "customers", frozenset(CUSTOMER_FIELDS), MAX_BATCH, write_customers, needs_check=True, max_in_flight=MAX_IN_FLIGHT
)
CONSENT_WRITER = Writer(
    "consents", frozenset({"state"}), MAX_BATCH, write_consents, needs_check=True, max_in_flight=MAX_IN_FLIGHT
)
