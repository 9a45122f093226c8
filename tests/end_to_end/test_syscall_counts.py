"""System calls are counted exactly: what muxbench counts is what the server itself counted.

A known client talks to a server of each kind of process tree, and the sums of the kernel's counts must be those of the
server's own counters (--counters) to the last call.
"""
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from driver_bench import BUILD, MUXBENCH

CONNECTIONS = 10
REQUESTS = 40
MESSAGE = b"x" * 64

# model: (calls that read, calls that write, calls that accept, calls that wait)
MODELS = {
    "blocking_iterative": ("recvfrom", "sendto", "accept4", None),
    "fork_per_connection": ("recvfrom", "sendto", "accept4", None),
    "thread_per_connection": ("recvfrom", "sendto", "accept4", None),
    "prefork": ("recvfrom", "sendto", "accept4", None),
    "poll": ("recvfrom", "sendto", "accept4", "poll"),
    "epoll_level": ("recvfrom", "sendto", "accept4", "epoll_wait"),
    "uring_completion": ("recv", "send", "accept", None),
}
OPTIONS = {"prefork": ("--workers", "4")}


def rungs():
    """The ways of counting that work on this machine, by what doctor says of their self-tests."""
    said = subprocess.run([MUXBENCH, "doctor"], capture_output=True, text=True, timeout=60).stdout
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
            [MUXBENCH, "count", "--rung", rung, "--out", self.counts_file, "--",
             BUILD / "servers" / f"server_{model}", "--counters", self.counters_file, *OPTIONS.get(model, ())],
            stdout=subprocess.PIPE, text=True)
        host, port = json.loads(self.process.stdout.readline())["address"].rsplit(":", 1)
        self.address = (host, int(port))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=20) == 0
        return json.loads(self.counts_file.read_text()), json.loads(self.counters_file.read_text())


def exchange(address):
    """One connection: REQUESTS echoes one after the other, then the client ends and waits for the server's end."""
    with socket.create_connection(address, timeout=20) as connection:
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
    result = subprocess.run([MUXBENCH, "count", "--rung", rung, "--out", out, "--", "/usr/bin/python3", "-c", SLEEPER],
                            capture_output=True, text=True, timeout=60)
    own = dict(zip(("voluntary", "involuntary"), map(int, result.stdout.split())))
    counted = json.loads(out.read_text())["context_switches"]
    # The first switches were before the exec.
    assert own["voluntary"] >= 300
    assert abs(counted["voluntary"] - own["voluntary"]) <= 3, (counted, own)
    assert abs(counted["involuntary"] - own["involuntary"]) <= 20, (counted, own)


@pytest.mark.parametrize("rung", ["bpf", "perf", "inherit"])
@pytest.mark.parametrize("name", MODELS)
def test_counts_are_the_servers_own(tmp_path, name, rung):
    need(rung)
    if not (BUILD / "servers" / f"server_{name}").exists():
        pytest.skip(f"environment: server_{name} is not built")
    server = Counted(tmp_path, rung, name)
    for _ in range(CONNECTIONS):
        exchange(server.address)
    counts, own = server.stop()
    reads, writes, accepts, waits = MODELS[name]
    requests = own["requests"]
    assert requests == CONNECTIONS * REQUESTS and own["accepted"] == CONNECTIONS, own

    if name == "uring_completion":
        if rung != "bpf":
            assert "uring_operations" not in counts  # unknown there, and so absent
            return
        operations = counts["uring_operations"]
        assert operations[writes] == requests, operations
        assert operations[reads] == requests + CONNECTIONS, operations  # the last read of each finds the end
        # Multishot or not: at least one accept, at most one for each connection and one left over.
        assert 1 <= operations[accepts] <= CONNECTIONS + 1, operations
        # Sends that succeed may be without a completion (IOSQE_CQE_SKIP_SUCCESS).
        assert requests + 2 * CONNECTIONS <= counts["uring_completions"] <= 2 * requests + 4 * CONNECTIONS + 10
        assert calls(counts, "recvfrom") == calls(counts, "sendto") == 0
        assert 0 < calls(counts, "io_uring_enter") <= counts["uring_completions"] + 10
        return

    # Each request is one answer: exactly as many writes. Reads: one a request, and one that finds the end.
    assert calls(counts, writes) == requests, counts["syscalls"]
    empty = counts["syscalls"][reads].get("eagain", 0)
    assert calls(counts, reads) - empty == requests + CONNECTIONS, counts["syscalls"]
    # Accepts that brought nothing say EAGAIN; the last ones of blocking servers are ended by the stop.
    refused = counts["syscalls"][accepts].get("eagain", 0)
    assert 0 <= calls(counts, accepts) - refused - CONNECTIONS <= 64, counts["syscalls"]
    if rung == "bpf":
        got = counts["syscalls"][reads]["result_sum"]
        sent = counts["syscalls"][writes]["result_sum"]
        assert got == sent == requests * len(MESSAGE)
        failed = counts["syscalls"][accepts]["errors"]
        assert calls(counts, accepts) - refused - failed == CONNECTIONS, counts["syscalls"]
        assert "uring_operations" in counts and counts["uring_operations"] == {}
    if waits:
        # With one client at a time each wait tells of one event: a request, an end, or a new connection.
        waited = counts["syscalls"][waits]
        assert requests + 2 * CONNECTIONS <= waited["calls"] <= requests + 2 * CONNECTIONS + 5, waited
        if rung == "bpf":
            assert requests + 2 * CONNECTIONS <= waited["result_sum"] <= requests + 2 * CONNECTIONS + 5, waited


def test_children_that_ended_are_counted(tmp_path):
    """Forty shells that are gone when the counts are read: each has made its calls."""
    need("bpf")
    script = "for i in $(seq 40); do /bin/true & done; wait"
    out = tmp_path / "counts.json"
    result = subprocess.run([MUXBENCH, "count", "--out", out, "--", "/bin/sh", "-c", script], timeout=60)
    assert result.returncode == 0
    counts = json.loads(out.read_text())
    assert calls(counts, "execve") == 1 + 1 + 40  # the shell, seq, and the forty


def test_count_gives_the_status_and_stderr(tmp_path):
    need("bpf")
    result = subprocess.run([MUXBENCH, "count", "--", "/bin/sh", "-c", "exit 7"], capture_output=True, text=True,
                            timeout=60)
    assert result.returncode == 7
    assert json.loads(result.stderr)["total_calls"] > 5
    missing = subprocess.run([MUXBENCH, "count", "--", "/nowhere/program"], capture_output=True, text=True, timeout=60)
    assert missing.returncode == 2 and "cannot start /nowhere/program" in missing.stderr


def test_without_privilege_it_says_so_and_counts_nothing():
    """An ordinary user gets a sentence and a status, never a zero."""
    if os.geteuid() != 0:
        pytest.skip("environment: only root can become an ordinary user")
    result = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", MUXBENCH, "count", "--",
                             "/bin/true"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 3, result.stderr
    assert "system calls cannot be counted here" in result.stderr and "run as root" in result.stderr
    assert "total_calls" not in result.stderr
