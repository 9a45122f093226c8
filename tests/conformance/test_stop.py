"""Start and stop: the ready line, SIGTERM and SIGINT in every situation, and what is left behind.

A server that is told to stop gives what is in flight some time, by a deadline that it sets itself. Where nothing is in
flight it must not wait for that, so those tests take the deadline away (no_deadline): a server that waits then hangs.
"""

import contextlib
import fcntl
import os
import re
import signal
import struct
import termios
import threading
import time

import pytest

from support import client, models, processes, trace
from support.patience import PATIENCE, attempts, wait_until
from support.server import STOP_SECONDS, Server

MIB = 1 << 20


def stop(server, situation, number=signal.SIGTERM):
    server.signal(number)
    server.expect_end(situation)


def test_ready_line_comes_only_after_listen(model, tmp_path):
    for _ in range(3):
        with Server(model) as server:
            client.echo_once(server)
    # A leak check cannot run under ptrace.
    wrap = trace.traced_from_start(tmp_path / "log", "-e", "trace=listen,write,?io_uring_enter", "-s", "200")
    with Server(model, wrap=wrap, environment={"ASAN_OPTIONS": "detect_leaks=0"}) as server:
        client.echo_once(server)
    log = (tmp_path / "log").read_text()
    listening = re.search(r"^.*\blisten\(\d+, \d+\) += 0", log, re.MULTILINE)
    ready = re.search(r"^.*write\(1, .*ready", log, re.MULTILINE)
    assert listening and ready and listening.end() < ready.start(), \
        f"expected listen(2) and then the ready line; seen:\n{log}"


def test_backlog_is_ours(model, tmp_path):
    """--backlog reaches listen(2); a connect storm depends on it."""
    wrap = trace.traced_from_start(tmp_path / "log", "-e", "trace=listen")
    with Server(model, "--backlog", 77, wrap=wrap, environment={"ASAN_OPTIONS": "detect_leaks=0"}):
        log = (tmp_path / "log").read_text()
    assert re.search(r"listen\(\d+, 77\)", log), f"--backlog 77: expected listen(fd, 77), seen {log!r}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
@pytest.mark.parametrize("transport", ["tcp", "unix"])
def test_a_server_without_clients_ends_before_its_deadline(model, number, transport, tmp_path, no_deadline):
    with Server(model, listen=f"unix:{tmp_path}/s" if transport == "unix" else "127.0.0.1:0", environment=no_deadline) as server:
        client.echo_once(server)
        stop(server, f"{number.name}, nobody connected", number)


def test_signals_go_to_the_main_thread(model):
    """A thread that is ending, or is about to wait again, would be asked to stop the server and not be seen to."""
    with Server(model, *(("--workers", 2) if model.capability("workers") else ())) as server, client.connect(server) as sock:
        client.echo(sock, b"so that there is a thread for the client")
        both = sum(1 << (number - 1) for number in (signal.SIGTERM, signal.SIGINT))

        def masks():
            return {thread: mask for thread, mask in processes.blocked_signals(server.pid).items() if thread != server.pid}

        assert bool(masks()) == models.starts_threads(model.name), \
            f"threads: {len(masks())}; does starts_threads() know how it starts them?"
        # Another worker may only just begin, and this is the first that a thread does.
        wait_until(lambda: all(mask & both == both for mask in masks().values()),
                   lambda: f"SIGTERM or SIGINT is not blocked in a thread: {[f'{mask:x}' for mask in masks().values()]}")


def test_a_server_that_never_had_a_client_ends_before_its_deadline(model, no_deadline):
    with Server(model, environment=no_deadline) as server:
        stop(server, "SIGTERM straight after the ready line")


@pytest.mark.every_model
@pytest.mark.parametrize("transport", ["tcp", "unix"])
def test_silent_connections_get_end_of_file(model, transport, tmp_path, no_deadline):
    """They have nothing in flight either: each sees FIN, none a reset, and the deadline is not waited for."""
    with Server(model, listen=f"unix:{tmp_path}/s" if transport == "unix" else "127.0.0.1:0", environment=no_deadline) as server:
        socks = client.crowd(server, 30 if model.concurrent else 1, hold=True)
        stop(server, "SIGTERM with silent connections")
        for sock in socks:
            sock.settimeout(PATIENCE)
            client.expect_end(sock, "a silent connection after SIGTERM")
            sock.close()


@pytest.mark.every_model
@pytest.mark.parametrize("transport", ["tcp", "unix"])
def test_what_is_in_flight_is_answered(model, transport, tmp_path, no_deadline):
    """Messages that have arrived when the signal comes are answered in full, then the connection ends."""
    with Server(model, listen=f"unix:{tmp_path}/s" if transport == "unix" else "127.0.0.1:0", environment=no_deadline) as server:
        socks = client.crowd(server, 10 if model.concurrent else 1, hold=True)
        messages = [client.pattern(n, 30_000) for n in range(len(socks))]
        with server.suspended():
            for sock, message in zip(socks, messages):
                sock.setblocking(True)
                sock.settimeout(PATIENCE)
                sock.sendall(message)
            server.signal(signal.SIGTERM)
        for sock, message in zip(socks, messages):
            client.expect_same(client.receive_to_end(sock, "in flight at SIGTERM"), message, "in flight at SIGTERM")
            sock.close()
        server.expect_end("SIGTERM with messages in flight")


@contextlib.contextmanager
def load(server, clients):
    """Clients that talk without a pause until they are cut off, each with an answer already; yields what went wrong."""
    wrong = []
    over = threading.Event()
    answered = [False] * clients

    def talk(number):
        message = client.pattern(number, 3000)
        try:
            with client.connect(server) as sock:
                while not over.is_set():
                    sock.sendall(message)
                    seen = b""
                    while len(seen) < len(message):
                        piece = sock.recv(4096)
                        if not piece:
                            break
                        seen += piece
                    if seen != message[:len(seen)]:
                        wrong.append(f"client {number}: expected a piece of its message, seen {client.show(seen)}")
                    if len(seen) < len(message):
                        return
                    answered[number] = True
        except (OSError, AssertionError):
            pass  # cut off

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: all(answered), lambda: f"clients without an answer: {[n for n in range(clients) if not answered[n]]}")
        yield wrong
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.every_model
def test_under_load(model):
    with Server(model) as server:
        with load(server, 8 if model.concurrent else 1) as wrong:
            time.sleep(0.1)
            stop(server, "SIGTERM under load")
        assert not wrong, wrong[0]


def unread_bytes(sock):
    """What the server has not read of what was sent on this AF_UNIX connection."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0]


def stuck_client(server):
    """It has sent until the server, which can send it nothing more, reads no more either. By AF_UNIX, whose buffers have a
    fixed size: those of TCP may grow later."""
    data = client.pattern("stuck", MIB)
    sock = client.connect(server)
    for _ in attempts("a client that never reads"):
        if not server.model.capability("idle_cpu"):
            wait_until(lambda: all(map(processes.is_at_rest, server.processes())), f"{server} does not come to rest")
        if client.fill(sock, data, quiet=0.1) == 0 and unread_bytes(sock) > 0:
            return sock


@pytest.mark.every_model
def test_a_client_that_never_reads_is_cut_off_at_the_deadline(model, noted_deadline, tmp_path):
    """It has answers in flight for ever. The server sets itself a deadline, within the contract's time."""
    environment, deadlines = noted_deadline
    with Server(model, listen=f"unix:{tmp_path}/s", environment=environment) as server:
        sock = stuck_client(server)
        stop(server, "SIGTERM with a client that never reads")
        sock.close()
    assert all(0 < each < STOP_SECONDS for each in deadlines()), f"deadlines, in seconds: {deadlines()}"


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_second_signal_ends_it_before_its_deadline(model, second, no_deadline, tmp_path):
    with Server(model, listen=f"unix:{tmp_path}/s", environment=no_deadline) as server:
        sock = stuck_client(server)
        server.signal(signal.SIGTERM)
        wait_until(server.is_refusing, "SIGTERM was sent, and the port still takes connections")
        server.signal(second)
        server.expect_end(f"SIGTERM, then {second.name}", status=128 + second)
        sock.close()


def test_a_second_signal_tells_of_a_full_disk_too(model, no_deadline, tmp_path):
    server = Server(model, "--counters", "/dev/full", listen=f"unix:{tmp_path}/s", environment=no_deadline).start()
    try:
        sock = stuck_client(server)
        server.signal(signal.SIGTERM)
        wait_until(server.is_refusing, "SIGTERM was sent, and the port still takes connections")
        server.signal(signal.SIGTERM)
        assert server.wait_for_end() == 128 + signal.SIGTERM
        assert server.stderr() == "the file of --counters could not be written\n"
        sock.close()
    finally:
        server.kill()


def test_no_new_connection_after_the_signal(model, no_deadline, tmp_path):
    with Server(model, listen=f"unix:{tmp_path}/s", environment=no_deadline) as server:
        sock = stuck_client(server)  # keeps it busy with ending
        server.signal(signal.SIGTERM)
        wait_until(server.is_refusing, "SIGTERM was sent, and the port still takes connections")
        assert server.is_alive(), "it did not wait for its client"
        sock.close()
        server.expect_end("SIGTERM, then the last client went")


def test_the_port_is_free_again_at_once(model):
    with Server(model) as server:
        listen = server.address
        client.echo_once(server)
        with client.connect(server) as sock:  # leaves a connection in TIME_WAIT on the server's side
            client.echo(sock, b"one")
            stop(server, "SIGTERM")
    with Server(model, listen=listen) as server:
        client.echo_once(server)


@pytest.mark.every_model
@pytest.mark.needs("workers", True)
def test_with_workers(model):
    with Server(model, "--workers", "3") as server:
        socks = client.crowd(server, model.room_with_workers(3, 40), hold=True)
        stop(server, "SIGTERM with three workers")
        for sock in socks:
            sock.close()


def test_killed_parent_leaves_no_process(model):
    """SIGKILL gives no chance to tidy up; children and workers must notice by themselves."""
    with Server(model, *(["--workers", "3"] if model.capability("workers") else [])) as server:
        count = 10 if model.concurrent else 1
        if model.capability("workers"):
            count = model.room_with_workers(3, count)
        socks = client.crowd(server, count, hold=True)
        os.kill(server.pid, signal.SIGKILL)
        server.wait_for_end()
        wait_until(lambda: not server.processes(),
                   lambda: f"the server was killed, and its processes live on: {server.processes()}")
        for sock in socks:
            sock.close()
