"""make_charts: read a report, draw its charts, write each file whole or not at all."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from muxplots import charts, files, report, style
from muxplots.layout import LAYOUTS, shrink


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0, or 2 after one sentence on standard error."""
    options = _parse(arguments)
    out = options.out or options.report.parent / "charts"
    return files.guarded("make_charts", out, lambda: _run(options, out))


def _run(options: argparse.Namespace, out: Path) -> None:
    loaded = report.load(options.report)
    planned, absent = charts.plan(loaded)
    layout = LAYOUTS[options.size]
    if planned:
        out.mkdir(parents=True, exist_ok=True)
    with style.theme(options.theme):
        for chart in planned:
            drawing = shrink(chart.draw(layout), layout.scale)
            for file_format in options.format:
                content = files.render(drawing, chart.title, file_format)
                files.replace(out / f"{chart.name}.{file_format}", content)
    if not options.quiet:
        files.tell(files.drawn(len(planned), options.format, out))
        if absent:
            files.tell(f"not drawn: {'; '.join(map(str, absent))}")


def _formats(value: str) -> list[str]:
    formats = list(dict.fromkeys(value.split(",")))
    unknown = [name for name in formats if name not in files.METADATA]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown format '{unknown[0]}', choose from {', '.join(files.METADATA)}"
        )
    return formats


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = files.Parser(prog="make_charts", description="Draw the charts of one muxbench report.")
    parser.add_argument("report", type=Path, metavar="REPORT.json", help="what a run wrote")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write (default: charts beside the report)"
    )
    add_drawing_options(parser)
    return parser.parse_args(arguments)


def add_drawing_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", type=_formats, default=["svg", "png"], metavar="LIST",
        help="comma-separated: svg, png, pdf (default: svg,png)",
    )
    parser.add_argument(
        "--theme", choices=style.THEMES, default="light", help="colours (default: light)"
    )
    parser.add_argument(
        "--size", choices=LAYOUTS, default="screen",
        help="for a screen (the default), or for print one column (3.5 in) or a page (7.16 in) wide",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
