"""Stage 8 in Dagster: read back what was written, move the base, close the night, and leave its report."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.figures import verification_counts
from pipelines.report.facts import NightFacts, night_facts
from pipelines.report.verdict import verdict
from resources import steps
from resources.night import NightResource

COUNTS = ("planned", "new", "approved", "held", "refused", "not_writable", "pushed", "confirmed", "unproved")
"""Columns of the report's flow that Dagster plots."""


@dg.multi_asset(specs=specs("verify"), name="verify")
def verify(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Prove it: every written value is read again by id; what is confirmed becomes the base."""
    report = steps.verify(night.tonight, context.log).resolve()
    con, night_id = night.place.con, night.tonight.night_id
    plan_id = night.tonight.plan("main")
    figures: dict[str, Any] = {"is_dry_run": night.dry_run, "plan_id": plan_id, **verification_counts(con, plan_id)}
    context.log.info(f"the night's report: {report.as_uri()}")
    yield from materialised(con, "verify", {
        "ledger.sync.verifications": figures,
        "ledger.sync.nights": {"night_id": night_id, **_report(report, night_facts(con, night_id))},
    })


def _report(path: Path, facts: NightFacts) -> dict[str, Any]:
    """Where the report lies, twice, and what it says first.

    A browser opens no `file:` link from a page that a server gave, so the address is there to be copied as well as
    clicked, and the head figures are in Dagster itself.
    """
    return {
        "report": dg.MetadataValue.path(str(path)),
        "report_link": dg.MetadataValue.url(path.as_uri()),
        "headline": dg.MetadataValue.md(headline(facts)),
    } | {name: facts.total(name) for name in COUNTS}


def headline(facts: NightFacts) -> str:
    """The night in a sentence, and its figures by system and entity, as Markdown."""
    head = ["system", "entity", *(name.replace("_", " ") for name in COUNTS)]
    rows = [[str(row["system"]), str(row["entity"]), *(f"{int(row[name] or 0):,}" for name in COUNTS)]
            for row in facts.flow]
    rows.append(["**all**", "", *(f"**{facts.total(name):,}**" for name in COUNTS)])
    ruled = ["---", "---", *("--:" for _ in COUNTS)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in (head, ruled, *rows))
    return f"**Night {facts.night_id}: {facts.status}.** {verdict(facts)}\n\n{table}\n"
