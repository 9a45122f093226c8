"""System calls that fail or do less than was asked. strace makes the kernel's answers; a small library
put before libc makes transfers short. A fault that never happened proves nothing: each test makes sure that
the kernel's answer was replaced, and passes over the models that make no such call."""

import re

import pytest

from support import client, preload, stated_calls, trace
from support.model_table import STARTS_FOR_CLIENTS
from support.server import Server

IN_A_PROGRAM_OF_ITS_OWN = {"inetd_nowait"}  # which strace does not follow
WAITS = {"select", "poll", "epoll_wait", "kevent", "sigtimedwait", "io_getevents", "io_uring_enter"}


def makes(model, calls):
    """Does the model make one of them? By the head of its file."""
    stated = stated_calls.names_of(model.name)
    in_the_ring = "io_uring_enter" in stated and "recv" not in stated
    if calls == trace.ACCEPT:
        return not in_the_ring
    if calls in (trace.RECEIVE, trace.SEND):
        return not in_the_ring and model.name not in IN_A_PROGRAM_OF_ITS_OWN
    if calls == trace.WAIT + trace.ENTER:
        return bool(stated & WAITS) or model.name == "prefork_fd_passing"  # its parent
    if calls == trace.ENTER:
        return "io_uring_enter" in stated
    if calls == ("io_submit",):
        return "io_submit" in stated
    if calls == ("epoll_ctl",):
        return bool(stated & {"epoll_wait", "kevent"}) or model.name == "uring_epoll_wait"
    if calls == trace.FORK:
        return model.name in STARTS_FOR_CLIENTS
    if calls == ("mmap",):  # a stack for each thread
        return model.name in {"posix_aio", "thread_per_connection"}
    return True


KINDS = (trace.ACCEPT, trace.RECEIVE, trace.SEND, trace.WAIT + trace.ENTER, trace.ENTER, ("io_submit",), ("epoll_ctl",), trace.FORK,
         ("mmap",))

# name: [(calls, error, which of them)]. A call can have one injection at a time.
TRANSIENT = {
    "interrupted": [(trace.WAIT + trace.ENTER + trace.RECEIVE + trace.SEND + trace.ACCEPT, "EINTR", "1+3")],
    "aborted": [(trace.ACCEPT, "ECONNABORTED", "1+3")],
    "no_memory_to_accept": [(trace.ACCEPT, "ENOMEM", "1..2")],
}
TRANSIENT_FULL = {
    "submission_refused": [(("io_submit",), "EAGAIN", "2..3")],
    "wait_interrupted": [(trace.WAIT + trace.ENTER, "EINTR", "1+2")],
    "ring_short_of_memory": [(trace.ENTER, "EAGAIN", "2+3")],
    "ring_busy": [(trace.ENTER, "EBUSY", "2+3")],  # completions that overflowed wait to be taken
    "receive_interrupted": [(trace.RECEIVE, "EINTR", "1+2")],
    "send_interrupted": [(trace.SEND, "EINTR", "1+2")],
    "accept_interrupted": [(trace.ACCEPT, "EINTR", "1+2")],
    "protocol_error": [(trace.ACCEPT, "EPROTO", "1..2")],
    "no_buffers_to_accept": [(trace.ACCEPT, "ENOBUFS", "1..2")],
    "file_table_full": [(trace.ACCEPT, "ENFILE", "1..2")],
}
# These may cost the connection that they happen to, nobody else.
FATAL = {
    "receive_reset": [(trace.RECEIVE, "ECONNRESET", "3")],
    "send_broken_pipe": [(trace.SEND, "EPIPE", "2")],
    # Not brk: inside glibc malloc(3) a failing brk is not always survived.
    "no_memory": [(("mmap",), "ENOMEM", "1..3")],
}
FATAL_FULL = {
    "receive_no_memory": [(trace.RECEIVE, "ENOMEM", "3")],
    "receive_timed_out": [(trace.RECEIVE, "ETIMEDOUT", "2")],
    "send_reset": [(trace.SEND, "ECONNRESET", "2")],
    "send_no_buffers": [(trace.SEND, "ENOBUFS", "2")],
}
REFUSED_WATCH = {
    "no_memory_to_watch": [(("epoll_ctl",), "ENOMEM", "3")],
}
REFUSED_WATCH_FULL = {
    "no_space_to_watch": [(("epoll_ctl",), "ENOSPC", "1")],
}


def cases(quick, full):
    """pytest parameters; those of the full tier are marked so."""
    return [*(pytest.param(faults, id=name) for name, faults in quick.items()),
            *(pytest.param(faults, id=name, marks=pytest.mark.full) for name, faults in full.items())]


def injection(faults):
    # strace stops the server at traced calls only, so nothing else is traced.
    every = trace.names(*(call for calls, _, _ in faults for call in calls))
    return ["-e", f"trace={every}", *(word for calls, error, when in faults for word in
                                      ("-e", f"inject={trace.names(*calls)}:error={error}:when={when}"))]


def skip_unless_it_makes(model, faults):
    for calls, _, _ in faults:
        if not makes(model, calls):
            pytest.skip(f"declared: {model.name} makes no call of {calls[0]} and its like")


def test_who_is_passed_over_makes_none_of_the_calls(model):
    passed_over = [calls for calls in KINDS if not makes(model, calls)]
    # A sanitizer maps memory for itself, whatever the model does.
    unmade = sorted({call for calls in passed_over for call in calls} - ({"mmap"} if model.sanitized else set()))
    with Server(model) as server:
        client.echo_once(server)  # buffers are there now, and the allocator has its memory
        with trace.Trace(server, "-e", "trace=" + trace.names(*unmade)) as traced:
            with client.connect(server) as sock:
                client.converse(sock, client.pattern(0, 20_000))
        assert not traced.counts, f"{model.name} is said to make no such calls: {dict(traced.counts)}"


def expect_reached(traced, faults):
    for calls, error, when in faults:
        assert traced.injected(*calls), \
            f"expected {error} for {calls}, the {when} of each; none was injected into {traced.count(*calls)} calls"


@pytest.mark.parametrize("faults", cases(TRANSIENT, TRANSIENT_FULL))
def test_interruptions_lose_nothing(model, faults):
    skip_unless_it_makes(model, faults)
    with Server(model) as server:
        client.echo_once(server)
        before = server.descriptors()
        with trace.Trace(server, *injection(faults)) as traced:
            for number in range(3):
                with client.connect(server) as sock:
                    client.converse(sock, client.pattern(number, 50_000))
                    client.echo(sock, b"short", f"while {faults} is injected")
        client.echo_once(server)
        client.expect_return_to(server.descriptors, before, f"descriptors after {faults} was injected")
    expect_reached(traced, faults)


@pytest.mark.needs("survives_refused_watch", True)
@pytest.mark.parametrize("faults", cases(REFUSED_WATCH, REFUSED_WATCH_FULL))
def test_a_refused_watch_costs_one_connection(model, faults):
    expect_the_cost_of_one_connection(model, faults)


@pytest.mark.needs("survives_refused_watch", True)
@pytest.mark.needs("work", "child")
def test_a_watch_refused_after_child_work_is_not_waited_for(model, tmp_path):
    faults = [(("epoll_ctl",), "ENOMEM", "3")]
    skip_unless_it_makes(model, faults)
    with Server(model, "--work", "child", "--root", tmp_path) as server:
        with trace.Trace(server, *injection(faults)) as traced:
            for number in range(3):
                with client.connect(server) as sock:
                    try:
                        for _ in range(2):
                            client.echo(sock, b"x", f"client {number}")
                    except (ConnectionError, AssertionError) as lost:
                        assert "timed out" not in str(lost).lower(), lost
        client.echo_once(server)
    expect_reached(traced, faults)


@pytest.mark.every_model
@pytest.mark.parametrize("faults", cases(FATAL, FATAL_FULL))
def test_failures_cost_one_connection(model, faults):
    expect_the_cost_of_one_connection(model, faults)


def expect_the_cost_of_one_connection(model, faults):
    skip_unless_it_makes(model, faults)
    mapping = any("mmap" in calls for calls, _, _ in faults)
    if model.sanitized and mapping:
        pytest.skip("environment: a sanitizer maps memory of its own, and ends the program when it cannot")
    with Server(model) as calm:
        # A model may open something after its ready line, so what it has at rest is known when it has answered.
        client.echo_once(calm)
        before = calm.descriptors()
    with Server(model) as server:
        if not mapping:  # the stack of a thread that has ended serves the next one, which needs no memory then
            client.echo_once(server)
        lost = 0
        with trace.Trace(server, *injection(faults)) as traced:
            for number in range(6):
                with client.connect(server) as sock:
                    try:
                        client.converse(sock, client.pattern(number, 20_000))
                        client.echo(sock, b"short")
                    except AssertionError as failure:
                        # Ended is allowed; wrong bytes and silence are not.
                        assert re.search("end of file|ConnectionReset|BrokenPipe", str(failure)), \
                            f"while {faults} is injected: {failure}"
                        lost += 1
        # Each process or thread counts its calls for itself, so every client may have met a failure.
        client.echo_once(server)
        client.expect_return_to(server.descriptors, before,
                                f"descriptors after {faults} was injected ({lost} connections lost)")
    expect_reached(traced, faults)


@pytest.fixture(scope="session")
def short_io(libraries):
    return preload.build("short_io.c", libraries)


@pytest.mark.every_model
def test_short_reads_and_writes(model, short_io, tmp_path):
    """Every transfer on a socket moves at most a few bytes, and some are interrupted first."""
    if not makes(model, trace.ACCEPT) or model.name == "posix_aio":
        pytest.skip(f"declared: {model.name} leaves its transfers to the kernel's ring or to the C library")
    mark = tmp_path / "short_io"
    environment = {**preload.environment(short_io), "SHORT_IO_MARK": str(mark)}
    if model.capability("edge_triggered"):
        # Where short means "drained" a transfer may not be cut at will; it may be interrupted.
        environment["SHORT_IO_ONLY_INTERRUPT"] = "1"
    payload = client.pattern("short", 20_000)
    with Server(model, environment=environment) as server:
        with client.connect(server) as sock:
            client.converse(sock, payload, half_close=True)
            client.expect_end(sock)
        for sock in client.crowd(server, 20, hold=model.concurrent):
            sock.close()
    with Server(model, protocol="greet", environment=environment) as server, client.connect(server) as sock:
        sock.sendall(b"a line that arrives in small pieces\n")
        client.expect_same(client.receive_to_end(sock), b"Hello World!\r\na line that arrives in small pieces\n",
                           "greet with short transfers")
    assert mark.exists(), "no transfer went through short_io.c"
