"""Which e-mail permissions drift: by contact point first, then over the other addresses of the same person.

Withdrawal wins unless a later opt-in has proof. A yes without proof that is younger than a no elsewhere is lowered,
and the wish to raise that no is put on record as refused. A proven one is a person's work, in the system that says no:
no vendor's writer raises it. Nothing is ever concluded from an unknown state. What was
heard of a record stays said when the record is deleted: a no is not washed off by forgetting who said it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from sandbox.records import Consent
from sandbox.store import parse_stamp
from sandbox.world.chronicle import Gone
from sandbox.world.identity import Persons, Record, email_norm
from sandbox.world.places import AUDIENCES
from sandbox.world.state import State
from sandbox.world.truth import Row, disposition_of

Point = list[tuple[Record, Consent]]
"""All records with one address, those that are gone too."""
Ghosts = Iterable[Gone]


def contact_points(state: State, bad: set[Record], gone: Ghosts) -> dict[str, Point]:
    """Records with an explicit state, by normalised address; of those that are gone what still counts as said."""
    points: dict[str, Point] = defaultdict(list)
    for system, held in state.customers.items():
        for key, customer in held.items():
            address = email_norm(customer.email)
            if address and (system, key) not in bad and customer.consent.state != "none":
                points[address].append(((system, key), customer.consent))
    for one in gone:
        if one.address and (one.state == "no" or (one.state == "yes" and one.is_proven)):
            said_at = parse_stamp(one.said_at) if one.said_at else None
            ghost = Consent(one.state, said_at, one.is_proven)  # type: ignore[arg-type]
            points[one.address].append(((one.system, one.key), ghost))
    return points


def proven_after(point: Point) -> bool:
    """Whether a proven opt-in is younger than every no."""
    times = [consent.at for _, consent in point if consent.state == "no"]
    known = [at for at in times if at is not None]
    return len(known) == len(times) and any(
        consent.state == "yes" and consent.is_proven and consent.at is not None and consent.at > max(known)
        for _, consent in point
    )


def wants_no(point: Point) -> bool:
    """Whether the answer for this address is no."""
    return any(consent.state == "no" for _, consent in point) and not proven_after(point)


def consent_rows(
    night: int, state: State, persons: Persons, bad: set[Record], gone: Ghosts = ()
) -> Iterator[Row]:
    """All consent rows of a night; none of records that are gone."""
    points = contact_points(state, bad, gone)
    for point in points.values():
        if any(consent.state == "no" for _, consent in point):
            yield from _point_rows(night, state, point)
    if night > 0:
        yield from _apart_rows(night, state, points, persons, bad)


def living(state: State, point: Point) -> Point:
    """Without the records that are gone."""
    return [(record, consent) for record, consent in point if record[1] in state.customers[record[0]]]


def _point_rows(night: int, state: State, point: Point) -> Iterator[Row]:
    refused = wants_no(point)
    authority = next(record[0] for record, consent in point if consent.state == ("no" if refused else "yes"))
    there = living(state, point)
    for record, consent in there:
        if refused and consent.state in ("yes", "pending"):
            yield _row(night, record, consent.state, "no", "lower", authority)
        elif consent.state == "no" and not refused:
            yield _row(night, record, "no", "yes", "raise_with_proof", authority)
        elif consent.state == "no" and consent.at is not None and _is_contradicted(record, consent.at, there):
            yield _row(night, record, "no", "yes", "raise_without_proof", authority)


def _is_contradicted(record: Record, said_at: datetime, point: Point) -> bool:
    return any(
        other[0] != record[0] and consent.state == "yes" and not consent.is_proven
        and consent.at is not None and consent.at > said_at
        for other, consent in point
    )


def _apart_rows(
    night: int, state: State, points: dict[str, Point], persons: Persons, bad: set[Record]
) -> Iterator[Row]:
    """A person's no at one address reaches the others."""
    for records in persons.values():
        addresses = {
            email_norm(state.customers[system][key].email)
            for system, key in records if key in state.customers[system] and (system, key) not in bad
        } - {""}
        if len(addresses) < 2 or not any(wants_no(points.get(address, [])) for address in addresses):
            continue
        for address in sorted(addresses):
            point = points.get(address, [])
            if not any(consent.state == "no" for _, consent in point):
                for record, consent in living(state, point):
                    if consent.state in ("yes", "pending"):
                        yield _row(night, record, consent.state, "no", "lower", "", is_apart=True)


def _row(
    night: int, record: Record, observed: str, desired: str, drift_class: str, authority: str, *, is_apart: bool = False
) -> Row:
    system, key = record
    disposition = disposition_of(drift_class, night)
    if system == "square" and drift_class == "lower":
        disposition = "not_writable"
    return Row(
        night, system, "consents", "state", key, AUDIENCES[system], drift_class, disposition, observed, desired,
        authority, "another address of the same person" if is_apart else "", is_apart=is_apart,
    )
