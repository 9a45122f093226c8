"""Many connections: at once, one after the other, and those that end badly."""

import random
import socket

import pytest

from support import client
from support.patience import PATIENCE, wait_until
from support.server import Server


def test_simultaneous_connects_each_echo(model, size):
    count = model.room_for(size(300, 2000))
    with Server(model) as server:
        socks = client.crowd(server, count, hold=model.concurrent)
        for sock in socks:
            sock.close()
        client.echo_once(server)


def test_crowd_answers_in_any_order(model, size):
    """All connected, then spoken to in random order, again and again: nobody gets another's bytes."""
    count = model.room_for(size(100, 1000)) if model.concurrent else 1
    rng = random.Random(7)
    with Server(model) as server:
        socks = client.crowd(server, count, hold=True)
        for number in range(size(3, 20)):
            order = rng.sample(range(count), count)
            messages = {at: client.pattern((number, at).__repr__(), rng.choice([1, 64, 3000])) for at in order}
            for at in order:
                socks[at].settimeout(PATIENCE)
                socks[at].sendall(messages[at])
            for at in rng.sample(range(count), count):
                seen = client.receive(socks[at], len(messages[at]), f"client {at} of {count}")
                client.expect_same(seen, messages[at], f"round {number}, client {at} of {count}")
        for sock in socks:
            sock.close()


def test_connect_and_close_returns_to_the_baseline(model, size):
    """Every kind of end in turn; afterwards no descriptor, thread, process or zombie more than before."""
    # Few workers, so that each has had its first connection, which may touch memory, before the count begins.
    options = ("--workers", "8") if model.capability("one_client_per_worker") else ()
    with Server(model, *options) as server:
        client.echo_once(server)
        # The first connections may make things that stay, such as a thread pool.
        client.expect_return_to(lambda: len(server.zombies()), 0, "zombies after one connection")
        before = server.descriptors(), len(server.processes()), server.threads()
        memory = None
        cycles = size(600, 10_000)
        for number in range(cycles):
            sock = client.connect(server)
            ending = number % 5
            if ending != 0:
                client.echo(sock, client.pattern(number, 100), f"connection {number} of {cycles}")
            if ending == 1:
                sock.shutdown(socket.SHUT_WR)
                client.expect_end(sock)
            client.reset(sock) if ending == 2 else sock.close()
            if number == cycles // 5:
                memory = server.memory_bytes()
        client.echo_once(server)
        client.expect_return_to(server.descriptors, before[0], f"descriptors after {cycles} connections")
        client.expect_return_to(lambda: len(server.processes()), before[1], f"processes after {cycles} connections")
        client.expect_return_to(server.threads, before[2], f"threads after {cycles} connections")
        if not model.sanitized:
            grown = server.memory_bytes() - memory
            assert grown < 512 * 1024, f"{cycles} connections came and went: memory grew by {grown // 1024} KiB"


def test_abrupt_closes_leave_no_zombie(model, size):
    with Server(model) as server:
        client.echo_once(server)
        before = server.descriptors(), len(server.processes())
        count = size(200, 1000)
        for first in range(0, count, 50):
            socks = [client.connect(server) for _ in range(50)]
            for sock in socks:
                sock.sendall(b"half a")
            for sock in socks:
                client.reset(sock)
        client.echo_once(server)
        client.expect_return_to(lambda: len(server.processes()), before[1], f"processes after {count} resets")
        client.expect_return_to(server.descriptors, before[0], f"descriptors after {count} resets")
        wait_until(lambda: not server.zombies(), lambda: f"zombies after {count} resets: {server.zombies()}")


def test_no_foreign_byte_when_descriptors_are_reused(model, size):
    """Connections end with answers pending while new ones, which get the same descriptors, begin."""
    rng = random.Random(11)
    slots = 24 if model.concurrent else 1
    with Server(model) as server:
        socks = [None] * slots
        for number in range(size(800, 20_000)):
            at = rng.randrange(slots)
            if socks[at] is None:
                socks[at] = client.connect(server)
            sock = socks[at]
            message = f"<{number}:{at}>".encode() + client.pattern(number, rng.choice([1, 100, 5000]))
            client.echo(sock, message, f"exchange {number} on connection {at}")
            end = rng.random()
            if end < 0.5:
                if end < 0.35:
                    # Its answer is never read: it must not reach the next owner of the descriptor.
                    sock.sendall(b"!" * rng.choice([1, 20_000]))
                client.reset(sock) if end < 0.2 else sock.close()
                socks[at] = None
        for sock in socks:
            if sock:
                sock.close()


@pytest.mark.needs("workers", True)
def test_workers_share_the_connections_and_end_together(model, size):
    with Server(model, "--workers", "3") as server:
        for _ in range(3):
            for sock in client.crowd(server, model.room_with_workers(3, size(200, 2000)), hold=True):
                sock.close()
        wait_until(lambda: not server.zombies(), lambda: f"zombies: {server.zombies()}")


def test_max_connections_limits_and_goes_on(model):
    """The surplus is not served while all places are taken, and a place that gets free is used."""
    if not model.concurrent:
        places = 1
    else:
        places = 4
    with Server(model, "--max-connections", places) as server:
        inside = [client.connect(server) for _ in range(places)]
        for sock in inside:
            client.echo(sock, b"inside")
        outside = [client.connect(server) for _ in range(3)]
        for sock in outside:
            sock.sendall(b"outside")
            sock.settimeout(0.1)
            with pytest.raises((TimeoutError, ConnectionError)):
                seen = sock.recv(100)
                if not seen:
                    raise ConnectionResetError  # refusing is as good as letting it wait
                pytest.fail(f"--max-connections {places}: client {places + 1} was served: {seen!r}")
        for sock in inside:
            client.echo(sock, b"still inside")
            sock.close()
        for sock in outside:
            sock.close()
        client.echo_once(server)


@pytest.mark.needs("concurrent", True)
def test_limit_of_the_mechanism(model):
    """select and FD_SETSIZE: those beyond it are refused, those within it never notice."""
    limit = model.capability("max_connections")
    if not limit:
        return
    with Server(model) as server:
        with client.connect(server) as first:
            crowd = client.crowd(server, model.room_for(limit), hold=True)
            beyond = [client.connect(server) for _ in range(100)]
            for sock in crowd[::17]:
                sock.settimeout(PATIENCE)
                client.echo(sock, b"within", f"{len(crowd)} connections and 100 beyond the limit")
            client.echo(first, b"first")
            for sock in beyond + crowd:
                sock.close()
        client.echo_once(server)
