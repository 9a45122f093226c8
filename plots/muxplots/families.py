"""Which panel of a chart a model is in: that of its family, or one that small families share."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def group(items: Sequence[T], family: Callable[[T], str], most: int) -> list[tuple[str, list[T]]]:
    """The title of each panel and what is in it, in the order of `items`.

    Neighbouring families share a panel as long as it holds no more than `most`.
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
    return [(_title(names), members) for names, members in panels]


def _title(names: Sequence[str]) -> str:
    *others, last = names
    told = f"{', '.join(others)} and {last}" if others else last
    return told[:1].upper() + told[1:]
