"""Writes the page: facts and pictures into the Jinja templates, autoescaped, in one file with mode 600."""

from pathlib import Path

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pipelines.report import change
from pipelines.report.charts import backlog_charts, drift_charts, trend_charts
from pipelines.report.classes import CLASSES, look
from pipelines.report.commands import PUSH, WORKLIST, sheet
from pipelines.report.facts import NightFacts, night_facts
from pipelines.report.sections import sections
from pipelines.report.verdict import is_dry_run, sentences, verdict

CARDS = (
    ("planned", "differences", ""), ("new", "of them new", ""), ("pushed", "pushed", "good"),
    ("confirmed", "confirmed", "good"), ("waiting", "wait for a person", "warn"), ("refused", "refused", "bad"),
    ("not_writable", "not writable", ""), ("unpushed", "approved, not pushed", "warn"),
    ("unproved", "not proved yet", "bad"), ("untaken", "not taken", "bad"), ("observed", "observed only", ""),
    ("answered", "pinned or rejected", ""),
)
"""Column of the flow, its words and its tone; those after the first four are shown where there are any."""
ALWAYS = 4


def write_report(con: duckdb.DuckDBPyConnection, night_id: str, folder: Path) -> Path:
    """Write `<folder>/<night_id>/report.html` and return it. Raises ConfigurationError for an unknown night."""
    facts = night_facts(con, night_id)
    target = folder / night_id / "report.html"
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    target.write_text(render(facts), encoding="utf-8")
    target.chmod(0o600)
    return target


def render(facts: NightFacts) -> str:
    """The page as text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "words": change, "look": look, "sheet": sheet(), "push": PUSH, "is_dry": is_dry_run(facts),
    }
    cards = [(name, _carded(facts, name, words), tone) for name, words, tone in CARDS]
    return environment.get_template("page.html").render(
        facts=facts,
        verdict=verdict(facts),
        sentences=sentences(facts),
        cards=[card for place, card in enumerate(cards) if place < ALWAYS or facts.total(card[0])],
        left=[(name, words) for name, words, _ in cards[ALWAYS:] if facts.total(name)],
        calls=sorted(facts.summary.get("calls", {}).items()),
        sections=sections(facts),
        classes=[name for name in CLASSES if name in {row["drift_class"] for row in (*facts.drift, *facts.trend)}],
        drift=drift_charts(facts.drift),
        trend=trend_charts(facts.trend),
        backlog=backlog_charts(facts.backlog),
        nights=len({row["night_id"] for row in facts.trend}),
        worklist=WORKLIST,
        work_count=sum({(row["kind"], row["system"]): int(row["alike_count"]) for row in facts.worklist}.values()),
    )


def _carded(facts: NightFacts, name: str, words: str) -> str:
    return "would be written" if name == "unpushed" and is_dry_run(facts) else words
