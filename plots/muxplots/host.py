"""How fast the host was while slices were measured, told by the reference's CPU time of a request.

The levels are the driver's; nothing is found here. All lengths are points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from muxplots import axes, captions, labels, lines, style, text, trials
from muxplots.chart import Absent, Chart
from muxplots.layout import Layout
from muxplots.page import EDGE, LEFT, UNDER, UNDER_TITLE, Page
from muxplots.report import HostStates, Report, place
from muxplots.style import Look

NAME = "host"
MEANING = "Same server, same work at each point: where dots rise, the host was slower"
PANEL_HEIGHT = 112.0
HEAD = 26.0
HEAD_SIZE = 10.0
GAP = 8.0
# Dots beyond these factors of the outermost levels stand at the edge.
BELOW, ABOVE = 1.5, 2.0


@dataclass(frozen=True)
class Series:
    """The reference at one point: a dot for each slice, and the levels of the host."""

    states: HostStates
    name: str
    look: Look
    seconds: tuple[float, ...]  # since the start of the run
    cpu_ns: tuple[float, ...]  # of a request

    def labels(self) -> list[str]:
        """One for each level."""
        if len(self.states.levels) == 1:
            return [f"{self.name}: {text.scaled(self.states.levels[0][0], text.TIMES)}"]
        return [
            f"{self.name}: {text.scaled(level, text.TIMES)} ({blocks} of {self.states.blocks})"
            for level, blocks in self.states.levels
        ]


def plan(report: Report) -> list[Chart | Absent]:
    if not any(cell.sliced and cell.status == "measured" for cell in report.cells):
        return []
    panels = tabulate(report)
    if not panels:
        return [Absent(NAME, "no slices of a reference tell the speed of the host")]
    references = sorted({one.states.reference for mine in panels.values() for one in mine})
    title = f"Host speed over the run: CPU time of a request to {' or '.join(references)}"
    alt = f"Chart: {title}. {MEANING}. {_told(report, panels)}"
    return [Chart(NAME, title, alt, None, partial(_draw, report, panels, title))]


def tabulate(report: Report) -> dict[str, list[Series]]:
    """By experiment, those of which the reference's slices are known."""
    cells = {(place(cell), cell.model): cell.id for cell in report.cells}
    mine = trials.by_cell(report)
    swept = {experiment.name: experiment.swept for experiment in report.experiments}
    by_experiment: dict[str, list[HostStates]] = {}
    for states in report.host_states:
        by_experiment.setdefault(states.experiment, []).append(states)
    found = {}
    for experiment, points in by_experiment.items():
        names = [point_name(states, swept.get(experiment, ())) for states in points]
        looks = style.apart(names)
        series = [
            _series(states, name, looks[name], mine.get(cells.get((place(states), states.reference), ""), []))
            for states, name in zip(points, names)
        ]
        if kept := [one for one in series if one.seconds]:
            found[experiment] = kept
    return found


def point_name(states: HostStates, swept: Sequence[str]) -> str:
    told = {key: states.point[key] for key in swept if key in states.point} or states.point
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in told.items())


def _series(states: HostStates, name: str, look: Look, rounds: Sequence[trials.Trial]) -> Series:
    slices = [one.slices for one in rounds if one.slices]
    return Series(
        states, name, look,
        tuple(start / 1e9 for one in slices for start in one.started_ns),
        tuple(cpu for one in slices for cpu in one.cpu_ns_per_request),
    )


def _told(report: Report, panels: dict[str, list[Series]]) -> str:
    changed = [
        captions.plain(finding.text) for finding in report.findings or () if finding.kind == "host_state"
    ]
    points = captions.counted(sum(map(len, panels.values())), "point")
    return " ".join(changed) or f"It had one speed at each of {points}."


def _draw(report: Report, panels: dict[str, list[Series]], title: str, layout: Layout) -> Figure:
    told = [label for mine in panels.values() for one in mine for label in one.labels()]
    beside = lines.LEADER + lines.KEY + max(text.width(label, labels.SIZE) for label in told)
    width = max(layout.one - LEFT - beside - EDGE, layout.narrowest)
    heights = {
        name: max(PANEL_HEIGHT, labels.room_for(sum(len(one.labels()) for one in mine)))
        for name, mine in panels.items()
    }
    body = sum(height + HEAD + GAP for height in heights.values())
    page = Page(
        LEFT + width + beside + EDGE, body + UNDER + UNDER_TITLE + EDGE, title,
        " · ".join([MEANING, *captions.run(report)]),
        "Dot: one slice. Line: a level, the median of its slices, 15 % or more apart from the next; where there are "
        "several, in how many of the blocks. Models are compared within a block: a step enters a ratio only where a model depends "
        "on the speed of the host in another way than the reference does.",
    )
    last = max(max(one.seconds) for mine in panels.values() for one in mine)
    top = page.top
    for name, mine in panels.items():
        bottom = top - HEAD - heights[name]
        plot = page.plot(LEFT, bottom, width, heights[name])
        page.write(
            LEFT, bottom + heights[name] + 6, name, size=HEAD_SIZE, weight="bold", color=style.INK, va="bottom",
        )
        _fill(plot, mine, last * 1.02)
        plot.tick_params(labelbottom=name == list(panels)[-1])
        top = bottom - GAP
    page.write_across_title("Seconds since the start of the run", LEFT + width / 2, top + GAP)
    page.write_up_title("CPU per request (log scale)", page.top - body / 2)
    return page.figure


def _fill(plot: Axes, mine: Sequence[Series], last: float) -> None:
    axes.dress(plot)
    width = plot.get_window_extent().width
    levels = [level for one in mine for level, _ in one.states.levels]
    limits = (min(levels) / BELOW, max(levels) * ABOVE)
    plot.set_xlim(0, last)
    plot.xaxis.set_major_locator(MaxNLocator(nbins=min(axes.most_marks(width), 6), steps=[1, 2, 5, 10]))
    axes.scale_time(plot, limits, is_log=True)
    for one in mine:
        dots = plot.plot(
            one.seconds, np.clip(one.cpu_ns, *limits), alpha=0.7, zorder=3, clip_on=False,
            linestyle="none", **lines.marker(one.look, flagged=False) | {"markersize": 3, "markeredgewidth": 0},
        )[0]
        dots.set_gid(f"{one.name}-slices")
        for level, _ in one.states.levels:
            plot.axhline(level, color=one.look.colour, linewidth=0.9, linestyle=(0, (4, 2)), zorder=2)
    _write_labels(plot, mine)


def _write_labels(plot: Axes, mine: Sequence[Series]) -> None:
    """The levels by name beside the plot, each with a stroke to its line."""
    figure, frame = plot.figure, plot.get_window_extent()
    across, up = figure.get_size_inches() * 72
    told = [
        (one, level, label)
        for one in mine for (level, _), label in zip(one.states.levels, one.labels(), strict=True)
    ]
    ends = [plot.transData.transform((0, level))[1] for _, level, _ in told]
    low, high = frame.y0 + labels.LINE_HEIGHT / 2, frame.y1 - labels.LINE_HEIGHT / 2
    for (one, _, label), end, y in zip(told, ends, labels.spread(ends, labels.LINE_HEIGHT, low, high)):
        left = frame.x1 + lines.LEADER + lines.KEY
        key = left - lines.KEY + 4
        figure.add_artist(Line2D(
            [frame.x1 / across, key / across], [end / up, y / up], transform=figure.transFigure,
            color=one.look.colour, linewidth=0.7, alpha=0.7,
        ))
        figure.add_artist(Line2D(
            [key / across], [y / up], transform=figure.transFigure, linestyle="none",
            **lines.marker(one.look, flagged=False),
        ))
        figure.text(
            left / across, y / up, label, size=labels.SIZE, color=style.text_colour(one.look.colour),
            va="center_baseline", ha="left",
        )
