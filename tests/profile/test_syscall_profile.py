"""Does a model do what the head of its file says? strace counts, and the head's list is what must be seen.

The counts are of calls, never of time: under strace a server is many times slower, and that is no matter here.
"""

import collections
import contextlib

import pytest

from support import client, documents, processes, stated_calls, trace
from support.patience import wait_until
from support.server import Server

TOLERANCE = 0.02  # what comes before the first and after the last request


def wait_for_rest(model, server, pids):
    if not model.capability("idle_cpu"):
        wait_until(lambda: all(map(processes.is_at_rest, pids)), f"{server} does not come to rest")


@pytest.mark.unavailable_too
@pytest.mark.every_model
def test_the_head_of_the_file_and_the_documentation_tell_the_same(model):
    said = stated_calls.text_of(model.name)
    assert stated_calls.parse(said)
    row = documents.rows_of_models()[model.name]
    assert row["per request"] == said, \
        f"docs/models.md says {row['per request']!r} of {model.name}, the head of its file {said!r}"


@pytest.mark.every_model
def test_requests_one_by_one(model, size):
    """One connection asks and waits, and the server comes to rest before it asks again."""
    stated = stated_calls.parse(stated_calls.text_of(model.name))
    requests = size(300, 1000)
    # A worker that waits starts its call anew when strace attaches to it, so there are few of them.
    options = ("--workers", "2") if model.capability("one_client_per_worker") else ()
    with Server(model, *options) as server, client.connect(server) as sock:
        for _ in range(20):
            client.echo(sock, b"x" * 64)
        pids = server.processes()
        with trace.Trace(server) as traced:
            for _ in range(requests):
                client.echo(sock, b"x" * 64)
                wait_for_rest(model, server, pids)
    seen = {name: count / requests for name, count in
            stated_calls.count_by_stated_name(stated, traced.counts).items()}
    least, most = collections.Counter(), collections.Counter()
    for each in stated:
        least[each.name] += each.least
        most[each.name] += each.most
    for name in {*most, *seen}:
        count = seen.get(name, 0)
        assert least[name] - TOLERANCE <= count <= most[name] + TOLERANCE, \
            (f"server_{model.name}: expected {least[name]} to {most[name]} {name} per request, seen {count:.3f}; its file says "
             f"{stated_calls.text_of(model.name)!r}, strace { {k: round(v, 3) for k, v in seen.items()} }")


def test_requests_ready_at_once(model, size):
    """They share the calls that are marked "/k", and no others."""
    if not model.concurrent or model.capability("one_client_per_worker"):
        pytest.skip("declared: concurrent is false, or one_client_per_worker is true: it has no such calls")
    stated = stated_calls.parse(stated_calls.text_of(model.name))
    of_name = collections.defaultdict(list)
    for each in stated:
        of_name[each.name].append(each)
    clients, rounds = 16, size(20, 60)
    with Server(model) as server, contextlib.ExitStack() as stack:
        socks = [stack.enter_context(client.connect(server)) for _ in range(clients)]
        for sock in socks:
            client.echo(sock, b"x" * 64)
        pids = server.processes()
        with trace.Trace(server) as traced:
            for _ in range(rounds):
                wait_for_rest(model, server, pids)
                with server.suspended():
                    for sock in socks:
                        sock.sendall(b"x" * 64)
                for sock in socks:
                    client.expect_same(client.receive(sock, 64), b"x" * 64, "the answer")
    seen = stated_calls.count_by_stated_name(stated, traced.counts)
    for name, statements in of_name.items():
        if len({each.shared for each in statements}) > 1 or statements[0].most == float("inf"):
            continue  # some of its calls are shared and others not, or nothing is said of their number
        per_request = seen[name] / rounds / clients
        # A wait that SIGSTOP breaks off is counted too, so one call for all is seen as two or three for sixteen.
        assert (per_request < 0.5) == statements[0].shared, \
            (f"server_{model.name}, {clients} requests ready at once: seen {per_request:.2f} {name} for each of them; its file says "
             f"{stated_calls.text_of(model.name)!r}")
