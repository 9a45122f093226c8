"""HTTP requests that must be refused, and how such a connection ends (RFC 9110, 9112)."""

import socket

import pytest

from support import client, http
from support.http_pages import MIB, TEXT

# What is refused, and with which status; every one ends the connection.
BAD = {
    "empty lines only": (b"\r\n\r\n\r\n\r\n", 400),
    "no version": (b"GET /a.txt\r\n\r\n", 400),
    "no target": (b"GET HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "two spaces": (b"GET  /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "space in target": (b"GET /a .txt HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "space first": (b" GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "space last": (b"GET /a.txt HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    "tab": (b"GET\t/a.txt\tHTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "bad method": (b"G(T /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "not http at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "relative target": (b"GET a.txt HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "asterisk": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "other scheme": (b"GET ftp://a/a.txt HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "fragment": (b"GET /a.txt#part HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "8-bit target": (b"GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "control in target": (b"GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "bad escape": (b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "half escape": (b"GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "NUL escaped": (b"GET /a.txt%00.html HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "NUL in target": (b"GET /a\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "lower case version": (b"GET / http/1.1\r\nHost: a\r\n\r\n", 400),
    "version of three": (b"GET / HTTP/1.1.1\r\nHost: a\r\n\r\n", 400),
    "version too long": (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
    "version without digits": (b"GET / HTTP/x.y\r\nHost: a\r\n\r\n", 400),
    "version with comma": (b"GET / HTTP/1,1\r\nHost: a\r\n\r\n", 400),
    # Well-formed, but of a major version that is not served (RFC 9110 section 15.6.6).
    "version 2.0": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "version 0.9": (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
    "version 3.7": (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    # HTTP/1.1 again, and malformed.
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    "two Hosts, no case": (b"GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", 400),
    "bad Host": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "Host with path": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "Host with user": (b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    "Host with bad port": (b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
    "no colon": (b"GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", 400),
    "no name": (b"GET / HTTP/1.1\r\nHost: a\r\n: value\r\n\r\n", 400),
    "space before colon": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    "tab before colon": (b"GET / HTTP/1.1\r\nHost: a\r\nX\t: a\r\n\r\n", 400),
    "space before first field": (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    "obs-fold": (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400),
    "obs-fold with tab": (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", 400),
    "bad character in name": (b"GET / HTTP/1.1\r\nHost: a\r\nX(y): b\r\n\r\n", 400),
    "8-bit name": (b"GET / HTTP/1.1\r\nHost: a\r\nX\xe4: b\r\n\r\n", 400),
    "NUL in value": (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", 400),
    "control in value": (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\x07c\r\n\r\n", 400),
    "DEL in value": (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\x7fc\r\n\r\n", 400),
    "bare CR in value": (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400),
    "bare CR in request line": (b"GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "bare CR as line end": (b"GET / HTTP/1.1\rHost: a\r\r", 400),
    "CR CR LF": (b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400),
    "length negative": (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
    "length with plus": (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400),
    "length hexadecimal": (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\n", 400),
    "length empty": (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400),
    "length with space": (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 0\r\n\r\n", 400),
    "length with word": (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 10a\r\n\r\n", 400),
    "two lengths differ": (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    "length list differs": (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\nab", 400),
    # Well-formed, but more than any server takes (RFC 9110 section 15.5.14).
    "length enormous": (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 184467440737095516160\r\n\r\n", 413),
    "length and chunked": (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                           400),
    "chunked and length": (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
                           400),
    "chunked not last": (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "coding in 1.0": (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "coding empty": (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", 400),
    "coding misspelt": (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
}


def test_bad_requests_are_refused_and_closed(http_server):
    for name, (request, status) in BAD.items():
        # What follows must never be taken for a request of its own.
        answer = http.expect_status(http_server, request + http.get("/a.txt"), {status}, name)
        assert answer.closes, f"{name}, {request!r}: expected Connection: close with {answer.status}"
    answer = http.ask(http_server, http.get("/a.txt"))
    client.expect_same(answer.body, TEXT, "a good request after the bad ones")


def test_bad_requests_split_at_every_offset(http_server, size):
    """The verdict does not depend on how the bytes arrived."""
    for name in ("obs-fold", "bare CR in value", "two Hosts", "CR CR LF", "length and chunked", "version too long"):
        request, status = BAD[name]
        for offset in range(1, len(request), size(5, 1)):
            with client.connect(http_server) as sock:
                reader = http.Reader(sock, f"{name}, split at {offset}")
                try:
                    sock.sendall(request[:offset])
                    sock.sendall(request[offset:])
                except OSError:
                    pass  # it may have been refused by its first part
                answer = reader.answer()
                assert answer.status == status, f"{name}, split at {offset}: expected {status}, seen {answer.status}"
                reader.expect_end()


def test_line_ends_are_not_guessed(http_server):
    """A lone LF may be taken for a line end (RFC 9112 section 2.2) or refused, but not half of it."""
    for request in (b"GET /a.txt HTTP/1.1\nHost: a\n\n", b"GET /a.txt HTTP/1.1\r\nHost: a\n\r\n"):
        http.expect_status(http_server, request, {200, 400}, "lone LF")
    answer = http.expect_status(http_server, b"\r\n" + http.get("/a.txt"), {200}, "one empty line first")
    client.expect_same(answer.body, TEXT, "one empty line first")


def test_content_is_never_read_as_a_request(http_server):
    """Smuggling: whatever is done with content, what is in it is not answered."""
    hidden = http.get("/big.bin", "HEAD")
    for head in (http.get("/a.txt", fields=["Host: a", f"Content-Length: {len(hidden)}"]),
                 http.get("/a.txt", "POST", fields=["Host: a", f"Content-Length: {len(hidden)}"])):
        with client.connect(http_server) as sock:
            sock.sendall(head + hidden + http.get("/a.txt", fields=["Host: a", "Connection: close"]))
            seen = client.receive_to_end(sock, f"sent {head!r} with a request as its content")
            assert str(3 * MIB).encode() not in seen, f"sent {head!r}: its content was answered as a request: {seen!r:.300}"


def oversized(server, begin, filler, total, end):
    """Sends all of it, whatever is answered meanwhile. Returns the answer, which must survive, and by how much the
    server's memory has grown at most, since before: what is freed at the end counts too."""
    with client.connect(server) as sock:
        reader = http.Reader(sock, f"{begin!r} and {total} bytes of {filler!r}")
        sock.sendall(http.get("/a.txt"))  # who serves this connection, a new process perhaps, is there now
        reader.answer()
        server.forget_peak_memory()
        before = server.peak_memory_bytes()
        sent = 0
        try:
            sock.sendall(begin)
            while sent < total:
                sent += sock.send((filler * (65536 // len(filler) + 1))[:min(65536, total - sent)])
            sock.sendall(end)
        except (BrokenPipeError, ConnectionResetError):
            pytest.fail(f"{begin!r}: connection was reset after {sent} of {total} bytes; the answer would be lost")
        answer = reader.answer()
        grown = server.peak_memory_bytes() - before  # while the connection, and who serves it, is still there
        reader.expect_end()
        return answer, grown


def test_oversized_heads_in_bounded_memory(http_server):
    for begin, filler, status in [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"x", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"y", 431),
        (b"GET /", b"x", 414),
        (b"GET /?", b"%41", 414),
        (b"G", b"E", 414),
    ]:
        told = f"{begin!r} and 1 MiB of {filler!r}"
        answer, grown = oversized(http_server, begin, filler, MIB, b"\r\n\r\n")
        assert answer.status == status, f"{told}: expected {status}, seen {answer.status}"
        # A ring of provided buffers is 512 KiB, and may be new to these.
        assert grown < MIB * 3 // 4 or http_server.model.sanitized, f"{told}: the server's memory grew by {grown // 1024} KiB"
    # Just within what RFC 9112 section 3 asks for.
    http.expect_status(http_server, http.get("/" + "x" * 7900), {404}, "a target of 7900 bytes")


def test_final_answer_survives_what_the_client_still_sends(http_server):
    """Closing with unread input would send RST, and that destroys an answer in flight (RFC 9112, 9.6)."""
    for request in (b"nonsense\r\n\r\n", http.get("/a.txt", "POST", fields=["Host: a", "Content-Length: 500000"])):
        for _ in range(5):
            with client.connect(http_server) as sock:
                try:
                    sock.sendall(request)
                    for _ in range(50):
                        sock.sendall(b"z" * 10_000)
                except OSError as error:
                    pytest.fail(f"sent {request!r} and 500 kB more: {type(error).__name__}; the answer would be lost")
                sock.shutdown(socket.SHUT_WR)
                reader = http.Reader(sock, f"sent {request!r} and 500 kB more")
                answer = reader.answer()
                assert answer.status >= 400
                reader.expect_end()
    # The same for the last of several pipelined ones.
    with client.connect(http_server) as sock:
        sock.sendall(http.get("/a.txt") + http.get("/a.txt", fields=["Host: a", "Connection: close"]) + b"z" * 100_000)
        reader = http.Reader(sock, "close, and more after it")
        client.expect_same(reader.answer().body, TEXT, "first")
        client.expect_same(reader.answer().body, TEXT, "second, which asks to close")


def test_nothing_is_left_of_refused_clients(http_server, size):
    """Lingering ends with the client."""
    http.ask(http_server, http.get("/a.txt"))
    before = http_server.descriptors()
    for _ in range(size(20, 200)):
        http.ask(http_server, b"nonsense\r\n\r\n")
        with client.connect(http_server) as sock:
            sock.sendall(b"nonsense\r\n\r\n and more of it")
        client.reset(client.connect(http_server))
    http.ask(http_server, http.get("/a.txt"))
    client.expect_return_to(http_server.descriptors, before, "descriptors after refused requests")


def test_half_request_and_fin(http_server):
    for request in (b"G", b"GET /a.txt HTTP/1.1\r\nHost: a\r\n", b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r"):
        with client.connect(http_server) as sock:
            sock.sendall(request)
            sock.shutdown(socket.SHUT_WR)
            seen = client.receive_to_end(sock, f"{request!r} and FIN")
            assert seen == b"" or seen.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 ")), f"{request!r} and FIN: seen {seen!r}"
