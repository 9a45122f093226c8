#!/usr/bin/env python3
"""Make one HTML file of a muxbench report: make_report.py REPORT.json [--out FILE]."""

import sys

from muxplots.interpreter import require_matplotlib

if __name__ == "__main__":
    require_matplotlib("make_report")
    from muxplots.html.cli import main

    sys.exit(main(sys.argv[1:]))
