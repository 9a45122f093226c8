"""Servers with a fault each, and cells that cannot run: each is told, and the others are measured."""
import os
import pathlib
import re
import signal
import subprocess

import pytest

from driver_bench import SLICED, SMALL
from support.patience import wait_until


@pytest.mark.parametrize("name, said", [
    ("never_ready", "did not print its ready line within 10 s"),
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
    assert {c["status"] for c in bench.cells_of("good")} == {"measured"}
    for cell in bench.cells_of(name):
        assert cell["status"] == "failed"
        assert said in cell["reason"]
    # After two failures in a row no more time is spent on it.
    assert sum(t["status"] == "failed" for t in report["muxbench"]["trials"]) == 2


@pytest.fixture(params=["here", "without_cgroup"])
def place(request):
    """What to put before a command, so that it runs with the cgroups of this machine, if any, and where none can be made."""
    return () if request.param == "here" else request.getfixturevalue("without_cgroup")


@pytest.mark.parametrize("name, said", [
    ("ignores_sigterm", "ignored SIGTERM"),
    ("bad_exit", "exited with status 7 at SIGTERM"),
    ("leaves_children", "left 1 of its processes behind at SIGTERM; they were killed"),
    ("leaves_daemon", "left 1 of its processes behind at SIGTERM; they were killed"),
])
def test_a_server_that_does_not_stop_is_killed_and_flagged(bench, place, name, said):
    bench.server(name)
    result = bench.run("--repetitions", "1", "--duration", "30ms", "--no-counting", prefix=place)
    assert result.returncode == 1
    if place:
        assert "CPU time is read from process clocks" in " ".join(bench.report()["muxbench"]["run"]["notes"])
    for cell in bench.cells_of(name):
        assert cell["status"] == "measured"
        assert any(f["kind"] == "unclean_stop" and said in f["detail"] for f in cell["flags"])
    assert bench.processes_left() == []


def test_every_daemon_that_a_server_forks_is_killed(bench, place):
    bench.server("forks_daemons")
    bench.experiment({**SMALL, "sweep": {"connections": [6]}, "repetitions": 1})
    result = bench.run("--duration", "30ms", "--no-counting", prefix=place)
    assert result.returncode == 1
    cell, = bench.cells_of("forks_daemons")
    detail, = (flag["detail"] for flag in cell["flags"] if flag["kind"] == "unclean_stop")
    left = re.fullmatch(r"the server left (\d+) of its processes behind at SIGTERM; they were killed", detail)
    assert left and int(left[1]) >= 2, detail  # of the load, and of the check after it
    assert bench.processes_left() == []


def test_a_flood_on_standard_error_changes_nothing(bench):
    bench.server("floods_stderr")
    result = bench.run("--repetitions", "1", "--duration", "100ms", "--no-counting")
    assert result.returncode == 0, result.stderr
    assert {cell["status"] for cell in bench.cells_of("floods_stderr")} == {"measured"}
    assert "???" not in result.stderr


def test_a_server_that_exhausts_its_memory_fails_and_the_cause_is_named(bench):
    bench.server("good", "hungry")
    result = bench.run("--duration", "30ms", "--no-counting", "--server-memory", "96MiB")
    assert result.returncode == 1
    assert {cell["status"] for cell in bench.cells_of("good")} == {"measured"}
    for cell in bench.cells_of("hungry"):
        assert cell["status"] == "failed"
        reason = cell["reason"]
        assert re.fullmatch(r"the server exited with status 1 while it was under load, with up to \d+\.\d MiB resident, where "
                            r"--server-memory lets each of its processes have 96\.0 MiB of data: MemoryError", reason), reason


def test_a_server_with_too_many_threads_to_count_is_measured_without_its_counts(bench, without_cgroup):
    """Without a cgroup each of its threads needs some 60 descriptors."""
    bench.real("epoll_level", "thread_per_connection")
    bench.experiment({**SLICED, "sweep": {"connections": [32]}, "repetitions": 1})
    few = ("prlimit", "--nofile=1000:1000")
    result = bench.run("--duration", "30ms", prefix=(*without_cgroup, *few))
    assert result.returncode == 0, result.stderr
    used = [way["rung"] for way in bench.report()["muxbench"]["counting"] if way["used"]]
    if used != ["inherit"]:
        pytest.skip(f"environment: threads are not counted here: {used}; muxbench doctor says why")
    one, = bench.cells_of("epoll_level")
    many, = bench.cells_of("thread_per_connection")
    assert one["status"] == many["status"] == "measured"
    assert "counts" in one and "counts" not in many
    assert ("the system calls of one cell were not counted (thread_per_connection/small/connections:32): perf events of the "
            "server's threads need more descriptors; raise the hard limit (ulimit -Hn)") in bench.report()["muxbench"]["run"]["notes"]


@pytest.fixture
def little_memory(tmp_path):
    """A group in which a process gets 48 MiB, and is killed by the kernel for more."""
    group = pathlib.Path(f"/sys/fs/cgroup/memory/muxbench-test-{os.getpid()}")
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"environment: no group of cgroup v1's memory controller can be made: {error}")
    try:
        (group / "memory.limit_in_bytes").write_text(str(48 << 20))
        yield group / "cgroup.procs"
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "the group has processes left")
        group.rmdir()


def test_where_memory_runs_out_the_cause_is_named(bench, little_memory):
    bench.server("good", "hungry")
    result = bench.run("--duration", "30ms", "--no-counting", "--server-memory", "0",
                       env={**os.environ, "HUNGRY_GROUP": str(little_memory)})
    assert result.returncode == 1
    assert {cell["status"] for cell in bench.cells_of("good")} == {"measured"}
    for cell in bench.cells_of("hungry"):
        assert cell["status"] == "failed"
        assert re.fullmatch(r"the server was killed by SIGKILL while it was under load, and the kernel had killed a process because "
                            r"memory ran out \(it had used \d+\.\d MiB\)", cell["reason"]), cell["reason"]


def test_a_killed_load_generator_fails_its_trial_alone(bench):
    """The second of those with one connection. The twin, whose trials are no cell's, has four."""
    bench.server("good")
    fake, count = bench.loadgen, bench.folder / "count"
    bench.loadgen = bench.folder / "mortal"
    bench.loadgen.write_text("#!/bin/sh\n"
                             f'case " $* " in *" --connections 1 "*) echo >>{count}\n'
                             f'  [ "$(wc -l <{count})" -ne 2 ] || kill -KILL $$;; esac\n'
                             f'exec {fake} "$@"\n')
    bench.loadgen.chmod(0o755)
    result = bench.run("--duration", "30ms", "--no-counting")
    assert result.returncode == 1
    trials = bench.report()["muxbench"]["trials"]
    failed, = (trial for trial in trials if trial["status"] == "failed")
    assert failed["error"] == "the load generator was killed by SIGKILL without a result"
    assert len(trials) == 4 and {cell["status"] for cell in bench.cells_of("good")} == {"measured"}


def test_a_child_that_the_driver_was_given_is_not_the_servers(bench, place):
    """A shell that becomes the driver by exec leaves it its own children."""
    bench.server("good")
    command = bench.command("--repetitions", "1", "--duration", "30ms", "--no-counting")
    script = 'sleep 100 >/dev/null 2>&1 & echo $! >"$0" && exec "$@"'
    pid_file = bench.folder / "pid"
    result = subprocess.run([*place, "sh", "-c", script, str(pid_file), *command], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, timeout=180, cwd=bench.folder)
    given = int(pid_file.read_text())
    try:
        assert result.returncode == 0, result.stderr
        assert pathlib.Path(f"/proc/{given}/cmdline").read_bytes() == b"sleep\x00100\x00"  # one that has ended has none
    finally:
        os.kill(given, signal.SIGKILL)
    assert all(cell["status"] == "measured" and not any(f["kind"] == "unclean_stop" for f in cell["flags"])
               for cell in bench.cells_of("good"))


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
    assert "did not end within 10 s" in why["endless_description/small/connections:1"]
