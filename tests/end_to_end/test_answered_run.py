"""The answer: every number of it is one that the slices give, and terminal, summary and report say the same."""
import math
import re
import statistics

import pytest

from driver_bench import SLICED, Bench, need_cgroup

pytestmark = pytest.mark.xdist_group("answered_run")  # one process makes what they share

MODELS = ("epoll_level", "poll", "thread_per_connection", "libuv")
CPU = "server_cpu_ns_per_request"
MOST_LINES = 15


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """A short run of three questions: its report, and what it printed."""
    need_cgroup()
    bench = Bench(tmp_path_factory.mktemp("answer"))
    bench.real(*MODELS)
    (bench.experiments / "small.json").unlink()
    load = {"mode": "closed", "message_bytes": 32}
    for name, content in {
        "connections": {}, "idle": {"load": {**load, "connections": 4}, "sweep": {"idle": [0, 300]}},
        "churn": {"load": {**load, "churn": 1}},
    }.items():
        bench.experiment({**SLICED, "name": name, "duration": "40ms", "repetitions": 3, **content}, name)
    result = bench.run("--no-counting", "--seed", "3")
    assert result.returncode == 0, result.stderr
    return bench.report()["muxbench"], result, (bench.out / "summary.md").read_text()


def entries(row):
    return [*row["best"], *row["between"], *row["avoid"]]


def decided(report):
    return [row for row in report["answer"]["rows"] if "best" in row]


def slices_at(report, reference):
    """Of each server at a cell's point, its twin too: by round and block the logarithm of CPU time per request."""
    point = reference.split("/", 1)[1]
    servers = {}
    for trials, suffix in ((report["trials"], ""), (report["twin_trials"], " (again)")):
        for trial in trials:
            if trial["cell"].split("/", 1)[1] != point:
                continue
            slices = trial["slices"]
            for block, cpu, requests in zip(slices["block"], slices["server_cpu_ns"], slices["requests_in_run"]):
                servers.setdefault(trial["cell"] + suffix, {})[trial["repetition"], block] = math.log(cpu / requests)
    return servers


def trimmed_mean(values):
    cut = int(0.3 * len(values))
    return statistics.fmean(sorted(values)[cut:len(values) - cut])


def effects_at(report, reference):
    """Of each server, from a fit of servers and blocks in turns: the mean over rounds."""
    servers = slices_at(report, reference)
    centers = {server: statistics.median(logs.values()) for server, logs in servers.items()}
    for _ in range(50):
        blocks = {}
        for server, logs in servers.items():
            for at, log in logs.items():
                blocks.setdefault(at, []).append(log - centers[server])
        speeds = {at: trimmed_mean(values) for at, values in blocks.items()}
        centers = {server: trimmed_mean([log - speeds[at] for at, log in logs.items()]) for server, logs in servers.items()}
    effects = {}
    for server, logs in servers.items():
        rounds = {}
        for at, log in logs.items():
            rounds.setdefault(at[0], []).append(log - speeds[at])
        effects[server] = statistics.fmean(trimmed_mean(values) for values in rounds.values())
    return effects


def ratio(report, cell, reference):
    """To the mean of both servers of the reference."""
    effects = effects_at(report, reference)
    return math.exp(effects[cell] - statistics.fmean((effects[reference], effects[reference + " (again)"])))


def cell_at(report, row, model):
    return next(cell for cell in report["cells"]
                if (cell["experiment"], cell["model"], cell["point"]) == (row["experiment"], model, row["point"]))


def test_each_number_is_what_the_slices_give(answered):
    report, _, _ = answered
    checked = 0
    for row in decided(report):
        reference = cell_at(report, row, row["reference"])
        for entry in entries(row):
            cell = cell_at(report, row, entry["model"])
            relative = cell["relative"][row["metric"]]
            assert {key: entry[key] for key in ("ratio", "low", "high")} == {key: relative[key] for key in ("ratio", "low", "high")}
            if row["metric"] != CPU:
                continue
            value = reference["summary"][CPU]["median"]
            assert entry["value"] == pytest.approx(value * relative["ratio"], rel=1e-9)
            if cell is not reference:
                assert entry["ratio"] == pytest.approx(ratio(report, cell["id"], reference["id"]), rel=1e-5)
                checked += 1
    assert checked >= 2 * (len(MODELS) - 1)


def test_each_model_has_one_place(answered):
    report, _, _ = answered
    assert {row["question"] for row in decided(report)} >= {"many idle connections", "short connections"}
    for row in decided(report):
        models = [entry["model"] for entry in entries(row)] + [model for unable in row["unable"] for model in unable["models"]]
        assert sorted(models) == sorted(MODELS)
        assert row["reference"] == "epoll_level"
        if row["reference"] in [entry["model"] for entry in row["best"]]:
            assert row["best"][0]["model"] == row["reference"]


def test_memory_per_connection_is_asked_where_there_are_many(answered):
    report, _, _ = answered
    memory = next(row for row in report["answer"]["rows"] if row["question"] == "memory per connection")
    assert memory["measured"]
    # What other programs free or take meanwhile can hide it.
    assert memory.get("point", {"idle": 300, "connections": 4}) == {"idle": 300, "connections": 4}


def test_terminal_and_summary_begin_with_the_same(answered):
    report, result, summary = answered
    said = result.stdout.split("\nMore: ")[0].split("\n\n", 1)[1].splitlines()
    assert len(said) < MOST_LINES, said
    assert re.match(r"On this machine \(\d+ CPUs.*\) CPU time per request is known to ", said[0])
    assert said[0] == summary.splitlines()[2]
    rows = [line for line in summary.splitlines() if line.startswith("| ")]
    for row in decided(report):
        line, = (line for line in said if line.startswith(f"{row['question']} ("))
        assert row["best"][0]["model"] in line
        told, = (line for line in rows if line.startswith(f"| {row['question']} ("))
        for model in MODELS:
            assert bool(re.search(rf"\b{model}\b", told)) == (model not in [entry["model"] for entry in row["between"]]), told
    assert said[-1].startswith("Not measured: ") and "--experiments latency" in said[-1]


def test_a_provisional_answer_comes_after_the_first_round(answered):
    _, result, _ = answered
    assert re.search(r"\nAfter 1 of 3 rounds:\n(  .*\n)*  many idle connections  ", result.stderr)
