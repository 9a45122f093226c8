"""Which share of the requests each worker had, where the first is slowed."""

from pathlib import Path
from typing import Any

import drawing
import pytest
import synthetic
from muxplots import charts, report
from muxplots.layout import LAYOUTS
from test_synthetic import errors

SLOWED = {
    "name": "imbalance", "question": "Who waits when one worker is slow?", "parameter": "slow_worker_us",
    "values": [200, 1500], "metric": "latency_p99_ns",
}
MODELS = ["epoll_handoff", "half_sync_half_async", "prefork"]
COUNTED = {"epoll_handoff": [25, 25, 25, 25], "half_sync_half_async": [10, 30, 30, 30], "prefork": [0, 50, 50]}


def built(models: list[str] = MODELS) -> dict[str, Any]:
    document = synthetic.build(models, [SLOWED], repetitions=3)
    for trial in document["muxbench"]["trials"]:
        model = trial["cell"].partition("/")[0]
        trial["server"]["worker_requests"] = COUNTED.get(model, [5, 10, 10, 10])
    return document


def planned(directory: Path, document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    found, absent = charts.plan(report.load(synthetic.write(directory, document)))
    return {chart.name: chart for chart in found}, list(map(str, absent))


def test_the_made_up_counts_are_valid() -> None:
    assert errors(built()) == []


def test_the_slow_worker_stands_apart_from_the_others(tmp_path: Path) -> None:
    chart = drawing.draw(tmp_path, built(), "imbalance-shares")
    assert list(drawing.one(chart, "half_sync_half_async-slow").get_xdata()) == [pytest.approx(0.1)]
    assert list(drawing.one(chart, "half_sync_half_async-others").get_xdata()) == [pytest.approx(0.3)] * 3


def test_who_took_most_from_the_slow_worker_comes_first(tmp_path: Path) -> None:
    chart = drawing.draw(tmp_path, built(), "imbalance-shares")
    names = [words.get_text() for words in chart.texts if (words.get_gid() or "").endswith("-name")]
    assert names == ["prefork", "half_sync_half_async", "epoll_handoff"]


def test_the_words_say_the_shares(tmp_path: Path) -> None:
    found, _ = planned(tmp_path, built())
    assert "half_sync_half_async 10 % of 4 workers" in found["imbalance-shares"].alt


def test_without_counts_there_is_no_chart_and_a_reason(tmp_path: Path) -> None:
    found, absent = planned(tmp_path, synthetic.build(MODELS, [SLOWED], repetitions=3))
    assert "imbalance-shares" not in found
    assert "imbalance-shares (no trial says what each worker answered)" in absent


@pytest.mark.parametrize("size", LAYOUTS)
@pytest.mark.parametrize("models", [MODELS, synthetic.ALL_MODELS], ids=["three", "all"])
def test_nothing_overlaps_or_is_cut(tmp_path: Path, models: list[str], size: str) -> None:
    chart = drawing.draw(tmp_path, built(models), "imbalance-shares", LAYOUTS[size])
    assert drawing.overlaps(chart) == []
    assert drawing.clipped(chart) == []
