"""How well a pipeline tells persons apart: pairwise precision and recall, and whom it did not recognise exactly."""

from collections import Counter
from collections.abc import Mapping

from sandbox.verdict import PersonScore, Verdict
from sandbox.world.identity import Persons, Record

MIN_PRECISION = 0.99
MIN_RECALL = 0.90
SLACK = 2
"""Pairs that a small world may have wrong: of fifty pairs, one is two per cent."""


def score(persons: Persons, found: Mapping[Record, str], bad: set[Record]) -> PersonScore:
    """Pairs of records, in all persons; quarantined records belong to nobody."""
    right, linked, true = Counter[tuple[str, str]](), Counter[str](), 0
    for person, records in persons.items():
        sound = [record for record in records if record not in bad]
        true += _pairs(len(sound))
        for record in sound:
            if ours := found.get(record):
                right[person, ours] += 1
                linked[ours] += 1
    return PersonScore(true, sum(map(_pairs, linked.values())), sum(map(_pairs, right.values())))


def strangers(persons: Persons, found: Mapping[Record, str], bad: set[Record]) -> set[Record]:
    """Records whose person, as the pipeline has it, is not exactly the true one."""
    members: dict[str, set[Record]] = {}
    for record, ours in found.items():
        if record not in bad:
            members.setdefault(ours, set()).add(record)
    result: set[Record] = set()
    for records in persons.values():
        sound = {record for record in records if record not in bad}
        for record in sound:
            ours = found.get(record)
            if (members[ours] if ours else {record}) != sound:
                result.add(record)
    return result


def judge_persons(result: PersonScore, verdict: Verdict) -> None:
    """Fail where too many pairs are wrong or missing."""
    verdict.persons = result
    wrong, missing = result.linked_pairs - result.right_pairs, result.true_pairs - result.right_pairs
    if wrong > max(SLACK, (1 - MIN_PRECISION) * result.linked_pairs):
        verdict.fail("persons", "precision", f"{result.precision:.4f}: {wrong} pairs are two persons")
    if missing > max(SLACK, (1 - MIN_RECALL) * result.true_pairs):
        verdict.fail("persons", "recall", f"{result.recall:.4f}: {missing} pairs are not linked")


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
