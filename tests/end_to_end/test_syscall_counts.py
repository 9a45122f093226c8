"""System calls are counted exactly: what muxbench counts is what the server itself counted.

A known client talks to a server of each kind of process tree, and the sums of the kernel's counts must be those of the
server's own counters (--counters) to the last call.
"""
import json
import os
import signal
import socket
import subprocess

import pytest

from driver_bench import BUILD, MUXBENCH
from support.patience import PATIENCE

CONNECTIONS = 10
REQUESTS = 40
MESSAGE = b"x" * 64

# model: (calls or ring operations that read, that write, that accept; calls that wait, one in each round of its loop)
MODELS = {
    "blocking_iterative": ("recvfrom", "sendto", "accept4", None),
    "fork_per_connection": ("recvfrom", "sendto", "accept4", None),
    "thread_per_connection": ("recvfrom", "sendto", "accept4", None),
    "prefork": ("recvfrom", "sendto", "accept4", None),
    "poll": ("recvfrom", "sendto", "accept4", "poll"),
    "epoll_level": ("recvfrom", "sendto", "accept4", "epoll_wait"),
    "epoll_multiprocess": ("recvfrom", "sendto", "accept4", "epoll_wait"),
    "uring_completion": ("recv", "send", "accept", "io_uring_enter"),
    "uring_sqpoll": ("recv", "send", "accept", None),
}
RINGS = ("uring_completion", "uring_sqpoll")
WORKERS = 4
OPTIONS = {name: ("--workers", str(WORKERS)) for name in ("prefork", "epoll_multiprocess")}


def rungs():
    """The ways of counting that work on this machine, by what doctor says of their self-tests."""
    said = subprocess.run([MUXBENCH, "doctor"], capture_output=True, text=True, timeout=PATIENCE).stdout
    return {name: f"counting by {name}" in said and
            any(f"counting by {name}" in line and line.startswith("ok") for line in said.splitlines())
            for name in ("bpf", "perf", "inherit")}


RUNGS = rungs() if MUXBENCH.exists() else {}


def need(rung):
    if not RUNGS.get(rung):
        pytest.skip(f"environment: {rung} cannot count here; muxbench doctor says why")


class Counted:
    """A server under `muxbench count`, stopped with its counts read at the end."""

    def __init__(self, folder, rung, model):
        self.counts_file = folder / "counts.json"
        self.counters_file = folder / "counters.json"
        self.process = subprocess.Popen(
            [MUXBENCH, "count", "--backend", rung, "--out", self.counts_file, "--",
             BUILD / "servers" / f"server_{model}", "--counters", self.counters_file, *OPTIONS.get(model, ())],
            stdout=subprocess.PIPE, text=True)
        host, port = json.loads(self.process.stdout.readline())["address"].rsplit(":", 1)
        self.address = (host, int(port))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=PATIENCE) == 0
        return json.loads(self.counts_file.read_text()), json.loads(self.counters_file.read_text())


def exchange(address):
    """One connection: REQUESTS echoes one after the other, then the client ends and waits for the server's end."""
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(REQUESTS):
            connection.sendall(MESSAGE)
            got = b""
            while len(got) < len(MESSAGE):
                got += connection.recv(len(MESSAGE) - len(got))
            assert got == MESSAGE
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def calls(counts, name):
    return counts["syscalls"].get(name, {"calls": 0})["calls"]


# It ends as soon as it has read its own counts: whoever takes the CPU from it after that is in one count only.
SLEEPER = """
import os, time
for i in range(300):
    time.sleep(0.001)
print(*[line.split()[1] for line in open("/proc/self/status") if "ctxt_switches" in line], flush=True)
os._exit(0)
"""


@pytest.mark.parametrize("rung", ["bpf", "perf", "inherit"])
def test_context_switches_are_the_kernels_own(tmp_path, rung):
    need(rung)
    out = tmp_path / "counts.json"
    result = subprocess.run([MUXBENCH, "count", "--backend", rung, "--out", out, "--", "/usr/bin/python3", "-c", SLEEPER],
                            capture_output=True, text=True, timeout=PATIENCE)
    own = dict(zip(("voluntary", "involuntary"), map(int, result.stdout.split())))
    counted = json.loads(out.read_text())["context_switches"]
    # The first switches were before the exec.
    assert own["voluntary"] >= 300
    assert abs(counted["voluntary"] - own["voluntary"]) <= 3, (counted, own)
    assert abs(counted["involuntary"] - own["involuntary"]) <= 20, (counted, own)


def counted(folder, rung, name, connections):
    """What the kernel counted and what the server did, from its start to its end, with so many connections."""
    need(rung)
    if not (BUILD / "servers" / f"server_{name}").exists():
        pytest.skip(f"environment: server_{name} is not built")
    server = Counted(folder, rung, name)
    for _ in range(connections):
        exchange(server.address)
    return server.stop()


@pytest.mark.parametrize("rung", ["bpf", "perf", "inherit"])
@pytest.mark.parametrize("name", [name for name in MODELS if name not in RINGS])
def test_counts_are_the_servers_own(tmp_path, name, rung):
    counts, own = counted(tmp_path, rung, name, CONNECTIONS)
    reads, writes, accepts, waits = MODELS[name]
    by_name = counts["syscalls"]
    requests = own["requests"]
    assert requests == CONNECTIONS * REQUESTS and own["accepted"] == CONNECTIONS, own

    # Each request is one answer: exactly as many writes. Reads: one a request, and one that finds the end.
    assert calls(counts, writes) == requests, by_name
    assert calls(counts, reads) - by_name[reads]["eagain"] == requests + CONNECTIONS, by_name
    # Accepts that find no connection say EAGAIN; signals and the stop end others.
    failed = by_name[accepts]["eagain"] + by_name[accepts]["errors"]
    assert calls(counts, accepts) - failed == own["accepted"], by_name
    if waits:
        assert calls(counts, waits) == own["rounds"], (by_name, own)
    if rung == "bpf":
        got, sent = by_name[reads]["result_sum"], by_name[writes]["result_sum"]
        assert got == sent == requests * len(MESSAGE)
        assert counts["uring_operations"] == {}
    if rung == "bpf" and waits:
        # With one client at a time a wait tells of one event: a request, an end, and, perhaps to every worker, a connection and the stop.
        workers = WORKERS if name in OPTIONS else 1
        events = by_name[waits]["result_sum"]
        assert requests + 2 * CONNECTIONS <= events <= requests + CONNECTIONS * (1 + workers) + workers, (by_name, own)


@pytest.mark.parametrize("rung", ["bpf", "perf", "inherit"])
@pytest.mark.parametrize("name", RINGS)
def test_ring_counts_are_the_servers_own(tmp_path, name, rung):
    """Beyond what a server without clients does, which tries out its ring, and accepts once more than it has clients."""
    if rung != "bpf" and MODELS[name][3] is None:
        pytest.skip(f"declared: {name} makes no call that {rung} could count")
    idle, idle_own = counted(tmp_path, rung, name, 0)
    counts, own = counted(tmp_path, rung, name, CONNECTIONS)
    reads, writes, accepts, waits = MODELS[name]
    requests = own["requests"]
    assert requests == CONNECTIONS * REQUESTS and own["accepted"] == CONNECTIONS, own

    assert calls(counts, "recvfrom") == calls(counts, "sendto") == calls(counts, "accept4") == 0
    if waits:
        entered = calls(counts, waits) - calls(idle, waits)
        assert entered == own["rounds"] - idle_own["rounds"], (counts, own, idle, idle_own)
    else:  # a submission thread that fell asleep is woken by a call beside those that wait
        assert own["rounds"] <= calls(counts, "io_uring_enter"), (counts, own)
    if rung != "bpf":
        assert "uring_operations" not in counts  # unknown there, and so absent
        return
    beyond = {operation: many - idle["uring_operations"].get(operation, 0)
              for operation, many in counts["uring_operations"].items()}
    assert beyond.pop(writes) == requests, counts
    assert beyond.pop(reads) == requests + CONNECTIONS, counts  # the last read of each finds the end
    assert beyond.pop(accepts) == own["accepted"], counts
    assert not any(beyond.values()), counts


def test_children_that_ended_are_counted(tmp_path):
    """Forty shells that are gone when the counts are read: each has made its calls."""
    need("bpf")
    script = "for i in $(seq 40); do /bin/true & done; wait"
    out = tmp_path / "counts.json"
    result = subprocess.run([MUXBENCH, "count", "--out", out, "--", "/bin/sh", "-c", script], timeout=PATIENCE)
    assert result.returncode == 0
    counts = json.loads(out.read_text())
    assert calls(counts, "execve") == 1 + 1 + 40  # the shell, seq, and the forty


def test_count_gives_the_status_and_stderr(tmp_path):
    need("bpf")
    result = subprocess.run([MUXBENCH, "count", "--", "/bin/sh", "-c", "exit 7"], capture_output=True, text=True,
                            timeout=PATIENCE)
    assert result.returncode == 7
    assert json.loads(result.stderr)["total_calls"] > 5
    missing = subprocess.run([MUXBENCH, "count", "--", "/nowhere/program"], capture_output=True, text=True, timeout=PATIENCE)
    assert missing.returncode == 2 and "cannot start /nowhere/program" in missing.stderr


def test_without_privilege_it_says_so_and_counts_nothing():
    """An ordinary user gets a sentence and a status, never a zero."""
    if os.geteuid() != 0:
        pytest.skip("environment: only root can become an ordinary user")
    result = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", MUXBENCH, "count", "--",
                             "/bin/true"], capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 3, result.stderr
    assert "system calls cannot be counted here" in result.stderr and "run as root" in result.stderr
    assert "total_calls" not in result.stderr
