"""The shipped experiments work_block, frontier and imbalance at one point each, with real servers."""
import json
import subprocess

import pytest

from driver_bench import BUILD, MUXBENCH, REPOSITORY, TRIALS_ALONE, check_report
from support.patience import RUN_PATIENCE


def run(name, sweep, models, folder):
    """The report of one point of a shipped experiment, by its trials; skips where a model is not built."""
    if not all((BUILD / "servers" / f"server_{model}").exists() for model in models) or not (BUILD / "loadgen/loadgen").exists():
        pytest.skip("environment: this build has no load generator, or not these servers")
    shipped = json.loads((REPOSITORY / "bench" / "experiments" / f"{name}.json").read_text())
    del shipped["profiles"]
    experiment = {**shipped, "sweep": sweep, "warmup": "10ms", "duration": "100ms", "repetitions": 1, "method": "trials"}
    (folder / "experiments").mkdir()
    (folder / "experiments" / f"{name}.json").write_text(json.dumps(experiment))
    subprocess.run([MUXBENCH, "run", *TRIALS_ALONE, "--profile", "quick", "--quiet", "--no-counting", "--models", ",".join(models),
                    "--experiments-dir", folder / "experiments", "--out", folder / "out"],
                   check=True, stdout=subprocess.DEVNULL, timeout=RUN_PATIENCE, cwd=folder)
    return check_report(folder / "out" / "report.json")["muxbench"]


def words_of(report, model):
    """The command line of its server."""
    trial, = (trial for trial in report["trials"] if trial["cell"].startswith(f"{model}/"))
    assert trial["status"] == "ok", trial
    return " ".join(trial["server"]["command_line"])


def test_work_block_blocks_each_handler_and_gives_pools_their_workers(tmp_path):
    report = run("work_block", {"work_sleep_us": [300]}, ["epoll_level", "half_sync_half_async", "prefork"], tmp_path)
    assert {cell["status"] for cell in report["cells"]} == {"measured"}
    for model, workers in (("epoll_level", None), ("half_sync_half_async", 16), ("prefork", 32)):
        words = words_of(report, model)
        assert "--work sleep:300us" in words
        assert (f"--workers {workers}" in words) if workers else ("--workers" not in words)
    question, = (row for row in report["answer"]["rows"] if row["question"] == "blocking handlers")
    assert question["experiment"] == "work_block" and question["measured"]


def test_frontier_has_its_three_models_and_no_other(tmp_path):
    report = run("frontier", {"rate": [2000]}, ["epoll_level", "poll", "uring_completion", "uring_min_wait"], tmp_path)
    assert {cell["model"] for cell in report["cells"]} == {"epoll_level", "uring_completion", "uring_min_wait"}
    assert "server_cpu_ns_per_request" in next(cell for cell in report["cells"] if cell["model"] == "epoll_level")["summary"]


def test_imbalance_says_what_each_worker_answered(tmp_path):
    report = run("imbalance", {"slow_worker_us": [400]}, ["epoll_level", "epoll_handoff", "prefork"], tmp_path)
    skipped, = (cell for cell in report["cells"] if cell["status"] == "skipped")
    assert skipped["model"] == "epoll_level" and "one worker by its nature" in skipped["reason"]
    for model, workers in (("epoll_handoff", 4), ("prefork", 32)):
        assert "--slow-worker 400us" in words_of(report, model)
        trial, = (trial for trial in report["trials"] if trial["cell"].startswith(f"{model}/"))
        requests = trial["server"]["worker_requests"]
        assert len(requests) == workers
        assert sum(requests) >= trial["load"]["requests"] > 0, "the counters are of the whole trial, the window is a part of it"
