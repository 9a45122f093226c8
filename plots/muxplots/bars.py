"""A row per model with a stacked bar: what a request is made of. All lengths are points."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from muxplots import axes, labels, style, text
from muxplots.layout import Layout
from muxplots.page import EDGE, UNDER, UNDER_TITLE, Page
from muxplots.style import Look

ROW = 16.0
THICK = 0.66
ABOVE = 8.0
DWARFS = 5.0
LEGEND_LINE = 16.0
KEY = 10.0

# What bars are made of, from most to least: eight hues that differ in lightness, then grey.
SHADES = ("#0451aa", "#cc8305", "#37a953", "#e356a2", "#5a43d4", "#1790a3", "#a70b01", "#7f8015")
REST = "#8c8c8c"


@dataclass(frozen=True)
class Segment:
    part: str
    value: float
    hatched: bool = False


@dataclass(frozen=True)
class Row:
    model: str
    look: Look
    segments: tuple[Segment, ...]
    flagged: bool
    told: str  # the sum with its unit, written behind the bar
    spread: tuple[float, float] | None = None

    @property
    def total(self) -> float:
        return sum(segment.value for segment in self.segments)


@dataclass(frozen=True)
class Words:
    title: str
    subtitle: str
    caption: str
    measure: str
    unit: int = 1  # whose multiples the axis marks


def draw(
    words: Words, rows: Sequence[Row], shades: dict[str, str], mark: Callable[[float], str],
    hatch: str, layout: Layout,
) -> Figure:
    """`shades` has the colour of each part in the order of the key; `hatch` says what hatching is."""
    names = max(text.width(row.model, labels.SIZE) for row in rows)
    told = max(text.width(f"… {row.told}", labels.SIZE) for row in rows) + 8
    left = EDGE + names + 10
    width = max(layout.one - left - told - EDGE, layout.narrowest)
    hatched = any(segment.hatched for row in rows for segment in row.segments)
    keys = [(part, style.themed(colour), False) for part, colour in shades.items()]
    keys += [(hatch, style.themed(REST), True)] if hatched else []
    lines = wrap_keys([key[0] for key in keys], layout.one - 2 * EDGE)
    legend = len(lines) * LEGEND_LINE if len(keys) > 1 else 0.0
    height = ROW * (len(rows) + 0.5)
    page = Page(
        left + width + told + EDGE, ABOVE + legend + height + UNDER + UNDER_TITLE + EDGE,
        words.title, words.subtitle, words.caption,
    )
    if legend:
        _draw_keys(page, keys, lines)
    bottom = page.top - ABOVE - legend - height
    plot = page.plot(left, bottom, width, height)
    axes.dress(plot, grid="x")
    plot.set_ylim(len(rows) - 0.25, -0.75)
    plot.yaxis.set_major_locator(NullLocator())
    tops = [max(row.total, *(row.spread or (0.0,))) for row in rows]
    limit = _limit(tops)
    plot.set_xlim(0, limit)
    steps = MaxNLocator(nbins=axes.most_marks(width), steps=[1, 2, 2.5, 5, 10])
    marks = [place * words.unit for place in steps.tick_values(0, limit / words.unit)]
    plot.xaxis.set_major_locator(FixedLocator([place for place in marks if place <= limit]))
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: mark(value)))
    for place, row in enumerate(rows):
        _draw_row(plot, place, row, shades)
        y = bottom + height - ROW * (place + 0.75)
        page.write(
            left - 8, y, row.model, size=labels.SIZE, ha="right", va="center_baseline",
            color=style.text_colour(row.look.colour), gid=f"{row.model}-name",
        )
        end = left + width * min(tops[place] / limit, 1.0)
        page.write(
            end + 5, y, f"… {row.told}" if tops[place] > limit else row.told, size=labels.SIZE, va="center_baseline",
            color=style.MUTED if row.flagged else style.INK, gid=f"{row.model}-sum",
        )
    page.write_across_title(words.measure, left + width / 2, bottom)
    return page.figure


def _limit(tops: Sequence[float]) -> float:
    """Where the axis ends. Bars that dwarf most of the others are cut off, lest those vanish."""
    most = max(tops)
    usual = max(top for top in tops if top <= DWARFS * statistics.median_low(tops))
    return 1.5 * usual if most > DWARFS * usual > 0 else 1.04 * most or 1.0


def _draw_row(plot, place: int, row: Row, shades: dict[str, str]) -> None:
    start = 0.0
    for segment in row.segments:
        colour = style.themed(shades[segment.part])
        bar = Rectangle(
            (start, place - THICK / 2), segment.value, THICK,
            # A flagged row is hollow, as flagged points are.
            facecolor=style.PAGE if row.flagged or segment.hatched else colour,
            edgecolor=colour if row.flagged or segment.hatched else style.PAGE,
            linewidth=0.9 if row.flagged or segment.hatched else 0.4,
            hatch="/////" if segment.hatched else None, zorder=3,
        )
        bar.set_gid(f"{row.model}-{segment.part}{'-hatched' if segment.hatched else ''}")
        plot.add_patch(bar)
        start += segment.value
    if row.spread:
        plot.hlines(place, *row.spread, color=style.INK, linewidth=0.9, zorder=5)


def wrap_keys(keys: Sequence[str], room: float) -> list[list[int]]:
    """The places of the words of a key, line by line."""
    lines: list[list[int]] = [[]]
    used = 0.0
    for index, key in enumerate(keys):
        size = key_width(key)
        if lines[-1] and used + size > room:
            lines.append([])
            used = 0.0
        lines[-1].append(index)
        used += size
    return lines


def key_width(words: str) -> float:
    return KEY + 4 + text.width(words, labels.SIZE) + 14


def _draw_keys(page: Page, keys: Sequence[tuple[str, str, bool]], lines: list[list[int]]) -> None:
    y = page.top - LEGEND_LINE / 2
    for line in lines:
        x = EDGE
        for index in line:
            words, colour, hatched = keys[index]
            page.figure.add_artist(Rectangle(
                (x / page.width, (y - KEY / 2) / page.height), KEY / page.width, KEY / page.height,
                transform=page.figure.transFigure, facecolor=style.PAGE if hatched else colour,
                edgecolor=colour, linewidth=0.8, hatch="/////" if hatched else None,
            ))
            page.write(x + KEY + 4, y, words, size=labels.SIZE, color=style.INK, va="center_baseline")
            x += key_width(words)
        y -= LEGEND_LINE
