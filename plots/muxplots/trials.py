"""The trials of a report: what single charts need of them, checked when it is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from muxplots import metrics
from muxplots.node import Node
from muxplots.report import Cell, Experiment, Report

# A rate is served when so much of it was achieved.
SERVED = 0.98


@dataclass(frozen=True)
class Trial:
    cell: str
    order: int
    rate: float
    answered: int  # within the window, as the CPU time is; an open loop's "requests" were due in it
    user_ns: float | None
    system_ns: float | None
    latencies: tuple[tuple[int, int], ...]  # histogram: lowest value of a bucket, count


@lru_cache(maxsize=4)
def of(report: Report) -> tuple[Trial, ...]:
    """The successful trials in the order they ran."""
    return tuple(sorted(_read(report), key=lambda trial: trial.order))


def by_cell(report: Report) -> dict[str, list[Trial]]:
    found: dict[str, list[Trial]] = {}
    for trial in of(report):
        found.setdefault(trial.cell, []).append(trial)
    return found


def _read(report: Report) -> Iterator[Trial]:
    throughput = report.metrics[metrics.THROUGHPUT]
    for node in report.section.get("trials", default=[]).items():
        if node.get("status").string() != "ok":
            continue
        load = node.get("load").object()
        cpu = node.get("server").object().optional_object("cpu")
        achieved = load.get("achieved").object()
        rate = throughput.in_trial(node)
        yield Trial(
            cell=node.get("cell").string(),
            order=node.get("order").integer(),
            rate=rate,
            answered=round(rate * achieved.get("duration_ns").integer() / 1e9),
            user_ns=cpu.get("user_ns").number() if "user_ns" in cpu.value else None,
            system_ns=cpu.get("system_ns").number() if "system_ns" in cpu.value else None,
            latencies=_buckets(load.optional_object("latency_ns").optional_object("histogram")),
        )


def _buckets(histogram: Node) -> tuple[tuple[int, int], ...]:
    pairs = []
    for node in histogram.get("buckets", default=[]).items():
        pair = node.value
        if not (isinstance(pair, list) and len(pair) == 2 and all(type(one) is int for one in pair)):
            node.fail("a bucket of two integers")
        pairs.append((pair[0], pair[1]))
    return tuple(pairs)


def main_point(report: Report, experiment: Experiment, *any_of: str) -> list[Cell]:
    """The measured cells of the largest point that most models reached, for charts of one point.

    Where keys of metrics are given, only cells count that have one of them.
    """
    points: dict[tuple, list[Cell]] = {}
    for cell in report.cells:
        told = not any_of or any(key in cell.summary for key in any_of)
        if cell.experiment == experiment.name and cell.status == "measured" and told:
            points.setdefault(tuple(sorted(cell.point.items(), key=str)), []).append(cell)
    if not points:
        return []
    most = max(len(cells) for cells in points.values())

    def swept(cells: list[Cell]) -> tuple[float, ...]:
        values = [cells[0].point.get(key) for key in experiment.swept]
        return tuple(value if isinstance(value, (int, float)) else 0 for value in values)

    # A few models that cannot reach a point do not take it away from all others.
    reached = sorted((cells for cells in points.values() if 3 * len(cells) >= 2 * most), key=swept)
    if experiment.parameter == "rate":
        # Beyond what most models serve, latency tells only how long the run was.
        served = [cells for cells in reached if sum(map(_served, cells)) >= len(cells) / 2]
        return served[-1] if served else reached[0]
    return reached[-1]


def _served(cell: Cell) -> bool:
    achieved = cell.summary.get(metrics.THROUGHPUT)
    rate = cell.point.get("rate")
    return achieved is not None and isinstance(rate, int) and achieved.median >= SERVED * rate


def describe_point(cell: Cell) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in cell.point.items())
