"""Charts inside a page: small, named for screen readers, in colours that the page may change."""

import html
import re

from matplotlib import rc_context
from matplotlib.colors import to_hex

from muxplots import files, style
from muxplots.chart import Chart
from muxplots.layout import SCREEN

_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
# matplotlib's words for text, and what a page on any system has that is as wide.
_FONT = re.compile(r"'DejaVu Sans'(?:, '[^']*'|, [a-z-]+)*")
_FONTS = "'DejaVu Sans', Verdana, sans-serif"


def inline(chart: Chart) -> str:
    """The chart as an `svg` element. Its text stays text, to be found, read out and copied."""
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": chart.name}):
        written = files.render(chart.draw(SCREEN), chart.title, "svg").decode()
    body = written[written.index("<svg"):]
    head, body = body[: body.index(">") + 1], body[body.index(">") + 1:]
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    # Ids must differ between all the charts of a page.
    body = re.sub(r'\bid="([^"]+)"', rf'id="{chart.name}.\1"', body)
    body = re.sub(r'(href="#|url\(#)', rf"\g<1>{chart.name}.", body)
    body = _NUMBER.sub(lambda number: f"{float(number[0]):.2f}", body)
    body = _FONT.sub(_FONTS, body)
    body = re.sub(r"\n\s*", "\n", body)
    box = re.search(r'viewBox="([^"]+)"', head)
    assert box is not None
    width = float(box[1].split()[2])
    title, alt = html.escape(chart.title), html.escape(chart.alt)
    return (
        f'<svg viewBox="{box[1]}" style="min-width:{0.72 * width:.0f}px;max-width:{1.34 * width:.0f}px" '
        f'role="img" aria-labelledby="{chart.name}.t {chart.name}.d" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<title id="{chart.name}.t">{title}</title><desc id="{chart.name}.d">{alt}</desc>'
        + _COLOUR.sub(lambda colour: f"var(--c{colour[0][1:]})", body)
    )


def colours(markup: str) -> tuple[str, str]:
    """The declarations of all colours that charts in `markup` use: for light, and for dark."""
    used = sorted(set(re.findall(r"var\(--c([0-9a-f]{6})\)", markup)))
    light = "".join(f"--c{colour}:#{colour};" for colour in used)
    dark = "".join(f"--c{colour}:{to_hex(style.dark('#' + colour))};" for colour in used)
    return light, dark
