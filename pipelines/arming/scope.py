"""What an arming covers, and what of it is left for one run. Pure: knows no key, no table, no clock.

A scope names lanes, systems and fields; a row is covered where it is in all three. What a run is asked for can only
take away from it. Opt-outs, the lane `suppression`, are narrowed by no run and counted by no `max_rows`: an estate that
sends some of them and not others keeps no promise.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import msgspec

from pipelines.configuration import suggestion
from pipelines.errors import DataError
from pipelines.estate import Writable

LANES = ("suppression", "main")
EVERY_FIELD = "*"
_NAMES = ("lanes", "systems", "entities", "fields", "max_rows", "short")
Group = tuple[str, str, str]
"""System, entity and field: rows that a scope cannot tell apart."""


class Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be written; what is not named may not."""

    lanes: tuple[str, ...]
    systems: tuple[str, ...]
    fields: tuple[str, ...]
    """`entity.field`, or `entity.*`."""
    max_rows: int | None = None
    """A plan of the main lane is not covered at all where its rows in the scope, with those that other plans of its day
    have been approved for, are more than this."""
    short: tuple[str, ...] = ()
    """Endpoints whose shrinking the signer has explained: a census of theirs is believed where a run asks for that."""

    def covers(self, lane: str, system: str, entity: str, field: str) -> bool:
        """Whether such a row is in the scope."""
        named = f"{entity}.{field}" in self.fields or f"{entity}.{EVERY_FIELD}" in self.fields
        return lane in self.lanes and system in self.systems and named

    def __str__(self) -> str:
        most = f"; at most {self.max_rows:,} rows a day" if self.max_rows is not None else ""
        short = f"; believes short censuses of {', '.join(self.short)}" if self.short else ""
        return f"{', '.join(self.lanes)}: {', '.join(self.fields)} of {', '.join(self.systems)}{most}{short}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run was narrowed to; empty: not narrowed."""

    systems: frozenset[str] = frozenset()
    entities: frozenset[str] = frozenset()

    def lets(self, lane: str, system: str, entity: str) -> bool:
        """Whether the run is about such a row."""
        in_systems = not self.systems or system in self.systems
        return lane == "suppression" or (in_systems and (not self.entities or entity in self.entities))


def covered(scopes: Sequence[Scope], lane: str, counts: Mapping[Group, int], asked: Asked) -> dict[Group, list[int]]:
    """The groups of a plan's rows that may be written, each with the places of the scopes that cover it.

    `counts`: the plan's rows by group, with those of its day. What one scope's `max_rows` forbids another may still
    cover.
    """
    found: dict[Group, list[int]] = {}
    for place, scope in enumerate(scopes):
        mine = [group for group in counts if scope.covers(lane, *group)]
        if lane == "main" and scope.max_rows is not None and sum(counts[g] for g in mine) > scope.max_rows:
            continue
        for group in mine:
            if asked.lets(lane, group[0], group[1]):
                found.setdefault(group, []).append(place)
    return found


def scope_of(words: Iterable[str], systems: Sequence[str], endpoints: Sequence[str] = ()) -> Scope:
    """A scope from what is typed: `all`, or `lanes=`, `systems=`, `entities=`, `fields=`, `max_rows=`, with commas.

    What is not named is not narrowed; nothing typed at all is an error, and so is a word that names nothing. `short=`
    names some of `endpoints`; none is in a scope that does not name it, `all` neither.
    """
    given: dict[str, list[str]] = {}
    words = list(words)
    if not words:
        raise DataError("say what is armed: `--scope all`, or `--scope systems=shopify --scope entities=prices`, …")
    for word in words:
        name, sign, values = word.partition("=")
        if word == "all":
            continue
        if not sign or not values or name not in _NAMES:
            allowed = ", ".join(("all", *(f"{each}=" for each in _NAMES)))
            raise DataError(f"--scope {word!r} is not a scope; allowed: {allowed} and values with commas between")
        given.setdefault(name, []).extend(values.split(","))
    if "all" in words and given.keys() - {"max_rows", "short"}:
        raise DataError("--scope all stands for everything; leave it out, or the others")
    if "entities" in given and "fields" in given:
        raise DataError("--scope: name entities or fields, not both; entities=prices stands for all fields of prices")
    entities = _known("entities", given.get("entities", []), get_args(Writable))
    fields = _known_fields(given.get("fields", []))
    if not (entities or fields):
        entities = list(get_args(Writable))
    return Scope(
        lanes=tuple(_known("lanes", given.get("lanes", []), LANES) or LANES),
        systems=tuple(_known("systems", given.get("systems", []), systems) or systems),
        fields=(*(f"{entity}.{EVERY_FIELD}" for entity in entities), *fields),
        max_rows=_number(given["max_rows"]) if "max_rows" in given else None,
        short=tuple(_known("short", given.get("short", []), endpoints)),
    )


def _known(name: str, words: Sequence[str], allowed: Sequence[str]) -> list[str]:
    for word in words:
        if word not in allowed:
            more = f"{suggestion(word, allowed)}; allowed: {', '.join(allowed)}"
            raise DataError(f"--scope {name}: {word!r} is not there{more}")
    return list(dict.fromkeys(words))


def _known_fields(words: Sequence[str]) -> list[str]:
    from pipelines.policy_words import FIELDS

    return _known("fields", words, [*FIELDS])


def _number(words: Sequence[str]) -> int:
    if len(words) != 1 or not words[0].isdecimal():
        raise DataError(f"--scope max_rows={','.join(words)}: allowed: one whole number")
    return int(words[0])
