"""A page: title on top, caption at the bottom, room for plots between. All lengths are points."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from muxplots import style, text

EDGE = 14.0
TITLE_SIZE, TITLE_LINE = 14.0, 19.0
SUBTITLE_SIZE, SUBTITLE_LINE = 9.0, 13.0
CAPTION_SIZE, CAPTION_LINE = 8.0, 11.5
AXIS_SIZE = 9.5

LEFT = 68.0  # the measure's axis when it stands upright: its title and the names of its marks
UNDER = 20.0  # the names of marks below a plot
UNDER_TITLE = 16.0  # the title of the axis below them


class Page:
    """A figure whose pixels are points; `top` is where the room for plots begins."""

    def __init__(self, width: float, body: float, title: str, subtitle: str, caption: str) -> None:
        room = width - 2 * EDGE
        title_lines = text.balance(title, TITLE_SIZE, room, bold=True)
        subtitle_lines = text.wrap(subtitle, SUBTITLE_SIZE, room)
        caption_lines = text.wrap(caption, CAPTION_SIZE, room)
        head = len(title_lines) * TITLE_LINE + len(subtitle_lines) * SUBTITLE_LINE
        foot = EDGE + len(caption_lines) * CAPTION_LINE
        self.width = width
        self.height = EDGE + head + body + foot
        self.top = foot + body
        self.figure = Figure(figsize=(width / 72, self.height / 72), dpi=72)
        y = self.height - EDGE
        y = self._write(title_lines, y, TITLE_LINE, size=TITLE_SIZE, weight="bold", color=style.INK)
        self._write(subtitle_lines, y, SUBTITLE_LINE, size=SUBTITLE_SIZE, color=style.MUTED)
        self._write(caption_lines, foot, CAPTION_LINE, size=CAPTION_SIZE, color=style.MUTED)

    def _write(self, rows: Sequence[str], y: float, step: float, **how: object) -> float:
        for row in rows:
            self.write(EDGE, y, row, va="top", **how)
            y -= step
        return y

    def write(self, x: float, y: float, words: str, **how: object) -> None:
        self.figure.text(x / self.width, y / self.height, words, **how)

    def plot(self, left: float, bottom: float, width: float, height: float) -> Axes:
        box = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box)

    def write_across_title(self, words: str, x: float, bottom: float) -> None:
        """The title of a horizontal axis below a plot whose base line is at `bottom`."""
        how = {"size": AXIS_SIZE, "color": style.INK, "ha": "center", "va": "top"}
        self.write(x, bottom - UNDER, words, **how)

    def write_up_title(self, words: str, y: float) -> None:
        how = {"size": AXIS_SIZE, "color": style.INK, "rotation": 90, "ha": "left", "va": "center"}
        self.write(EDGE, y, words, **how)
