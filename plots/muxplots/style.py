"""How charts look: one colour and one marker per model, and matplotlib's settings.

A model's look follows from its name alone, so it is the same in every chart of every report. A
family shares a hue; within it colours differ in lightness, which survives colour blindness, and
markers differ. tests/plots/test_style.py holds the table to that: it simulates protanopia,
deuteranopia and tritanopia, and asks for contrast with the page.

The tables below are those of the light theme. The dark theme is made from them by `dark`, which
turns lightness round and keeps hue, so that what differs on white paper differs on a dark screen.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
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
}
PAGE, INK, MUTED, GRID, BEHIND = (light for light, _ in NEUTRALS.values())
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


LOOKS = {
    "blocking_iterative": Look("blocking", "#292929", "X"),
    "blocking_alarm": Look("blocking", "#696969", "^"),
    "fork_per_connection": Look("process", "#a70b01", "v"),
    "inetd_nowait": Look("process", "#68120f", "<"),
    "prefork": Look("process", "#de5a18", "X"),
    "thread_per_connection": Look("thread", "#cc8305", "^"),
    "thread_pool": Look("thread", "#7a5205", "*"),
    "nonblocking_spin": Look("polling", "#7f8015", "s"),
    "sigio": Look("signal", "#096868", "d"),
    "rt_signal": Look("signal", "#0fa0a0", ">"),
    "select": Look("readiness", "#1790a3", "v"),
    "poll": Look("readiness", "#2698c8", "s"),
    "epoll_level": Look("readiness", "#0451aa", "o"),
    "epoll_edge": Look("readiness", "#112981", "^"),
    "epoll_oneshot": Look("readiness", "#3573da", "<"),
    "epoll_multiprocess": Look("readiness", "#5a43d4", "X"),
    "epoll_reuseport": Look("readiness", "#8489da", "d"),
    "kqueue": Look("readiness", "#054866", "p"),
    "kqueue_batched": Look("readiness", "#3d7295", "*"),
    "uring_poll": Look("readiness", "#0a22c0", "P"),
    "aio_poll": Look("completion", "#7a9e23", "p"),
    "posix_aio": Look("completion", "#617522", "P"),
    "uring_completion": Look("completion", "#098d66", "D"),
    "uring_multishot": Look("completion", "#03471e", "s"),
    "uring_sqpoll": Look("completion", "#066755", ">"),
    "libev": Look("library", "#e356a2", "P"),
    "libevent": Look("library", "#c61d78", "<"),
    "libuv": Look("library", "#841c58", "o"),
    "asio_callback": Look("library", "#842da5", "D"),
    "asio_coroutine": Look("library", "#b54cc5", "p"),
    "asio_threads": Look("library", "#521a6e", "v"),
    "asio_uring": Look("library", "#af81bd", "X"),
}

# The darkest and the lightest colour of each family, between which a model that the table does not
# know finds its own. The order is the order of panels.
FAMILIES = {
    "blocking": ("#292929", "#767676"),
    "process": ("#68120f", "#de5a18"),
    "thread": ("#7a5205", "#cc8305"),
    "polling": ("#5c5d0f", "#8b8c14"),
    "signal": ("#096868", "#0fa0a0"),
    "readiness": ("#112981", "#2698c8"),
    "completion": ("#03471e", "#37a953"),
    "library": ("#521a6e", "#e356a2"),
}
OTHER_FAMILY = "other"
OTHER_RANGE = ("#3b4252", "#7d8597")

# Markers that no known model has: stars of four to seven points.
UNKNOWN_MARKERS = tuple((points, 1, 0) for points in range(4, 8))

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


def look_of(model: str, family: str | None) -> Look:
    """The look of a model; `family` is what a report says, and counts only for unknown names."""
    if model in LOOKS:
        return LOOKS[model]
    digest = zlib.crc32(model.encode())
    darkest, lightest = FAMILIES.get(family or "", OTHER_RANGE)
    colour = mix(darkest, lightest, (digest % 1021) / 1020)
    marker = UNKNOWN_MARKERS[digest // 1021 % len(UNKNOWN_MARKERS)]
    return Look(family or OTHER_FAMILY, colour, marker)


def family_rank(family: str) -> tuple[int, str]:
    """Sorts families in the order of the table, unknown ones after them by name."""
    order = list(FAMILIES)
    return (order.index(family) if family in order else len(order), family)


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
