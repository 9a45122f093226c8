#!/usr/bin/env python3
"""Draw the charts of one muxbench report: make_charts.py REPORT.json [--out DIR]."""

import sys

from muxplots.interpreter import require_matplotlib

if __name__ == "__main__":
    require_matplotlib("make_charts")
    from muxplots.cli import main

    sys.exit(main(sys.argv[1:]))
