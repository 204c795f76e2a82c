"""`trueup restore`: the ledger out of its back-up. Imports no Dagster, asks no system."""

from typing import Annotated

import typer

from cli.leaving import leave
from cli.screen import tell, tell_json


def restore(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False) -> None:
    """Make the ledger anew out of its back-up, where it was lost, is broken, or is an older copy."""

    def run() -> int:
        from cli.home import prepare
        from resources.clock import SystemClock
        from resources.restoring import restore as restored

        found = restored(prepare(), clock=SystemClock())
        if as_json:
            kept = None if found.kept_as is None else str(found.kept_as)
            tell_json({"rows": found.row_count, "generation": found.generation, "kept_as": kept, "fault": found.fault})
            return 0
        kept_words = f"; the one that lay there is now {found.kept_as.name}" if found.kept_as else ""
        tell(f"the ledger is restored: {found.row_count:,} rows, generation {found.generation}{kept_words}")
        tell(f"But {found.fault}" if found.fault else "The next night goes on from there")
        return 0

    leave(run)
