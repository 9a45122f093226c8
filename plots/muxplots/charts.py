"""Which charts a report can fill, and which it cannot."""

from collections.abc import Iterable
from functools import partial

from muxplots import captions, costs, drift, figure, heat, marked, percentiles
from muxplots.chart import Absent, Chart
from muxplots.report import Experiment, Report
from muxplots.table import CPU, IDLE_CPU, IDLE_LATENCY, LOAD_P50, LOAD_P99, MEAN, MEMORY, P50, P99
from muxplots.table import THROUGHPUT, Metric, Table, swept_cells, tabulate

SWEPT = {"throughput": (THROUGHPUT,), "p99": (P99,), "cpu": (CPU,)}

# Idle connections cost CPU time; where that was not measured, latency tells. On an axis from zero
# the few models that pay would press all others flat, so this one takes the place of the CPU chart.
IDLE = {"throughput": (THROUGHPUT,), "p99": (P99,), "cost": (IDLE_CPU, IDLE_LATENCY)}

# Latency against the rate that is offered, to the knee and beyond.
RATE = {"p50": (LOAD_P50,), "p99": (LOAD_P99,), "throughput": (THROUGHPUT,), "cpu": (CPU,)}

# What answers few experiments, and is drawn of those alone.
ANSWERS = {"mean": (MEAN,), "p50": (P50,), "bytes": (MEMORY,)}


def plan(report: Report) -> tuple[list[Chart], list[Absent]]:
    """The charts to draw in the order of a page, and what there is nothing to draw for."""
    found: list[Chart | Absent] = []
    for experiment in report.experiments:
        reason = _unfit(report, experiment)
        if reason:
            found.append(Absent(experiment.name, reason))
        else:
            found.extend(_swept(report, experiment))
            found.append(percentiles.plan(report, experiment))
            found.extend(costs.plan(report, experiment))
    if not report.experiments:
        found.append(Absent("all charts", "no experiment"))
    elif not any(experiment.parameter == "idle" for experiment in report.experiments):
        found.append(Absent("idle-cost", "no experiment sweeps idle"))
    if any(cell.status == "measured" for cell in report.cells):
        found = [*heat.plan(report), *found, drift.plan(report)]
    charts = [one for one in found if isinstance(one, Chart)]
    return charts, [one for one in found if isinstance(one, Absent)]


def _swept(report: Report, experiment: Experiment) -> Iterable[Chart | Absent]:
    kinds = {"idle": IDLE, "rate": RATE}.get(experiment.parameter or "", SWEPT)
    if kinds is IDLE and _is_one_value(report, experiment):
        kinds = SWEPT
        yield Absent(f"{experiment.name}-cost", "only one value of idle")
    for kind, metrics in _answer_first(experiment, kinds):
        table = _first(report, experiment, metrics)
        name = f"{experiment.name}-{kind}"
        if isinstance(table, str):
            yield Absent(name, table)
        else:
            if kind == "cost":
                table = marked.with_idle_cost(report, table)
            if kinds is RATE and kind in ("p50", "p99"):
                table = marked.with_knees(report, table)
            yield Chart(
                name, captions.title(table), captions.alternative(report, table), experiment.name,
                partial(figure.draw, report, table),
            )


def _answer_first(
    experiment: Experiment, kinds: dict[str, tuple[Metric, ...]]
) -> list[tuple[str, tuple[Metric, ...]]]:
    """The chart of the metric that answers an experiment stands before the others."""
    others = {kind: metrics for kind, metrics in ANSWERS.items()
              if kind not in kinds and metrics[0].key == experiment.metric}
    return sorted((others | kinds).items(), key=lambda kind: kind[1][0].key != experiment.metric)


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
