"""Runs in slices: rounds in which all models take turns, with the servers and the load generator of this build."""
import json
import pathlib
import signal
import subprocess
import time

import pytest

from driver_bench import BUILD, HERE, MUXBENCH, SLICED, SMALL, Bench, need_cgroup, one_sentence
from support.patience import PATIENCE, wait_until

pytestmark = pytest.mark.xdist_group("runs_in_slices")  # one process makes what they share

MODELS = ("epoll_level", "nonblocking_spin", "poll")
POINTS = (1, 4)
ROUNDS = 2
CPU = "server_cpu_ns_per_request"


def is_sliced(cell):
    return cell["method"] == "slices"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """What two runs with one seed reported."""
    bench = Bench(tmp_path_factory.mktemp("slices"))
    bench.real(*MODELS)
    bench.experiment(SLICED)
    reports = []
    for name in ("first", "second"):
        bench.out = bench.folder / name
        result = bench.run("--seed", "7")
        assert result.returncode == 0, result.stderr
        reports.append(bench.report()["muxbench"])
    assert bench.processes_left() == []
    return reports


def parts_of(report, point, repetition):
    """Of a round: the slices of each model, and of the twin."""
    here = f"/small/connections:{point}"
    own = {trial["cell"].removesuffix(here): trial["slices"] for trial in report["trials"]
           if trial["cell"].endswith(here) and trial["repetition"] == repetition}
    twins = {f"{trial['cell'].removesuffix(here)} (again)": trial["slices"] for trial in report["twin_trials"]
             if trial["cell"].endswith(here) and trial["repetition"] == repetition}
    return own | twins


def test_every_cell_is_measured_in_rounds(runs):
    for report in runs:
        assert len(report["cells"]) == len(MODELS) * len(POINTS)
        assert all(cell["status"] == "measured" and is_sliced(cell) for cell in report["cells"] + report["twins"])
        for cell in report["cells"]:
            rounds = [trial for trial in report["trials"] if trial["cell"] == cell["id"]]
            assert sorted(trial["repetition"] for trial in rounds) == list(range(ROUNDS))
            assert all(trial["status"] == "ok" and trial["method"] == "slices" for trial in rounds)
            assert not {"errors", "unclean_stop", "fewer_connections"} & {flag["kind"] for flag in cell["flags"]}, cell["flags"]


def test_a_block_has_each_model_once_and_the_twin_at_every_point(runs):
    for report in runs:
        assert [twin["id"] for twin in report["twins"]] == [f"epoll_level (again)/small/connections:{point}" for point in POINTS]
        for point in POINTS:
            for repetition in range(ROUNDS):
                parts = parts_of(report, point, repetition)
                assert set(parts) == {*MODELS, "epoll_level (again)"}
                blocks = [slices["block"] for slices in parts.values()]
                assert blocks[0] and all(block == list(range(len(blocks[0]))) for block in blocks)
                assert len({(slices["length_ns"], slices["warmup_ns"]) for slices in parts.values()}) == 1


def orders(report, point, repetition):
    """Of each block: who was measured, one after the other."""
    parts = parts_of(report, point, repetition)
    begun = sorted((start, block, name) for name, slices in parts.items()
                   for block, start in zip(slices["block"], slices["started_ns"]))
    return [tuple(name for _, block, name in begun if block == number) for number in parts["poll"]["block"]]


def test_the_order_within_blocks_is_random_and_the_seeds(runs):
    for point in POINTS:
        for repetition in range(ROUNDS):
            first, second = (orders(report, point, repetition) for report in runs)
            both = min(len(first), len(second))  # a slow machine gets longer slices, and fewer of them
            assert both >= 4 and first[:both] == second[:both]
            assert len(set(first)) > 1, first


def test_ratios_are_to_the_reference_at_the_same_point(runs):
    for report in runs:
        for cell in report["cells"] + report["twins"]:
            own = cell["id"].replace(" (again)", "")
            blocks = sum(len(set(trial["slices"]["block"])) for trial in report["trials"] if trial["cell"] == own)
            to_reference = cell["relative"][CPU]
            assert to_reference["n"] == blocks
            assert to_reference["low"] <= to_reference["ratio"] <= to_reference["high"]
            if cell["id"].startswith("epoll_level/"):
                assert all(ratio["ratio"] == ratio["low"] == ratio["high"] == 1 for ratio in cell["relative"].values())
            else:
                assert to_reference["low"] < to_reference["high"]


def test_what_disturbed_slices_cannot_tell_is_withheld(runs):
    for report in runs:
        for cell in report["cells"]:
            rounds = [trial for trial in report["trials"] if trial["cell"] == cell["id"]]
            disturbed = [number for trial in rounds for number in trial["slices"]["disturbed"]]
            assert cell["undisturbed"] == {"slices": disturbed.count(0), "of": len(disturbed)}
            too_few = disturbed.count(0) < 20
            assert ("few_undisturbed" in {flag["kind"] for flag in cell["flags"]}) == too_few
            withheld = {"requests_per_second", "latency_mean_ns", "latency_p50_ns", "latency_p99_ns"} if too_few else set()
            assert withheld == set(cell.get("withheld", {})) and not withheld & set(cell["summary"])
            assert cell["summary"][CPU]["n"] == ROUNDS


def test_a_slices_calls_are_counted_exactly(runs):
    for report in runs:
        if not any(rung["used"] for rung in report["counting"]):
            pytest.skip("environment: system calls cannot be counted here; muxbench doctor says why")
        counted = [cell for cell in report["cells"] if "counts" in cell]
        assert [cell["id"] for cell in counted] == [f"{name}/small/connections:{POINTS[-1]}" for name in MODELS]
        assert len(report["counting_trials"]) == report["plan"]["counting_trials"] == len(MODELS)
        for cell in counted:
            counts, calls = cell["counts"], cell["counts"]["syscalls"]
            assert counts["requests"] > 0 and calls["sendto"]["calls"] == counts["requests"], counts
            # One that always runs may be within a call whenever its counts are read.
            within = 1 if cell["model"] == "nonblocking_spin" else 0
            assert abs(calls["recvfrom"]["calls"] - calls["recvfrom"]["eagain"] - counts["requests"]) <= within, counts
            wait = {"epoll_level": "epoll_wait", "poll": "poll"}.get(cell["model"])
            if wait:  # no call but these: connections neither come nor go
                assert set(calls) == {"recvfrom", "sendto", wait} and calls["recvfrom"]["eagain"] == 0, counts
                assert 0 < calls[wait]["calls"] <= counts["requests"] + 1, counts


def stat_of(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def cpu_time_of(pid):
    """To the nanosecond."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def test_a_model_that_always_runs_is_stopped_between_its_turns(bench):
    bench.real("epoll_level", "nonblocking_spin")
    bench.experiment({**SLICED, "sweep": {"connections": [1]}})
    driver = bench.start("--no-counting", "--repetitions", "1", "--duration", "500ms")
    spinning = None

    def is_at_rest():
        """The driver is held, so that no turn begins."""
        nonlocal spinning
        spinning = next((pid for pid, command in bench.processes_left() if "nonblocking_spin" in command and "--listen" in command), None)
        assert driver.poll() is None, "the run has ended"
        if spinning is None or stat_of(spinning)[0] != "T":
            return False
        driver.send_signal(signal.SIGSTOP)
        wait_until(lambda: stat_of(driver.pid)[0] == "T", "the driver goes on")
        if stat_of(spinning)[0] == "T":
            return True
        driver.send_signal(signal.SIGCONT)
        return False

    try:
        wait_until(is_at_rest, "it always runs")
        used = cpu_time_of(spinning)
        time.sleep(0.2)
        assert (stat_of(spinning)[0], cpu_time_of(spinning)) == ("T", used)
    finally:
        driver.send_signal(signal.SIGCONT)
    _, errors = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 0, errors
    cell, = bench.cells_of("nonblocking_spin")
    assert cell["status"] == "measured" and is_sliced(cell)
    assert "unclean_stop" not in {flag["kind"] for flag in cell["flags"]}


@pytest.mark.parametrize("name, said", [
    ("dies_late", "the server was killed by SIGSEGV while it was under load: the fake fell over"),
    ("closes_at_rest", "the load generator saw errors: "),
    ("lies_late", "the load generator saw errors: "),
])
def test_a_server_that_fails_in_its_turns_fails_alone(bench, name, said):
    bench.real("epoll_level", "poll")
    bench.server(name)
    bench.experiment(SLICED)
    result = bench.run("--no-counting", "--seed", "1")
    assert result.returncode == 1
    report = bench.report()["muxbench"]
    for cell in report["cells"]:
        if cell["model"] != name:
            rounds = [trial for trial in report["trials"] if trial["cell"] == cell["id"]]
            assert cell["status"] == "measured" and is_sliced(cell)
            assert len(rounds) == ROUNDS and all(trial["status"] == "ok" for trial in rounds)
            continue
        assert cell["status"] == "failed" and said in cell["reason"] and "\n" not in cell["reason"], cell
    kinds = {"closes_at_rest": ("closed", "reset"), "lies_late": ("corrupt",)}.get(name, ("",))
    assert all(any(kind in cell["reason"] for kind in kinds) for cell in bench.cells_of(name)), bench.cells_of(name)
    # After two failures in a row no more time is spent on it.
    assert sum(trial["status"] == "failed" for trial in report["trials"]) == (2 if name == "dies_late" else ROUNDS * len(POINTS))
    assert bench.processes_left() == []


def test_a_killed_load_generator_fails_one_part_of_a_round(bench):
    bench.real("epoll_level", "poll")
    bench.loadgen = bench.folder / "mortal_loadgen"
    bench.loadgen.symlink_to(HERE / "mortal_loadgen.py")
    bench.experiment({**SLICED, "sweep": {"connections": [4]}, "repetitions": 1})
    bench.run("--no-counting", "--seed", "1")
    assert (bench.folder / "killed").exists()
    report = bench.report()["muxbench"]
    parts = report["trials"] + report["twin_trials"]
    assert len(parts) == 3
    failed, = (part for part in parts if part["status"] != "ok")
    assert failed["error"] == "the load generator was killed by SIGKILL without a result"
    assert len(failed["slices"]["block"]) < 4
    statuses = [cell["status"] for cell in report["cells"] + report["twins"]]
    assert sorted(statuses) == ["failed", "measured", "measured"]
    assert bench.processes_left() == []


def test_a_round_that_opens_late_has_a_block_all_the_same(bench):
    """Twelve starts that take a second each do not fit into the 15 s of smoke, on no machine."""
    bench.real("epoll_level")
    bench.server("starts_slowly")
    bench.experiment({**SLICED, "sweep": {"connections": [4]}})
    bench.run("--profile", "smoke", "--repetitions", "12", "--no-counting")
    report = bench.report()["muxbench"]
    rounds = report["trials"]
    assert rounds and all(trial["status"] == "ok" and trial["slices"]["block"] for trial in rounds)
    assert len(rounds) < 2 * 12
    assert any(note.startswith("The run took longer than planned.") for note in report["run"]["notes"])


def test_rounds_are_added_while_the_ratio_is_known_less_well_than_asked(bench):
    """The reference has no ratio to itself, so one cell is asked about; the reference and the twin take part all the same."""
    bench.real("epoll_level", "poll")
    bench.experiment({**SLICED, "sweep": {"connections": [4]}})
    words = ("--no-counting", "--repetitions", "2", "--max-trials", "4", "--target-ci")
    assert bench.run(*words, "0.0001%").returncode == 0
    report = bench.report()["muxbench"]
    for trials, one in ((report["trials"], "epoll_level"), (report["trials"], "poll"), (report["twin_trials"], "epoll_level (again)")):
        rounds = [trial["repetition"] for trial in trials if trial["cell"].startswith((one + "/", one.removesuffix(" (again)") + "/"))]
        assert sorted(rounds) == [0, 1, 2, 3], one
    assert "After 4 trials (--max-trials) 1 of 1 cells are known less well than --target-ci 0.0001 % asks for." in report["run"]["notes"]


def test_a_budget_holds_against_repetitions(bench):
    """Twelve starts that take a second each do not fit into 6 s, on no machine."""
    bench.real("epoll_level")
    bench.server("starts_slowly")
    bench.experiment({**SLICED, "sweep": {"connections": [4]}})
    bench.run("--budget", "6s", "--repetitions", "12", "--no-counting")
    report = bench.report()["muxbench"]
    assert len(report["trials"]) < 2 * 12
    assert any(note.startswith("The time of --budget is over: ") for note in report["run"]["notes"])


def cgroups_of(pid):
    return list(pathlib.Path("/sys/fs/cgroup").rglob(f"muxbench-{pid}-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_round_leaves_nothing_and_a_report_of_those_before(bench, number):
    bench.real("epoll_level", "nonblocking_spin")
    bench.experiment(SLICED)
    driver = bench.start("--no-counting", "--repetitions", "100")
    bench.wait_for("--phases", 2 * 3)  # with the twin: the second round is open, or a later one
    driver.send_signal(number)
    _, errors = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 128 + number and "interrupted" in errors, errors
    report = bench.report()["muxbench"]
    assert report["status"] == "interrupted"
    finished = len(report["twin_trials"])
    assert 1 <= finished < 200 and len(report["trials"]) == 2 * finished
    assert all(trial["status"] == "ok" and trial["slices"]["block"] for trial in report["trials"] + report["twin_trials"])
    assert bench.processes_left() == [] == cgroups_of(driver.pid) == list(bench.folder.glob("muxbench-*"))


@pytest.mark.parametrize("content, words, method", [
    (SLICED, (), "slices"), (SMALL, (), "trials"), ({**SMALL, "method": "slices"}, ("--method", "trials"), "trials"),
    (SMALL, ("--method", "slices"), "slices")])
def test_the_method_is_that_of_the_experiment_or_the_command_line(bench, content, words, method):
    bench.real("epoll_level")
    # A window of a trial must see an answer, also where fifty processes wait for the CPU.
    bench.experiment({**content, "duration": "20ms" if method == "slices" else "1s", "repetitions": 1})
    assert bench.run("--no-counting", *words).returncode == 0
    report = bench.report()["muxbench"]
    assert {cell["method"] for cell in report["cells"]} == {method}
    assert all(("slices" in trial) == (method == "slices") for trial in report["trials"])


def test_another_method_is_refused(bench):
    bench.server("good")
    assert "--method" in one_sentence(bench.run("--method", "rounds"))
    bench.experiment({**SLICED, "method": "rounds"})
    refused = bench.run()
    assert refused.returncode == 2 and not bench.out.exists()
    assert one_sentence(refused) == f'{bench.experiments}/small.json: method: expected "slices" or "trials", found "rounds"'


def test_two_builds_are_compared_block_by_block(bench):
    need_cgroup()
    bench.real("epoll_level")
    bench.experiment(SLICED)
    command = f"{bench.servers}/server_epoll_level --listen 127.0.0.1:{{port}}"
    result = bench.run("--no-counting", "--server", f"base={command}", "--server", f"new={command}")
    assert result.returncode == 0, result.stderr
    report = bench.report()["muxbench"]
    for name in ("base", "new"):
        assert all(cell["status"] == "measured" and is_sliced(cell) for cell in bench.cells_of(name))
    words = (bench.out / "report.json", "--models", "base,new", "--metrics", CPU, "--format", "json")
    compared = subprocess.run([MUXBENCH, "compare", *words], capture_output=True, text=True, timeout=PATIENCE)
    assert compared.returncode == 0, compared.stderr
    cells = json.loads(compared.stdout)["cells"]
    assert len(cells) == len(POINTS)
    for cell in cells:
        assert cell["low"] <= cell["ratio"] <= cell["high"]
    assert {trial["method"] for trial in report["trials"]} == {"slices"}


def test_without_a_cgroup_what_is_one_process_is_measured_in_slices(bench, without_cgroup):
    if not (BUILD / "servers" / "server_fork_per_connection").exists():
        pytest.skip("environment: this build has no server_fork_per_connection")
    bench.real("epoll_level", "fork_per_connection", "thread_per_connection")
    # A window of a trial must see an answer, also where fifty processes wait for the CPU.
    bench.experiment({**SLICED, "duration": "1s"})
    result = bench.run("--no-counting", "--repetitions", "1", prefix=without_cgroup)
    assert result.returncode == 0, result.stderr
    report = bench.report()["muxbench"]
    assert "CPU time is read from process clocks" in " ".join(report["run"]["notes"])
    assert {(cell["model"], cell["method"], cell["status"]) for cell in report["cells"]} == {
        ("epoll_level", "slices", "measured"), ("fork_per_connection", "trials", "measured"),
        ("thread_per_connection", "slices", "measured")}
