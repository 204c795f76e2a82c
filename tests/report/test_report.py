"""The report page: facts in, one safe and self-contained file out."""

from datetime import UTC, datetime

import pytest

from pipelines.report.facts import NightFacts
from pipelines.report.mask import shown
from pipelines.report.page import render, verdict

HOSTILE = ["<script>alert(1)</script>", "javascript:alert(1)", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "=1+1"]


def row(**changes):
    base = {
        "correction_key": "k" * 64, "system": "shopify", "entity": "prices", "field": "amount", "vendor_id": "v1",
        "vendor_sub_id": "base", "subject_sub_id": "eur", "currency": "EUR", "observed": "1299", "desired": "1199",
        "base": "1299", "drift_class": "elsewhere", "authority": "square", "rule": "source of truth",
        "reason": "square moved", "risk": "low", "disposition": "approve", "disposition_reason": "policy",
        "held_since": None, "is_new": True, "lane": "main", "sku": "A1", "title": "Robe", "outcome": "applied",
        "verification": "confirmed",
    }
    return base | changes


def facts(**changes):
    flow = {
        "system": "shopify", "entity": "prices", "planned": 1, "new": 1, "approved": 1, "held": 0, "refused": 0,
        "not_writable": 0, "pushed": 1, "confirmed": 1, "unproved": 0,
    }
    base = {
        "night_id": "n1", "estate": "sandbox", "kind": "nightly", "as_of": datetime(2026, 6, 15, tzinfo=UTC),
        "status": "done", "flow": [flow], "rows": [row()],
        "drift": [{"system": "shopify", "entity": "prices", "drift_class": "elsewhere", "row_count": 1}],
    }
    return NightFacts(**(base | changes))


def test_page_shows_before_and_after_in_major_units():
    page = render(facts())
    assert "12.99 EUR" in page and "11.99 EUR" in page
    assert "The systems agree again" in page


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_names_stay_text(title):
    page = render(facts(rows=[row(title=title, reason=title)]))
    assert "<script" not in page
    assert "<img" not in page
    assert "default-src 'none'" in page


def test_personal_values_are_masked():
    page = render(facts(rows=[row(entity="customers", field="last_name", observed="Lefèvre", desired="Lefebvre")]))
    assert "Lefèvre" not in page and "Lefebvre" not in page
    assert "L•••" in page


def test_page_loads_nothing_from_elsewhere():
    page = render(facts())
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    assert "<link rel=\"icon\" href=\"data:,\">" in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reads": [{"system": "square", "is_complete": False}]}, "Partial night: square"),
        ({"flow": []}, "Nothing was planned"),
    ],
)
def test_verdict_names_the_state(changes, words):
    assert words in verdict(facts(**changes))


def test_money_has_its_currency_and_yen_no_decimals():
    assert shown("prices", "amount", "980", "JPY") == "980 JPY"
    assert shown("prices", "amount", None, "EUR") == "∅"


def test_trend_needs_two_nights():
    trend = [
        {"night_id": "a", "as_of": datetime(2026, 6, 15, tzinfo=UTC), "system": "square", "row_count": 3},
        {"night_id": "b", "as_of": datetime(2026, 6, 16, tzinfo=UTC), "system": "square", "row_count": 1},
    ]
    assert "Trend" not in render(facts(trend=trend[:1]))
    assert "New drift per night" in render(facts(trend=trend))
