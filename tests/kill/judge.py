"""What is wrong after a night that was cut, finished and followed by a quiet one; the systems' own log says it.

The rules are those of the simulation (`tests.simulation.checker`). All runs that tried the same night count as one: a
value that one of them wrote may not be written by the next one again.
"""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.duck import connect
from sandbox.app import load_vendors
from sandbox.world.scene import Scene
from sandbox.world.truth import Row, read_truth
from sandbox.world.values import values_now
from tests.kill.shop import Running, Shop
from tests.nights.effects import value_of
from tests.simulation import checker
from tests.simulation.checker import Violation
from tests.simulation.run import Run

_INTENTS = """
SELECT DISTINCT c.system, c.entity, c.field, c.vendor_id
FROM ledger.sync.intents AS i
JOIN ledger.sync.corrections AS c ON c.plan_id = i.plan_id AND c.correction_key = i.correction_key
WHERE i.state IN ('sent', 'settled')
"""


def finished(shop: Shop, since: int) -> list[Violation]:
    """The next run finishes the night, another finds nothing to do; all that is wrong since that line of the log."""
    found = list(unintended(shop, since))
    return [*found, *_ends(shop.begin()), *settled(shop, since)]


def settled(shop: Shop, since: int) -> list[Violation]:
    """The same where the night has been finished already."""
    found = [*of_a_night(shop, since), *lost(shop), *unintended(shop, since)]
    latest = last_line(shop)
    return [*found, *_ends(shop.begin()), *quiet(shop, latest)]


def last_line(shop: Shop) -> int:
    """The number of the last line of the systems' log."""
    return max((int(effect["seq"]) for effect in shop.effects()), default=0)


def _ends(run: Running) -> Iterator[Violation]:
    if code := run.ended():
        yield Violation("night broke", run.order.name, f"exit code {code}: {run.said[-500:]}")
    elif (status := _status(run)) != "complete":
        yield Violation("night broke", run.order.name, f"it ended {status}")


def _status(run: Running) -> str:
    with connect(f"{run.order.environment['TRUEUP_HOME']}/warehouse/snapshot.duckdb") as con:
        con.execute("SET TimeZone = 'UTC'")
        return str(con.execute("SELECT status FROM sync.nights ORDER BY started_at DESC LIMIT 1").fetchall()[0][0])


def of_a_night(shop: Shop, since: int) -> list[Violation]:
    """All that the runs since that line of the log did to the systems, as if one run had done it."""
    run = Run(1, "", "complete", [], shop.effects(since), truth=_truth(shop), spoilt=_spoilt(shop))
    return list(checker.of_a_run(run))


def lost(shop: Shop) -> list[Violation]:
    """What had to be written this night and is not there."""
    with shop.store() as store:
        scene = Scene.load(shop.world, store, load_vendors())
        rows = [row for row in _truth(shop) if row.entity != "customers"]
        return list(checker.lost(rows, values_now(scene.shelves, scene.look(), rows)))


def quiet(shop: Shop, since: int) -> Iterator[Violation]:
    """A night on which nothing has happened writes nothing."""
    for effect in shop.effects(since):
        yield Violation("written on a quiet night", str(effect["vendor"]), str(effect))


def unintended(shop: Shop, since: int) -> Iterator[Violation]:
    """What was written without an intent that was on the disk by then."""
    intents = intended(shop.home / "warehouse")
    for effect in shop.effects(since):
        if effect["origin"] == "api" and value_of(effect)[:4] not in intents:
            yield Violation("written without an intent", str(effect["vendor"]), str(effect))


def intended(warehouse: Path) -> set[tuple[str, str, str, str]]:
    """(system, entity, field, vendor id) of all that the ledger's files, as they lie, say was sent."""
    with TemporaryDirectory() as folder:
        for path in warehouse.glob("ledger.duckdb*"):
            shutil.copy(path, folder)
        with connect() as con:
            con.execute(f"ATTACH '{folder}/ledger.duckdb' AS ledger")
            return {tuple(row) for row in con.execute(_INTENTS).fetchall()}


def told(violations: Iterable[Violation], shop: Shop) -> str:
    """For a test that fails: what is wrong, and how each run ended."""
    ends = [f"{run.order.name}: died {run.order.dies}, {run.process.exitcode}, {run.places[-1:]}" for run in shop.runs]
    words = [f"{run.order.name}: {run.said[-1500:]}" for run in shop.runs if run.process.exitcode not in (0, -9)]
    return "\n".join(["", *map(str, violations), *ends, *words])


def _truth(shop: Shop) -> list[Row]:
    with shop.store() as store:
        return read_truth(shop.world, int(store.fact("night") or 0))


def _spoilt(shop: Shop) -> set[str]:
    from sandbox.world import ids
    from sandbox.world.create import SELLERS

    with shop.store() as store:
        spoilt: Any = Scene.load(shop.world, store, load_vendors()).chronicle.spoilt
    return {ids.item_key(system, number) for number in spoilt for system in SELLERS}
