"""The report's pictures, as SVG text to set into the page: drift by class, and its trend over the nights.

Pictures hold names of systems, entities and classes and counts, never a value of a row. matplotlib is imported
inside the functions: it costs a second that no other command should pay.
"""

import io
import re
from collections import defaultdict
from typing import Any

CLASS_COLOURS = {
    "never_agreed": "#8c8c8c",
    "elsewhere": "#1b7f79",
    "explained": "#4aa3a2",
    "rule": "#2f6db5",
    "lower": "#7a4fa3",
    "here": "#e08e0b",
    "both": "#c8553d",
    "unexplained": "#a61e4d",
    "raise_with_proof": "#b58db6",
    "raise_without_proof": "#5c0f2b",
}
SYSTEM_COLOURS = ("#1b7f79", "#e08e0b", "#2f6db5", "#a61e4d", "#7a4fa3", "#5a6b1e")


def drift_chart(drift: list[dict[str, Any]]) -> str:
    """Stacked bars: one per system and entity, one colour per class. Empty text where there is no drift."""
    if not drift:
        return ""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in drift:
        counts[f"{row['system']} · {row['entity']}"][row["drift_class"]] = int(row["row_count"])
    labels = sorted(counts, reverse=True)
    figure, axes = _figure(height=1.1 + 0.34 * len(labels))
    left = [0] * len(labels)
    for name, colour in CLASS_COLOURS.items():
        widths = [counts[label].get(name, 0) for label in labels]
        if any(widths):
            axes.barh(labels, widths, left=left, color=colour, label=name, height=0.68)
            left = [a + b for a, b in zip(left, widths, strict=True)]
    for position, total in enumerate(left):
        axes.text(total, position, f" {total}", va="center", fontsize=9, color="#333")
    axes.set_xlabel("values that differ")
    figure.legend(loc="outside lower center", ncol=5, frameon=False)
    return _svg(figure, "Drift by system, entity and class")


def trend_chart(trend: list[dict[str, Any]]) -> str:
    """Lines: new drift per night, one line a system. Empty text before the second night."""
    nights = sorted({row["as_of"] for row in trend})
    if len(nights) < 2:
        return ""
    figure, axes = _figure(height=2.6)
    counts = {(row["system"], row["as_of"]): int(row["row_count"]) for row in trend}
    for index, system in enumerate(sorted({row["system"] for row in trend})):
        values = [counts.get((system, night), 0) for night in nights]
        colour = SYSTEM_COLOURS[index % len(SYSTEM_COLOURS)]
        axes.plot(range(len(nights)), values, marker="o", markersize=4, color=colour, label=system)
    axes.set_xticks(range(len(nights)), [f"{night:%d %b}" for night in nights], rotation=0)
    axes.set_ylabel("new drift")
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside lower center", ncol=4, frameon=False)
    return _svg(figure, "New drift per night and system")


def _figure(height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.2, height), layout="constrained")
    axes = figure.subplots()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=9, length=0)
    return figure, axes


def _svg(figure: Any, title: str) -> str:
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "trueup", "font.family": "sans-serif"}):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Title": title})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return text.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
