"""Armings: a person's signed word that the policy's approvals may count, of one policy, in a scope, until a day.

Every use asks anew: the signature, the key, the day, the policy's hash, and whether it has been taken back. Reads the
signed words in `ledger.sync.words`; writes nothing. Without an arming that counts nothing is approved and nothing sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import duckdb
import msgspec

from pipelines.arming.scope import Asked, Group, Scope, covered
from pipelines.arming.signing import Approvers, Signed
from pipelines.errors import DataError

LONGEST = timedelta(days=90)
LONGEST_OF_OPT_OUTS = timedelta(days=366)
"""Of an arming of the lane `suppression` alone: opt-outs are right however many there are."""
EARLY = timedelta(days=1)
"""How far a signer's clock may be ahead."""
CURE = "`trueup arm` says what would be armed and how"

_WORDS = """
SELECT w.payload, w.key_id, w.signature FROM ledger.sync.words AS w WHERE w.word = ? ORDER BY w.taken_at, w.word_id
"""


class Arming(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="word", tag="arm"):
    """Who arms what, of which policy, until when."""

    policy_hash: str
    scope: Scope
    until: datetime
    author: str
    reason: str
    at: datetime


class Disarming(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="word", tag="disarm"):
    """Armings that hold no more."""

    arming_ids: tuple[str, ...]
    author: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """One arming and why it does not count now; '' where it does."""

    arming_id: str
    arming: Arming
    fault: str


@dataclass(frozen=True, slots=True)
class Armed:
    """What may be written now, by whichever arming."""

    armings: tuple[Arming, ...] = ()
    fault: str = ""
    """Why nothing is armed, in a sentence; '' where something is."""
    asked: Asked = field(default_factory=Asked)
    only_opt_outs: str = ""
    """Why nothing but opt-outs may be written, whatever is armed (R18); '' where more may."""

    def why_not(self, lane: str) -> str:
        """Why nothing of a lane is armed, in a sentence; '' where something is."""
        return self.only_opt_outs if lane == "main" and self.only_opt_outs else self.fault

    def groups(self, lane: str, counts: Mapping[Group, int]) -> dict[Group, datetime]:
        """The groups of a plan's rows that may be written, each with the last moment at which it may."""
        if lane == "main" and self.only_opt_outs:
            return {}
        found = covered([arming.scope for arming in self.armings], lane, counts, self.asked)
        return {group: max(self.armings[place].until for place in places) for group, places in found.items()}


def believed_short(
    con: duckdb.DuckDBPyConnection, approvers: Approvers, wanted: frozenset[str], *, policy_hash: str, now: datetime
) -> frozenset[str]:
    """Which of these endpoints' short censuses count: its configuration widens no run, a signed word names them.

    All of them where nothing has ever been armed: whoever arms first has seen what came of it.
    """
    if not wanted or last_armed_hash(con) is None:
        return wanted
    counts = [each.arming for each in standing(con, approvers, policy_hash=policy_hash, now=now) if not each.fault]
    return wanted & {endpoint for arming in counts for endpoint in arming.scope.short}


def judge_arming(word: Arming | Disarming) -> None:
    """DataError where a word says too little or too much."""
    if not word.author.strip() or not word.reason.strip():
        raise DataError("an arming needs its author and a reason")
    moments = (word.at, word.until) if isinstance(word, Arming) else (word.at,)
    if any(moment.tzinfo is None for moment in moments):
        raise DataError("an arming's times carry their time zone")
    if isinstance(word, Disarming):
        if not word.arming_ids:
            raise DataError("name the armings to take back; `trueup status` lists them")
        return
    if not (word.scope.lanes and word.scope.systems and word.scope.fields):
        raise DataError("an arming without a lane, a system or a field arms nothing")
    if word.until <= word.at:
        raise DataError(f"an arming needs a day in the future until which it holds, not {word.until:%Y-%m-%d}")
    longest = LONGEST if "main" in word.scope.lanes else LONGEST_OF_OPT_OUTS
    if word.until.date() - word.at.date() > longest:
        words = f"an arming holds at most {longest.days} days, until {word.at + longest:%Y-%m-%d}"
        more = "" if longest is LONGEST_OF_OPT_OUTS else f"; one of lanes=suppression {LONGEST_OF_OPT_OUTS.days} days"
        raise DataError(words + more)


def standing(
    con: duckdb.DuckDBPyConnection, approvers: Approvers, *, policy_hash: str, now: datetime
) -> list[Standing]:
    """All armings that were ever taken in, in order, each with why it does not count."""
    back = {arming_id for signed in _signed(con, "disarm") for arming_id in _taken_back(signed)}
    found = []
    for signed in _signed(con, "arm"):
        try:
            arming = msgspec.json.decode(signed.payload, type=Arming)
        except msgspec.DecodeError:
            continue  # what cannot be read arms nothing; the audit's check names the row
        fault = "taken back" if signed.word_id in back else _fault(signed, arming, approvers, policy_hash, now)
        found.append(Standing(signed.word_id, arming, fault))
    return found


def armed(
    con: duckdb.DuckDBPyConnection, approvers: Approvers, *, policy_hash: str, now: datetime, asked: Asked
) -> Armed:
    """What may be written now by a run that was asked for this."""
    found = standing(con, approvers, policy_hash=policy_hash, now=now)
    valid = tuple(each.arming for each in found if not each.fault)
    return Armed(valid, "" if valid else _why_not(found), asked)


def last_armed_hash(con: duckdb.DuckDBPyConnection) -> str | None:
    """The policy of the youngest arming, whatever it is worth now."""
    for signed in reversed(_signed(con, "arm")):
        try:
            return msgspec.json.decode(signed.payload, type=Arming).policy_hash
        except msgspec.DecodeError:
            continue
    return None


def _why_not(found: Sequence[Standing]) -> str:
    if not found:
        return f"nothing has been armed; {CURE}"
    last = max(found, key=lambda each: (each.arming.at, each.arming_id))
    return f"the last arming, by {last.arming.author}, does not count: {last.fault}; {CURE}"


def _fault(signed: Signed, arming: Arming, approvers: Approvers, policy_hash: str, now: datetime) -> str:
    try:
        approver = approvers.check_author(signed, arming.author)
        judge_arming(arming)
    except DataError as error:
        return error.message
    if not approver.may_arm:
        return f"{approver.name} may answer held rows, not arm (may_arm in estate.toml)"
    if arming.at > now + EARLY:
        return f"it is dated {arming.at:%Y-%m-%d}, which has not come"
    if now > arming.until:
        return f"it ended on {arming.until:%Y-%m-%d}"
    if arming.policy_hash != policy_hash:
        return f"policy or estate have changed since (now {policy_hash[:12]}, armed {arming.policy_hash[:12]})"
    return ""


def _signed(con: duckdb.DuckDBPyConnection, word: str) -> list[Signed]:
    rows = con.execute(_WORDS, [word]).fetchall()
    return [Signed(payload=payload, key_id=key, signature=signature) for payload, key, signature in rows]


def _taken_back(signed: Signed) -> tuple[str, ...]:
    """Signed or not by now: what is taken back stays so, whoever's key has been withdrawn since."""
    return msgspec.json.decode(signed.payload, type=Disarming).arming_ids
