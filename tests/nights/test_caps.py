"""A day on which far too much changed: the cap holds all of it, and says so."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli.summary import show
from sandbox.world.settings import WorldSettings
from tests.nights.harness import PlayedEstate, told

pytestmark = pytest.mark.night


def test_too_many_corrections_are_held_and_none_is_written(tmp_path: Path) -> None:
    played = PlayedEstate.made(tmp_path / "estate", WorldSettings(5, variants=220, persons=120, shops=2, over_cap=True))
    played.night("adopt")
    held = {row.key for row in played.day() if row.note.endswith("cap")}
    assert len(held) > 50
    night = played.night()
    verdict = played.judge()
    assert verdict.is_passed, told(verdict)
    capped = {
        (r["system"], r["entity"], r["field"], r["vendor_id"], r["vendor_sub_id"]): r for r in night.rows
        if r["disposition_reason"].startswith("cap: ")
    }
    assert held <= capped.keys()
    assert {row["disposition"] for row in capped.values()} == {"hold"}
    groups = {key[:3] for key in capped}
    assert ("shopify", "prices", "amount") in groups
    written = {(effect["vendor"], effect["kind"], effect["field"]) for effect in night.effects}
    assert not written & groups
    assert night.written == {"square", "shopify", "hubspot", "mailchimp"}, "other groups, and all opt-outs, go on"
    summary = played.summary()
    causes = [row["cause"] for row in summary.facts.remaining if row["system"] == "shopify"]
    assert any(cause.startswith("hold: cap: ") for cause in causes)
    page = StringIO()
    show(summary, Console(file=page, width=200))
    assert "cap: " in page.getvalue()
    played.close()
