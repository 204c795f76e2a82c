"""What an arming is of: policy and estate as they decide what may be pushed, as one flat document with a hash.

The approvers themselves are left out: who may sign is not what may be written. So are addresses that the environment
puts in the place of the estate's; the shop's id is in it, and is asked for before every push.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import duckdb

from pipelines.estate import Estate
from pipelines.policy import Policy

_LEFT_OUT = {"approvers", "policy"}
"""The estate's `[policy]` is in the policy by then."""


def document(policy: Policy, estate: Estate) -> dict[str, str]:
    """Every setting as `path: value`, in order."""
    files = {
        "policy": policy.model_dump(mode="json"),
        "estate": estate.model_dump(mode="json", exclude=_LEFT_OUT),
    }
    return dict(sorted(_flat("", files)))


def hash_of(settings: Mapping[str, str]) -> str:
    """SHA-256 of a document."""
    return sha256(json.dumps(settings, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What differs: setting, value before, value after; '' where it was not there."""
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return [(name, before.get(name, ""), after.get(name, "")) for name in names]


def keep(con: duckdb.DuckDBPyConnection, settings: Mapping[str, str]) -> str:
    """Store a document under its hash, once, so that a later arming can say what changed; returns the hash."""
    policy_hash = hash_of(settings)
    con.execute(
        "INSERT INTO ledger.sync.policies SELECT ?, ? WHERE NOT EXISTS "
        "(SELECT 1 FROM ledger.sync.policies AS p WHERE p.policy_hash = ?)",
        [policy_hash, json.dumps(settings, sort_keys=True), policy_hash],
    )
    return policy_hash


def kept(con: duckdb.DuckDBPyConnection, policy_hash: str) -> dict[str, str] | None:
    """The document of a hash, if a night has run under it."""
    query = "SELECT p.settings FROM ledger.sync.policies AS p WHERE p.policy_hash = ?"
    row = con.execute(query, [policy_hash]).fetchone()
    return None if row is None else dict(json.loads(row[0]))


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, below in value.items():
            yield from _flat(f"{path}.{name}" if path else str(name), below)
    else:
        yield path, json.dumps(value, sort_keys=True, ensure_ascii=False)
