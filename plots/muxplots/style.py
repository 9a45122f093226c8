"""How charts look: one colour and one marker per model, and matplotlib's settings.

Which models there are, and in which families, a report says. A family has a hue, which is the same
in every report; its models take the colours and markers of that hue in the order of the report, so
a model looks the same in every chart of one. Within a hue colours differ in lightness, which
survives colour blindness, and markers differ. tests/plots/test_style.py holds the table to that: it
simulates protanopia, deuteranopia and tritanopia, and asks for contrast with the page.

The tables below are those of the light theme. The dark theme is made from them by `dark`, which
turns lightness round and keeps hue, so that what differs on white paper differs on a dark screen.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

import matplotlib
from matplotlib.colors import to_hex, to_rgb

from muxplots import oklab

# What is not a model's: of the light theme, and in the dark one.
NEUTRALS = {
    "PAGE": ("#ffffff", "#15181c"),
    "INK": ("#1a1a1a", "#e9e9e9"),
    "MUTED": ("#595959", "#a9b0b8"),
    "GRID": ("#e4e4e4", "#2c3138"),
    "BEHIND": ("#d4d4d4", "#474d56"),
    "BEST": ("#dff1e4", "#18291f"),
    "WORST": ("#fae3de", "#33201c"),
}
PAGE, INK, MUTED, GRID, BEHIND, BEST, WORST = (light for light, _ in NEUTRALS.values())
THEMES = ("light", "dark")
_theme = "light"

Marker = str | tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    family: str
    paper: str  # the colour on paper
    marker: Marker

    @property
    def colour(self) -> str:
        """In the theme that is being drawn, whichever it was when the chart was planned."""
        return themed(self.paper)


@dataclass(frozen=True)
class Hue:
    """The colours and markers of a family, and the range in which more are found when they are used up."""

    darkest: str
    lightest: str
    looks: tuple[tuple[str, Marker], ...] = ()


# A family that is not here takes a hue that the families of its report leave, or greys.
HUES = {
    "blocking": Hue("#292929", "#767676", (("#292929", "X"), ("#696969", "^"))),
    "process": Hue("#68120f", "#de5a18", (
        ("#a70b01", "v"), ("#68120f", "<"), ("#de5a18", "X"), ("#822501", "p"),
    )),
    "thread": Hue("#7a5205", "#cc8305", (("#cc8305", "^"), ("#7a5205", "*"), ("#a7720f", "d"))),
    "polling": Hue("#5c5d0f", "#8b8c14", (("#7f8015", "s"),)),
    "signal": Hue("#096868", "#0fa0a0", (("#096868", "d"), ("#0fa0a0", ">"))),
    "readiness": Hue("#112981", "#2698c8", (
        ("#0451aa", "o"), ("#2698c8", "s"), ("#112981", "^"), ("#1790a3", "v"), ("#8489da", "d"),
        ("#054866", "p"), ("#3573da", "<"), ("#3d7295", "*"), ("#5a43d4", "X"), ("#0a22c0", "P"),
        ("#7664ef", "h"), ("#7470b2", (3, 1, 0)), ("#595698", (3, 1, 180)), ("#433296", (8, 1, 0)), ("#310297", ">"),
        ("#053d46", "D"),
    )),
    "completion": Hue("#03471e", "#37a953", (
        ("#098d66", "D"), ("#03471e", "s"), ("#7a9e23", "p"), ("#066755", ">"), ("#617522", "P"),
        ("#639f71", "o"), ("#475701", "h"),
    )),
    "library": Hue("#521a6e", "#e356a2", (
        ("#e356a2", "P"), ("#841c58", "o"), ("#842da5", "D"), ("#c61d78", "<"), ("#521a6e", "v"),
        ("#b54cc5", "p"), ("#af81bd", "X"), ("#a30d86", "s"), ("#a35d8e", "h"),
        ("#653b79", (3, 1, 0)),
    )),
}
OTHER_FAMILY = "other"
OTHER = Hue("#3b4252", "#7d8597")

# Markers that no hue has: stars of four to seven points.
MORE_MARKERS = tuple((points, 1, 0) for points in range(4, 8))
# Multiples of it lie far from each other within a range, however many there are.
GOLDEN = 0.618034

# What is drawn in one colour and is no model's.
ACCENT = "#0451aa"
SECOND_ACCENT = "#098d66"

# Everything that a user's matplotlibrc could change is set back to matplotlib's defaults first.
SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "text.parse_math": False,
    "text.hinting": "none",
    "text.hinting_factor": 1,
    "path.simplify": False,
    "svg.hashsalt": "muxbench",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}


def looks(models: Iterable[tuple[str, str | None]]) -> dict[str, Look]:
    """By name, for models with the families that a report gives them. In the order of charts: of
    families as they come first, and within one of `models`."""
    families: dict[str, list[str]] = {}
    for model, family in models:
        families.setdefault(family or OTHER_FAMILY, []).append(model)
    free = [hue for name, hue in HUES.items() if name not in families]
    more = count()
    found = {}
    for family, members in families.items():
        hue = HUES.get(family) or (free.pop() if free and family != OTHER_FAMILY else OTHER)
        for place, model in enumerate(members):
            paper, marker = hue.looks[place] if place < len(hue.looks) else _further(hue, next(more))
            found[model] = Look(family, paper, marker)
    return found


def _further(hue: Hue, number: int) -> tuple[str, Marker]:
    """A look beyond those of the table; no two numbers have the same one."""
    colour = mix(hue.darkest, hue.lightest, GOLDEN * (number + 1) % 1)
    return colour, MORE_MARKERS[number % len(MORE_MARKERS)]


def apart(names: Sequence[str]) -> dict[str, Look]:
    """Looks for what has no families: neighbours differ in hue."""
    hues = list(HUES.values())
    found = {}
    for place, name in enumerate(names):
        shades = hues[place % len(hues)].looks
        found[name] = Look(OTHER_FAMILY, *shades[place // len(hues) % len(shades)])
    return found


def mix(start: str, end: str, share: float) -> str:
    """The colour that lies `share` of the way from `start` to `end`."""
    return to_hex([a + (b - a) * share for a, b in zip(to_rgb(start), to_rgb(end))])


@contextmanager
def theme(name: str) -> Iterator[None]:
    """Draw in the settings of the charts and in the colours of a theme."""
    global _theme
    before = _theme
    _choose(name)
    try:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(SETTINGS)
            matplotlib.rcParams.update({"axes.facecolor": PAGE, "figure.facecolor": PAGE})
            yield
    finally:
        _choose(before)


def _choose(name: str) -> None:
    global _theme
    _theme = name
    for key, colours in NEUTRALS.items():
        globals()[key] = colours[THEMES.index(name)]


def themed(colour: str) -> str:
    """A colour of the tables in the theme that is being drawn."""
    return dark(colour) if _theme == "dark" else colour


@lru_cache(maxsize=None)
def dark(colour: str) -> str:
    """What a colour of the light theme is in the dark one, fit for small text there."""
    for light, counterpart in (*NEUTRALS.values(), *HEAT):
        if to_hex(colour) == light:
            return counterpart
    page = NEUTRALS["PAGE"][1]
    lightness, a, b = oklab.from_hex(colour)
    # The tables lie between 0.2 and 0.75; the darkest there becomes the brightest here.
    lightness = 0.64 + (0.75 - min(lightness, 0.75)) * 0.52
    while contrast(turned := oklab.to_hex(lightness, a, b), page) < 4.5:
        lightness += 0.01
    return turned


def heat(share: float) -> tuple[str, str]:
    """The colour of a square and of the number in it, of the light theme; `share` from 0 to 1."""
    colour = HEAT[round(share * (_HEAT_STEPS - 1))][0]
    page, ink = (NEUTRALS[key][0] for key in ("PAGE", "INK"))
    return colour, max((page, ink), key=lambda one: contrast(one, colour))


def contrast(colour: str, other: str | None = None) -> float:
    """The contrast ratio of two colours, WCAG 2.1, 1.4.3: from 1 to 21; by default with the page."""
    darker, lighter = sorted((_luminance(colour), _luminance(other or PAGE)))
    return (lighter + 0.05) / (darker + 0.05)


def text_colour(colour: str) -> str:
    """`colour`, moved to that of ink as far as small text needs to be read on the page (4.5 to 1)."""
    share = 0.0
    while contrast(mix(colour, INK, share)) < 4.5:
        share += 0.05
    return mix(colour, INK, share)


def _luminance(colour: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# From the best to the worst: pale to dark on paper, and dark to bright on a dark page. One hue, so
# that the order survives every kind of eye.
_HEAT_STEPS = 12


def _heat_step(share: float) -> tuple[str, str]:
    # A leap in the middle, where neither ink nor page could be read.
    light = mix("#e8f0fb", "#0b3a7d", share if share < 0.6 else 0.4 + 0.6 * share + 0.1 * (1 - share))
    inked = contrast(NEUTRALS["INK"][0], light) > contrast(NEUTRALS["PAGE"][0], light)
    return light, mix("#1d2836", "#b4d3ff", share * (0.7 if inked else 1.0))


HEAT = tuple(_heat_step(step / (_HEAT_STEPS - 1)) for step in range(_HEAT_STEPS))
