"""The night's report: one self-contained HTML file that a merchandiser and a data engineer read at 7 in the morning.

Reads ledger.sync.* and observed.items; writes one file. No script, no link out, a content policy that allows none,
every value escaped, personal values masked. What the pictures show is made in `charts`, the page in `page.html`.
"""

from pipelines.report.facts import NightFacts, night_facts, plan_rows
from pipelines.report.page import write_report

__all__ = ["NightFacts", "night_facts", "plan_rows", "write_report"]
