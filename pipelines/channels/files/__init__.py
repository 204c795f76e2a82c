"""Files: CSV, Excel or Parquet drops of items, prices, stock, customers and permissions in a folder, near or far.

Here is only what such a folder declares. It has no delta, no version and nobody who answers: everything is read every
night, and a correction is a file for whoever imports it, written after a look at the last drop and proven by a later
one. A counter is never set from such a file: what was sold until it is imported would be undone.
"""

from datetime import timedelta

from pipelines.channels.base import Ability, Channel, Endpoint, ReadBack, Writer
from pipelines.channels.files.mapping import ENTITIES
from pipelines.channels.files.read_backs import read_back_of
from pipelines.channels.files.reads import reader_of
from pipelines.channels.files.session import connect, identify
from pipelines.channels.files.writes import MAX_BATCH, asked_of, group_of, writer_of

WAITS = timedelta(days=7)
"""How long a correction may wait to be imported and dropped again before it is asked for anew."""
_FIELDS = {
    "items": ("gtin",), "prices": ("amount", "compare_at"), "stock": ("available",),
    "customers": ("first_name", "last_name", "phone", "street", "city", "postcode"), "consents": ("state",),
}
_NOTE = "a file named by plan and batch, checked against the last drop, proven by a later one"

FILES = Channel(
    name="files",
    title="Files",
    connect=connect,
    identify=identify,
    endpoints=tuple(Endpoint(entity, (entity,), reader_of(entity), has_delta=False) for entity in ENTITIES),
    writers=tuple(
        Writer(
            entity, frozenset(fields), MAX_BATCH, writer_of(entity), group=group_of, needs_check=True, max_in_flight=1,
            settles_within=WAITS, asked=asked_of(entity),
        )
        for entity, fields in _FIELDS.items()
    ),
    read_backs=tuple(ReadBack(entity, MAX_BATCH, read_back_of(entity)) for entity in _FIELDS),
    abilities=(
        *(
            Ability(entity, field, (2, 3), f"down only: {_NOTE}" if entity == "consents" else _NOTE)
            for entity, fields in _FIELDS.items() for field in fields
        ),
        Ability("customers", "loyalty_points", (0,), "a balance imported later would undo what was earned until then"),
        Ability("stock", "on_hand", (0,), "a level imported later would undo what was sold until then"),
    ),
    secrets=(),
    roles={"pos": ("items", "prices", "stock"), "crm": ("customers",), "email": ("consents",)},
    schemes=("file", "sftp", "s3", "gs", "abfs"),
)
