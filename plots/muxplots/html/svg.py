"""Charts inside a page: small, named for screen readers, in colours that the page may change."""

import html
import re
from collections.abc import Iterator
from itertools import count
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from matplotlib import rc_context
from matplotlib.colors import to_hex

from muxplots import files, style
from muxplots.chart import Chart
from muxplots.layout import COLUMN, SCREEN, Layout

# By the class of the element around it, of which the page's style shows one.
SIZES = {"wide": SCREEN, "narrow": COLUMN}

_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
# matplotlib's words for text; the page's style has what is as wide on any system.
_FONT = re.compile(r"'DejaVu Sans'(?:, '[^']*'|, [a-z-]+)*")
FONTS = "'DejaVu Sans', Verdana, sans-serif"

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"-?\d*\.?\d+(?:e-?\d+)?")
_STEP = re.compile(rf"[A-Za-z]|{_NUMBER.pattern}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_NOT_TURNED = re.compile(r"rotate\(-?0(?:\.0+)? ")


class Drawings:
    """The charts of one page. What matplotlib writes on each element is a class here, which all share."""

    def __init__(self) -> None:
        self._classes: dict[str, str] = {}
        self._numbers = count()

    def inline(self, chart: Chart) -> str:
        """The chart twice: for wide screens and for narrow ones."""
        return "".join(
            f'<div class="{size}">{self._draw(chart, f"{chart.name}.{size}", layout)}</div>'
            for size, layout in SIZES.items()
        )

    def rules(self) -> str:
        """The style of the classes."""
        return "\n".join(f".{name}{{{declared}}}" for declared, name in self._classes.items())

    def colours(self) -> tuple[str, str]:
        """The declarations of all colours that the classes use: for light, and for dark."""
        used = sorted(set(re.findall(r"var\(--c([0-9a-f]{6})\)", self.rules())))
        light = "".join(f"--c{colour}:#{colour};" for colour in used)
        dark = "".join(f"--c{colour}:{to_hex(style.dark('#' + colour))};" for colour in used)
        return light, dark

    def _draw(self, chart: Chart, name: str, layout: Layout) -> str:
        """An `svg` element. Its text stays text, to be found, read out and copied."""
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
            written = files.render(chart.draw(layout), chart.title, "svg")
        drawing = ElementTree.fromstring(written)
        width, height = (float(number) for number in drawing.attrib["viewBox"].split()[2:])
        names: dict[str, str] = {}
        _drop_idle_clips(drawing)
        body = "".join(self._write(one, names) for one in drawing)
        title, alt = html.escape(chart.title), html.escape(chart.alt)
        return (
            f'<svg viewBox="0 0 {_short(width)} {_short(height)}" style="max-width:{1.34 * width:.0f}px" '
            f'role="img" aria-labelledby="{name}.t {name}.d">'
            f'<title id="{name}.t">{title}</title><desc id="{name}.d">{alt}</desc>{body}</svg>'
        )

    def _write(self, element: Element, names: dict[str, str]) -> str:
        """An element with what is in it. `names` has the ids of the drawing so far, as the page has them."""
        tag = element.tag.removeprefix(_SVG)
        # The page has its own title and style, and whatever metadata says is not for readers.
        if tag in ("metadata", "title", "style") or (tag == "path" and not element.get("d")):
            return ""
        attributes = dict(self._attributes(tag, element, names))
        inner = _words(element.text, tag)
        inner += "".join(self._write(one, names) + _words(one.tail, tag) for one in element)
        # Groups of matplotlib only name what is drawn.
        if tag == "g" and not attributes:
            return inner
        if tag == "defs" and not inner:
            return ""
        told = "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items())
        return f"<{tag}{told}>{inner}</{tag}>" if inner else f"<{tag}{told}/>"

    def _attributes(self, tag: str, element: Element, names: dict[str, str]) -> Iterator[tuple[str, str]]:
        for key, value in element.attrib.items():
            if key == "id":
                if tag != "g":
                    yield "id", self._name(value, names)
            elif key == _LINK:
                yield "href", f"#{self._name(value.removeprefix('#'), names)}"
            elif key == "style":
                yield "class", self._class(value)
            elif key == "d":
                yield "d", _path(value)
            elif key == "transform" and _NOT_TURNED.match(value):
                continue
            elif reference := _REFERENCE.fullmatch(value):
                yield key, f"url(#{self._name(reference[1], names)})"
            else:
                yield key, _NUMBER.sub(lambda number: _short(float(number[0])), value)

    def _name(self, name: str, names: dict[str, str]) -> str:
        """Of the whole page: an id that no other chart has."""
        if name not in names:
            names[name] = f"i{next(self._numbers)}"
        return names[name]

    def _class(self, declared: str) -> str:
        told = _FONT.sub("var(--fonts)", declared)
        told = _COLOUR.sub(lambda colour: f"var(--c{colour[0][1:]})", told)
        told = re.sub(r"([:;]) ", r"\1", told)
        return self._classes.setdefault(told, f"s{len(self._classes)}")


def _drop_idle_clips(drawing: Element) -> None:
    """Most of what is drawn lies within its frame, and need not be cut there."""
    frames = {}
    for clip in drawing.iter(f"{_SVG}clipPath"):
        box = clip.find(f"{_SVG}rect")
        if box is not None:
            x, y, width, height = (float(box.attrib[key]) for key in ("x", "y", "width", "height"))
            frames[f"url(#{clip.attrib['id']})"] = (x, y, x + width, y + height)
    for path in drawing.iter(f"{_SVG}path"):
        frame = frames.get(path.get("clip-path", ""))
        if frame is None or "transform" in path.attrib or not path.get("d"):
            continue
        left, top, right, bottom = _reaches(path.attrib["d"])
        if frame[0] <= left and frame[1] <= top and right <= frame[2] and bottom <= frame[3]:
            del path.attrib["clip-path"]


def _words(text: str | None, tag: str) -> str:
    """Between tags of anything else there is only white space."""
    return html.escape(text or "", quote=False) if tag in ("text", "tspan") else ""


def _short(number: float) -> str:
    """A tenth of a pixel is as much as is seen."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text in ("-0", "") else re.sub(r"^(-?)0\.", r"\1.", text)


def _path(told: str) -> str:
    """The same steps, each from where the last one ended, which takes fewer digits; all in tenths of a pixel.

    Numbers are parted only where they must be, and a step like the last has no letter.
    """
    written, last = "", ""
    at = start = (0, 0)
    for step, points in _steps(told):
        if step == "Z":
            written, last, at = f"{written}z", "z", start
            continue
        letter = step.lower()
        # After a move, numbers draw lines.
        if letter == "m" or letter != ("l" if last == "m" else last):
            written += letter
        for x, y in points:
            for number in (x - at[0], y - at[1]):
                shown = _short(number / 10)
                written += shown if written[-1].isalpha() or shown.startswith("-") else f" {shown}"
        at, last = points[-1], letter
        if letter == "m":
            start = at
    return written


def _steps(told: str) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """The letter of each step and its points, in tenths of a pixel."""
    numbers: list[int] = []
    letter = ""
    for part in [*_STEP.findall(told), ""]:
        if part and not part.isalpha():
            numbers.append(round(10 * float(part)))
            continue
        if letter:
            yield letter.upper(), list(zip(numbers[::2], numbers[1::2], strict=True))
        letter, numbers = part, []


def _reaches(told: str) -> tuple[float, float, float, float]:
    """The smallest box around the points of a path."""
    points = [point for _, step in _steps(told) for point in step]
    across, down = ([point[axis] / 10 for point in points] for axis in (0, 1))
    return min(across), min(down), max(across), max(down)
