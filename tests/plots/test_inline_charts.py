"""Charts inside the page: as small as they can be, and the same picture."""

import re
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure
from muxplots.chart import Chart
from muxplots.html import svg


def figure(words: str = "µs & <more>") -> Figure:
    drawn = Figure(figsize=(3, 2))
    plot = drawn.add_axes((0.1, 0.1, 0.8, 0.8))
    plot.plot([0, 1, 2], [0, 2.25, 1], color="#0451aa", marker="o", gid="line")
    plot.set_title(words)
    plot.text(0.5, 0.5, "upright", rotation=90)
    return drawn


def chart(name: str) -> Chart:
    return Chart(name, "A & B", "What it shows.", None, lambda layout: figure())


def drawings_of(markup: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(one) for one in re.findall(r"<svg.*?</svg>", markup, re.DOTALL)]


@pytest.mark.parametrize("told, written", [
    ("M 119.34 440 \nL 299.26 440 \nL 299.26 83 \nz\n", "m119.3 440 180 0 0-357z"),
    ("M 0 -0.04 \nL -0.52 0.55", "m0 0-.5 .6"),
    ("M 0 3 \nC 0.8 3 1.6 2.7 2.1 2.1 \nC 1 1 2 2 3 3 \nL 1 1", "m0 3c.8 0 1.6-.3 2.1-.9-1.1-1.1-.1-.1 .9 .9l-2-2"),
    ("M 1 1 \nL 2 2 \nz \nM 5 5 \nL 1e-05 3", "m1 1 1 1zm4 4-5-2"),
])
def test_a_path_keeps_its_steps(told: str, written: str) -> None:
    assert svg._path(told) == written


def test_steps_do_not_drift() -> None:
    """Each is rounded where it is, and not from the last one on."""
    points = [(0.04 * n, 100 + 0.06 * n) for n in range(1000)]
    written = svg._path("M " + " L ".join(f"{x} {y}" for x, y in points))
    numbers = [float(number) for number in re.findall(r"-?\d*\.?\d+", written)]
    assert sum(numbers[::2]) == pytest.approx(points[-1][0], abs=0.051)
    assert sum(numbers[1::2]) == pytest.approx(points[-1][1], abs=0.051)


def test_only_what_leaves_its_frame_is_cut_there() -> None:
    drawn = Figure(figsize=(3, 2))
    plot = drawn.add_axes((0.1, 0.1, 0.8, 0.8))
    plot.plot([0, 1], [0.2, 0.8], gid="inside")
    plot.plot([0, 1], [0.2, 5], gid="outside")
    plot.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    markup = svg.Drawings().inline(Chart("one", "A", "B", None, lambda layout: drawn))
    for one in drawings_of(markup):
        clipped = [path for path in one.iter("path") if path.get("clip-path")]
        assert len(clipped) == 1


def test_styles_are_classes_that_all_charts_share() -> None:
    drawings = svg.Drawings()
    both = drawings.inline(chart("one")) + drawings.inline(chart("two"))
    assert all(told.startswith("max-width:") for told in re.findall(r' style="([^"]*)"', both))
    used = set(re.findall(r'class="(s\d+)"', both))
    rules = dict(re.findall(r"^\.(s\d+)\{(.*)\}$", drawings.rules(), re.MULTILINE))
    assert used == set(rules) and len(set(rules.values())) == len(rules)
    before = len(rules)
    drawings.inline(chart("three"))
    assert drawings.rules().count("\n") + 1 == before
    light, dark = drawings.colours()
    assert "--c0451aa:#0451aa;" in light and "--c0451aa:" in dark and any("var(--c0451aa)" in rule for rule in rules.values())


def test_ids_are_those_of_one_element_and_references_lead_to_one() -> None:
    drawings = svg.Drawings()
    both = drawings.inline(chart("one")) + drawings.inline(chart("two"))
    ids = re.findall(r'\bid="([^"]+)"', both)
    assert len(ids) == len(set(ids))
    referred = re.findall(r'href="#([^"]+)"', both) + re.findall(r"url\(#([^)]+)\)", both)
    assert referred and set(referred) <= set(ids)
    labels = {name for told in re.findall(r'aria-labelledby="([^"]+)"', both) for name in told.split()}
    assert labels <= set(ids)


def test_text_stays_and_groups_without_a_meaning_go() -> None:
    for drawn in drawings_of(svg.Drawings().inline(chart("one"))):
        texts = ["".join(one.itertext()) for one in drawn.iter("text")]
        assert "µs & <more>" in texts and "upright" in texts
        assert [one.attrib for one in drawn.iter("g") if not one.attrib] == []
        turned = [one.get("transform") for one in drawn.iter("text") if one.get("transform")]
        assert len(turned) == 1 and "rotate(-90" in turned[0]
        assert [one.text for one in drawn if one.tag in ("title", "desc")] == ["A & B", "What it shows."]
