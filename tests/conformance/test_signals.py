"""Signals that have nothing to do with the end: they interrupt, they must not lose a byte."""

import contextlib
import pathlib
import signal
import subprocess
import sys

import pytest

from support import client
from support.server import Server

MIB = 1 << 20
TESTS = pathlib.Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def flood(server, number):
    """All of the server's processes get that signal, a few thousand times a second."""
    process = subprocess.Popen([sys.executable, "-m", "support.flood", str(server.session), str(int(number))],
                               cwd=TESTS, stdout=subprocess.PIPE, text=True)
    sent = []
    try:
        process.stdout.readline()
        yield sent
    finally:
        process.terminate()
        sent.append(int(process.stdout.readline()))
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGCHLD, signal.SIGUSR1], ids=lambda n: n.name)
def test_flood_loses_no_byte(model, number, size):
    payload = client.pattern(number.name, size(2, 16) * MIB)
    with Server(model) as server:
        with flood(server, number) as sent:
            with client.connect(server) as sock:
                client.converse(sock, payload, sent=client.fill(sock, payload, quiet=0.02), half_close=True)
                client.expect_end(sock, f"{len(payload)} bytes under a flood of {number.name}")
            for round_ in range(size(2, 10)):
                for sock in client.crowd(server, 20, hold=model.concurrent, seed=round_):
                    sock.close()
        assert sent[0] > 20, f"only {sent[0]} signals were sent"
        assert server.is_alive(), f"{number.name} ended the server"
        client.echo_once(server)


def test_suspend_and_continue(model):
    """Control-Z and fg: waits come back with EINTR, and nothing is lost."""
    payload = client.pattern("stop", MIB)
    with Server(model) as server, client.connect(server) as sock:
        for _ in range(3):
            client.echo(sock, b"before")
            with server.suspended():
                sent = client.fill(sock, payload, quiet=0.02)
            client.converse(sock, payload, sent=sent)
