"""Charts of a comparison of two reports, or of two models: a ratio with its interval per cell.

Ratios, intervals and verdicts are those of `muxbench compare`; nothing is computed here.
"""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from muxplots import axes, labels, metrics, style, text
from muxplots.chart import Chart
from muxplots.layout import Layout
from muxplots.metrics import Metrics
from muxplots.node import ReportError, read
from muxplots.page import EDGE, UNDER, UNDER_TITLE, Page

ROW = 14.0
ABOVE = 8.0

# By verdict: colour (of the light theme) and marker. All other verdicts are grey.
VERDICTS = {"faster": ("#098d66", "^"), "slower": ("#c61d78", "v")}
UNDECIDED = "#8c8c8c"


@dataclass(frozen=True)
class Compared:
    cell: str
    metric: str
    verdict: str
    ratio: float
    low: float
    high: float

    @property
    def experiment(self) -> str:
        parts = self.cell.split("/")
        return parts[1] if len(parts) > 1 and ":" not in parts[1] else parts[0]


@dataclass(frozen=True)
class Comparison:
    base: str
    new: str
    margin: float
    metrics: Metrics
    cells: tuple[Compared, ...]
    without: int  # cells that have no ratio
    differences: tuple[str, ...]


def load(path: Path) -> Comparison:
    """Read what `muxbench compare --format json` printed; raises ReportError."""
    document = read(path).object()
    if "cells" not in document.value or "margin" not in document.value:
        raise ReportError(
            f"{path} is JSON but no comparison; give what `muxbench compare BASE NEW --format json` printed"
        )
    found, without = [], 0
    for node in document.get("cells").items():
        if "ratio" not in node.object().value:
            without += 1
            continue
        found.append(Compared(
            node.get("cell").text(), node.get("metric").file_name(), node.get("verdict").text(),
            *(node.get(key).number() for key in ("ratio", "low", "high")),
        ))
        if not 0 < found[-1].low <= found[-1].ratio <= found[-1].high:
            node.fail("a ratio above 0 within its interval")
    differences = [node.text() for node in document.get("differences", default=[]).items()]
    return Comparison(
        document.get("base").text(), document.get("new").text(), document.get("margin").number(),
        # A comparison that carries no table is of the time of the reports without one.
        metrics.read(document) if "metrics" in document.value else metrics.frozen(),
        tuple(found), without, tuple(differences),
    )


def plan(comparison: Comparison) -> list[Chart]:
    """One chart per experiment and metric."""
    groups: dict[tuple[str, str], list[Compared]] = {}
    for cell in comparison.cells:
        groups.setdefault((cell.experiment, cell.metric), []).append(cell)
    charts = []
    for (experiment, metric), cells in groups.items():
        verdicts = [cell.verdict for cell in cells]
        counts = [f"{verdicts.count(one)} {one}" for one in sorted(set(verdicts))]
        title = f"{_words(comparison, metric)} in {experiment}: new over base"
        alt = f"Chart: {title}. {', '.join(counts)}, of {len(cells)} cells."
        charts.append(Chart(
            f"comparison-{experiment}-{metric}", title, alt, experiment,
            partial(_draw, comparison, title, cells),
        ))
    return charts


def _words(comparison: Comparison, key: str) -> str:
    metric = comparison.metrics.get(key)
    return f"{metric.heading} ({metric.unit})" if metric else key


def _draw(comparison: Comparison, title: str, cells: list[Compared], layout: Layout) -> Figure:
    names = [cell.cell.replace(f"/{cell.experiment}/", " ").replace("/", " ") for cell in cells]
    left = EDGE + max(text.width(name, labels.SIZE) for name in names) + 10
    beside = max(text.width(_told(cell), labels.SIZE) for cell in cells) + 10
    width = max(layout.one - left - beside - EDGE, layout.narrowest)
    height = ROW * (len(cells) + 0.5)
    margin = f"{100 * comparison.margin:g} %"
    caption = (
        f"Marker: ratio; line: 95 % interval. Band: within {margin}, "
        "which counts as the same. Up: faster; down: slower; square: the same; grey: not told apart."
    )
    if comparison.differences:
        caption += f" Measured under other conditions: {'; '.join(comparison.differences)}."
    page = Page(
        left + width + beside + EDGE, ABOVE + height + UNDER + UNDER_TITLE + EDGE, title,
        f"new: {comparison.new} · base: {comparison.base}", caption,
    )
    bottom = page.top - ABOVE - height
    plot = page.plot(left, bottom, width, height)
    axes.dress(plot, grid="x")
    plot.set_ylim(len(cells) - 0.25, -0.75)
    plot.yaxis.set_major_locator(NullLocator())
    _scale(plot, comparison.margin, cells, width)
    for row, (name, cell) in enumerate(zip(names, cells)):
        colour, marker = _look(cell.verdict)
        y = bottom + height - ROW * (row + 0.75)
        plot.hlines(row, cell.low, cell.high, color=colour, linewidth=1.6, zorder=3)
        mark = plot.plot(
            cell.ratio, row, linestyle="none", marker=marker, markersize=5.5, markerfacecolor=colour,
            markeredgecolor=style.PAGE, markeredgewidth=0.5, zorder=4,
        )[0]
        mark.set_gid(f"{cell.cell}-{cell.verdict}")
        how = {"size": labels.SIZE, "va": "center_baseline"}
        page.write(left - 8, y, name, ha="right", color=style.INK, **how)
        told = cell.verdict in VERDICTS
        page.write(left + width + 8, y, _told(cell), color=style.INK if told else style.MUTED, **how)
    page.write_across_title("New over base (log scale)", left + width / 2, bottom)
    return page.figure


def _told(cell: Compared) -> str:
    return f"{cell.ratio:.3f} {cell.verdict}"


def _look(verdict: str) -> tuple[str, str]:
    if verdict in VERDICTS:
        colour, marker = VERDICTS[verdict]
        return style.themed(colour), marker
    return style.themed(UNDECIDED), "s" if verdict == "same" else "o"


def _scale(plot, margin: float, cells: list[Compared], width: float) -> None:
    reach = max(
        math.log1p(margin) * 2,
        *(max(abs(math.log(cell.low)), abs(math.log(cell.high))) for cell in cells),
    )
    reach = min(reach, math.log(4)) * 1.05
    plot.set_xscale("log")
    plot.set_xlim(math.exp(-reach), math.exp(reach))
    steps = (0.25, 0.5, 2, 4) if reach > math.log(1.8) else (0.6, 0.8, 1.25, 1.6)
    steps = steps if reach > math.log(1.3) else (0.8, 0.9, 1.1, 1.2)
    steps = steps if reach > math.log(1.12) else (0.9, 0.95, 1.05, 1.1)
    marks = [mark for mark in sorted((1, *steps)) if abs(math.log(mark)) <= reach]
    plot.xaxis.set_major_locator(FixedLocator(marks))
    plot.xaxis.set_major_formatter(FixedFormatter([f"{mark:g}" for mark in marks]))
    plot.xaxis.set_minor_locator(NullLocator())
    band = plot.axvspan(1 / (1 + margin), 1 + margin, color=style.GRID, linewidth=0, zorder=0)
    band.set_gid("band")
    plot.axvline(1, color=style.MUTED, linewidth=0.9, zorder=2)
