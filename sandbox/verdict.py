"""What the judge found, as data: failures with examples, counts by entity and class, persons, and what is apart."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is not as the truth has it."""

    kind: str
    """missed, false, misclassed, misjudged, wrong value, unproved, touched, quarantine missed, quarantine false,
    unplanned write, raised without proof, believed gone record, written gone record, recreated, persons."""
    where: str
    """system entity.field key"""
    words: str


@dataclass(slots=True)
class Tally:
    """Counts of one (entity, class)."""

    expected: int = 0
    found: int = 0
    missed: int = 0
    false: int = 0
    misclassed: int = 0
    earlier: int = 0
    """Pushed in an earlier night on the same world."""
    apart: int = 0
    """Of persons whom the pipeline did not recognise exactly."""
    excused: int = 0
    """Not to be known in a night in which a system was down."""


@dataclass(slots=True)
class PersonScore:
    """How well records were linked, in pairs of records of one person."""

    true_pairs: int = 0
    linked_pairs: int = 0
    right_pairs: int = 0

    @property
    def precision(self) -> float:
        """Of the linked pairs, those that are one person."""
        return self.right_pairs / self.linked_pairs if self.linked_pairs else 1.0

    @property
    def recall(self) -> float:
        """Of the pairs that are one person, those that are linked."""
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0


@dataclass(slots=True)
class Verdict:
    """The whole judgement of one night."""

    night: int
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    persons: PersonScore = field(default_factory=PersonScore)
    other_addresses: Counter[str] = field(default_factory=Counter)
    """Opt-outs carried to a person's other addresses: found, missed, unexpected. Never a failure."""
    looks_only: int = 0
    """Corrections of case, accents or punctuation alone."""
    raised: int = 0
    """Permissions raised without proof."""
    confirmed: int = 0
    """Corrections that were to be pushed, were, and are proved."""

    @property
    def is_passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.failures

    def tally(self, entity: str, drift_class: str) -> Tally:
        """The counts of one (entity, class)."""
        return self.tallies.setdefault((entity, drift_class), Tally())

    def fail(self, kind: str, where: str, words: str) -> None:
        """Note a failure."""
        self.failures.append(Failure(kind, where, words))

    def examples(self) -> dict[str, list[Failure]]:
        """The first few failures of each kind."""
        result: dict[str, list[Failure]] = {}
        for failure in self.failures:
            kept = result.setdefault(failure.kind, [])
            if len(kept) < EXAMPLES:
                kept.append(failure)
        return result

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "night": self.night, "passed": self.is_passed,
            "classes": [
                {"entity": entity, "class": name} | asdict(tally)
                for (entity, name), tally in sorted(self.tallies.items())
            ],
            "persons": asdict(self.persons) | {"precision": self.persons.precision, "recall": self.persons.recall},
            "other_addresses": dict(self.other_addresses), "looks_only": self.looks_only,
            "raised_without_proof": self.raised, "confirmed": self.confirmed,
            "failure_counts": dict(Counter(failure.kind for failure in self.failures)),
            "examples": {kind: [asdict(one) for one in some] for kind, some in self.examples().items()},
        }
