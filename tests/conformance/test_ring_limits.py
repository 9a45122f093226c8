"""What an io_uring does when it runs out of something: room for completions, buffers, descriptors. A small
library put before liburing tells whether that has happened: else the test would prove nothing."""

import pathlib
import resource
import time

import pytest

from support import client, preload, trace
from support.patience import PATIENCE, wait_until
from support.server import Server

pytestmark = pytest.mark.every_model

# They accept and send outside of the ring.
ORDINARY_CALLS = ("uring_poll", "uring_epoll_wait")


@pytest.fixture(scope="session")
def ring_watch(libraries):
    return preload.build("ring_watch.c", libraries)


@pytest.fixture
def watched(model, ring_watch, tmp_path):
    """(environment, seen): what the server needs, and whether it has met "overflow" or "no_buffers".
    Of "no_descriptors" there is a file from the start, with a byte for each accept that found none."""
    library = str(model.description.get("features", {}).get("library_version"))
    if not library.startswith("liburing"):
        pytest.skip(f"declared: library_version is {library}, not liburing")
    notes = tmp_path / "ring"
    return {**preload.environment(ring_watch), "RING_WATCH": str(notes)}, lambda what: notes.with_suffix(f".{what}").exists()


def write_while_it_is_away(server, socks, payloads):
    with server.suspended():
        for sock, payload in zip(socks, payloads, strict=True):
            sock.settimeout(PATIENCE)
            sock.sendall(payload)
    for sock, payload in zip(socks, payloads, strict=True):
        client.expect_same(client.receive(sock, len(payload)), payload, "what was sent meanwhile")


def test_completions_that_have_no_room(model, watched):
    """Room for 16 where 200 connections have something to tell: none of it is lost, and nobody is left waiting."""
    if model.name == "uring_epoll_wait":
        pytest.skip("declared: uring_epoll_wait has one operation in its ring")
    environment, seen = watched
    with Server(model, environment={**environment, "RING_ENTRIES": "16"}) as server:
        client.echo_once(server)
        before = server.descriptors()
        for turn in range(3):
            payloads = [client.pattern(f"{turn} {number}", 1 + 97 * number) for number in range(200)]
            socks = client.crowd(server, len(payloads), hold=True)
            for _ in range(3):
                write_while_it_is_away(server, socks, payloads)
            with server.suspended():  # all at once, too: ends and what new clients bring
                for sock in socks:
                    sock.close()
        client.echo_once(server)
        client.expect_return_to(server.descriptors, before, "descriptors after all have gone")
    assert seen("overflow"), "the completions had room"


def test_answers_that_do_not_go_out_whole_while_completions_have_no_room(model, watched):
    """64 clients wrote and do not read: sends get stuck half done, all at once, and that news has no room either."""
    if model.name == "uring_epoll_wait":
        pytest.skip("declared: uring_epoll_wait has one operation in its ring")
    environment, seen = watched
    payload = client.pattern("unread", 1 << 20)
    with Server(model, environment={**environment, "RING_ENTRIES": "16"}) as server:
        socks = [client.connect(server, receive_buffer=4096) for _ in range(64)]
        with server.suspended():
            sent = [client.fill(sock, payload, quiet=0.01) for sock in socks]
        for sock, already in zip(socks, sent, strict=True):
            client.converse(sock, payload, sent=already)
            sock.close()
    assert seen("overflow"), "the completions had room"


def test_sends_that_are_short(model, watched):
    """Half of each is sent, and what is linked to it is cancelled; or, with more pieces than one, what the buffers hold."""
    if model.name in ORDINARY_CALLS:
        pytest.skip(f"declared: {model.name} sends with send(2)")
    environment, seen = watched
    with Server(model, environment={**environment, "RING_SHORT_SENDS": "1"}) as server:
        socks = client.crowd(server, 8, hold=True)
        for size in (2, 64, 4097, 65_537, 1 << 20):
            for number, sock in enumerate(socks):
                payload = client.pattern(f"{size} {number}", size)
                client.converse(sock, payload)
        for sock in socks:
            sock.close()
    assert seen("short_send"), "all sends went out whole"


def test_receives_that_find_no_buffer(model, watched):
    """60,000 bytes on each of 64 connections: more than uring_multishot has buffers for all of them to pick from."""
    environment, seen = watched
    if "provided_buffers" not in model.description["features"]:
        pytest.skip("declared: provided_buffers are none: each receive has a buffer of its own")
    payloads = [client.pattern(f"away {number}", 60_000) for number in range(64)]
    with Server(model, environment=environment) as server:
        socks = client.crowd(server, len(payloads), hold=True)
        write_while_it_is_away(server, socks, payloads)
        for sock in socks:
            client.echo(sock, b"and on it goes")
            sock.close()
    assert seen("no_buffers"), "all receives have found a buffer"


def test_accepts_that_find_no_descriptor(model, watched):
    """They make no system call that could be counted, least of all where a kernel thread submits: their completions are."""
    if model.name in ORDINARY_CALLS:
        pytest.skip(f"declared: {model.name} accepts with accept(2)")
    if "direct_descriptors" in model.description["features"]:
        pytest.skip("declared: direct_descriptors, a table of a size that is known: it does not ask for more")
    environment, _ = watched
    failed = pathlib.Path(environment["RING_WATCH"]).with_suffix(".no_descriptors")
    limit = 64
    with Server(model, limits=[(resource.RLIMIT_NOFILE, (limit, limit))], environment=environment) as server:
        socks = [client.connect(server) for _ in range(limit + 8)]
        wait_until(lambda: failed.stat().st_size > 0, f"{limit + 8} clients came, and none found that descriptors are exhausted")
        before, since = failed.stat().st_size, time.monotonic()
        time.sleep(1)
        rate = (failed.stat().st_size - before) / (time.monotonic() - since)
        assert 0 < rate < trace.MOST_PER_SECOND, f"descriptors are exhausted: {rate:.0f} accepts a second fail"
        for sock in socks:
            client.echo(sock, b"each in its turn")
            sock.close()
