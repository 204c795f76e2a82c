"""Reads whose order moves: what changed while their pages were read is read once more at the end.

Square lists counts newest first and changes by when they happened. A level that is sold between two pages jumps ahead
of the cursor, an offline sale that comes in late falls behind it, and nothing in the pages tells. So a read of several
pages ends with what Square came to know since it began, again and again until that is one page: one page cannot move.
"""

from array import array
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta

from pipelines.channels.base import Page, RawRow
from pipelines.http import Session

SKEW = timedelta(seconds=5)
"""Square states its time in whole seconds, and a call takes a moment."""


async def closed(
    session: Session, since: datetime | None, read: Callable[[datetime | None], AsyncIterator[Page]]
) -> AsyncIterator[Page]:
    """All pages of `read(since)`, then rows that it lost to changes meanwhile; each record once, as first seen."""
    seen, is_first = array("q"), True
    while True:
        began, count = session.clock.now(), 0
        async for page in read(since):
            count += 1
            rows = page.rows if is_first else _unseen(page.rows, seen)
            seen.extend(hash(row.id) for row in rows)
            if is_first or rows:
                yield Page(rows, page.total)
        if count <= 1:
            return
        since = began + (session.clock_offset or timedelta()) - SKEW
        is_first = False


def _unseen(rows: Sequence[RawRow], seen: "array[int]") -> list[RawRow]:
    """Those whose id has not come yet; hashes are kept, since ten million ids would not fit in memory."""
    known = {hash(row.id) for row in rows}.intersection(seen)
    return [row for row in rows if hash(row.id) not in known]
