"""The report page: facts in, one safe and self-contained file out."""

import re

import pytest
from markupsafe import escape

from pipelines.report.mask import shown
from pipelines.report.page import render
from tests.report.night import AS_OF, HOSTILE, facts, flow, rich_night, row, unsent


def test_page_shows_before_and_after_in_major_units():
    page = render(facts())
    assert "12.99 EUR" in page and "11.99 EUR" in page
    assert "The systems agree again" in page


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_names_stay_text(title):
    page = render(facts(rows=[row(title=title, reason=title, sku=title, vendor_id=title)]))
    assert "<script" not in page
    assert "<img" not in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize("name", ["prices.t.2026-06-14.1-main.0a.csv", *HOSTILE])
def test_what_is_not_wanted_any_more_is_told_by_its_file(name):
    told = {"system": "files", "entity": "prices", "field": "amount", "asked_at": AS_OF, "row_count": 3}
    page = render(facts(unwanted=[told | {"request": name}]))
    assert '<h2 id="unwanted">' in page and '<a href="#unwanted">' in page
    assert f'<td class="free wide">{escape(name)}</td>' in page
    assert 'id="unwanted"' not in render(facts())


def test_personal_values_are_masked_in_all_three_trees():
    page = render(facts(rows=[row(
        entity="customers", field="last_name", observed="Lefèvre", desired="Lefebvre", base="Lefeuvre", title=None,
        sku=None, currency=None,
    )]))
    assert not {name for name in ("Lefèvre", "Lefebvre", "Lefeuvre") if name in page}
    assert page.count("L•••") >= 3
    assert "another value" in page or "differs in 2 characters" in page


def test_values_that_mask_to_the_same_text_are_told_apart():
    page = render(facts(rows=[unsent("hold", entity="customers", field="first_name", observed="Samel",
                                     desired="Samuel", base="Samuel", vendor_id="gid://shopify/Customer/60")]))
    assert "differs in 1 character" in page
    assert "trueup why gid://shopify/Customer/60" in page


def test_page_is_one_file_that_loads_nothing_and_runs_nothing():
    page = render(rich_night(12))
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    assert not re.search(r"<script|<link(?! rel=\"icon\" href=\"data:,\")|<iframe|@import|url\(\s*['\"]?http", page)
    assert not re.search(r"\son\w+=", re.sub(r">[^<]*<", "><", page))


def test_ids_are_unique_and_every_link_of_the_contents_leads_somewhere():
    page = render(rich_night(12))
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]+)"', re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL))
    assert {"proved", "hold", "observe", "answered", "approve", "drift", "trend", "quarantine", "read"} <= set(links)
    assert set(links) <= set(ids)


def test_what_was_proved_is_told_by_system_and_entity_with_what_is_not_by_cause():
    page = render(facts(flow=[
        flow(confirmed=7, unproved=2), flow(system="hubspot", entity="stock", untaken=3, waiting=4, unpushed=5),
    ]))
    text = " ".join(re.sub(r"<[^>]+>", " ", page[page.index('id="proved"'):]).split())
    assert "wait for a person approved, not pushed not proved yet not taken re-read at" in text
    assert "shopify prices 9 9 7 · · 2 · 02:00 UTC" in text
    assert "hubspot stock 12 · · 4 5 · 3" in text


def test_calls_stand_against_the_least_possible():
    page = render(rich_night(12))
    text = " ".join(re.sub(r"<[^>]+>", " ", page[page.index("API calls"):]).split())
    assert "square 82 81 1,295 27 3 61.2 s" in text


def test_a_night_without_anything_still_makes_a_page():
    page = render(facts(flow=[], rows=[], drift=[], reads=[], status="failed"))
    assert "The night failed. Nothing was written." in page
    assert "<svg" not in page


def test_risk_base_and_tax_basis_are_shown():
    page = render(facts(rows=[unsent("hold", risk="high", base="1350", tax_basis="net")], flow=[flow(waiting=1)]))
    assert '<span class="level high">high</span>' in page
    assert "13.50 EUR" in page
    assert "net · −7.7 %" in page


def test_money_has_its_currency_and_yen_no_decimals():
    assert shown("prices", "amount", "980", "JPY") == "980 JPY"
    assert shown("prices", "amount", None, "EUR") == "∅"
