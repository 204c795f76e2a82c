"""`trueup doctor`: what is not ready. Opens sessions, writes nothing to any system or table; imports no Dagster.

A sandbox that is not up is itself what is not ready: doctor says so, and starts nothing.
"""

from typing import TYPE_CHECKING, Any

from cli.home import is_embedded
from cli.outside import World, introduce
from cli.screen import tell_json, tell_table
from pipelines.errors import ConfigurationError
from resources.settings import Settings

if TYPE_CHECKING:
    from pipelines.doctor import Finding


def doctor(settings: Settings, *, as_json: bool) -> int:
    """Examine every system of the estate; exit code 1 where something fails."""
    findings = _findings(settings)
    if as_json:
        tell_json(findings)
    else:
        tell_table("", findings, most=None)
    return 1 if any(finding["level"] == "failure" for finding in findings) else 0


def _findings(settings: Settings) -> list[dict[str, Any]]:
    if is_embedded():
        url = World.of(settings).running()
        if url is None:
            words, cure = "it is not up, so there is nothing to examine", "`make ui` serves it; so does a `trueup sync`"
            return [{"system": "sandbox", "check": "running", "level": "failure", "detail": words, "cure": cure}]
        introduce(url)
        settings = Settings.read()
    return _examined(settings)


def _examined(settings: Settings) -> list[dict[str, Any]]:
    # Imported here: the connectors take longer than to say that there is nothing to connect to.
    import asyncio
    from dataclasses import asdict

    from pipelines.channels import CHANNELS
    from pipelines.configuration import read_file
    from pipelines.doctor import Finding, examine
    from pipelines.estate import estate_of
    from resources.channels import connect
    from resources.clock import SystemClock, clock_of_systems
    from resources.systems import known_channels

    file = read_file(settings.estate)
    estate = estate_of(file)
    urls = [settings.base_url(estate, system) for system in estate.systems]
    clock = clock_of_systems(urls) if estate.estate.clock == "systems" else SystemClock()
    sessions, findings = [], []
    for channel in known_channels(file, estate, CHANNELS):
        try:
            sessions += connect(settings, estate, [channel], clock=clock)
        except ConfigurationError as error:
            cure = "set it; docs/reference.md lists them"
            findings.append(Finding(channel.name, "credential", "failure", error.message, cure))
    findings += asyncio.run(examine(sessions, estate))
    findings += [_arming(settings), *_audit(settings)]
    return [asdict(finding) for finding in findings]


def _arming(settings: Settings) -> "Finding":
    """Whether anything is armed: without it nothing is written."""
    from cli.arming import armings_of
    from pipelines.doctor import Finding

    found = armings_of(settings)
    if counting := [each for each in found if each["state"] == "counts"]:
        told = "; ".join(f"{each['scope']}, until {each['until']:%Y-%m-%d}, by {each['by']}" for each in counting)
        return Finding("trueup", "arming", "ok", told)
    last = f"the last one: {found[-1]['state']}" if found else "there never was an arming"
    return Finding("trueup", "arming", "warning", f"nothing is armed, so nothing is written ({last})", "`trueup arm`")


def _audit(settings: Settings) -> "list[Finding]":
    """What is on record, gone through whole: the plans by their fingerprints, all else by the chain."""
    from cli.answers import copy_of
    from cli.signing import knows_words
    from pipelines.doctor import Finding
    from pipelines.ledger.audit import faults
    from pipelines.ledger.plans import changed_plans

    if not settings.snapshot.exists():
        return []
    with copy_of(settings, has_macros=True) as con:
        if not knows_words(con):
            return []
        found = [*changed_plans(con), *map(str, faults(con))]
    if not found:
        return [Finding("trueup", "audit", "ok", "every plan and every link of the chain is as it was written down")]
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    cure = "nothing of these plans is sent; docs/operations.md, The audit"
    return [Finding("trueup", "audit", "failure", "; ".join(found[:5]) + more, cure)]
