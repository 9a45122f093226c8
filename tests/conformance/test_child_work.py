"""`--work child`: a process for each request, which must neither outlive the server nor hold it up, and which the
system may refuse to start. The find that the server starts is ours: it works until it is told to be done."""

import os
import pathlib
import signal

import pytest

from support import client, trace
from support.patience import PATIENCE, wait_until
from support.server import STOP_SECONDS, Server

pytestmark = [pytest.mark.every_model, pytest.mark.needs("work", "child")]


class Work:
    """Servers with this environment start children that each wait for a line in a FIFO."""

    def __init__(self, folder):
        find = folder / "find"
        find.write_text('#!/bin/sh\nread line < "$0.orders"\n')  # read is built in, so the shell starts nothing itself
        find.chmod(0o755)
        os.mkfifo(f"{find}.orders")
        self._orders = os.open(f"{find}.orders", os.O_RDWR)  # a FIFO with a writer never ends
        self.environment = {"PATH": f"{folder}:{os.environ['PATH']}"}

    def close(self):
        os.close(self._orders)

    def let_end(self, children):
        os.write(self._orders, b"\n" * children)


@pytest.fixture
def work(tmp_path):
    endless = Work(tmp_path)
    yield endless
    endless.close()


def children(server):
    """Those at work; before its exec one still has the server's name."""
    return [pid for pid in server.processes() if pathlib.Path(f"/proc/{pid}/comm").read_text() == "find\n"]


def set_to_work(server, count):
    """So many clients, each with a request that a child works for, and those children."""
    socks = [client.connect(server) for _ in range(count)]
    for sock in socks:
        sock.sendall(b"go")
    wait_until(lambda: len(children(server)) == count,
               lambda: f"{count} requests: expected as many children at work, seen {len(children(server))}")
    return socks


def clients_of(model):
    return 8 if model.concurrent else 1


def test_the_answer_waits_for_the_child(model, work):
    with Server(model, "--work", "child", environment=work.environment) as server:
        socks = set_to_work(server, clients_of(model))
        for sock in socks:
            sock.settimeout(0.05)
            with pytest.raises(TimeoutError):
                seen = sock.recv(100)
                pytest.fail(f"its child is at work, and the client got {seen!r}")
            sock.settimeout(PATIENCE)
        work.let_end(len(socks))
        for sock in socks:
            client.expect_same(client.receive(sock, 2, "the child is done"), b"go", "the child is done")
            sock.close()
        client.expect_return_to(lambda: len(server.zombies()), 0, "zombies after the children's end")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_children_at_work_end_with_the_server_at_its_deadline(model, work, number, noted_deadline):
    """The children would work on. The server sets itself a deadline, within the contract's time, and they end with it."""
    environment, deadlines = noted_deadline
    with Server(model, "--work", "child", environment=environment | work.environment) as server:
        socks = set_to_work(server, clients_of(model))
        server.signal(number)
        server.expect_end(f"{number.name} with children at work")
        for sock in socks:
            sock.close()
    assert all(0 < each < STOP_SECONDS for each in deadlines()), f"deadlines, in seconds: {deadlines()}"


def test_work_that_ends_before_the_deadline_is_answered(model, work, no_deadline):
    """After the signal: each client has its answer, then end of file."""
    with Server(model, "--work", "child", environment=no_deadline | work.environment) as server:
        socks = set_to_work(server, clients_of(model))
        server.signal(signal.SIGTERM)
        wait_until(server.is_refusing, "SIGTERM was sent, and the port still takes connections")
        work.let_end(len(socks))
        for sock in socks:
            client.expect_same(client.receive_to_end(sock, "at work at SIGTERM"), b"go", "at work at SIGTERM")
            sock.close()
        server.expect_end("SIGTERM, and the children ended")


def test_second_signal_ends_children_at_work_before_the_deadline(model, work, no_deadline):
    with Server(model, "--work", "child", environment=no_deadline | work.environment) as server:
        socks = set_to_work(server, clients_of(model))
        server.signal(signal.SIGTERM)
        wait_until(server.is_refusing, "SIGTERM was sent, and the port still takes connections")
        server.signal(signal.SIGTERM)
        server.expect_end("a second SIGTERM with children at work", status=128 + signal.SIGTERM)
        for sock in socks:
            sock.close()


def test_killed_server_leaves_no_child(model, work):
    """SIGKILL gives the server no chance to end them."""
    with Server(model, "--work", "child", environment=work.environment) as server:
        socks = set_to_work(server, clients_of(model))
        server.signal(signal.SIGKILL)
        server.wait_for_end()
        wait_until(lambda: not server.processes(),
                   lambda: f"the server was killed, and its processes live on: {server.processes()}")
        for sock in socks:
            sock.close()


def test_a_child_that_cannot_be_started_costs_one_connection(model, work):
    """vfork fails with EAGAIN, too many processes: the client whose work that was is cut off. Work that runs is
    answered, silent clients stay, and the next request has its child again."""
    count = clients_of(model) - 1  # those who are not cut off
    with Server(model, "--work", "child", environment=work.environment) as server:
        work.let_end(1)
        client.echo_once(server)
        before = server.descriptors()
        unlucky = client.connect(server)
        silent = [client.connect(server) for _ in range(count)]
        busy = set_to_work(server, count)
        calls = trace.names(*trace.FORK)
        with trace.Trace(server, "-e", f"trace={calls}", "-e", f"inject={calls}:error=EAGAIN") as traced:
            unlucky.sendall(b"go")
            assert client.is_closed(unlucky, PATIENCE), "its work cannot be started: expected the end, seen nothing"
            work.let_end(count)
            for sock in busy:
                client.expect_same(client.receive(sock, 2, "its child ran already"), b"go", "its child ran already")
        unlucky.close()
        assert traced.text.count("(INJECTED)") == 1, \
            f"one request: expected one call that fails, seen:\n{traced.text}"
        for sock in silent or [client.connect(server)]:
            sock.sendall(b"go")
            work.let_end(1)
            client.expect_same(client.receive(sock, 2, "after the shortage"), b"go", "after the shortage")
            sock.close()
        for sock in busy:
            sock.close()
        client.expect_return_to(server.descriptors, before, "descriptors after a child could not be started")


def test_no_such_program(model, tmp_path):
    """It is no work done: the client is cut off, not answered."""
    if b"__tsan_init" in model.program.read_bytes():
        pytest.skip("environment: ThreadSanitizer turns vfork into fork, and the child cannot tell that its exec failed")
    with Server(model, "--work", "child", environment={"PATH": str(tmp_path)}) as server:
        for _ in range(2):
            with client.connect(server) as sock:
                sock.sendall(b"go")
                assert client.receive_to_end(sock, "there is no find") == b"", "there is no find, and the client got an answer"
        client.expect_return_to(lambda: len(server.zombies()), 0, "zombies of children that found no program")
