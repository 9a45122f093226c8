"""--counters FILE: what the workers have done, exactly, and how evenly they shared it."""

import json
import os
import select
import signal
import time

import pytest

from support import client
from support.patience import wait_until
from support.server import Server, run_to_end

# Threads that take what is ready from one set: nothing belongs to a worker there, and an idle thread is woken only
# when the others cannot keep up. Asio lets one thread go on alone as long as it can.
COMMON_SET = ("epoll_oneshot", "leader_followers", "half_sync_half_async", "asio_threads")


def counters(model, tmp_path, talk, *options):
    """What the server wrote when it had ended; talk(server) is what happened before."""
    file = tmp_path / "counters.json"
    with Server(model, "--counters", file, *options) as server:
        talk(server)
    return json.loads(file.read_text())


@pytest.mark.every_model
def test_every_connection_and_request_is_counted(model, tmp_path):
    connections, requests = 7, 30

    def talk(server):
        for number in range(connections):
            with client.connect(server) as sock:
                for turn in range(requests):
                    client.echo(sock, f"{number}:{turn}".encode())
                sock.shutdown(1)  # both ends agree on the end, so nothing is counted after the server's
                client.expect_end(sock)

    seen = counters(model, tmp_path, talk)
    assert (seen["accepted"], seen["requests"], seen["refused"]) == (connections, connections * requests, 0), \
        f"{connections} connections of {requests} requests each: seen {seen}"
    for name in ("accepted", "requests"):
        assert sum(worker[name] for worker in seen["workers"]) == seen[name], f"{name} of the workers: {seen}"


def test_a_full_disk_is_a_failure(model, no_deadline):
    server = Server(model, "--counters", "/dev/full", environment=no_deadline).start()
    try:
        client.echo_once(server)
        server.signal(signal.SIGTERM)
        assert server.wait_for_end() == 1
        assert server.stderr() == (f"server_{model.name}: cannot write /dev/full: No space left on device (ENOSPC); make room for it, or "
                                   "name another file with --counters\n")
    finally:
        server.kill()


def test_what_is_no_file_is_refused(model, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    for _ in range(2):  # with somebody who reads it, and without
        status, out, err = run_to_end(model, "--counters", fifo)
        assert (status, out) == (1, "")
        assert err == (f"server_{model.name}: cannot write {fifo}: it is no regular file; name another file with --counters\n")
        if reader >= 0:
            os.close(reader)
            reader = -1


def bounds_of_share(model):
    """The smallest and the largest part of its share that a worker may have."""
    if model.capability("one_client_per_worker"):
        return 1, 1
    # Of 400 connections that a hash gives to 4 workers one has 100, and 50 would be 5.8 standard deviations away.
    return 0.5, 1.6


@pytest.mark.needs("workers", True)
def test_workers_share_evenly(model, tmp_path):
    """In a common set somebody else must have helped the worker that was busy; else see bounds_of_share()."""
    workers, rounds = 4, 5
    busy = ("--work", "spin:1ms") if model.name in COMMON_SET else ()
    clients = model.room_with_workers(workers, 80)

    def talk(server):
        for number in range(rounds):
            for sock in client.crowd(server, clients, hold=True, seed=number):
                sock.close()

    seen = counters(model, tmp_path, talk, "--workers", workers, *busy)
    share = clients * rounds / workers
    accepted = [worker["accepted"] for worker in seen["workers"]]
    assert sum(accepted) == clients * rounds, f"{clients * rounds} connections, counted {accepted}"
    if busy:
        assert sum(worker["requests"] > 0 for worker in seen["workers"]) > 1, f"one thread of {workers} did it all: {seen}"
        return
    least, most = bounds_of_share(model)
    assert least * share <= min(accepted) and max(accepted) <= most * share, \
        f"{clients * rounds} connections over {workers} workers: {accepted}"


def work_together(socks, rounds):
    for _ in range(rounds):
        for sock in socks:
            sock.sendall(b"work")
        for sock in socks:
            client.receive(sock, 4)


def end_one_by_one(socks):
    for sock in socks:
        sock.shutdown(1)
        client.expect_end(sock)
        sock.close()


@pytest.mark.every_model
@pytest.mark.needs("workers", True)
def test_the_first_worker_is_slowed_for_each_of_its_requests(model, tmp_path):
    slow_ms, rounds = 20, 10
    clients = model.room_with_workers(2, 8)

    def talk(server):
        socks = [client.connect(server) for _ in range(clients)]
        work_together(socks, rounds)
        end_one_by_one(socks)

    for workers in (1, 2):
        began = time.monotonic()
        seen = counters(model, tmp_path, talk if clients <= workers or not model.capability("one_client_per_worker") else client.echo_once,
                        "--workers", workers, "--slow-worker", f"{slow_ms}ms")
        took = time.monotonic() - began
        slowed = seen["workers"][0]["requests"]
        assert slowed * slow_ms / 1000 <= took, f"{workers} workers: {slowed} requests, {slow_ms} ms each, in {took:.2f} s"
        assert workers > 1 or slowed == seen["requests"] > 0, f"one worker: {seen}"


@pytest.mark.every_model
@pytest.mark.needs("workers", True)
def test_only_the_first_worker_is_slowed(model):
    """It is blocked for an hour at its first request. Another worker answers, at the latest when the first has its hands full."""
    server = Server(model, "--workers", 2, "--slow-worker", "3600s").start()
    try:
        socks = [client.connect(server) for _ in range(model.room_with_workers(2, 40))]
        waiting = list(socks)

        def is_answered():
            if waiting:
                waiting.pop().sendall(b"work")
            return bool(select.select(socks, [], [], 0)[0])

        wait_until(is_answered, "two workers, of which the first is blocked: no request was answered")
    finally:
        server.kill()


@pytest.mark.needs("workers", True)
def test_a_worker_counts_what_it_answered_itself(model, tmp_path):
    """Not what others answered on a connection that it happens to close: more than its time is enough for would show that."""
    spin_ms, rounds = 10, 20
    clients = model.room_with_workers(2, 8)
    took = 0

    def talk(server):
        nonlocal took
        began = time.monotonic()
        socks = [client.connect(server) for _ in range(clients)]
        work_together(socks, rounds)
        took = time.monotonic() - began
        end_one_by_one(socks)  # so that one idle thread may close them all

    seen = counters(model, tmp_path, talk, "--workers", 2, "--work", f"spin:{spin_ms}ms")
    answered = [worker["requests"] for worker in seen["workers"]]
    assert sum(answered) == rounds * clients, f"{clients} clients with {rounds} requests each: counted {answered}"
    assert max(answered) * spin_ms / 1000 <= took, f"{answered} requests of {spin_ms} ms each in {took:.2f} s"
