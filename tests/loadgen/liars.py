"""Servers that lie on purpose, and count their lies: what the load generator reports must agree."""

import contextlib
import socket
import struct
import threading
import time

from support.patience import wait_until

CLOSE, RESET, SILENCE = object(), object(), object()


class Liar:
    """Answers each message of `size` bytes on any number of connections, a thread for each.

    answer(n, message) is called with the message's number on its connection, and returns the bytes
    to send instead of the message, or CLOSE, RESET or SILENCE. Returning something else than the
    message counts as a lie.
    """

    def __init__(self, answer, size=64):
        self._answer, self._size = answer, size
        self._lock = threading.Lock()
        self.messages = self.lies = self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._open = set()
        self.order = {}  # of each connection ever accepted: how many were before it
        self.target = "127.0.0.1:%d" % self._listener.getsockname()[1]

    def __enter__(self):
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def await_connections(self, count):
        """How many were accepted, when `count` are: a short run may end while some still wait to be."""
        wait_until(lambda: self.connections >= count, lambda: f"{self.connections} of {count} connections were accepted")
        return self.connections

    def stop_listening(self):
        with contextlib.suppress(OSError):  # It may have been done before.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def __exit__(self, *_):
        self.stop_listening()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._accepting.join()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self.order[connection] = self.connections
                    self.connections += 1
                    self._open.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            self.converse(connection)
        with self._lock:
            self._open.discard(connection)

    def converse(self, connection):
        number = 0
        while message := read_exactly(connection, self._size):
            said = self._answer(number, message)
            with self._lock:
                self.messages += 1
                self.lies += said is not message
            if said is CLOSE:
                return
            if said is RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if said is not SILENCE:
                connection.sendall(said)
            number += 1


class HttpLiar(Liar):
    """Answers every request with the bytes that respond(n, path) returns."""

    def __init__(self, respond):
        super().__init__(None)
        self._respond = respond

    def converse(self, connection):
        number, head = 0, b""
        while received := connection.recv(4096):
            head += received
            while b"\r\n\r\n" in head:
                request, _, head = head.partition(b"\r\n\r\n")
                connection.sendall(self._respond(number, request.split(b" ")[1].decode()))
                number += 1
                with self._lock:
                    self.messages += 1


class ClosingHttpLiar(HttpLiar):
    """Answers one request on each connection and closes it, at once or after `linger` seconds."""

    def __init__(self, respond, linger=0):
        super().__init__(respond)
        self._linger = linger

    def converse(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(4096)
            if not received:
                return
            head += received
        with self._lock:
            self.messages += 1
            self.heads = getattr(self, "heads", []) + [head]
        connection.sendall(self._respond(0, head.split(b" ")[1].decode()))
        time.sleep(self._linger)


class Watcher(Liar):
    """An echo that notes what each connection sent and when, and how it ended: "end" or "reset"."""

    def __init__(self, echoes=True):
        super().__init__(None)
        self._echoes = echoes
        self.received, self.ends = [], []

    def converse(self, connection):
        log = []
        with self._lock:
            self.received.append(log)
        try:
            while data := connection.recv(1 << 16):
                log.append((time.monotonic(), data))
                if self._echoes:
                    connection.sendall(data)
            self._note("end")
        except ConnectionResetError:
            self._note("reset")

    def _note(self, end):
        with self._lock:
            self.ends.append(end)


class Greeter(Liar):
    """The greet protocol, with a change to the line."""

    def __init__(self, change=lambda line: line, greeting=b"Hello World!\r\n"):
        super().__init__(None)
        self._change, self._greeting = change, greeting

    def converse(self, connection):
        connection.sendall(self._greeting)
        line = b""
        while not line.endswith(b"\n"):
            received = connection.recv(65536)
            if not received:
                return
            line += received
        connection.sendall(self._change(line))
        with self._lock:
            self.messages += 1


def response(body=b"hello", status="200 OK", length=None):
    size = len(body) if length is None else length
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), size, body)


def read_exactly(connection, size):
    """None at the end of the stream."""
    message = b""
    while len(message) < size:
        received = connection.recv(size - len(message))
        if not received:
            return None
        message += received
    return message


def flipped(message, at):
    return message[:at] + bytes([message[at] ^ 0x20]) + message[at + 1:]
