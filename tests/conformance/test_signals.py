"""Signals that have nothing to do with the end: they interrupt, they must not lose a byte."""

import signal
import subprocess
import time

import pytest

from support import client, processes
from support.flood import flood
from support.patience import PATIENCE, wait_until
from support.server import Server

MIB = 1 << 20


@pytest.mark.parametrize("number", [signal.SIGCHLD, signal.SIGUSR1], ids=lambda n: n.name)
def test_flood_loses_no_byte(model, number, size):
    """It goes on until so many signals were sent meanwhile: on a busy machine the flood may begin late."""
    payload = client.pattern(number.name, size(2, 16) * MIB)
    with Server(model) as server:
        with flood(server, number) as sent:
            wait_until(sent, f"no {number.name} was sent")
            with client.connect(server) as sock:
                client.converse(sock, payload, sent=client.fill(sock, payload, quiet=0.02), half_close=True)
                client.expect_end(sock, f"{len(payload)} bytes under a flood of {number.name}")
            rounds = 0
            deadline = time.monotonic() + PATIENCE
            while rounds < size(2, 10) or sent() < size(300, 3000):
                assert time.monotonic() < deadline, f"{rounds} rounds, and only {sent()} signals were sent"
                for sock in client.crowd(server, 20, hold=model.concurrent, seed=rounds):
                    sock.close()
                rounds += 1
        assert server.is_alive(), f"{number.name} ended the server"
        client.echo_once(server)


def test_a_full_signal_queue_loses_nothing(model, size):
    """ulimit -i 64: more events at once than signals can wait, as for models that are told by signals.
    In a user namespace of its own, where no other process's signals count."""
    limit = 64
    if not model.concurrent:
        count = 1
    elif model.capability("signal_per_connection"):
        count = limit // 4
    else:
        count = model.room_for(size(300, 2000))
    own_count = ["unshare", "--user", "prlimit", f"--sigpending={limit}:{limit}"]
    if subprocess.run([*own_count, "true"], capture_output=True).returncode != 0:
        pytest.skip("environment: no user namespace and signal limit of its own")
    with Server(model, wrap=own_count) as server:
        usual = len(server.processes())
        socks = client.crowd(server, count, hold=True)
        for round_ in range(3):
            messages = [client.pattern(f"{round_}:{number}", 100) for number in range(count)]
            with server.suspended():
                for sock, message in zip(socks, messages):
                    sock.sendall(message)
                if model.name == "rt_signal":  # a signal for each event; sigio's are one that stands for all
                    queued = processes.status(server.pid, "SigQ")
                    assert queued >= limit, f"{count} clients have sent, and only {queued} of {limit} signals are queued"
            for number, (sock, message) in enumerate(zip(socks, messages)):
                what = f"round {round_}, client {number} of {count}"
                sock.settimeout(PATIENCE)
                client.expect_same(client.receive(sock, len(message), what), message, what)
        for sock in socks:
            sock.close()
        server.expect_processes_ended(usual)


def test_suspend_and_continue(model):
    """Control-Z and fg: waits come back with EINTR, and nothing is lost."""
    payload = client.pattern("stop", MIB)
    with Server(model) as server, client.connect(server) as sock:
        for _ in range(3):
            client.echo(sock, b"before")
            with server.suspended():
                sent = client.fill(sock, payload, quiet=0.02)
            client.converse(sock, payload, sent=sent)
