"""The driver's verdicts inside the page, where its script looks them up. None is computed here."""

import html
import json
from typing import Any

from muxplots import captions, trials
from muxplots.report import Report

# What the letters of a verdict table say of a new model and a base, by the rule of `muxbench compare`
# with its usual settings. A letter that is not here says nothing: not measured, or one model twice.
WORDS = {
    "f": "{new} is faster",
    "s": "{new} is slower",
    "=": "the same within 2 %",
    "?": "undecided",
    "-": "too few {samples} for a verdict (4 needed)",
    "x": "flagged: not judged",
}
DECIDED = "fs"


def remark(report: Report) -> str:
    """What a reader is told where a report has no verdicts."""
    if report.verdicts or len({cell.model for cell in report.cells}) < 2:
        return ""
    command = html.escape("muxbench compare REPORT --models A,B")
    return f"<p>This report has no verdicts; <code>{command}</code> gives them.</p>"


def script(report: Report) -> str:
    """An element that the page's script reads. Most points have the same models, which stand once."""
    shown = {
        (cell.experiment, _key(cell.point)): f"{cell.experiment}: {trials.describe_point(cell)}"
        for cell in report.cells
    }
    lists: dict[tuple[str, ...], int] = {}
    found: dict[str, list] = {}
    for one in report.verdicts:
        at = shown.get((one.experiment, _key(one.point)))
        if at is not None:
            found[f"{one.metric} {at}"] = [lists.setdefault(one.models, len(lists)), *one.matrix]
    samples = captions.samples(report.cells)
    words = {letter: told.replace("{samples}", samples) for letter, told in WORDS.items()}
    told = {"words": words, "decided": DECIDED, "models": list(map(list, lists)), "tables": found}
    # Nothing in it can end the element, or begin a comment there.
    written = json.dumps(told, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="verdicts">{written}</script>'


def _key(point: dict[str, Any]) -> tuple:
    return tuple(sorted(point.items(), key=str))
