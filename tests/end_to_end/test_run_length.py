"""How many trials a run takes: until the interval is narrow, and as many as the time of its profile holds."""
import pytest

from driver_bench import SMALL, check_report, one_sentence


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
    for cell in bench.cells_of("good"):
        assert sum(trial["cell"] == cell["id"] for trial in trials) == 5


def test_a_smoke_run_is_cut_to_the_time_of_its_profile(bench):
    """By its plan: tests/unit/driver/budget_test.cpp and time_guard_test.cpp hold that to the time."""
    bench.server("good", "second", "never_ready", "wrong_bytes", "ignores_sigterm", "one_client")
    bench.experiment({**SMALL, "name": "idle", "sweep": {"idle": [0, 5, 50]}, "duration": "1s",
                      "warmup": "0.3s", "repetitions": 5}, "idle")
    result = bench.run("--profile", "smoke", "--quiet")
    report = bench.report()
    assert report["muxbench"]["run"]["profile"] == "smoke"
    assert any("cut to the time of profile smoke" in note for note in report["muxbench"]["run"]["notes"])
    # How far it came in that time depends on the machine: the faulty servers cost 10 s and more.
    tried = [*report["muxbench"]["trials"], *report["muxbench"]["counting_trials"]]
    assert tried
    assert result.returncode == (1 if any(trial["status"] != "ok" or "stop_error" in trial.get("server", {}) for trial in tried) else 0)
    for cell in bench.cells_of("good"):
        assert cell["status"] == "measured" or "the time of the profile ended" in cell["reason"], cell


def test_repetitions_that_do_not_fit_into_the_time_are_left_out_and_the_report_says_so(bench):
    """Of a server that needs 1 s to start, twelve starts do not fit into the 15 s of smoke, on no machine: each
    repetition has one of them and one more for the noise floor. How many fit depends on the machine."""
    bench.server("good", "starts_slowly")
    bench.experiment({**SMALL, "sweep": {"connections": [4]}, "models": "starts_slowly"})
    bench.experiment({**SMALL, "name": "soon", "sweep": {"connections": [4]}, "models": "good"}, "soon")
    bench.run("--profile", "smoke", "--repetitions", "12", "--quiet", "--no-counting")
    report = bench.report()["muxbench"]
    assert report["status"] == "complete"
    repetitions = {cell["id"]: [trial["repetition"] for trial in report["trials"] if trial["cell"] == cell["id"]]
                   for cell in report["cells"]}
    slow, soon = repetitions["starts_slowly/small/connections:4"], repetitions["good/soon/connections:4"]
    assert len(slow) < 12
    assert slow == list(range(len(slow))) and soon == list(range(len(soon)))
    assert any(note.startswith("The run took longer than planned. To keep the time of profile smoke, ") for note in report["run"]["notes"])
