"""Descriptors run out: few calls fail, nobody who is inside notices, and those who wait are served when there is room."""

import os
import resource
import selectors
import socket
import time

from support import client, processes, trace
from support.patience import PATIENCE
from support.server import Server

LIMIT = 128  # ulimit -n
# Another user's process has its limits changed by CAP_SYS_RESOURCE only, which root may lack.
STAYS_OURS = ("--user", "root") if os.geteuid() == 0 else ()
SIZE = 100  # bytes of a client's message
QUIET = 0.3  # seconds without an answer after which a client seems to wait for room; watch_the_shortage() finds out
TRIES = (*trace.ACCEPT, *trace.ENTER, *trace.FORK)  # the calls in which a model would try again and again


def ask(server, number):
    sock = client.connect(server)
    sock.sendall(client.pattern(number, SIZE))
    return sock


def answer(sock, number, seconds):
    """True: answered, byte for byte; False: closed without an answer; None: it still waits after so long."""
    sock.settimeout(seconds)
    try:
        data = sock.recv(SIZE)
    except TimeoutError:
        return None
    except ConnectionResetError:
        return False
    if not data:
        return False
    sock.settimeout(PATIENCE)
    data += client.receive(sock, SIZE - len(data))
    client.expect_same(data, client.pattern(number, SIZE), f"client {number}")
    return True


class NothingFree:
    """The limit of each process is lowered to the descriptors that it has open.

    Who has just handed a connection over, as a parent does to its child, may have it open for a moment more, so
    lower() can be called again: a limit only ever falls."""

    def __init__(self, server):
        self.limits = dict.fromkeys(server.processes(), LIMIT)
        self.lower()

    def lower(self):
        for pid, limit in self.limits.items():
            self.limits[pid] = min(limit, processes.lowest_free_descriptor(pid))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (self.limits[pid], LIMIT))

    def lift(self):
        for pid in self.limits:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))


def come_until_one_waits(server, nothing_free, stay):
    """Clients come one after the other, and stay or leave when they are answered, until one has no answer.

    It takes some: an accept call that waits has its descriptor before the limit comes. Returns those who stayed,
    and {number: socket} of the one who waits."""
    stayed = []
    most = LIMIT + len(nothing_free.limits)
    for number in range(most):
        nothing_free.lower()
        sock = ask(server, number)
        if not answer(sock, number, QUIET):
            return stayed, {number: sock}
        stayed.append(sock) if stay else sock.close()
    raise AssertionError(f"descriptors never ran out: {most} clients came and all were answered")


def watch_the_shortage(server, inside, waiting):
    """While nothing can be accepted: few calls, little CPU, and those inside are served.

    Returns who waited for room all the time, and who had only been slow to be answered, both as {number: socket}."""
    cpu, since = server.cpu_seconds(), time.monotonic()
    with trace.Trace(server, "-e", "trace=" + trace.names(*TRIES)) as traced:
        time.sleep(0.5)
        used = (server.cpu_seconds() - cpu) / (time.monotonic() - since)
    for sock in inside:
        client.echo(sock, b"still works", "a connection from before, while descriptors are exhausted")
    trace.expect_no_storm(traced, TRIES, "out of descriptors")
    assert used < 0.5 or server.model.capability("idle_cpu") or server.model.sanitized, \
        f"out of descriptors: {used:.0%} of a CPU used while there is nothing to do"
    verdicts = {number: answer(sock, number, 0.001) for number, sock in waiting.items()}
    if not server.model.capability("sheds_when_full"):
        shed = [number for number, verdict in verdicts.items() if verdict is False]
        assert not shed, f"clients {shed} of {list(verdicts)} were closed instead of being left to wait"
    return ({number: sock for number, sock in waiting.items() if verdicts[number] is None},
            {number: sock for number, sock in waiting.items() if verdicts[number]})


def expect_all_served(server, waiting):
    """There is room again: those who wait are answered in turn, and a new client too."""
    for number, sock in waiting.items():
        with sock:
            verdict = answer(sock, number, PATIENCE)
            assert verdict, f"client {number} has waited for room: expected its answer, seen {verdict}"
    client.echo_once(server)


def test_out_of_descriptors_at_accept(model):
    """The limit of each process is lowered to what it has open, so that models whose connections live in processes
    of their own meet it too. The table of a ring (uring_multishot) keeps the size that it had at the start and is
    filled up instead."""
    options = ("--workers", "16") if model.capability("workers") else ()
    with Server(model, *options, *STAYS_OURS, limits=[(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))]) as server:
        usual = len(server.processes())
        with client.connect(server) as sock:
            client.echo(sock, b"what the first connection makes, such as threads, is there now")
            sock.shutdown(socket.SHUT_WR)
            client.expect_end(sock)  # its descriptor is free again
        client.expect_return_to(lambda: len(server.processes()), usual, "processes after one connection")
        client.expect_return_to(lambda: len(server.zombies()), 0, "zombies")
        inside = [client.connect(server) for _ in range(4)] if model.concurrent else []
        for sock in inside:
            client.echo(sock, b"inside")
        nothing_free = NothingFree(server)
        # Workers that are all taken would be no shortage of descriptors.
        stay = model.concurrent and not model.capability("one_client_per_worker")
        stayed, waiting, slow = [], {}, None
        while slow is None or slow:  # who was only slow to be answered did not wait for room
            nothing_free.lower()
            if not waiting:
                more, waiting = come_until_one_waits(server, nothing_free, stay)
                stayed += more
                waiting |= {number: ask(server, number) for number in range(1000, 1032)}
            waiting, slow = watch_the_shortage(server, inside, waiting)
            for sock in slow.values():
                stayed.append(sock) if stay else sock.close()
        nothing_free.lift()
        for sock in stayed:
            sock.close()
        expect_all_served(server, waiting)
        for sock in inside:
            client.echo(sock, b"inside")
            sock.close()


def answered_at_once(clients, quiet):
    """{number: answer()} of those who have an answer, or an end, when all have or nothing has happened for so long."""
    with selectors.DefaultSelector() as selector:
        for number, sock in clients.items():
            selector.register(sock, selectors.EVENT_READ, number)
        seen = {}
        while len(seen) < len(clients) and (events := selector.select(quiet)):
            for key, _ in events:
                seen[key.data] = answer(key.fileobj, key.data, PATIENCE)
                selector.unregister(key.fileobj)
    return seen


def test_small_descriptor_limit_from_the_start(model):
    """The same as a user meets it: `ulimit -n`, more clients at once than that, and everyone is served in turn.

    A process for each client has descriptors for it, and who serves one client at a time needs no more: nobody
    waits for a descriptor there."""
    process_each = model.description["family"] == "process"
    pool = ("--workers", LIMIT + 40) if model.pool else ()
    with Server(model, *pool, limits=[(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))]) as server:
        clients = {number: ask(server, number) for number in range(LIMIT + 40 if model.concurrent else 3)}
        seen = answered_at_once(clients, PATIENCE if process_each else QUIET)
        inside = [clients[number] for number, answered in seen.items() if answered]
        waiting = {number: sock for number, sock in clients.items() if number not in seen}
        if process_each:
            assert len(inside) == len(clients), f"ulimit -n {LIMIT}: {len(inside)} of {len(clients)} clients were served"
        elif model.concurrent:
            slow = True
            while slow:
                waiting, slow = watch_the_shortage(server, inside, waiting)
                inside += slow.values()
            assert len(inside) <= LIMIT, f"ulimit -n {LIMIT}: {len(inside)} clients were served at the same time"
        for sock in inside:
            sock.close()
        expect_all_served(server, waiting)
