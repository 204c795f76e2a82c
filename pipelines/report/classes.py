"""Who moved: each drift class with its colour and its sentence, for pictures, tags and the legend of the page.

Colours carry white text at a contrast of 4.5 or more. What decides a class is in `reconcile`, not here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """How one class is shown."""

    colour: str
    words: str


CLASSES = {
    "never_agreed": Look("#6b6b6b", "these two have never agreed"),
    "elsewhere": Look("#1b7f79", "the source of truth moved"),
    "explained": Look("#4d7a2c", "known movements account for every unit"),
    "rule": Look("#2f6db5", "nobody moved, but a rule did: a promotion, a safety stock, the policy"),
    "lower": Look("#7a4fa3", "a permission is taken away"),
    "here": Look("#a86200", "edited in the system itself"),
    "both": Look("#b8452e", "edited here, and the source of truth moved too"),
    "unexplained": Look("#a61e4d", "units came or went without a movement"),
    "raise_with_proof": Look("#8d5b8f", "a proven opt-in stands against a no"),
    "raise_without_proof": Look("#5c0f2b", "an opt-in without proof stands against a no"),
}
ENTITIES = ("prices", "stock", "items", "customers", "consents")
"""In the order of the page; what is not named here follows."""


def look(drift_class: str) -> Look:
    """Of a class; grey where it is unknown."""
    return CLASSES.get(drift_class, Look("#555555", drift_class))


def in_order(entities: set[str]) -> list[str]:
    """Entities in the order of the page."""
    return sorted(entities, key=lambda name: (ENTITIES.index(name) if name in ENTITIES else len(ENTITIES), name))
