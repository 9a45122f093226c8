"""CPU time of a request against p99, a line through the rates for each model: what saves one and costs the other.

Drawn of experiments that sweep the rate alone and ask for CPU time. Rates that a model did not reach are
left out: its p99 there grows with the length of the trial.
"""

from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from muxplots import axes, captions, metrics, panels, table, text
from muxplots.chart import Absent, Chart
from muxplots.layout import Layout
from muxplots.panels import Curve
from muxplots.report import Cell, Experiment, Report

TITLE = "p99 latency against CPU time per request"
NOT_REACHED = "rate_not_reached"
FEWEST = 2  # rates of a model that make a line


def is_for(experiment: Experiment) -> bool:
    return experiment.parameter == "rate" and experiment.metric == metrics.CPU


def plan(report: Report, experiment: Experiment) -> Chart | Absent:
    name = f"{experiment.name}-frontier"
    found = _curves(report, experiment)
    if not found:
        cells = [cell for cell in report.cells if cell.experiment == experiment.name]
        withheld = table.why_withheld(cells, metrics.P99)
        return Absent(name, withheld or f"no model has CPU time and p99 at {FEWEST} rates")
    told = [
        f"{curve.model} from {text.duration(curve.x[0])} and {text.duration(curve.y[0])} at {curve.labels[0]} "
        f"to {text.duration(curve.x[-1])} and {text.duration(curve.y[-1])} at {curve.labels[-1]}"
        for curve in found
    ]
    alt = f"Chart: {TITLE} for {captions.counted(len(found), 'model')}. {'; '.join(told)}."
    return Chart(name, TITLE, alt, experiment.name, partial(_draw, report, experiment, found))


def _curves(report: Report, experiment: Experiment) -> list[Curve]:
    """In the order of charts; of each model the rates at which both were measured."""
    swept = table.swept_cells(report, experiment)
    if isinstance(swept, str):
        return []
    by_model: dict[str, list[tuple[int, Cell]]] = {}
    for (model, rate), cell in sorted(swept.items()):
        if NOT_REACHED in (flag.kind for flag in cell.flags):
            continue
        if cell.status == "measured" and all(key in cell.summary for key in (metrics.CPU, metrics.P99)):
            by_model.setdefault(model, []).append((rate, cell))
    return [
        Curve(
            model, table.look(report, model),
            tuple(cell.summary[metrics.CPU].median for _, cell in points),
            tuple(cell.summary[metrics.P99].median for _, cell in points),
            flagged=any(cell.flags_against(metrics.P99) for _, cell in points),
            labels=tuple(f"{text.count(rate)}/s" for rate, _ in points),
        )
        for model, points in sorted(by_model.items(), key=lambda one: table.rank(report, one[0]))
        if len(points) >= FEWEST
    ]


def _draw(report: Report, experiment: Experiment, found: Sequence[Curve], layout: Layout) -> Figure:
    lows, highs = (limit(value for curve in found for value in curve.y) for limit in (min, max))
    most = max(value for curve in found for value in curve.x)
    is_log = highs > axes.WIDE / 3 * lows
    limits = (lows / 1.25, highs * 1.25) if is_log else (0.0, highs * 1.05)
    size, unit = text.time_unit(most)

    def dress(plot: Axes) -> None:
        axes.scale_time(plot, limits, is_log)
        plot.set_xlim(0, most * 1.12)
        plot.xaxis.set_major_locator(MaxNLocator(nbins=axes.most_marks(plot.get_window_extent().width)))
        plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: text.count(round(value / size, 6))))

    cells = [cell for cell in report.cells if cell.experiment == experiment.name]
    flagged = " Dashed: flagged at some rate." if any(curve.flagged for curve in found) else ""
    return panels.draw(
        found, dress,
        panels.Words(
            TITLE, " · ".join([experiment.question, captions.loop(experiment), *captions.run(report, experiment)]),
            f"Marker: medians of {captions.samples(cells)} at one rate, the lowest and the highest of which are named; "
            f"a line joins the rates of a model in their order. Left and down is better. "
            f"Rates that a model did not reach are left out.{flagged}",
            f"CPU time per request ({unit})", f"p99 latency ({'log scale' if is_log else text.time_unit(limits[1])[1]})",
        ),
        layout,
    )
