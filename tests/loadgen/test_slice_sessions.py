"""Sessions of slices: short loads on the same connections, commanded line by line (--phases)."""

import contextlib
import json
import os
import signal
import subprocess
import time

import pytest

from loadgen.liars import CLOSE, SILENCE, ClosingHttpLiar, Greeter, HttpLiar, Liar, response
from loadgen.program import run, start, under_thread_sanitizer
from support.patience import PATIENCE, wait_until

MS = 1_000_000


def echo():
    return Liar(lambda _, message: message)


class Session:
    """A load generator that has opened its connections and obeys."""

    def __init__(self, server, *options):
        self.process = start("--target", server.target, *options, "--phases", "--json", "-", stdin=subprocess.PIPE)
        assert self.read() == {"phase": "connected"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def read(self):
        return json.loads(self.process.stdout.readline())

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def slice(self, duration_ns=20 * MS, rate="", warmup_ns=5 * MS):
        self.say(f"slice {warmup_ns} {duration_ns} {rate}")
        return self.read()["slice"]

    def result(self, status=0):
        """Of the whole session, which the end of the input closes."""
        assert self.read() == {"phase": "drained"}
        self.process.stdin.close()
        result = json.loads(self.process.stdout.readline())
        assert self.process.wait(PATIENCE) == status
        return result

    def end(self, status=0):
        self.say("end")
        return self.result(status)

    def switches(self):
        """How often each of its threads has given up its CPU, which a sleeper does when it is woken."""
        folder = f"/proc/{self.process.pid}/task"
        counts = {}
        for thread in os.listdir(folder):
            with open(f"{folder}/{thread}/status") as status:
                fields = dict(line.split(":", 1) for line in status)
            counts[thread] = int(fields["voluntary_ctxt_switches"]), fields["State"].strip()[0]
        return counts

    def await_sleep(self):
        def sleeps():
            before = self.switches()
            time.sleep(1)
            return all(state == "S" for _, state in before.values()) and self.switches() == before

        wait_until(sleeps, "it wakes up although it has nothing to do")


def total(slices, key):
    return sum(part[key] for part in slices)


def buckets_of(slices):
    merged = {}
    for part in slices:
        for floor, count in part["latency_ns"]["buckets"]:
            merged[floor] = merged.get(floor, 0) + count
    return sorted(map(list, merged.items()))


SHAPES = {
    "closed": (echo, ["--connections", 4]),
    "two threads": (echo, ["--connections", 5, "--threads", 2]),
    "idle": (echo, ["--connections", 2, "--idle", 20]),
    "pipeline": (echo, ["--connections", 2, "--pipeline", 8]),
    "busy": (echo, ["--connections", 2, "--busy-poll"]),
    "churn": (echo, ["--connections", 3, "--churn"]),
    "churn, the server closes": (echo, ["--connections", 3, "--churn", "--closer", "server"]),
    "greet": (Greeter, ["--connections", 3, "--protocol", "greet"]),
    "http": (lambda: HttpLiar(lambda *_: response()), ["--connections", 3, "--protocol", "http"]),
    "http churn": (lambda: ClosingHttpLiar(lambda *_: response()), ["--connections", 3, "--protocol", "http", "--churn"]),
    "open": (echo, ["--connections", 4, "--rate", 500]),
    "open, two threads": (echo, ["--connections", 4, "--rate", 500, "--arrival", "poisson", "--threads", 2]),
    "open pipeline": (echo, ["--connections", 2, "--rate", 500, "--pipeline", 4]),
    "open churn": (echo, ["--connections", 4, "--rate", 500, "--churn"]),
    "open greet": (Greeter, ["--connections", 4, "--rate", 500, "--protocol", "greet"]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_result_is_the_sum_of_the_slices(shape):
    make_server, options = SHAPES[shape]
    with make_server() as server, Session(server, *options) as session:
        asked_before = server.messages  # An http client learns the body first.
        slices = [session.slice() for _ in range(5)]
        answered = server.messages - asked_before
        result = session.end()
    for part in slices:
        latency = part["latency_ns"]
        assert part["status"] == "ok" and part["errors"] == part["failed_requests"] == 0
        assert part["elapsed_ns"] >= 20 * MS and part["drain_ns"] >= 0 and part["cpu_ns"] > 0
        assert latency["count"] == sum(count for _, count in latency["buckets"])
        assert latency["count"] == 0 or 0 < latency["min"] <= latency["sum"] / latency["count"] <= latency["max"]
        assert ("schedule_lag_ns" in part) == ("--rate" in options)
        assert max(part["requests"], latency["count"]) <= part["requests_in_run"]
        if "--rate" not in options:
            assert latency["count"] == part["requests"]
        if "--threads" not in options:
            assert part["requests_per_second"] == pytest.approx(part["requests"] * 1e9 / part["elapsed_ns"])
    assert total(slices, "requests_in_run") == answered == result["requests_in_run"]
    assert sum(part["latency_ns"]["count"] for part in slices) == result["requests"] == result["latency_ns"]["count"]
    assert total(slices, "elapsed_ns") == result["achieved"]["duration_ns"]
    assert result["achieved"]["requests_per_second"] == pytest.approx(
        total(slices, "requests") * 1e9 / total(slices, "elapsed_ns"))
    assert buckets_of(slices) == result["latency_ns"]["histogram"]["buckets"]
    assert result["status"] == "ok" and result["series"]["requests"] == []


def test_nothing_is_open_between_the_slices_of_churn():
    with echo() as server, Session(server, "--connections", 3, "--churn") as session:
        for _ in range(3):
            session.slice()
            wait_until(lambda: not server._open, lambda: f"{len(server._open)} connections are open")
        result = session.end()
    assert server.connections == server.messages == result["connect_ns"]["count"]


def test_each_slice_has_a_rate_of_its_own():
    with echo() as server, Session(server, "--connections", 8, "--rate", 100) as session:
        for rate in (500, 2000, "", 500):
            part = session.slice(50 * MS, rate)
            due = (rate or 100) * 0.05
            assert part["status"] == "ok"
            assert abs(part["latency_ns"]["count"] - due) <= 1
            assert part["requests_in_run"] >= part["latency_ns"]["count"]
        session.end()


def test_connections_live_through_all_slices():
    with echo() as server, Session(server, "--connections", 4, "--idle", 3) as session:
        for _ in range(4):
            session.slice()
        result = session.end()
        assert server.await_connections(7) == 7
    assert result["connect_ns"]["count"] == 7


def test_a_server_that_closes_in_slices_is_told_on_exactly_and_the_session_goes_on():
    lying = True
    with Liar(lambda n, message: CLOSE if lying and n == 3 else message) as server:
        with Session(server, "--connections", 3) as session:
            slices = []
            while server.lies < 7:
                slices.append(session.slice())
            lying = False
            healthy = session.slice()
            again = session.slice()
            result = session.end(status=1)
    assert healthy["errors"] == again["errors"] == 0 and again["status"] == "ok" and again["requests_in_run"] > 0
    assert all((part["status"] == "failed") == (part["errors"] > 0) for part in slices)
    assert total(slices, "errors") == result["errors"]["total"] == server.lies


def close_all(server):
    server_ends = list(server._open)
    for connection in server_ends:
        connection.shutdown(2)
    wait_until(lambda: not server._open, "the connections do not end")
    return len(server_ends)


def test_connections_that_are_closed_between_slices_are_errors_of_the_next():
    with echo() as server, Session(server, "--connections", 5) as session:
        assert session.slice()["status"] == "ok"
        assert close_all(server) == 5
        struck, healthy = session.slice(), session.slice()
        result = session.end(status=1)
        assert server.await_connections(10) == 10, "each was opened again"
    assert (struck["status"], struck["errors"]) == ("failed", 5)
    assert struck["requests_in_run"] > 0
    assert (healthy["status"], healthy["errors"]) == ("ok", 0)
    assert result["errors"]["total"] == 5 and result["status"] == "failed"


def test_a_server_that_dies_between_slices_fails_the_next_ones():
    with echo() as server, Session(server, "--connections", 2) as session:
        assert session.slice()["status"] == "ok"
        server.stop_listening()
        assert close_all(server) == 2
        slices = [session.slice() for _ in range(3)]
        result = session.end(status=1)
    assert all(part["status"] == "failed" and part["requests_in_run"] == 0 for part in slices)
    assert slices[0]["errors"] >= 2 + 2, "closed, then refused"
    assert total(slices, "errors") == result["errors"]["total"]
    assert set(result["errors"]["by_kind"]) <= {"closed", "reset", "refused"}


def test_an_answer_that_never_comes_is_a_timeout_and_ends_its_slice():
    lying = True
    with Liar(lambda n, message: SILENCE if lying and n == 3 else message) as server:
        with Session(server, "--connections", 1, "--timeout", "300ms") as session:
            slices = [session.slice()]
            while server.lies == 0:
                slices.append(session.slice())
            lying = False
            healthy = session.slice()
            result = session.end(status=1)
    assert slices[-1]["status"] == "failed" and slices[-1]["errors"] == 1
    assert healthy["status"] == "ok"
    assert {kind: entry["count"] for kind, entry in result["errors"]["by_kind"].items()} == {"timeout": 1}


@pytest.mark.parametrize("options, first, line, sentence", [
    ([], None, "hello", "send go, slice"),
    ([], None, "", "send go, slice"),
    ([], None, "go on", "send go, slice"),
    ([], None, "slice", "WARMUP_NS DURATION_NS"),
    ([], None, "slice 5", "WARMUP_NS DURATION_NS"),
    ([], None, "slice 5 0", "WARMUP_NS DURATION_NS"),
    ([], None, "slice -5 5", "WARMUP_NS DURATION_NS"),
    ([], None, "slice 1ms 5ms", "WARMUP_NS DURATION_NS"),
    ([], None, "slice 1 99999999999999", "at most an hour"),
    ([], None, "slice 1 5 1000", "add --rate"),
    (["--rate", 10], None, "slice 1 5 0", "WARMUP_NS DURATION_NS"),
    ([], "slice 0 1000", "go", "comes after a slice"),
    (["--requests", 10], None, "slice 1 5", "leave out --requests"),
    ([], None, "x" * 100_000, "send go, slice"),
])
def test_what_is_no_command_is_refused_in_a_sentence(options, first, line, sentence):
    with echo() as server, Session(server, "--connections", 1, *options) as session:
        if first:
            session.say(first)
            assert session.read()["slice"]
        out, err = session.process.communicate(line + "\n", timeout=PATIENCE)
    assert (session.process.returncode, out) == (2, "")
    assert err.startswith("loadgen: ") and err.count("\n") == 1 and sentence in err
    assert len(err) < 1000


def test_the_end_of_the_input_ends_a_session():
    with echo() as server, Session(server, "--connections", 2) as session:
        part = session.slice()
        session.process.stdin.close()
        result = session.result()
    assert result["requests_in_run"] == part["requests_in_run"] == server.messages


def test_commands_may_come_all_at_once():
    with echo() as server:
        status, out, err = run("--target", server.target, "--connections", 2, "--phases", "--json", "-",
                               stdin=subprocess.PIPE, input="slice 0 1000000\nslice 0 1000000\r\nend\n")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert [next(iter(line)) for line in lines] == ["phase", "slice", "slice", "phase", "status"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_between_slices_ends_the_session(number):
    with echo() as server, Session(server, "--connections", 2) as session:
        parts = [session.slice(), session.slice()]
        session.process.send_signal(number)
        result = session.result(status=130)
    assert result["status"] == "interrupted" and result["errors"]["total"] == 0
    assert result["requests"] == total(parts, "requests")


@pytest.mark.parametrize("options", [[], ["--rate", 200], ["--churn"]])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_a_slice_ends_it_and_the_session(number, options):
    with echo() as server, Session(server, "--connections", 2, *options) as session:
        whole = session.slice()
        session.say(f"slice 0 {3600 * 1000 * MS}")
        answered = server.messages
        wait_until(lambda: server.messages > answered + 10, "the load does not go on")
        session.process.send_signal(number)
        cut = session.read()["slice"]
        result = session.result(status=130)
    assert cut["status"] == "interrupted" and 0 < cut["elapsed_ns"] < 3600 * 1000 * MS
    assert result["status"] == "interrupted" and result["errors"]["total"] == 0
    assert result["requests"] == whole["latency_ns"]["count"] + cut["latency_ns"]["count"]


@pytest.mark.skipif(under_thread_sanitizer(), reason="ThreadSanitizer has a thread of its own that wakes up")
@pytest.mark.parametrize("options", [[], ["--threads", 3, "--idle", 5], ["--rate", 500], ["--churn"], ["--busy-poll"]])
def test_it_sleeps_whenever_it_is_not_loading(options):
    with echo() as server, Session(server, "--connections", 3, *options) as session:
        session.await_sleep()
        session.slice()
        session.await_sleep()
        session.say("end")
        assert session.read() == {"phase": "drained"}
        session.await_sleep()
