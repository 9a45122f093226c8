"""Put the parts of a report together into one page."""

import html
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template

from muxplots import captions, charts, micro_charts, micro_findings, style
from muxplots.chart import Absent, Chart
from muxplots.html import svg, tables, verdicts
from muxplots.micro import Micro
from muxplots.report import Finding, Report

_HERE = Path(__file__).parent

# What comes first is what a reader asks first.
_ORDER = ("best", "tie", "undecided", "crossover", "slope", "cost")


def build(report: Report, raw: str | None, micro: Micro | None = None) -> str:
    """The page of a report; `raw` is where the report itself lies, seen from the page. `micro` is
    what the micro-benchmarks of the same run measured."""
    planned, absent = charts.plan(report)
    with style.theme("light"):
        drawn = [(chart, svg.inline(chart)) for chart in planned]
        small = [(chart, svg.inline(chart)) for chart in micro_charts.plan(micro)] if micro else []
    body = _experiments(report, drawn) + _micro_charts(small)
    light, dark = svg.colours(body)
    samples = captions.samples(report.cells)
    return Template((_HERE / "page.html").read_text()).substitute(
        title=html.escape(" · ".join(["muxbench", *captions.run(report)])),
        css=(_HERE / "page.css").read_text(),
        script=(_HERE / "page.js").read_text(),
        light=light,
        dark=dark,
        interrupted=_interrupted(report),
        findings=_findings(report) + _micro_findings(micro),
        charts=body,
        absent=_absent(absent),
        cells=tables.cells(report),
        slices=tables.slices(report),
        noise=_scrolling("Noise floor", tables.noise_floor(report)),
        how=_how(report),
        samples=samples,
        sample=tables.sample(samples),
        unless=_unless(report),
        method=tables.method(report) + tables.experiments(report) + tables.host(report),
        no_verdicts=verdicts.remark(report),
        verdicts=verdicts.script(report),
        unavailable=_unavailable(report),
        raw=_raw(raw),
    )


def sentence(markdown: str) -> str:
    """The two marks of Markdown that findings use, as HTML; no line ends within an option's name."""
    written = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(markdown))
    written = re.sub(r"(?<![\w-])--[a-z-]+", r"<span class=option>\g<0></span>", written)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", written)


def _items(findings: Sequence[Finding]) -> str:
    items = "".join(f"<li>{sentence(finding.text)}</li>" for finding in findings)
    return f"<ul>{items}</ul>" if items else ""


def _findings(report: Report) -> str:
    if report.findings is None:
        return (
            "<p>This report carries no findings, for it is older than schema 1.1; "
            "<code>muxbench export REPORT --to markdown</code> computes them.</p>"
        )
    parts = []
    for experiment in report.experiments:
        mine = [one for one in report.findings if one.experiment == experiment.name]
        telling = sorted(
            (one for one in mine if one.kind in _ORDER), key=lambda one: _ORDER.index(one.kind)
        )
        rest = [one for one in mine if one.kind not in _ORDER]
        parts.append(
            f"<h3>{html.escape(experiment.name)}: {html.escape(experiment.question)}</h3>"
            + (_items(telling) or f"<p>Nothing that the {captions.samples(report.cells)} of this run support.</p>")
        )
        if rest:
            parts.append(
                f"<details><summary>Flagged, skipped or missing: {len(rest)}</summary>"
                f"{_items(rest)}</details>"
            )
    whole = [one for one in report.findings if one.experiment is None]
    if whole:
        parts.append("<h3>The run</h3>" + _items(whole))
    return "\n".join(parts)


def _experiments(report: Report, drawn: Sequence[tuple[Chart, str]]) -> str:
    known = {experiment.name: experiment.question for experiment in report.experiments}
    names = [None] + list(known)
    parts = []
    for name in names:
        figures = [_figure(chart, markup) for chart, markup in drawn if chart.experiment == name]
        if not figures:
            continue
        title = "All experiments" if name is None else f"{name}: {known[name]}"
        parts.append(f"<h3>{html.escape(title)}</h3>\n" + "\n".join(figures))
    return "\n".join(parts) or "<p>Nothing could be drawn from this report.</p>"


def _micro_findings(micro: Micro | None) -> str:
    if micro is None:
        return ""
    items = "".join(f"<li>{html.escape(one)}</li>" for one in micro_findings.sentences(micro))
    return f"\n<h3>{micro_findings.TITLE}</h3><ul>{items}</ul>"


def _micro_charts(drawn: Sequence[tuple[Chart, str]]) -> str:
    if not drawn:
        return ""
    figures = "\n".join(_figure(chart, markup) for chart, markup in drawn)
    return f"\n<h3>{micro_findings.TITLE}</h3>\n{figures}"


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


def _figure(chart: Chart, markup: str) -> str:
    name, title = html.escape(chart.name), html.escape(chart.title)
    return (
        f'<figure id="{name}"><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{title}">{markup}</div><figcaption>{html.escape(chart.alt)}</figcaption></figure>'
    )


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
