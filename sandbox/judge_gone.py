"""Records that were deleted, archived, merged or erased: whether they are believed, written, or brought back.

A correction planned for one is false already (`judge_rows`). Here is what needs no drift to show: the record still
counts as one of a person's, a write went to it, or the pipeline made a record where none was.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.plan_rows import Plan
from sandbox.verdict import Verdict
from sandbox.world.chronicle import Gone

_MADE = ("created",)
_PEOPLE = ("contacts", "members", "customers")


def judge_gone(
    gone: Iterable[Gone], plan: Plan, effects: Iterable[Mapping[str, Any]], verdict: Verdict,
    down: frozenset[str] = frozenset(),
) -> None:
    """Judge what is not a correction. What cannot be read may still be believed to be there."""
    ways = {(one.system, one.key): one.how for one in gone}
    for record in sorted(ways.keys() & plan.persons.keys()):
        if record[0] not in down:
            verdict.fail("believed gone record", " ".join(record), f"{ways[record]}, but still one of a person's")
    for effect in effects:
        record = (str(effect["vendor"]), str(effect["key"]).split("|")[0])
        place = f"{effect['vendor']} {effect['kind']} {effect['key']}"
        if record in ways:
            words = f"{ways[record]}, then {effect['field']} became {effect['after']} by {effect['operation']}"
            verdict.fail("written gone record", place, words)
        elif effect["kind"] in _PEOPLE and effect["field"] in _MADE:
            verdict.fail("recreated", place, f"made by {effect['operation']}")
