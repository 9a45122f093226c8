"""Tables of the page: all cells, the host, the method, and what could not be measured."""

import html
from collections.abc import Sequence

from muxplots import captions, metrics, ranking, trials
from muxplots.metrics import Metric
from muxplots.report import Cell, Relative, Report, Statistic, references


def cells(report: Report) -> str:
    """One row per cell, with what sorting, filtering and comparing need in data attributes."""
    columns = [
        metric for metric in report.metrics.values()
        if metric.compared and any(metric.key in cell.summary for cell in report.cells)
    ]
    heads = [("model", "Model", ""), ("family", "Family", ""), ("experiment", "Experiment", ""),
             ("point", "Point", "")]
    samples = captions.samples(report.cells)
    sliced = any(cell.sliced for cell in report.cells)
    if sliced:
        heads += [("relative", "CPU beside reference", ""), ("undisturbed", "Undis\u00adturbed slices", "")]
    heads += [(column.key, column.heading, column.better) for column in columns]
    heads += [("n", samples.capitalize(), ""), ("remarks", "Remarks", "")]
    head = "".join(
        f'<th scope="col" data-key="{key}" data-better="{better}" aria-sort="none">'
        f'<button type="button">{html.escape(title)}</button></th>'
        for key, title, better in heads
    )
    with_them = references(report.cells) if sliced else None
    rows = "\n".join(_row(report, cell, columns, with_them) for cell in report.cells)
    one = sample(samples)
    return (
        f'<table id="cells" data-sample="{one}"><caption>All cells: medians over {samples}, with the lowest and the '
        f"highest {one} below.</caption><thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table>"
    )


BESIDE = (
    "CPU beside reference: the difference in server CPU per request from blocks of slices that ran side by "
    "side, with its 95 % interval below. Undisturbed: slices in which no other process took much of a CPU."
)


def sample(samples: str) -> str:
    """One of the `samples`: "round or trial"."""
    return " or ".join(one.removesuffix("s") for one in samples.split(" or "))


def _row(
    report: Report, cell: Cell, columns: Sequence[Metric], compared_with: set[str] | None
) -> str:
    model = report.models.get(cell.model)
    family = (model.family if model else None) or "other"
    swept = {one.name: one.swept for one in report.experiments}.get(cell.experiment)
    value = cell.point.get(swept[0]) if swept else None
    order = value if isinstance(value, (int, float)) else ""
    point = trials.describe_point(cell)
    counted = next(iter(cell.summary.values())).n if cell.summary else 0
    written = [
        f'<th scope="row">{html.escape(cell.model)}</th><td>{html.escape(family)}</td>'
        f"<td>{html.escape(cell.experiment)}</td>"
        f'<td data-value="{order}">{html.escape(point)}</td>'
    ]
    if compared_with is not None:
        is_reference = cell.id in compared_with
        written += [_REFERENCE if is_reference else _relative(cell.relative.get(metrics.CPU)), _undisturbed(cell)]
    written += [
        _WITHHELD if column.key in cell.withheld else _number(cell.summary.get(column.key), column.unit)
        for column in columns
    ]
    written.append(f'<td class="n" data-value="{counted}">{counted}</td><td>{_remarks(cell)}</td>')
    flagged = ' class="flagged"' if cell.flagged or cell.status != "measured" else ""
    names = (
        f'data-model="{html.escape(cell.model)}" data-family="{html.escape(family)}" '
        f'data-experiment="{html.escape(cell.experiment)}" data-point="{html.escape(point)}" '
        f'data-state="{"clean" if not flagged else cell.status}"'
    )
    return f"<tr{flagged} {names}>{''.join(written)}</tr>"


_REFERENCE = '<td class="n" data-value="1">reference</td>'
_WITHHELD = '<td class="n withheld" data-value="">withheld</td>'


def _relative(relative: Relative | None) -> str:
    if relative is None:
        return '<td class="n" data-value="">–</td>'
    difference, interval = _interval(relative)
    return f'<td class="n" data-value="{relative.ratio:.9g}">{difference}<small>{interval}</small></td>'


def _interval(relative: Relative) -> tuple[str, str]:
    """"-37.9 %" and "-41.9 to -33.5 %"; a unit that both ends have stands once."""
    difference, low, high = map(ranking.difference, (relative.ratio, relative.low, relative.high))
    number, _, suffix = low.partition(" ")
    return difference, f"{number if high.endswith(suffix) else low} to {high}"


def _undisturbed(cell: Cell) -> str:
    slices, of = cell.undisturbed or (0, 0)
    share, told = (f"{slices / of:.9g}", f"{slices} of {of}") if of else ("", "–")
    return f'<td class="n" data-value="{share}">{told}</td>'


def slices(report: Report) -> str:
    """What the columns of slices say; each reason once, with the metrics and the cells that it concerns."""
    if not any(cell.sliced for cell in report.cells):
        return ""
    reasons: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for cell in report.cells:
        for key, reason in cell.withheld.items():
            titles, cells = reasons.setdefault(reason, ({}, {}))
            titles[report.metrics[key].title] = cells[cell.id] = None
    note = f"<p>{BESIDE}</p>"
    if not reasons:
        return note
    items = "".join(
        f"<li>{html.escape(', '.join(titles))}: {html.escape(reason)} ({html.escape(', '.join(cells))}).</li>"
        for reason, (titles, cells) in reasons.items()
    )
    count = captions.counted(sum(bool(cell.withheld) for cell in report.cells), "cell")
    return f"{note}<details><summary>Metrics withheld in {count}, and why</summary><ul>{items}</ul></details>"


def noise_floor(report: Report) -> str:
    """The same server measured twice at each point: what smaller differences mean nothing beside."""
    columns = [
        metric for metric in report.metrics.values()
        if metric.compared and any(metric.key in twin.relative for twin in report.twins)
    ]
    if not columns:
        return ""
    head = "".join(f'<th scope="col">{html.escape(column.heading)}</th>' for column in columns)
    rows = "".join(
        f'<tr><th scope="row">{html.escape(f"{twin.experiment}: {trials.describe_point(twin)}")}</th>'
        f"<td>{html.escape(twin.model)}</td>"
        + "".join(_WITHHELD if column.key in twin.withheld else _relative(twin.relative.get(column.key)) for column in columns)
        + _undisturbed(twin) + "</tr>"
        for twin in report.twins
    )
    return (
        '<table id="noise"><caption>Noise floor (A/A): the same server measured under two names in every block, the '
        "second beside the first, with the 95 % interval. Smaller differences between models mean nothing.</caption>"
        f'<thead><tr><th scope="col">Experiment and point</th><th scope="col">Server</th>{head}'
        f'<th scope="col">Undisturbed</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _number(statistic: Statistic | None, unit: str) -> str:
    if statistic is None:
        return '<td class="n" data-value="">–</td>'
    spread = ""
    if statistic.n > 1:
        spread = f"<small>{_range(statistic, unit)}</small>"
    return (
        f'<td class="n" data-value="{statistic.median:.9g}" data-low="{statistic.low:.9g}" '
        f'data-high="{statistic.high:.9g}" data-n="{statistic.n}">{metrics.show(statistic.median, unit)}{spread}</td>'
    )


def _range(statistic: Statistic, unit: str) -> str:
    """Lowest to highest; a unit that both have stands once, so that the table's last column is seen."""
    low, high = metrics.show(statistic.low, unit), metrics.show(statistic.high, unit)
    number, _, suffix = low.partition(" ")
    return f"{number} – {high}" if high.partition(" ")[2] == suffix else f"{low} – {high}"


def _remarks(cell: Cell) -> str:
    if cell.status != "measured":
        return html.escape(f"{cell.status}: {cell.reason or 'no reason given'}")
    return "; ".join(
        f'<abbr title="{html.escape(flag.detail)}">{html.escape(flag.kind.replace("_", " "))}</abbr>'
        for flag in cell.flags
    )


def pairs(caption: str, rows: Sequence[tuple[str, str]]) -> str:
    """A table of names and values."""
    body = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'
        for name, value in rows
    )
    return f"<table class=pairs><caption>{html.escape(caption)}</caption><tbody>{body}</tbody></table>"


def host(report: Report) -> str:
    told = report.section.optional_object("host").value
    return pairs("Host", [(key.replace("_", " "), _plain(key, told[key])) for key in told])


def method(report: Report) -> str:
    run = report.section.optional_object("run").value
    plan = report.section.optional_object("plan").value
    rows = [(key, _plain(key, run[key])) for key in ("started", "finished", "profile", "seed", "version") if key in run]
    git = run.get("git")
    if isinstance(git, dict):
        dirty = " with changes" if git.get("dirty") else ""
        rows.append(("revision", f"{git.get('revision', '')}{dirty}"))
    rows += [(key.replace("_", " "), _plain(key, plan[key])) for key in plan]
    command = run.get("command_line")
    if isinstance(command, list):
        rows.append(("command", " ".join(map(str, command))))
    return pairs("Run", rows)


def experiments(report: Report) -> str:
    rows = []
    for node in report.section.get("experiments").items():
        told = node.value
        sweep = told.get("sweep") if isinstance(told.get("sweep"), dict) else {}
        load = told.get("load") if isinstance(told.get("load"), dict) else {}
        parts = [f"{told.get('protocol', '?')} over {told.get('transport', '?')}"]
        parts += [f"{key.replace('_', ' ')} {value}" for key, value in load.items() if key not in sweep]
        parts += [f"{key.replace('_', ' ')} {_plain('', values)}" for key, values in sweep.items()]
        for key in ("warmup_ns", "duration_ns"):
            if isinstance(told.get(key), int):
                parts.append(f"{key[:-3]} {metrics.show(told[key], 'ns')}")
        parts.append(f"{told.get('repetitions', '?')} repetitions planned")
        rows.append((str(told.get("name")), "; ".join(parts)))
    return pairs("Experiments as run", rows)


def _plain(key: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_plain(name, one)}" for name, one in value.items())
    if key.endswith("_bytes") and isinstance(value, (int, float)):
        return metrics.show(value, "bytes")
    return str(value)
