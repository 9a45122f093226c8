"""Which charts a report can fill, and which it cannot."""

from dataclasses import dataclass

from muxplots.report import Experiment, Report
from muxplots.table import CPU, IDLE_CPU, IDLE_LATENCY, P99, THROUGHPUT, Metric, Table
from muxplots.table import swept_cells, tabulate

SWEPT = {"throughput": (THROUGHPUT,), "p99": (P99,), "cpu": (CPU,)}

# Idle connections cost CPU time; where that was not measured, latency tells.
IDLE = {"cost": (IDLE_CPU, IDLE_LATENCY)}


@dataclass(frozen=True)
class Chart:
    name: str
    table: Table


def plan(report: Report) -> tuple[list[Chart], list[str]]:
    """The charts to draw, and in a few words each, what there is nothing to draw for."""
    charts: list[Chart] = []
    absent: list[str] = []
    for experiment in report.experiments:
        reason = _unfit(report, experiment)
        if reason:
            absent.append(f"{experiment.name} ({reason})")
            continue
        kinds = SWEPT | IDLE if experiment.parameter == "idle" else SWEPT
        for kind, metrics in kinds.items():
            table = _first(report, experiment, metrics)
            name = f"{experiment.name}-{kind}"
            if isinstance(table, str):
                absent.append(f"{name} ({table})")
            elif kind in IDLE and len(table.values) < 2:
                absent.append(f"{name} (only one value of {table.parameter})")
            else:
                charts.append(Chart(name, table))
    if not report.experiments:
        absent.append("all charts (no experiment)")
    elif not any(experiment.parameter == "idle" for experiment in report.experiments):
        absent.append("idle-cost (no experiment sweeps idle)")
    return charts, absent


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
