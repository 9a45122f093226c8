"""Which panel of a chart a model is in: that of its family, one that small families share, or a part of a large one."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def group(items: Sequence[T], family: Callable[[T], str], most: int) -> list[tuple[str, list[T]]]:
    """The title of each panel and what is in it, in the order of `items`; no panel holds more than `most`.

    Neighbouring families share a panel as long as they fit, and a larger family has several of about one size.
    """
    mine: dict[str, list[T]] = {}
    for item in items:
        mine.setdefault(family(item), []).append(item)
    panels: list[tuple[list[str], list[T]]] = []
    for name, members in mine.items():
        if panels and len(panels[-1][1]) + len(members) <= most:
            panels[-1][0].append(name)
            panels[-1][1].extend(members)
        else:
            panels.append(([name], list(members)))
    return [part for names, members in panels for part in _parts(_title(names), members, most)]


def _parts(title: str, members: list[T], most: int) -> list[tuple[str, list[T]]]:
    count = math.ceil(len(members) / most)
    if count == 1:
        return [(title, members)]
    ends = [len(members) * part // count for part in range(count + 1)]
    return [
        (f"{title}, {part + 1} of {count}", members[ends[part]:ends[part + 1]]) for part in range(count)
    ]


def _title(names: Sequence[str]) -> str:
    *others, last = names
    told = f"{', '.join(others)} and {last}" if others else last
    return told[:1].upper() + told[1:]
