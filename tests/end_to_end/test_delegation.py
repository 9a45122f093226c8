"""CPU time for an ordinary user: from a cgroup that was delegated to him, and else from process clocks, with the reason."""
import os
import pathlib

import pytest

from ordinary_user import BECOME_NOBODY, NOBODY, bench_of_nobody
from support.patience import wait_until

# What cgroups(7) gives to a user with a subtree (cgroup v2, delegation).
DELEGATED = (".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads")


def unified_hierarchy():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, after = line.partition(" - ")
        if after.split()[0] == "cgroup2":
            return pathlib.Path(mount.split()[4])
    pytest.skip("environment: no cgroup v2 is mounted")


@pytest.fixture
def bench():
    with bench_of_nobody() as bench:
        bench.server("good")
        yield bench


@pytest.fixture
def subtree(bench):
    folder = unified_hierarchy() / f"delegated-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"environment: no cgroup can be made: {error}")
    yield folder
    wait_until(lambda: not any(path.is_dir() for path in folder.iterdir()) and not (folder / "cgroup.procs").read_text(),
               "the driver left a cgroup, or a process in it")
    folder.rmdir()


def run_inside(bench, subtree, network):
    join = ("/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(subtree / "cgroup.procs"))
    result = bench.run("--repetitions", "2", "--network", network, prefix=(*join, *BECOME_NOBODY))
    assert result.returncode == 0, result.stderr
    ours = bench.report()["muxbench"]
    assert len(ours["trials"]) == 4
    # A server that other work kept from its CPU all through so short a window has used none that could be told.
    times = [trial["server"]["cpu"] for trial in ours["trials"] if "cpu" in trial["server"]]
    assert times
    return times, " ".join(ours["run"]["notes"])


@pytest.mark.parametrize("network", ["host", "private"])
def test_a_delegated_subtree_tells_cpu_time(bench, subtree, network):
    for name in DELEGATED:
        os.chown(subtree / name, NOBODY, NOBODY)
    times, notes = run_inside(bench, subtree, network)
    for cpu in times:
        assert cpu["source"] == "cgroup v2 cpu.stat"
        assert 0 < cpu["user_ns"] + cpu["system_ns"] <= cpu["total_ns"] * 1.01 + 2000  # each is rounded to a microsecond
    assert "CPU time is read from process clocks" not in notes


def test_a_subtree_that_takes_no_process_leaves_process_clocks(bench, subtree):
    os.chown(subtree, NOBODY, NOBODY)  # groups can be made in it, and nobody be moved there
    times, notes = run_inside(bench, subtree, "host")
    for cpu in times:
        assert cpu["source"] == "process clocks and /proc/PID/stat"
        assert cpu["total_ns"] > 0 and "user_ns" not in cpu and "system_ns" not in cpu
    assert "CPU time is read from process clocks" in notes
    assert f"no process can be moved into {subtree}/muxbench-" in notes and "Permission denied" in notes
