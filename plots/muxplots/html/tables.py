"""Tables of the page: the cells of an experiment, the host, the method, and what could not be measured."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from muxplots import answer, captions, metrics, ranking, trials
from muxplots.metrics import Metric
from muxplots.report import Cell, Experiment, Relative, Report, Statistic, place, references


def cells(report: Report, experiment: Experiment) -> str:
    """One row per cell, the best first at each point, with what sorting, filtering and comparing need in data attributes."""
    mine = [cell for cell in report.cells if cell.experiment == experiment.name]
    if not mine:
        return ""
    columns = [
        metric for metric in report.metrics.values()
        if metric.compared and any(metric.key in cell.summary for cell in mine)
    ]
    columns.sort(key=lambda metric: metric.key != experiment.metric)
    heads = [("model", "Model", ""), ("family", "Family", ""), ("point", "Point", "")]
    heads += [(column.key, column.heading, column.better) for column in columns]
    if any(cell.sliced for cell in mine):
        heads += [("relative", CPU_RATIO, ""), ("undisturbed", "Undis\u00adturbed slices", "")]
    samples = captions.samples(mine)
    heads += [("n", samples.capitalize(), ""), ("remarks", "Remarks", "")]
    head = "".join(
        f'<th scope="col" data-key="{html.escape(key)}" data-better="{html.escape(better)}" aria-sort="none">'
        f'<button type="button">{html.escape(title)}</button></th>'
        for key, title, better in heads
    )
    titles = [title for _, title, _ in heads]
    related = references(mine)
    rows = "\n".join(_row(report, experiment, cell, columns, titles, related) for cell in _best_first(report, experiment, mine))
    one = sample(samples)
    return (
        f'<table class="cells cards" data-sample="{one}"><caption>The best first at each point. Medians over {samples}, with '
        f"the lowest and the highest {one} below.</caption><thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table>"
    )


CPU_RATIO = "CPU relative to the reference"
RELATIVE = (
    f"{CPU_RATIO}: the difference in server CPU per request from blocks of slices that ran side by "
    "side, with its 95 % interval below. Undisturbed: slices in which no other process took much of a CPU."
)


def sample(samples: str) -> str:
    """One of the `samples`: "round or trial"."""
    return " or ".join(one.removesuffix("s") for one in samples.split(" or "))


def _best_first(report: Report, experiment: Experiment, cells: Sequence[Cell]) -> list[Cell]:
    """By the metric that answers the experiment; what is flagged or has no value comes last at its point."""
    points = list(dict.fromkeys(place(cell) for cell in cells))
    metric = report.metrics.get(experiment.metric)
    sign = -1 if metric and metric.more_is_better else 1

    def order(cell: Cell) -> tuple:
        relative, summary = cell.relative.get(experiment.metric), cell.summary.get(experiment.metric)
        value = relative.ratio if relative else summary.median if summary else 0.0
        flagged = bool(cell.flags_against(experiment.metric))
        return points.index(place(cell)), summary is None, flagged, relative is None, sign * value

    return sorted(cells, key=order)


def _row(
    report: Report, experiment: Experiment, cell: Cell, columns: Sequence[Metric], titles: Sequence[str],
    related: dict[tuple, str],
) -> str:
    model = report.models.get(cell.model)
    family = (model.family if model else None) or "other"
    value = cell.point.get(experiment.swept[0]) if experiment.swept else None
    order = value if isinstance(value, (int, float)) else ""
    point = trials.describe_point(cell)
    counted = next(iter(cell.summary.values())).n if cell.summary else 0
    reference = related.get(place(cell))
    written = [Field(html.escape(family)), Field(html.escape(point), order, "")]
    written += [
        _WITHHELD if column.key in cell.withheld
        else _number(cell.summary.get(column.key), column.unit, cell.relative.get(column.key))
        for column in columns
    ]
    if CPU_RATIO in titles:
        is_reference = cell.model == reference
        written += [Field("reference", 1) if is_reference else _relative(cell.relative.get(metrics.CPU)), _undisturbed(cell)]
    written += [Field(str(counted), counted), Field(_remarks(cell))]
    flagged = ' class="flagged"' if cell.flagged or cell.status != "measured" else ""
    names = {
        "model": cell.model, "family": family, "experiment": cell.experiment, "point": point,
        "state": cell.status if flagged else "clean", "reference": reference or "",
    }
    data = " ".join(f'data-{name}="{html.escape(one)}"' for name, one in names.items())
    return f'<tr{flagged} {data}><th scope="row">{html.escape(cell.model)}</th>{_write(titles[1:], written)}</tr>'


@dataclass(frozen=True)
class Field:
    """What stands in a cell of a table: `value` is what it is sorted by, empty where there is none."""

    body: str
    value: object = None  # None: by its words
    kind: str = "n"
    relative: str = ""  # the ratio to the reference, for comparing two models

    def write(self, title: str) -> str:
        data = "" if self.value is None else f' class="{self.kind}" data-value="{self.value}"'
        data += f' data-relative="{self.relative}"' if self.relative else ""
        return f'<td data-title="{html.escape(title)}"{data}>{self.body}</td>'


def _write(titles: Sequence[str], fields: Sequence[Field]) -> str:
    return "".join(field.write(title) for title, field in zip(titles, fields, strict=True))


_WITHHELD = Field("withheld", "", "n withheld")


def _relative(relative: Relative | None) -> Field:
    if relative is None:
        return Field("–", "")
    difference, interval = _interval(relative)
    return Field(f"{difference}<small>{interval}</small>", f"{relative.ratio:.9g}")


def _interval(relative: Relative) -> tuple[str, str]:
    """"-37.9 %" and "-41.9 to -33.5 %"; a unit that both ends have stands once."""
    difference, low, high = map(ranking.difference, (relative.ratio, relative.low, relative.high))
    number, _, suffix = low.partition(" ")
    return difference, f"{number if high.endswith(suffix) else low} to {high}"


def _undisturbed(cell: Cell) -> Field:
    slices, of = cell.undisturbed or (0, 0)
    return Field(f"{slices} of {of}", f"{slices / of:.9g}") if of else Field("–", "")


def slices(report: Report) -> str:
    """What the columns of slices say; each reason once, with the metrics and the cells that it concerns."""
    if not any(cell.sliced for cell in report.cells):
        return ""
    reasons: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for cell in report.cells:
        for key, reason in cell.withheld.items():
            titles, cells = reasons.setdefault(reason, ({}, {}))
            titles[report.metrics[key].title] = cells[cell.id] = None
    note = f"<p>{RELATIVE}</p>"
    if not reasons:
        return note
    items = "".join(
        f"<li>{html.escape(', '.join(titles))}: {html.escape(reason)} ({html.escape(', '.join(cells))}).</li>"
        for reason, (titles, cells) in reasons.items()
    )
    count = captions.counted(sum(bool(cell.withheld) for cell in report.cells), "cell")
    return f"{note}<details><summary>Metrics withheld in {count}, and why</summary><ul>{items}</ul></details>"


def noise_floor(report: Report) -> str:
    """The same server measured twice at each point: smaller differences between models may be noise."""
    columns = [
        metric for metric in report.metrics.values()
        if metric.compared and any(metric.key in twin.relative for twin in report.twins)
    ]
    if not columns:
        return ""
    titles = ["Server", *(column.heading for column in columns), "Undisturbed"]
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in ["Experiment and point", *titles])
    rows = "".join(_noise_row(twin, columns, titles) for twin in report.twins)
    return (
        '<table id="noise" class="cards"><caption>Noise floor (A/A): the same server measured under two names in every block, '
        "the second relative to the first, with the 95 % interval. A smaller difference between models may be noise.</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _noise_row(twin: Cell, columns: Sequence[Metric], titles: Sequence[str]) -> str:
    cells = [
        Field(html.escape(twin.model)),
        *(_WITHHELD if one.key in twin.withheld else _relative(twin.relative.get(one.key)) for one in columns),
        _undisturbed(twin),
    ]
    name = html.escape(f"{twin.experiment}: {trials.describe_point(twin)}")
    return f'<tr><th scope="row">{name}</th>{_write(titles, cells)}</tr>'


def _number(statistic: Statistic | None, unit: str, relative: Relative | None) -> Field:
    if statistic is None:
        return Field("–", "")
    spread = f"<small>{html.escape(_range(statistic, unit))}</small>" if statistic.n > 1 else ""
    body = html.escape(metrics.show(statistic.median, unit)) + spread
    ratio = f"{answer.ratio(relative)} ({answer.interval(relative)})" if relative else ""
    return Field(body, f"{statistic.median:.9g}", relative=ratio)


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


def flags(report: Report) -> str:
    """How often each remark was made, with one example."""
    kinds: dict[str, list[str]] = {}
    for cell in report.cells:
        for flag in cell.flags:
            kinds.setdefault(flag.kind.replace("_", " "), []).append(f"{cell.id}: {flag.detail}")
    rows = [(kind, f"{captions.counted(len(told), 'cell')}, for example {told[0]}") for kind, told in sorted(kinds.items())]
    return pairs("Remarks", rows) if rows else ""


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


_OF_LOAD_HOSTS = ("load_host_facts", "path")  # these have a part of the page


def method(report: Report) -> str:
    run = report.section.optional_object("run").value
    plan = report.section.optional_object("plan").value
    rows = [(key, _plain(key, run[key])) for key in ("started", "finished", "profile", "seed", "version") if key in run]
    git = run.get("git")
    if isinstance(git, dict):
        dirty = " with changes" if git.get("dirty") else ""
        rows.append(("revision", f"{git.get('revision', '')}{dirty}"))
    rows += [(key.replace("_", " "), _plain(key, plan[key])) for key in plan if key not in _OF_LOAD_HOSTS]
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
            if key in told:
                parts.append(f"{key[:-3]} {metrics.show(node.get(key).number(), 'ns')}")
        parts.append(f"{told.get('repetitions', '?')} repetitions planned")
        rows.append((str(told.get("name")), "; ".join(parts)))
    return pairs("Experiments as run", rows)


def _plain(key: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_plain(name, one)}" for name, one in value.items())
    if key.endswith("_bytes") and isinstance(value, (int, float)) and abs(value) < 1e300:
        return metrics.show(value, "bytes")
    return str(value)
