"""TCP urgent data. It is part of the stream here (SO_OOBINLINE, as RFC 6093 recommends), so the echo has every byte in its
place. A read ends where urgent data begins, however much follows: who takes a short read for the last one, and waits to be
told of more, would leave the connection there."""

import socket

import pytest

from support import client
from support.server import Server

# What is sent while the server does not run: (bytes, is the last of them urgent?).
STREAMS = {
    "in_the_middle": [(b"before", False), (b"!", True), (b"after", False)],
    "first": [(b"!", True), (b"after", False)],
    "last": [(b"before", False), (b"more!", True)],
    "alone": [(b"!", True)],
    "several": [(b"one", True), (b"two", False), (b"three", True), (b"four", True), (b"five", False)],
}


def send_pieces(sock, pieces):
    for data, urgent in pieces:
        assert sock.send(data, socket.MSG_OOB if urgent else 0) == len(data)


@pytest.mark.every_model
@pytest.mark.parametrize("cork", [False, True], ids=["segments", "one_segment"])
@pytest.mark.parametrize("pieces", [pytest.param(pieces, id=name, marks=[] if name in ("in_the_middle", "last") else pytest.mark.full)
                                    for name, pieces in STREAMS.items()])
def test_urgent_data_stays_in_its_place(model, pieces, cork, size):
    expected = b"".join(data for data, _ in pieces)
    with Server(model) as server, client.connect(server) as sock:
        client.echo(sock, b"accepted")
        for number in range(size(3, 30)):
            with server.suspended():
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, cork)
                send_pieces(sock, pieces)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, False)
            what = f"exchange {number} with urgent data"
            client.expect_same(client.receive(sock, len(expected), what), expected, what)
            client.echo(sock, b"ordinary", f"after exchange {number} with urgent data")


def test_urgent_data_while_the_server_runs(model, size):
    """The same without waiting for it: reads come wherever they happen to."""
    with Server(model) as server, client.connect(server) as sock:
        for number in range(size(100, 2000)):
            pieces = list(STREAMS.values())[number % len(STREAMS)]
            expected = b"".join(data for data, _ in pieces)
            send_pieces(sock, pieces)
            what = f"exchange {number} with urgent data"
            client.expect_same(client.receive(sock, len(expected), what), expected, what)


def test_the_end_of_file_behind_urgent_data(model):
    pieces = STREAMS["in_the_middle"]
    with Server(model) as server, client.connect(server) as sock:
        client.echo(sock, b"accepted")
        with server.suspended():
            send_pieces(sock, pieces)
            sock.shutdown(socket.SHUT_WR)
        seen = client.receive_to_end(sock, "urgent data and FIN at once")
        client.expect_same(seen, b"".join(data for data, _ in pieces), "urgent data and FIN at once")
