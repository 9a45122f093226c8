"""Reports that are damaged or written by somebody hostile: one sentence, or a page on which all of it is text."""

import copy
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import synthetic
from muxplots import report
from muxplots.html import cli, page, svg
from synthetic_slices import add_answer, slice_report
from test_page import Balanced

HOSTILE = "<img src=x onerror=alert(1)>\"'&#0451aa 1.23456"
# Values of these members choose between ways to read a report, or are a part of the name of a file.
KEPT = {"schema_version", "status", "method", "mode", "experiment", "metric", "key", "path", "better", "kind", "matrix"}
# Members of these are named by what was measured.
NAMED = ("point", "sweep", "syscalls")


def small() -> dict[str, Any]:
    experiments = (synthetic.CONNECTIONS | {"values": [1, 64]}, synthetic.IDLE | {"values": [1000]})
    document = synthetic.build(["poll", "epoll_level", "blocking_iterative"], experiments, repetitions=2)
    synthetic.add_counts(document)
    synthetic.add_fits(document)
    synthetic.add_verdicts(document)
    slice_report(document, blocks=12, levels=(1.0, 1.5))
    synthetic.edit(document, "poll", 64, flags=[{"kind": "noisy", "detail": "it varies"}])
    document["muxbench"]["findings"] += [
        {"kind": "best", "experiment": "idle", "text": "Best is **poll**."}, {"kind": "note", "text": "So."}
    ]
    document["muxbench"]["models"].append({"name": "kqueue", "available": False, "reason": "not here"})
    return add_answer(document)


def hostile(value: Any, name: str = "") -> Any:
    """The same with every string turned into markup, which still differs where the strings did."""
    if isinstance(value, dict):
        renamed = {HOSTILE + key if name in NAMED else key: one for key, one in value.items()}
        return {key: hostile(one, key) for key, one in renamed.items()}
    if isinstance(value, list):
        return [hostile(one, name) for one in value]
    return HOSTILE + value if isinstance(value, str) and name not in KEPT else value


def hostile_report() -> dict[str, Any]:
    document = small()
    section = hostile(document["muxbench"])
    for known, mine in zip(document["muxbench"]["experiments"], section["experiments"], strict=True):
        mine["name"] = known["name"]
    section["host"][HOSTILE] = section["plan"][HOSTILE] = {HOSTILE: HOSTILE}
    for cell in section["cells"]:
        for flag in cell["flags"]:
            flag["kind"] = HOSTILE
    return {"muxbench": section}


class Strict(Balanced):
    """Fails on an element or attribute that only the report can have brought."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        assert tag not in ("img", "iframe", "object"), self.getpos()
        assert not [name for name, _ in attrs if name.startswith("on")], self.getpos()

    handle_startendtag = HTMLParser.handle_startendtag


def test_every_string_of_a_report_is_text_on_the_page(tmp_path: Path) -> None:
    text = page.build(report.load(synthetic.write(tmp_path, hostile_report())), f"{HOSTILE}.json")
    parser = Strict()
    parser.feed(text)
    assert parser.open == [] and "<img" not in text
    # In drawings neither a colour nor a number within words is one of the drawing.
    assert "&lt;img src=x onerror=alert(1)&gt;\"'&amp;#0451aa 1.23456poll" in text


def members(value: Any, place: tuple = ()) -> Iterator[tuple]:
    """The places of all members, of a list of its first element alone."""
    entries = value.items() if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else ()
    for key, one in entries:
        yield (*place, key)
        yield from members(one, (*place, key))


def removed(holder: Any, key: Any) -> None:
    del holder[key]


def retyped(holder: Any, key: Any) -> None:
    holder[key] = {str: 7, int: "7", float: "0.7", bool: [], list: {"a": 1}, dict: [1]}.get(type(holder[key]), {"a": [1]})


def emptied(holder: Any, key: Any) -> None:
    holder[key] = {str: "", int: -1, float: -0.5, list: [], dict: {}}.get(type(holder[key]))


@pytest.mark.parametrize("damage", [removed, retyped, emptied])
def test_a_damaged_report_is_a_page_or_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], damage: Callable[[Any, Any], None],
    size: Callable[[int, int], int],
) -> None:
    """At each place, or in the quick tier at every fourth."""
    # What is drawn was checked when it was planned, and drawing takes 100 times as long.
    monkeypatch.setattr(svg.Drawings, "inline", lambda _, chart: "<svg></svg>")
    document = {"muxbench": small()["muxbench"]}
    refused = 0
    places = list(members(document))[::size(4, 1)]
    for place in places:
        damaged = copy.deepcopy(document)
        holder: Any = damaged
        for key in place[:-1]:
            holder = holder[key]
        damage(holder, place[-1])
        written = synthetic.write(tmp_path, damaged)
        try:
            status = cli.main([str(written), "--quiet"])
        except Exception as error:
            raise AssertionError(f"{damage.__name__} {place}: {error!r}") from error
        told = capsys.readouterr().err
        assert (status, told.count("\n")) in ((0, 0), (2, 1)), (place, told)
        refused += status == 2
    assert len(places) > refused > len(places) / 20
