"""What a table's lines carry besides points: slopes and crossovers of idle cost, knees of rates."""

from dataclasses import replace

from muxplots import captions, metrics, text
from muxplots.report import Report
from muxplots.table import Fit, Table
from muxplots.trials import SERVED


def with_idle_cost(report: Report, table: Table) -> Table:
    """The driver's fits and crossovers; nothing is fitted here."""
    at = (table.experiment.name, table.metric.key)
    fits = {fit.model: fit for fit in report.fits if (fit.experiment, fit.metric) == at}
    rings = {one.model: one.value for one in report.crossovers if (one.experiment, one.metric) == at}
    positive = [value for value in table.values if value > 0]
    against = {one.against for one in report.crossovers if (one.experiment, one.metric) == at}
    lines = []
    for line in table.lines:
        fit = fits.get(line.model)
        if fit and fit.low > 0:
            label = f"{line.model} +{text.scaled(fit.slope, text.TIMES)}"
            line = replace(line, label=label, fit=Fit(fit.intercept, fit.slope, positive[0], positive[-1]))
        lines.append(replace(line, ring=rings.get(line.model)))
    notes = []
    if any(line.fit for line in lines):
        notes.append(
            "Dashed and “+”: what each idle connection adds, by a straight line through all "
            f"{captions.samples(cell for cell in report.cells if cell.experiment == at[0])} "
            "(where its 95 % interval lies above zero)."
        )
    if any(line.ring is not None for line in lines):
        notes.append(f"Ring: from here on worse than {' and '.join(sorted(against))}.")
    return replace(table, lines=tuple(lines), notes=" ".join(notes))


def with_knees(report: Report, table: Table) -> Table:
    """Rings the highest offered rate that a model still served, where a higher one was tried and not served."""
    cells = [cell for cell in report.cells if cell.experiment == table.experiment.name]
    achieved = {
        (cell.model, cell.point[table.parameter]): cell.summary[metrics.THROUGHPUT].median
        for cell in cells if metrics.THROUGHPUT in cell.summary
    }

    def knee(model: str) -> int | None:
        tried = [rate for rate in table.values if (model, rate) in achieved]
        missed = next((place for place, rate in enumerate(tried) if achieved[model, rate] < SERVED * rate), 0)
        return tried[missed - 1] if missed else None

    lines = tuple(replace(line, ring=knee(line.model)) for line in table.lines)
    if all(line.ring is None for line in lines):
        return replace(table, notes="No knee lies between these rates.")
    return replace(
        table, lines=lines,
        notes=f"Ring: the knee, the highest rate of which {100 * SERVED:.0f} % was served; the next was not.",
    )
