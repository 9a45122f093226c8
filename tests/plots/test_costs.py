"""Bars of what a request costs, and charts that fit a printed page."""

from pathlib import Path

import drawing
import pytest
import synthetic
import synthetic_micro
from muxplots import charts, families, micro, micro_charts, report, style
from muxplots.layout import LAYOUTS, shrink

IDLE = "idle/idle:8000/connections:100"
POINTS_AN_INCH = 72


def test_a_model_with_very_many_calls_does_not_name_all_colours(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_oneshot", "posix_aio"], [synthetic.IDLE])
    synthetic.add_counts(document)
    for cell in document["muxbench"]["cells"]:
        calls = cell["counts"]["syscalls"]
        if cell["model"] == "epoll_oneshot":
            calls["epoll_ctl"] = {"calls": 1000}
        if cell["model"] == "posix_aio":
            calls |= {f"made_up_{number}": {"calls": 90_000} for number in range(12)}
    words = drawing.words(drawing.draw(tmp_path, document, "syscalls"))
    assert "epoll_ctl" in words and "recvfrom" in words and "others" in words


def test_a_call_has_one_colour_in_all_reports(tmp_path: Path) -> None:
    colours = []
    for more in ({}, {"epoll_wait": {"calls": 5000}, "futex": {"calls": 4000}}):
        document = synthetic.build(["poll", "epoll_level"], [synthetic.IDLE])
        synthetic.add_counts(document)
        for cell in document["muxbench"]["cells"]:
            cell["counts"]["syscalls"] |= more | {"read": {"calls": 3000}, "epoll_ctl": {"calls": 200}}
        chart = drawing.draw(tmp_path, document, "syscalls")
        colours.append({name: drawing.one(chart, f"poll-{name}").get_facecolor()
                        for name in ("recvfrom", "sendto", "read", "epoll_ctl")})
    assert colours[0] == colours[1] and len(set(colours[0].values())) == 4
    assert drawing.one(chart, "poll-futex").get_facecolor() not in colours[0].values()


def test_system_calls_are_of_the_experiment_in_which_most_models_were_counted(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], [synthetic.IDLE, synthetic.CONNECTIONS])
    synthetic.add_counts(document)
    for cell in document["muxbench"]["cells"]:
        if cell["experiment"] == "idle" and cell["model"] == "poll":
            del cell["counts"]
    assert "connections: connections 1000" in drawing.words(drawing.draw(tmp_path, document, "syscalls"))


def test_bars_stand_from_the_least_on_and_the_flagged_at_the_end(tmp_path: Path) -> None:
    document = synthetic.build(["posix_aio", "poll", "epoll_level", "uring_multishot"], [synthetic.IDLE])
    synthetic.edit(document, "uring_multishot", flags=[{"kind": "errors", "detail": "2 requests failed"}])
    chart = drawing.draw(tmp_path, document, "idle-cpu-split")
    names = [words.get_text() for words in chart.texts if (words.get_gid() or "").endswith("-name")]
    assert names == ["epoll_level", "posix_aio", "poll", "uring_multishot"]


def set_cpu(document: dict, cell: str, parts: list[tuple[int, int]], requests: int = 1_000_000) -> None:
    """User and system time of each trial of a cell, in ns a request, of so many in a second."""
    mine = [one for one in document["muxbench"]["trials"] if one["cell"] == cell]
    for one, (user, system) in zip(mine, parts, strict=True):
        one["load"]["achieved"] |= {"requests_per_second": requests, "duration_ns": 1_000_000_000}
        one["server"]["cpu"] |= {"user_ns": user * requests, "system_ns": system * requests}


def test_user_and_system_add_up_to_the_cpu_of_the_tables(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], [synthetic.IDLE], repetitions=3)
    set_cpu(document, f"poll/{IDLE}", [(100, 900), (800, 300), (500, 2500)])  # sums 1000, 1100 and 3000
    chart = drawing.draw(tmp_path, document, "idle-cpu-split")
    user, system = (
        drawing.one(chart, f"poll-{part}").get_width() for part in ("user", "system")
    )
    assert user + system == pytest.approx(1100)
    assert user == pytest.approx(1100 * (100 + 800 + 500) / (1000 + 1100 + 3000))
    assert drawing.one(chart, "poll-sum").get_text() == "1.10 µs"


def test_too_few_timer_ticks_divide_nothing(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], [synthetic.IDLE], repetitions=3)
    set_cpu(document, f"poll/{IDLE}", [(100, 900)] * 3, requests=133_000)  # 399 ms in all
    set_cpu(document, f"epoll_level/{IDLE}", [(100, 900)] * 3, requests=134_000)
    chart = drawing.draw(tmp_path, document, "idle-cpu-split")
    assert drawing.one(chart, "poll-not divided").get_width() == pytest.approx(1000)
    assert drawing.one(chart, "epoll_level-user").get_width() == pytest.approx(100)
    assert "Grey: under 400 ms of CPU time" in drawing.words(chart)
    set_cpu(document, f"epoll_level/{IDLE}", [(100, 900)] * 3, requests=133_000)
    _, absent = charts.plan(report.load(synthetic.write(tmp_path, document)))
    assert any(str(one).startswith("idle-cpu-split (no server used 400 ms") for one in absent)


def test_calls_too_few_to_be_seen_are_not_named(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], [synthetic.IDLE])
    synthetic.add_counts(document)
    for cell in document["muxbench"]["cells"]:
        cell["counts"]["syscalls"] |= {"brk": {"calls": 3}}
    words = drawing.words(drawing.draw(tmp_path, document, "syscalls"))
    assert "sendto" in words and "brk" not in words and "others" not in words


def test_memory_is_marked_in_round_steps_of_its_unit(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "fork_per_connection"], [synthetic.IDLE])
    for cell in document["muxbench"]["cells"]:
        size = 200_000.0 if cell["model"] == "fork_per_connection" else 70_000.0
        cell["summary"]["kernel_bytes_per_connection"] = synthetic.statistic([size])
    chart = drawing.draw(tmp_path, document, "idle-memory")
    chart.draw_without_rendering()  # the names of marks are written only when they are drawn
    shown = [text.get_text() for text in drawing.marks(chart.axes[0].xaxis)]
    assert shown[:3] == ["0", "50 KiB", "100 KiB"]
    assert chart.axes[0].get_xticks()[1] == 50 * 1024


def test_memory_is_of_a_point_where_it_was_measured(tmp_path: Path) -> None:
    """One of two models reaches the largest point, and memory is read there alone."""
    document = synthetic.build(["poll", "select"], [synthetic.IDLE])
    for cell in document["muxbench"]["cells"]:
        if cell["point"]["idle"] == 8000:
            cell["summary"]["process_bytes_per_connection"] = synthetic.statistic([70_000.0])
    synthetic.edit(document, model="select", value=8000, status="skipped", reason="descriptors end at 1024")
    chart = drawing.draw(tmp_path, document, "idle-memory")
    words = drawing.words(chart)
    assert "idle 8000" in words and "poll" in words and "select" not in words


def test_small_families_share_a_panel_and_large_ones_have_several() -> None:
    models = [("blocking", 2), ("process", 3), ("readiness", 11), ("polling", 1)]
    items = [family for family, count in models for _ in range(count)]

    def sizes(most: int) -> list[tuple[str, int]]:
        return [(title, len(members)) for title, members in families.group(items, str, most)]

    assert sizes(12) == [("Blocking and process", 5), ("Readiness and polling", 12)]
    assert sizes(5) == [
        ("Blocking and process", 5), ("Readiness, 1 of 3", 3), ("Readiness, 2 of 3", 4), ("Readiness, 3 of 3", 4),
        ("Polling", 1),
    ]
    assert [member for _, members in families.group(items, str, 5) for member in members] == items


@pytest.mark.parametrize("name, inches", [("column", 3.5), ("page", 7.16)])
def test_charts_of_all_models_fit_a_printed_page(tmp_path: Path, name: str, inches: float) -> None:
    layout = LAYOUTS[name]
    document = synthetic.build(synthetic.ALL_MODELS, [synthetic.IDLE], repetitions=2)
    loaded = report.load(synthetic.write(tmp_path, document))
    planned = [chart for chart in charts.plan(loaded)[0] if chart.name.startswith("idle-")]
    planned += micro_charts.plan(micro.read(synthetic_micro.everything()))
    with style.theme("light"):
        for chart in planned:
            width, height = shrink(chart.draw(layout), layout.scale).get_size_inches()
            assert width <= inches + 0.01, chart.name
            assert height <= 10.0, chart.name  # of a page of 11 inches


def test_latency_by_percentile_is_of_a_rate_that_most_models_serve(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level", "thread_per_connection"], [synthetic.RATE])
    chart = drawing.draw(tmp_path, document, "latency-percentiles")
    assert "rate 150000" in drawing.words(chart)
    for cell in document["muxbench"]["cells"]:
        cell["summary"]["requests_per_second"] = synthetic.statistic([5.0])
    chart = drawing.draw(tmp_path, document, "latency-percentiles")
    assert "rate 10000" in drawing.words(chart)
