"""From cells of a report to what a chart draws: points per model, and what is absent."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from muxplots import style
from muxplots.metrics import RATIO, Metric
from muxplots.report import Cell, Experiment, Relative, Report, Statistic, reference_of
from muxplots.style import Look


class Scale(Enum):
    LINEAR = "from zero"
    LOG = "logarithmic"
    LOG_WHEN_WIDE = "from zero, or logarithmic where zero would hide most of the points"


@dataclass(frozen=True)
class Point:
    value: int
    statistic: Statistic
    flags: tuple[str, ...]
    sliced: bool = False  # the statistic is over rounds


@dataclass(frozen=True)
class Fit:
    """A straight line to draw, between the values where it holds."""

    intercept: float
    slope: float
    first: int
    last: int


@dataclass(frozen=True)
class Line:
    """One model's points in the order of the drawn values; None where it has none."""

    model: str
    look: Look
    points: tuple[Point | None, ...]
    label: str = ""  # what stands beside it, where that is more than the model's name
    ring: int | None = None  # the value of a point that the caption speaks of
    fit: Fit | None = None

    @property
    def name(self) -> str:
        return self.label or self.model

    def drawn(self) -> list[Point]:
        return [point for point in self.points if point is not None]


@dataclass(frozen=True)
class Absence:
    """Why a model has no points at some values: `why` is a cell's status, or one of those below."""

    model: str
    why: str
    values: tuple[int, ...]
    reason: str | None


UNMEASURED = "unmeasured"
WITHHELD = "withheld"

# A line through fewer values shows no more than a ranking at each of them.
FEWEST_FOR_LINES = 4


@dataclass(frozen=True)
class Table:
    """Everything that one chart draws. `sweep` holds all values of the experiment, drawn or not."""

    experiment: Experiment
    parameter: str
    metric: Metric
    scale: Scale
    sweep: tuple[int, ...]
    values: tuple[int, ...]
    lines: tuple[Line, ...]
    absences: tuple[Absence, ...]
    notes: str = ""  # what the caption says of labels, rings and fits
    reading: str = ""  # how to read a point and its spread, where that is no median of trials or rounds

    @property
    def has_lines(self) -> bool:
        return len(self.values) >= FEWEST_FOR_LINES

    def points(self) -> list[Point]:
        return [point for line in self.lines for point in line.drawn()]

    def at(self, value: int) -> "Table":
        """A single value of it: models from the best on, and then those that are flagged, in no order."""
        place = self.values.index(value)
        lines = [replace(line, points=(line.points[place],)) for line in self.lines if line.points[place]]
        sign = -1 if self.metric.more_is_better else 1

        def rank(line: Line) -> tuple[bool, float]:
            (point,) = line.drawn()
            return bool(point.flags), 0.0 if point.flags else sign * point.statistic.median

        return replace(self, values=(value,), lines=tuple(sorted(lines, key=rank)))


def swept_cells(report: Report, experiment: Experiment) -> dict[tuple[str, int], Cell] | str:
    """The cells of an experiment by model and swept value, or why they do not make a chart."""
    cells = [cell for cell in report.cells if cell.experiment == experiment.name]
    if not cells:
        return "it has no cells"
    if experiment.parameter is None:
        keys = " and ".join(experiment.swept)
        return f"it sweeps {keys}, and a chart has one axis across" if keys else "it sweeps nothing"
    swept: dict[tuple[str, int], Cell] = {}
    for cell in cells:
        value = cell.point.get(experiment.parameter)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
            return f"its {experiment.parameter} is not a count in every cell"
        if (cell.model, value) in swept:
            return f"it has several cells of {cell.model} at {experiment.parameter} {value}"
        swept[cell.model, value] = cell
    return swept


def tabulate(report: Report, experiment: Experiment, key: str, scale: Scale) -> Table | str:
    """What the chart of a metric in `experiment` draws, or why there is nothing to draw."""
    metric = report.metrics.get(key)
    if metric is None:
        return f"the report has no metric {key}"
    swept = swept_cells(report, experiment)
    if isinstance(swept, str):
        return swept
    points = {
        (model, value): Point(value, cell.summary[key], cell.flags_against(key), cell.sliced)
        for (model, value), cell in swept.items()
        if _is_drawable(cell, key, scale)
    }
    if not points:
        return why_withheld(swept.values(), key) or f"none of its cells has a value of {metric.title}"
    values = tuple(sorted({value for _, value in points}))
    models = sorted({model for model, _ in points}, key=lambda model: rank(report, model))
    return Table(
        experiment=experiment,
        parameter=experiment.parameter or "",
        metric=metric,
        scale=scale,
        sweep=tuple(sorted({value for _, value in swept})),
        values=values,
        lines=tuple(
            Line(model, look(report, model), tuple(points.get((model, value)) for value in values))
            for model in models
        ),
        absences=_absences({place: cell for place, cell in swept.items() if place not in points}, key),
    )


def beside_reference(report: Report, table: Table) -> Table | None:
    """The same points over those of the reference, with their intervals; None where too few have any."""
    swept = swept_cells(report, table.experiment)
    assert isinstance(swept, dict)
    related = {place: cell for place, cell in swept.items() if table.metric.key in cell.relative}
    if len({value for _, value in related}) < FEWEST_FOR_LINES:
        return None

    def beside(model: str, point: Point | None) -> Point | None:
        cell = related.get((model, point.value)) if point else None
        return replace(point, statistic=_interval(cell.relative[table.metric.key])) if point and cell else None

    lines = [replace(line, points=tuple(beside(line.model, one) for one in line.points)) for line in table.lines]
    lacking = {
        line.model: tuple(point.value for point in line.drawn() if (line.model, point.value) not in related)
        for line in table.lines
    }
    title = f"{table.metric.title} relative to {reference_of(related.values())}"
    return replace(
        table, metric=replace(table.metric, title=title, unit=RATIO), scale=Scale.LOG,
        lines=tuple(line for line in lines if line.drawn()),
        absences=(
            *table.absences,
            *(Absence(model, "no ratio", values, None) for model, values in lacking.items() if values),
        ),
        reading="Line: ratio over slices that were measured side by side; band or bar: 95 % interval.",
    )


def _interval(relative: Relative) -> Statistic:
    return Statistic(relative.n, relative.ratio, relative.low, relative.high)


def why_withheld(cells: Iterable[Cell], key: str) -> str | None:
    """Why a metric of all of these cells is not reported: the best case, or None where it was not withheld."""
    withheld = [cell for cell in cells if key in cell.withheld]
    if not withheld:
        return None
    best = max(withheld, key=lambda cell: cell.undisturbed or (0, 0))
    several = len({cell.why_withheld(key) for cell in withheld}) > 1
    return f"withheld: {best.why_withheld(key)}{', at best' if several else ''}"


def _is_drawable(cell: Cell, key: str, scale: Scale) -> bool:
    if cell.status != "measured" or key not in cell.summary:
        return False
    # A logarithmic axis has no place for a median of zero (CPU time too short to be counted).
    least = cell.summary[key].median
    return least > 0 or (least == 0 and scale is Scale.LINEAR)


def _absences(cells: dict[tuple[str, int], Cell], key: str) -> tuple[Absence, ...]:
    """One entry per model and cause, in the order of the causes' names and then the models'."""
    grouped: dict[tuple[str, str], list[tuple[int, str | None]]] = {}
    for (model, value), cell in sorted(cells.items()):
        withheld = cell.why_withheld(key)
        why = WITHHELD if withheld else UNMEASURED if cell.status == "measured" else cell.status
        grouped.setdefault((why, model), []).append((value, withheld or cell.reason))
    return tuple(
        Absence(
            model=model,
            why=why,
            values=tuple(value for value, _ in found),
            reason=found[0][1] if len({reason for _, reason in found}) == 1 else None,
        )
        for (why, model), found in sorted(grouped.items())
    )


def look(report: Report, model: str) -> Look:
    return _looks(report)[model]


def rank(report: Report, model: str) -> int:
    """Its place in charts: by family, in the order of the report."""
    return list(_looks(report)).index(model)


@lru_cache(maxsize=4)
def _looks(report: Report) -> dict[str, Look]:
    families = {model.name: model.family for model in report.models.values()}
    # A report may lack a model whose cells it has.
    families |= {cell.model: None for cell in report.cells if cell.model not in families}
    return style.looks(families.items())
