"""The report's pictures, as SVG text to set into the page: drift by system, its trend, and the backlog.

Small multiples, one picture each, so that a phone shows them one under the other at a readable size. Pictures hold
names of systems, entities and classes and counts, never a value of a row. matplotlib is imported inside the functions:
it costs a second that no other command should pay.
"""

import io
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from pipelines.report.classes import CLASSES, in_order

_WIDTH = 3.5
_TICKS = 4
_SLOTS = 3.6
"""Few nights stand at the right of so many places, so that a bar is a bar from the second night on."""
_INK, _SOFT = "#1d2429", "#5b6870"


@dataclass(frozen=True, slots=True)
class Picture:
    """One SVG and its caption."""

    title: str
    svg: str


def drift_charts(drift: Sequence[Mapping[str, Any]]) -> list[Picture]:
    """Tonight's drift: one picture a system, a bar an entity, stacked by class, all to one scale."""
    counts: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in drift:
        counts[row["system"]][row["entity"]][row["drift_class"]] = int(row["row_count"])
    widest = max((sum(c.values()) for entities in counts.values() for c in entities.values()), default=0)
    made = []
    for system, entities in sorted(counts.items()):
        names = in_order(set(entities))[::-1]
        figure, axes = _figure(height=0.16 + 0.3 * len(names), left=0.84, bottom=0.06)
        left = [0] * len(names)
        for drift_class, look in CLASSES.items():
            widths = [entities[name].get(drift_class, 0) for name in names]
            if any(widths):
                axes.barh(names, widths, left=left, color=look.colour, height=0.7)
                left = [a + b for a, b in zip(left, widths, strict=True)]
        for position, total in enumerate(left):
            axes.annotate(
                f"{total:,}", (total, position), xytext=(4, 0), textcoords="offset points", va="center",
                fontsize=10, color=_INK,
            )
        axes.set_xlim(0, widest * 1.12)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        made.append(Picture(system, _svg(figure, f"Drift of {system} tonight, by entity and class")))
    return made


def trend_charts(trend: Sequence[Mapping[str, Any]]) -> list[Picture]:
    """New drift per night: one picture a system and entity, stacked by class. None before the second night."""
    nights = _nights(trend)
    if len(nights) < 2:
        return []
    counts: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0] * len(nights)))
    places = {night: position for position, (night, _) in enumerate(nights)}
    for row in trend:
        if row["system"]:
            line = counts[row["system"], row["entity"]]
            line[row["drift_class"]][places[row["night_id"]]] += int(row["row_count"])
    made = []
    for system, entity in _lines(counts):
        figure, axes = _figure(height=1.9, left=0.46, bottom=0.32)
        bottom = [0] * len(nights)
        for drift_class, look in CLASSES.items():
            heights = counts[system, entity].get(drift_class)
            if heights:
                axes.bar(range(len(nights)), heights, bottom=bottom, color=look.colour, width=0.78)
                bottom = [a + b for a, b in zip(bottom, heights, strict=True)]
        _dress(axes, nights, bottom)
        made.append(Picture(f"{system} {entity}", _svg(figure, f"New drift of {system} {entity} per night, by class")))
    return made


def backlog_charts(backlog: Sequence[Mapping[str, Any]]) -> list[Picture]:
    """What waited for a person at the end of each night, and what each night wrote and proved."""
    nights = _nights(backlog)
    if len(nights) < 2:
        return []
    made = []
    for column, title, colour in (
        ("waiting", "waiting for a person", "#a86200"), ("confirmed", "written and proved", "#1b7f79")
    ):
        values = [int(row[column]) for row in backlog]
        figure, axes = _figure(height=1.9, left=0.46, bottom=0.32)
        axes.fill_between(range(len(values)), values, color=colour, alpha=0.14, linewidth=0)
        axes.plot(range(len(values)), values, color=colour, marker="o", markersize=3.2, linewidth=1.6)
        _dress(axes, nights, values)
        made.append(Picture(title, _svg(figure, f"Values {title}, per night")))
    return made


def ticks(count: int, most: int = _TICKS) -> list[int]:
    """Which of so many nights are labelled: evenly, and always the last.

    >>> ticks(3), ticks(30)
    ([0, 1, 2], [5, 13, 21, 29])
    """
    step = 1
    while (count - 1) // step + 1 > most:
        step += 1
    return list(range((count - 1) % step, count, step))


def _lines(pairs: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Systems by name, and the entities of each in the order of the page."""
    return [
        (system, entity)
        for system in sorted({system for system, _ in pairs})
        for entity in in_order({entity for name, entity in pairs if name == system})
    ]


def _nights(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, datetime]]:
    return sorted({(row["night_id"], row["as_of"]) for row in rows}, key=lambda night: (night[1], night[0]))


def _dress(axes: Any, nights: Sequence[tuple[str, datetime]], totals: Sequence[int]) -> None:
    """Few dates, few whole numbers, and the last value in words."""
    from matplotlib.ticker import MaxNLocator

    last = len(nights) - 1
    axes.set_xticks(ticks(len(nights)), [f"{nights[place][1]:%d %b}" for place in ticks(len(nights))])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    axes.set_ylim(0, max(1, max(totals) * 1.22))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}k" if value >= 10_000 else f"{value:,.0f}")
    axes.set_xlim(min(-0.6, last - _SLOTS), last + 0.6)
    axes.grid(axis="y", color="#e6ebed", linewidth=0.8)
    axes.set_axisbelow(True)
    told = f"{totals[-1]:,}"
    is_long = len(told) > 4  # a long one ends where the margin does
    axes.annotate(
        told, (last, totals[-1]), xytext=(15 if is_long else 0, 4), textcoords="offset points",
        ha="right" if is_long else "center", fontsize=10.5, fontweight="bold", color=_INK,
    )


def _figure(height: float, *, left: float, bottom: float) -> tuple[Any, Any]:
    """A figure of one axes; inches. Margins are fixed: pictures side by side align, and no layout has to be solved."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height))
    figure.subplots_adjust(left=left / _WIDTH, right=1 - 0.24 / _WIDTH, bottom=bottom / height, top=1 - 0.08 / height)
    figure.patch.set_alpha(0)
    axes = figure.subplots()
    axes.patch.set_alpha(0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#b9c3c8")
    axes.tick_params(labelsize=10, length=0, colors=_SOFT)
    axes.tick_params(axis="x", pad=7)
    return figure, axes


def _svg(figure: Any, title: str) -> str:
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Title": title})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"font: ([^;\"]*)'[^;\"]*'", r"font: \1sans-serif", text)
    wanted = set(re.findall(r"#([\w-]+)[)\"]", text))
    text = re.sub(r' id="([\w.-]+)"', lambda found: found[0] if found[1] in wanted else "", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)
