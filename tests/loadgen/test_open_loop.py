"""The open loop: requests are due on a schedule, and latency counts from when they are due."""

import time

import pytest

from loadgen.liars import SILENCE, Liar
from loadgen.program import load, run

MS = 1_000_000


def honest():
    return Liar(lambda _, message: message)


@pytest.mark.parametrize("arrival", ["uniform", "poisson"])
def test_every_request_due_in_the_window_is_sent_and_counted(arrival):
    with honest() as server:
        result = load(server.target, "--arrival", arrival, rate=500, connections=4, threads=2, duration="1s")
    if arrival == "uniform":
        assert result["requests"] == server.messages == 500
    else:
        assert 350 < result["requests"] == server.messages < 650
    assert result["asked"]["mode"] == "open"
    assert (result["asked"]["rate"], result["asked"]["arrival"]) == (500, arrival)
    assert result["latency_ns"]["count"] == result["schedule_lag_ns"]["count"] == result["requests"]


def test_requests_bound_an_open_loop_too():
    with honest() as server:
        result = load(server.target, rate=1000, connections=4, requests=200)
    assert result["requests"] == server.messages == 200


def test_a_stall_delays_all_that_were_due_meanwhile():
    """One connection, 100 requests a second; the tenth answer comes 500 ms late, so about 50 requests wait."""
    def answer(number, message):
        if number == 10:
            time.sleep(0.5)
        return message

    with Liar(answer) as server:
        result = load(server.target, rate=100, connections=1, duration="2s")
    assert result["requests"] == server.messages == 200
    late = sum(count for floor, count in result["latency_ns"]["histogram"]["buckets"] if floor >= 100 * MS)
    assert late >= 39, "those due in the first 400 ms of the stall waited for 100 ms or more"
    assert result["latency_ns"]["max"] >= 500 * MS
    assert result["schedule_lag_ns"]["max"] >= 490 * MS
    server_lag = result["schedule_lag_ns"]["mean"] - result["generator_lag_ns"]["mean"]
    assert server_lag > 30 * MS, "half a second, half of it for each of 50 requests in 200, was the server's fault"


def test_a_closed_loop_shows_the_same_stall_only_once():
    def answer(number, message):
        if number == 10:
            time.sleep(0.5)
        return message

    with Liar(answer) as server:
        result = load(server.target, connections=1, requests=200)
    latency = result["latency_ns"]
    assert latency["max"] >= 500 * MS
    assert latency["mean"] * latency["count"] <= result["achieved"]["duration_ns"], "one request waits at a time"


def test_a_request_due_at_the_end_is_waited_for():
    """Each answer takes 300 ms, the window has 200."""
    def late(_, message):
        time.sleep(0.3)
        return message

    with Liar(late) as server:
        result = load(server.target, rate=20, connections=4, duration="200ms")
    assert result["requests"] == server.messages == 4
    assert result["achieved"]["requests_per_second"] == 0, "none of them within the window"
    assert result["latency_ns"]["min"] >= 300 * MS


def test_an_overload_ends_the_run_with_a_reason():
    def slow(_, message):
        time.sleep(0.02)
        return message

    with Liar(slow) as server:
        result = load(server.target, "--max-lag", "300ms", rate=1000, connections=2, duration="20s", expect=1)
        status, out, err = run("--target", server.target, "--rate", 1000, "--connections", 2, "--max-lag", "300ms",
                               "--duration", "20s")
    assert result["status"] == "overloaded"
    assert "1000 requests per second" in result["stop_reason"] and "--rate" in result["stop_reason"]
    assert result["requests"] > 0, "what was measured until then is reported"
    assert result["latency_ns"] == {"count": 0, "histogram": {"significant_digits": 3, "buckets": []}}, "without those never sent"
    assert 0.3e9 < result["achieved"]["duration_ns"] < 20e9
    assert (status, err) == (1, "") and "fell more than 300 ms behind" in out


def test_steps_are_runs_of_their_own():
    with honest() as server:
        result = load(server.target, rate="200,400", connections=2, duration="500ms")
    assert result["status"] == "ok"
    assert [step["asked"]["rate"] for step in result["steps"]] == [200, 400]
    assert [step["requests"] for step in result["steps"]] == [100, 200]


def test_steps_end_with_the_one_that_is_too_much():
    def slow(_, message):
        time.sleep(0.02)
        return message

    with Liar(slow) as server:
        result = load(server.target, "--max-lag", "3s", rate="20,2k,40", connections=1, duration="1s", expect=1)
    assert [step["asked"]["rate"] for step in result["steps"]] == [20, 2000]
    assert [step["status"] for step in result["steps"]] == ["ok", "overloaded"]
    assert result["status"] == "overloaded"


def test_a_mute_server_is_a_failure_and_the_run_ends():
    with Liar(lambda *_: SILENCE) as server:
        result = load(server.target, "--timeout", "100ms", "--max-lag", "500ms", rate=100, connections=2, duration="1s",
                      expect=1)
    assert result["requests"] == 0
    assert result["errors"]["by_kind"].keys() == {"timeout"}
    assert result["failed_requests"] == result["errors"]["total"]


def test_lost_connections_are_replaced():
    from loadgen.liars import CLOSE
    with Liar(lambda number, message: CLOSE if number == 9 else message) as server:
        result = load(server.target, rate=200, connections=4, requests=200, expect=1)
    assert result["errors"]["by_kind"]["closed"]["count"] == result["failed_requests"] == server.lies
    assert result["requests"] == 200 - server.lies


def test_throughput_of_an_overload_counts_what_was_due_before_the_window():
    def slow(_, message):
        time.sleep(0.01)
        return message

    with Liar(slow) as server:  # two connections: at most 200 a second, so the warm-up's 1,000 fill 5 s
        result = load(server.target, "--max-lag", "3s", "--warmup", "1s", rate=1000, connections=2, duration="2s", expect=1)
    assert result["status"] == "overloaded" and result["requests"] == 0, "none of those due in the window was answered"
    assert 0 < result["achieved"]["requests_per_second"] <= 200 * 1.1
