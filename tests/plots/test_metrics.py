"""What charts and page say of a metric is what the report's table says, and nothing of their own."""

import json
from pathlib import Path
from typing import Any

import drawing
import pytest
import synthetic
from muxplots import charts, drift, heat, metrics, report
from muxplots.html import page
from muxplots.node import ReportError
from plots_folder import PLOTS

REPORT_1_1 = PLOTS.parent / "tests" / "data" / "report-1.1.json"


def loaded(directory: Path, document: dict[str, Any]) -> report.Report:
    return report.load(synthetic.write(directory, document))


def test_the_title_of_the_table_is_written_on_charts_and_page(tmp_path: Path, document) -> None:
    synthetic.edit_metric(document, "latency_p99_ns", title="slow latency")
    words = drawing.words(drawing.draw(tmp_path, document, "idle-p99"))
    assert words.startswith("Slow latency against idle connections ")
    assert "Slow latency (ms)" in words and "p99 latency" not in words
    text = page.build(loaded(tmp_path, document), None)
    assert '<button type="button">Slow latency</button>' in text and ">p99 latency<" not in text
    for cell in document["muxbench"]["cells"]:
        cell["summary"].pop("latency_p99_ns", None)
    _, absent = charts.plan(loaded(tmp_path, document))
    assert "idle-p99 (none of its cells has a value of slow latency)" in map(str, absent)


def test_a_title_is_text_and_never_markup(tmp_path: Path, document) -> None:
    synthetic.edit_metric(document, "latency_p99_ns", title="p99 <b>")
    text = page.build(loaded(tmp_path, document), None)
    assert "p99 &lt;b&gt;</button>" in text and "p99 <b>" not in text


def test_the_unit_of_the_table_is_that_of_the_axis(tmp_path: Path, document) -> None:
    synthetic.edit_metric(document, "server_cpu_ns_per_request", unit="bytes")
    found = drawing.draw_all(tmp_path, document)
    assert "Server CPU per request (bytes)" in drawing.words(found["connections-cpu"])
    assert "Server CPU per request (bytes, log scale)" in drawing.words(found["idle-cost"])
    marks = drawing.visible_texts(found["idle-cost"])
    assert not any("µs" in mark.get_text() for mark in marks)
    assert " KiB<small>" in page.build(loaded(tmp_path, document), None)


def test_the_path_of_the_table_is_where_a_trial_has_it(tmp_path: Path, document) -> None:
    before = drift.relative(loaded(tmp_path, document))
    for one in document["muxbench"]["trials"]:
        one["load"]["elsewhere"] = {"rate": 100.0 if one["repetition"] else 150.0}
    assert drift.relative(loaded(tmp_path, document)) == before
    synthetic.edit_metric(document, "requests_per_second", path="/load/elsewhere/rate")
    after = [deviation for _, deviation in drift.relative(loaded(tmp_path, document))]
    assert sorted(set(after)) == [0.0, 0.5]
    synthetic.edit_metric(document, "requests_per_second", path="/load/nowhere")
    with pytest.raises(ReportError, match="load.nowhere should be there"):
        drift.relative(loaded(tmp_path, document))


def test_the_direction_of_the_table_says_what_is_best(tmp_path: Path, document) -> None:
    def factors(better: str) -> dict[str, float]:
        synthetic.edit_metric(document, "latency_p99_ns", better=better)
        found = loaded(tmp_path, document)
        squares = heat.tabulate(found, found.metrics[metrics.P99])
        return {model: square.factor for (model, experiment), square in squares.items() if experiment == "idle"}

    less, more = factors("less"), factors("more")
    assert min(less, key=less.__getitem__) == max(more, key=more.__getitem__)
    assert min(more.values()) < max(more.values())


def test_the_page_has_a_column_for_what_models_are_compared_by(tmp_path: Path, document) -> None:
    assert "Server memory</button>" in page.build(loaded(tmp_path, document), None)
    synthetic.edit_metric(document, "server_memory_bytes", compared=False)
    assert "Server memory</button>" not in page.build(loaded(tmp_path, document), None)


def test_a_metric_that_is_new_here_answers_an_experiment(tmp_path: Path) -> None:
    document = synthetic.build(experiments=[synthetic.IDLE | {"metric": "page_faults"}])
    document["muxbench"]["metrics"].append(
        {"key": "page_faults", "title": "page faults", "unit": "1/s", "better": "less",
         "path": "/server/faults", "compared": True}
    )
    for cell in document["muxbench"]["cells"]:
        if cell["summary"]:
            cell["summary"]["page_faults"] = synthetic.statistic([10.0, 12.0])
    words = drawing.words(drawing.draw(tmp_path, document, "idle-page_faults"))
    assert words.startswith("Page faults against idle connections ")
    assert "Page faults</button>" in page.build(loaded(tmp_path, document), None)


def test_a_table_without_a_metric_leaves_its_charts_out(tmp_path: Path, document) -> None:
    section = document["muxbench"]
    section["metrics"] = [one for one in section["metrics"] if "cpu" not in one["key"]]
    planned, absent = charts.plan(loaded(tmp_path, document))
    told = list(map(str, absent))
    for name in ("overview-cpu", "connections-cpu", "idle-cpu-split"):
        assert f"{name} (the report has no metric server_cpu_ns_per_request)" in told
    assert "idle-throughput" in [chart.name for chart in planned]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_older_reports_have_the_frozen_table(tmp_path: Path, document, version: str) -> None:
    old = synthetic.older(document, version)
    assert "metrics" not in old["muxbench"]
    found = loaded(tmp_path, old)
    assert found.metrics == metrics.frozen()
    assert [chart.name for chart in charts.plan(found)[0]] == [
        chart.name for chart in charts.plan(loaded(tmp_path, document))[0]
    ]


def test_the_frozen_table_says_why_it_never_changes() -> None:
    about = json.loads(metrics.FROZEN.read_text())["about"]
    assert "1.0 and 1.1" in about and "never changes" in about


def test_a_report_of_1_1_still_draws() -> None:
    found = report.load(REPORT_1_1)
    assert found.section.get("schema_version").value == "1.1"
    planned, _ = charts.plan(found)
    names = [chart.name for chart in planned]
    assert {"idle-throughput", "idle-p99", "idle-cost", "drift"} <= set(names)
    (cost,) = [chart for chart in planned if chart.name == "idle-cost"]
    figure = cost.draw(drawing.SCREEN)
    assert drawing.words(figure).startswith("Server CPU per request against idle connections ")
    assert len(list(drawing.one(figure, "epoll_level-points").get_xdata())) >= 1


@pytest.mark.parametrize("change, told", [
    (lambda section: section.pop("metrics"), "muxbench.metrics should be there"),
    (lambda section: section["metrics"][1].pop("unit"), r"muxbench.metrics\[1\].unit should be there"),
    (lambda section: section.update(metrics={}), "muxbench.metrics should be a list"),
    (lambda section: section.update(metrics=[]), "muxbench.metrics should be a table with requests_per_second"),
])
def test_a_report_of_1_2_must_carry_its_table(tmp_path: Path, document, change, told: str) -> None:
    change(document["muxbench"])
    with pytest.raises(ReportError, match=told):
        loaded(tmp_path, document)
