#!/usr/bin/env python3
"""Findings and charts of the micro-benchmarks: make_micro.py MICRO.json [--out DIR]."""

import sys

from muxplots.interpreter import require_matplotlib

if __name__ == "__main__":
    require_matplotlib("make_micro")
    from muxplots.micro_cli import main

    sys.exit(main(sys.argv[1:]))
