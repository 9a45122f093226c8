"""Many connections: at once, one after the other, and those that end badly."""

import contextlib
import json
import random
import selectors
import socket

import pytest

from support import client
from support.patience import PATIENCE, wait_until
from support.server import Server

# Who closes what comes when all places are taken, and what it cannot watch: descriptors from FD_SETSIZE on. With
# others it waits.
REFUSE_BEYOND_THEIR_LIMIT = ("select",)
FD_SETSIZE = 1024


@pytest.mark.every_model
def test_simultaneous_connects_each_echo(model, size):
    """All at once, more than some have places for: then they wait in the backlog and are served as others leave.
    Only a model that refuses them gets no more than it has places for."""
    count = size(300, 2000)
    if model.name in REFUSE_BEYOND_THEIR_LIMIT:
        count = model.room_for(count)
    with Server(model) as server:
        socks = client.crowd(server, count, hold=model.concurrent and model.room_for(count) == count)
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


@pytest.mark.every_model
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


@pytest.mark.every_model
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


def is_refused(sock):
    """What has come is the connection's end instead of an answer."""
    try:
        return not sock.recv(100)
    except ConnectionResetError:
        return True


def outcomes(socks, expected):
    """What becomes of each that has spoken, of so many at least; the others have been left in silence for 0.3 s."""
    seen = {}
    with selectors.DefaultSelector() as selector:
        for sock in socks:
            selector.register(sock, selectors.EVENT_READ)
        while len(seen) < len(socks) and (events := selector.select(PATIENCE if len(seen) < expected else 0.3)):
            for key, _ in events:
                selector.unregister(key.fileobj)
                seen[key.fileobj] = "refused" if is_refused(key.fileobj) else "served"
    return list(seen.values())


@pytest.mark.every_model
@pytest.mark.needs("concurrent", True)
def test_limit_of_the_mechanism(model, tmp_path):
    """Beyond it clients wait, or are refused and counted (select and FD_SETSIZE); those within it never notice."""
    limit = model.max_connections
    if not limit:
        pytest.skip("declared: max_connections is 0")
    refuses = model.name in REFUSE_BEYOND_THEIR_LIMIT
    counters = tmp_path / "counters.json"
    with Server(model, "--counters", counters) as server:
        with client.connect(server) as first:
            crowd = client.crowd(server, model.room_for(limit), hold=True)
            room = limit - 1 - len(crowd)
            beyond = [client.connect(server) for _ in range(100)]
            for sock in beyond:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    sock.sendall(b"any room?")
            seen = outcomes(beyond, expected=100 if refuses else room)
            served, refused = seen.count("served"), seen.count("refused")
            for sock in crowd[::17]:
                sock.settimeout(PATIENCE)
                client.echo(sock, b"within", f"{len(crowd)} connections and 100 beyond the limit")
            client.echo(first, b"first")
            for sock in beyond + crowd:
                sock.close()
        client.echo_once(server)
    at_once = 1 + len(crowd) + served
    told = f"limit {limit}: {at_once} were served at once, {refused} refused, {100 - served - refused} left to wait"
    assert limit <= at_once <= (FD_SETSIZE if refuses else limit), told
    assert refused == (100 - served if refuses else 0), told
    assert json.loads(counters.read_text())["refused"] == refused, f"{told}; counted: {counters.read_text()}"
