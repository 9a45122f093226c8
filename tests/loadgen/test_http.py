"""HTTP as RFC 9110 and 9112 have it: interim responses, ends of lines, connections that the server closes, and the first
request, from which the bodies are learnt."""

import json
import signal
import socket
import time

import pytest

from loadgen.liars import HttpLiar, read_exactly, response
from loadgen.lies import await_end
from loadgen.program import load, load_when, run, start
from loadgen.test_slice_sessions import Session, total
from support.patience import PATIENCE, wait_until

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nContent-Length: 5\r\n\r\n"


def kinds(result):
    return {kind: entry["count"] for kind, entry in result["errors"]["by_kind"].items()}


def first(result, kind):
    return result["errors"]["by_kind"][kind]["first"]


@pytest.mark.parametrize("depth", [1, 4])
@pytest.mark.parametrize("interim", [CONTINUE, HINTS, CONTINUE + HINTS + CONTINUE], ids=["100", "103", "three"])
def test_interim_responses_are_skipped(interim, depth):
    with HttpLiar(lambda *_: interim + response()) as server:
        result = load(server.target, protocol="http", connections=2, requests=100, pipeline=depth)
    assert result["requests"] == 100 and server.messages == 101


def test_interim_responses_may_come_on_their_own():
    class Patient(HttpLiar):
        """Sends each byte in a segment of its own."""

        def converse(self, connection):
            text = b""
            while received := connection.recv(4096):
                text += received
                while b"\r\n\r\n" in text:
                    text = text.partition(b"\r\n\r\n")[2]
                    for byte in CONTINUE + HINTS + response():
                        connection.sendall(bytes([byte]))

    with Patient(None) as server:
        result = load(server.target, protocol="http", connections=2, requests=20)
    assert result["requests"] == 20


def test_endless_interim_responses_are_a_timeout():
    class Endless(HttpLiar):
        def converse(self, connection):
            while connection.recv(4096):
                if len(self.order) > 1:
                    while True:
                        connection.sendall(CONTINUE)
                        time.sleep(0.01)
                connection.sendall(response())

    with Endless(None) as server:
        result = load(server.target, protocol="http", connections=1, requests=1, timeout="2s", expect=1)
    assert kinds(result) == {"timeout": 1} and result["failed_requests"] == 1


def test_101_is_an_error_for_nobody_asked_to_switch():
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    with HttpLiar(lambda n, _: upgrade if n == 5 else response()) as server:
        result = load(server.target, protocol="http", connections=1, requests=30, expect=1)
    assert set(kinds(result)) == {"unexpected_status"}
    assert kinds(result)["unexpected_status"] == result["failed_requests"] >= 1
    assert "status 101" in first(result, "unexpected_status")


@pytest.mark.parametrize("depth", [1, 4])
@pytest.mark.parametrize("text", [
    b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello",
    b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello",
], ids=["all", "the field", "the status line", "the empty line"])
def test_a_line_that_ends_with_lf_alone_is_a_protocol_error_at_once(text, depth):
    """And it is one for each such head: a head does not reach into the next response."""
    lies = []

    def lie_at_the_sixth(number, _):
        if number != 5:
            return response()
        lies.append(text)
        return text

    with HttpLiar(lie_at_the_sixth) as server:
        result = load(server.target, protocol="http", connections=1, requests=60, pipeline=depth, timeout="3600s", expect=1)
    assert kinds(result) == {"protocol": len(lies)} and len(lies) >= 60 // (5 + depth)
    assert "LF alone" in first(result, "protocol")
    assert result["requests"] + result["failed_requests"] == 60
    assert len(lies) <= result["failed_requests"] <= len(lies) * depth


# The first request


class FirstAnswer(HttpLiar):
    """Answers with what speak(connection) sends, and waits for the end."""

    def __init__(self, speak):
        super().__init__(None)
        self._speak = speak

    def converse(self, connection):
        connection.recv(4096)
        with self._lock:
            self.messages += 1
        self._speak(connection)
        await_end(connection)


def drip(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.01)


def endless_hints(connection):
    while True:
        connection.sendall(HINTS)
        time.sleep(0.01)


@pytest.mark.parametrize("speak", [lambda connection: None, drip, endless_hints], ids=["silence", "drip", "endless hints"])
def test_the_first_request_has_a_limit_in_time(speak):
    with FirstAnswer(speak) as server:
        result = load(server.target, protocol="http", requests=10, timeout="500ms", expect=1)
    assert kinds(result) == {"timeout": 1} and result["requests"] == 0
    assert first(result, "timeout").startswith("first request of /: no complete response within 500 ms; ")


def test_a_server_that_accepts_nobody_ends_the_first_request():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        target = "127.0.0.1:%d" % full.getsockname()[1]
        waiting = []
        for _ in range(3):  # listen(2): one more than the backlog
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(full.getsockname())
        result = load(target, protocol="http", requests=10, connect_timeout="300ms", expect=1)
        for one in waiting:
            one.close()
    assert kinds(result) == {"connect": 1} and "did not answer in time" in first(result, "connect")


@pytest.mark.parametrize("length", [257 << 20, 1 << 63, (1 << 64) - 1])
def test_the_first_request_has_a_limit_in_size(length):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length
    with FirstAnswer(lambda connection: connection.sendall(head)) as server:
        result = load(server.target, protocol="http", requests=10, timeout="3600s", expect=1)
    assert kinds(result) == {"protocol": 1}
    assert f"a body of {length} bytes" in first(result, "protocol") and "--body-root" in first(result, "protocol")


@pytest.mark.parametrize("text, kind", [
    (response() + b"x", "extra"),
    (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "protocol"),
    (b"SSH-2.0-OpenSSH\r\n", "protocol"),
    (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000, "protocol"),
    (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "unexpected_status"),
], ids=["surplus", "bare line feeds", "another protocol", "endless head", "101"])
def test_a_wrong_first_answer_is_an_error_at_once(text, kind):
    with FirstAnswer(lambda connection: connection.sendall(text)) as server:
        result = load(server.target, protocol="http", requests=10, timeout="3600s", expect=1)
    assert kinds(result) == {kind: 1}


def test_interim_responses_come_before_the_first_answer_too():
    with HttpLiar(lambda *_: HINTS + CONTINUE + response()) as server:
        assert load(server.target, protocol="http", connections=1, requests=5)["requests"] == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_first_request(number):
    with FirstAnswer(lambda connection: None) as server:
        process = start("--target", server.target, "--protocol", "http", "--timeout", "3600s", "--json", "-")
        wait_until(lambda: server.messages == 1, "it asks for nothing")
        process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    result = json.loads(out)
    assert (result["status"], result["errors"]["total"]) == ("interrupted", 0)


# Connections that the server closes


class ClosesAfter(HttpLiar):
    """Answers so many requests on each connection. The last answer says that it closes, and what was asked after it is thrown
    away, as nginx does by keepalive_requests."""

    def __init__(self, count, respond=lambda number, path: response(path.encode())):
        super().__init__(respond)
        self._count = count

    def converse(self, connection):
        text = b""
        number = 0
        while received := connection.recv(1 << 16):
            text += received
            while b"\r\n\r\n" in text:
                head, _, text = text.partition(b"\r\n\r\n")
                number += 1
                with self._lock:
                    self.messages += 1
                answer = self._respond(number, head.split(b" ")[1].decode())
                if number == self._count:
                    connection.sendall(answer.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
                    connection.shutdown(socket.SHUT_WR)
                    return await_end(connection)
                connection.sendall(answer)


PATHS = ["--path", "/a", "--path", "/bb", "--path", "/ccc"]


@pytest.mark.parametrize("options", [
    [], ["--pipeline", 4], ["--pipeline", 16], ["--pipeline", 4, "--threads", 2], ["--pipeline", 4, "--rate", 2000],
    ["--rate", 2000],
])
@pytest.mark.parametrize("count", [1, 3, 10])
def test_a_server_may_close_after_some_requests(options, count):
    with ClosesAfter(count) as server:
        result = load(server.target, *PATHS, *options, protocol="http", connections=3, requests=200)
        answered = result["requests"]
        opened = server.await_connections(3 + 3 + result["reconnects"])
    assert result["status"] == "ok" and answered == 200 and result["failed_requests"] == 0
    assert opened == 3 + 3 + result["reconnects"], "one for each path at first, one for each connection, and the reconnects"
    # The last answer of a connection may be the last of the run.
    assert 200 // count - 3 <= result["reconnects"] <= 200 // count
    assert result["latency_ns"]["count"] == 200


def test_all_that_was_asked_is_answered_before_a_run_has_drained():
    with ClosesAfter(5) as server:
        result = load_when(lambda: None, server.target, *PATHS, "--protocol", "http", "--connections", 2, "--pipeline", 8,
                           "--duration", "200ms")
    assert result["status"] == "ok" and result["requests_in_run"] + 3 == server.messages


def test_slices_of_a_server_that_closes_are_exact():
    with ClosesAfter(7) as server:
        with Session(server, *PATHS, "--protocol", "http", "--connections", 2, "--pipeline", 4) as session:
            slices = [session.slice() for _ in range(5)]
            result = session.end()
    assert all(part["status"] == "ok" and part["errors"] == 0 for part in slices)
    assert total(slices, "requests_in_run") == result["requests_in_run"] == server.messages - 3
    assert result["reconnects"] > 0


def test_the_summary_says_how_often_it_reconnected():
    with ClosesAfter(5) as server:
        options = ["--target", server.target, "--protocol", "http", "--connections", 1, "--requests", 50]
        status, out, _ = run(*options)
    assert status == 0 and any(line.split()[:2] in (["reconnects", "9,"], ["reconnects", "10,"]) for line in out.splitlines()), out


def test_a_wrong_answer_that_closes_fails_its_own_request_only():
    def fail_at_the_last(number, _):
        return response(b"", "500 Oops") if number == 10 else response()

    learnt = []

    class Fails(ClosesAfter):
        def converse(self, connection):
            if not learnt:
                learnt.append(connection)
                read_exactly(connection, 4)
                connection.sendall(response())
                return await_end(connection)
            super().converse(connection)

    with Fails(10, fail_at_the_last) as server:
        result = load(server.target, protocol="http", connections=1, pipeline=4, requests=95, expect=1)
    assert kinds(result) == {"unexpected_status": 9} and result["failed_requests"] == 9
    assert result["requests"] == 86


def test_a_server_that_closes_unannounced_is_an_error():
    class Rude(HttpLiar):
        def converse(self, connection):
            text = b""
            for number in range(10):
                while b"\r\n\r\n" not in text:
                    received = connection.recv(1 << 16)
                    if not received:
                        return
                    text += received
                text = text.partition(b"\r\n\r\n")[2]
                connection.sendall(response())
            connection.shutdown(socket.SHUT_WR)
            await_end(connection)

    with Rude(None) as server:
        result = load(server.target, protocol="http", connections=1, pipeline=4, requests=100, expect=1)
    lost = server.connections - 2  # The first learns the body; the last goes on to the end, or is opened after it.
    assert set(kinds(result)) == {"closed"} and lost - 1 <= kinds(result)["closed"] <= lost + 1
    assert result["requests"] + result["failed_requests"] == 100
    assert result["reconnects"] == 0
