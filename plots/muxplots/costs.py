"""What a request or a connection costs, as stacked bars: CPU, system calls, memory."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from muxplots import bars, captions, metrics, table, text, trials
from muxplots.bars import REST, SHADES, Row, Segment, Words
from muxplots.chart import Absent, Chart
from muxplots.node import Node
from muxplots.report import Cell, Experiment, Report

# System calls beyond these many names are drawn as one.
MOST_NAMES = len(SHADES)
OTHERS = "others"
# Nor is one named of which nobody makes so large a share of all calls: it could not be seen.
LEAST_NAMED = 0.01
# These have their colours in every report; what else is shown takes those that they leave.
USUAL = ("recvfrom", "sendto", "io_uring_enter", "read", "write", "epoll_wait", "epoll_ctl")

# The kernel divides CPU time into user and system by timer ticks of 4 ms or so. A server that a timer wakes
# runs in step with them, so that few say nothing: 12 that all called a server of 90 % system time user were seen.
UNDIVIDED = "not divided"
DIVIDED_FROM_NS = 400e6


def plan(report: Report, experiment: Experiment) -> Iterable[Chart | Absent]:
    yield _cpu(report, experiment)
    if experiment.parameter == "idle":
        yield _memory(report, experiment)


def _chart(
    name: str, experiment: Experiment | None, words: Words, rows: Iterable[Row],
    shades: dict[str, str], mark: Callable[[float], str], hatch: str = "",
) -> Chart:
    """Rows stand from the least on, and then those that are flagged, in no order."""
    ranked = sorted(rows, key=lambda row: (row.flagged, 0.0 if row.flagged else row.total))
    alt = f"Chart: {words.title}. " + " ".join(f"{row.model} {row.told}." for row in ranked)
    draw = partial(bars.draw, words, ranked, shades, mark, hatch)
    return Chart(name, words.title, alt, experiment.name if experiment else None, draw)


def _subtitle(report: Report, cells: Sequence[Cell]) -> str:
    parts = [f"{cells[0].experiment}: {trials.describe_point(cells[0])}"]
    return " · ".join([*parts, *captions.run(report)])


def _flags(rows: Sequence[Row]) -> str:
    return " Hollow: flagged." if any(row.flagged for row in rows) else ""


def _ordered(report: Report, cells: Iterable[Cell]) -> list[Cell]:
    return sorted(cells, key=lambda cell: table.rank(report, cell.model))


def _cpu(report: Report, experiment: Experiment) -> Chart | Absent:
    name = f"{experiment.name}-cpu-split"
    metric = report.metrics.get(metrics.CPU)
    if metric is None:
        return Absent(name, f"the report has no metric {metrics.CPU}")
    cells = trials.main_point(report, experiment)
    mine = trials.by_cell(report)
    rows = []
    for cell in _ordered(report, cells):
        told = [
            (one.user_ns, one.system_ns, one.answered)
            for one in mine.get(cell.id, [])
            if one.user_ns is not None and one.system_ns is not None and one.answered
        ]
        if not told:
            continue
        totals = [(user + system) / answered for user, system, answered in told]
        # The medians of two parts do not add up to the median of the sums, which tables have.
        total = statistics.median(totals)
        burned = sum(user + system for user, system, _ in told)
        if burned < DIVIDED_FROM_NS:
            parts = {UNDIVIDED: total}
        else:
            user = total * sum(user for user, _, _ in told) / burned
            parts = {"system": total - user, "user": user}
        rows.append(Row(
            cell.model, table.look(report, cell.model),
            tuple(Segment(part, value) for part, value in parts.items()), bool(cell.flags_against(metric.key)),
            text.scaled(total, text.TIMES), (min(totals), max(totals)),
        ))
    if not rows:
        return Absent(name, "no trial tells user from system time")
    used = {segment.part for row in rows for segment in row.segments}
    least = text.duration(DIVIDED_FROM_NS)
    if used == {UNDIVIDED}:
        return Absent(name, f"no server used {least} of CPU time, and timer ticks divide less badly")
    few = f" Grey: under {least} of CPU time, which timer ticks divide badly." if UNDIVIDED in used else ""
    words = Words(
        f"{metric.heading}, user and system", _subtitle(report, cells),
        f"Bars: median over {captions.samples(cells)}, split as in all together; line: lowest to highest.{few}{_flags(rows)}",
        metric.heading,
    )
    shades = {"system": SHADES[0], "user": SHADES[1], UNDIVIDED: REST}
    kept = {part: shade for part, shade in shades.items() if part in used}
    return _chart(name, experiment, words, rows, kept, _time)


def _time(value: float) -> str:
    return "0" if value == 0 else text.duration(value)


def _counted(report: Report, experiment: Experiment) -> list[tuple[Cell, Node]]:
    """The counted cells of the last point that has any, for each model."""
    nodes = {
        node.get("id").string(): node.get("counts").object()
        for node in report.section.get("cells").items()
        if "counts" in node.object().value
    }
    mine = [
        cell for cell in report.cells
        if cell.experiment == experiment.name and cell.id in nodes
        and "requests" in nodes[cell.id].value
    ]
    last = {cell.model: cell for cell in mine}  # points ascend within a model
    return [(cell, nodes[cell.id]) for cell in _ordered(report, last.values())]


def _usual_first(cells: Sequence[Cell]) -> list[Cell]:
    """Those counted at the same point as most come first."""
    places: dict[str, list[Cell]] = {}
    for cell in cells:
        places.setdefault(trials.describe_point(cell), []).append(cell)
    return [cell for place in sorted(places, key=lambda one: -len(places[one])) for cell in places[place]]


def _elsewhere(cells: Sequence[Cell]) -> str:
    """Which models were counted at another point than the first."""
    usual = trials.describe_point(cells[0])
    places: dict[str, list[str]] = {}
    for cell in cells:
        places.setdefault(trials.describe_point(cell), []).append(cell.model)
    other = [f"{', '.join(models)} at {place}" for place, models in places.items() if place != usual]
    return f" Elsewhere: {'; '.join(other)}." if other else ""


def syscalls(report: Report) -> Chart | Absent:
    """Of the experiment in which the most models were counted; findings have the numbers of the others."""
    counted = max((_counted(report, one) for one in report.experiments), key=len, default=[])
    if not counted:
        return Absent("syscalls", "no cell has counts of system calls")
    calls: dict[str, dict[str, tuple[float, float]]] = {}
    weights: dict[str, float] = {}
    peaks: dict[str, float] = {}
    for cell, node in counted:
        requests = node.get("requests").number()
        mine = calls[cell.model] = {}
        for key, value in node.optional_object("syscalls").value.items():
            call = Node(node.path, value, f"{node.where}.syscalls.{key}").object()
            eagain = call.get("eagain", default=0).number()
            mine[key] = ((call.get("calls").number() - eagain) / requests, eagain / requests)
        # Each model counts alike: one with very many calls would name its own and nobody else's.
        total = sum(map(sum, mine.values())) or 1.0
        for key, both in mine.items():
            weights[key] = weights.get(key, 0.0) + sum(both) / total
            peaks[key] = max(peaks.get(key, 0.0), sum(both) / total)
    names = sorted((key for key in weights if peaks[key] >= LEAST_NAMED), key=lambda key: -weights[key])
    shown = names if len(names) <= MOST_NAMES else names[: MOST_NAMES - 1]
    shades = _shades(shown) | ({OTHERS: REST} if len(names) > len(shown) else {})
    rows = []
    for cell, _ in counted:
        mine = calls[cell.model]
        segments = []
        for key in shown:
            done, again = mine.get(key, (0.0, 0.0))
            segments += [Segment(key, done)] if done else []
            segments += [Segment(key, again, hatched=True)] if again else []
        rest = sum(sum(value) for key, value in mine.items() if key not in shown)
        segments += [Segment(OTHERS, rest)] if rest and OTHERS in shades else []
        total = sum(map(sum, mine.values()))
        rows.append(Row(
            cell.model, table.look(report, cell.model), tuple(segments), False, _count(total),
        ))
    sources = sorted({node.get("source").string() for _, node in counted})
    cells = _usual_first([cell for cell, _ in counted])
    words = Words(
        "System calls per request", _subtitle(report, cells),
        f"Counted by {' and '.join(sources)} in a pass of its own.{_elsewhere(cells)}",
        "System calls per request",
    )
    return _chart("syscalls", None, words, rows, shades, text.count, "EAGAIN")


def _shades(names: Sequence[str]) -> dict[str, str]:
    own = {name: shade for name, shade in zip(USUAL, SHADES) if name in names}
    free = (shade for shade in reversed(SHADES) if shade not in own.values())
    return {name: own.get(name) or next(free) for name in names}


def _count(value: float) -> str:
    return f"{value:.2f}" if value < 9.95 else f"{value:.1f}"


def _memory(report: Report, experiment: Experiment) -> Chart | Absent:
    keys = (metrics.PROCESS_MEMORY, metrics.KERNEL_MEMORY)
    cells = trials.main_point(report, experiment, *keys)
    told = [(cell, [cell.summary.get(key) for key in keys]) for cell in _ordered(report, cells)]
    rows = [
        Row(
            cell.model, table.look(report, cell.model),
            tuple(Segment(who, one.median) for who, one in zip(("process", "kernel"), both) if one),
            bool(cell.flags_against(metrics.MEMORY)),
            text.scaled(sum(one.median for one in both if one), text.SIZES),
        )
        for cell, both in told
    ]
    if rows:
        where, how = _subtitle(report, cells), f"Bars: medians over {captions.samples(cells)}."
    else:
        rows = _fitted_memory(report, experiment)
        where = " · ".join([experiment.question, *captions.run(report)])
        how = (
            "Bars: slope of a line through the server's memory over idle connections; "
            "line: its 95 % interval. Kernel memory is not in it."
        )
    if not rows:
        return Absent(f"{experiment.name}-memory", "memory per connection was not measured")
    most = max(row.total for row in rows)
    unit = next((size for size, _ in text.SIZES if most >= 2 * size), 1)
    words = Words("Memory per connection", where, how + _flags(rows), "Memory per connection", unit)
    shades = {"process": SHADES[0], "kernel": SHADES[1]}
    used = {segment.part for row in rows for segment in row.segments}
    kept = {part: colour for part, colour in shades.items() if part in used}
    return _chart(f"{experiment.name}-memory", experiment, words, rows, kept, partial(_bytes, unit))


def _bytes(unit: int, value: float) -> str:
    return f"{value / unit:g}{dict(text.SIZES)[unit]}" if value else "0"


def _fitted_memory(report: Report, experiment: Experiment) -> list[Row]:
    mine = {
        fit.model: fit for fit in report.fits
        if fit.experiment == experiment.name and fit.metric == metrics.MEMORY
    }
    return [
        Row(
            model, table.look(report, model), (Segment("process", max(mine[model].slope, 0.0)),),
            False, text.scaled(mine[model].slope, text.SIZES),
            (max(mine[model].low, 0.0), max(mine[model].high, 0.0)),
        )
        for model in sorted(mine, key=lambda model: table.rank(report, model))
    ]
