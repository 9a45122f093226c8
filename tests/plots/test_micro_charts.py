"""The charts of the micro-benchmarks: what they show, and that the same data gives the same bytes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import drawing
import pytest
import synthetic
import synthetic_micro
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from muxplots import micro, micro_charts, micro_findings, report
from muxplots.html import page
from muxplots.layout import SCREEN
from plots_folder import PLOTS
from support.patience import RUN_PATIENCE

PROGRAM = PLOTS / "make_micro.py"
NAMES = ["micro-wait-socketpair", "micro-wait-pipe", "micro-registration", "micro-hand-over",
         "micro-floor"]


def drawn(document: dict[str, Any]) -> dict[str, Figure]:
    return {chart.name: chart.draw(SCREEN) for chart in micro_charts.plan(micro.read(document))}


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, arguments)], env=os.environ | environment,
        capture_output=True, text=True, timeout=RUN_PATIENCE,
    )


def test_everything_gives_five_charts_and_no_text_covers_another() -> None:
    found = drawn(synthetic_micro.everything())
    assert list(found) == NAMES
    for name, chart in found.items():
        assert drawing.overlaps(chart) == [], name
        assert drawing.clipped(chart) == [], name


def test_a_wait_chart_has_panels_by_share_and_kind_and_a_line_per_primitive_on_log_axes() -> None:
    chart = drawn(synthetic_micro.everything())["micro-wait-socketpair"]
    assert len(chart.axes) == 9
    assert sorted(sum(micro_charts.KINDS.values(), ())) == sorted(micro_findings.PRIMITIVES)
    for axes, (kind, primitives) in zip(chart.axes, [*micro_charts.KINDS.items()] * 3):
        named = {line.get_gid().removesuffix("-points") for line in axes.lines if (line.get_gid() or "").endswith("-points")}
        assert named == set(primitives), kind
        (behind,) = [one for one in axes.collections if isinstance(one, LineCollection) and one.get_zorder() == 1]
        assert len(behind.get_segments()) == len(micro_findings.PRIMITIVES) - len(primitives)
    for axes in chart.axes:
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    for primitive in synthetic_micro.PRIMITIVES:
        assert len(drawing.artists(chart, f"{primitive}-points")) == 3, primitive
    poll = drawing.artists(chart, "poll-points")[0]
    assert list(poll.get_xdata()) == list(synthetic_micro.SIZES)
    assert list(poll.get_ydata()) == pytest.approx([400 + 70 * n for n in synthetic_micro.SIZES])


def test_the_line_of_a_chart_is_that_of_the_findings() -> None:
    document = synthetic_micro.everything()
    chart = drawn(document)["micro-wait-pipe"]
    fit = drawing.artists(chart, "poll-fit")[0]
    assert list(fit.get_ydata()) == pytest.approx([400 + 70 * n for n in fit.get_xdata()])
    assert (min(fit.get_xdata()), max(fit.get_xdata())) == pytest.approx((8, 8192))
    words = drawing.words(chart)
    assert "(+70.0 ns)" in words and "epoll_level 360 ns" in words
    (told,) = [one for one in micro_findings.sentences(micro.read(document)) if one.startswith("A wait with one of N ready (pipes)")]
    assert "poll 70.0 ± 0.0 ns" in told and "epoll_level 360 ns" in told
    # What does not grow has neither a line nor a number, and no class of growth is claimed.
    top = chart.axes[1]
    assert "epoll_level-points" in {line.get_gid() for line in top.lines}
    assert "epoll_level-fit" not in {line.get_gid() for line in top.lines}
    assert "O(" not in words


def test_a_line_ends_where_it_no_longer_holds() -> None:
    bent = synthetic_micro.waits("poll", lambda n: 400 + 70 * n if n < 2048 else 600 * n)
    chart = drawn(synthetic_micro.document(bent))["micro-wait-socketpair"]
    assert max(drawing.one(chart, "poll-fit").get_xdata()) == pytest.approx(512)


def test_a_primitive_looks_the_same_in_all_charts_and_like_no_other() -> None:
    found = drawn(synthetic_micro.everything())
    looks = [
        {
            primitive: (points.get_markerfacecolor(), points.get_marker())
            for primitive in micro_findings.PRIMITIVES
            for points in drawing.artists(found[name], f"{primitive}-points")[:1]
        }
        for name in ("micro-wait-pipe", "micro-wait-socketpair")
    ]
    assert looks[0] == looks[1] and len(looks[0]) >= 6
    for place in (0, 1):  # neither by colour alone nor by marker alone
        assert len({look[place] for look in looks[0].values()}) == len(looks[0])


def test_noisy_timings_are_hollow_and_only_those() -> None:
    calm = synthetic_micro.waits("poll", float, sizes=(8, 32, 128))
    wild = synthetic_micro.waits("poll", float, sizes=(512,), spread=synthetic_micro.WILD)
    chart = drawn(synthetic_micro.document(calm + wild))["micro-wait-socketpair"]
    assert list(drawing.one(chart, "poll-flagged").get_xdata()) == [512]
    assert list(drawing.one(chart, "poll-points").get_xdata()) == [8, 32, 128]
    assert "Hollow: varies by more than 10 % between repetitions (CV)." in drawing.words(chart)


def test_rows_carry_their_numbers() -> None:
    words = drawing.words(drawn(synthetic_micro.everything())["micro-floor"])
    assert "getppid  150 ns" in words and "send and recv, loopback TCP  7.00 µs" in words
    words = drawing.words(drawn(synthetic_micro.everything())["micro-registration"])
    assert "add: kevent, 256 in one call  400 ns" in words
    assert "kevent: kevent over epoll (shim)." in words


def test_what_was_skipped_has_no_chart_and_no_line() -> None:
    document = synthetic_micro.everything()
    document["benchmarks"] = [
        entry for entry in document["benchmarks"]
        if "wait_cost/uring_poll" not in entry["run_name"] and "registration" not in entry["run_name"]
    ] + synthetic_micro.skipped("wait_cost/uring_poll", "skipped: built without liburing")
    found = drawn(document)
    assert "micro-registration" not in found
    assert drawing.artists(found["micro-wait-pipe"], "uring_poll-points") == []
    assert "Skipped: 1 (built without liburing)." in drawing.words(found["micro-wait-pipe"])


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    written = synthetic_micro.write(tmp_path, synthetic_micro.everything())
    every = ("--format", "svg,png,pdf", "--quiet")
    first, second = tmp_path / "first", tmp_path / "second"
    for out, environment in ((first, {"PYTHONHASHSEED": "1", "TZ": "UTC"}),
                             (second, {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"})):
        result = run(written, "--out", out, *every, **environment)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(f"{name}.{kind}" for name in NAMES for kind in ("svg", "png", "pdf"))
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_findings_are_printed_and_added_to_the_summary(tmp_path: Path) -> None:
    written = synthetic_micro.write(tmp_path, synthetic_micro.everything())
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    result = run(written, "--append-to", summary, "--format", "svg")
    assert result.returncode == 0, result.stderr
    section = summary.read_text().removeprefix("# Before\n")
    assert section.strip() in result.stdout and section.startswith("\n## Micro-benchmarks")
    assert "select 70.0 ± 0.0 ns and poll 70.0 ± 0.0 ns" in section
    assert (tmp_path / "charts" / "micro-floor.svg").exists()


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    result = run(synthetic_micro.write(tmp_path, "{"))
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr.startswith("make_micro: ") and result.stderr.count("\n") == 1


def test_the_page_shows_findings_and_charts_of_the_micro_benchmarks(tmp_path: Path) -> None:
    loaded = report.load(synthetic.write(tmp_path, synthetic.build(["poll"], [synthetic.IDLE])))
    text = page.build(loaded, None, micro.read(synthetic_micro.everything()))
    assert "A wait with one of N ready (socket pairs) costs" in text
    for name in NAMES:
        assert f'<figure id="{name}">' in text
    assert "Micro-benchmarks" not in page.build(loaded, None)
