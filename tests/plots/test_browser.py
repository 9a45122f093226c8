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
from synthetic_slices import add_answer, slice_report
from test_damaged import hostile_report

pytestmark = pytest.mark.skipif(bool(browser.missing()), reason=browser.missing())

WIDE, PHONE = (1280, 900), (390, 844)


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


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With an answer to as many questions as the driver asks, about all models."""
    experiments = [synthetic.IDLE | {"values": [0, 2000]}, synthetic.CONNECTIONS | {"values": [1, 128]}]
    document = slice_report(synthetic.build(synthetic.ALL_MODELS, experiments, repetitions=2), blocks=12)
    synthetic.add_verdicts(document)
    add_answer(document, {
        "many idle connections": ("idle", "server_cpu_ns_per_request"),
        "many busy connections": ("connections", "requests_per_second"),
        "tail latency at a given rate": ("connections", "latency_p99_ns"),
        "short connections": ("connections", "server_cpu_ns_per_request"),
        "requests that need CPU time": ("connections", "latency_mean_ns"),
        "requests that wait for a child process": ("work_child", "requests_per_second"),
        "memory per connection": ("idle", "latency_p99_ns"),
    })
    return write_page(tmp_path_factory.mktemp("answer"), document)


def write_page(directory: Path, document: dict[str, Any]) -> Path:
    loaded = report.load(synthetic.write(directory, document))
    path = directory / "report.html"
    path.write_text(page.build(loaded, "report.json"))
    return path


@pytest.fixture
def opened(chromium: browser.Browser, written: Path) -> Iterator[browser.Browser]:
    chromium.open(written, *WIDE)
    unfold(chromium)
    yield chromium
    assert chromium.console() == []


def unfold(chromium: browser.Browser) -> None:
    chromium.run("for (const one of document.querySelectorAll('details')) one.open = true")


def table_of(experiment: str) -> str:
    return f"#experiment-{experiment} table.cells"


def column(chromium: browser.Browser, key: str, experiment: str = "idle") -> list[Any]:
    """The values of a column of the rows that are shown, from top to bottom."""
    return chromium.run(
        """const table = document.querySelector(arguments[0]);
           const place = [...table.tHead.rows[0].cells].findIndex((head) => head.dataset.key === arguments[1]);
           return [...table.tBodies[0].rows].filter((row) => !row.hidden)
             .map((row) => row.cells[place].dataset.value ?? row.cells[place].textContent)
             .map((value) => value === '' ? null : isNaN(value) ? value : Number(value))""",
        table_of(experiment), key,
    )


def shown_models(chromium: browser.Browser, experiment: str = "idle") -> set[str]:
    return set(column(chromium, "model", experiment))


def test_a_table_begins_with_the_best_at_each_point(opened: browser.Browser) -> None:
    points, rates = column(opened, "point"), column(opened, "requests_per_second")
    assert points == sorted(points) and len(set(points)) == 4
    for point in set(points):
        known = [rate for at, rate in zip(points, rates) if at == point and rate is not None]
        # The one that is flagged is not ranked, and comes last.
        ranked = known[:-1] if point == 8000 else known
        assert ranked == sorted(ranked, reverse=True) and len(known) == 5, point


def test_a_click_sorts_best_first_and_another_turns_it_round(opened: browser.Browser) -> None:
    head = f'{table_of("idle")} th[data-key="requests_per_second"] button'
    before = column(opened, "requests_per_second")
    opened.click(head)
    after = column(opened, "requests_per_second")
    known = [value for value in after if value is not None]
    assert known == sorted((one for one in before if one is not None), reverse=True)
    assert before != after and after[len(known):] == [None] * (len(before) - len(known)), after
    assert opened.run(
        "return [...document.querySelectorAll('.cells th[scope=col]')].map((th) => th.ariaSort)"
    ).count("descending") == 1
    opened.click(head)
    again = column(opened, "requests_per_second")
    assert again[: len(known)] == known[::-1] and again[len(known):] == after[len(known):]


def test_latency_sorts_lowest_first_by_keyboard(opened: browser.Browser) -> None:
    opened.type(f'{table_of("connections")} th[data-key="latency_p99_ns"] button', "enter")
    known = [value for value in column(opened, "latency_p99_ns", "connections") if value is not None]
    assert known == sorted(known) and len(known) > 20


def test_filters_narrow_and_reset(opened: browser.Browser) -> None:
    form = "#experiment-idle .filters"
    rows = len(column(opened, "model"))
    elsewhere = len(column(opened, "model", "connections"))
    opened.type(f"{form} [name=model]", "epoll")
    assert shown_models(opened) == {"epoll_level"}
    assert opened.run("return document.querySelector(arguments[0]).textContent", f"{form} output") == f"4 of {rows} cells"
    assert len(column(opened, "model", "connections")) == elsewhere

    def reset() -> None:
        opened.click(f"{form} [type=reset]")
        opened.run("return new Promise((done) => setTimeout(done, 20))")

    reset()
    assert len(column(opened, "model")) == rows
    for key, value, expected in (
        ("family", "readiness", {"poll", "epoll_level"}),
        ("point", "idle 1000, connections 100", set(synthetic.SIX_MODELS)),
        ("state", "skipped", {"blocking_iterative"}),
        ("state", "measured", {"poll"}),
    ):
        reset()
        opened.type(f"{form} [name={key}]", value)
        assert shown_models(opened) == expected, (key, value)


def test_two_models_side_by_side(opened: browser.Browser) -> None:
    opened.type("#pair [name=one]", "poll")
    opened.type("#pair [name=other]", "epoll_level")
    opened.type("#pair [name=metric]", "Server CPU")
    lines = side_by_side(opened)
    assert len(lines) == 9 and {len(line) for line in lines} == {4}
    told = {line[0]: line[-1] for line in lines}
    assert told["idle: idle 8000, connections 100"] == "flagged: not judged"
    assert told["idle: idle 1000, connections 100"] == "epoll_level is faster"
    assert told["connections: connections 256"] == ""  # one of them has no measurement there
    caption = opened.run("return document.querySelector('#side caption').textContent")
    assert caption.startswith("Server CPU per request: poll and epoll_level")


def test_models_measured_in_slices_are_compared_by_what_the_driver_says(chromium: browser.Browser, tmp_path: Path) -> None:
    document = slice_report(synthetic.build(["epoll_level", "poll", "select"], [synthetic.IDLE], repetitions=2))
    synthetic.add_verdicts(document)
    synthetic.edit_verdict(document, "requests_per_second", HUNDRED_IDLE, "poll", "select", "?")
    for cell in document["muxbench"]["cells"]:
        if cell["point"] == HUNDRED_IDLE and cell["model"] != "epoll_level":
            low = {"poll": 0.9, "select": 1.9}[cell["model"]]
            cell["relative"]["requests_per_second"] |= {"low": low, "ratio": low + 0.1, "high": low + 0.2}
    chromium.open(write_page(tmp_path, document), *WIDE)
    unfold(chromium)
    chromium.type("#pair [name=one]", "poll")
    chromium.type("#pair [name=other]", "select")
    (line,) = [line for line in side_by_side(chromium) if line[0] == "idle: idle 100, connections 100"]
    assert line[1].endswith("+0 % (-10 to +10) relative to epoll_level")
    assert line[2].endswith("2 times (1.9 to 2.1) relative to epoll_level")
    assert line[3] == "undecided" and len(line) == 4
    assert chromium.console() == []


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
    unfold(chromium)
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
    assert len(lines) == 4 and all(line[-1] == "" for line in lines)
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
        "return document.querySelector('.findings li').innerHTML"
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
        """return [...document.querySelectorAll('svg')].filter((svg) => svg.checkVisibility())
             .map((svg) => svg.getAttribute('aria-labelledby')
             .split(' ').map((id) => document.getElementById(id).textContent))"""
    )
    assert len(told) == opened.run("return document.querySelectorAll('figure').length") > 10
    assert ["Throughput against idle connections",
            "Chart: Throughput against idle connections for 5 models. "
            "At idle 0 a tie of poll & epoll_level."] in told
    ids = opened.run("return [...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    assert opened.run(
        "return [...document.querySelectorAll('table:not([hidden])')].every((t) => t.caption || t.ariaLabel)"
    )


@pytest.mark.parametrize("size, scheme", [
    pytest.param(WIDE, "light", id="wide-light"), pytest.param(PHONE, "dark", id="phone-dark"),
    pytest.param(WIDE, "dark", id="wide-dark", marks=pytest.mark.full),
    pytest.param(PHONE, "light", id="phone-light", marks=pytest.mark.full),
])
def test_the_page_fits_and_follows_the_theme(
    chromium: browser.Browser, answered: Path, tmp_path: Path, size, scheme: str
) -> None:
    chromium.open(answered, *size, scheme)
    kept = Path(os.environ.get("MUXBENCH_SCREENSHOTS", tmp_path))
    chromium.screenshot(kept / f"page-{size[0]}-{scheme}.png", whole=True)
    unfold(chromium)
    # Not against innerWidth: a phone zooms out, and says so there, when something is too wide.
    assert chromium.run("return document.documentElement.scrollWidth") <= size[0]
    light = chromium.run("return getComputedStyle(document.documentElement).backgroundColor")
    assert (light == "rgb(255, 255, 255)") is (scheme == "light")
    inks = chromium.run(
        "return [...new Set([...document.querySelectorAll('svg text')].map((t) => getComputedStyle(t).fill))]"
    )
    assert ("rgb(26, 26, 26)" if scheme == "light" else "rgb(233, 233, 233)") in inks
    chromium.click("#theme")
    turned = chromium.run("return getComputedStyle(document.documentElement).backgroundColor")
    assert turned != light
    chromium.click("#theme")
    assert chromium.console() == []


def test_nothing_scrolls_sideways_on_a_phone(chromium: browser.Browser, answered: Path) -> None:
    chromium.open(answered, *PHONE)
    unfold(chromium)
    assert chromium.run(
        """return [...document.querySelectorAll('body, body *')].filter((one) => one.checkVisibility())
             .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== 'visible'
                              || one.getBoundingClientRect().right > arguments[0])
             .filter((one) => !one.closest('svg') && !one.matches('.skip'))
             .map((one) => `${one.tagName} ${one.id} ${one.className} ${one.textContent.slice(0, 60)}`)""",
        PHONE[0],
    ) == []


@pytest.mark.parametrize("size, kind", [(WIDE, "wide"), (PHONE, "narrow")])
def test_one_drawing_of_the_main_chart_is_shown_and_whole(chromium: browser.Browser, answered: Path, size, kind: str) -> None:
    chromium.open(answered, *size)
    left, right, shown = chromium.run(
        """const [svg, ...more] = [...document.querySelectorAll('#answer svg')].filter((one) => one.checkVisibility());
           const box = svg.getBoundingClientRect();
           return [box.left, box.right, more.length ? 'both' : svg.parentElement.className]"""
    )
    assert shown == kind and left >= 0 and right <= size[0]


def test_the_answer_stands_before_everything_else_in_few_words(chromium: browser.Browser, answered: Path) -> None:
    chromium.open(answered, *WIDE)
    order = chromium.run(
        "return [...document.querySelectorAll('h1, #first-screen > *, .fold')].map((one) => one.id || one.tagName)"
    )
    assert order[:5] == ["H1", "P", "decisions", "answer", "DETAILS"] and order[-2:] == ["compare", "method"]
    ids = chromium.run("return [...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    # Figures and the numbers in them are no words.
    words = chromium.run(
        """const chart = document.getElementById('answer'), told = [];
           const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
           while (texts.nextNode()) {
             const text = texts.currentNode, holder = text.parentElement;
             if (text.compareDocumentPosition(chart) & Node.DOCUMENT_POSITION_FOLLOWING && holder.checkVisibility()
                 && !holder.closest('.skip, .figure')) told.push(...text.data.split(/\\s+/));
           }
           return told.filter((word) => /[a-z]/i.test(word))"""
    )
    assert 60 < len(words) < 150, " ".join(words)


def test_a_part_unfolds_by_keyboard(chromium: browser.Browser, answered: Path) -> None:
    chromium.open(answered, *WIDE)
    shown = "return document.querySelector('#experiment-idle table.cells').checkVisibility()"
    assert chromium.run(shown) is False
    chromium.type("#experiment-idle > summary", "enter")
    assert chromium.run(shown) is True


def test_markup_in_a_report_does_nothing(chromium: browser.Browser, tmp_path: Path) -> None:
    chromium.open(write_page(tmp_path, hostile_report()), *WIDE)
    unfold(chromium)
    assert chromium.run("return document.images.length") == 0
    assert chromium.run("return document.getElementById('side').textContent.includes('<img src=x onerror')")
    assert chromium.console() == []
