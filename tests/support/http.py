"""Requests as bytes, answers as checked objects (RFC 9112). Nothing is repaired on the way."""

import dataclasses
import re

from support import client


@dataclasses.dataclass
class Answer:
    status: int
    fields: dict  # names in lower case; a field that comes twice is a failure
    body: bytes

    @property
    def closes(self):
        return self.fields.get("connection", "").lower() == "close"


def get(target="/", method="GET", version="HTTP/1.1", fields=("Host: test",)):
    return "\r\n".join([f"{method} {target} {version}", *fields, "", ""]).encode("latin-1")


class Reader:
    """Takes answers from a stream, one after the other."""

    def __init__(self, sock, what):
        self._sock = sock
        self._what = what
        self._data = b""

    def _more(self):
        try:
            piece = self._sock.recv(1 << 18)
        except OSError as error:
            raise AssertionError(f"{self._what}: expected an answer, seen {client.show(self._data)}, then "
                                 f"{type(error).__name__}: {error}") from None
        if not piece:
            raise AssertionError(f"{self._what}: expected an answer, seen {client.show(self._data)}, then "
                                 f"end of file")
        self._data += piece

    def answer(self, head_only=False):
        while b"\r\n\r\n" not in self._data:
            self._more()
        head, _, rest = self._data.partition(b"\r\n\r\n")
        answer = parse_head(head, self._what)
        length = 0 if head_only else int(answer.fields["content-length"])
        self._data = rest
        while len(self._data) < length:
            self._more()
        answer.body, self._data = self._data[:length], self._data[length:]
        return answer

    def expect_end(self):
        rest = self._data + client.receive_to_end(self._sock, f"{self._what}: after the last answer")
        assert not rest, f"{self._what}: expected end of file after the answer, seen {client.show(rest)}"


def parse_head(head, what):
    lines = head.decode("latin-1").split("\r\n")
    status_line = re.fullmatch(r"HTTP/1\.1 (\d{3}) [\x20-\x7e]*", lines[0])
    assert status_line, f"{what}: bad status line {lines[0]!r}"
    fields = {}
    for line in lines[1:]:
        field = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*?)[ \t]*", line)
        assert field, f"{what}: bad field line {line!r}"
        name = field[1].lower()
        assert name not in fields, f"{what}: {field[1]} comes twice"
        fields[name] = field[2]
    assert re.fullmatch(r"\d+", fields.get("content-length", "")), \
        f"{what}: expected a Content-Length, seen {head!r}"
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
                        fields.get("date", "")), f"{what}: expected a Date, seen {head!r}"
    return Answer(int(status_line[1]), fields, b"")


def ask(server, request, head_only=False):
    """One request on a connection of its own: (answer, whether the server then ended it)."""
    what = f"sent {client.show(request)}"
    with client.connect(server) as sock:
        sock.sendall(request)
        reader = Reader(sock, what)
        answer = reader.answer(head_only)
        if answer.closes:
            reader.expect_end()
        return answer


def expect_status(server, request, statuses, what="", head_only=False):
    answer = ask(server, request, head_only)
    assert answer.status in statuses, \
        f"{what or 'request'} {client.show(request)}: expected status {sorted(statuses)}, seen {answer.status}"
    return answer


def without_dates(data):
    """The clock may tick between two equal answers."""
    return re.sub(rb"\r\nDate: [^\r]*", b"", data)
