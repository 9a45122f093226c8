"""The first screen of the page: how far the machine can be trusted, and which model to take for what."""

import html
from collections.abc import Iterable, Sequence

from muxplots import answer
from muxplots.report import Choice, Entry, Question, Report, Unable

# So many names stand in a cell; of more, the first few, and the others behind a click.
MOST, FEW = 3, 1

HEADS = ("You have", "Recommended", "Equally good within noise", "Avoid", "Cannot do it, or unknown")
READING = (
    "A figure is the ratio to the reference ({reference}) at the same point, with its 95 % interval in brackets; the reference "
    "has its own value. Models are equally good where they cannot be told apart from the best one. Those to avoid are behind "
    "it by half or more, and the worst one comes first."
)


def write(report: Report, chart: str) -> str:
    """`chart` is the markup of the main chart; an older report has no answer, and no first screen."""
    if report.answer is None:
        return ""
    trust = answer.trust(report)
    parts = [f"<p>{html.escape(trust)}</p>"] if trust else []
    parts += [_table(report), chart, _reading(report), _unmeasured(report.answer.questions)]
    return f'<section id="first-screen" aria-label="Which model to take">{"".join(parts)}</section>'


def _table(report: Report) -> str:
    assert report.answer is not None
    rows = [_row(report, question) for question in report.answer.questions if question.measured]
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    return (
        f'<table id="decisions" class="cards" aria-label="Models to take and to avoid"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _reading(report: Report) -> str:
    references = sorted({choice.reference for _, choice in answer.decided(report)})
    if not references:
        return ""
    return _folded("How to read it", f"<p>{html.escape(READING.format(reference=' or '.join(references)))}</p>")


def _row(report: Report, question: Question) -> str:
    name, choice = html.escape(question.question), question.choice
    if choice is None:
        return f'<tr><th scope="row">{name}</th><td colspan="{len(HEADS) - 1}">too few clean measurements</td></tr>'
    title = report.metrics[choice.metric].title
    where = _folded(name, html.escape(f"{choice.where}, by {title}"))
    first, *others = (_entry(report, choice, entry) for entry in choice.best)
    cells = (first, _names(others), _names(_entry(report, choice, entry) for entry in choice.avoid), _unable(choice.unable))
    written = "".join(f'<td data-title="{head}">{cell}</td>' for head, cell in zip(HEADS[1:], cells, strict=True))
    return f'<tr><th scope="row">{where}</th>{written}</tr>'


def _entry(report: Report, choice: Choice, entry: Entry) -> str:
    if entry.model == choice.reference:
        figure = html.escape(answer.value(report, choice, entry))
    else:
        figure = f"{answer.ratio(entry.relative)} <small>({answer.interval(entry.relative)})</small>"
    return f'<b>{html.escape(entry.model)}</b> <span class="figure">{figure}</span>'


def _names(entries: Iterable[str]) -> str:
    told = list(entries)
    shown = MOST if len(told) <= MOST else FEW
    more = _folded(f"+ {len(told) - shown} more", _items(told[shown:])) if told[shown:] else ""
    return (_items(told[:shown]) if told else "–") + more


def _unable(groups: Sequence[Unable]) -> str:
    count = len({model for group in groups for model in group.models})
    if not count:
        return "–"
    items = [html.escape(f"{', '.join(group.models)}: {group.reason}") for group in groups]
    return _folded(f"{count} model{'' if count == 1 else 's'}", _items(items))


def _items(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>{body}</details>"


def _unmeasured(questions: Sequence[Question]) -> str:
    gone = [question for question in questions if not question.measured]
    if not gone:
        return ""
    names = html.escape(", ".join(question.question for question in gone))
    experiments = html.escape(",".join(dict.fromkeys(question.experiment for question in gone)))
    return f"<p>Not measured: {names}. <code>bench/run_all.sh --experiments {experiments}</code> measures it.</p>"
