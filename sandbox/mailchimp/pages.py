"""Offset paging as Mailchimp has it, quick at a million members.

An offset means counting rows, so places that were passed are remembered as bookmarks (offset -> position in the
order) and totals are kept, for as long as the table has not changed since.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from sandbox.mailchimp.documents import VENDOR
from sandbox.store import Doc, Store

_EVERY = 50
_COLUMNS = {
    "last_changed": "updated_at",
    "timestamp_opt": "json_extract(doc, '$.timestamp_opt')",
    "timestamp_signup": "json_extract(doc, '$.timestamp_signup')",
}
Query = tuple[str, tuple[Any, ...], str]


@dataclass(slots=True)
class _Marks:
    total: int
    offsets: list[int] = field(default_factory=lambda: [0])
    places: dict[int, tuple[str, int]] = field(default_factory=dict)


class Pager:
    """Pages of one vendor's members."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._state: tuple[Any, ...] = ()
        self._marks: dict[Query, _Marks] = {}

    def page(
        self, where: str, args: tuple[Any, ...], *, sort: str = "", falling: bool = False, count: int, offset: int
    ) -> tuple[int, list[Doc]]:
        """(total, rows) of a filtered, sorted list at an offset."""
        column = _COLUMNS.get(sort, "seq")
        direction = "DESC" if falling else "ASC"
        order = f"seq {direction}" if column == "seq" else f"{column} {direction}, seq {direction}"
        marks = self._marks_of((where, args, order))
        if column != "updated_at" or falling:
            rows = self._store.select(
                VENDOR, "members", where=where, args=args, order=order, limit=count, offset=offset
            )
            return marks.total, list(rows)
        start = marks.offsets[bisect_right(marks.offsets, offset) - 1]
        found, values = where, list(args)
        if start in marks.places:
            at, seq = marks.places[start]
            found += " AND updated_at >= ? AND (updated_at > ? OR seq >= ?)"
            values += [at, at, seq]
        docs = list(
            self._store.select(
                VENDOR, "members", where=found, args=values, order=order, limit=count, offset=offset - start
            )
        )
        for place in range(0, len(docs), _EVERY):
            if offset + place not in marks.places:
                marks.places[offset + place] = (docs[place].updated_at, docs[place].seq)
                index = bisect_right(marks.offsets, offset + place)
                if marks.offsets[index - 1] != offset + place:
                    marks.offsets.insert(index, offset + place)
        return marks.total, docs

    def _marks_of(self, query: Query) -> _Marks:
        state = tuple(
            (doc.updated_at, doc.seq, doc.version)
            for order in ("updated_at DESC", "seq DESC")
            for doc in self._store.select(VENDOR, "members", order=order, limit=1)
        )
        if state != self._state:
            self._state, self._marks = state, {}
        if query not in self._marks:
            self._marks[query] = _Marks(self._store.count(VENDOR, "members", query[0], query[1]))
        return self._marks[query]
