"""HTTP/1.1 on the wire: answers, versions, methods and pipelining (RFC 9110, 9112)."""

import email.utils
import socket
import time

import pytest

from support import client, http
from support.http_pages import PAGE, TEXT
from support.patience import PATIENCE


def test_get_and_head(http_server, root):
    for target, content, kind in [("/", PAGE, "text/html"), ("/index.html", PAGE, "text/html"),
                                  ("/a.txt", TEXT, "text/plain"), ("/a.txt?query=1", TEXT, "text/plain"),
                                  ("/%61.txt", TEXT, "text/plain"), ("/empty", b"", None),
                                  ("http://test/a.txt", TEXT, "text/plain"),
                                  ("/big.bin", (root / "big.bin").read_bytes(), None)]:
        with client.connect(http_server) as sock:
            reader = http.Reader(sock, f"GET {target}, then HEAD, then GET")
            for method in ("GET", "HEAD", "GET"):
                sock.sendall(http.get(target, method))
                answer = reader.answer(head_only=method == "HEAD")
                assert answer.status == 200, f"{method} {target}: expected 200, seen {answer.status}"
                client.expect_same(answer.body, content if method == "GET" else b"", f"{method} {target}")
                assert int(answer.fields["content-length"]) == len(content), \
                    f"{method} {target}: Content-Length {answer.fields['content-length']}, content {len(content)}"
                if kind:
                    seen = answer.fields.get("content-type", "")
                    assert seen.startswith(kind), f"{method} {target}: expected Content-Type {kind}, seen {seen!r}"
                assert not answer.closes, f"{method} {target}: HTTP/1.1 stays open, seen Connection: close"
                age = time.time() - email.utils.parsedate_to_datetime(answer.fields["date"]).timestamp()
                assert -2 < age < 5 + PATIENCE, f"Date is {age:.0f} s old"


def test_version_1_0_and_connection_options(http_server):
    for version, fields, stays in [
        ("HTTP/1.1", ["Host: test"], True),
        ("HTTP/1.1", ["Host: test", "Connection: close"], False),
        ("HTTP/1.1", ["Host: test", "Connection: foo, CLOSE"], False),
        ("HTTP/1.1", ["Host: test", "Connection: foo", "Connection: close"], False),
        ("HTTP/1.0", [], False),
        ("HTTP/1.0", ["Connection: keep-alive"], True),
        ("HTTP/1.0", ["Host: test", "Connection: close"], False),
    ]:
        request = http.get("/a.txt", version=version, fields=fields)
        with client.connect(http_server) as sock:
            reader = http.Reader(sock, f"sent {request!r}")
            for _ in range(2 if stays else 1):
                sock.sendall(request)
                answer = reader.answer()
                client.expect_same(answer.body, TEXT, f"sent {request!r}")
            if not stays:
                assert answer.closes or version == "HTTP/1.0", f"sent {request!r}: expected Connection: close"
                reader.expect_end()


def test_methods(http_server):
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        answer = http.expect_status(http_server, http.get("/a.txt", method), {405, 501})
        if answer.status == 405:
            allow = {word.strip() for word in answer.fields.get("allow", "").split(",")}
            assert allow == {"GET", "HEAD"}, f"{method}: 405 needs Allow: GET, HEAD; seen {answer.fields}"
    for method in ("BREW", "get", "GETT", "GE"):
        http.expect_status(http_server, http.get("/a.txt", method), {405, 501})
    http.expect_status(http_server, http.get("test:80", "CONNECT"), {400, 405, 501})


def pipelined(server, request, cuts, expected, what):
    """Sends it in pieces cut at those offsets; everything that comes back must be `expected`."""
    with client.connect(server) as sock:
        pieces = [request[a:b] for a, b in zip([0, *cuts], [*cuts, len(request)])]
        if len(request) < 10_000:
            for piece in pieces:
                sock.sendall(piece)
        else:
            for piece in pieces:
                sent = 0
                while sent < len(piece):  # answers are small against the buffers on the way
                    sent += sock.send(piece[sent:])
        sock.shutdown(socket.SHUT_WR)
        seen = http.without_dates(client.receive_to_end(sock, what))
        client.expect_same(seen, expected, what)


def test_pipelining_split_at_every_offset(http_server, size):
    targets = ["/a.txt", "/", "/empty", "/none"]
    single = {}
    for target in targets[:3]:
        with client.connect(http_server) as sock:
            sock.sendall(http.get(target))
            sock.shutdown(socket.SHUT_WR)
            single[target] = http.without_dates(client.receive_to_end(sock))
            assert single[target].startswith(b"HTTP/1.1 200 "), f"GET {target}: {single[target]!r:.100}"
    for count, step in [(1, 1), (2, size(3, 1)), (100, size(487, 1))]:
        chosen = [targets[n % 3] for n in range(count)]
        request = b"".join(http.get(target) for target in chosen)
        expected = b"".join(single[target] for target in chosen)
        for offset in range(1, len(request), step):
            pipelined(http_server, request, [offset], expected, f"{count} requests, split at {offset}")
    request = http.get("/a.txt") * 2
    pipelined(http_server, request, range(1, len(request)), single["/a.txt"] * 2, "2 requests, byte by byte")


@pytest.mark.every_model
def test_pipelined_large_and_small_to_a_slow_reader(http_server, root):
    """Order and bytes hold when answers are larger than every buffer."""
    big = (root / "big.bin").read_bytes()
    with client.connect(http_server, receive_buffer=8192) as sock:
        reader = http.Reader(sock, "big, small, HEAD, big, pipelined")
        sock.sendall(http.get("/big.bin") + http.get("/a.txt") + http.get("/big.bin", "HEAD") + http.get("/big.bin"))
        time.sleep(0.02)
        client.expect_same(reader.answer().body, big, "first of four")
        client.expect_same(reader.answer().body, TEXT, "second of four")
        assert reader.answer(head_only=True).fields["content-length"] == str(len(big))
        client.expect_same(reader.answer().body, big, "last of four")
