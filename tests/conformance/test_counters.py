"""--counters FILE: what the workers have done, exactly, and how evenly they shared it."""

import json

import pytest

from support import client
from support.server import Server

COMMON_SET = ("epoll_oneshot", "asio_threads")


def counters(model, tmp_path, talk, *options):
    """What the server wrote when it had ended; talk(server) is what happened before."""
    file = tmp_path / "counters.json"
    with Server(model, "--counters", file, *options) as server:
        talk(server)
    return json.loads(file.read_text())


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


@pytest.mark.needs("workers", True)
def test_workers_share_evenly(model, tmp_path):
    """Held: no worker has less than a quarter of its share, or more than three times. Where threads take
    what is ready from one common set nothing belongs to a worker: there more than one must have had some."""
    workers, rounds = 4, 5
    clients = model.room_with_workers(workers, 80)

    def talk(server):
        for number in range(rounds):
            for sock in client.crowd(server, clients, hold=True, seed=number):
                sock.close()

    seen = counters(model, tmp_path, talk, "--workers", workers)
    share = clients * rounds / workers
    accepted = [worker["accepted"] for worker in seen["workers"]]
    assert sum(accepted) == clients * rounds, f"{clients * rounds} connections, counted {accepted}"
    if model.name in COMMON_SET:
        assert sum(many > 0 for many in accepted) > 1, f"one thread of {workers} did it all: {seen}"
        return
    assert share / 4 <= min(accepted) and max(accepted) <= 3 * share, \
        f"{clients * rounds} connections over {workers} workers: {accepted}"
