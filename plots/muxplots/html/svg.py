"""Charts inside a page: small, named for screen readers, in colours that the page may change."""

import html
import re

from matplotlib import rc_context
from matplotlib.colors import to_hex

from muxplots import files, style
from muxplots.chart import Chart
from muxplots.layout import COLUMN, SCREEN, Layout

# By the class of the element around it, of which the page's style shows one.
SIZES = {"wide": SCREEN, "narrow": COLUMN}

_TAG = re.compile(r"<[^>]*>")
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
# matplotlib's words for text; the page's style has what is as wide on any system.
_FONT = re.compile(r"'DejaVu Sans'(?:, '[^']*'|, [a-z-]+)*")
FONTS = "'DejaVu Sans', Verdana, sans-serif"


def inline(chart: Chart) -> str:
    """The chart twice: for wide screens and for narrow ones."""
    return "".join(
        f'<div class="{size}">{_draw(chart, f"{chart.name}.{size}", layout)}</div>' for size, layout in SIZES.items()
    )


def _draw(chart: Chart, name: str, layout: Layout) -> str:
    """An `svg` element. Its text stays text, to be found, read out and copied; its ids begin with `name`."""
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        written = files.render(chart.draw(layout), chart.title, "svg").decode()
    body = written[written.index("<svg"):]
    head, body = body[: body.index(">") + 1], body[body.index(">") + 1:]
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = _TAG.sub(lambda tag: _adapt(tag[0], name), body)
    body = re.sub(r"\n\s*", "\n", body)
    box = re.search(r'viewBox="([^"]+)"', head)
    assert box is not None
    width = float(box[1].split()[2])
    title, alt = html.escape(chart.title), html.escape(chart.alt)
    return (
        f'<svg viewBox="{box[1]}" style="max-width:{1.34 * width:.0f}px" '
        f'role="img" aria-labelledby="{name}.t {name}.d" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<title id="{name}.t">{title}</title><desc id="{name}.d">{alt}</desc>{body}'
    )


def _adapt(tag: str, name: str) -> str:
    """A tag, not the text between two, with ids that differ between all the charts of a page.

    Those of groups are names of what is drawn, which several panels have, and nothing refers to them.
    """
    tag = re.sub(r'^<g id="[^"]*"', "<g", tag)
    tag = re.sub(r'\bid="([^"]+)"', rf'id="{name}.\1"', tag)
    tag = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}.", tag)
    tag = _NUMBER.sub(lambda number: f"{float(number[0]):.1f}", tag)
    tag = _FONT.sub("var(--fonts)", tag)
    return _COLOUR.sub(lambda colour: f"var(--c{colour[0][1:]})", tag)


def colours(markup: str) -> tuple[str, str]:
    """The declarations of all colours that charts in `markup` use: for light, and for dark."""
    used = sorted(set(re.findall(r"var\(--c([0-9a-f]{6})\)", markup)))
    light = "".join(f"--c{colour}:#{colour};" for colour in used)
    dark = "".join(f"--c{colour}:{to_hex(style.dark('#' + colour))};" for colour in used)
    return light, dark
