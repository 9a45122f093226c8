"""Which charts a report can fill, and which it cannot."""

from collections.abc import Iterable
from functools import partial

from muxplots import answer, captions, costs, drift, figure, heat, host, marked, metrics, percentiles, ranking
from muxplots.chart import Absent, Chart
from muxplots.report import Experiment, Report
from muxplots.table import Scale, Table, beside_reference, swept_cells, tabulate

# By kind, which is part of a file's name: the keys of the metrics of which the first that was
# measured is drawn, and their axis.
Kinds = dict[str, tuple[tuple[str, ...], Scale]]

_THROUGHPUT = ((metrics.THROUGHPUT,), Scale.LINEAR)
_CPU = ((metrics.CPU,), Scale.LINEAR)

SWEPT: Kinds = {
    "throughput": _THROUGHPUT,
    "p99": ((metrics.P99,), Scale.LOG_WHEN_WIDE),
    "cpu": _CPU,
}

# Idle connections cost CPU time; where that was not measured, latency tells. On an axis from zero
# the few models that pay would press all others flat, so this one takes the place of the CPU chart.
IDLE: Kinds = {
    "throughput": _THROUGHPUT,
    "p99": ((metrics.P99,), Scale.LOG_WHEN_WIDE),
    "cost": ((metrics.CPU, metrics.MEAN), Scale.LOG),
}

# Latency against the rate that is offered, to the knee and beyond.
RATE: Kinds = {
    "p50": ((metrics.P50,), Scale.LOG),
    "p99": ((metrics.P99,), Scale.LOG),
    "throughput": _THROUGHPUT,
    "cpu": _CPU,
}

# The kinds of what answers few experiments and is drawn of those alone; any other is its key.
ANSWERS = {metrics.MEAN: "mean", metrics.P50: "p50", metrics.MEMORY: "bytes"}


def plan(report: Report) -> tuple[list[Chart], list[Absent]]:
    """The charts to draw in the order of a page, and what there is nothing to draw for."""
    found: list[Chart | Absent] = []
    for experiment in report.experiments:
        reason = _unfit(report, experiment)
        ranked = list(ranking.plan(report, experiment)) if _is_measured(report, experiment) else []
        found.extend(ranked)
        if reason:
            found.append(Absent(experiment.name, reason))
        else:
            names = {one.name for one in ranked if isinstance(one, Chart)}
            found.extend(_swept(report, experiment, names))
        # Charts of one point need no axis of swept values.
        if not reason or (len(experiment.swept) > 1 and _is_measured(report, experiment)):
            found.append(percentiles.plan(report, experiment))
            found.extend(costs.plan(report, experiment))
    if not report.experiments:
        found.append(Absent("all charts", "no experiment"))
    elif not any("idle" in experiment.swept for experiment in report.experiments):
        found.append(Absent("idle-cost", "no experiment sweeps idle"))
    if any(cell.status == "measured" for cell in report.cells):
        found = [*answer.plan(report), *heat.plan(report), *found, *host.plan(report), drift.plan(report)]
    charts = [one for one in found if isinstance(one, Chart)]
    return charts, [one for one in found if isinstance(one, Absent)]


def _swept(report: Report, experiment: Experiment, ranked: set[str]) -> Iterable[Chart | Absent]:
    kinds = {"idle": IDLE, "rate": RATE}.get(experiment.parameter or "", SWEPT)
    if kinds is IDLE and _is_one_value(report, experiment):
        kinds = SWEPT
        yield Absent(f"{experiment.name}-cost", "only one value of idle")
    for kind, (keys, scale) in _answer_first(report, experiment, kinds):
        table = _first(report, experiment, keys, scale)
        name = f"{experiment.name}-{kind}"
        if isinstance(table, str):
            yield Absent(name, table)
        # A row for each model at a single point is what a ranking has as well.
        elif len(table.values) > 1 or f"{experiment.name}-ranking-{kind}" not in ranked:
            # The ranking shows the ends of a sweep.
            beside = beside_reference(report, table) if len(table.values) > 2 and table.metric.key == metrics.CPU else None
            if beside and ranked:
                yield _chart(report, f"{name}-relative", beside)
            if kind == "cost":
                table = marked.with_idle_cost(report, table)
            if kinds is RATE and kind in ("p50", "p99"):
                table = marked.with_knees(report, table)
            yield _chart(report, name, table)


def _chart(report: Report, name: str, table: Table) -> Chart:
    return Chart(
        name, captions.title(table), captions.alternative(report, table), table.experiment.name,
        partial(figure.draw, report, table),
    )


def _answer_first(
    report: Report, experiment: Experiment, kinds: Kinds
) -> list[tuple[str, tuple[tuple[str, ...], Scale]]]:
    """The chart of the metric that answers an experiment stands before the others."""
    answer = report.metrics.get(experiment.metric)
    drawn = {keys[0] for keys, _ in kinds.values()}
    if answer is not None and answer.key not in drawn:
        scale = Scale.LOG_WHEN_WIDE if answer.is_latency else Scale.LINEAR
        kinds = {ANSWERS.get(answer.key, answer.key): ((answer.key,), scale)} | kinds
    return sorted(kinds.items(), key=lambda kind: kind[1][0][0] != experiment.metric)


def _is_one_value(report: Report, experiment: Experiment) -> bool:
    table = _first(report, experiment, *IDLE["cost"])
    return not isinstance(table, str) and len(table.values) < 2


def _unfit(report: Report, experiment: Experiment) -> str | None:
    """Why no chart at all can be drawn for an experiment, or None."""
    swept = swept_cells(report, experiment)
    if isinstance(swept, str):
        return swept
    causes = sorted({cell.status for cell in swept.values()})
    return None if "measured" in causes else f"every cell is {' or '.join(causes)}"


def _is_measured(report: Report, experiment: Experiment) -> bool:
    return any(
        cell.experiment == experiment.name and cell.status == "measured" for cell in report.cells
    )


def _first(
    report: Report, experiment: Experiment, keys: tuple[str, ...], scale: Scale
) -> Table | str:
    for key in keys:
        table = tabulate(report, experiment, key, scale)
        if not isinstance(table, str):
            break
    return table
