"""Square's loyalty endpoints: accounts in the order of creation, events newest first, and the world's hand on both.

Kept strictly: page maxima, the filter by `created_at` with its end left out, no time of change for accounts. Filters by
type, account, order or place are not played. The world itself has no loyalty program: who needs one puts it here.
"""

from collections.abc import Iterable
from typing import Any

from sandbox.square import wire
from sandbox.square.wire import NAME, Body, Refusal
from sandbox.store import Store, parse_stamp, stamp

ACCOUNTS, EVENTS = 200, 30
_AT = "json_extract(doc, '$.created_at')"


def accounts(store: Store, body: Body) -> str:
    """POST /v2/loyalty/accounts/search; all of them."""
    if body.get("query"):
        raise Refusal(501, "NOT_IMPLEMENTED", "Only all accounts are played.", field="query")
    limit = wire.limit_of(body, default=30, maximum=ACCOUNTS)
    docs, cursor = wire.seq_page(store, "loyalty_accounts", "SearchLoyaltyAccounts", body, limit, "", [])
    return wire.reply(cursor, loyalty_accounts=wire.join(doc.text for doc in docs))


def events(store: Store, body: Body) -> str:
    """POST /v2/loyalty/events/search, by time of creation."""
    limit = wire.limit_of(body, default=30, maximum=EVENTS)
    criteria: dict[str, Any] = (body.get("query") or {}).get("filter") or {}
    if set(criteria) - {"date_time_filter"}:
        raise Refusal(501, "NOT_IMPLEMENTED", "Only the filter date_time_filter is played.", field="query.filter")
    where, args = ["1 = 1"], []
    span = (criteria.get("date_time_filter") or {}).get("created_at") or {}
    for side, comparison in (("start_at", ">="), ("end_at", "<")):
        if span.get(side):
            where.append(f"{_AT} {comparison} ?")
            args.append(_moment(span[side], side))
    docs, cursor = wire.keyed_page(
        store, "loyalty_events", "SearchLoyaltyEvents", body, limit, where, args, column=_AT, descending=True,
        mark=lambda doc: str(doc.body["created_at"]),
    )
    return wire.reply(cursor, events=wire.join(doc.text for doc in docs))


def put_loyalty(store: Store, accounts: Iterable[Body], events: Iterable[Body]) -> None:
    """Insert or replace accounts and events, in Square's own shape; times are `stamp`s."""
    for kind, records, at in (
        ("loyalty_accounts", accounts, "updated_at"), ("loyalty_events", events, "created_at")
    ):
        for record in records:
            store.put(NAME, kind, record["id"], record, updated_at=parse_stamp(record[at]))


def _moment(text: Any, side: str) -> str:
    try:
        return stamp(parse_stamp(text))
    except (TypeError, ValueError, AttributeError) as error:
        raise Refusal(400, "INVALID_TIME", "Not an RFC 3339 time.", field=side) from error
