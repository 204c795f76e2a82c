"""What an estate keeps back of stock: safety stock by category and place, and buffers of single systems.

Belongs here: the sections of `estate.toml` that say so, what is refused in them, and the rows that they become. The
most specific rule wins, and it wins whole: rules are never added up.

    safety stock (kept back from everybody)     category and place > category > the place's own `safety_stock`
    buffer (kept back from one system alone)    category and place > category > place > the system alone

A category is what the item's first system in the order of the policy calls it, whatever the case and accents. An item
of no category, or of one that no rule names, falls back to the rules without one. Rows are resolved here, per place:
the SQL looks up (category, place), then ('', place).
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from pydantic import Field

from pipelines.configuration import Section, TomlFile, suggestion


class SafetyStock(Section):
    """One `[[safety_stock]]`: instead of the place's own, for a category."""

    category: str = Field(min_length=1, description="Of the items, as the first system of the policy calls it.")
    location: str | None = Field(default=None, description="Our place; every place where nothing is said.")
    units: int = Field(ge=0, description="Units kept back from `available`.")


class Buffer(Section):
    """One `[[buffers]]`: units that one system is not told of."""

    system: str = Field(description="The system they are kept back from.")
    category: str | None = Field(default=None, min_length=1, description="Of the items; all where nothing is said.")
    location: str | None = Field(default=None, description="Our place; every place where nothing is said.")
    units: int = Field(ge=0, description="Units kept back from that system alone.")


class Place(Protocol):
    """What is asked of a location."""

    @property
    def vendor_ids(self) -> Mapping[str, str]: ...
    @property
    def authority(self) -> str: ...


Places = Mapping[str, Place]


def check_stock_rules(
    file: TomlFile, systems: Sequence[str], places: Places, safety: Sequence[SafetyStock], buffers: Sequence[Buffer]
) -> None:
    """ConfigurationError where a rule names what there is not, says what could never count, or is said twice."""
    seen: dict[tuple[str, ...], str] = {}
    every: tuple[tuple[str, Sequence[SafetyStock | Buffer]], ...] = (("safety_stock", safety), ("buffers", buffers))
    for table, rules in every:
        for number, rule in enumerate(rules):
            system = rule.system if isinstance(rule, Buffer) else ""
            if system and system not in systems:
                message = f"no such system{suggestion(system, systems)}; allowed: {', '.join(systems)}"
                raise file.error((table, number, "system"), message)
            if rule.location is not None:
                known = sorted(places)
                if rule.location not in places:
                    message = f"no such location{suggestion(rule.location, known)}; allowed: {', '.join(known)}"
                    raise file.error((table, number, "location"), message)
                _check_place(file, (table, number), system, rule.location, places[rule.location])
            key = (table, system, folded(rule.category or ""), rule.location or "")
            words = f"{system} {rule.category or 'all categories'} at {rule.location or 'every place'}".strip()
            if key in seen:
                raise file.error((table, number), f"said twice: {words}; keep one of them")
            seen[key] = words


def _check_place(file: TomlFile, path: tuple[str, int], system: str, ours: str, place: Place) -> None:
    if system and system not in place.vendor_ids:
        allowed = ", ".join(sorted(place.vendor_ids))
        raise file.error((*path, "location"), f"{system} is not mapped at {ours}; allowed: {allowed}")
    if system and system == place.authority:
        message = f"{system} counts at {ours}: a buffer is kept back from the others"
        raise file.error((*path, "location"), message)


def safety_rows(places: Places, rules: Sequence[SafetyStock]) -> Iterator[tuple[str, str, int, str]]:
    """(category, place, units, the rule in words): the winner of each category at each place."""
    told = {(folded(rule.category), rule.location): rule for rule in rules}
    for category in dict.fromkeys(folded(rule.category) for rule in rules):
        for ours in places:
            if winner := told.get((category, ours)) or told.get((category, None)):
                words = f"safety stock of {winner.category}" + (f" at {ours}" if winner.location else "")
                yield winner.category, ours, winner.units, words


def buffer_rows(places: Places, rules: Sequence[Buffer]) -> Iterator[tuple[str, str, str, int, str]]:
    """(system, category or '', place, units, the rule in words): the winner for each category at each place."""
    told = {(rule.system, folded(rule.category or ""), rule.location): rule for rule in rules}
    for system, category in dict.fromkeys((rule.system, folded(rule.category or "")) for rule in rules):
        for ours, place in places.items():
            if system not in place.vendor_ids or system == place.authority:
                continue
            if winner := told.get((system, category, ours)) or told.get((system, category, None)):
                words = [f"buffer of {system}"] + ([f"for {winner.category}"] if winner.category else [])
                words += [f"at {ours}"] if winner.location else []
                yield system, winner.category or "", ours, winner.units, " ".join(words)


def folded(category: str) -> str:
    """A category without case, accents and other signs, as `fold_text` compares it in SQL."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", category.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in plain.replace("œ", "oe").replace("æ", "ae")).split())
