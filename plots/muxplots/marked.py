"""What a table's lines carry besides points: slopes and crossovers of idle cost, knees of rates."""

from dataclasses import replace

from muxplots import captions, metrics, text
from muxplots.report import Report
from muxplots.table import Table
from muxplots.trials import SERVED


def with_idle_cost(report: Report, table: Table) -> Table:
    """The driver's fits and crossovers; nothing is fitted here."""
    at = (table.experiment.name, table.metric.key)
    fits = {fit.model: fit for fit in report.fits if (fit.experiment, fit.metric) == at}
    rings = {one.model: one.value for one in report.crossovers if (one.experiment, one.metric) == at}
    against = {one.against for one in report.crossovers if (one.experiment, one.metric) == at}
    lines = []
    for line in table.lines:
        fit = fits.get(line.model)
        if fit and fit.low > 0:
            label = f"{line.model} +{text.scaled(fit.slope, text.TIMES)}"
            line = replace(line, label=label, fit=(fit.intercept, fit.slope))
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
    """Rings the highest offered rate that a model still served, with all below it."""
    unknown = {
        (cell.model, cell.point.get(table.parameter))
        for cell in report.cells
        if cell.experiment == table.experiment.name and metrics.THROUGHPUT in cell.withheld
    }
    achieved = {
        (cell.model, cell.point.get(table.parameter)): cell.summary[metrics.THROUGHPUT].median
        for cell in report.cells
        if cell.experiment == table.experiment.name and metrics.THROUGHPUT in cell.summary
    }
    lines = []
    for line in table.lines:
        knee = None
        for value in table.values:
            if (line.model, value) in unknown:
                continue
            if achieved.get((line.model, value), 0.0) < SERVED * value:
                break
            knee = value
        lines.append(replace(line, ring=knee))
    if all(line.ring is None for line in lines):
        return replace(table, notes="" if unknown else "No model served any of these rates in full.")
    notes = f"Ring: the knee, the highest rate of which {100 * SERVED:.0f} % was served."
    return replace(table, lines=tuple(lines), notes=notes)
