"""The report of an ordinary user's run: what could not be measured is absent, with the reason, and never 0."""
import pathlib
import subprocess

import pytest

from driver_bench import BUILD, MUXBENCH, TRIALS_ALONE, check_report
from ordinary_user import BECOME_NOBODY, bench_of_nobody
from support.patience import PATIENCE, RUN_PATIENCE

pytestmark = pytest.mark.xdist_group("ordinary_run")  # one process makes what they share

MODELS = ("epoll_level", "fork_per_connection")

# Keys under which 0 is what was found or asked for.
ORDINALS = {"family_index", "per_family_instance_index", "repetition_index", "repetition", "order", "cpu", "server_cpus", "load_cpus"}
ASKED = {"idle", "rate", "warmup_ns", "counting_trials"}
COUNTED = {"cells", "total", "failed_requests", "errors", "min_requests", "polling_ns", "load_avg", "load_waited_ns", "server_waited_ns",
           "requests_per_second", "items_per_second"}  # an open loop's answers may all come after a short window
# Objects in which it is: limits; a rate's statistics; a generator that was never late; an interval or a slice without an answer;
# a cell without an undisturbed slice.
MEASURED = {"limits", "requests_per_second", "generator_lag_ns", "schedule_lag_ns", "series", "slices", "undisturbed"}
SPREAD = {"stddev"}  # of values that are all the same
# What an ordinary user cannot have: its counts, and user and system time without a cgroup.
PRIVILEGED = {"counts", "server_user_ns_per_request", "server_system_ns_per_request"}


def leaves(node, path=()):
    """Every value with its path; without trials that failed, and aggregates of the spread."""
    if isinstance(node, dict):
        if node.get("status") == "failed" or node.get("aggregate_name") in ("stddev", "cv"):
            return
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for value in node:
            yield from leaves(value, path)
    else:
        yield path, node


@pytest.fixture(scope="module")
def report():
    with bench_of_nobody() as bench:
        for model in MODELS:
            program = BUILD / "servers" / f"server_{model}"
            if not program.exists() or subprocess.run([*BECOME_NOBODY, "test", "-x", program], timeout=PATIENCE).returncode != 0:
                pytest.skip(f"environment: an ordinary user may not execute {program}")
        result = subprocess.run(
            [*BECOME_NOBODY, MUXBENCH, "run", *TRIALS_ALONE, "--profile", "smoke", "--network", "host", "--models", ",".join(MODELS),
             "--seed", "7", "--duration", "80ms", "--repetitions", "2", "--out", bench.out],
            capture_output=True, text=True, timeout=RUN_PATIENCE, cwd=bench.folder)
        assert result.returncode in (0, 1), result.stderr  # 1: on a busy machine a short trial may see no answer
        report = check_report(bench.out / "report.json")
        assert any(trial["status"] == "ok" for trial in report["muxbench"]["trials"])
        for trials in ("trials", "twin_trials"):  # in a window without a request, or without an answer, zero bytes are the truth
            report["muxbench"][trials] = [trial for trial in report["muxbench"][trials]
                                          if trial["status"] == "ok" and all(trial["load"]["bytes"].values())]
            for trial in report["muxbench"][trials]:
                if "slices" in trial and all(trial["slices"]["disturbed"]):  # its load is that of no slice
                    del trial["load"]
        return report


def steal_is_told(report):
    """A hypervisor that never stole anything does not tell."""
    in_virtual_machine = "virtual machine" in report["muxbench"]["host"]["virtualisation"]
    return not in_virtual_machine or int(pathlib.Path("/proc/stat").read_text().split()[8]) > 0


def test_no_zero_stands_for_what_was_not_measured(report):
    allowed = ORDINALS | ASKED | COUNTED | SPREAD
    if steal_is_told(report):
        allowed = allowed | {"steal_ns"}
    else:
        assert any("a hypervisor" in note for note in report["muxbench"]["run"]["notes"])
    zeros = {".".join(path) for path, value in leaves(report)
             if value == 0 and value is not False and path[-1] not in allowed
             and not MEASURED & set(path[:-1])}
    # The load generator's own time: it may have had no CPU in a short window, and timer ticks may find all of it on one side.
    zeros = {path for path in zeros if "trials.load.cpu." not in path}
    assert not zeros, sorted(zeros)


def test_nothing_is_null_but_what_has_a_place_to_keep(report):
    nulls = {path[-1] for path, value in leaves(report) if value is None and "slices" not in path}
    assert nulls <= {"mhz_per_cpu", "max_connections"}
    in_slices = {path[-1] for path, value in leaves(report) if value is None and "slices" in path}
    assert in_slices <= {"latency_mean_ns", "latency_p50_ns", "latency_p99_ns"}  # of few requests


def test_what_needs_privilege_is_absent_with_the_reason(report):
    ours = report["muxbench"]
    notes = " ".join(ours["run"]["notes"])
    if any(rung["used"] for rung in ours["counting"]):
        pytest.skip("environment: an ordinary user may count here (kernel.perf_event_paranoid)")
    assert ours["counting"] and all(rung["reason"] for rung in ours["counting"])
    assert "System calls are not counted" in notes
    for rung in ours["counting"]:
        assert f"{rung['rung']}: {rung['reason']}" in notes
    assert not PRIVILEGED & {key for path, _ in leaves(report) for key in path}
    assert "CPU time is read from process clocks" in notes
    for trial in ours["trials"]:
        if cpu := trial["server"].get("cpu"):
            assert cpu.keys() == {"total_ns", "source"} and cpu["source"] == "process clocks and /proc/PID/stat"
