"""Where the programs under test are."""

from pathlib import Path

PLOTS = Path(__file__).resolve().parents[2] / "plots"
