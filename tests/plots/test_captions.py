"""The words around a chart: what was run, how to read it, and what is absent."""

from pathlib import Path

import drawing
import synthetic

SKIPPED_ALONE = "Skipped: blocking_iterative from 8 to 1k (it serves one client at a time)."


def test_one_repetition_has_no_spread_and_the_caption_says_so(tmp_path: Path) -> None:
    chart = drawing.draw(tmp_path, synthetic.build(repetitions=1), "idle-cost")
    assert "One repetition, so no spread is shown." in drawing.words(chart)
    assert "1 repetition ·" in drawing.words(chart)


def test_repetitions_are_those_that_there_was_time_for(tmp_path: Path) -> None:
    document = synthetic.build(repetitions=3)
    for experiment in document["muxbench"]["experiments"]:
        experiment["repetitions"] = 5
    chart = drawing.draw(tmp_path, document, "idle-cost")
    assert " · 3 repetitions · " in drawing.words(chart)


def test_title_says_what_is_drawn_and_subtitle_tells_question_host_kernel_repetitions_date(
    tmp_path: Path, document
) -> None:
    chart = drawing.draw(tmp_path, document, "idle-cost")
    assert drawing.words(chart).startswith(
        "Server CPU per request against idle connections "
        "What does watching N idle connections cost while 100 others are busy? · "
        "synthetic · kernel 6.1.0-18-amd64 · 5 repetitions · 2026-03-02"
    )


def test_unknown_host_facts_are_left_out(tmp_path: Path, document) -> None:
    del document["muxbench"]["host"], document["muxbench"]["run"]
    chart = drawing.draw(tmp_path, document, "idle-cost")
    assert "busy? · 5 repetitions Line:" in drawing.words(chart)


def test_latencies_say_which_loop_they_are_of(tmp_path: Path) -> None:
    document = synthetic.build(experiments=[synthetic.CONNECTIONS, synthetic.IDLE, synthetic.RATE])
    found = {name: drawing.words(chart) for name, chart in drawing.draw_all(tmp_path, document).items()}
    of_latency = {name for name in found if name.endswith(("-p99", "-percentiles")) and "overview" not in name}
    assert {"latency-p99", "latency-percentiles", "connections-p99"} <= of_latency
    for name, words in found.items():
        told = [mode for mode in ("open", "closed") if f" · {mode} loop · " in words]
        asked = ["open" if name.startswith("latency") else "closed"] if name in of_latency else []
        assert told == asked, f"{name}: {words}"


def test_without_flags_the_caption_does_not_speak_of_them(tmp_path: Path, document) -> None:
    synthetic.edit(document, "poll", 8000, flags=[{"kind": "noisy", "detail": ""}])
    found = drawing.draw_all(tmp_path, document)
    assert "Hollow" in drawing.words(found["idle-cost"])
    assert "Hollow" not in drawing.words(found["connections-cpu"])


def test_absent_cells_are_told_below_the_chart(tmp_path: Path, document) -> None:
    synthetic.edit(document, "poll", 1000, status="failed", reason="x" * 80)
    synthetic.edit(document, "epoll_level", 64, status="missing")
    words = drawing.words(drawing.draw(tmp_path, document, "connections-throughput"))
    assert SKIPPED_ALONE in words
    assert "Failed: poll at 1k." in words
    assert "Not run: epoll_level at 64." in words


def test_models_absent_alike_share_their_words(tmp_path: Path) -> None:
    document = synthetic.build([*synthetic.SIX_MODELS, "blocking_alarm", "libev"])
    synthetic.edit(document, "libev", status="skipped", reason="libev is not installed")
    words = drawing.words(drawing.draw(tmp_path, document, "connections-cpu"))
    assert (
        "Skipped: blocking_alarm, blocking_iterative from 8 to 1k "
        "(it serves one client at a time); libev (libev is not installed)."
    ) in words


def test_a_long_list_of_absent_models_is_cut_and_counted(tmp_path: Path) -> None:
    models = [f"model_with_a_rather_long_name_{number}" for number in range(30)]
    document = synthetic.build(["poll", *models], [synthetic.CONNECTIONS])
    for number, model in enumerate(models):
        synthetic.edit(document, model, 8, status="failed", reason=f"reason {number}")
    words = drawing.words(drawing.draw(tmp_path, document, "connections-cpu"))
    assert "Failed: model_with_a_rather_long_name_0, " in words
    assert " more." in words and "reason" not in words


def test_a_statistic_that_was_not_measured_is_absent_by_its_name(tmp_path, document) -> None:
    for cell in document["muxbench"]["cells"]:
        if cell["model"] == "poll" and cell["point"]["connections"] == 1:
            del cell["summary"]["latency_p99_ns"]
    found = drawing.draw_all(tmp_path, document)
    assert "No p99 latency: poll at 1." in drawing.words(found["connections-p99"])
    assert "poll at 1" not in drawing.words(found["connections-throughput"])


def test_a_chart_with_kqueue_says_which_backend_ran(tmp_path: Path) -> None:
    found = drawing.draw_all(tmp_path, synthetic.build(["kqueue", "kqueue_batched", "poll"]))
    swept = ("-throughput", "-p99", "-cpu", "-cost")
    for name, chart in found.items():
        if name.startswith("overview") or not name.endswith(swept):
            continue
        words = drawing.words(chart)
        assert "kqueue and kqueue_batched: kevent over epoll (shim)." in words, name
        assert "poll: " not in words, name


def test_an_interrupted_run_is_called_so(tmp_path: Path, document) -> None:
    document["muxbench"]["status"] = "interrupted"
    words = drawing.words(drawing.draw(tmp_path, document, "idle-cost"))
    assert "The run was interrupted." in words


def test_dollar_signs_are_no_formulas(tmp_path: Path, document) -> None:
    document["muxbench"]["experiments"][1]["question"] = "What do $100 and $x_2 buy?"
    words = drawing.words(drawing.draw(tmp_path, document, "idle-cost"))
    assert "What do $100 and $x_2 buy?" in words
