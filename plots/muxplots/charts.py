"""Which charts a report can fill, and which it cannot."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure

from muxplots import captions, figure
from muxplots.layout import Layout
from muxplots.report import Experiment, Report
from muxplots.table import CPU, IDLE_CPU, IDLE_LATENCY, P99, THROUGHPUT, Metric, Table
from muxplots.table import swept_cells, tabulate

SWEPT = {"throughput": (THROUGHPUT,), "p99": (P99,), "cpu": (CPU,)}

# Idle connections cost CPU time; where that was not measured, latency tells. On an axis from zero
# the few models that pay would press all others flat, so this one takes the place of the CPU chart.
IDLE = {"throughput": (THROUGHPUT,), "p99": (P99,), "cost": (IDLE_CPU, IDLE_LATENCY)}


@dataclass(frozen=True)
class Chart:
    """`name` is also that of its files; `alt` says in words what it shows."""

    name: str
    title: str
    alt: str
    experiment: str | None
    draw: Callable[[Layout], Figure]


@dataclass(frozen=True)
class Absent:
    """A chart that there is nothing to draw for, and why in a few words."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


def plan(report: Report) -> tuple[list[Chart], list[Absent]]:
    """The charts to draw in the order of a page, and what there is nothing to draw for."""
    found: list[Chart | Absent] = []
    for experiment in report.experiments:
        reason = _unfit(report, experiment)
        if reason:
            found.append(Absent(experiment.name, reason))
        else:
            found.extend(_swept(report, experiment))
    if not report.experiments:
        found.append(Absent("all charts", "no experiment"))
    elif not any(experiment.parameter == "idle" for experiment in report.experiments):
        found.append(Absent("idle-cost", "no experiment sweeps idle"))
    charts = [one for one in found if isinstance(one, Chart)]
    return charts, [one for one in found if isinstance(one, Absent)]


def _swept(report: Report, experiment: Experiment) -> Iterable[Chart | Absent]:
    kinds = IDLE if experiment.parameter == "idle" else SWEPT
    if kinds is IDLE and _is_one_value(report, experiment):
        kinds = SWEPT
        yield Absent(f"{experiment.name}-cost", "only one value of idle")
    for kind, metrics in kinds.items():
        table = _first(report, experiment, metrics)
        name = f"{experiment.name}-{kind}"
        if isinstance(table, str):
            yield Absent(name, table)
        else:
            yield Chart(
                name, captions.title(table), captions.alternative(report, table), experiment.name,
                partial(figure.draw, report, table),
            )


def _is_one_value(report: Report, experiment: Experiment) -> bool:
    table = _first(report, experiment, IDLE["cost"])
    return not isinstance(table, str) and len(table.values) < 2


def _unfit(report: Report, experiment: Experiment) -> str | None:
    """Why no chart at all can be drawn for an experiment, or None."""
    swept = swept_cells(report, experiment)
    if isinstance(swept, str):
        return swept
    causes = sorted({cell.status for cell in swept.values()})
    return None if "measured" in causes else f"every cell is {' or '.join(causes)}"


def _first(report: Report, experiment: Experiment, metrics: tuple[Metric, ...]) -> Table | str:
    for metric in metrics:
        table = tabulate(report, experiment, metric)
        if not isinstance(table, str):
            break
    return table
