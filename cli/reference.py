"""Writes docs/reference.md from the code: `python -m cli.reference`, or `make docs`.

Belongs here: what a reader looks up and nobody should keep up by hand: channels, write abilities, compared fields,
drift classes, checks, jobs, commands, environment. A test holds the committed file to what this makes. Explanations
belong in docs/lifecycle.md and README.md.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from cli.home import ROOT
from cli.markdown import prose, table
from cli.reference_prices import guard, rounding
from pipelines.channels import CHANNELS
from pipelines.channels.base import Ability, Channel, Endpoint
from pipelines.check import declared_checks
from pipelines.model import DriftClass
from pipelines.policy import FIELDS, Cap, FieldPolicy, Policy, read_policy
from pipelines.policy_words import COMES_WITH

TARGET = ROOT / "docs" / "reference.md"
HEAD = """# Reference

Made from the code by `make docs`; do not edit. The words are those of [naming.md](naming.md), the way of one value is
[lifecycle.md](lifecycle.md)."""
RUNGS = {
    1: "compare-and-set on a value or version",
    2: "idempotency key",
    3: "read, check, write",
    4: "blind absolute write, for mirrors alone",
    0: "not writable: reported, never faked",
}
CLASSES = {
    DriftClass.NEVER_AGREED: "there is no base: these two never agreed",
    DriftClass.HERE: "the target's value moved away from the base, nobody else's did",
    DriftClass.ELSEWHERE: "the target is where it was, the source of truth moved",
    DriftClass.BOTH: "the target and the source of truth moved",
    DriftClass.RULE: "nobody moved, but what ought to be did: a promotion's date, a safety stock, a policy",
    DriftClass.EXPLAINED: "stock: known sales, returns and counts account for every unit",
    DriftClass.UNEXPLAINED: "stock: units came or went without a movement",
    DriftClass.LOWER: "consent: a permission is taken away",
    DriftClass.RAISE_WITH_PROOF: "consent: a later double opt-in, proven, stands against a no; raised by hand",
    DriftClass.RAISE_WITHOUT_PROOF: "consent: a yes without proof stands against a no",
}
EXITS = {
    0: "done", 1: "a run failed, or the judge found another outcome", 2: "a setting or a file is wrong",
    3: "another run is writing", 4: "a system was not read whole; the others were",
    5: "a lane is planned and not armed: nothing of it was written",
}
_VARIABLE = re.compile(r"^    ([A-Z]+_[A-Z_]+|TRUEUP_<SYSTEM>_URL)\s{2,}(.+)$", re.MULTILINE)


def main() -> None:
    """Write the file."""
    TARGET.write_text(reference(), encoding="utf-8")


def reference() -> str:
    """The whole document."""
    policy = read_policy()
    parts = (
        [HEAD], _channels(), _ladder(), rounding(), _fields(policy), _decisions(policy), _checks(), _jobs(),
        _commands(), _environment(),
    )
    return "\n\n".join(block for part in parts for block in part) + "\n"


def _channels() -> Iterator[str]:
    yield "## Channels"
    yield prose(
        "What is read of each system, and into which raw table. A night reads what changed since the last "
        "one, with an overlap, where the vendor can tell; else, and once a week, everything. A dash: all in "
        "one answer or file, or pages that overlap, so that no size of a page says how many calls are the "
        "least."
    )
    for channel in CHANNELS:
        yield f"### {channel.title}"
        scopes = ", ".join(f"`{scope}`" for scope in sorted(channel.needed_scopes)) or "none: the vendor has none"
        missed = [f"`{scope}`, for {words}" for scope, words in channel.optional_scopes.items() if words]
        scopes += "".join(f"; better with {words}" for words in missed)
        secrets = ", ".join(f"`{name}`" for name in channel.secrets) or "none that is always needed"
        yield f"Secrets: {secrets}. Scopes: {scopes}."
        yield table(
            ("raw table", "feeds", "nightly", "rows a call (all · changed)"),
            (
                (f"`raw_{channel.name}.{read.name}`", ", ".join(read.entities), _nightly(read), _pages(read))
                for read in channel.endpoints
            ),
        )


def _nightly(endpoint: Endpoint) -> str:
    return f"changes, {endpoint.overlap.seconds // 60} min overlap" if endpoint.has_delta else "all"


def _pages(endpoint: Endpoint) -> str:
    sizes = (endpoint.census_page, endpoint.delta_page) if endpoint.has_delta else (endpoint.census_page,)
    return " · ".join(f"{size:,}" if size else "–" for size in sizes)


def _ladder() -> Iterator[str]:
    yield "## Write-safety ladder"
    yield "The best that each system offers, per field. Empty: the system has no such field."
    yield table(("rung", "means"), ((str(rung), words) for rung, words in RUNGS.items()))
    found = {(a.entity, a.field, c.name): a for c in CHANNELS for a in c.abilities}
    yield table(
        ("field", *(channel.title for channel in CHANNELS)),
        (
            (f"`{key}`", *(_rungs(found.get((*key.split("."), channel.name))) for channel in CHANNELS))
            for key in FIELDS
        ),
    )
    yield table(
        ("system", "fields", "how", "rows a call", "calls at once"),
        (
            (channel.title, ", ".join(f"`{w.entity}.{name}`" for name in sorted(w.fields)),
             "; ".join(_notes(channel, w.entity, w.fields)), f"{w.batch_max:,}", str(w.max_in_flight))
            for channel in CHANNELS
            for w in channel.writers
        ),
    )
    yield table(
        ("system", "cannot be written", "why"),
        (
            (channel.title, f"`{ability.entity}.{ability.field}`", ability.note)
            for channel in CHANNELS
            for ability in channel.abilities
            if ability.rungs == (0,)
        ),
    )


def _rungs(ability: Ability | None) -> str:
    return " + ".join(str(rung) for rung in ability.rungs) if ability else ""


def _notes(channel: Channel, entity: str, fields: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(a.note for a in channel.abilities if a.entity == entity and a.field in fields))


def _fields(policy: Policy) -> Iterator[str]:
    yield "## Compared fields"
    yield prose(
        "From `pipelines/policy.toml`; your own policy file and the estate's `[policy]` are laid over it. The "
        "source of truth is the first system; the next stand in where it holds no value, never where it could "
        "not be read. Caps: with more approved rows than the share of the rows observed (the floor, where that "
        "is more), or than the most, all rows of that system and field wait for a person."
    )
    writes = {(c.name, w.entity, name) for c in CHANNELS for w in c.writers for name in w.fields}
    yield table(
        ("field", "source of truth", "compared in", "corrected in", "tolerance", "edit by hand", "caps", "guards"),
        (
            (
                f"`{key}`",
                _source_of_truth(key, rules),
                ", ".join(rules.targets),
                ", ".join(name for name in rules.targets if (name, *key.split(".")) in writes),
                str(rules.tolerance),
                "pushed back" if rules.enforce else "held",
                _cap(policy, key),
                guard(policy.guards.get(key), key),
            )
            for key, rules in policy.fields.items()
        ),
    )


_SOURCES = {
    "stock": "each location's authority (estate)",
    "consents": "no vote: all that was said, a no first",
}


def _source_of_truth(key: str, rules: FieldPolicy) -> str:
    if key in COMES_WITH:
        return f"as `{COMES_WITH[key]}`"
    return " › ".join(rules.sources) or _SOURCES[key.split(".")[0]]


def _cap(policy: Policy, key: str) -> str:
    merged: dict[str, float] = {}
    for level in ("default", key.split(".")[0], key):
        merged |= policy.caps.get(level, Cap()).model_dump(exclude_none=True)
    if key == "consents.state":
        return "none: an opt-out is always obeyed"
    return f"{merged['max_share_pct']:g} %, floor {merged['floor_rows']:g}, most {merged['max_rows']:g}"


def _decisions(policy: Policy) -> Iterator[str]:
    yield "## Drift classes and what policy does with them"
    yield prose(
        "`approve`: pushed under caps. `hold`: waits for `approve`, `reject`, `accept-theirs` or `pin`. "
        "`refuse`: never pushed, whoever asks. A field with `enforce` approves `here`."
    )
    default = policy.decisions.get("default", {})
    yield table(
        ("class", "when", "default", "but"),
        (
            (f"`{name}`", words, default.get(name, "hold"), ", ".join(
                f"`{key}`: {actions[name]}"
                for key, actions in policy.decisions.items() if key != "default" and name in actions
            ))
            for name, words in CLASSES.items()
        ),
    )
    yield prose(
        f"On the first night everything that differs is `never_agreed`: {policy.adopt.never_agreed}, unless "
        "the estate says otherwise under `[policy.adopt]`."
    )


def _checks() -> Iterator[str]:
    yield "## Checks"
    yield prose(
        "Checks of `plan.decided` look at the draft of the plan, before it is sealed and approved; all others at "
        "tonight's tables. A failed warning is shown. A failed blocking check stops the push of what it covers, by "
        "system and entity, and the night goes on: what it covers is held, and nobody can release it tonight. A "
        "failed fatal check stops everything: no plan is sealed and the run fails. An opt-out is held by no check "
        "of the plan. Great Expectations suites lie in `pipelines/check/expectations.toml`; the others are SELECTs "
        "of the offending rows beside it."
    )
    yield table(
        ("check", "of", "severity", "what must hold", "its failure stops", "by"),
        (
            (f"`{check.name}`", f"`{check.table}`", check.severity, check.description, check.stops,
             f"`{check.expectation}`" if check.expectation else "SQL")
            for check in declared_checks()
        ),
    )


def _jobs() -> Iterator[str]:
    from assets.jobs import JOBS
    from assets.schedules import SCHEDULES

    when = {str(schedule.job_name): f"`{schedule.cron_schedule}`" for schedule in SCHEDULES}
    yield "## Jobs"
    yield "One writing run at a time. The schedule is in the estate's time zone, and off until it is switched on."
    yield table(
        ("job", "what it does", "schedule"),
        ((f"`{job.name}`", job.description or "", when.get(str(job.name), "")) for job in JOBS),
    )


def _commands() -> Iterator[str]:
    import typer

    from cli.main import app

    group = typer.main.get_command(app)
    commands = getattr(group, "commands", {})
    yield "## Commands"
    yield "`trueup COMMAND --help` says the same."
    yield table(
        ("command", "what it does", "takes"),
        (
            (f"`trueup {name}`", command.help.split("\b")[0].strip(), "; ".join(_takes(command)))
            for name, command in commands.items()
        ),
    )
    yield table(("exit code", "means"), ((str(code), words) for code, words in EXITS.items()))


def _takes(command: Any) -> Iterator[str]:
    """Each parameter and what it is; of arguments the command's own help says it, a line each."""
    told = dict(re.findall(r"^\s*([A-Z]+)\s\s+(.+)$", command.help.partition("\b")[2], re.MULTILINE))
    for parameter in command.params:
        name = str(parameter.name).upper()
        is_argument = parameter.param_type_name == "argument"
        yield f"{name}: {told[name]}" if is_argument else f"`{parameter.opts[0]}` {(parameter.help or '').rstrip('.')}"


def _environment() -> Iterator[str]:
    from resources import settings

    yield "## Environment"
    yield "Read once, in `resources/settings.py`. What is missing stops with its name."
    rows = [(f"`{name}`", words) for name, words in _VARIABLE.findall(settings.__doc__ or "")]
    rows += [(f"`{name}`", f"credential of {channel.title}") for channel in CHANNELS for name in channel.secrets]
    rows += [
        ("`SEED`, `VARIANTS`, `PERSONS`, `SHOPS`", "of a new sandbox world; `make clean` forgets the old one"),
        ("`DAGSTER_HOME`", "set by `trueup` to the folder dagster under TRUEUP_HOME"),
        ("`REQUIRE_SHARED`", "1: tests that need the vendors' descriptions fail without them instead of being skipped"),
    ]
    yield table(("variable", "what it is"), rows)


if __name__ == "__main__":
    main()
