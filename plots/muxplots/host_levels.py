"""Models whose CPU time beside the reference depends on how fast the host is: their ratio at each speed.

Speeds, ratios and intervals are the driver's. Lengths are points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from muxplots import axes, bars, captions, host, labels, lines, metrics, ranking, style, table, text
from muxplots.chart import Absent, Chart
from muxplots.layout import Layout
from muxplots.page import EDGE, UNDER, UNDER_TITLE, Page
from muxplots.report import AtLevel, HostStates, Relative, Report
from muxplots.style import Look

NAME = "host-relative"
ROW = 24.0
HEAD = 28.0
HEAD_SIZE = 10.0
GAP = 8.0
# From the fastest level on.
MARKERS = ("o", "s", "D", "^", "v", "p")


@dataclass(frozen=True)
class Row:
    model: str
    look: Look
    at: tuple[tuple[int, Relative], ...]  # by level

    @property
    def told(self) -> str:
        return ", ".join(ranking.difference(one.ratio) for _, one in self.at)


@dataclass(frozen=True)
class Panel:
    point: str
    states: HostStates
    rows: tuple[Row, ...]

    def levels(self) -> list[int]:
        return sorted({level for row in self.rows for level, _ in row.at})


def plan(report: Report) -> list[Chart | Absent]:
    if not report.host_states:
        return []
    panels = tabulate(report)
    if not panels:
        return [Absent(NAME, "no ratio differs between speeds of the host by more than its intervals")]
    references = sorted({panel.states.reference for panel in panels})
    title = f"{report.metrics[metrics.CPU].heading} relative to {' or '.join(references)}, by the speed of the host"
    return [Chart(NAME, title, _alternative(title, panels), None, partial(_draw, report, title, panels))]


def tabulate(report: Report) -> list[Panel]:
    """The points at which a model's intervals at two levels exclude each other, with those models."""
    swept = {experiment.name: experiment.swept for experiment in report.experiments}
    panels = []
    for states in report.host_states:
        models: dict[str, list[AtLevel]] = {}
        for one in states.relative:
            models.setdefault(one.model, []).append(one)
        rows = [
            Row(model, table.look(report, model), tuple((one.level, one.relative) for one in mine))
            for model, mine in models.items() if _differ([one.relative for one in mine])
        ]
        if rows:
            point = f"{states.experiment}: {host.point_name(states, swept.get(states.experiment, ()))}"
            panels.append(Panel(point, states, tuple(sorted(rows, key=lambda row: table.rank(report, row.model)))))
    return panels


def _differ(ratios: Sequence[Relative]) -> bool:
    return max(one.low for one in ratios) > min(one.high for one in ratios)


def _alternative(title: str, panels: Sequence[Panel]) -> str:
    told = [f"At {panel.point}: {'; '.join(f'{row.model} {row.told}' for row in panel.rows)}." for panel in panels]
    return f"Chart: {title}, from the fastest speed to the slowest. {' '.join(told)}"


def _draw(report: Report, title: str, panels: Sequence[Panel], layout: Layout) -> Figure:
    rows = [row for panel in panels for row in panel.rows]
    left = EDGE + max(text.width(row.model, labels.SIZE) for row in rows) + 8
    told = max(text.width(row.told, labels.SIZE) for row in rows) + 8
    width = max(layout.one - left - told - EDGE, layout.narrowest)
    whole = left + width + told + EDGE
    heads = [
        HEAD + bars.LEGEND_LINE * len(bars.wrap_keys(_key_words(panel), whole - 2 * EDGE)) for panel in panels
    ]
    body = sum(head + ROW * len(panel.rows) + UNDER + GAP for head, panel in zip(heads, panels, strict=True))
    page = Page(
        whole, body + UNDER_TITLE, title, " · ".join(captions.run(report)),
        "Mark: ratio over the blocks at one speed of the host, told by the reference's own CPU time of a request; line: 95 % "
        "interval. Beside it: the differences, from the fastest speed on. Models whose intervals at two speeds exclude each other.",
    )
    limits = _limits(rows)
    top = page.top
    for head, panel in zip(heads, panels, strict=True):
        page.write(EDGE, top - 4, panel.point, size=HEAD_SIZE, weight="bold", color=style.INK, va="top")
        _draw_keys(page, panel, top - HEAD, whole - 2 * EDGE)
        height = ROW * len(panel.rows)
        top -= head
        plot = page.plot(left, top - height, width, height)
        _fill(page, plot, panel, limits, left, top)
        top -= height + UNDER + GAP
    page.write_across_title("Ratio (log scale; left is better)", left + width / 2, top + UNDER + GAP)
    return page.figure


def _limits(rows: Sequence[Row]) -> tuple[float, float]:
    ends = [end for row in rows for _, one in row.at for end in (one.low, one.high)]
    low, high = min(1.0, *ends), max(1.0, *ends)
    margin = (high / low) ** 0.03
    return low / margin, high * margin


def _fill(page: Page, plot: Axes, panel: Panel, limits: tuple[float, float], left: float, top: float) -> None:
    axes.dress(plot, grid="x")
    width = plot.get_window_extent().width
    plot.set_ylim(len(panel.rows) - 0.5, -0.5)
    plot.yaxis.set_major_locator(NullLocator())
    plot.set_xscale("log")
    plot.set_xlim(limits)
    marks = axes.ratio_marks(*limits, width)
    plot.xaxis.set_major_locator(FixedLocator(marks))
    plot.xaxis.set_major_formatter(FixedFormatter([f"{mark:g}" for mark in marks]))
    plot.xaxis.set_minor_locator(NullLocator())
    plot.axvline(1, color=style.MUTED, linewidth=0.9, zorder=1)
    levels = panel.levels()
    for number, row in enumerate(panel.rows):
        for level, ratio in row.at:
            y = number + 0.6 * ((levels.index(level) + 0.5) / len(levels) - 0.5)
            plot.hlines(y, ratio.low, ratio.high, color=row.look.colour, linewidth=1.4, zorder=3)
            mark = plot.plot(ratio.ratio, y, linestyle="none", zorder=4, **_marker(level, row.look.paper))[0]
            mark.set_gid(f"{row.model}-{level}")
        y = top - ROW * (number + 0.5)
        how = {"size": labels.SIZE, "va": "center_baseline"}
        page.write(left - 8, y, row.model, ha="right", color=style.text_colour(row.look.colour), **how)
        page.write(left + width + 8, y, row.told, color=style.INK, **how)


def _marker(level: int, paper: str) -> dict[str, object]:
    return lines.marker(Look(style.OTHER_FAMILY, paper, MARKERS[level % len(MARKERS)]), flagged=False)


def _key_words(panel: Panel) -> list[str]:
    """What the mark of each level means."""
    states = panel.states
    levels = [states.levels[level] for level in panel.levels()]
    return [f"{text.scaled(ns, text.TIMES)} in {blocks} of {states.blocks} blocks" for ns, blocks in levels]


def _draw_keys(page: Page, panel: Panel, y: float, room: float) -> None:
    words, levels = _key_words(panel), panel.levels()
    for line in bars.wrap_keys(words, room):
        x = EDGE
        for place in line:
            page.figure.add_artist(Line2D(
                [(x + bars.KEY / 2) / page.width], [y / page.height], transform=page.figure.transFigure, linestyle="none",
                **_marker(levels[place], style.NEUTRALS["MUTED"][0]),
            ))
            page.write(x + bars.KEY + 4, y, words[place], size=labels.SIZE, color=style.INK, va="center_baseline")
            x += bars.key_width(words[place])
        y -= bars.LEGEND_LINE
