"""What is written, where: for each field of each writer a record that can bear it, and a value that it must keep.

Of persons those alone that the hands made: no real one is ever written to, and without hands none. Of goods a record
that has a value already, since a blank is never written and so could not be put back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from conformance.bench import PERSONAL, Bench
from conformance.staged import Row, typed_of, value_of, with_value
from conformance.verdicts import NotShown
from pipelines.channels.base import Writer
from pipelines.model import Correction
from pipelines.readback import is_same

GTINS = ("04006381333931", "00012345678905", "05901234123457")
TEXTS = {
    "first_name": ("Zoé", "Chloé"), "last_name": ("D’Alembert-O'Neil", "Lefèvre"),
    "phone": ("+33698765432", "+33612345678"), "street": ("12 bis, rue de l'Église", "3 place Ney"),
    "city": ("Saint-Étienne", "Nîmes"), "postcode": ("01000", "06000"),
}
"""Accents, apostrophes, and zeros at the front."""


@dataclass(frozen=True, slots=True)
class Target:
    """One value to be written."""

    writer: Writer
    field: str
    row: Row
    desired: str

    def correction(self, bench: Bench) -> Correction:
        """As push takes it."""
        return bench.correction(self.writer.entity, self.field, self.row, self.desired)


async def target(bench: Bench, writer: Writer, name: str, *, place: int = 0, is_read: bool = False) -> Target:
    """A place for one field; NotShown with the reason where there is none. `place`: another record for each number,
    where there are as many. `is_read`: nothing is going to be written there, so anybody's record will do."""
    found = await (bench.staged(writer.entity) if is_read else _candidates(bench, writer.entity))
    rows = [row for row in found if desired_of(writer.entity, name, row) is not None]
    if not rows:
        raise NotShown(f"{writer.entity}.{name}: no record with a value to write over")
    row = rows[min(place, len(rows) - 1)]
    return Target(writer, name, row, desired_of(writer.entity, name, row) or "")


async def as_it_is(bench: Bench, one: Target) -> Target:
    """The same place with the value and the version that it has now, by id; NotShown where it is not there any more."""
    c = one.correction(bench)
    reading = (await bench.read_back([c])).get(c.correction_key)
    if reading is None or not reading.exists:
        raise NotShown(f"{c.entity}.{c.field}: the record is not found by its id")
    row = one.row | ({"version": reading.version} if reading.version else {})
    if not is_same(bench.con, c, reading.value, c.observed):
        row |= with_value(one.field, reading.value)
    return replace(one, row=row, desired=desired_of(c.entity, one.field, row) or one.desired)


async def targets(bench: Bench, *, is_read: bool = False) -> tuple[list[Target], list[str]]:
    """One place for every field of every writer; and those that have none, in words."""
    found, missing = [], []
    for writer, name in fields_of(bench):
        try:
            found.append(await target(bench, writer, name, is_read=is_read))
        except NotShown as reason:
            missing.append(str(reason))
    return found, list(dict.fromkeys(missing))


async def _candidates(bench: Bench, entity: str) -> list[Row]:
    """Records that may be written to."""
    if entity not in PERSONAL:
        return await bench.staged(entity)
    if not bench.has_hands:
        raise NotShown(f"{entity}: no hands can make a person, and no real one is written to")
    await bench.persons()
    return bench.of_persons(entity, bench.made)


def desired_of(entity: str, name: str, row: Row) -> str | None:
    """Another value for a field of this row; None where it cannot be written or not be put back."""
    held = value_of(name, row)
    if entity == "consents":
        return "no" if held == "yes" else None
    if not held:
        return None
    if name == "phone" and typed_of(name, row) != held:
        return None  # spelt in a way that the vendor's API may not take back
    if entity == "items" and name == "gtin":
        return next(one for one in GTINS if one != held)
    if name in TEXTS:
        return next(one for one in TEXTS[name] if one != held)
    if held.lstrip("-").isdecimal():
        return _number(name, int(held), row)
    return f"{held} (essai)"


def _number(name: str, held: int, row: Row) -> str | None:
    if row.get("is_tracked") is False or held < 0:
        return None
    if name == "amount" and held == 0:
        return None
    reduced_from = row.get("compare_at_minor")
    if name == "amount" and reduced_from is not None and held + 1 >= reduced_from:
        return str(held - 1) if held > 1 else None
    return str(held + 1)


def fields_of(bench: Bench) -> Iterator[tuple[Writer, str]]:
    """Every writer with every field it declares."""
    for writer in bench.channel.writers:
        for name in sorted(writer.fields):
            yield writer, name
