"""make_report: one HTML file from a report."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from muxplots import files, micro, report
from muxplots.html import page


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0, or 2 after one sentence on standard error."""
    options = _parse(arguments)
    out = options.out or options.report.with_name("report.html")
    return files.guarded("make_report", out, lambda: _run(options, out))


def _run(options: argparse.Namespace, out: Path) -> None:
    loaded = report.load(options.report)
    beside = options.report.with_name("micro.json")
    small = micro.load(beside) if beside.exists() else None
    # A link that still holds when the folder is moved as a whole.
    raw = quote(os.path.relpath(options.report.resolve(), out.resolve().parent))
    out.parent.mkdir(parents=True, exist_ok=True)
    files.replace(out, page.build(loaded, raw, small).encode())
    if not options.quiet:
        files.tell(f"page: {out}")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = files.Parser(
        prog="make_report", description="Make one HTML file, for any browser, of a muxbench report and of the "
        "micro.json beside it."
    )
    parser.add_argument("report", type=Path, metavar="REPORT.json", help="what a run wrote")
    parser.add_argument(
        "--out", type=Path, metavar="FILE",
        help="the page (default: report.html beside the report)",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return parser.parse_args(arguments)
