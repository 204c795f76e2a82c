"""The report of a real night, from the snapshot it left: narrowed, dry, and then sent."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.report.facts import night_facts
from pipelines.report.page import write_report
from pipelines.report.verdict import verdict
from tests.nights.harness import Night, PlayedEstate

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]


def report(played: PlayedEstate, night_id: str, folder: Path) -> str:
    with played.copy() as con:
        return write_report(con, night_id, folder).read_text(encoding="utf-8")


def test_a_narrowed_dry_run_says_so_and_keeps_no_address(lived: PlayedEstate, copy: Copy, tmp_path: Path) -> None:
    played = copy(lived)
    address = next(c.email for c in played.scene().look().customers["shopify"].values() if c.email)
    drifted = next(
        row for row in played.truth()
        if (row.system, row.entity, row.field, row.disposition) == ("shopify", "prices", "amount", "must_push")
    )
    sku = played.store.get("shopify", "variants", drifted.vendor_id).body["sku"]
    night = played.night("sync_now", dry_run=True, systems=["shopify"], entities=["prices"], subjects=[address, sku])
    assert night.effects == []
    with played.copy() as con:
        facts = night_facts(con, night.night_id)
        (kept,) = con.execute("SELECT CAST(summary AS VARCHAR) FROM sync.nights WHERE status = 'planned'").fetchone()
    assert facts.summary["scope"] == {"systems": ["shopify"], "entities": ["prices"], "keys": 2}
    assert address not in kept
    assert verdict(facts).startswith("Dry run: nothing was written.")
    page = report(played, night.night_id, tmp_path)
    assert "narrowed to shopify; prices; 2 keys" in page
    assert "Approved by policy: would be written" in page
    assert "Approved and pushed" not in page


def test_a_whole_night_is_told_as_it_was(second: tuple[PlayedEstate, Night], tmp_path: Path) -> None:
    played, night = second
    page = report(played, night.night_id, tmp_path)
    with played.copy() as con:
        facts = night_facts(con, night.night_id)
        found = con.execute("SELECT DISTINCT unnest([phone, street]) FROM observed.customers").fetchall()
    personal = {str(value) for (value,) in found if value and len(value) > 6}
    assert len(personal) > 100
    assert "scope" not in facts.summary
    confirmed, planned = facts.total("confirmed"), facts.total("planned")
    assert 0 < confirmed < planned
    assert f"<h1>{confirmed:,} of {planned:,} differences corrected and proved" in page
    text = re.sub(r"<[^>]+>", " ", page)
    assert {value for value in personal if value in text} == set()
