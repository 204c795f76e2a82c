"""Files of ours that lie in `out/`: what their names say, and the rows that wait in them to be imported.

A name is `entity.table@place.plan.key.columns.format`; no word of the first two parts holds a dot or an @, so that it
is taken apart as it was made. Writes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from pipelines.channels.files.drops import Drop, sheet_of
from pipelines.channels.files.records import Record, records_in
from pipelines.channels.files.session import FilesSession
from pipelines.channels.files.sheet import Line, broken

Waiting = dict[tuple[str, str], tuple[datetime, Line]]
"""Whole rows by key and place, and when their file was made."""


def beginning(entity: str, table_name: str, place: str) -> str:
    """The first two parts of a name. `place`: what the drop's own name says of its rows, or ''.

    >>> beginning("stock", "shops", "St. Malo"), beginning("prices", "t.2", "")
    ('stock.shops@St%2E%20Malo', 'prices.t%2E2')
    """
    table, of = (quote(word, safe="").replace(".", "%2E") for word in (table_name, place))
    return f"{entity}.{table}@{of}" if of else f"{entity}.{table}"


def of_what(name: str) -> tuple[str, str, str]:
    """Entity, table and place of a file of ours; of another file anything but these.

    >>> of_what("stock.shops@St%2E%20Malo.2026-06-14.1-main.0a.csv"), of_what("prices.t%2E2.p.k.csv")[1:]
    (('stock', 'shops', 'St. Malo'), ('t.2', ''))
    """
    entity, _, rest = name.partition(".")
    table, _, place = rest.partition(".")[0].partition("@")
    return entity, unquote(table), unquote(place)


async def waiting_of(session: FilesSession, entity: str, records: Sequence[Record]) -> Waiting:
    """Rows of the records' keys that wait in files of their table and place, made since these were dropped; the last.

    The records are of one file to be. Without them a whole row would take back what an earlier one, not imported yet,
    corrects in another column: so FatalChannelError where one has other columns than those that are dropped now.
    """
    out, like = (await session.mapping()).out, records[0]
    if not await session.has(out):
        return {}
    dropped = {(record.key, record.place): record.drop.entry.modified_at for record in records}
    mine = (entity, like.table_name, like.drop.place)
    ours = [
        entry for entry in await session.entries(out)
        if of_what(PurePosixPath(entry.name).name) == mine
        and PurePosixPath(entry.name).suffix == f".{like.table.format}"
        and entry.modified_at > min(dropped.values())
    ]
    found: Waiting = {}
    for entry in sorted(ours, key=lambda entry: (entry.modified_at, entry.name)):
        drop = Drop(entry, like.drop.place)
        width = len(like.sheet.header)
        sheet = await sheet_of(session, drop, f"{entity}.{like.table_name}", like.table, width)
        theirs: Waiting = {
            (r.key, r.place): (entry.modified_at, r.line) for r in records_in(entity, like, drop, sheet)
            if (at := dropped.get((r.key, r.place))) is not None and at < entry.modified_at
        }
        if theirs and sheet.header != like.sheet.header:
            words = f"its columns are not those of {like.sheet.name}; import it and take it away"
            raise broken(entry.name, None, f"{words}, or a whole row would take back what it corrects")
        found |= theirs
    return found
