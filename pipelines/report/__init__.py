"""The night's report: one self-contained HTML file that a merchandiser and a data engineer read at 7 in the morning.

Reads ledger.sync.* and observed.items; writes one file. No script, no link out, a content policy that allows none,
every value escaped, personal values masked. What the pictures show is made in `charts`, the page in `page.html`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.report.facts import NightFacts, night_facts, plan_rows
    from pipelines.report.page import write_report

__all__ = ["NightFacts", "night_facts", "plan_rows", "write_report"]


def __getattr__(name: str) -> Any:
    """Each at first use: `mask` is asked for by commands that have no time to import the page's template engine."""
    from pipelines.report import facts

    if name == "write_report":
        from pipelines.report.page import write_report

        return write_report
    if name in __all__:
        return getattr(facts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
