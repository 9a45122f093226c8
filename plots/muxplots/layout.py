"""How large a chart is: for a screen, or for one or both columns of a printed page."""

from dataclasses import dataclass

from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text


@dataclass(frozen=True)
class Layout:
    """Widths are points before `scale`, which makes text and strokes of a page in print smaller."""

    one: float  # of a page with one plot
    panels: float  # of a page with small multiples
    across: int  # panels in a row
    narrowest: float  # a page grows rather than press a plot below this
    scale: float
    models: int  # as many in one panel can be told apart
    panel: float = 136  # the least height of a panel of several


SCREEN = Layout(one=640, panels=940, across=3, narrowest=180, scale=1.0, models=6)
# 3.5 in, a column of IEEE's and ACM's two-column pages; in its own size it fits a telephone.
# With fewer models in a panel, or higher panels, the charts of all models would be longer than a page.
COLUMN = Layout(one=336, panels=336, across=1, narrowest=84, scale=0.75, models=10, panel=100)
LAYOUTS = {
    "screen": SCREEN,
    "column": COLUMN,
    # 7.16 in: both columns.
    "page": Layout(one=687, panels=687, across=2, narrowest=160, scale=0.75, models=8),
}


def shrink(figure: Figure, scale: float) -> Figure:
    """Scale a finished figure with everything on it. Places are shares of the page or data, so only
    what has a size of its own changes."""
    if scale == 1.0:
        return figure
    figure.set_size_inches(figure.get_size_inches() * scale)
    for artist in figure.findobj(lambda artist: isinstance(artist, (Text, Line2D, Collection, Patch))):
        if isinstance(artist, Text):
            artist.set_fontsize(artist.get_fontsize() * scale)
        elif isinstance(artist, Line2D):
            artist.set_linewidth(artist.get_linewidth() * scale)
            artist.set_markersize(artist.get_markersize() * scale)
            artist.set_markeredgewidth(artist.get_markeredgewidth() * scale)
        elif isinstance(artist, Collection):
            artist.set_linewidth([width * scale for width in artist.get_linewidth()])
        else:
            artist.set_linewidth(artist.get_linewidth() * scale)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            for which in ("major", "minor"):
                # Marks are made when they are drawn, from these settings.
                known = axis._major_tick_kw if which == "major" else axis._minor_tick_kw
                tick = (axis.get_major_ticks(1) if which == "major" else axis.get_minor_ticks(1))[0]
                axis.set_tick_params(
                    which=which, pad=tick.get_pad() * scale, width=tick._width * scale,
                    length=tick._size * scale, labelsize=known.get("labelsize", 10) * scale,
                )
    return figure
