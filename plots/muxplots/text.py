"""Numbers as people read them, and text that fits: formats, widths, wrapped lines.

Widths are measured without a canvas, in points, so that a page can be laid out before it exists.
"""

import re
from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

_TIMES = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))


def count(value: float) -> str:
    """1000 as "1k", 1500 as "1.5k", 2000000 as "2M"; a count that is not round stays as it is."""
    for size, suffix in ((1_000_000, "M"), (1_000, "k")):
        if abs(value) >= size and value % (size / 10) == 0:
            return f"{value / size:g}{suffix}"
    return f"{value:.15g}"


def time_unit(largest_ns: float) -> tuple[int, str]:
    """The unit in which a linear axis that ends at `largest_ns` reads best."""
    return next((unit for unit in _TIMES if largest_ns >= unit[0]), _TIMES[-1])


def duration(value_ns: float) -> str:
    """One mark of a logarithmic axis with its unit: "20 µs"."""
    size, unit = time_unit(value_ns)
    return f"{value_ns / size:g} {unit}"


@lru_cache(maxsize=None)
def _font(size: float, bold: bool) -> FontProperties:
    return FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")


@lru_cache(maxsize=None)
def width(text: str, size: float, bold: bool = False) -> float:
    """The width of one line of text in points."""
    return text_to_path.get_text_width_height_descent(text, _font(size, bold), False)[0]


NO_BREAK = "\u00a0"


def wrap(text: str, size: float, limit: float, bold: bool = False) -> list[str]:
    """Break text into lines of at most `limit` points, at spaces; a longer word is cut up.

    Not before a "·", nor between the two words that stand alone between two of them.
    """
    lines: list[str] = []
    line = ""
    together = re.sub(r"(· \S+) (\S+)(?= ·|$)", rf"\1{NO_BREAK}\2", text.strip())
    for word in re.split(r"[ \t\n]+(?!·)", together):
        longer = f"{line} {word}" if line else word
        if width(longer, size, bold) <= limit:
            line = longer
            continue
        if line:
            lines.append(line)
        while width(word, size, bold) > limit and len(word) > 1:
            fitting = len(word) - 1
            while fitting > 1 and width(word[:fitting], size, bold) > limit:
                fitting -= 1
            lines.append(word[:fitting])
            word = word[fitting:]
        line = word
    lines += [line] if line else []
    return [line.replace(NO_BREAK, " ") for line in lines]


def balance(text: str, size: float, limit: float, bold: bool = False) -> list[str]:
    """Like `wrap`, with lines of about equal length, so that no word is left alone on the last."""
    lines = wrap(text, size, limit, bold)
    while len(lines) > 1:
        limit -= size
        tighter = wrap(text, size, limit, bold)
        if len(tighter) > len(lines):
            break
        lines = tighter
    return lines


TIMES = ((1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1, " ns"))
SIZES = ((2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"), (1, " B"))
RATES = ((1e6, " M"), (1e3, " k"), (1, ""))


def scaled(value: float, units: tuple[tuple[float, str], ...]) -> str:
    """Three significant digits in the largest unit that leaves at least one before the point."""
    size, suffix = next((unit for unit in units if abs(value) >= unit[0]), units[-1])
    number = value / size
    digits = 0 if abs(number) >= 100 or (size == 1 and number == int(number)) else 1 if abs(number) >= 10 else 2
    return f"{number:.{digits}f}{suffix}"
