"""Charts of the micro-benchmarks: cost against N, and rows of single costs.

What they are made of (lines, names beside them, rows, pages) is what the charts of a report are
made of; here are only the tables.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from matplotlib.figure import Figure

from muxplots import figure, lines, micro_findings, micro_fit, rows, style
from muxplots.axes import Across, Measure
from muxplots.chart import Chart
from muxplots.layout import Layout
from muxplots.metrics import Metric
from muxplots.micro import NOISY, Micro, Timing
from muxplots.page import EDGE, LEFT, UNDER, UNDER_TITLE, Page
from muxplots.report import Experiment
from muxplots.style import Look
from muxplots.table import Fit, Line, Point, Scale, Table

PANEL_HEIGHT = 132.0
HEADING = 28.0

# Panels of the charts of waits.
KINDS = {
    "scan of all descriptors": ("select", "poll"),
    "set kept by the kernel": ("epoll_level", "epoll_edge", "kevent", "rt_signal"),
    "completion queue": ("aio_poll", "uring_poll"),
}

# A primitive, or a means of handing over, looks the same in all charts. Others are plain.
_LOOKS = style.apart((
    *micro_findings.PRIMITIVES, "thread_pool_queue", "pthread_create_join", "fork_wait", "scm_rights",
))
# Registering is the same to both ways of waiting.
_LOOKS["epoll"] = _LOOKS["epoll_level"]
_WAIT = Metric("real_time", "time of the wait", "ns", "less", "", False)
_CALL = Metric("real_time", "time", "ns", "less", "", False)


def plan(micro: Micro) -> list[Chart]:
    """Every chart that there is data for, in the order of a page."""
    found = []
    for pairs, shown in micro_findings.PAIRS.items():
        title = f"What does one wait cost? N watched {shown}"
        if any(_wait_table(micro, pairs, share).lines for share in micro_findings.SHARES):
            alt = f"Time of a wait against the number of watched {shown}, a line per primitive."
            draw = partial(_draw_waits, micro, pairs, title)
            found.append(Chart(f"micro-wait-{pairs}", title, alt, None, draw))
    for name, title, tabulate in (
        ("micro-registration", "What does it cost to tell the kernel what to watch?",
         _registrations),
        ("micro-hand-over", "What does it cost to hand work to somebody else?", _hand_overs),
        ("micro-floor", "What do single system calls cost, and what does our own code add?",
         _floor),
    ):
        if tabulate(micro):
            alt = "A row for each: its median time, and the lowest and highest repetition."
            draw = partial(_draw_rows, micro, title, tabulate)
            found.append(Chart(name, title, alt, None, draw))
    return found


def _draw_waits(micro: Micro, pairs: str, title: str, layout: Layout) -> Figure:
    """A row of panels for each share, with one for each kind of primitive: eight lines in one hide each other.

    Where the page is too narrow for that, they share one.
    """
    tables = {}
    for share, shown in micro_findings.SHARES.items():
        found = _wait_table(micro, pairs, share)
        if found.lines:
            tables[shown] = found
    every = [line for table in tables.values() for line in table.lines]
    beside = lines.column_width([line.name for line in every]) + EDGE
    whole_width = layout.panels - LEFT - EDGE
    fits = layout.across >= len(KINDS)
    kinds = KINDS if fits else {"": tuple(line.model for line in every)}
    panels = [
        (f"{shown[0].upper()}{shown[1:]}" + (f": {kind}" if kind else ""), table, named)
        for shown, table in tables.items()
        for kind, primitives in kinds.items()
        if (named := [line for line in table.lines if line.model in primitives])
    ]
    columns = min(len(kinds), len(panels))
    width = max(whole_width / columns - beside, layout.narrowest)
    step = HEADING + PANEL_HEIGHT + UNDER
    body = math.ceil(len(panels) / columns) * step
    whole = _table(_WAIT, "watched", every)
    page = Page(
        LEFT + columns * (width + beside) + EDGE,
        body + UNDER_TITLE + EDGE,
        title,
        _subtitle(micro),
        _caption(micro, every, "Line: median of {n} repetitions; band or bar: lowest to highest; beside it the time at its end. "
                 "Dashed and “+”: what each watched descriptor adds, by a straight line up to the N where it holds. "
                 "Grey: the other primitives.")
        + _wait_notes(micro),
    )
    across, measure = Across(whole.values), Measure(whole)
    for index, (heading, table, named) in enumerate(panels):
        row, column = divmod(index, columns)
        left = LEFT + column * (width + beside)
        bottom = page.top - row * step - HEADING - PANEL_HEIGHT
        plot = page.plot(left, bottom, width, PANEL_HEIGHT)
        figure.fill(plot, across, measure, named, [line for line in table.lines if line not in named])
        plot.tick_params(labelleft=column == 0)
        page.write(
            left, bottom + PANEL_HEIGHT + 6, heading,
            size=figure.FAMILY_SIZE, weight="bold", color=style.INK, va="bottom",
        )
        if index + columns >= len(panels):
            page.write_across_title("N, watched descriptors (log scale)", left + width / 2, bottom)
    page.write_up_title(measure.title(), page.top - body / 2)
    return page.figure


def _family(primitive: str, pairs: str, share: str) -> str:
    return f"wait_cost/{primitive}/{pairs}/ready:{share}"


def _wait_table(micro: Micro, pairs: str, share: str) -> Table:
    found = []
    for primitive in micro_findings.PRIMITIVES:
        timings = micro.family(_family(primitive, pairs, share))
        if timings:
            found.append(_with_growth(_line(primitive, timings), timings))
    return _table(_WAIT, "watched", found)


def _with_growth(line: Line, timings: Sequence[Timing]) -> Line:
    label = f"{line.model} {micro_findings.show(timings[-1].statistic.median)}"
    found = micro_fit.growth(timings)
    if found is None:
        return replace(line, label=label)
    fit, count = found
    first, last = (timing.argument or 0 for timing in (timings[0], timings[count - 1]))
    return replace(
        line, label=f"{label} (+{micro_findings.show(fit.slope)})", fit=Fit(fit.intercept, fit.slope, first, last),
    )


def _line(model: str, timings: Sequence[Timing]) -> Line:
    points = tuple(
        Point(timing.argument or 0, timing.statistic, ("noisy",) if timing.noisy else ())
        for timing in timings
    )
    return Line(model, _LOOKS[model], points)


def _table(metric: Metric, parameter: str, found: Sequence[Line]) -> Table:
    values = tuple(sorted({point.value for line in found for point in line.drawn()}))
    experiment = Experiment("micro", "", metric.key, False, (parameter,), None)
    return Table(experiment, parameter, metric, Scale.LOG, values, values, tuple(found), ())


def _draw_rows(
    micro: Micro, title: str, tabulate: Callable[[Micro], list[tuple[str, Look, Timing]]],
    layout: Layout,
) -> Figure:
    found = [
        Line(shown, look, (Point(0, timing.statistic, ("noisy",) if timing.noisy else ()),),
             f"{shown}  {micro_findings.show(timing.statistic.median)}")
        for shown, look, timing in tabulate(micro)
    ]
    caption = _caption(micro, found, "Marker and number: median of {n} repetitions; bar: lowest to "
                       "highest.")
    table = _table(_CALL, "", found)
    return rows.draw_panels(table, [table], layout, title, _subtitle(micro), caption)


def _registrations(micro: Micro) -> list[tuple[str, Look, Timing]]:
    found = []
    for operation in ("add", "modify", "delete"):
        for mechanism in ("epoll", "kevent", "uring_poll", "aio_poll", "rt_signal"):
            for timing in micro.family(f"registration_cost/{mechanism}/{operation}"):
                how = f", {timing.argument} in one call" if (timing.argument or 1) > 1 else ""
                found.append((f"{operation}: {mechanism}{how}", _LOOKS[mechanism], timing))
    return found


def _hand_overs(micro: Micro) -> list[tuple[str, Look, Timing]]:
    found = []
    for name, shown in micro_findings.HAND_OVER.items():
        timing = micro.time(name)
        if timing is not None:
            found.append((shown, _LOOKS.get(name.split("/")[1]) or _plain(), timing))
    return found


def _floor(micro: Micro) -> list[tuple[str, Look, Timing]]:
    found = []
    for name, shown in {**micro_findings.OWN_CODE, **micro_findings.FLOOR}.items():
        timing = micro.time(name)
        look = _plain()
        if name.endswith(("socketpair", "loopback_tcp")):
            look = Look("floor", style.ACCENT if "pair" in name else style.SECOND_ACCENT, "o")
        if timing is not None:
            found.append((shown, look, timing))
    return found


def _plain() -> Look:
    return Look("floor", style.NEUTRALS["INK"][0], "o")


def _subtitle(micro: Micro) -> str:
    context = micro.context
    date = str(context.get("date", ""))[:10]
    parts = [
        context.get("host_name"), context.get("kernel") and f"kernel {context['kernel']}",
        f"pinned to CPU {context.get('pinned_to_cpu', 'unknown')}", date,
    ]
    return " · ".join(str(part) for part in parts if part)


def _caption(micro: Micro, found: Sequence[Line], how: str) -> str:
    counts = sorted({point.statistic.n for line in found for point in line.drawn()})
    span = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    parts = [how.replace("{n}", span)]
    if any(point.flags for line in found for point in line.drawn()):
        parts.append(f"Hollow: varies by more than {100 * NOISY:.0f} % between repetitions (CV).")
    if any(line.model.endswith("kevent") or "kevent" in line.model for line in found):
        parts.append(f"kevent: {micro.context.get('kevent_backend', 'backend unknown')}.")
    return " ".join(parts)


def _wait_notes(micro: Micro) -> str:
    reasons = {name: why for name, why in micro.skipped.items() if name.startswith("wait_cost/")}
    by_reason: dict[str, int] = {}
    for why in reasons.values():
        by_reason[why] = by_reason.get(why, 0) + 1
    told = "; ".join(f"{count} ({why})" for why, count in by_reason.items())
    again = " aio_poll: arming again after each event is not in its wait."
    return again + (f" Skipped: {told}." if told else "")
