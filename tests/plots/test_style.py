"""A model looks the same everywhere, and different from every other, for every kind of eye."""

import itertools
import re
from pathlib import Path

import drawing
import numpy as np
import pytest
import synthetic
from matplotlib.colors import to_rgb
from muxplots import style
from support.models import all_models

# Machado, Oliveira and Fernandes 2009, severity 1.0: linear RGB as it is seen without one cone.
SEEN_WITH = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}


def seen(colour: str, eye: str) -> np.ndarray:
    """A colour as that eye sees it, in OKLab, where 0.02 is a just noticeable difference."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(SEEN_WITH[eye]) @ linear, 0, 1)
    cones = np.cbrt(np.array([
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]) @ linear)
    return np.array([
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]) @ cones


def difference(one: style.Look, other: style.Look, eye: str) -> float:
    return float(np.linalg.norm(seen(one.colour, eye) - seen(other.colour, eye)))


# What the servers say of themselves, in the order of a report.
REGISTRY = [(model.name, model.description["family"]) for model in all_models()]
LOOKS = style.looks(REGISTRY)


def test_a_model_has_the_hue_of_its_family() -> None:
    for family, hue in style.HUES.items():
        members = [name for name, its in REGISTRY if its == family]
        assert members and all(LOOKS[name].family == family for name in members)
        for name, look in zip(members, hue.looks, strict=False):  # those beyond the table have a look between its ends
            assert (LOOKS[name].paper, LOOKS[name].marker) == look


def test_no_two_models_share_colour_and_marker_and_no_two_of_a_family_a_marker() -> None:
    looks = list(LOOKS.values())
    assert len(looks) == len(REGISTRY) > 30
    assert len({(look.colour, look.marker) for look in looks}) == len(looks)
    assert len({look.colour for look in looks}) == len(looks)
    assert len({(look.family, look.marker) for look in looks}) == len(looks)


@pytest.mark.parametrize("eye", SEEN_WITH)
def test_models_of_equal_marker_differ_in_colour(eye: str) -> None:
    alike = [pair for pair in itertools.combinations(LOOKS, 2)
             if LOOKS[pair[0]].marker == LOOKS[pair[1]].marker]
    assert alike
    for one, other in alike:
        assert difference(LOOKS[one], LOOKS[other], eye) > 0.13, (one, other)


@pytest.mark.parametrize("eye", SEEN_WITH)
@pytest.mark.parametrize("order", [list, sorted], ids=["as-given", "by-name"])
def test_the_first_six_models_differ_in_colour_and_in_marker(eye: str, order) -> None:
    looks = style.looks((name, synthetic.FAMILY_OF[name]) for name in order(synthetic.SIX_MODELS))
    assert len(looks) == 6
    for one, other in itertools.combinations(looks, 2):
        assert difference(looks[one], looks[other], eye) > 0.07, (one, other)
        assert looks[one].marker != looks[other].marker, (one, other)


def test_lines_and_names_stand_out_from_the_page() -> None:
    for name, look in LOOKS.items():
        assert style.contrast(look.colour) >= 3, name
        assert style.contrast(style.text_colour(look.colour)) >= 4.5, name


def test_contrast_is_that_of_wcag() -> None:
    assert style.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert style.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a_model_looks_the_same_in_every_chart_of_a_report(tmp_path: Path) -> None:
    for models in (["poll"], synthetic.SIX_MODELS, synthetic.ALL_MODELS[::-1], ["select", "poll"]):
        document = synthetic.build(models)
        names = ("connections-throughput", "idle-p99", "idle-cost")
        charts = [drawing.draw(tmp_path, document, name) for name in names]
        marks = [drawing.one(chart, "poll-points") for chart in charts]
        look = drawing.looks(document)["poll"]
        assert {(mark.get_markerfacecolor(), mark.get_marker()) for mark in marks} == {(look.colour, look.marker)}


def test_the_family_is_that_of_the_report(tmp_path: Path) -> None:
    """Whatever the name: no model is known here."""
    document = synthetic.build(synthetic.ALL_MODELS[:14], repetitions=2)
    for model in document["muxbench"]["models"]:
        model["family"] = "library" if model["name"] == "poll" else model["family"]
    chart = drawing.draw(tmp_path, document, "idle-throughput")
    assert "Readiness and library" in drawing.words(chart)
    assert drawing.one(chart, "poll-points").get_markerfacecolor() == style.HUES["library"].looks[0][0]


def test_families_stand_in_the_order_of_the_report(tmp_path: Path) -> None:
    for models in (synthetic.ALL_MODELS, synthetic.ALL_MODELS[::-1]):
        document = synthetic.build(models, [synthetic.IDLE], repetitions=2)
        chart = drawing.draw(tmp_path, document, "idle-throughput")
        titles = " ".join(text.get_text().lower() for text in chart.texts if text.get_fontweight() == "bold")
        named = dict.fromkeys(word for word in re.findall(r"\w+", titles) if word in style.HUES)
        order = dict.fromkeys(synthetic.FAMILY_OF[model] for model in models)
        assert list(named) == [family for family in order if family != "blocking"]  # which is skipped


@pytest.mark.parametrize("family", ["sorcery", None])
def test_a_family_that_is_unknown_has_colours_and_a_panel(tmp_path: Path, family: str | None) -> None:
    strangers = [f"my_model_{number}" for number in range(30)]
    document = synthetic.build(["poll", *strangers], [synthetic.IDLE], repetitions=2)
    for model in document["muxbench"]["models"][1:]:
        model["family"] = family
        if family is None:
            del model["family"]
    chart = drawing.draw(tmp_path, document, "idle-throughput")
    assert (family or "other").capitalize() in drawing.words(chart)
    marks = [drawing.one(chart, f"{name}-points") for name in strangers]
    assert len({(mark.get_markerfacecolor(), str(mark.get_marker())) for mark in marks}) == 30
    assert all(style.contrast(mark.get_markerfacecolor()) >= 3 for mark in marks)


def test_more_families_than_hues_and_more_models_than_a_hue_has_are_told_apart() -> None:
    models = [(f"model_{number}_of_{family}", family) for family in (*style.HUES, "x", "y", "z") for number in range(12)]
    looks = style.looks(models)
    assert list(looks) == [name for name, _ in models]
    assert len({(look.colour, look.marker) for look in looks.values()}) == len(models)
    assert [look.family for look in looks.values()] == [family for _, family in models]
    # One that is unknown takes a hue that is free.
    assert style.looks([("mine", "x")])["mine"].paper in {colour for hue in style.HUES.values() for colour, _ in hue.looks}


def test_a_model_that_the_report_does_not_list_is_drawn_too(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "select"], [synthetic.IDLE], repetitions=2)
    del document["muxbench"]["models"][1]
    chart = drawing.draw(tmp_path, document, "idle-throughput")
    assert drawing.one(chart, "select-name").get_text() == "select"
