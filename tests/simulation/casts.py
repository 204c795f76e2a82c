"""An estate of fewer systems: the same world, of which trueup is told less. A night then costs less, and is as real."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from sandbox.world.truth import Row

_ENTRY = re.compile(r"(\w+) = (\{[^}]*\}|\"[^\"]*\")")


def narrow(path: Path, systems: Collection[str]) -> None:
    """Leave out of an estate file all systems but these."""
    kept: list[str] = []
    is_kept = True
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            is_kept = not line.startswith("[systems.") or line[len("[systems."):-1] in systems
        if line.startswith("vendor_ids = {"):
            entries = _ENTRY.findall(line.removeprefix("vendor_ids = {"))
            line = f"vendor_ids = {{ {', '.join(f'{name} = {value}' for name, value in entries if name in systems)} }}"
        if is_kept:
            kept.append(line)
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")


def known(rows: Iterable[Row], systems: Collection[str]) -> list[Row]:
    """What can be known of the truth where only these systems are read; all of it where all are."""
    if len(systems) == 4:
        return list(rows)
    return [
        row for row in rows
        if row.system in systems and row.authority in (*systems, "") and row.entity not in ("consents", "customers")
        and (row.entity != "stock" or "shopify" in systems)  # the till is told of what the webshop sold
    ]
