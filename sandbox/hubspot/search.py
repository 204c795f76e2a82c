"""HubSpot's search: filters turned into SQL over the store, one sort, 10,000 results, and an index that lags.

A record changed within the lag is found as it was before the change; a new one is not found at all. Reads by id
never come through here.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.hubspot.documents import MODIFIED, NUMBERS, VENDOR
from sandbox.hubspot.objects import Refusal
from sandbox.store import Doc, Store, parse_stamp, stamp

MAX_PAGE = 200
MAX_RESULTS = 10_000
_MAX_GROUPS, _MAX_FILTERS, _MAX_ALL = 5, 6, 18
_COMPARISONS = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def search(
    store: Store, kind: str, request: Mapping[str, Any], *, lag_seconds: float
) -> tuple[int, list[Doc], str | None]:
    """(total, one page of records, the next `after`) for a search request."""
    limit = int(request.get("limit") or 10)
    after = int(request.get("after") or 0)
    if not 0 < limit <= MAX_PAGE:
        raise Refusal("VALIDATION_ERROR", f"limit must be between 1 and {MAX_PAGE}")
    if after + limit > MAX_RESULTS:
        raise Refusal("VALIDATION_ERROR", f"The search paging is limited to {MAX_RESULTS} results")
    where, args = _condition(kind, request.get("filterGroups") or [])
    name, is_falling = _sort(request.get("sorts") or [])
    column = _column(kind, name)
    direction = "DESC" if is_falling else "ASC"
    order = f"{column} {direction}, seq {direction}"
    if lag_seconds <= 0:
        alive = f"deleted = 0 AND {where}"
        total = store.count(VENDOR, kind, alive, args)
        found = list(store.select(VENDOR, kind, where=alive, args=args, order=order, limit=limit, offset=after))
    else:
        total, found = _lagging(store, kind, where, args, order, name, is_falling, after + limit, lag_seconds)
        found = found[after:]
    end = after + len(found)
    return total, found, str(end) if end < total else None


def _lagging(
    store: Store, kind: str, where: str, args: list[Any], order: str, name: str, is_falling: bool, upto: int,
    lag_seconds: float,
) -> tuple[int, list[Doc]]:
    """The index as it stood `lag_seconds` ago, near enough: old records as they are, fresh ones as they were."""
    edge = stamp(store.now() - timedelta(seconds=lag_seconds))
    settled = f"deleted = 0 AND updated_at <= ? AND {where}"
    before = f"key IN (SELECT key FROM {VENDOR}_{kind} WHERE deleted = 0 AND updated_at > ?) AND {where}"
    store.count(VENDOR, f"{kind}_before")
    total = store.count(VENDOR, kind, settled, [edge, *args])
    found = list(store.select(VENDOR, kind, where=settled, args=[edge, *args], order=order, limit=upto))
    stale = list(store.select(VENDOR, f"{kind}_before", where=before, args=[edge, *args], order=order))
    if not stale:
        return total, found
    ranked = sorted([*found, *stale], key=lambda doc: _rank(kind, name, doc), reverse=is_falling)
    return total + len(stale), ranked[:upto]


def _rank(kind: str, name: str, doc: Doc) -> tuple[Any, int]:
    if name == MODIFIED[kind]:
        return doc.updated_at, int(doc.key)
    if name == "hs_object_id":
        return int(doc.key), 0
    return str(doc.body["properties"].get(name) or "").lower(), int(doc.key)


def _column(kind: str, name: str) -> str:
    if name == MODIFIED[kind]:
        return "updated_at"
    if name == "hs_object_id":
        return "CAST(key AS INTEGER)"
    if name == "createdate":
        return "json_extract(doc, '$.createdAt')"
    if not _NAME.fullmatch(name):
        raise Refusal("VALIDATION_ERROR", f"There was a problem with the request: unknown property {name}")
    if name in NUMBERS:
        return f"CAST(json_extract(doc, '$.properties.{name}') AS REAL)"
    return f"lower(json_extract(doc, '$.properties.{name}'))"


def _value(kind: str, name: str, text: str) -> Any:
    if name in (MODIFIED[kind], "createdate"):
        return _moment(text)
    if name == "hs_object_id":
        return int(text)
    return float(text) if name in NUMBERS else text.lower()


def _moment(text: str) -> str:
    if text.isdigit():
        return stamp(datetime.fromtimestamp(int(text) / 1000, UTC))
    return stamp(parse_stamp(text))


def _condition(kind: str, groups: list[Mapping[str, Any]]) -> tuple[str, list[Any]]:
    filters = [group.get("filters") or [] for group in groups]
    if len(groups) > _MAX_GROUPS or any(len(f) > _MAX_FILTERS for f in filters) or sum(map(len, filters)) > _MAX_ALL:
        raise Refusal("VALIDATION_ERROR", "too many filters or filter groups")
    args: list[Any] = []
    either = []
    for group in filters:
        both = [_filter(kind, one, args) for one in group]
        either.append(f"({' AND '.join(both)})" if both else "1 = 1")
    return (f"({' OR '.join(either)})" if either else "1 = 1"), args


def _filter(kind: str, one: Mapping[str, Any], args: list[Any]) -> str:
    name, operator = str(one.get("propertyName", "")), str(one.get("operator", ""))
    column = _column(kind, name)
    try:
        if operator in _COMPARISONS:
            args.append(_value(kind, name, str(one["value"])))
            return f"{column} {_COMPARISONS[operator]} ?"
        if operator == "BETWEEN":
            args.extend(_value(kind, name, str(one[side])) for side in ("value", "highValue"))
            return f"{column} BETWEEN ? AND ?"
        if operator in ("IN", "NOT_IN"):
            values = [_value(kind, name, str(value)) for value in one["values"]]
            args.extend(values)
            return f"{column} {operator.replace('_', ' ')} ({', '.join('?' * len(values))})"
    except (KeyError, ValueError) as error:
        raise Refusal("VALIDATION_ERROR", f"{operator} on {name} lacks a usable value") from error
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return f"{column} IS {'NOT ' if operator == 'HAS_PROPERTY' else ''}NULL"
    raise Refusal("VALIDATION_ERROR", f"operator {operator} is not known here")


def _sort(sorts: list[Any]) -> tuple[str, bool]:
    """The one sort HubSpot takes, as text ("-createdate") or as an object: (property, falling)."""
    if not sorts:
        return "hs_object_id", False
    if len(sorts) > 1:
        raise Refusal("VALIDATION_ERROR", "only one sort is supported")
    first = sorts[0]
    if isinstance(first, Mapping):
        return str(first.get("propertyName", "")), first.get("direction") == "DESCENDING"
    return str(first).lstrip("-"), str(first).startswith("-")
