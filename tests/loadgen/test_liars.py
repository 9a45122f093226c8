"""The load generator against servers that lie: its counts are exact."""

import time

import pytest

from loadgen.liars import (CLOSE, RESET, SILENCE, Greeter, HttpLiar, Liar, flipped, response)
from loadgen.program import load


def every(n, lie):
    """Every nth message of a connection is answered with a lie."""
    return lambda number, message: lie(message) if number % n == n // 2 else message


def kinds(result):
    return {kind: entry["count"] for kind, entry in result["errors"]["by_kind"].items()}


def test_an_honest_server_is_found_honest():
    with Liar(lambda _, message: message) as server:
        result = load(server.target, connections=8, requests=1000)
    assert result["status"] == "ok"
    assert result["requests"] == server.messages == 1000
    assert result["errors"] == {"total": 0, "by_kind": {}}
    assert result["bytes"] == {"sent": 64000, "received": 64000}
    assert result["achieved"]["connections"] == 8


@pytest.mark.parametrize("name, lie, kind", [
    ("flip", lambda m: flipped(m, 17), "corrupt"),
    ("flip_first", lambda m: flipped(m, 0), "corrupt"),
    ("flip_last", lambda m: flipped(m, 63), "corrupt"),
    ("drop", lambda m: m[:10] + m[15:], "missing"),
    ("insert", lambda m: m[:10] + b"\0\0\0" + m[10:], "extra"),
    ("swap_halves", lambda m: m[32:] + m[:32], "corrupt"),
    ("garbage", lambda m: b"\0" * 64, "corrupt"),
])
def test_wrong_bytes_are_counted_exactly(name, lie, kind):
    with Liar(every(10, lie)) as server:
        result = load(server.target, connections=8, requests=1000, expect=1)
    assert server.messages == 1000
    assert server.lies > 50
    assert result["status"] == "failed"
    if name == "garbage":  # a zero may be right by accident, and splits one run into two
        assert server.lies <= kinds(result).pop(kind) <= 1.5 * server.lies
    else:
        assert kinds(result) == {kind: server.lies}
    assert "connection " in result["errors"]["by_kind"][kind]["first"]
    assert server.connections == 8, "no connection had to be replaced"


def test_a_byte_in_a_million():
    state = {"seen": 0, "flips": 0}

    def flip_a_millionth(_, message):
        before = state["seen"] // 1_000_000
        state["seen"] += len(message)
        if state["seen"] // 1_000_000 == before:
            return message
        return flipped(message, 1_000_000 * (before + 1) - (state["seen"] - len(message)) - 1)

    with Liar(flip_a_millionth, size=65536) as server:
        result = load(server.target, connections=1, requests=200, message_bytes="64KiB", expect=1)
    assert kinds(result) == {"corrupt": server.lies}
    assert server.lies == 13


def test_duplicates_are_counted_exactly():
    with Liar(every(10, lambda message: message + message)) as server:
        result = load(server.target, connections=1, requests=100, expect=1)
    assert kinds(result) == {"extra": server.lies} == {"extra": 10}


def test_truncated_answers_time_out_and_the_connection_is_replaced():
    with Liar(every(10, lambda message: message[:-1])) as server:
        result = load(server.target, "--timeout", "300ms", connections=4, requests=100, expect=1)
    assert kinds(result) == {"timeout": server.lies}
    assert "63 of 64 bytes" in result["errors"]["by_kind"]["timeout"]["first"]
    assert result["requests"] == 100 - server.lies
    assert 4 < server.connections <= 4 + server.lies, "those replaced at the very end may be missing"


@pytest.mark.parametrize("how, kind", [(CLOSE, "closed"), (RESET, "reset")])
def test_lost_connections_are_counted_and_reopened(how, kind):
    with Liar(every(10, lambda _: how)) as server:
        result = load(server.target, connections=4, requests=200, expect=1)
    assert kinds(result) == {kind: server.lies}
    assert result["requests"] == 200 - server.lies


def test_a_mute_server_is_a_failure_and_not_forever():
    with Liar(lambda _, __: SILENCE) as server:
        result = load(server.target, "--timeout", "100ms", connections=2, duration="1s", expect=1)
    assert result["requests"] == 0
    assert result["status"] == "failed"
    assert set(kinds(result)) == {"timeout"}
    assert kinds(result)["timeout"] <= 40, "reopening pauses"
    assert "p50" not in result["latency_ns"]


def test_answers_that_come_too_late_are_timeouts():
    too_late = []

    def late(number, message):
        if number == 9:
            time.sleep(0.6)
            too_late.append(number)
        return message

    with Liar(late) as server:
        result = load(server.target, "--timeout", "250ms", connections=2, requests=100, expect=1)
    assert kinds(result).keys() == {"timeout"}
    assert kinds(result)["timeout"] == result["failed_requests"] >= len(too_late) > 0, "a late answer is no success"
    assert result["requests"] + result["failed_requests"] == 100


def test_bytes_of_another_connection_name_it():
    held = []

    def swap_two(number, message):  # each connection gets the other's third message
        if number != 3:
            return message
        held.append(message)
        while len(held) < 2:
            pass
        return held[1] if message == held[0] else held[0]

    with Liar(swap_two) as server:
        result = load(server.target, connections=2, requests=200, expect=1)
    assert kinds(result) == {"corrupt": 2}
    assert "bytes of connection" in result["errors"]["by_kind"]["corrupt"]["first"]


def test_http_is_checked_against_the_files(tmp_path):
    (tmp_path / "a").write_bytes(b"hello")
    (tmp_path / "b").write_bytes(b"x" * 100_000)
    bodies = {"/a": b"hello", "/b": b"x" * 100_000}
    with HttpLiar(lambda _, path: response(bodies[path])) as server:
        result = load(server.target, "--path", "/a", "--path", "/b", "--body-root", tmp_path,
                      protocol="http", connections=4, requests=400)
    assert result["requests"] == server.messages == 400
    assert result["asked"]["body_reference"] == str(tmp_path)


@pytest.mark.parametrize("lie, kind", [
    (lambda: response(b"hellO"), "corrupt"),
    (lambda: response(b"hell"), "missing"),
    (lambda: response(b"hello!"), "extra"),
    (lambda: response(b"nothing", "404 Not Found"), "unexpected_status"),
    (lambda: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "protocol"),
])
def test_http_lies_are_counted_exactly(lie, kind):
    # The first response teaches the body.
    with HttpLiar(lambda n, _: lie() if n % 10 == 5 else response()) as server:
        result = load(server.target, protocol="http", connections=1, requests=100, expect=1)
    assert set(kinds(result)) == {kind}
    assert kinds(result)[kind] == 100 - result["requests"] >= 10
    assert result["asked"]["body_reference"] == "first response"


def test_http_status_500_from_the_start_is_reported():
    with HttpLiar(lambda *_: response(b"", "500 Oops")) as server:
        result = load(server.target, protocol="http", connections=1, requests=10, expect=1)
    assert kinds(result) == {"unexpected_status": 1}
    assert result["requests"] == 0


def test_greet_is_a_whole_exchange():
    with Greeter() as server:
        result = load(server.target, protocol="greet", connections=4, requests=200)
    assert result["requests"] == 200
    assert server.connections == 200
    assert result["connect_ns"]["count"] == 200


@pytest.mark.parametrize("server, kind", [
    (Greeter(lambda line: flipped(line, 9)), "corrupt"),
    (Greeter(lambda line: line + b"more"), "extra"),
    (Greeter(lambda line: line[:-5]), "closed"),
    (Greeter(greeting=b"Hello world!\r\n"), "corrupt"),
])
def test_greet_lies_are_counted_exactly(server, kind):
    with server:
        result = load(server.target, protocol="greet", connections=2, requests=20, expect=1)
    assert kinds(result) == {kind: 20}
    assert result["requests"] == 0
