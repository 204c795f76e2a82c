"""`trueup unmerge`: parting records that were taken for one person, or taking that back. Imports no Dagster.

Dry unless told otherwise: it shows out of the snapshot who would be parted and what would be undone; with `--yes` the
word is dropped in the inbox like an answer, and the next night takes it in.
"""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import duckdb
import typer

from cli.leaving import leave
from cli.screen import tell, tell_json, tell_table
from pipelines.errors import ConfigurationError
from resources.settings import Settings

if TYPE_CHECKING:
    from pipelines.arming.signing import Signer

_VALUES = ("observed", "before")


def unmerge(
    records: Annotated[list[str], typer.Argument()],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the split.")],
    author: Annotated[
        str, typer.Option("--author", help="Who says so; the key's owner in estate.toml, else the system's user.")
    ] = "",
    take_back: Annotated[
        bool, typer.Option("--undo", help="Take the unmerge of these records back: they may be joined again.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only shown what would be done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Part records that are not one person, for ever; shows what that undoes, and with --yes lets the next night do it.

    \b
    RECORDS  those to take out, as system:vendor_id; or the id of a person that went into another; or the id of a
             person and which of its records to take out
    """

    def run() -> int:
        from cli.home import prepare

        say = undone if take_back else parted
        found = say(prepare(), records, reason=reason, author=author, yes=yes)
        if as_json:
            tell_json(found)
        else:
            _tell(found)
        return 0

    leave(run)


def parted(settings: Settings, words: Sequence[str], *, reason: str, author: str, yes: bool) -> dict[str, Any]:
    """Who would be parted from whom and what that undoes; with `yes` the word is dropped."""
    from cli.answers import estate_time
    from cli.signing import signer
    from pipelines.ledger.inbox import drop
    from pipelines.ledger.partings import Parting, find_parting, judge_word
    from pipelines.unmerge import would_undo

    own = signer(settings) if yes else None
    with _copy_of(settings) as con:
        person, taken, kept = find_parting(con, words)
        word = Parting(
            taken=tuple(taken), kept=tuple(kept), author=author or _speaker(own), reason=reason,
            at=estate_time(settings, con),
        )
        judge_word(word)
        found = would_undo(con, word)
    if own is not None:
        drop(settings.inbox, word, own)
    return {
        "person_id": person, "taken": [str(record) for record in taken], "kept": [str(record) for record in kept],
        "undone": _masked(found.restored), "left": _masked(found.left), "permissions": found.permissions,
        "is_dropped": yes,
    }


def undone(settings: Settings, words: Sequence[str], *, reason: str, author: str, yes: bool) -> dict[str, Any]:
    """The pairs that would no longer be kept apart; with `yes` the word is dropped."""
    from cli.answers import estate_time
    from cli.signing import signer
    from pipelines.ledger.inbox import drop
    from pipelines.ledger.partings import Rejoining, find_undone, judge_word, pairs_of

    own = signer(settings) if yes else None
    with _copy_of(settings) as con:
        ids = find_undone(con, words)
        word = Rejoining(
            parting_ids=tuple(ids), author=author or _speaker(own), reason=reason,
            at=estate_time(settings, con),
        )
        judge_word(word)
        pairs = pairs_of(con, ids)
    if own is not None:
        drop(settings.inbox, word, own)
    return {"rejoinable": [{"record": str(a), "other": str(b)} for a, b in pairs], "is_dropped": yes}


def _speaker(own: "Signer | None") -> str:
    """Who says it where nobody is named: the key's owner, else the operating system's user."""
    return (own.name if own is not None else "") or getpass.getuser()


@contextmanager
def _copy_of(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The snapshot; ConfigurationError where the version that left it knew of no partings."""
    from cli.answers import copy_of

    known = "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'identity' AND table_name = 'apart'"
    with copy_of(settings, has_macros=True) as con:
        if not con.execute(known).fetchall():
            raise ConfigurationError("the last night was run by an older version: run `trueup sync` first")
        yield con


def _tell(found: dict[str, Any]) -> None:
    if "rejoinable" in found:
        tell_table("No longer kept apart; their keys say whether they are joined", found["rejoinable"], most=None)
    else:
        tell(f"Person {found['person_id']}")
        tell(f"  taken out  {', '.join(found['taken'])}")
        tell(f"  stay       {', '.join(found['kept'])}")
        tell_table("Planned back, held for a person, once they are parted", found["undone"], most=None)
        tell_table("Left as it is: somebody has changed it since", found["left"], most=None)
        tell_table("Permissions stay no until a proven opt-in", found["permissions"], most=None)
    done = "Dropped in the inbox: the next night takes it in"
    tell(done if found["is_dropped"] else "Nothing was done; --yes does it")


def _masked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As people may see them: the value that stands there, and the one from before."""
    from pipelines.report.mask import shown

    return [
        {name: shown("customers", row["field"], value) if name in _VALUES else value for name, value in row.items()}
        for row in rows
    ]
