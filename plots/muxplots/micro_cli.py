"""make_micro: print what the micro-benchmarks found, and draw their charts."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from muxplots import files, micro, micro_charts, micro_findings, style
from muxplots.cli import add_drawing_options
from muxplots.layout import LAYOUTS, shrink

PROGRAM = "make_micro"


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0, or 2 after one sentence on standard error."""
    options = _parse(arguments)
    out = options.out or options.micro.parent / "charts"
    return files.guarded(PROGRAM, out, lambda: _run(options, out))


def _run(options: argparse.Namespace, out: Path) -> None:
    loaded = micro.load(options.micro)
    findings = micro_findings.markdown(loaded)
    planned = micro_charts.plan(loaded)
    layout = LAYOUTS[options.size]
    if planned:
        out.mkdir(parents=True, exist_ok=True)
    for chart in planned:
        with style.theme(options.theme):
            drawing = shrink(chart.draw(layout), layout.scale)
            for file_format in options.format:
                content = files.render(drawing, chart.title, file_format)
                files.replace(out / f"{chart.name}.{file_format}", content)
    if options.append_to:
        before = options.append_to.read_bytes() if options.append_to.exists() else b""
        files.replace(options.append_to, before + findings.encode())
    if not options.quiet:
        drawn = files.drawn(len(planned), options.format, out)
        files.tell(f"{findings.strip()}\n\n{drawn}")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = files.Parser(
        prog=PROGRAM, description="Findings and charts of the micro-benchmarks of a run."
    )
    parser.add_argument("micro", type=Path, metavar="MICRO.json", help="what a run wrote")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to draw (default: charts beside the file)"
    )
    parser.add_argument(
        "--append-to", type=Path, metavar="FILE", help="add the findings to this summary.md"
    )
    add_drawing_options(parser)
    return parser.parse_args(arguments)
