"""The page in a real browser: it sorts, filters, compares, fits a phone, and follows the theme."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import pytest
import synthetic
from muxplots import report
from muxplots.html import page

pytestmark = pytest.mark.skipif(bool(browser.missing()), reason=browser.missing())

WIDE, PHONE = (1280, 900), (375, 740)


@pytest.fixture(scope="module")
def chromium() -> Iterator[browser.Browser]:
    with browser.Browser.start() as started:
        yield started


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    document = synthetic.build()
    synthetic.edit(document, "poll", 8000, flags=[{"kind": "noisy", "detail": "it varies by 14 %"}])
    synthetic.edit(document, "epoll_level", 256, status="failed", reason="it died <b>early</b>")
    document["muxbench"]["findings"] = [
        {"kind": "tie", "experiment": "idle", "metric": "requests_per_second",
         "text": "At idle 0 a tie of **poll** & epoll_level."},
        {"kind": "note", "text": "Trials were shortened."},
        {"kind": "note", "text": f"Skipped: wait_cost/{'epoll_level/' * 6}watched:128 (so)."},
    ]
    synthetic.add_verdicts(document)
    return write_page(tmp_path_factory.mktemp("page"), document)


def write_page(directory: Path, document: dict[str, Any]) -> Path:
    loaded = report.load(synthetic.write(directory, document))
    path = directory / "report.html"
    path.write_text(page.build(loaded, "report.json"))
    return path


@pytest.fixture
def opened(chromium: browser.Browser, written: Path) -> Iterator[browser.Browser]:
    chromium.open(written, *WIDE)
    yield chromium
    assert chromium.console() == []


def column(chromium: browser.Browser, key: str) -> list[float | None]:
    """The values of a column of the rows that are shown, from top to bottom."""
    return chromium.run(
        """const place = [...document.querySelectorAll('#cells thead th')]
             .findIndex((head) => head.dataset.key === arguments[0]);
           return [...document.querySelectorAll('#cells tbody tr')].filter((row) => !row.hidden)
             .map((row) => row.cells[place].dataset.value ?? row.cells[place].textContent)
             .map((value) => value === '' ? null : isNaN(value) ? value : Number(value))""",
        key,
    )


def shown_models(chromium: browser.Browser) -> set[str]:
    return set(column(chromium, "model"))


def test_a_click_sorts_best_first_and_another_turns_it_round(opened: browser.Browser) -> None:
    before = column(opened, "requests_per_second")
    opened.click('th[data-key="requests_per_second"] button')
    after = column(opened, "requests_per_second")
    known = [value for value in after if value is not None]
    assert known == sorted((one for one in before if one is not None), reverse=True)
    assert before != after and after[len(known):] == [None] * (len(before) - len(known)), after
    assert opened.run(
        "return [...document.querySelectorAll('#cells th[scope=col]')].map((th) => th.ariaSort)"
    ).count("descending") == 1
    opened.click('th[data-key="requests_per_second"] button')
    again = column(opened, "requests_per_second")
    assert again[: len(known)] == known[::-1] and again[len(known):] == after[len(known):]


def test_latency_sorts_lowest_first_by_keyboard(opened: browser.Browser) -> None:
    opened.type('th[data-key="latency_p99_ns"] button', "enter")
    known = [value for value in column(opened, "latency_p99_ns") if value is not None]
    assert known == sorted(known) and len(known) > 30


def test_filters_narrow_and_reset(opened: browser.Browser) -> None:
    rows = len(column(opened, "model"))
    opened.type("#filters [name=model]", "epoll")
    assert shown_models(opened) == {"epoll_level"}
    assert opened.run("return document.getElementById('shown').textContent") == f"9 of {rows} cells"
    opened.click("#filters [type=reset]")
    opened.run("return new Promise((done) => setTimeout(done, 20))")
    assert len(column(opened, "model")) == rows
    for key, value, expected in (
        ("family", "readiness", {"poll", "epoll_level"}),
        ("experiment", "connections", set(synthetic.SIX_MODELS)),
        ("state", "skipped", {"blocking_iterative"}),
        ("state", "measured", {"poll"}),
    ):
        opened.click("#filters [type=reset]")
        opened.run("return new Promise((done) => setTimeout(done, 20))")
        opened.type(f"#filters [name={key}]", value)
        assert shown_models(opened) == expected, (key, value)


def test_two_models_side_by_side(opened: browser.Browser) -> None:
    opened.type("#pair [name=one]", "poll")
    opened.type("#pair [name=other]", "epoll_level")
    opened.type("#pair [name=metric]", "Server CPU")
    lines = side_by_side(opened)
    assert len(lines) == 9
    told = {line[0]: line[-1] for line in lines}
    assert told["idle: idle 8000, connections 100"] == "flagged: not judged"
    assert told["idle: idle 1000, connections 100"] == "epoll_level is faster"
    assert told["connections: connections 256"] == ""  # one of them has no measurement there
    ratio = [float(line[3]) for line in lines if line[0] == "idle: idle 1000, connections 100"]
    assert 1.3 < ratio[0] < 2.2
    caption = opened.run("return document.querySelector('#side caption').textContent")
    assert caption.startswith("Server CPU per request: poll and epoll_level")


def side_by_side(chromium: browser.Browser) -> list[list[str]]:
    return chromium.run(
        "return [...document.querySelectorAll('#side tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )


HUNDRED_IDLE = {"idle": 100, "connections": 100}


@pytest.mark.parametrize("letter, told, bold", [
    ("f", "poll is faster", True), ("s", "poll is slower", True), ("=", "the same within 2 %", False),
    ("?", "undecided", False), ("-", "too few trials for a verdict (4 needed)", False),
    ("x", "flagged: not judged", False), (".", "", False),
])
def test_the_verdict_is_the_drivers_in_words(
    chromium: browser.Browser, tmp_path: Path, letter: str, told: str, bold: bool
) -> None:
    document = synthetic.build(["epoll_level", "poll", "select"], [synthetic.IDLE], repetitions=2)
    synthetic.add_verdicts(document)
    synthetic.edit_verdict(document, "requests_per_second", HUNDRED_IDLE, "epoll_level", "poll", letter)
    chromium.open(write_page(tmp_path, document), *WIDE)
    place = [line[0] for line in side_by_side(chromium)].index("idle: idle 100, connections 100")
    assert side_by_side(chromium)[place][-1] == told
    assert chromium.run(
        "return document.querySelector('#side tbody').rows[arguments[0]].lastChild.className", place
    ) == ("apart" if bold else "")
    # Seen from the other model it is the other letter of the table, which was left as it was.
    chromium.type("#pair [name=one]", "poll")
    chromium.type("#pair [name=other]", "epoll_level")
    assert side_by_side(chromium)[place][-1].startswith(("epoll_level is ", "the same"))
    assert chromium.console() == []


def test_a_report_without_verdicts_says_where_to_get_them(chromium: browser.Browser, tmp_path: Path) -> None:
    document = synthetic.build(["epoll_level", "poll"], [synthetic.IDLE], repetitions=2)
    chromium.open(write_page(tmp_path, synthetic.older(document)), *WIDE)
    assert chromium.run("return document.querySelector('#compare p:not(noscript p)').textContent") == (
        "This report has no verdicts; muxbench compare REPORT --models A,B gives them."
    )
    lines = side_by_side(chromium)
    assert len(lines) == 4 and all(line[-1] == "" and float(line[3]) > 0 for line in lines)
    assert chromium.console() == []


def test_a_name_cannot_end_the_element_of_the_verdicts(chromium: browser.Browser, tmp_path: Path) -> None:
    name = "</script><b id=caught>&amp;<!--<script>"
    document = synthetic.build([name, "poll"], [synthetic.IDLE], repetitions=2)
    synthetic.add_verdicts(document)
    synthetic.edit_verdict(document, "requests_per_second", HUNDRED_IDLE, "poll", name, "f")
    chromium.open(write_page(tmp_path, document), *WIDE)
    assert chromium.run("return document.getElementById('caught')") is None
    chromium.run(
        "const pair = document.getElementById('pair'); pair.elements.one.value = 'poll';"
        "pair.elements.other.value = arguments[0]; pair.dispatchEvent(new Event('input'))", name
    )
    told = {line[0]: line[-1] for line in side_by_side(chromium)}
    assert told["idle: idle 100, connections 100"] == f"{name} is faster"
    assert chromium.console() == []


def test_what_a_report_says_is_text_and_never_markup(opened: browser.Browser) -> None:
    assert opened.run("return document.querySelectorAll('td b').length") == 0
    assert opened.run("return document.body.textContent.includes('it died <b>early</b>')")
    assert opened.run(
        "return document.querySelector('#findings li').innerHTML"
    ) == "At idle 0 a tie of <strong>poll</strong> &amp; epoll_level."


def test_the_page_asks_nothing_of_the_network(opened: browser.Browser, written: Path) -> None:
    assert opened.run("return performance.getEntriesByType('resource').length") == 0
    # The names of XML's vocabularies look like addresses, but nobody visits them.
    assert set(opened.run(
        "return [...document.querySelectorAll('[src],[href]')]"
        ".map((one) => one.getAttribute('src') || one.getAttribute('href'))"
        ".filter((place) => !place.startsWith('#'))"
    )) == {"report.json", "data:,"}


def test_charts_have_names_and_words_for_screen_readers(opened: browser.Browser) -> None:
    told = opened.run(
        """return [...document.querySelectorAll('svg')].map((svg) => svg.getAttribute('aria-labelledby')
             .split(' ').map((id) => document.getElementById(id).textContent))"""
    )
    assert len(told) == opened.run("return document.querySelectorAll('figure').length") > 10
    assert ["Throughput against idle connections",
            "Chart: Throughput against idle connections for 5 models. "
            "At idle 0 a tie of poll & epoll_level."] in told
    ids = opened.run("return [...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    assert opened.run("return [...document.querySelectorAll('table:not([hidden])')].every((t) => t.caption)")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_follows_the_theme(
    chromium: browser.Browser, written: Path, tmp_path: Path, size, scheme: str
) -> None:
    chromium.open(written, *size, scheme)
    # Not against innerWidth: a phone zooms out, and says so there, when something is too wide.
    assert chromium.run("return document.documentElement.scrollWidth") <= size[0]
    light = chromium.run("return getComputedStyle(document.documentElement).backgroundColor")
    assert (light == "rgb(255, 255, 255)") is (scheme == "light")
    inks = chromium.run(
        "return [...new Set([...document.querySelectorAll('svg text')].map((t) => getComputedStyle(t).fill))]"
    )
    assert "rgb(26, 26, 26)" in inks if scheme == "light" else "rgb(233, 233, 233)" in inks
    chromium.click("#theme")
    turned = chromium.run("return getComputedStyle(document.documentElement).backgroundColor")
    assert turned != light
    chromium.click("#theme")
    kept = Path(os.environ.get("MUXBENCH_SCREENSHOTS", tmp_path))
    chromium.screenshot(kept / f"page-{size[0]}-{scheme}.png", whole=True)
    assert chromium.console() == []
