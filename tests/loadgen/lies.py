"""Servers of each protocol that tell one kind of lie, at requests that are known beforehand, and count how often."""

import contextlib
import socket
import struct
import threading
from random import Random

from loadgen.liars import Liar, flipped, read_exactly, response
from support.patience import PATIENCE

GARBAGE = b"\0\1\0"
LIES = ("flip", "drop", "duplicate", "truncate", "reorder", "extra", "early", "late", "crossed", "close", "reset")


class Lying(Liar):
    """`lie` is one of LIES, or None. at(n) says whether the nth request of a run is answered with it, whatever its connection.
    For "early" it is the nth connection, which gets bytes before it asks. The first `honest` requests, and connections, are
    not counted: with them an http client learns the bodies.

    "late" is an answer after the client has given up. "crossed" is two connections that get each other's answers: at(n) names
    the first of them, the second is the next request with another answer."""

    CHANGES = {}

    def __init__(self, lie, at, honest=0):
        super().__init__(None)
        assert lie in (None, *LIES)
        self.lie, self._at, self._honest = lie, at, honest
        self._crossing = threading.Condition()
        self._partner = None

    def _is_lie(self, right):
        with self._lock:
            number = self.messages - self._honest
            self.messages += 1
            if number < 0 or self.lie in (None, "early"):
                return False
            told = self._at(number) or (self._partner is not None and self._partner[0] != right)
            self.lies += told
            if told and self.lie == "crossed" and self._partner is None:
                self._partner = [right]
                return True
            return told

    def begin(self, connection):
        """Call it first, for the early lie: whether it was told."""
        if self.lie != "early":
            return False
        with self._lock:
            number = self.order[connection] - self._honest
            told = number >= 0 and self._at(number)
            self.lies += told
        if told:
            connection.sendall(GARBAGE)
        return told

    def answer(self, connection, right):
        """Whether the conversation goes on."""
        if not self._is_lie(right):
            self.send(connection, right)
        elif self.lie in self.CHANGES:
            self.send(connection, self.CHANGES[self.lie](right))
        elif self.lie == "crossed":
            self.send(connection, self._exchange(right))
        elif self.lie == "late":
            await_end(connection)
            connection.sendall(right)
            return False
        elif self.lie == "close":
            connection.shutdown(socket.SHUT_WR)
            await_end(connection)  # To close with bytes unread would be a reset.
            return False
        elif self.lie == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        return True

    def send(self, connection, data):
        connection.sendall(data)

    def _exchange(self, right):
        with self._crossing:
            pair = self._partner
            if pair[0] is right:
                assert self._crossing.wait_for(lambda: len(pair) == 2, PATIENCE), "no other connection asks for anything"
                return pair[1]
            pair.append(right)
            self._partner = None
            self._crossing.notify_all()
            return pair[0]


def await_end(connection):
    with contextlib.suppress(OSError):
        while connection.recv(1 << 16):
            pass


def halves_swapped(data):
    return data[len(data) // 2:] + data[:len(data) // 2]


def with_body(change):
    """The response with another body, and the Content-Length of that."""
    return lambda right: response(change(right.partition(b"\r\n\r\n")[2]))


class LyingEcho(Lying):
    CHANGES = {
        "flip": lambda message: flipped(message, 17),
        "drop": lambda message: message[:10] + message[15:],
        "duplicate": lambda message: message * 2,
        "truncate": lambda message: message[:-1],
        "reorder": halves_swapped,
        "extra": lambda message: message + GARBAGE,
    }

    def __init__(self, lie, at):
        super().__init__(lie, at)
        self._asking, self._asked = threading.Condition(), 0
        self._early = sum(at(number) for number in range(100))  # connections

    def converse(self, connection):
        told_early = self.begin(connection)
        while message := read_exactly(connection, 64):
            if self.lie == "early":
                self._await_all_who_were_told(told_early)
                told_early = False
            if not self.answer(connection, message):
                return

    def _await_all_who_were_told(self, is_one):
        """Or the other connections might use up the requests of the run before each of these has sent one."""
        with self._asking:
            self._asked += is_one
            self._asking.notify_all()
            assert self._asking.wait_for(lambda: self._asked == self._early, PATIENCE), "a connection never asks"


class LyingEchoInPieces(LyingEcho):
    """Sends each answer cut at random."""

    def send(self, connection, data):
        random = Random(data)
        while data:
            size = random.randint(1, 50)
            connection.sendall(data[:size])
            data = data[size:]


class LyingToTheStalled(LyingEcho):
    """An echo that lies only to clients that stop in the middle of their message, and does not wait for the rest of it."""

    def converse(self, connection):
        while data := connection.recv(64):
            if len(data) == 64:
                connection.sendall(data)
                continue
            if self.lie == "early":
                with self._lock:
                    self.lies += 1
                connection.sendall(GARBAGE + data)
            elif not self.answer(connection, data):
                return


class LyingGreeter(Lying):
    CHANGES = {
        "flip": lambda line: flipped(line, 9),
        "drop": lambda line: line[:10] + line[15:],
        "duplicate": lambda line: line * 2,
        "truncate": lambda line: line[:-1],
        "reorder": halves_swapped,
        "extra": lambda line: line + GARBAGE,
    }

    def converse(self, connection):
        self.begin(connection)
        connection.sendall(b"Hello World!\r\n")
        line = b""
        while not line.endswith(b"\n"):
            received = connection.recv(65536)
            if not received:
                return
            line += received
        self.answer(connection, line)


class LyingHttp(Lying):
    """Each path has a body of its own, all of one length. A request that asks for the close gets it."""

    PATHS = [f"/{letter}" for letter in "abcde"]
    CHANGES = {
        "flip": with_body(lambda body: flipped(body, 2)),
        "drop": with_body(lambda body: body[:2] + body[5:]),
        "duplicate": lambda right: right * 2,
        "truncate": lambda right: right[:-1],
        "reorder": with_body(halves_swapped),
        "extra": lambda right: right + GARBAGE,
    }

    def __init__(self, lie, at):
        super().__init__(lie, at, honest=len(self.PATHS))

    def converse(self, connection):
        self.begin(connection)
        text = b""
        while received := connection.recv(1 << 16):
            text += received
            while b"\r\n\r\n" in text:
                head, _, text = text.partition(b"\r\n\r\n")
                path = head.split(b" ")[1]
                goes_on = self.answer(connection, response(b"the body of " + path))
                if not goes_on or b"Connection: close" in head:
                    return
