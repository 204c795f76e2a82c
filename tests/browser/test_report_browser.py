"""The report in a real headless Chromium: it renders, its console is silent, hostile names stay text."""

import os
import shutil

import pytest

from tests.report.test_report import HOSTILE, facts, row

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def page(tmp_path):
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium on the PATH, and REQUIRE_BROWSER=1 asks for one")
        pytest.skip("no Chromium on the PATH: the report is not looked at (install the package chromium)")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser.new_page(viewport={"width": 1200, "height": 900})
        browser.close()


def test_report_renders_and_stays_silent(page, tmp_path):
    from pipelines.report.page import render

    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    rows = [row(title=name, reason=name, disposition="hold") for name in HOSTILE]
    file = tmp_path / "report.html"
    file.write_text(render(facts(rows=rows)), encoding="utf-8")

    page.goto(file.as_uri())

    assert heard == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    shown = page.locator("table td").all_inner_texts()
    assert all(any(name in cell for cell in shown) for name in HOSTILE)
    assert page.locator("svg[role=img]").count() == 1
    assert page.locator("h1").bounding_box()["width"] > 200
