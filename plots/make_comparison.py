#!/usr/bin/env python3
"""Draw what `muxbench compare --format json` printed: make_comparison.py COMPARISON.json [--out DIR]."""

import sys

from muxplots.interpreter import require_matplotlib

if __name__ == "__main__":
    require_matplotlib("make_comparison")
    from muxplots.comparison_cli import main

    sys.exit(main(sys.argv[1:]))
