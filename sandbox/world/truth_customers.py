"""Which customer fields drift: every record of a person against the field of the system that knows it best.

The source of truth of a field is the first of CRM, till, webshop, e-mail tool in which it is not blank; of all of
an address, the first that has a street: where it leaves a part blank, that part is nobody's word. What differs in case,
accents or punctuation alone is no drift here; the judge lets a pipeline mend it or leave it. An address is written
whole: where a part of it waits for a person, so do the others.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sandbox.world.cast import is_email_tool, part_of
from sandbox.world.identity import Persons, Record, folded, values_of
from sandbox.world.memory import FIELDS, Memory
from sandbox.world.state import State
from sandbox.world.truth import Row, disposition_of

RANK = ("hubspot", "square", "shopify", "mailchimp")
LINKED_LATE = "known, but never agreed"
"""Note on rows of which a pipeline that linked the person otherwise on an earlier night may know better."""
_ADDRESS = ("street", "city", "postcode")


def rank_of(system: str) -> int:
    """How much a system's word counts: 0 the most."""
    return RANK.index(part_of(system))


def is_target(system: str, field: str) -> bool:
    """Whether a field is compared in a system: an e-mail tool needs no street."""
    return not (is_email_tool(system) and field in _ADDRESS)


def sources(state: State, records: list[Record], bad: set[Record]) -> dict[str, tuple[Record, str]]:
    """Per field: the record whose word counts, and its value; fields that are blank everywhere are left out."""
    found: dict[str, tuple[Record, str]] = {}
    for record in sorted(records, key=lambda r: rank_of(r[0])):
        if record in bad or record[1] not in state.customers[record[0]]:
            continue
        values = values_of(state.customers[record[0]][record[1]])
        has_address = values["street"] is not None and "street" not in found
        for field, value in values.items():
            if value is not None and (has_address or field not in _ADDRESS):
                found.setdefault(field, (record, value))
    return found


def _wanted(best: dict[str, tuple[Record, str]], values: dict[str, str | None]) -> dict[str, tuple[Record, str]]:
    """What a record ought to hold: no part of an address that would stand beside a part of the record's own."""
    if all(field in best or values[field] is None for field in _ADDRESS):
        return best
    return {field: source for field, source in best.items() if field not in _ADDRESS}


def customer_rows(
    night: int, state: State, memory: Memory, persons: Persons, bad: set[Record]
) -> Iterator[Row]:
    """All customer rows of a night."""
    for records in persons.values():
        if len(records) < 2:
            continue
        best = sources(state, records, bad)
        for record in records:
            if record not in bad and record[1] in state.customers[record[0]]:
                yield from _record_rows(night, state, memory, record, best)


def _record_rows(
    night: int, state: State, memory: Memory, record: Record, best: dict[str, tuple[Record, str]]
) -> Iterator[Row]:
    system, key = record
    customer, agreed = state.customers[system][key], memory.customers.get(record, {})
    is_new = record not in memory.customers
    values = values_of(customer)
    for field, (source, golden) in _wanted(best, values).items():
        observed = values[field]
        if observed == golden or not is_target(system, field) or folded(observed) == folded(golden):
            continue
        drift_class = _class(observed, golden, agreed.get(field), field in agreed)
        yield Row(
            night, system, "customers", field, key, "", drift_class, disposition_of(drift_class, night), observed,
            golden, source[0], "" if is_new or drift_class != "never_agreed" else LINKED_LATE,
        )


def whole_addresses(rows: Iterable[Row]) -> list[Row]:
    """All rows of a night; no part of an address is written while another part of it waits."""
    found = [(row, row.entity == "customers" and row.field in _ADDRESS) for row in rows]
    waiting = {(row.system, row.vendor_id) for row, is_part in found if is_part and row.disposition != "must_push"}
    return [
        replace(row, disposition="must_hold") if is_part and (row.system, row.vendor_id) in waiting
        and row.disposition == "must_push" else row
        for row, is_part in found
    ]


def _class(observed: str | None, golden: str, base: str | None, has_base: bool) -> str:
    if not has_base:
        return "never_agreed"
    if folded(observed) == folded(base):
        return "elsewhere"
    return "here" if folded(golden) == folded(base) else "both"


def settle_customers(
    state: State, memory: Memory, persons: Persons, bad: set[Record], away: frozenset[str] = frozenset()
) -> None:
    """Remember as agreed whatever equals the person's best value; what differs in looks alone agrees too.

    A value is the best one only where every system before it could be read.
    """
    heard = min((rank_of(system) for system in away), default=len(RANK))
    for records in persons.values():
        best = sources(state, records, bad)
        for record in records:
            system, key = record
            if record in bad or key not in state.customers[system] or system in away:
                continue
            agreed = memory.customers.setdefault(record, {})
            values = values_of(state.customers[system][key])
            wanted = _wanted(best, values)
            for field in FIELDS:
                source, golden = wanted.get(field, (None, None))
                if (rank_of(source[0]) if source else len(RANK) - 1) >= heard:
                    continue
                if values[field] == golden or folded(values[field]) == folded(golden):
                    agreed[field] = golden
