"""Generated worlds for the planner's laws. A world is a set of systems; hundreds go through one execution.

What worlds share is drawn once an execution (decisions, guards); what is a system's own (targets, caps, populations,
verdicts) is drawn for each world, under system names that begin with the world's number. All from one seed, which is
what Hypothesis draws.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.tables import TABLES
from tests.plan.world import FIELDS, start_night

COUNT = 1_000
"""Worlds in one execution, which costs about the same for one or for hundreds."""
SYSTEMS = ("square", "shopify")
PAIRS = [(entity, field) for entity, fields in FIELDS.items() for field in fields if entity != "consents"]
CLASSES = ("never_agreed", "here", "elsewhere", "both", "rule", "explained", "unexplained")
CONSENT_CLASSES = ("lower", "raise_with_proof", "raise_without_proof")
FIGURES = (None, "0", "-1", "900", "1000", "1200", "1400", "10.5", " ", "Lyon")
SHARED_VERDICT = "consents"
"""An estate whose opt-outs were not read writes no customer anywhere: not a thing that worlds may differ in."""


@dataclass(frozen=True)
class World:
    """One estate's night."""

    rows: tuple[dict[str, Any], ...]
    consents: tuple[dict[str, Any], ...]
    modes: tuple[str, ...]
    writable: tuple[bool, ...]
    floors: tuple[int, ...]
    population: int
    unread: tuple[str, str] | None


def worlds(seed: int, count: int = COUNT) -> dict[int, World]:
    """Many worlds by number."""
    dice = Random(seed)
    return {number: _world(dice) for number in range(count)}


def decisions(seed: int) -> dict[tuple[tuple[str, str], str], str]:
    """What the policy says about some classes of some fields; the others it leaves unsaid."""
    dice = Random(seed)
    return {
        (pair, drift_class): dice.choice(["approve", "approve", "hold", "refuse"])
        for pair in PAIRS for drift_class in CLASSES if dice.random() < 0.8
    }


def _world(dice: Random) -> World:
    entities = sorted(FIELDS.keys() - {SHARED_VERDICT})
    return World(
        rows=tuple(_row(dice) for _ in range(dice.randint(0, 8))),
        consents=tuple(_consent(dice) for _ in range(dice.randint(0, 4))),
        modes=tuple(dice.choice(["live", "live", "live", "pilot", "observe"]) for _ in SYSTEMS),
        writable=tuple(dice.random() < 0.8 for _ in SYSTEMS),
        floors=tuple(dice.randint(0, 4) for _ in SYSTEMS),
        population=dice.choice([0, 5, 60]),
        unread=(dice.choice(SYSTEMS), dice.choice(entities)) if dice.random() < 0.2 else None,
    )


def _row(dice: Random) -> dict[str, Any]:
    return {
        "system": dice.choice(SYSTEMS), "pair": dice.choice([*PAIRS, ("prices", "amount"), ("prices", "amount")]),
        "vendor_id": dice.choice("abcdef"), "drift_class": dice.choice(CLASSES), "observed": dice.choice(FIGURES),
        "desired": dice.choice(FIGURES), "authority": dice.choice(SYSTEMS),
        "currency": dice.choice(["EUR", "EUR", "EUR", "JPY", None, "XXX"]), "cost_minor": dice.choice([None, 950]),
        "old_minor": dice.choice([None, 0, 1000]), "version": dice.choice([None, "1"]),
        "subject_id": dice.choice(["i1", "i2"]),
    }


def _consent(dice: Random) -> dict[str, Any]:
    return {
        "system": dice.choice(SYSTEMS), "vendor_id": dice.choice("abcd"), "drift_class": dice.choice(CONSENT_CLASSES),
        "observed": dice.choice(["yes", "no", "pending"]), "desired": dice.choice(["yes", "no", "no", "pending", None]),
    }


def name(number: int, system: str) -> str:
    """A system's name in its world."""
    return f"w{number}.{system}"


def world_of(system: str) -> int:
    """The world that a system belongs to."""
    return int(system.split(".")[0][1:])


def fill(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Replace a table's rows; columns left out are NULL."""
    con.execute(f"DELETE FROM {table}")
    if not rows:
        return
    columns = list(TABLES[table])
    incoming = pa.table({column: pa.array([row.get(column) for row in rows]) for column in columns})
    con.register("incoming", incoming)
    con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
    con.unregister("incoming")


def lay_out(con: duckdb.DuckDBPyConnection, worlds: dict[int, World], said: dict[Any, str]) -> None:
    """Put many worlds into the planner's input tables."""
    start_night(con)
    tables: dict[str, list[dict[str, Any]]] = {table: [] for table in (
        "policy.targets", "policy.pilots", "policy.caps", "reads.verdicts", "reconcile.drift",
        "reconcile.consent_drift", "observed.prices")}
    for number, world in worlds.items():
        for system, mode, is_writable, floor in zip(SYSTEMS, world.modes, world.writable, world.floors, strict=True):
            own = {"system": name(number, system)}
            for entity, fields in FIELDS.items():
                is_whole = (system, entity) != world.unread
                tables["reads.verdicts"].append({**own, "entity": entity, "is_complete": is_whole, "reason": "cut"})
                tables["policy.pilots"].append({**own, "entity": entity, "subject_id": "i1"})
                for field in fields:
                    at = {**own, "entity": entity, "field": field}
                    tables["policy.targets"].append({**at, "mode": mode, "is_writable": is_writable, "tolerance": 0})
                    tables["policy.caps"].append({**at, "max_share_pct": 10.0, "floor_rows": floor, "max_rows": 5})
            tables["observed.prices"] += [{**own, "vendor_id": str(i)} for i in range(world.population)]
        for row in world.rows:
            entity, field = row["pair"]
            rest = {key: value for key, value in row.items() if key != "pair"}
            tables["reconcile.drift"].append({
                **rest, "system": name(number, row["system"]), "authority": name(number, row["authority"]),
                "entity": entity, "field": field, "vendor_sub_id": "", "subject_sub_id": "", "has_base": False,
                "rule": "rule", "reason": "reason", "context": "{}",
            })
        for row in world.consents:
            tables["reconcile.consent_drift"].append({
                **row, "system": name(number, row["system"]), "authority": name(number, row["system"]),
                "entity": "consents", "field": "state", "vendor_sub_id": "list", "subject_id": row["vendor_id"],
                "subject_sub_id": "email:newsletter", "has_base": False, "rule": "rule", "reason": "reason",
                "context": "{}",
            })
    for table, rows in tables.items():
        fill(con, table, rows)
    fill(con, "policy.decisions", [
        {"entity": entity, "field": field, "drift_class": drift_class, "action": action}
        for ((entity, field), drift_class), action in said.items()
    ])
