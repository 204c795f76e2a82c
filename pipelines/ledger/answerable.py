"""Which answers a planned row can take: asked when one is dropped, of the snapshot, and again when it is imported.

An answer that nothing would ever obey is refused, with what to do instead. Reads `ledger.*`, writes nothing.
"""

import duckdb

from pipelines.errors import DataError
from pipelines.model import ROLLBACK, UNMERGE

_ROW = """
SELECT c.system, c.entity, c.field, c.drift_class, c.authority, c.rule, c.observed, c.disposition,
  c.disposition_reason, c.approver, o.status, v.status
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
LEFT JOIN (
  SELECT x.plan_id, x.correction_key, arg_max(x.status, x."at") AS status FROM ledger.sync.outcomes AS x
  GROUP BY x.plan_id, x.correction_key) AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
LEFT JOIN (
  SELECT x.plan_id, x.correction_key, arg_max(x.status, x."at") AS status FROM ledger.sync.verifications AS x
  GROUP BY x.plan_id, x.correction_key) AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
WHERE c.correction_key = ?
ORDER BY p.created_at DESC, p.plan_id DESC LIMIT 1
"""


def check_answer(con: duckdb.DuckDBPyConnection, key: str, kind: str) -> None:
    """DataError with the cure, where the newest plan that holds this row could not obey such an answer."""
    row = con.execute(_ROW, [key]).fetchone()
    if row is None:
        raise DataError("no plan holds this correction", key=key)
    system, entity, field, drift_class, authority, rule, observed, disposition, reason, approver, outcome, proof = row
    if drift_class == "lower":
        raise DataError("an opt-out needs no answer and takes none", key=key)
    if disposition == "refuse":
        words = f"a guard or the policy refuses this correction ({reason}); only the policy file can change that"
        raise DataError(words, key=key)
    if outcome == "applied" and proof not in ("overwritten", "unconfirmed"):
        raise DataError(f"{system} has been written already; `trueup why` says when", key=key)
    if kind == "accept-theirs":
        _check_theirs(key, system, entity, field, authority, rule, observed)
    elif disposition == "not_writable":
        raise DataError(f"{reason} Change it in {system} by hand, or `trueup accept-theirs`", key=key)
    elif disposition == "observe":
        raise DataError(f"{reason} Open {entity} of {system} in estate.toml first, or `trueup accept-theirs`", key=key)
    elif kind == "approve" and disposition == "approve":
        whose = "the policy" if approver == "policy" else str(approver)
        raise DataError(f"{whose} has approved it already; the next night pushes it, nothing is to be done", key=key)


def _check_theirs(
    key: str, system: str, entity: str, field: str, authority: str | None, rule: str, observed: str | None
) -> None:
    """accept-theirs needs a source of truth that can be told of the edit (`plan/main_accepted.sql`)."""
    if rule == UNMERGE:
        words = "this takes back what trueup had written for another person; approve, reject or pin it"
    elif rule == ROLLBACK:
        words = "this takes back what trueup had written; reject it, and it stays as it is"
    elif authority is None or (authority == system and entity != "consents"):
        words = f"the edited value is that of {system}, the source of truth itself; approve, reject or pin it"
    elif entity == "prices" and field != "amount":
        words = f"{authority} has no {field} of its own to take the edit; approve, reject or pin it"
    elif entity == "prices" and rule != "source of truth":
        made = f"{system}'s price is made from {authority}'s by a rule ({rule})"
        words = f"{made}, so the edit is no price that {authority} could take; approve, reject or pin it"
    elif entity == "consents" and observed != "no":
        words = "only a no can be accepted as the truth of a permission; reject or pin it"
    else:
        return
    raise DataError(words, key=key)
