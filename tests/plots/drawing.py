"""Draw charts of a synthetic report and look at what is on them."""

from pathlib import Path
from typing import Any

import synthetic
from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from muxplots import charts, report, style
from muxplots.layout import SCREEN, Layout


def draw_all(directory: Path, document: dict[str, Any]) -> dict[str, Figure]:
    """Every chart of a report by name."""
    loaded = report.load(synthetic.write(directory, document))
    planned, _ = charts.plan(loaded)
    return {chart.name: chart.draw(SCREEN) for chart in planned}


def draw(directory: Path, document: dict[str, Any], name: str, layout: Layout = SCREEN) -> Figure:
    """One chart of a report."""
    loaded = report.load(synthetic.write(directory, document))
    (found,) = [chart for chart in charts.plan(loaded)[0] if chart.name == name]
    return found.draw(layout)


def looks(document: dict[str, Any]) -> dict[str, style.Look]:
    """What the models of a report look like in its charts."""
    return style.looks((model["name"], model["family"]) for model in document["muxbench"]["models"])


def artists(drawing: Figure, name: str) -> list[Artist]:
    """The artists that carry this name, which is also their id in an SVG."""
    return drawing.findobj(lambda artist: artist.get_gid() == name)


def one(drawing: Figure, name: str) -> Any:
    (found,) = artists(drawing, name)
    return found


def words(drawing: Figure) -> str:
    """Everything written on the page outside of plots, wrapped lines joined."""
    return " ".join(text.get_text() for text in drawing.texts)


def visible_texts(drawing: Figure) -> list[Text]:
    drawing.draw_without_rendering()  # the names of marks are written only when they are drawn
    texts = list(drawing.texts)
    for axes in drawing.axes:
        texts += marks(axes.xaxis) + marks(axes.yaxis)
    return [text for text in texts if text.get_visible() and text.get_text()]


def boxes(drawing: Figure) -> list[tuple[str, Bbox]]:
    """What the renderer says each visible text covers, in pixels."""
    renderer = FigureCanvasAgg(drawing).get_renderer()
    return [(text.get_text(), text.get_window_extent(renderer)) for text in visible_texts(drawing)]


def overlaps(drawing: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that cover each other. A pixel of white around a glyph does not count."""
    found = []
    measured = [(name, box.padded(-0.75)) for name, box in boxes(drawing)]
    for index, (name, box) in enumerate(measured):
        found += [(name, other) for other, taken in measured[:index] if box.overlaps(taken)]
    return found


def clipped(drawing: Figure) -> list[str]:
    """Texts that reach over the edge of the page."""
    page = drawing.bbox
    return [
        name
        for name, box in boxes(drawing)
        if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0 or box.y1 > page.y1
    ]


def marks(axis: Axis) -> list[Text]:
    """The names of the marks of a drawn axis; a locator may offer more, beyond its ends."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]
