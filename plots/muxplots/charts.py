"""Which charts a report can fill, and which it cannot."""

from collections.abc import Iterable
from functools import partial

from muxplots import (
    answer, captions, costs, drift, figure, frontier, heat, host, host_levels, marked, metrics, percentiles, ranking, shares,
)
from muxplots.chart import Absent, Chart
from muxplots.report import Experiment, Report
from muxplots.table import FEWEST_FOR_LINES, Scale, Table, beside_reference, swept_cells, tabulate

# By kind, which is part of a file's name: the keys of the metrics of which the first that was
# measured is drawn, and their axis.
Kinds = dict[str, tuple[tuple[str, ...], Scale]]

_THROUGHPUT = ((metrics.THROUGHPUT,), Scale.LINEAR)

SWEPT: Kinds = {
    "throughput": _THROUGHPUT,
    "p99": ((metrics.P99,), Scale.LOG_WHEN_WIDE),
    "cpu": ((metrics.CPU,), Scale.LINEAR),
}

# Idle connections cost CPU time; where that was not measured, latency tells. On an axis from zero
# the few models that pay would press all others flat, so this one takes the place of the CPU chart.
IDLE: Kinds = {
    "throughput": _THROUGHPUT,
    "p99": ((metrics.P99,), Scale.LOG_WHEN_WIDE),
    "cost": ((metrics.CPU, metrics.MEAN), Scale.LOG),
}

# Latency against the rate that is offered, to the knee and beyond.
RATE: Kinds = SWEPT | {"p99": ((metrics.P99,), Scale.LOG)}

# The kinds of what answers few experiments and is drawn of those alone; any other is its key.
ANSWERS = {metrics.MEAN: "mean", metrics.P50: "p50", metrics.MEMORY: "bytes"}


def plan(report: Report) -> tuple[list[Chart], list[Absent]]:
    """The charts to draw in the order of a page, and what there is nothing to draw for."""
    found: list[Chart | Absent] = []
    for experiment in report.experiments:
        found.extend(_experiment(report, experiment))
    if not report.experiments:
        found.append(Absent("all charts", "no experiment"))
    elif not any("idle" in experiment.swept for experiment in report.experiments):
        found.append(Absent("idle-cost", "no experiment sweeps idle"))
    if any(cell.status == "measured" for cell in report.cells):
        found = [
            *answer.plan(report), *heat.plan(report), *found, costs.syscalls(report), *host.plan(report),
            *host_levels.plan(report), drift.plan(report),
        ]
    charts = [one for one in found if isinstance(one, Chart)]
    return charts, [one for one in found if isinstance(one, Absent)]


def _experiment(report: Report, experiment: Experiment) -> Iterable[Chart | Absent]:
    unfit = _unfit(report, experiment)
    if unfit:
        yield Absent(experiment.name, unfit)
    values = {
        cell.point.get(experiment.parameter or "")
        for cell in report.cells if cell.experiment == experiment.name and cell.status == "measured"
    }
    if not values:
        return
    if shares.is_for(experiment):
        yield shares.plan(report, experiment)
    if frontier.is_for(experiment):
        yield frontier.plan(report, experiment)
    for kind, (keys, scale) in _kinds(report, experiment, len(values)).items():
        ranked = next(filter(None, (ranking.plan(report, experiment, kind, key) for key in keys)), None)
        if ranked:
            yield ranked
        if not unfit:
            yield from _swept(report, kind, experiment, _first(report, experiment, keys, scale), bool(ranked))
    # Charts of one point need no axis of swept values.
    if not unfit or len(experiment.swept) > 1:
        answer = report.metrics.get(experiment.metric)
        # Where something else is asked for, p99 says enough of latency.
        if answer is not None and answer.is_latency:
            yield percentiles.plan(report, experiment)
        yield from costs.plan(report, experiment)


def _kinds(report: Report, experiment: Experiment, values: int) -> Kinds:
    """What is drawn of an experiment of so many values: first the metric that answers it."""
    own = {"idle": IDLE, "rate": RATE}.get(experiment.parameter or "", SWEPT)
    kinds = dict(own if values >= FEWEST_FOR_LINES else SWEPT)
    if experiment.open_loop:
        del kinds["throughput"]  # it is the rate that was given
    answer = report.metrics.get(experiment.metric)
    if answer is not None and all(answer.key != keys[0] for keys, _ in kinds.values()):
        scale = Scale.LOG_WHEN_WIDE if answer.is_latency else Scale.LINEAR
        kinds[ANSWERS.get(answer.key, answer.key)] = ((answer.key,), scale)
    return dict(sorted(kinds.items(), key=lambda kind: kind[1][0][0] != experiment.metric))


def _swept(
    report: Report, kind: str, experiment: Experiment, table: Table | str, ranked: bool
) -> Iterable[Chart | Absent]:
    name = f"{experiment.name}-{kind}"
    if isinstance(table, str):
        yield Absent(name, table)
    elif table.has_lines:
        yield _chart(report, name, _with_marks(report, kind, table))
    elif len(table.lines) < 2:
        yield Absent(name, f"only {table.lines[0].model} has a value of {table.metric.title}")
    elif not ranked:
        yield _chart(report, name, table)


def _with_marks(report: Report, kind: str, table: Table) -> Table:
    if kind == "cost":
        return marked.with_idle_cost(report, table)
    if table.parameter == "rate" and table.metric.is_latency:
        return marked.with_knees(report, table)
    # In ratios to the reference the speed of the host cancels.
    relative = beside_reference(report, table) if table.metric.key == metrics.CPU else None
    return relative or table


def _chart(report: Report, name: str, table: Table) -> Chart:
    return Chart(
        name, captions.title(table), captions.alternative(report, table), table.experiment.name,
        partial(figure.draw, report, table),
    )


def _unfit(report: Report, experiment: Experiment) -> str | None:
    """Why no chart at all can be drawn for an experiment, or None."""
    swept = swept_cells(report, experiment)
    if isinstance(swept, str):
        return swept
    causes = sorted({cell.status for cell in swept.values()})
    return None if "measured" in causes else f"every cell is {' or '.join(causes)}"


def _first(
    report: Report, experiment: Experiment, keys: tuple[str, ...], scale: Scale
) -> Table | str:
    for key in keys:
        table = tabulate(report, experiment, key, scale)
        if not isinstance(table, str):
            break
    return table
