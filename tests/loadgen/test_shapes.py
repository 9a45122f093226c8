"""Pipelines, sizes, churn, ramps and stalled clients."""

import socket
import time

import pytest

from loadgen.liars import (RESET, ClosingHttpLiar, Greeter, HttpLiar, Liar, Watcher, flipped,
                           response)
from loadgen.program import load
from support.patience import attempts, wait_until

BODY = b"hello"


def kinds(result):
    return {kind: entry["count"] for kind, entry in result["errors"]["by_kind"].items()}


def echo():
    return Liar(lambda _, message: message)


# Pipelines


def test_a_pipeline_is_exact():
    with echo() as server:
        result = load(server.target, connections=4, pipeline=16, requests=4000)
    assert result["requests"] == server.messages == 4000
    assert result["bytes"]["sent"] == result["bytes"]["received"] == 4000 * 64
    assert result["asked"]["pipeline"] == 16


@pytest.mark.parametrize("lie, kind", [
    (lambda m: flipped(m, 0), "corrupt"),
    (lambda m: flipped(m, 63), "corrupt"),
    (lambda m: m[:10] + m[15:], "missing"),
    (lambda m: m[:10] + b"\0\0\0" + m[10:], "extra"),
])
def test_lies_in_a_pipeline_are_counted_exactly(lie, kind):
    """Each tenth message of a connection is a lie, and exactly those requests fail."""
    with Liar(lambda n, m: lie(m) if n % 10 == 5 and n < 950 else m) as server:
        result = load(server.target, connections=1, pipeline=8, requests=1000, expect=1)
    assert server.lies == 95
    assert kinds(result) == {kind: 95}
    assert result["requests"] == 1000 - 95
    assert result["failed_requests"] == 95


def test_all_requests_of_a_lost_pipeline_fail():
    with Liar(lambda n, m: RESET if n == 100 else m) as server:
        result = load(server.target, connections=1, pipeline=8, requests=150, expect=1)
    assert kinds(result) == {"reset": 1}
    assert result["failed_requests"] == 8
    assert result["requests"] == 142


def test_http_is_pipelined_too_and_each_body_checked():
    bodies = {f"/{i}": bytes([65 + i]) * (i * 700) for i in range(5)}
    with HttpLiar(lambda _, path: response(bodies[path])) as server:
        result = load(server.target, *[f"--path={path}" for path in bodies], protocol="http", connections=2,
                      pipeline=8, requests=1000)
    assert result["requests"] == 1000
    assert server.messages == 1000 + len(bodies), "each body is learnt first"


def test_http_lies_in_a_pipeline_are_counted_exactly():
    with HttpLiar(lambda n, _: response(b"hellO" if n % 10 == 5 else BODY)) as server:
        result = load(server.target, protocol="http", connections=1, pipeline=4, requests=200, expect=1)
    assert set(kinds(result)) == {"corrupt"}
    assert result["requests"] + kinds(result)["corrupt"] == 200
    assert kinds(result)["corrupt"] == result["failed_requests"] == 20


# Sizes and paths


def test_sizes_are_drawn_from_a_distribution():
    with Watcher() as server:
        result = load(server.target, connections=2, requests=2000, message_bytes="1-100*3,8KiB")
    sent = sum(len(data) for log in server.received for _, data in log)
    assert result["requests"] == 2000
    assert result["bytes"]["received"] == sent
    assert abs(sent / 2000 - (0.75 * 50.5 + 0.25 * 8192)) < 300
    assert result["asked"]["message_sizes"] == "1-100*3,8192*1"


def test_a_list_of_paths(tmp_path):
    names = tmp_path / "paths"
    names.write_text("/a\n/b\n\n/c?d=1\n")
    with HttpLiar(lambda _, path: response(path.encode())) as server:
        result = load(server.target, protocol="http", path_file=names, connections=1, requests=30)
    assert result["asked"]["paths"] == ["/a", "/b", "/c?d=1"]


# Churn


@pytest.mark.parametrize("closer, end", [("client", "end"), ("reset", "reset"), ("server", "end")])
def test_churn_ends_each_connection_as_asked(closer, end):
    with Watcher() as server:
        result = load(server.target, "--churn", closer=closer, connections=2, requests=100)
        wait_until(lambda: len(server.ends) == 100, lambda: f"{len(server.ends)} of 100 connections have ended")
    assert result["requests"] == 100
    assert len(server.received) == 100
    assert server.ends == [end] * 100
    assert result["connect_ns"]["count"] == result["first_byte_ns"]["count"] == 100
    assert result["asked"]["churn"] == closer


def test_churn_latency_includes_the_connecting():
    with echo() as server:
        result = load(server.target, "--churn", connections=1, requests=100)
    assert result["latency_ns"]["mean"] > result["connect_ns"]["mean"]


def test_a_server_that_does_not_close_is_a_timeout():
    with ClosingHttpLiar(lambda *_: response(), linger=3600) as server:
        result = load(server.target, "--churn", "--timeout", "1s", protocol="http", connections=1, duration="4s",
                      expect=1)
    assert set(kinds(result)) == {"timeout"}
    assert "did not close" in result["errors"]["by_kind"]["timeout"]["first"]


def test_http_asks_for_the_close_and_waits_for_it():
    with ClosingHttpLiar(lambda *_: response()) as server:
        result = load(server.target, "--churn", protocol="http", connections=2, requests=50)
    assert result["requests"] == 50
    assert result["asked"]["churn"] == "server"
    assert all(b"Connection: close" in head for head in server.heads)


def test_bytes_after_the_answer_of_a_churned_connection_are_extra():
    with Liar(lambda _, message: message + b"more") as server:
        result = load(server.target, "--churn", closer="server", connections=1, requests=20, expect=1)
    assert set(kinds(result)) == {"extra"}
    assert kinds(result)["extra"] == 20


def test_churn_by_a_schedule():
    with echo() as server:
        result = load(server.target, "--churn", rate=200, connections=16, duration="500ms")
    assert result["requests"] == server.messages == server.connections == 100


def test_greet_by_a_schedule():
    with Greeter() as server:
        result = load(server.target, protocol="greet", rate=100, connections=8, duration="500ms")
    assert result["requests"] == server.messages == 50


# Ramps and stalled clients


def test_connections_are_opened_at_the_rate_asked_for():
    with echo() as server:
        result = load(server.target, connections=40, idle=10, threads=2, connect_rate=100, requests=40)
        assert server.await_connections(50) == 50
    assert result["achieved"]["opening_ns"] > 480e6


def test_a_client_that_stops_sends_half_a_message_and_no_more():
    with Watcher() as server:
        result = load(server.target, "--stall-mid-message", 3, connections=1, requests=50)
    halves = [log for log in server.received if sum(len(data) for _, data in log) == 32]
    assert len(halves) == 3
    assert result["stalled"] == {"opened": 3, "closed_by_server": 0}
    assert result["requests"] == 50


def test_a_client_that_never_reads_sends_until_the_socket_is_full():
    for _ in attempts("who never reads"):
        with Watcher() as server:
            result = load(server.target, "--stall-never-read", 1, connections=1, duration="2s")
        if "filling_ns" in result["stalled"]:  # else the buffers were not full after 5 s
            break
    sent = sorted(sum(len(data) for _, data in log) for log in server.received)
    assert result["status"] == "ok"
    assert result["stalled"].pop("filling_ns") >= 0
    assert result["stalled"] == {"opened": 1, "closed_by_server": 0}
    assert len(sent) == 2 and sent[0] > 0


class Sluggish(Liar):
    """An echo that takes what comes in floods for some seconds, slowly, and answers none of it. The load generator takes a
    client for held up that could send nothing for 200 ms; was_stalled tells that the machine, and not the server, may have
    done that."""

    def __init__(self, seconds):
        super().__init__(None)
        self._seconds = seconds
        self.first_request, self.last_taken, self._longest_gap = [], [], 0

    @property
    def was_stalled(self):
        return self._longest_gap > 0.1

    def converse(self, connection):
        data = connection.recv(1 << 17)
        while 0 < len(data) <= 64:
            self.first_request.append(time.monotonic())
            connection.sendall(data)
            data = connection.recv(1 << 17)
        last = time.monotonic()
        until = last + self._seconds
        while data and last < until:
            time.sleep(0.01)
            data = connection.recv(1 << 17)
            if data:
                self._longest_gap = max(self._longest_gap, time.monotonic() - last)
            last = time.monotonic()
        self.last_taken.append(last)
        while data and connection.recv(1, socket.MSG_PEEK) and not self.first_request:
            time.sleep(0.01)


def load_sluggish(seconds):
    """The server and the result of a run in which nothing but the server held up who never reads."""
    for _ in attempts("a server that takes little at a time"):
        with Sluggish(seconds) as server:
            result = load(server.target, "--stall-never-read", 1, connections=1, duration="2s")
        if not server.was_stalled:
            return server, result


def test_the_load_begins_when_who_never_reads_is_held_up():
    for _ in attempts("who never reads"):
        server, result = load_sluggish(1)
        if "filling_ns" in result["stalled"]:  # else its buffers were not full after 5 s
            break
    assert result["status"] == "ok"
    assert result["stalled"]["filling_ns"] > 0.5e9
    assert min(server.first_request) > server.last_taken[0]


def test_a_server_that_takes_all_that_comes_is_not_waited_for_without_end():
    server, result = load_sluggish(3600)
    assert result["status"] == "ok" and server.first_request
    assert "filling_ns" not in result["stalled"], "it was never held up"


def test_a_trickling_client_sends_no_more_than_a_byte_a_second():
    began = time.monotonic()
    with Watcher() as server:
        result = load(server.target, "--stall-trickle", 1, connections=1, duration="2500ms")
        seconds = time.monotonic() - began
    assert result["status"] == "ok"
    trickled = min(sum(len(data) for _, data in log) for log in server.received)
    assert 1 <= trickled <= 1 + seconds, f"{trickled} bytes in {seconds:.1f} s"


def test_a_server_may_throw_stalled_clients_out():
    class Strict(Liar):
        def converse(self, connection):
            while len(message := connection.recv(64)) == 64:  # half a message is a stalled client's
                connection.sendall(message)

    with Strict(None) as server:
        result = load(server.target, "--stall-mid-message", 4, connections=2, duration="2s")
    assert result["stalled"] == {"opened": 4, "closed_by_server": 4}
    assert result["errors"]["total"] == 0, "to throw them out is no error"


def test_wrong_bytes_to_a_stalled_client_are_errors():
    class Babbler(Liar):
        def converse(self, connection):
            while data := connection.recv(1 << 16):
                connection.sendall(data if len(data) == 64 else b"#" * len(data))

    with Babbler(None) as server:
        result = load(server.target, "--stall-mid-message", 1, connections=1, requests=20, expect=1)
    assert set(kinds(result)) == {"corrupt"} or set(kinds(result)) == {"extra"}


def test_greet_clients_stall_in_their_line():
    with Greeter() as server:
        result = load(server.target, "--stall-mid-message", 2, protocol="greet", connections=1, requests=10)
    assert result["stalled"]["opened"] == 2
    assert result["requests"] == server.messages == 10
