"""Answers and orders in the ledger whose signature does not hold now: kept out from here on, with the reason, listed.

Asked whenever answers are taken in, of those alone that let something go (`approve`, `accept-theirs`, an order to roll
back) while they still count: what keeps a row back stays, whoever's key has been withdrawn since. Reads
`ledger.sync.answers`, `rollbacks` and `words`, appends to `ledger.sync.void_answers`, which planner and approval leave
out.
"""

from datetime import timedelta
from typing import TypeVar

import duckdb
import msgspec

from pipelines.arming.signing import Approvers, Signed
from pipelines.clock import Clock
from pipelines.errors import DataError, StalePlan
from pipelines.ledger.audit import check_audit
from pipelines.ledger.inbox import Answer
from pipelines.ledger.plans import read_plan
from pipelines.ledger.rollbacks import Rollback

Word = TypeVar("Word", Answer, Rollback)
_OTHER = "it is another one than was signed"
_COUNTS_FOR = timedelta(days=7)
_OPEN = """
SELECT a.answer_id, a.correction_key, a.answer, a.author, a.reason, a.until, a.at, w.payload, w.key_id, w.signature
FROM ledger.sync.answers AS a
LEFT JOIN ledger.sync.words AS w ON w.word_id = a.answer_id
WHERE a.answer IN ('approve', 'accept-theirs') AND a.at > $since
  AND a.answer_id NOT IN (SELECT v.answer_id FROM ledger.sync.void_answers AS v)
ORDER BY a.at, a.answer_id
"""


_ORDERS = """
SELECT r.rollback_id, r.plan_id, r.author, r.reason, r.at, w.payload, w.key_id, w.signature
FROM ledger.sync.rollbacks AS r
LEFT JOIN ledger.sync.words AS w ON w.word_id = r.rollback_id
WHERE r.at > $since AND r.rollback_id NOT IN (SELECT v.answer_id FROM ledger.sync.void_answers AS v)
ORDER BY r.at, r.rollback_id
"""


def void_unsigned(con: duckdb.DuckDBPyConnection, approvers: Approvers, *, clock: Clock) -> list[tuple[str, str]]:
    """Void what is not signed as it stands; returns correction keys, or plans to roll back, each with the reason."""
    found = []
    for order_id, plan_id, *said in con.execute(_ORDERS, {"since": clock.now() - _COUNTS_FOR}).fetchall():
        if reason := _fault_of_order(con, approvers, str(order_id), (plan_id, *said[:3]), said[3:]):
            con.execute("INSERT INTO ledger.sync.void_answers VALUES (?, ?, ?)", [order_id, reason, clock.now()])
            found.append((str(plan_id), reason))
    for answer_id, key, *said in con.execute(_OPEN, {"since": clock.now() - _COUNTS_FOR}).fetchall():
        if reason := _fault(approvers, str(answer_id), (key, *said[:5]), said[5:]):
            con.execute("INSERT INTO ledger.sync.void_answers VALUES (?, ?, ?)", [answer_id, reason, clock.now()])
            found.append((str(key), reason))
    return found


def _fault(approvers: Approvers, answer_id: str, row: tuple[object, ...], word: list[str | None]) -> str:
    said = _said(approvers, answer_id, word, Answer)
    if isinstance(said, str):
        return said
    was = (said.correction_key, said.answer, said.author, said.reason, said.until, said.at)
    return "" if row == was else _OTHER


def _fault_of_order(
    con: duckdb.DuckDBPyConnection, approvers: Approvers, order_id: str, row: tuple[object, ...],
    word: list[str | None],
) -> str:
    said = _said(approvers, order_id, word, Rollback)
    if isinstance(said, str):
        return said
    try:  # what it undoes is read out of that plan
        read_plan(con, said.plan_id)
        check_audit(con, [said.plan_id])
    except StalePlan as error:
        return str(error)
    return "" if row == (said.plan_id, said.author, said.reason, said.at) else _OTHER


def _said(approvers: Approvers, word_id: str, word: list[str | None], kind: type[Word]) -> Word | str:
    """What was signed, or why that does not count."""
    payload, key_id, signature = word
    if payload is None or key_id is None or signature is None:
        return "it is not signed (an older version had taken it): answer anew"
    signed = Signed(payload=payload, key_id=key_id, signature=signature)
    try:
        found = msgspec.json.decode(payload, type=kind)
        approvers.check_author(signed, found.author)
    except (DataError, msgspec.DecodeError) as error:
        return str(error)
    return found if signed.word_id == word_id else _OTHER


def voided(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """All that were voided while they counted: correction key, or plan to roll back, and reason."""
    rows = con.execute(
        "SELECT a.correction_key, v.reason FROM ledger.sync.void_answers AS v "
        "JOIN (SELECT x.answer_id, x.correction_key FROM ledger.sync.answers AS x "
        "UNION ALL SELECT r.rollback_id, r.plan_id FROM ledger.sync.rollbacks AS r) AS a ON a.answer_id = v.answer_id "
        "ORDER BY v.at, a.correction_key"
    ).fetchall()
    return [(str(key), str(reason)) for key, reason in rows]
