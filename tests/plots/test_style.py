"""A model looks the same everywhere, and different from every other, for every kind of eye."""

import itertools
from pathlib import Path

import drawing
import numpy as np
import pytest
import synthetic
from matplotlib.colors import to_rgb
from muxplots import style
from support import model_table

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


def difference(one: str, other: str, eye: str) -> float:
    first, second = (seen(style.LOOKS[name].colour, eye) for name in (one, other))
    return float(np.linalg.norm(first - second))


def test_every_model_of_the_design_has_a_look_of_its_family() -> None:
    families = {name: look.family for name, look in style.LOOKS.items()}
    assert families == synthetic.FAMILY_OF
    # Those that the servers declare: test_declarations.py holds --describe to this table.
    assert families == {name: family for name, (family, *_) in model_table.MODELS.items()}


def test_no_two_models_share_colour_and_marker_and_no_two_of_a_family_a_marker() -> None:
    looks = list(style.LOOKS.values())
    assert len({(look.colour, look.marker) for look in looks}) == len(looks)
    assert len({look.colour for look in looks}) == len(looks)
    assert len({(look.family, look.marker) for look in looks}) == len(looks)


@pytest.mark.parametrize("eye", SEEN_WITH)
def test_models_of_equal_marker_differ_in_colour(eye: str) -> None:
    pairs = itertools.combinations(style.LOOKS, 2)
    alike = [pair for pair in pairs if style.LOOKS[pair[0]].marker == style.LOOKS[pair[1]].marker]
    assert alike
    for pair in alike:
        assert difference(*pair, eye) > 0.13, pair


@pytest.mark.parametrize("eye", SEEN_WITH)
def test_the_first_six_models_differ_in_colour_and_in_marker(eye: str) -> None:
    for pair in itertools.combinations(synthetic.SIX_MODELS, 2):
        assert difference(*pair, eye) > 0.07, pair
        assert style.LOOKS[pair[0]].marker != style.LOOKS[pair[1]].marker, pair


def test_lines_and_names_stand_out_from_the_page() -> None:
    for name, look in style.LOOKS.items():
        assert style.contrast(look.colour) >= 3, name
        assert style.contrast(style.text_colour(look.colour)) >= 4.5, name


def test_contrast_is_that_of_wcag() -> None:
    assert style.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert style.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a_model_looks_the_same_in_every_chart_of_every_report(tmp_path: Path) -> None:
    def look_in(models: list[str]) -> set[tuple]:
        document = synthetic.build(models)
        names = ("connections-throughput", "idle-p99", "idle-cost")
        charts = [drawing.draw(tmp_path, document, name) for name in names]
        marks = [drawing.one(chart, "poll-points") for chart in charts]
        return {(mark.get_markerfacecolor(), mark.get_marker()) for mark in marks}

    expected = {(style.LOOKS["poll"].colour, style.LOOKS["poll"].marker)}
    for models in (["poll"], synthetic.SIX_MODELS, synthetic.ALL_MODELS[::-1], ["select", "poll"]):
        assert look_in(models) == expected


def test_an_unknown_model_gets_a_look_of_its_own_by_its_name() -> None:
    strangers = [style.look_of(f"my_model_{number}", "readiness") for number in range(30)]
    known = {(look.colour, look.marker) for look in style.LOOKS.values()}
    given = {(look.colour, look.marker) for look in strangers}
    assert len(given) == 30 and not given & known
    assert strangers[3] == style.look_of("my_model_3", "readiness")
    assert style.look_of("my_model_3", None).family == "other"
    assert style.look_of("poll", "nonsense") == style.LOOKS["poll"]
