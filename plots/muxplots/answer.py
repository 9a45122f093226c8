"""The models to take and to avoid, for each question that users have: the main chart, and its words.

Everything is the driver's: what is best, what is behind it, and how far. Here it is only shown.
"""

from functools import partial
from itertools import accumulate, pairwise

from muxplots import captions, metrics, style, table
from muxplots.chart import Absent, Chart
from muxplots.metrics import Metric
from muxplots.ranking import BEYOND, Panel, Row, Words, draw
from muxplots.report import Choice, Entry, Question, Relative, Report

NAME = "answer"
CAPTION = (
    "Marker: ratio to the reference at the same point; line: 95 % interval; at the right the ratio, or the reference's "
    "own value. Upper band: cannot be told apart from the best one. Lower band: behind it by half or more. " + BEYOND
)
# Closer to 1 than this a ratio is told in per cent.
FACTOR = 1.5


def plan(report: Report) -> list[Chart | Absent]:
    if report.answer is None:
        return []
    panels = tabulate(report)
    if not panels:
        return [Absent(NAME, "no two models could be ranked")]
    title = f"Models to take and to avoid: ratio to {' or '.join(sorted({panel.reference for panel in panels}))}"
    words = Words(title, " · ".join(captions.run(report)), CAPTION)
    return [Chart(NAME, title, _alternative(report, title), None, partial(draw, panels, words))]


def decided(report: Report) -> list[tuple[Question, Choice]]:
    """The questions that have an answer."""
    rows = report.answer.questions if report.answer else ()
    return [(row, row.choice) for row in rows if row.choice]


def tabulate(report: Report) -> list[Panel]:
    return [_panel(report, question, choice) for question, choice in decided(report)]


def _panel(report: Report, question: Question, choice: Choice) -> Panel:
    metric = report.metrics[choice.metric]
    groups = [sorted(group, key=lambda entry: order(metric, entry)) for group in (choice.best, choice.between, choice.avoid)]
    starts = list(accumulate(map(len, groups), initial=0))
    best, _, worst = pairwise(starts)
    return Panel(
        heading=question.question,
        reference=choice.reference,
        more_is_better=metric.more_is_better,
        rows=tuple(_row(report, choice, entry) for group in groups for entry in group),
        note=f"{choice.where}: {metric.title}",
        bands=((style.NEUTRALS["BEST"][0], *best), (style.NEUTRALS["WORST"][0], *worst)),
    )


def order(metric: Metric, entry: Entry) -> float:
    """The best one has the least."""
    return -entry.relative.ratio if metric.more_is_better else entry.relative.ratio


def _row(report: Report, choice: Choice, entry: Entry) -> Row:
    told = ratio(entry.relative) if entry.model != choice.reference else value(report, choice, entry)
    return Row(entry.model, table.look(report, entry.model), entry.relative, told, "")


def value(report: Report, choice: Choice, entry: Entry) -> str:
    unit = report.metrics[choice.metric].unit
    return metrics.show(entry.value, unit) + ("/s" if unit == "1/s" else "")


def ratio(relative: Relative) -> str:
    """"+12 %", or "2.1 times" where per cents are hard to read."""
    return _told(relative)[0]


def interval(relative: Relative) -> str:
    """"+8 to +16", or "1.9 to 2.3": what stands in brackets behind the ratio."""
    return " to ".join(_told(relative)[1:])


def _told(relative: Relative) -> tuple[str, str, str]:
    low, high = relative.low, relative.high
    if 1 / FACTOR < relative.ratio < FACTOR:
        return f"{_percent(relative.ratio)} %", _percent(low), _percent(high)
    return f"{_times(relative.ratio)} times", _times(low), _times(high)


def _percent(number: float) -> str:
    return f"{round(100 * (number - 1)):+d}"


def _times(number: float) -> str:
    return f"{number:.2g}" if number < 10 else f"{number:.0f}"


def share(number: float) -> str:
    """0.031 as "3.1 %", 0.71 as "71 %"."""
    return f"{100 * number:.{1 if number < 0.0995 else 0}f} %"


def _alternative(report: Report, title: str) -> str:
    told = []
    for question, choice in decided(report):
        groups = {"best": choice.best, "between": choice.between, "to avoid": choice.avoid}
        named = [f"{name} {', '.join(entry.model for entry in group)}" for name, group in groups.items() if group]
        told.append(f"{question.question} ({choice.where}): {'; '.join(named)}.")
    return f"Chart: {title}. {' '.join(told)}"


def trust(report: Report) -> str:
    """How far this machine can be trusted, in a sentence; empty where that is not known."""
    known = report.answer.trust if report.answer else None
    if known is None or known.half_width_of_half is None or known.half_width_of_most is None:
        return ""
    parts = [
        f"On this machine{_machine(report)} CPU time per request is known to {share(known.half_width_of_half)} for half of "
        f"the cells and to {share(known.half_width_of_most)} for nine in ten"
    ]
    if known.twins_apart is not None:
        parts.append(f"the same server measured twice was up to {share(known.twins_apart)} from itself")
    if known.host_change is not None:
        parts.append(f"the host changed its speed by up to {share(known.host_change)} (ratios that depend on it are flagged)")
    return f"{'; '.join(parts)}."


def _machine(report: Report) -> str:
    host = report.section.optional_object("host")
    cpus = host.get("cpus", default=None)
    kind = host.optional_string("virtualisation")
    known = [captions.counted(cpus.integer(), "CPU")] if cpus.value is not None else []
    known += [kind] if kind and kind not in ("none", "unknown") else []
    return f" ({', '.join(known)})" if known else ""
