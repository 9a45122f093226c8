"""Clients that hold a server up, idle connections, and a server that can start nothing more."""

import contextlib
import socket
import time

import pytest

from support import client, trace
from support.model_table import STARTS_FOR_CLIENTS
from support.patience import PATIENCE, attempts, unless_held_up, wait_until
from support.server import Server

MIB = 1 << 20
IDLE_TIMEOUT = 1.0  # the option takes whole seconds


@pytest.mark.every_model
@pytest.mark.needs("concurrent", True)
def test_stalled_clients_do_not_hold_the_others(model):
    """Three that do not read what comes back, and three that say nothing. In the end one of the first reads after all:
    while the others came and went, the server has not forgotten that it is to be written to."""
    payload = client.pattern("stall", 16 * MIB)
    with Server(model) as server:
        unread = {client.connect(server, receive_buffer=4096): 0 for _ in range(3)}
        for sock in unread:
            unread[sock] = client.fill(sock, payload, quiet=0.03)
        silent = [client.connect(server) for _ in range(3)]
        for number in range(5):
            with client.connect(server) as sock:
                client.converse(sock, client.pattern(number, 100_000))
        late, sent = unread.popitem()
        late.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIB)  # no longer slow
        client.expect_same(client.receive(late, sent, "a client that reads at last"), payload[:sent], "read at last")
        late.close()
        for sock in [*unread, *silent]:
            client.reset(sock)
        client.echo_once(server)


@pytest.mark.needs("concurrent", True)
def test_stalled_in_mid_message_does_not_hold_the_others(model):
    """greet waits for the end of a line that does not come."""
    with Server(model, protocol="greet") as server:
        stalled = [client.connect(server) for _ in range(5)]
        for sock in stalled:
            client.receive(sock, 14, "greeting")
            sock.sendall(b"no end of")
        for _ in range(5):
            with client.connect(server) as sock:
                client.receive(sock, 14, "greeting while others stall")
                sock.sendall(b"line\n")
                client.expect_same(client.receive_to_end(sock), b"line\n", "line while others stall")
        for sock in stalled:
            sock.sendall(b" line\n")
            client.expect_same(client.receive_to_end(sock), b"no end of line\n", "the stalled line, at last")
            sock.close()


@pytest.mark.every_model
@pytest.mark.needs("concurrent", True)
def test_a_crowd_that_wrote_while_the_server_was_away(model):
    """Far more at once than its buffers hold."""
    payloads = [client.pattern(("away", number).__repr__(), 60_000) for number in range(64)]
    with Server(model) as server:
        socks = client.crowd(server, len(payloads), hold=True)
        with server.suspended():
            for sock, payload in zip(socks, payloads):
                sock.settimeout(PATIENCE)
                sock.sendall(payload)
        for sock, payload in zip(socks, payloads):
            client.expect_same(client.receive(sock, len(payload)), payload, "what was sent meanwhile")
            client.echo(sock, b"and on it goes")
            sock.close()


@pytest.mark.needs("concurrent", False)
def test_one_at_a_time_really_blocks(model):
    """What `concurrent: false` declares must be seen: the second waits for the end of the first."""
    with Server(model) as server:
        with client.connect(server) as first, client.connect(server) as second:
            client.echo(first, b"first")
            second.sendall(b"second")
            second.settimeout(0.3)
            with pytest.raises(TimeoutError):
                seen = second.recv(100)
                pytest.fail(f"declared concurrent: false, but the second client was served: {seen!r}")
            client.echo(first, b"first again")
            first.close()
            second.settimeout(PATIENCE)
            client.expect_same(client.receive(second, 6, "the first has gone"), b"second", "second client")


@pytest.mark.needs("idle_timeout", True)
def test_silent_clients_are_closed_by_the_idle_timeout(model):
    """A reader that stopped counts as silent, too."""
    with Server(model, "--idle-timeout", 1) as server:
        echo_in_time(server)
        before = server.descriptors()
        began = time.monotonic()
        silent = [client.connect(server)]
        if model.concurrent:
            stuck = client.connect(server, receive_buffer=4096)
            with contextlib.suppress(ConnectionError):  # on a slow machine its time may be over before the buffers are full
                client.fill(stuck, client.pattern("idle", 16 * MIB), quiet=0.03)
            silent.append(client.connect(server))
        for sock in silent:
            expect_closed_by_timeout(sock, began)
            sock.close()
        if model.concurrent:
            client.expect_return_to(server.descriptors, before, "descriptors after idle timeouts (one client was stuck)")
            stuck.close()


@pytest.mark.needs("idle_timeout", True)
@pytest.mark.needs("concurrent", True)
def test_a_client_that_fell_silent_after_a_message_is_closed_and_one_that_talks_is_not(model):
    with Server(model, "--idle-timeout", 1) as server:
        for _ in attempts("a client that talks all the time"):
            began = time.monotonic()
            with client.connect(server) as active, client.connect(server) as once:
                if not talk(active, [began]) or not talk(once, [began]):
                    continue
                spoke = [time.monotonic()]
                while time.monotonic() < began + 1.5 * IDLE_TIMEOUT and talk(active, spoke):
                    time.sleep(0.1 * IDLE_TIMEOUT)
                expect_closed_by_timeout(once, began)
                if talk(active, spoke):
                    return


@pytest.mark.needs("idle_timeout", True)
def test_a_client_that_comes_after_a_long_silence_is_served(model):
    """The server has been idle for longer than the timeout: the next client is new, not silent."""
    with Server(model, "--idle-timeout", 1) as server:
        echo_in_time(server)

        def come_after_a_silence():
            time.sleep(1.2 * IDLE_TIMEOUT)
            client.echo_once(server)

        unless_held_up(come_after_a_silence, (1.2 + 0.9) * IDLE_TIMEOUT, "a new client")


def echo_in_time(server):
    unless_held_up(lambda: client.echo_once(server), 0.9 * IDLE_TIMEOUT, "a client that does not wait")


def talk(sock, spoke):
    """One message of a client that spoke last at spoke[-1]. False: the machine held it up for as long as the idle timeout,
    so that it may have been closed."""
    try:
        client.echo(sock, b"active", f"--idle-timeout 1, active {time.monotonic() - spoke[-1]:.2f} s ago")
    except AssertionError:
        if time.monotonic() - spoke[-1] < 0.9 * IDLE_TIMEOUT:
            raise
        return False
    spoke.append(time.monotonic())
    return True


def expect_closed_by_timeout(sock, began):
    """Not before its time; `began` is before it connected."""
    assert client.is_closed(sock, PATIENCE), f"--idle-timeout 1: still open after {time.monotonic() - began:.1f} s"
    took = time.monotonic() - began
    assert took > 0.9 * IDLE_TIMEOUT, f"--idle-timeout 1: closed after only {took:.2f} s"


@pytest.mark.every_model
def test_idle_connections_cost_no_cpu(model, size):
    """From some time on; the first windows may still see the end of what the crowd set off. So many as the tier asks
    for, where a worker is a connection too; fewer only for select (FD_SETSIZE), and one where one is served at a time."""
    count = size(200, 1000) if model.concurrent else 1
    options = ()
    if model.capability("one_client_per_worker"):
        options = ("--workers", count)
    else:
        count = model.room_for(count)
    with Server(model, *options) as server:
        usual = len(server.processes())
        socks = client.crowd(server, count, hold=True)
        if model.capability("idle_cpu"):
            before = server.cpu_seconds()
            wait_until(lambda: server.cpu_seconds() > before + 0.02, f"declared idle_cpu, but {count} idle connections use no CPU time")
        else:
            window = size(0.5, 2.0)
            seen = []

            def share():
                before = server.cpu_seconds()
                time.sleep(window)
                seen.append((server.cpu_seconds() - before) / window)
                return seen[-1]

            share()
            wait_until(lambda: share() < 0.01 and max(seen[-2:]) < 0.01,
                       lambda: f"{count} idle connections: expected under 1 % of a CPU in two windows of {window} s, one "
                               f"after the other, seen {seen}")
        for sock in socks:
            sock.close()
        server.expect_processes_ended(usual)


def test_no_processes_or_threads_left(model):
    """fork, clone and pthread_create fail with EAGAIN: connections are shed or wait, and after the shortage the server is back."""
    if model.name not in STARTS_FOR_CLIENTS:
        pytest.skip(f"declared: {model.name} starts no process or thread for its clients")
    with Server(model) as server:
        client.echo_once(server)
        client.expect_return_to(lambda: len(server.zombies()), 0, "zombies")
        before = server.descriptors()
        calls = trace.names(*trace.FORK)
        with trace.Trace(server, "-e", f"trace={calls}", "-e", f"inject={calls}:error=EAGAIN") as traced:
            shed = [client.connect(server) for _ in range(3)]
            for sock in shed:
                sock.sendall(b"is anyone there")
            traced.wait_for_injection(*trace.FORK)
            time.sleep(0.3)  # in which a server that does not pause tries very often
        trace.expect_no_storm(traced, trace.FORK, "clone fails")
        for sock in shed:
            try:
                data = sock.recv(100)
                assert data in (b"", b"is anyone there"), f"seen {data!r}"
            except ConnectionResetError:
                pass
            sock.close()
        client.echo_once(server)
        client.expect_return_to(server.descriptors, before, "descriptors after clone failed")
