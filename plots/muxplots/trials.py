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
class Slices:
    """Those of a round, in the order in which they ran."""

    length_ns: int
    started_ns: tuple[int, ...]  # since the start of the run
    cpu_ns_per_request: tuple[float, ...]


@dataclass(frozen=True)
class Trial:
    cell: str
    order: int
    rate: float | None  # None: no slice was undisturbed
    # What the CPU time was for: in the window of a trial, in all of a round. (An open loop's
    # "requests" were due in the window.)
    answered: int
    user_ns: float | None
    system_ns: float | None
    latencies: tuple[tuple[int, int], ...]  # histogram: lowest value of a bucket, count
    slices: Slices | None = None  # of a round
    worker_requests: tuple[int, ...] = ()  # of each worker, where the first is slowed


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
        slices = _slices(node.get("slices")) if "slices" in node.value else None
        known = slices is None or metrics.THROUGHPUT in achieved.value
        rate = throughput.in_trial(node) if known else None
        yield Trial(
            cell=node.get("cell").string(),
            order=node.get("order").integer(),
            rate=rate,
            answered=(
                load.get("requests_in_run").integer() if slices
                else round((rate or 0.0) * achieved.get("duration_ns").integer() / 1e9)
            ),
            user_ns=cpu.get("user_ns").number() if "user_ns" in cpu.value else None,
            system_ns=cpu.get("system_ns").number() if "system_ns" in cpu.value else None,
            latencies=_buckets(load.optional_object("latency_ns").optional_object("histogram")),
            slices=slices,
            worker_requests=tuple(
                one.integer() for one in node.get("server").get("worker_requests", default=[]).items()
            ),
        )


def _slices(node: Node) -> Slices:
    started, requests, cpu = (
        [one.integer() for one in node.get(key).items()]
        for key in ("started_ns", "requests_in_run", "server_cpu_ns")
    )
    if not len(started) == len(requests) == len(cpu) or not all(one > 0 for one in requests):
        node.fail("lists of one length, with requests above 0")
    return Slices(
        length_ns=node.get("length_ns").integer(),
        started_ns=tuple(started),
        cpu_ns_per_request=tuple(spent / one for spent, one in zip(cpu, requests)),
    )


@dataclass(frozen=True)
class Rounds:
    """How an experiment was sliced: the fewest and the most over its points."""

    rounds: int
    slices: tuple[int, int]  # of a round
    length_ns: tuple[int, int]


def rounds(report: Report, experiment: str) -> Rounds | None:
    """None where nothing was sliced."""
    cells = {cell.id for cell in report.cells if cell.experiment == experiment}
    mine: dict[str, list[Trial]] = {}
    for one in of(report):
        if one.slices and one.cell in cells:
            mine.setdefault(one.cell, []).append(one)
    if not mine:
        return None
    # A slice that failed is not there, so the fullest round of a cell tells how many were planned.
    slices = [max(len(one.slices.started_ns) for one in trials if one.slices) for trials in mine.values()]
    lengths = [one.slices.length_ns for trials in mine.values() for one in trials if one.slices]
    return Rounds(max(map(len, mine.values())), (min(slices), max(slices)), (min(lengths), max(lengths)))


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
    if metrics.THROUGHPUT in cell.withheld:
        return "rate_not_reached" not in cell.flag_kinds
    return achieved is not None and isinstance(rate, int) and achieved.median >= SERVED * rate


def describe_point(cell: Cell) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in cell.point.items())
