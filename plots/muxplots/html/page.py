"""Put the parts of a report together into one page."""

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

from muxplots import answer, captions, charts, drift, host, host_levels, micro_charts, micro_findings, style
from muxplots.chart import Absent, Chart
from muxplots.html import first_screen, load_hosts, svg, tables, verdicts
from muxplots.micro import Micro
from muxplots.report import Experiment, Finding, Report

_HERE = Path(__file__).parent

# What comes first is what a reader asks first.
_ORDER = ("best", "tie", "undecided", "crossover", "slope", "cost")
# Where charts of no single experiment belong.
_PLACES = {answer.NAME: "answer", drift.NAME: "method", host.NAME: "method", host_levels.NAME: "method"}


def build(report: Report, raw: str | None, micro: Micro | None = None) -> str:
    """The page of a report; `raw` is where the report itself lies, seen from the page. `micro` is
    what the micro-benchmarks of the same run measured."""
    planned, absent = charts.plan(report)
    figures: dict[str, str] = defaultdict(str)
    drawings = svg.Drawings()
    with style.theme("light"):
        for chart in planned:
            figures[_place(chart)] += _figure(drawings, chart)
        for chart in micro_charts.plan(micro) if micro else ():
            figures["micro"] += _figure(drawings, chart)
    light, dark = drawings.colours()
    folds = [_fold("overview", "All experiments", figures["overview"], report)]
    folds += [_experiment(report, experiment, figures[f"experiment-{experiment.name}"]) for experiment in report.experiments]
    folds.append(_fold("load-hosts", load_hosts.TITLE, load_hosts.section(report), report))
    folds.append(_fold("micro", micro_findings.TITLE, _micro_findings(micro) + figures["micro"], report))
    samples = captions.samples(report.cells)
    return Template((_HERE / "page.html").read_text()).substitute(
        title=html.escape(" · ".join(filter(None, ["muxbench", report.host, captions.date(report)]))),
        css=(_HERE / "page.css").read_text(),
        script=(_HERE / "page.js").read_text(),
        fonts=svg.FONTS,
        drawn=drawings.rules(),
        light=light,
        dark=dark,
        interrupted=_interrupted(report),
        answer=first_screen.write(report, figures["answer"]),
        without_findings=_without_findings(report),
        folds="\n".join(folds),
        slices=tables.slices(report),
        noise=_scrolling("Noise floor", tables.noise_floor(report)),
        method_charts=figures["method"],
        how=_how(report),
        samples=samples,
        sample=tables.sample(samples),
        unless=_unless(report),
        of_the_run=_items([one for one in report.findings or () if one.experiment is None]),
        method=tables.flags(report) + tables.method(report) + tables.experiments(report) + tables.host(report),
        absent=_absent(absent),
        no_verdicts=verdicts.remark(report),
        verdicts=verdicts.script(report),
        unavailable=_unavailable(report),
        raw=_raw(raw),
    )


def _place(chart: Chart) -> str:
    """The part of the page that it belongs to."""
    return f"experiment-{chart.experiment}" if chart.experiment else _PLACES.get(chart.name, "overview")


def sentence(markdown: str) -> str:
    """The two marks of Markdown that findings use, as HTML; no line ends within an option's name."""
    written = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(markdown))
    written = re.sub(r"(?<![\w-])--[a-z-]+", r"<span class=option>\g<0></span>", written)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", written)


def _items(findings: Iterable[Finding]) -> str:
    items = "".join(f"<li>{sentence(finding.text)}</li>" for finding in findings)
    return f'<ul class="findings">{items}</ul>' if items else ""


def _fold(name: str, title: str, body: str, report: Report) -> str:
    """A part that is one click away; an older report has nothing above it, and shows it at once."""
    if not body:
        return ""
    shown = " open" if report.answer is None else ""
    return f'<details class="fold" id="{name}"{shown}><summary><h2>{html.escape(title)}</h2></summary>\n{body}\n</details>'


def _experiment(report: Report, experiment: Experiment, figures: str) -> str:
    name = html.escape(experiment.name)
    table = tables.cells(report, experiment)
    cells = (_HERE / "filters.html").read_text() + _scrolling(f"Cells of {name}", table) if table else ""
    title = f"{experiment.name}: {experiment.question}"
    return _fold(f"experiment-{name}", title, _findings(report, experiment) + figures + cells, report)


def _findings(report: Report, experiment: Experiment) -> str:
    if report.findings is None:
        return ""
    mine = [one for one in report.findings if one.experiment == experiment.name]
    first = sorted((one for one in mine if one.kind in _ORDER), key=lambda one: _ORDER.index(one.kind))
    rest = [one for one in mine if one.kind not in _ORDER]
    found = _items(first) or f"<p>Nothing that the {captions.samples(report.cells)} of this run support.</p>"
    if rest:
        found += f"<details><summary>Flagged, skipped or missing: {len(rest)}</summary>{_items(rest)}</details>"
    return found


def _without_findings(report: Report) -> str:
    if report.findings is not None:
        return ""
    return (
        "<p>This report carries no findings, for it is older than schema 1.1; "
        "<code>muxbench export REPORT --to markdown</code> computes them.</p>"
    )


def _micro_findings(micro: Micro | None) -> str:
    if micro is None:
        return ""
    items = "".join(f"<li>{html.escape(one)}</li>" for one in micro_findings.sentences(micro))
    return f"<ul>{items}</ul>"


def _scrolling(name: str, markup: str) -> str:
    if not markup:
        return ""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">{markup}</div>'


_TRIALS = (
    "Each trial is a fresh server process; trials of all cells ran interleaved in random order. "
)
_SLICES = (
    "In each round every model has a fresh server process with its connections open. A block of a round holds one "
    "short slice of load for each model, in random order, while all other servers are at rest. Ratios are made of "
    "slices of the same block. CPU per request uses all slices; throughput and latency only those that no other "
    "process disturbed, and they are withheld where these are too few. "
)


def _how(report: Report) -> str:
    sliced = {cell.sliced for cell in report.cells if cell.status == "measured"}
    return (_SLICES if True in sliced else "") + (_TRIALS if sliced != {True} else "")


def _unless(report: Report) -> str:
    """The remarks that do not keep a cell out of a ranking, where there are any."""
    kinds = {flag.kind for cell in report.cells for flag in cell.flags if not flag.forbids_ranking}
    return f", except for: {', '.join(kind.replace('_', ' ') for kind in sorted(kinds))}" if kinds else ""


def _figure(drawings: svg.Drawings, chart: Chart) -> str:
    return f'<figure id="{html.escape(chart.name)}">{drawings.inline(chart)}</figure>\n'


def _absent(absent: Sequence[Absent]) -> str:
    if not absent:
        return ""
    items = "".join(f"<li>{html.escape(str(one))}</li>" for one in absent)
    return f"<details><summary>Charts not drawn: {len(absent)}</summary><ul>{items}</ul></details>"


def _interrupted(report: Report) -> str:
    if not report.interrupted:
        return ""
    return '<p class="warning">The run was interrupted: this is what had finished.</p>'


def _unavailable(report: Report) -> str:
    gone = [model for model in report.models.values() if model.reason]
    if not gone:
        return ""
    return tables.pairs(
        "Models that are not available here", [(one.name, one.reason or "") for one in gone]
    )


def _raw(raw: str | None) -> str:
    if raw is None:
        return "<p>The raw data is the report.json that this page was made from.</p>"
    link = html.escape(raw, quote=True)
    return f'<p>Every trial is in the <a href="{link}">raw data</a> (JSON).</p>'
