"""One connection, every byte: sizes, slowness, and both ways in which a conversation can end."""

import socket
import time

import pytest

from support import client
from support.patience import wait_until
from support.server import Server

MIB = 1 << 20
# Buffers and bookkeeping for one connection; far below what a server would need that stores what
# its client does not read.
BOUNDED_MEMORY = 4 * MIB


def expect_bounded_memory(server, before, what):
    if server.model.sanitized:
        return  # a sanitizer's own memory drowns the server's
    grown = server.peak_memory_bytes() - before
    assert grown < BOUNDED_MEMORY, \
        f"{what}: the server's memory grew by {grown / MIB:.1f} MiB, expected less than {BOUNDED_MEMORY / MIB:.0f}"


@pytest.mark.every_model
@pytest.mark.parametrize("bytes_", [1, 4097, 65537,
                                    *(pytest.param(bytes_, marks=pytest.mark.full) for bytes_ in (2, 4095, 4096, 16383, 16384, 16385))])
def test_sizes(model, bytes_):
    with Server(model) as server, client.connect(server) as sock:
        for seed in range(3):
            client.converse(sock, client.pattern(seed, bytes_))


def test_one_byte_writes(model):
    """10,000 of them, and none is lost, doubled or swapped."""
    payload = client.pattern("one byte", 10_000)
    with Server(model) as server, client.connect(server) as sock:
        client.converse(sock, payload, send_size=1)


def test_one_byte_at_a_time(model, size):
    """The same as question and answer: each byte is its own read."""
    payload = client.pattern("ping", size(200, 10_000))
    with Server(model) as server, client.connect(server) as sock:
        for at in range(len(payload)):
            client.echo(sock, payload[at:at + 1], f"byte {at}")


@pytest.mark.every_model
def test_slow_reader_gets_everything_in_bounded_memory(model, size):
    """The client sends all it can while it reads little and late, so that the server's writes get
    stuck and come short."""
    payload = client.pattern("slow", size(8, 64) * MIB)
    with Server(model) as server, client.connect(server, receive_buffer=16384) as sock:
        client.echo(sock, b"warm")
        server.forget_peak_memory()
        before = server.peak_memory_bytes()
        sent = client.fill(sock, payload)
        expect_bounded_memory(server, before, f"{sent} bytes sent to a server that cannot answer")
        reads = iter(range(1 << 30))

        def pause():
            if next(reads) < 20:
                time.sleep(0.002)

        client.converse(sock, payload, sent=sent, read_size=16384, pause=pause)
        expect_bounded_memory(server, before, f"after {len(payload)} bytes")


def test_reading_in_small_pieces(model, size):
    """Every write of the server is cut at another place."""
    payload = client.pattern("pieces", size(1, 4) * MIB)
    with Server(model) as server, client.connect(server, receive_buffer=2048) as sock:
        client.converse(sock, payload, sent=client.fill(sock, payload, quiet=0.03), read_size=1999)


def test_half_close_gives_everything_back_then_end_of_file(model):
    payload = client.pattern("half", 8 * MIB)
    with Server(model) as server, client.connect(server) as sock:
        sent = client.fill(sock, payload, quiet=0.03)
        client.converse(sock, payload, sent=sent, half_close=True)
        client.expect_end(sock, "8 MiB sent, finished and received")


@pytest.mark.every_model
def test_half_close_with_everything_in_flight(model):
    """FIN arrives behind data that the server has not begun to read."""
    payload = client.pattern("in flight", 60_000)
    with Server(model) as server, client.connect(server) as sock:
        client.echo(sock, b"accepted")
        with server.suspended():
            sock.sendall(payload)
            sock.shutdown(socket.SHUT_WR)
        seen = client.receive_to_end(sock)
        client.expect_same(seen, payload, "60,000 bytes and FIN at once")


def test_fin_without_data(model):
    with Server(model) as server:
        for situation in ("on connect", "after an exchange"):
            with client.connect(server) as sock:
                if situation == "after an exchange":
                    client.echo(sock, b"something")
                sock.shutdown(socket.SHUT_WR)
                client.expect_end(sock, f"FIN {situation}, no data pending")
        client.echo_once(server)


@pytest.mark.every_model
def test_reset_while_the_server_writes(model, size):
    payload = client.pattern("reset", 4 * MIB)
    with Server(model) as server:
        client.echo_once(server)
        before = server.descriptors()
        for _ in range(size(5, 50)):
            sock = client.connect(server, receive_buffer=4096)
            client.fill(sock, payload, quiet=0.01)
            client.reset(sock)
        client.echo_once(server)
        client.expect_return_to(server.descriptors, before, "descriptors after resets in mid-write")


def test_reset_before_accept(model, size):
    """The connection is in the backlog and already gone when the server looks."""
    with Server(model) as server:
        client.echo_once(server)
        before = server.descriptors()
        with server.suspended():
            for number in range(size(20, 200)):
                sock = client.connect(server)
                if number % 2:
                    sock.sendall(b"never mind")
                client.reset(sock)
        client.echo_once(server)
        client.expect_return_to(server.descriptors, before, "descriptors after resets in the backlog")


@pytest.mark.every_model
def test_close_with_unread_answers(model):
    """The client asks and leaves; the answer meets a closed socket (RST, then EPIPE)."""
    with Server(model) as server:
        client.echo_once(server)
        before = server.descriptors()
        for _ in range(30):
            sock = client.connect(server)
            sock.sendall(b"x" * 30_000)
            sock.close()
        client.echo_once(server)
        client.expect_return_to(server.descriptors, before, "descriptors after clients left early")


def test_many_questions_before_the_first_answer(model):
    """Pipelining: lines of all lengths at once come back as one stream."""
    payload = b"".join(client.pattern(n, n) for n in range(1, 500))
    with Server(model) as server, client.connect(server) as sock:
        client.converse(sock, payload, send_size=777)


@pytest.mark.parametrize("transport", ["unix", "ipv6"])
def test_other_transports(model, transport, tmp_path):
    if transport == "ipv6":
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            pytest.skip(f"environment: no ::1 here: {error}")
    listen = f"unix:{tmp_path}/s" if transport == "unix" else "[::1]:0"
    payload = client.pattern(transport, MIB)
    with Server(model, listen=listen) as server:
        with client.connect(server) as sock:
            client.converse(sock, payload, sent=client.fill(sock, payload, quiet=0.03), half_close=True)
            client.expect_end(sock)
        for sock in client.crowd(server, 50, hold=True) if model.concurrent else []:
            sock.close()
        client.echo_once(server)


@pytest.mark.every_model
def test_greet(model):
    """The greeting at once, one line back, then the end, however the line arrives."""
    greeting = b"Hello World!\r\n"
    with Server(model, protocol="greet") as server:
        for pieces in ([b"hi\n"], [b"h", b"i", b"\r\n"], [b"\n"], [b"x" * 5000 + b"\n"],
                       [b"one line\nand more than that\n"]):
            with client.connect(server) as sock:
                client.expect_same(client.receive(sock, len(greeting), "greeting"), greeting, "greeting")
                for piece in pieces:
                    sock.sendall(piece)
                line = b"".join(pieces).partition(b"\n")[0] + b"\n"
                client.expect_same(client.receive_to_end(sock, f"sent {pieces!r:.80}"), line, "the line")
        with client.connect(server) as sock:
            client.receive(sock, len(greeting))
            sock.sendall(b"no end of line")
            sock.shutdown(socket.SHUT_WR)
            rest = client.receive_to_end(sock, "a line that does not end")
            assert rest in (b"", b"no end of line"), f"a line that does not end: seen {rest!r}"


def test_work_spin_is_really_done(model):
    """Only a lower bound: the machine is shared."""
    with Server(model, "--work", "spin:20ms") as server, client.connect(server) as sock:
        began = time.monotonic()
        for _ in range(5):
            client.echo(sock, b"work")
        took = time.monotonic() - began
        assert took >= 0.1, f"5 requests of spin:20ms each were answered in {took * 1000:.1f} ms"


@pytest.mark.every_model
def test_work_sleep_blocks_for_each_request_and_uses_no_cpu(model):
    """Spinning would use all of the time. The kernel thread of uring_sqpoll spins for half of it."""
    with Server(model, "--work", "sleep:40ms") as server, client.connect(server) as sock:
        before = server.cpu_seconds()
        began = time.monotonic()
        for _ in range(5):
            client.echo(sock, b"work")
        took = time.monotonic() - began
        used = server.cpu_seconds() - before
        assert took >= 0.2, f"5 requests of sleep:40ms each were answered in {took * 1000:.1f} ms"
        if not model.capability("idle_cpu"):
            assert used <= 0.75 * took, f"5 requests of sleep:40ms each used {used * 1000:.0f} of {took * 1000:.0f} ms of CPU time"


@pytest.mark.every_model
@pytest.mark.needs("work", "child")
def test_work_child_answers_all_and_leaves_nothing(model, tmp_path, size):
    for n in range(20):
        (tmp_path / f"file{n}").touch()
    with Server(model, "--work", "child", "--root", tmp_path) as server:
        client.echo_once(server)
        before = server.descriptors(), len(server.processes())
        rounds = size(10, 200)
        socks = [client.connect(server) for _ in range(8 if model.concurrent else 1)]
        for number in range(rounds):
            for at, sock in enumerate(socks):
                sock.sendall(client.pattern((number, at).__repr__(), 100))
            for at, sock in enumerate(socks):
                expected = client.pattern((number, at).__repr__(), 100)
                client.expect_same(client.receive(sock, 100), expected, f"round {number}, client {at}")
        for sock in socks:
            sock.close()
        client.expect_return_to(server.descriptors, before[0], "descriptors after child work")
        client.expect_return_to(lambda: len(server.processes()), before[1], "processes after child work")
        wait_until(lambda: not server.zombies(), lambda: f"zombies after child work: {server.zombies()}")
