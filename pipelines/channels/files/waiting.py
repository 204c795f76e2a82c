"""Files of ours that lie in `out/`: what their names say, and the rows that wait in them to be imported.

A name is `entity.table@place.plan.key.columns.format`; no word of the first two parts holds a dot or an @, so that it
is taken apart as it was made. Writes nothing.
"""

from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from pipelines.channels.files.drops import Drop, sheet_of
from pipelines.channels.files.records import Record, records_in
from pipelines.channels.files.session import FilesSession
from pipelines.channels.files.sheet import Line

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


async def waiting_of(session: FilesSession, entity: str, record: Record, since: datetime) -> Waiting:
    """Rows of files of the record's table and place that were made since then, the last of each.

    Without them a whole row would take back what an earlier one, not imported yet, corrects in another column.
    """
    out = (await session.mapping()).out
    if not await session.has(out):
        return {}
    mine = (entity, record.table_name, record.drop.place)
    ours = [
        entry for entry in await session.entries(out)
        if of_what(PurePosixPath(entry.name).name) == mine
        and PurePosixPath(entry.name).suffix == f".{record.table.format}"
        and entry.modified_at > since
    ]
    found: Waiting = {}
    for entry in sorted(ours, key=lambda entry: (entry.modified_at, entry.name)):
        drop = Drop(entry, record.drop.place)
        sheet = await sheet_of(session, drop, f"{entity}.{record.table_name}", record.table)
        if sheet.header == record.sheet.header:
            found |= {(r.key, r.place): (entry.modified_at, r.line) for r in records_in(entity, record, drop, sheet)}
    return found
