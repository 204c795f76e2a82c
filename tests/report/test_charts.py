"""The pictures: one a system and entity, few dates, the last value in figures, and nothing before the second night."""

import re
from datetime import timedelta

import pytest

from pipelines.model import DriftClass
from pipelines.report.charts import backlog_charts, drift_charts, ticks, trend_charts
from pipelines.report.classes import CLASSES, look
from tests.report.night import AS_OF, facts, rich_night


def texts(svg: str) -> list[str]:
    return [found.strip() for found in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def night(number: int, **changes):
    base = {"night_id": f"n{number:02d}", "as_of": AS_OF + timedelta(days=number), "system": "shopify",
            "entity": "prices", "drift_class": "here", "row_count": number}
    return base | changes


def test_every_class_has_a_colour_that_carries_white_text():
    assert set(CLASSES) == set(DriftClass)
    for name in CLASSES:
        assert _contrast_with_white(look(name).colour) >= 4.5, name


def test_trend_needs_two_nights():
    assert trend_charts([night(1)]) == []
    assert backlog_charts([night(1, waiting=1, confirmed=2)]) == []
    assert [one.title for one in trend_charts([night(1), night(2)])] == ["shopify prices"]


def test_one_picture_a_system_and_entity_in_the_order_of_the_page():
    rows = [night(n, entity=entity) for n in (1, 2) for entity in ("consents", "stock", "prices")]
    rows.append(night(2, system="hubspot", entity="customers", row_count=7))
    found = trend_charts(rows)
    assert [one.title for one in found] == ["hubspot customers", "shopify prices", "shopify stock", "shopify consents"]
    assert [texts(one.svg)[-1] for one in found] == ["7", "2", "2", "2"], "a system's drift is its own"


def test_the_last_value_is_labelled_even_where_nothing_moved():
    quiet = night(3, system=None, entity=None, drift_class=None, row_count=0)
    (one,) = trend_charts([night(1), night(2, row_count=1234), quiet])
    assert texts(one.svg)[-1] == "0"
    (one,) = trend_charts([night(1), quiet, night(4, row_count=1234)])
    assert texts(one.svg)[-1] == "1,234"


def test_classes_of_one_night_are_stacked():
    (one,) = trend_charts([night(1), night(2, row_count=5), night(2, drift_class="both", row_count=6)])
    assert texts(one.svg)[-1] == "11"


@pytest.mark.parametrize("count", range(1, 31))
def test_few_nights_are_dated_and_always_the_last(count):
    found = ticks(count)
    assert len(found) <= 4
    assert found[-1] == count - 1
    assert len({b - a for a, b in zip(found, found[1:], strict=False)}) <= 1


def test_thirty_nights_show_four_dates():
    for one in (*trend_charts(rich_night(6).trend), *backlog_charts(rich_night(6).backlog)):
        assert len([text for text in texts(one.svg) if re.fullmatch(r"\d\d [A-Z][a-z][a-z]", text)]) == 4


def test_backlog_and_proofs_have_a_picture_each():
    found = backlog_charts([night(1, waiting=9, confirmed=40), night(2, waiting=12, confirmed=50)])
    assert [one.title for one in found] == ["waiting for a person", "written and proved"]
    assert [texts(one.svg)[-1] for one in found] == ["12", "50"]


def test_drift_of_tonight_is_one_picture_a_system_with_its_sums():
    (one,) = drift_charts([
        {"system": "shopify", "entity": "prices", "drift_class": "here", "row_count": 3},
        {"system": "shopify", "entity": "prices", "drift_class": "both", "row_count": 4},
        {"system": "shopify", "entity": "stock", "drift_class": "explained", "row_count": 2},
    ])
    assert one.title == "shopify"
    assert {"prices", "stock", "7", "2"} <= set(texts(one.svg))
    assert drift_charts([]) == []


def test_pictures_are_the_same_for_the_same_night():
    assert drift_charts(facts().drift) == drift_charts(facts().drift)


def _contrast_with_white(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
