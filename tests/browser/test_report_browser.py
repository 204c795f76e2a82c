"""The report in a real headless Chromium: it renders, its console is silent, hostile names stay text, and a night of
hundreds of rows can be read on a phone, a tablet and a desk."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.report.page import render
from tests.report.night import HOSTILE, facts, flow, rich_night, unsent

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTHS = (390, 768, 1024, 1400)
TALLEST = {390: 20_000, 768: 14_000, 1024: 12_000, 1400: 12_000}
"""Pixels of a whole page as it opens, for hundreds of rows: long groups are a click away."""
_BROKEN_WORDS = """() => {
  const cells = document.querySelectorAll(
    "th, h1, h2, h3, .k, .tag, .level, .card, summary b, td.where, td.risk, td.fate, figcaption, nav a, td.n");
  const broken = new Set();
  for (const cell of cells) {
    if (!cell.checkVisibility()) continue;
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      for (const word of node.data.matchAll(/[\\w.,%:]+/g)) {
        const range = document.createRange();
        range.setStart(node, word.index); range.setEnd(node, word.index + word[0].length);
        const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
        if (tops.size > 1) broken.add(word[0]);
      }
    }
  }
  return [...broken];
}"""
_OUTSIDE = """() => [...document.querySelectorAll("svg text")].filter((text) => {
  const box = text.getBoundingClientRect(), frame = text.closest("svg").getBoundingClientRect();
  return box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
    || box.bottom > frame.bottom + 1;
}).map((text) => text.textContent)"""
_OVERLAPPING = """() => [...document.querySelectorAll("svg")].flatMap((picture) => {
  const texts = [...picture.querySelectorAll("text")], found = [];
  texts.forEach((one, place) => texts.slice(place + 1).forEach((other) => {
    const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
    if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2) found.push(one.textContent + other.textContent);
  }));
  return found;
})"""
_CUT_OFF = """() => [...document.querySelectorAll("td, th, .card, summary, code, p, h1")].filter(
  (box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 0
    && getComputedStyle(box).display !== "inline"
).map((box) => box.className + ": " + box.textContent.slice(0, 60))"""


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium on the PATH, and REQUIRE_BROWSER=1 asks for one")
        pytest.skip("no Chromium on the PATH: the report is not looked at (install the package chromium)")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def page(browser) -> Iterator:
    opened = browser.new_page(viewport={"width": 1200, "height": 900})
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def rich(tmp_path_factory) -> Path:
    """A night of more than a thousand rows, as a file."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render(rich_night()), encoding="utf-8")
    return file


def test_report_renders_and_stays_silent(page, tmp_path):
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    rows = [
        unsent("hold", title=name, reason=name, correction_key=f"{number:064d}") for number, name in enumerate(HOSTILE)
    ]
    file = tmp_path / "report.html"
    file.write_text(render(facts(rows=rows, flow=[flow(waiting=len(rows))])), encoding="utf-8")

    page.goto(file.as_uri())

    assert heard == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    shown = page.locator("table td").all_inner_texts()
    assert all(any(name in cell for cell in shown) for name in HOSTILE)
    assert page.locator("svg[role=img]").count() == 1
    assert page.locator("h1").bounding_box()["width"] > 200


@pytest.mark.parametrize("width", WIDTHS)
def test_a_rich_night_fits_every_width_and_is_not_endless(page, rich, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(rich.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.scrollHeight") <= TALLEST[width]
    assert page.evaluate("document.querySelectorAll('table.rows td.key').length") > 1000


@pytest.mark.parametrize("width", WIDTHS)
def test_all_that_is_folded_fits_too_and_no_word_is_broken_or_cut(page, rich, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(rich.as_uri())
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(_BROKEN_WORDS) == []
    assert page.evaluate(_CUT_OFF) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_pictures_are_large_enough_to_read(page, rich, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(rich.as_uri())
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('svg text')].map((text) => text.getBoundingClientRect().height))"
    )
    assert page.locator("svg[role=img]").count() == 4 + 10 + 2  # systems, their entities, the backlog
    assert smallest >= 10
    assert page.evaluate(_OUTSIDE) == []


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 13, 30])
def test_labels_of_pictures_never_overlap(page, tmp_path, count):
    night = rich_night(6)
    kept = {row["night_id"] for row in night.backlog[-count:]}
    file = tmp_path / "report.html"
    file.write_text(render(facts(
        trend=[row for row in night.trend if row["night_id"] in kept],
        backlog=[row | {"waiting": 1000 * row["waiting"]} for row in night.backlog[-count:]],
    )), encoding="utf-8")
    page.goto(file.as_uri())
    assert page.locator("svg[role=img]").count() == 1 + 10 + 2
    assert page.evaluate(_OVERLAPPING) == []
    assert page.evaluate(_OUTSIDE) == []


def test_on_paper_there_are_no_contents_and_nothing_is_wider_than_the_sheet(page, rich):
    page.set_viewport_size({"width": 700, "height": 900})
    page.emulate_media(media="print")
    page.goto(rich.as_uri())
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert not page.locator("nav").is_visible()
    assert page.locator("thead").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    assert page.evaluate(_BROKEN_WORDS) == []
