"""What the command line and the page are given: charts to draw, and those that cannot be."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from muxplots.layout import Layout


@dataclass(frozen=True)
class Chart:
    """`name` is also that of its files; `alt` says in words what it shows."""

    name: str
    title: str
    alt: str
    experiment: str | None
    draw: Callable[[Layout], Figure]


@dataclass(frozen=True)
class Absent:
    """A chart that there is nothing to draw for, and why in a few words."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"
