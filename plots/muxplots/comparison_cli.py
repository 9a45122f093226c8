"""make_comparison: draw what `muxbench compare --format json` printed."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from muxplots import comparison, files, style
from muxplots.cli import add_drawing_options
from muxplots.layout import LAYOUTS, shrink

PROGRAM = "make_comparison"


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0, or 2 after one sentence on standard error."""
    options = _parse(arguments)
    out = options.out or options.comparison.parent
    return files.guarded(PROGRAM, out, lambda: _run(options, out))


def _run(options: argparse.Namespace, out: Path) -> None:
    loaded = comparison.load(options.comparison)
    planned = comparison.plan(loaded)
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
        if loaded.without:
            files.tell(f"not drawn: {files.counted(loaded.without, 'cell')} without a ratio")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = files.Parser(prog=PROGRAM, description="Draw a comparison of two reports or models.")
    parser.add_argument(
        "comparison", type=Path, metavar="COMPARISON.json",
        help="what `muxbench compare BASE NEW --format json` printed",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to draw (default: beside the file)"
    )
    add_drawing_options(parser)
    return parser.parse_args(arguments)
