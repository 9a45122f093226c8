"""CPU time against p99 over the rates, for experiments that sweep the rate and ask for CPU time."""

from pathlib import Path
from typing import Any

import drawing
import pytest
import synthetic
from muxplots import charts, metrics, report
from muxplots.layout import LAYOUTS

FRONTIER = synthetic.RATE | {"name": "frontier", "metric": metrics.CPU}
MODELS = ["epoll_level", "uring_completion", "uring_min_wait"]


def built(models: list[str] = MODELS) -> dict[str, Any]:
    return synthetic.build(models, [FRONTIER], repetitions=3)


def cells_of(document: dict[str, Any], model: str) -> list[dict[str, Any]]:
    return [cell for cell in document["muxbench"]["cells"] if cell["model"] == model]


def planned(directory: Path, document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    found, absent = charts.plan(report.load(synthetic.write(directory, document)))
    return {chart.name: chart for chart in found}, list(map(str, absent))


def test_a_line_goes_through_the_medians_of_both(tmp_path: Path) -> None:
    document = built()
    chart = drawing.draw(tmp_path, document, "frontier-frontier")
    for model in MODELS:
        x, y = drawing.one(chart, f"{model}-line").get_data()
        cells = cells_of(document, model)
        assert list(x) == [cell["summary"][metrics.CPU]["median"] for cell in cells]
        assert list(y) == [cell["summary"][metrics.P99]["median"] for cell in cells]


def test_the_words_name_both_ends(tmp_path: Path) -> None:
    found, _ = planned(tmp_path, built())
    assert "10k/s" in found["frontier-frontier"].alt and "250k/s" in found["frontier-frontier"].alt


def test_rates_that_were_not_reached_are_left_out(tmp_path: Path) -> None:
    document = built()
    cells_of(document, "epoll_level")[-1]["flags"] = [{"kind": "rate_not_reached", "detail": "80 % of it"}]
    x, _ = drawing.one(drawing.draw(tmp_path, document, "frontier-frontier"), "epoll_level-line").get_data()
    assert len(x) == len(FRONTIER["values"]) - 1


def test_without_p99_there_is_no_chart_and_a_reason(tmp_path: Path) -> None:
    document = built()
    for cell in document["muxbench"]["cells"]:
        del cell["summary"][metrics.P99]
    found, absent = planned(tmp_path, document)
    assert "frontier-frontier" not in found
    assert "frontier-frontier (no model has CPU time and p99 at 2 rates)" in absent


def test_an_experiment_that_asks_for_p99_has_none(tmp_path: Path) -> None:
    found, absent = planned(tmp_path, synthetic.build(MODELS, [synthetic.RATE], repetitions=3))
    assert not [name for name in [*found, *absent] if "frontier" in name]


@pytest.mark.parametrize("size", LAYOUTS)
@pytest.mark.parametrize("models", [MODELS, synthetic.ALL_MODELS], ids=["three", "all"])
def test_nothing_overlaps_or_is_cut(tmp_path: Path, models: list[str], size: str) -> None:
    chart = drawing.draw(tmp_path, built(models), "frontier-frontier", LAYOUTS[size])
    assert drawing.overlaps(chart) == []
    assert drawing.clipped(chart) == []
