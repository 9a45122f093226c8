"""The command line: read a report, draw its charts, write each file whole or not at all."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import matplotlib
from matplotlib.figure import Figure

from muxplots import charts, figure, report, style

PNG_DPI = 150

# What is not in the report stays out of the files, so that the same report gives the same bytes.
METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": "muxbench"},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": "muxbench", "Producer": None},
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0, or 2 after one sentence on standard error."""
    options = _parse(arguments)
    out = options.out or options.report.parent / "charts"
    try:
        loaded = report.load(options.report)
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(style.SETTINGS)
            drawn, absent = _write_all(loaded, out, options.format)
    except report.ReportError as error:
        print(f"make_charts: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        where = error.filename2 or error.filename or out
        print(
            f"make_charts: cannot write {where}: {error.strerror}; "
            "choose a directory you may write to with --out",
            file=sys.stderr,
        )
        return 2
    if not options.quiet:
        print(f"{drawn} charts ({', '.join(options.format)}) in {out}")
        if absent:
            print(f"not drawn: {'; '.join(absent)}")
    return 0


def render(drawing: Figure, title: str, file_format: str) -> bytes:
    """One chart as the bytes of a file."""
    metadata = METADATA[file_format]
    if file_format != "png":
        metadata = {**metadata, "Title": title}
    buffer = io.BytesIO()
    drawing.savefig(buffer, format=file_format, dpi=PNG_DPI, metadata=metadata)
    return buffer.getvalue()


def _write_all(
    loaded: report.Report, out: Path, formats: Sequence[str]
) -> tuple[int, list[str]]:
    """How many charts were written, and what there was nothing to draw for."""
    planned, absent = charts.plan(loaded)
    if planned:
        out.mkdir(parents=True, exist_ok=True)
    for chart in planned:
        drawing = figure.draw(loaded, chart.table)
        title = f"{chart.table.experiment.question} {chart.table.metric.title}"
        for file_format in formats:
            _replace(out / f"{chart.name}.{file_format}", render(drawing, title, file_format))
    return len(planned), absent


def _replace(path: Path, content: bytes) -> None:
    """Write beside and rename, so that an older file is never lost to half a new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _formats(value: str) -> list[str]:
    formats = list(dict.fromkeys(value.split(",")))
    unknown = [name for name in formats if name not in METADATA]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown format '{unknown[0]}', choose from {', '.join(METADATA)}"
        )
    return formats


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog="make_charts", description="Draw the charts of one muxbench report.")
    parser.add_argument("report", type=Path, metavar="REPORT.json", help="what a run wrote")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write (default: charts beside the report)"
    )
    parser.add_argument(
        "--format", type=_formats, default=["svg", "png"], metavar="LIST",
        help="comma-separated: svg, png, pdf (default: svg,png)",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return parser.parse_args(arguments)
