"""Whole runs: a good one, servers with a fault each, interruption."""
import hashlib
import os
import pathlib
import signal
import subprocess
import time

import pytest

from driver_bench import HERE, SMALL, check_report, one_sentence
from support.patience import expect_within


def cells_of(report, model):
    return [cell for cell in report["muxbench"]["cells"] if cell["model"] == model]


def test_a_run_measures_and_reports(bench):
    bench.server("good", "second")
    result = bench.run("--seed", "7", "--duration", "300ms")
    assert result.returncode == 0, result.stderr
    report = bench.report()
    ours = report["muxbench"]
    assert ours["status"] == "complete"
    assert ours["run"]["seed"] == 7
    assert ours["plan"]["loadgen_sha256"] == hashlib.sha256((HERE / "fake_loadgen.py").read_bytes()).hexdigest()
    assert set(ours["host"]["kernel_parameters"]) <= set(pathlib.Path("/proc/cmdline").read_text().split())
    assert [cell["status"] for cell in ours["cells"]] == ["measured"] * 4
    assert len(ours["trials"]) == 8 == ours["plan"]["trials"]
    for trial in ours["trials"]:
        assert trial["server"]["cpu"]["total_ns"] > 0
        assert trial["server"]["cpu_ns_per_request"] > 1000  # Python needs more than a microsecond
        assert "--connections" in trial["load_command_line"], trial["load_command_line"]
        memory = trial["server"]["memory"]
        assert memory["peak_bytes"] > 100_000  # its own pages; those of libraries count by share
        assert memory["resident_peak_bytes"] >= memory["peak_bytes"] * 0.9, memory
    assert sum(b["run_type"] == "iteration" for b in report["benchmarks"]) == 8
    summary = (bench.out / "summary.md").read_text()
    assert "Does the driver work?" in summary and "good" in summary
    assert summary in result.stdout
    assert str(bench.out / "report.json") in result.stdout


def test_a_report_tells_what_its_numbers_stand_on(bench):
    bench.server("good")
    assert bench.run("--no-counting", "--repetitions", "1", "--duration", "20ms").returncode == 0
    report = bench.report()
    ours = report["muxbench"]
    host = ours["host"]
    # Each has a word for "unknown" where it is; the clock source of a container may be hidden.
    told = {"name", "kernel", "kernel_build", "architecture", "cpu_model", "cpus", "topology", "memory_bytes", "mitigations", "governor",
            "turbo", "smt", "kernel_parameters", "sysctls", "limits", "descriptor_limit", "congestion_control", "compiler",
            "compiler_flags", "build_type", "glibc", "virtualisation"}
    assert told <= set(host), told - set(host)
    assert {host["kernel"], host["kernel_build"]} == {f"{os.uname().sysname} {os.uname().release}", os.uname().version}
    # A private network hides some, and they rule it all the same.
    for name in ("net.core.somaxconn", "net.core.netdev_max_backlog", "net.core.rmem_default", "fs.nr_open"):
        if pathlib.Path("/proc/sys", name.replace(".", "/")).exists():
            assert name in host["sysctls"], host["sysctls"]
    assert ours["run"]["command_line"] == [str(word) for word in bench.command("--no-counting", "--repetitions", "1", "--duration", "20ms")]
    assert ours["run"]["version"]
    assert set(ours["run"]["git"]) == {"revision", "dirty"}
    model, = ours["models"]
    assert model["sha256"] == hashlib.sha256((HERE / "fake_server.py").read_bytes()).hexdigest()
    assert {"mechanism", "family", "features", "capabilities"} <= set(model)
    assert all(trial["server"]["command_line"] and trial["load_command_line"] for trial in ours["trials"])
    assert len(report["context"]["load_avg"]) == 3  # before the run


def test_system_calls_are_counted_in_a_pass_of_their_own(bench):
    bench.server("good")
    assert bench.run("--profile", "full", "--repetitions", "5").returncode == 0  # which counts at every point
    ours = bench.report()["muxbench"]
    used = [rung for rung in ours["counting"] if rung["used"]]
    if not used:
        # Nothing can count here: the reasons are told, and no cell has counts.
        assert all(rung["reason"] for rung in ours["counting"])
        assert any("System calls are not counted" in note for note in ours["run"]["notes"])
        assert not any("counts" in cell for cell in ours["cells"])
        return
    assert used[0]["self_test"] == {"expected_calls": 1000, "counted_calls": 1000}
    assert len(ours["counting_trials"]) == 2 == ours["plan"]["counting_trials"]
    assert len(ours["trials"]) == 10
    for cell in ours["cells"]:
        counts = cell["counts"]
        assert counts["throughput_ratio"] > 0
        # Python's socket.send is one sendto for each answer, and both sides are at rest whenever counters are read.
        assert counts["syscalls"]["sendto"]["calls"] == counts["requests"], counts


def test_one_model_runs_under_two_names(bench):
    bench.server("good", "second")
    assert bench.run("--no-counting", "--repetitions", "3", "--duration", "40ms").returncode == 0
    report = bench.report()["muxbench"]
    twins = report["twin_trials"]
    assert [(twin["cell"], twin["repetition"]) for twin in twins] == [("good/small/connections:4", number) for number in range(3)]
    floor = report["noise_floor"]
    told, = (finding["text"] for finding in report["findings"] if finding["kind"] == "noise_floor")
    assert told in (bench.out / "summary.md").read_text()
    if next(cell for cell in report["cells"] if cell["id"] == twins[0]["cell"])["flags"]:
        assert floor == [] and told.startswith("The noise floor is not known")  # noisy, say, as others keep the machine busy
        return
    assert [cell["cell"] for cell in floor] == ["good/small/connections:4"]
    assert floor[0]["trials"] == [3, 3] and floor[0]["low"] <= floor[0]["ratio"] <= floor[0]["high"]
    assert told.startswith("The noise floor: the same server measured twice")


def test_trials_go_on_until_the_interval_is_narrow(bench):
    bench.server("good")
    words = ("--no-counting", "--repetitions", "2", "--duration", "20ms", "--target-ci")
    assert bench.run(*words, "0.001%", "--max-trials", "4").returncode == 0
    report = bench.report()["muxbench"]
    assert len(report["trials"]) == 8 == report["plan"]["trials"]
    assert sorted(t["repetition"] for t in report["trials"]) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert "After 4 trials (--max-trials) 2 of 2 cells are known less well than --target-ci 0.001 % asks for." in report["run"]["notes"]
    # A server's memory is known well at once, but fewer than 5 trials may agree by chance.
    bench.experiment({**SMALL, "metric": "server_memory_bytes"})
    steady = ("--no-counting", "--repetitions", "2", "--duration", "20ms", "--target-ci", "99%", "--max-trials", "8")
    assert bench.run(*steady, "--out", str(bench.folder / "steady"), out=False).returncode == 0
    enough = check_report(bench.folder / "steady" / "report.json")["muxbench"]
    assert sorted(t["repetition"] for t in enough["trials"]) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert not any("--max-trials" in note for note in enough["run"]["notes"])
    # So few requests have no p99, so nothing is waited for, and the report says so.
    bench.experiment({**SMALL, "metric": "latency_p99_ns"})
    few = ("--no-counting", "--repetitions", "2", "--duration", "5ms", "--target-ci", "0.001%", "--max-trials", "4")
    assert bench.run(*few, "--out", str(bench.folder / "p99"), out=False).returncode == 0
    short = check_report(bench.folder / "p99" / "report.json")["muxbench"]
    assert len(short["trials"]) == 4
    assert any(note.startswith("2 of 2 cells lack what answers their experiment") for note in short["run"]["notes"])
    refused = bench.run(*words, "much")
    assert refused.returncode == 2 and "no percentage" in one_sentence(refused)


@pytest.mark.parametrize("seed", ["1", "4"])  # of which one puts the failing server last
def test_trials_go_on_although_a_server_was_given_up(bench, seed):
    bench.server("good", "dies_at_start")
    assert bench.run("--no-counting", "--repetitions", "3", "--duration", "20ms", "--target-ci", "0.001%", "--max-trials", "5",
                     "--seed", seed).returncode == 1
    trials = bench.report()["muxbench"]["trials"]
    for cell in cells_of(bench.report(), "good"):
        assert sum(trial["cell"] == cell["id"] for trial in trials) == 5


def test_counting_can_be_left_out(bench):
    bench.server("good")
    assert bench.run("--no-counting", "--repetitions", "1").returncode == 0
    ours = bench.report()["muxbench"]
    assert ours["counting"] == [] == ours["counting_trials"]
    assert not any("counts" in cell for cell in ours["cells"])


def test_blocks_hold_every_cell_once_and_the_seed_gives_the_order(bench):
    bench.server("good", "second")
    assert bench.run("--seed", "7", "--duration", "20ms").returncode == 0
    trials = bench.report()["muxbench"]["trials"]
    for block in (0, 1):
        cells = [t["cell"] for t in trials if t["repetition"] == block]
        assert len(set(cells)) == len(cells) == 4
    assert [t["repetition"] for t in trials] == [0] * 4 + [1] * 4
    first_order = [t["cell"] for t in trials]
    bench.out = bench.folder / "again"
    assert bench.run("--seed", "7", "--duration", "20ms").returncode == 0
    assert [t["cell"] for t in bench.report()["muxbench"]["trials"]] == first_order


def test_smoke_runs_everything_within_30_seconds(bench):
    bench.server("good", "second", "never_ready", "wrong_bytes", "ignores_sigterm", "one_client")
    bench.experiment({**SMALL, "name": "idle", "sweep": {"idle": [0, 5, 50]}, "duration": "1s",
                      "warmup": "0.3s", "repetitions": 5}, "idle")
    begin = time.monotonic()
    result = bench.run("--profile", "smoke", "--quiet")
    took = time.monotonic() - begin
    report = bench.report()
    expect_within(took, 30, "a smoke run")
    assert report["muxbench"]["run"]["profile"] == "smoke"
    assert any("cut to the time of profile smoke" in note for note in report["muxbench"]["run"]["notes"])
    # How far it came in that time is the machine's matter: the faulty servers cost 10 s and more.
    tried = [*report["muxbench"]["trials"], *report["muxbench"]["counting_trials"]]
    assert tried
    assert result.returncode == (1 if any(trial["status"] != "ok" or "stop_error" in trial.get("server", {}) for trial in tried) else 0)
    for cell in cells_of(report, "good"):
        assert cell["status"] == "measured" or "the time of the profile ended" in cell["reason"], cell


@pytest.mark.alone  # what fits is the machine's matter
def test_the_last_repetition_is_of_the_experiments_that_fit_into_the_time(bench):
    """Two starts of 4 s in each repetition, with the noise floor's, do not fit twice into the 15 s of smoke."""
    bench.server("good", "starts_slowly")
    bench.experiment({**SMALL, "sweep": {"connections": [4]}, "models": "starts_slowly"})
    bench.experiment({**SMALL, "name": "soon", "sweep": {"connections": [4]}, "models": "good"}, "soon")
    result = bench.run("--profile", "smoke", "--repetitions", "2", "--quiet", "--no-counting")
    assert result.returncode == 0, result.stderr
    report = bench.report()["muxbench"]
    repetitions = {}
    for trial in report["trials"]:
        repetitions.setdefault(trial["cell"], []).append(trial["repetition"])
    assert repetitions == {"starts_slowly/small/connections:4": [0], "good/soon/connections:4": [0, 1]}
    assert ("The run took longer than planned. To keep the time of profile smoke, repetition 2 is of these experiments alone: soon."
            in report["run"]["notes"])
    assert [trial["cell"] for trial in report["twin_trials"]].count("starts_slowly/small/connections:4") == 1


def test_unix_sockets(bench):
    bench.server("good")
    bench.experiment({**SMALL, "transport": "unix"})
    assert bench.run().returncode == 0
    target = bench.report()["muxbench"]["trials"][0]["load"]["asked"]["target"]
    assert target.startswith("unix:") and not os.path.exists(target.removeprefix("unix:"))


@pytest.mark.parametrize("name, said", [
    ("never_ready", "did not print its ready line within 5 s"),
    ("bad_ready_line", "not a ready line"),
    ("dies_at_start", "exited with status 1 before it was ready: the fake finds no room for its tables"),
    ("wrong_bytes", "wrong answer: echo of 4096 bytes"),
    ("crash_under_load", "was killed by SIGSEGV while it was under load: the fake fell over"),
])
def test_a_faulty_server_fails_and_the_others_are_measured(bench, name, said):
    bench.server("good", name)
    result = bench.run("--duration", "30ms")
    assert result.returncode == 1
    assert said in result.stderr
    report = bench.report()
    assert {c["status"] for c in cells_of(report, "good")} == {"measured"}
    for cell in cells_of(report, name):
        assert cell["status"] == "failed"
        assert said in cell["reason"]
    # After two failures in a row no more time is spent on it.
    assert sum(t["status"] == "failed" for t in report["muxbench"]["trials"]) == 2


@pytest.mark.parametrize("name, said", [
    ("ignores_sigterm", "ignored SIGTERM"),
    ("bad_exit", "exited with status 7 at SIGTERM"),
    ("leaves_children", "left 1 of its processes behind"),
])
def test_a_server_that_does_not_stop_is_killed_and_flagged(bench, name, said):
    if name == "leaves_children" and os.geteuid() != 0:
        pytest.skip("only a cgroup sees a child that left the process group")
    bench.server(name)
    result = bench.run("--repetitions", "1", "--duration", "30ms")
    assert result.returncode == 1
    for cell in cells_of(bench.report(), name):
        assert cell["status"] == "measured"
        assert any(f["kind"] == "unclean_stop" and said in f["detail"] for f in cell["flags"])
    assert bench.processes_left() == []


def test_cells_that_cannot_run_are_skipped_with_their_reason(bench):
    bench.server("good", "one_client", "few", "unavailable", "rubbish_description", "endless_description")
    bench.experiment({**SMALL, "sweep": {"connections": [1, 30]}, "repetitions": 1})
    result = bench.run("--duration", "30ms")
    assert result.returncode == 0, result.stderr
    report = bench.report()
    why = {cell["id"]: cell.get("reason", "") for cell in report["muxbench"]["cells"]}
    assert "one connection at a time" in why["one_client/small/connections:30"]
    assert why["one_client/small/connections:1"] == ""
    assert "at most 20 connections" in why["few/small/connections:30"]
    assert why["unavailable/small/connections:1"] == "this machine has no such mechanism"
    assert "--describe" in why["rubbish_description/small/connections:1"]
    assert "did not end within 2 s" in why["endless_description/small/connections:1"]


def start_in_background(bench, *words):
    driver = subprocess.Popen(bench.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=bench.folder, env={**os.environ, "TMPDIR": str(bench.folder)})
    return driver


def wait_for_a_server(bench):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if any("--listen" in command for _, command in bench.processes_left()):
            return
        time.sleep(0.02)
    pytest.fail("no server was started")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_leaves_no_process_and_a_report(bench, number):
    bench.server("good", "ignores_sigterm")
    driver = start_in_background(bench, "--duration", "300ms", "--repetitions", "100")
    wait_for_a_server(bench)
    time.sleep(1.5)
    begin = time.monotonic()
    driver.send_signal(number)
    _, errors = driver.communicate(timeout=20)
    expect_within(time.monotonic() - begin, 5, f"the end by {number.name}")
    assert driver.returncode == 130, errors
    assert "interrupted" in errors
    report = bench.report()
    assert report["muxbench"]["status"] == "interrupted"
    assert len(report["muxbench"]["trials"]) < report["muxbench"]["plan"]["trials"]
    assert bench.processes_left() == []


def test_an_interrupted_start_names_unmeasured_cells_missing(bench):
    bench.server("good")
    driver = start_in_background(bench, "--duration", "30s", "--repetitions", "1")
    wait_for_a_server(bench)
    driver.send_signal(signal.SIGINT)
    driver.communicate(timeout=20)
    statuses = [cell["status"] for cell in bench.report()["muxbench"]["cells"]]
    assert statuses == ["missing", "missing"]


def test_servers_do_not_outlive_a_killed_driver(bench):
    bench.server("good")
    driver = start_in_background(bench, "--duration", "30s")
    wait_for_a_server(bench)
    driver.kill()
    driver.communicate()
    deadline = time.monotonic() + 5
    while bench.processes_left() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert bench.processes_left() == []
