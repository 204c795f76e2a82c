"""Writes the page: facts and pictures into the Jinja template, autoescaped, in one file with mode 600."""

from pathlib import Path

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from pipelines.report.charts import CLASS_COLOURS, drift_chart, trend_chart
from pipelines.report.facts import NightFacts, night_facts
from pipelines.report.mask import PERSONAL_ENTITIES, shown

COUNTS = ("planned", "new", "approved", "held", "refused", "not_writable", "pushed", "confirmed", "unproved")
SECTIONS = (
    ("hold", "Held: waiting for a person"),
    ("refuse", "Refused by a guard"),
    ("not_writable", "Cannot be written: a work list"),
    ("approve", "Approved and pushed"),
)


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
    environment.globals["shown"] = shown
    return environment.get_template("page.html").render(
        facts=facts,
        sections=[(key, title, [row for row in facts.rows if row["disposition"] == key]) for key, title in SECTIONS],
        totals={
            name: sum(int(row[name]) for row in facts.flow)
            for name in COUNTS
        },
        verdict=verdict(facts),
        colours=CLASS_COLOURS,
        drift_svg=Markup(drift_chart(facts.drift)),  # noqa: S704 (made here from counts and fixed names)
        trend_svg=Markup(trend_chart(facts.trend)),  # noqa: S704
        label=_label,
    )


def verdict(facts: NightFacts) -> str:
    """One sentence that says how the night ended."""
    partial = sorted({row["system"] for row in facts.reads if not row["is_complete"]})
    waiting = facts.total("held")
    if partial:
        return f"Partial night: {', '.join(partial)} not read completely; nothing that depends on it was changed."
    if facts.total("unproved"):
        return f"{facts.total('unproved')} written values could not be proved; they are read again next night."
    if not facts.total("planned"):
        return "All systems agree. Nothing was planned."
    if waiting:
        return f"The systems agree, but for {waiting} values that wait for a person."
    return "The systems agree again: every approved value was written and read back."


def _label(row: dict[str, object]) -> str:
    """What the row is about; persons only by the vendor's id."""
    if row["entity"] in PERSONAL_ENTITIES:
        return str(row["vendor_id"])
    title = row["title"] or row["vendor_id"]
    place = row["subject_sub_id"]
    return f"{title} · {place}" if place else str(title)
