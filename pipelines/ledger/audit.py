"""The audit: what was approved, intended, answered and proven, append-only and chained by hash; and what breaks it.

Every append is one link: a digest over its rows, and a hash over the link before, keyed with the key of contact points,
which is in no file of the warehouse. A link costs two small statements, whatever the number of its rows, and is made in
the transaction of its rows, so a crash leaves either both or neither. Each row keeps a short seal of its own, by which
a changed one is named. What an intent has come to (`state`, `sent_at`) moves, and is in no digest; neither is the
night that a proof was used by. Not here: the corrections of a plan, which its fingerprint holds (`plans`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines.errors import StalePlan


@dataclass(frozen=True, slots=True)
class _Relation:
    """One table of the audit: what is sealed of a row, what names it, and columns that move later."""

    columns: tuple[str, ...]
    named: str
    moments: frozenset[str] = frozenset()
    moving: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of one row, as SQL over the alias `r`."""
        parts = [
            f"CAST(epoch_us(r.{_quoted(name)}) AS VARCHAR)" if name in self.moments
            else f"CAST(r.{_quoted(name)} AS VARCHAR)"
            for name in self.columns
        ]
        return "sha256(CAST(to_json([" + ", ".join(parts) + "]) AS VARCHAR))"


def _quoted(name: str) -> str:
    return f'"{name}"'


RELATIONS = {
    "words": _Relation(
        ("word_id", "word", "payload", "key_id", "signature", "taken_at"), "word_id", frozenset({"taken_at"})
    ),
    "approvals": _Relation(
        ("plan_id", "correction_key", "approver", "reason", "approved_at", "valid_until", "fingerprint"),
        "correction_key", frozenset({"approved_at", "valid_until"}),
    ),
    "intents": _Relation(
        ("plan_id", "correction_key", "batch_id", "vendor_key", "attempt", "composed_at"), "correction_key",
        frozenset({"composed_at"}), ("state", "sent_at"),
    ),
    "outcomes": _Relation(
        ("plan_id", "correction_key", "status", "code", "message", "request_id", "version_after", "at", "batch_id"),
        "correction_key", frozenset({"at"}),
    ),
    "verifications": _Relation(
        ("plan_id", "correction_key", "status", "value", "at"), "correction_key", frozenset({"at"})
    ),
}
_PLAN = _Relation(
    ("plan_id", "night_id", "lane", "estate", "as_of", "created_at", "expires_at", "fingerprint", "row_count"),
    "plan_id", frozenset({"as_of", "created_at", "expires_at"}),
)
"""A plan's head: one link for each, found again by the plan's id."""

_LAST = "SELECT c.link, c.hash FROM ledger.sync.chain AS c ORDER BY c.link DESC LIMIT 1"
_HASH = "contact_point('chain', concat_ws(chr(31), {before}, {link}, {relation}, {plan_id}, {row_count}, {digest}))"
_BROKEN = (
    "SELECT x.link FROM (SELECT c.link, c.hash, c.relation, c.plan_id, c.row_count, c.digest, "
    "lag(c.hash, 1, '') OVER (ORDER BY c.link) AS before, row_number() OVER (ORDER BY c.link) AS place "
    "FROM ledger.sync.chain AS c) AS x WHERE x.link <> x.place OR x.hash <> "
    + _HASH.format(before="x.before", link="x.link", relation="x.relation", plan_id="coalesce(x.plan_id, '')",
                   row_count="x.row_count", digest="x.digest")
    + " ORDER BY x.link"
)
_OF_PLANS = "($plans IS NULL OR list_contains($plans, {alias}.plan_id))"


@dataclass(frozen=True, slots=True)
class Fault:
    """One place at which the audit is not what was written down."""

    relation: str
    row: str
    """The row: plan and correction key, or the word's id; else which link."""
    words: str

    def __str__(self) -> str:
        return f"{self.relation}: {self.row}: {self.words}"


def append(con: duckdb.DuckDBPyConnection, relation: str, rows: str, bound: Mapping[str, Any]) -> int:
    """Append rows as one link, within the caller's transaction; returns how many.

    `rows`: a SELECT of the relation's columns, by name; `bound`: its values. No row, no link.
    """
    table = RELATIONS[relation]
    names = [_quoted(name) for name in (*table.columns, *table.moving)]
    link, before = _next(con)
    statement = (
        f"INSERT INTO ledger.sync.{relation} ({', '.join(names)}, link, seal) "
        f"SELECT {', '.join(f'r.{name}' for name in names)}, {link}, {_seal(table.digest)} FROM ({rows}) AS r"
    )
    found = con.execute(statement, dict(bound)).fetchone()
    count = int(found[0]) if found else 0
    if count:
        _link(con, relation, _digest_of(relation), {"at_link": link}, link, before)
    return count


def append_plan(con: duckdb.DuckDBPyConnection, plan_id: str) -> None:
    """Link a plan that has just been stored."""
    link, before = _next(con)
    query = (
        f"SELECT count(*), string_agg({_PLAN.digest}, '' ORDER BY r.plan_id), any_value(r.plan_id ORDER BY r.plan_id) "
        "FROM ledger.sync.plans AS r WHERE r.plan_id = $plan_id"
    )
    _link(con, "plans", query, {"plan_id": plan_id}, link, before)


def seal_older(con: duckdb.DuckDBPyConnection) -> None:
    """Link what an older version had stored, as it is found; once, by the migration that made the chain."""
    for (plan_id,) in con.execute("SELECT plan_id FROM ledger.sync.plans ORDER BY created_at, plan_id").fetchall():
        append_plan(con, plan_id)
    for relation, table in RELATIONS.items():
        link, before = _next(con)
        con.execute(f"UPDATE ledger.sync.{relation} AS r SET link = {link}, seal = {_seal(table.digest)}")
        if con.execute(f"SELECT 1 FROM ledger.sync.{relation} LIMIT 1").fetchone() is not None:
            _link(con, relation, _digest_of(relation), {"at_link": link}, link, before)


def faults(con: duckdb.DuckDBPyConnection, plans: Sequence[str] | None = None) -> list[Fault]:
    """What is not as it was written down: of these plans, or of all; the chain itself is always gone through."""
    found = [
        Fault("chain", f"link {link}", "it does not follow from the link before it")
        for (link,) in con.execute(_BROKEN).fetchall()
    ]
    found += _plan_faults(con, plans)
    for relation, table in RELATIONS.items():
        found += _row_faults(con, relation, table, plans)
        found += _link_faults(con, relation, plans)
    return found


def check_audit(con: duckdb.DuckDBPyConnection, plans: Sequence[str]) -> None:
    """StalePlan, naming the first rows, where what is on record of these plans has been changed."""
    found = faults(con, plans)
    if found:
        more = f", and {len(found) - 3} more" if len(found) > 3 else ""
        told = "; ".join(str(fault) for fault in found[:3])
        raise StalePlan(f"the audit is not what was written down, so nothing is sent: {told}{more}")


def _plan_faults(con: duckdb.DuckDBPyConnection, plans: Sequence[str] | None) -> list[Fault]:
    query = (
        f"SELECT coalesce(k.plan_id, p.plan_id), k.plan_id IS NULL, p.plan_id IS NULL FROM (SELECT r.plan_id, "
        f"sha256({_PLAN.digest}) AS digest FROM ledger.sync.plans AS r WHERE {_OF_PLANS.format(alias='r')}) AS p "
        "FULL JOIN (SELECT c.plan_id, arg_max(c.digest, c.link) AS digest FROM ledger.sync.chain AS c "
        f"WHERE c.relation = 'plans' AND {_OF_PLANS.format(alias='c')} GROUP BY c.plan_id) AS k "
        "ON k.plan_id = p.plan_id WHERE p.digest IS DISTINCT FROM k.digest ORDER BY ALL"
    )
    rows = con.execute(query, {"plans": None if plans is None else list(plans)}).fetchall()
    return [
        Fault("plans", str(plan_id), _how(is_foreign=is_foreign, is_gone=is_gone))
        for plan_id, is_foreign, is_gone in rows
    ]


def _row_faults(
    con: duckdb.DuckDBPyConnection, relation: str, table: _Relation, plans: Sequence[str] | None
) -> list[Fault]:
    plan = "''" if relation == "words" else "r.plan_id"
    where = "true" if relation == "words" else _OF_PLANS.format(alias="r")
    query = (
        f"SELECT {plan}, r.{table.named}, r.link IS NULL OR r.seal IS NULL FROM ledger.sync.{relation} AS r "
        f"WHERE {where} AND (r.link IS NULL OR r.seal IS DISTINCT FROM {_seal(table.digest)}) ORDER BY ALL"
    )
    bound = {} if relation == "words" else {"plans": None if plans is None else list(plans)}
    return [
        Fault(relation, f"{plan_id} {name}".strip(), _how(is_foreign=is_foreign, is_gone=False))
        for plan_id, name, is_foreign in con.execute(query, bound).fetchall()
    ]


def _link_faults(con: duckdb.DuckDBPyConnection, relation: str, plans: Sequence[str] | None) -> list[Fault]:
    """Links whose rows are fewer, more or others than were linked: where no seal tells which."""
    table = RELATIONS[relation]
    mine, theirs = "true", "true"
    if relation != "words":
        mine = f"r.link IN (SELECT w.link FROM ledger.sync.{relation} AS w WHERE {_OF_PLANS.format(alias='w')})"
        theirs = f"({_OF_PLANS.format(alias='c')} OR c.link IN (SELECT w.link FROM ledger.sync.{relation} AS w "
        theirs += f"WHERE {_OF_PLANS.format(alias='w')}))"
    query = (
        f"SELECT coalesce(k.link, x.link), coalesce(k.row_count, 0), coalesce(x.row_count, 0) FROM (SELECT r.link, "
        f"count(*) AS row_count, sha256({_aggregate(table)}) AS digest FROM ledger.sync.{relation} AS r "
        f"WHERE r.link IS NOT NULL AND {mine} GROUP BY r.link) AS x "
        f"FULL JOIN (SELECT c.link, c.row_count, c.digest FROM ledger.sync.chain AS c WHERE c.relation = '{relation}' "
        f"AND {theirs}) AS k ON k.link = x.link "
        "WHERE x.digest IS DISTINCT FROM k.digest OR x.row_count IS DISTINCT FROM k.row_count ORDER BY ALL"
    )
    bound = {} if relation == "words" else {"plans": None if plans is None else list(plans)}
    return [
        Fault(relation, f"link {link}", f"{had} rows linked, {has} there" if had != has else "a row was changed")
        for link, had, has in con.execute(query, bound).fetchall()
    ]


def _how(*, is_foreign: bool, is_gone: bool) -> str:
    if is_gone:
        return "it was linked and is gone"
    return "it was put there by another way than trueup's" if is_foreign else "it was changed after it was linked"


def _seal(digest: str) -> str:
    return f"CAST('0x' || left({digest}, 16) AS UBIGINT)"


def _aggregate(table: _Relation) -> str:
    return f"string_agg({table.digest}, '' ORDER BY {table.digest})"


def _digest_of(relation: str) -> str:
    """Count, digests and, where all rows are of one, the plan of one link: `$at_link`."""
    plan = "NULL" if relation == "words" else "CASE WHEN min(r.plan_id) = max(r.plan_id) THEN min(r.plan_id) END"
    return (
        f"SELECT count(*), {_aggregate(RELATIONS[relation])}, {plan} FROM ledger.sync.{relation} AS r "
        "WHERE r.link = $at_link"
    )


def _next(con: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    row = con.execute(_LAST).fetchone()
    return (int(row[0]) + 1, str(row[1])) if row else (1, "")


def _link(
    con: duckdb.DuckDBPyConnection, relation: str, digests: str, bound: Mapping[str, Any], link: int, before: str
) -> None:
    hashed = _HASH.format(
        before="$before", link="$link", relation="$relation", plan_id="coalesce(d.plan_id, '')",
        row_count="d.row_count", digest="d.digest",
    )
    con.execute(
        f"INSERT INTO ledger.sync.chain SELECT $link, $relation, d.plan_id, d.row_count, d.digest, {hashed} "
        "FROM (SELECT x.row_count, sha256(x.digests) AS digest, x.plan_id "
        f"FROM ({digests}) AS x(row_count, digests, plan_id)) AS d",
        {**bound, "link": link, "relation": relation, "before": before},
    )
