"""tests/soak.sh passes servers that keep what they have, and names those that leak, lie or die."""
import os
import pathlib
import signal
import subprocess

import pytest

from support import models, processes
from support.patience import PATIENCE, RUN_PATIENCE, wait_until

import soak as soak_run

SOAK = models.REPOSITORY / "tests" / "soak.sh"
FAKE = pathlib.Path(__file__).with_name("fake_server.py")
SHORT = "0.01"  # minutes; it ends after the least number of rounds that it can judge


@pytest.fixture
def build(tmp_path):
    """build(name, ...): a build folder with these servers: ours, or else fakes."""
    def make(*names):
        for folder in ("servers", "loadgen"):
            (tmp_path / folder).mkdir()
        (tmp_path / "loadgen" / "loadgen").symlink_to(models.BUILD / "loadgen" / "loadgen")
        for name in names:
            program = models.BUILD / "servers" / f"server_{name}"
            (tmp_path / "servers" / f"server_{name}").symlink_to(program if program.exists() else FAKE)
        return tmp_path
    return make


def start(build, *arguments):
    return subprocess.Popen(["bash", SOAK, *arguments], env={**os.environ, "MUXBENCH_BUILD": str(build)},
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def soak(build, *arguments):
    """(status, output, errors, {(model, protocol): the columns after these})"""
    process = start(build, *arguments)
    out, err = process.communicate(timeout=RUN_PATIENCE)
    rows = [line.split() for line in out.splitlines()[1:-1]]
    return process.returncode, out, err, {tuple(row[:2]): row[2:] for row in rows}


@pytest.mark.full
def test_servers_that_keep_what_they_have_pass(build):
    status, out, err, rows = soak(build("epoll_level", "fork_per_connection"), SHORT)
    assert status == 0, out + err
    assert set(rows) == {(model, protocol) for model in ("epoll_level", "fork_per_connection") for protocol in ("echo", "http")}
    for requests, _, errors, *_, verdict in rows.values():
        assert int(requests.replace(",", "")) > 6_000 and errors == "0" and verdict == "ok", out
    assert out.splitlines()[-1].startswith("6 rounds, ") and out.splitlines()[-1].endswith(" 0 errors: no faults")


FAULTS = {
    "leaks_descriptors": "descriptors grow",
    "leaks_memory": "memory grows",
    "leaks_64_bytes": "memory grows",
    "dies_after_a_while": "the server ended",
    "bad_exit": "expected exit status 0, seen 7",
}


# With an allocator that maps each allocation by itself a fake in Python takes minutes.
@pytest.mark.full
def test_faulty_servers_are_named_and_their_wrong_answers_counted(build):
    names = list(FAULTS)
    status, out, err, rows = soak(build(*names, "wrong_bytes", "epoll_level"), SHORT)
    assert status == 1, out + err
    for name in names:
        bad = next(line for line in out.splitlines() if line.startswith(f"{name} "))
        assert FAULTS[name] in bad, out
    assert int(rows["wrong_bytes", "echo"][2]) > 100, out
    assert rows["epoll_level", "echo"][-1] == "ok" and rows["epoll_level", "http"][-1] == "ok", out
    assert out.splitlines()[-1].endswith(f": {len(names) + 1} servers with faults")


class Alive:
    def is_alive(self):
        return True


LATER = 1000  # connections of each turn


@pytest.mark.parametrize("columns, faults", [
    ({}, []),
    ({"memory": [4096 * turn * LATER for turn in range(6)]}, ["memory grows"]),  # a page for each connection
    ({"memory": [4096 * turn * LATER // 128 for turn in range(6)]}, ["memory grows"]),
    ({"memory": [4096 * turn * LATER // 512 for turn in range(6)]}, []),
    ({"memory": [8 << 20, 4 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20]}, []),  # before the later half it may move
    ({"descriptors": [8, 8, 8, 8, 9, 10]}, ["descriptors grow"]),
    ({"processes": [1, 1, 1, 1, 2, 2]}, ["processes grow"]),
    ({"memory": [0, 4096 * LATER]}, []),  # too few turns to say
])
def test_what_grows_with_the_connections_is_a_fault(columns, faults):
    turns = 6
    same = {"memory": [1 << 20] * turns, "descriptors": [8] * turns, "processes": [1] * turns}
    one = soak_run.Soaked(Alive(), "echo", connected=[LATER * (turn + 1) for turn in range(turns)], threads=[1] * turns, **(same | columns))
    one.judge()
    assert one.faults == faults


def descendants(pid):
    found = processes.children(pid)
    return found + [each for child in found for each in descendants(child)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_all_that_was_started(build, number):
    process = start(build("epoll_multiprocess", "thread_per_connection"), "30")
    try:
        wait_until(lambda: process.stderr.readline().startswith("soak: round 1,"), "no round ends")
        started = wait_until(lambda: descendants(process.pid), "no server runs")
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 128 + number, err
    assert "interrupted" in out and "epoll_multiprocess" in out
    left = [pid for pid in started if processes.state(pid) not in (None, "X", "Z")]
    assert not left


@pytest.mark.parametrize("arguments, said", [
    (["0"], "MINUTES is a number above 0"),
    (["soon"], "invalid float value"),
    (["--models", "none_such"], "there is no available concurrent model \"none_such\"; there are good"),
])
def test_a_wrong_command_line_is_refused(build, arguments, said):
    status, _, err, _ = soak(build("good"), *arguments)
    assert status == 2 and said in err
