"""The commands of the second factor: `keygen`, `arm` and `disarm`. `cli.main` registers them. Imports no Dagster.

`arm` without `--policy-hash` signs nothing: it shows what would be armed, what has changed since the last arming, and
the line that arms it.
"""

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.leaving import leave
from cli.screen import tell, tell_json, tell_table
from pipelines.errors import DataError
from resources.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Author = Annotated[str, typer.Option("--author", help="Who says so; the name of the key's owner in estate.toml.")]
_SHORTEST = 12


def keygen(
    file: Annotated[Path, typer.Argument()],
    as_json: Json = False,
) -> None:
    """Make a private key for a person whose word counts; prints the public key, which goes into estate.toml.

    \b
    FILE  where the private key is written, readable by you alone; encrypted if TRUEUP_SIGNING_PASSPHRASE is set
    """
    from cli.signing import write_key

    def run() -> int:
        public = write_key(file, Settings.read().signing_passphrase)
        if as_json:
            tell_json({"public_key": public, "private_key_file": str(file)})
        else:
            tell(f'[approvers.your_name]\npublic_key = "{public}"\n# may_arm = true')
        return 0

    leave(run)


def arm(
    policy_hash: Annotated[
        str, typer.Option(help="The policy that is armed, as shown without this; without it nothing is armed.")
    ] = "",
    scope: Annotated[
        list[str] | None, typer.Option(
            metavar="WORDS", help="all, or lanes=, systems=, entities=, fields=, max_rows=, with commas; short=: "
            "endpoints whose shrinking is explained; repeatable."
        ),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day it holds, at most 90 days ahead.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept with the arming.")] = "",
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Let the policy's approvals count, until a day: signed with your private key; without it nothing is written."""

    def run() -> int:
        from cli.home import prepare

        found = armed(prepare(), policy_hash, scope or [], until, reason=reason, author=author)
        if as_json:
            tell_json(found)
        else:
            _tell(found)
        return 0

    leave(run)


def disarm(
    armings: Annotated[list[str] | None, typer.Argument()] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that stand.")] = False,
    reason: Annotated[str, typer.Option(help="Why; kept with it.")] = "",
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Take armings back; the next run takes it in. To stop a run that is under way: `touch STOP` in TRUEUP_HOME.

    \b
    ARMINGS  their ids, or the first 6 characters or more (`trueup status` lists them)
    """

    def run() -> int:
        from cli.home import prepare

        taken = disarmed(prepare(), armings or [], everything=everything, reason=reason, author=author)
        if as_json:
            tell_json({"disarmed": taken})
        else:
            for arming_id in taken:
                tell(f"taken back: {arming_id}")
        return 0

    leave(run)


def armed(
    settings: Settings, policy_hash: str, words: list[str], until: datetime | None, *, reason: str, author: str
) -> dict[str, Any]:
    """What is, or would be, armed; with a hash that is today's the signed word is dropped in the inbox."""
    from cli.signing import endpoints_of, policy_now, signer, time_of
    from pipelines.arming.armings import Arming
    from pipelines.arming.content import changes, hash_of
    from pipelines.arming.scope import scope_of
    from pipelines.ledger.inbox import drop

    estate, settled = policy_now(settings)
    now = hash_of(settled)
    before = _last_armed(settings)
    found: dict[str, Any] = {
        "policy_hash": now, "systems": sorted(estate.systems),
        "modes": {name: dict(system.mode) for name, system in estate.systems.items()},
        "armed_before": None if before is None else before[0],
        "changed": [
            {"setting": name, "before": old, "now": new}
            for name, old, new in (changes(before[1], settled) if before and before[1] is not None else ())
        ],
        "is_known": before is None or before[1] is not None, "arming": None,
    }
    if not policy_hash:
        return found
    if len(policy_hash) < _SHORTEST or not now.startswith(policy_hash.lower()):
        raise DataError(
            f"--policy-hash {policy_hash}: policy and estate are {now} now; look at `trueup arm`, then arm that"
        )
    if until is None or not reason.strip():
        raise DataError("an arming needs --until, a day at most 90 days ahead, and a --reason")
    scope = scope_of(words, sorted(estate.systems), endpoints_of(estate))
    own = signer(settings)
    word = Arming(
        policy_hash=now, scope=scope, until=datetime.combine(until.date(), time(23, 59), tzinfo=UTC),
        author=author or _name(own.name), reason=reason, at=time_of(settings, estate),
    )
    path = drop(settings.inbox, word, own)
    return found | {"arming": {
        "arming_id": path.stem, "scope": str(scope), "until": word.until, "author": word.author, "reason": reason,
    }}


def disarmed(settings: Settings, ids: list[str], *, everything: bool, reason: str, author: str) -> list[str]:
    """Drop the signed word that takes armings back; returns their ids."""
    from cli.signing import signer, time_of
    from pipelines.arming.armings import Disarming
    from pipelines.estate import read_estate
    from pipelines.ledger.inbox import drop

    if bool(ids) == everything:
        raise DataError("name the armings to take back, or say --all; `trueup status` lists them")
    if not reason.strip():
        raise DataError("taking an arming back needs a --reason")
    known = [each["arming_id"] for each in armings_of(settings) if each["state"] != "taken back"]
    found = known if everything else [_one(known, word) for word in ids]
    if not found:
        raise DataError("no arming stands")
    own = signer(settings)
    drop(settings.inbox, Disarming(
        arming_ids=tuple(found), author=author or _name(own.name), reason=reason,
        at=time_of(settings, read_estate(settings.estate)),
    ), own)
    return found


def armings_of(settings: Settings) -> list[dict[str, Any]]:
    """All armings, of the ledger and those that wait in the inbox, with what they are worth now."""
    from cli.answers import copy_of
    from cli.signing import knows_words, policy_now, time_of
    from pipelines.arming.armings import standing
    from pipelines.arming.content import hash_of
    from pipelines.ledger.inbox import waiting_armings
    from resources.signers import approvers_of

    estate, settled = policy_now(settings)
    found = [
        _shown(arming_id, arming, "waits in the inbox: the next run takes it in")
        for arming_id, arming in waiting_armings(settings.inbox)
    ]
    if not settings.snapshot.exists():
        return found
    with copy_of(settings) as con:
        if not knows_words(con):
            return found
        kept = standing(
            con, approvers_of(settings, estate), policy_hash=hash_of(settled), now=time_of(settings, estate)
        )
    return [*(_shown(each.arming_id, each.arming, each.fault or "counts") for each in kept), *found]


def _shown(arming_id: str, arming: Any, state: str) -> dict[str, Any]:
    return {
        "arming_id": arming_id, "by": arming.author, "scope": str(arming.scope), "until": arming.until,
        "policy": arming.policy_hash[:_SHORTEST], "state": state,
    }


def _last_armed(settings: Settings) -> tuple[str, dict[str, str] | None] | None:
    """The hash of the last arming, and its document if a night has run under it."""
    from cli.answers import copy_of
    from cli.signing import knows_words
    from pipelines.arming.armings import last_armed_hash
    from pipelines.arming.content import kept

    if not settings.snapshot.exists():
        return None
    with copy_of(settings) as con:
        if not knows_words(con) or (last := last_armed_hash(con)) is None:
            return None
        return last, kept(con, last)


def _one(known: list[str], word: str) -> str:
    fitting = [one for one in known if len(word) >= 6 and one.startswith(word.lower())]
    if len(fitting) != 1:
        raise DataError("no arming begins like this, or several do; `trueup status` lists them", key=word)
    return fitting[0]


def _name(owner: str) -> str:
    import getpass

    return owner or getpass.getuser()


def _tell(found: dict[str, Any]) -> None:
    tell(f"policy and estate  {found['policy_hash']}")
    if found["armed_before"] is None:
        tell("nothing has been armed before")
    elif not found["is_known"]:
        tell(f"armed before       {found['armed_before']}, under which no night has run: what changed is not known")
    elif found["changed"]:
        title = f"Changed since {found['armed_before'][:_SHORTEST]}, which was armed last"
        tell_table(title, found["changed"], most=None)
    else:
        tell("nothing has changed since what was armed last")
    if (arming := found["arming"]) is not None:
        tell(f"armed              {arming['scope']}")
        tell(f"until              {arming['until']:%Y-%m-%d}, by {arming['author']} (id {arming['arming_id']})")
        tell("It lies in the inbox: the next run takes it in.")
        return
    for system, modes in found["modes"].items():
        tell(f"  {system}: {', '.join(f'{entity} {mode}' for entity, mode in modes.items()) or 'only observed'}")
    tell(f"Nothing was armed. To arm it:\n  trueup arm --policy-hash {found['policy_hash'][:_SHORTEST]} --scope all "
         '--until YYYY-MM-DD --reason "…"')
