"""The words around a chart: host and run above it; how to read it and what is absent below it."""

import re
from collections.abc import Callable, Iterable, Sequence

from muxplots import axes, text, trials
from muxplots.report import Cell, Experiment, Report
from muxplots.table import UNMEASURED, WITHHELD, Absence, Table

# A reason longer than this is left to the report.
SHORT_REASON = 44

# As much as may stand in the list of what is absent before reasons, and then models, are left out.
MOST = 420

_WHY = {"skipped": "Skipped", "failed": "Failed", "missing": "Not run"}


def title(table: Table) -> str:
    """What is drawn against what."""
    against = axes.parameter_title(table.parameter)
    if not table.has_lines:
        return table.metric.heading
    return f"{table.metric.heading} against {against[:1].lower()}{against[1:]}"


def subtitle(report: Report, table: Table) -> str:
    """The question, and where and when it was answered."""
    # A single value has no axis to stand on, so it is told here.
    parts = [table.experiment.question] + ([at_value(table)] if len(table.values) == 1 else [])
    if table.metric.is_latency:
        parts.append(loop(table.experiment))
    return " · ".join([*parts, *run(report, table.experiment)])


def at_value(table: Table) -> str:
    """Which value it is that a table has alone."""
    return f"{axes.parameter_title(table.parameter)}: {text.count(table.values[0])}"


def loop(experiment: Experiment) -> str:
    """What a latency counts from: when a request was due, or when it was sent at last."""
    return "open loop" if experiment.open_loop else "closed loop"


def run(report: Report, experiment: Experiment | None = None) -> list[str]:
    """Where and when a report was measured, and how often an experiment of it."""
    kernel = report.kernel
    if kernel and kernel[0].isdigit():
        kernel = f"kernel {kernel}"
    often = how_often(report, experiment) if experiment else None
    return [part for part in (report.host, kernel, often, date(report)) if part]


def date(report: Report) -> str | None:
    found = re.match(r"\d{4}-\d\d-\d\d", report.started or "")
    return found[0] if found else None


def how_often(report: Report, experiment: Experiment) -> str | None:
    """"5 repetitions", or "3 rounds of 24 slices of 5 ms"."""
    sliced = trials.rounds(report, experiment.name)
    if sliced is None:
        return counted(experiment.repetitions, "repetition") if experiment.repetitions else None
    slices, lengths = span(sliced.slices, text.count), span(sliced.length_ns, text.duration)
    return f"{counted(sliced.rounds, 'round')} of {slices} slices of {lengths}".replace(" ", text.NO_BREAK)


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def span(ends: Sequence[float], show: Callable[[float], str]) -> str:
    """"4 to 20", or "4" where both ends are that."""
    return " to ".join(dict.fromkeys(map(show, (min(ends), max(ends)))))


def samples(cells: Iterable[Cell]) -> str:
    """What statistics of these cells are over: trials, rounds, or either."""
    methods = {cell.sliced for cell in cells if cell.status == "measured"}
    names = [name for name, sliced in (("rounds", True), ("trials", False)) if sliced in methods]
    return " or ".join(names) or "trials"


def caption(report: Report, table: Table, mark: str, spread: str, key: str = "") -> str:
    """`mark` and `spread` name what stands for a median and for the range around it."""
    parts = [_how_to_read(table, mark, spread), table.notes, key]
    flags = sorted({flag for point in table.points() for flag in point.flags})
    if flags:
        parts.append(f"Hollow: flagged ({', '.join(flag.replace('_', ' ') for flag in flags)}).")
    if report.interrupted:
        parts.append("The run was interrupted.")
    parts.extend(_backends(report, table))
    parts.append(absent(table))
    return " ".join(part for part in parts if part)


def absent(table: Table) -> str:
    """What has no point, in a few words: by cause, then models with the values they lack."""
    for with_reasons in (True, False):
        words = _absent(table, table.absences, with_reasons)
        if len(words) <= MOST:
            return words
    kept = list(table.absences)
    while len(words) > MOST - 12 and len(kept) > 1:
        kept.pop()
        words = _absent(table, kept, with_reasons=False)
    return f"{words} And {len(table.absences) - len(kept)} more."


def _how_to_read(table: Table, mark: str, spread: str) -> str:
    if table.reading:
        return table.reading
    counts = sorted({point.statistic.n for point in table.points()})
    methods = {point.sliced for point in table.points()}
    names = [name for name, sliced in (("round", True), ("repetition", False)) if sliced in methods]
    if counts == [1]:
        return f"One {' or '.join(names)}, so no spread is shown."
    many = " or ".join(f"{name}s" for name in names)
    return f"{mark}: median of {span(counts, text.count)} {many}; {spread}: lowest to highest."


def _backends(report: Report, table: Table) -> list[str]:
    """Where a mechanism is whatever implements it on this host, a chart that shows it says what that is."""
    drawn = {line.model: report.models.get(line.model) for line in table.lines}
    backends: dict[str, list[str]] = {}
    for name, model in drawn.items():
        if model and model.backend and (model.mechanism or "").startswith(model.backend):
            backends.setdefault(model.backend, []).append(name)
    return [f"{' and '.join(names)}: {how}." for how, names in backends.items()]


def _absent(table: Table, absences: Sequence[Absence], with_reasons: bool) -> str:
    by_cause: dict[str, dict[tuple[str, str], list[str]]] = {}
    for absence in absences:
        reason = absence.reason if with_reasons else None
        shown = reason if reason and len(reason) <= SHORT_REASON else ""
        alike = by_cause.setdefault(absence.why, {})
        alike.setdefault((_span(table, absence), shown.rstrip(".")), []).append(absence.model)
    sentences = []
    for why, alike in by_cause.items():
        groups = [
            f"{', '.join(models)}{span}{f' ({reason})' if reason else ''}"
            for (span, reason), models in alike.items()
        ]
        title = _WHY.get(why, why.capitalize())
        if why == UNMEASURED:
            title = f"No {table.metric.title}"
        if why == WITHHELD:
            title = f"{table.metric.heading} withheld"
        sentences.append(f"{title}: {'; '.join(groups)}.")
    return " ".join(sentences)


def _span(table: Table, absence: Absence) -> str:
    """The values of an absence: " at 8k", " from 100 to 1k", or nothing when it is all of them."""
    if absence.values == table.sweep:
        return ""
    places = [table.sweep.index(value) for value in absence.values]
    named = [text.count(value) for value in absence.values]
    is_run = places == list(range(places[0], places[0] + len(places)))
    if is_run and len(named) > 2:
        return f" from {named[0]} to {named[-1]}"
    return f" at {', '.join(named)}"


def alternative(report: Report, table: Table) -> str:
    """The chart in words, for those who cannot see it: what is drawn, and what was found there."""
    models = {line.model for line in table.lines}
    many = f"{len(models)} models" if len(models) > 1 else next(iter(models))
    return f"Chart: {title(table)} for {many}. " + found(
        report, table.experiment.name, table.metric.key
    )


def plain(markdown: str) -> str:
    """A finding without the marks of Markdown."""
    return re.sub(r"[*`]", "", markdown)


# As many sentences as a listener wants to hear about one chart.
MOST_FOUND = 4


def found(report: Report, experiment: str, metric: str | None = None) -> str:
    """The findings about an experiment, without the marks of Markdown."""
    told = [
        plain(finding.text)
        for finding in report.findings or ()
        if finding.experiment == experiment and metric in (None, finding.metric)
    ]
    more = len(told) - MOST_FOUND
    return " ".join(told[:MOST_FOUND] + ([f"And {more} more findings."] if more > 0 else []))
