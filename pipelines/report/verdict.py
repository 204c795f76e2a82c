"""How the night ended, in words: the headline and the sentences under it, from the night's status and counts alone.

"Agree" is only said where every planned value is confirmed, or nothing differs and everything was read whole. No
stage; reads `NightFacts`, writes nothing.
"""

from pipelines.report.facts import NightFacts

STATES = (
    ("unproved", "written, but not proved yet: read again next night"),
    ("untaken", "not taken by the system, or stopped: planned anew next night"),
    ("unpushed", "approved, not pushed"),
    ("waiting", "waiting for a person"),
    ("refused", "refused by a guard"),
    ("not_writable", "cannot be written: a work list for people"),
    ("observed", "observed only: their systems are not live"),
    ("answered", "pinned or rejected by a person"),
)
"""Where a planned value stands that is not confirmed: the column of the flow, and what it means."""


def verdict(facts: NightFacts) -> str:
    """The headline, decided by the night's status first."""
    planned, pushed, confirmed = (facts.total(name) for name in ("planned", "pushed", "confirmed"))
    if facts.status == "failed":
        return f"The night failed. {_before(pushed, confirmed)}"
    if facts.status == "running":
        return f"The night has not ended. {_before(pushed, confirmed)}"
    if facts.status == "planned" and not _was_sent(facts):
        return f"Dry run: nothing was written. {_would(facts)}"
    if facts.status == "unarmed" and not _was_sent(facts):
        return f"Planned and not armed: nothing was written. {_would(facts)}"
    unread = unread_systems(facts)
    if facts.status == "partial" or unread:
        if not unread and (words := _not_whole(facts)):
            return f"Partial night: {words}."
        names = ", ".join(unread) or "some of it"
        return f"Partial night: {names} not read completely, and nothing that depends on it was changed."
    if not planned:
        return _nothing_differs(facts)
    if confirmed == planned:
        return f"{_subject(facts)} again: {_count(planned)} written and read back."
    if facts.total("observed") == planned:
        return f"Nothing was written: {_count(planned)} found in systems that are only observed."
    return _in_part(facts, planned, confirmed)


def sentences(facts: NightFacts) -> list[str]:
    """What the headline leaves out: the kind of run, its scope, how many differences are new, where the rest stands."""
    planned, new = facts.total("planned"), facts.total("new")
    told = []
    if facts.kind == "adopt":
        told.append("First night: what was equal became the base, the rest was resolved by source of truth.")
    if words := scope(facts):
        told.append(f"This run was narrowed to {words}; only opt-outs were planned beyond that.")
    if unarmed := facts.summary.get("unarmed"):
        told.append(f"{_count(int(unarmed['rows']), 'row')} may go by policy and are not armed: {unarmed['reason']}.")
    if old := facts.summary.get("too_old"):
        told.append(f"{_count(int(old['rows']), 'row')} may go by policy and were kept back: {old['reason']}.")
    if planned:
        told.append(f"{_count(planned)} in all, {new:,} of them new.")
    left = [f"{facts.total(name):,} {words}" for name, words in standing(facts) if facts.total(name)]
    if left:
        told.append("Not in agreement: " + "; ".join(left) + ".")
    if late := _unwanted(facts):
        told.append(f"{_count(late, 'value')} asked for earlier and not wanted any more may still be imported.")
    if facts.status in ("partial", "failed") and facts.total("confirmed"):
        told.append(f"{_count(facts.total('confirmed'))} written and read back all the same.")
    return told


def standing(facts: NightFacts) -> list[tuple[str, str]]:
    """`STATES`, in the words of this night: a dry run's approved values are not late, they would be written."""
    is_dry = is_dry_run(facts)
    return [(name, "would be written" if is_dry and name == "unpushed" else words) for name, words in STATES]


def is_dry_run(facts: NightFacts) -> bool:
    """Whether this run planned only, and nobody has pushed its plan since."""
    return facts.status == "planned" and not _was_sent(facts)


def unread_systems(facts: NightFacts) -> list[str]:
    """Systems that were not read whole, by the reads and by what the run wrote down."""
    by_read = {str(row["system"]) for row in facts.reads if not row["is_complete"]}
    return sorted(by_read | {str(row["system"]) for row in facts.summary.get("unread", ())})


def _not_whole(facts: NightFacts) -> str:
    """Why a night that read everything is not whole, in words; '' where that is not known."""
    if facts.summary.get("too_old"):
        return "the ledger is older than what was written, so nothing but opt-outs went out"
    if given_up := facts.summary.get("parked"):
        values = _count(sum(given_up.values()), "value")
        return f"{values} of {', '.join(sorted(given_up))} had been refused as often as may be, and wait for a person"
    return ""


def scope(facts: NightFacts) -> str:
    """What a narrowed run was asked to correct, in words; empty for a whole night, or where it is not known.

    Keys may be e-mail addresses: they are counted, not named.
    """
    asked = facts.summary.get("scope") or {}
    told = [", ".join(asked[name]) for name in ("systems", "entities") if asked.get(name)]
    if keys := asked.get("keys"):
        told.append("1 key" if keys == 1 else f"{keys:,} keys")
    return "; ".join(told)


def _was_sent(facts: NightFacts) -> bool:
    return any(facts.total(name) for name in ("pushed", "confirmed", "unproved", "untaken"))


def _before(pushed: int, confirmed: int) -> str:
    if not pushed:
        return "Nothing was written."
    return f"{_count(pushed, 'value')} had been written by then, {confirmed:,} of them read back."


def _would(facts: NightFacts) -> str:
    if not facts.total("planned"):
        return "Nothing differs in what was read."
    waiting = facts.total("waiting")
    rest = f", {waiting:,} would wait for a person" if waiting else ""
    return f"{_count(facts.total('unpushed'), 'value')} would be corrected{rest}."


def _nothing_differs(facts: NightFacts) -> str:
    if not facts.reads:
        return "Nothing was planned, and no read of this night is on record."
    kept_out = sum(int(row["row_count"]) for row in facts.quarantine)
    if late := _unwanted(facts):
        words = "asked for earlier and not wanted any more may be imported"
        return f"Nothing differs, but {_count(late, 'value')} {words}."
    if kept_out:
        return f"{_subject(facts)}, but for {_count(kept_out, 'row')} in quarantine that nobody could compare."
    return f"{_subject(facts)}: nothing differs."


def _unwanted(facts: NightFacts) -> int:
    return sum(int(row["row_count"]) for row in facts.unwanted)


def _subject(facts: NightFacts) -> str:
    return "Within its scope the systems agree" if scope(facts) else "The systems agree"


def _in_part(facts: NightFacts, planned: int, confirmed: int) -> str:
    waiting, unproved = facts.total("waiting"), facts.total("unproved")
    if not _was_sent(facts):
        rest = f", {waiting:,} of them wait for a person" if waiting else ""
        return f"Nothing was written: {_count(planned)} stand{rest}."
    done = f"{confirmed:,} of {_count(planned)} corrected and proved"
    if unproved:
        return f"{done}; {_count(unproved, 'written value')} could not be proved yet."
    return f"{done}; {waiting:,} wait for a person." if waiting else f"{done}; {planned - confirmed:,} remain."


def _count(number: int, noun: str = "difference") -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
