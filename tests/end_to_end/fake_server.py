#!/usr/bin/python3 -IS
"""A server under test whose behaviour is in the name that it is started by: server_good, server_crash, ...

The driver's tests link it under those names. It keeps the contract of our servers except for the one fault that its
name tells.
"""
import argparse
import ctypes
import json
import os
import selectors
import signal
import socket
import sys
import time

MOST_PENDING = 1 << 20  # bytes for a client that does not read: more of its requests are not taken
NAME = os.path.basename(sys.argv[0]).removeprefix("server_")

CAPABILITIES = {"concurrent": NAME != "one_client", "workers": False,
                "max_connections": 20 if NAME == "few" else None,
                "protocols": ["echo"], "transports": ["tcp", "unix"]}


def describe():
    if NAME == "rubbish_description":
        print("I am not JSON")
        return
    if NAME == "endless_description":
        time.sleep(60)
    answer = {"name": NAME, "family": "fake", "mechanism": "Python selectors", "available": NAME != "unavailable",
              "capabilities": CAPABILITIES, "features": {}}
    if NAME == "unavailable":
        answer["reason"] = "this machine has no such mechanism"
    print(json.dumps(answer))


class Echo:
    def __init__(self, listener):
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)
        self.listener = listener
        self.pending = {}
        self.connections = 0
        self.load = set()  # the connections of those that came after the verification
        self.requests = 0  # of the load
        self.leaked = []

    def is_late(self):
        """In the midst of the load."""
        return self.requests >= 5

    def run(self):
        while True:
            ready = self.selector.select(0.002 if NAME == "closes_at_rest" and self.is_late() else None)
            if not ready and self.load:
                self.close(next(iter(self.load)))
            for key, events in ready:
                if key.fileobj is self.listener:
                    self.accept()
                else:
                    self.serve(key.fileobj, events)

    def accept(self):
        connection, _ = self.listener.accept()
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending[connection] = b""
        self.selector.register(connection, selectors.EVENT_READ)
        self.connections += 1
        if NAME == "leaks_descriptors" and self.connections % 100 == 0:
            self.leaked.append(os.dup(0))
        if NAME == "leaks_memory":
            self.leaked.append(bytes(4096))
        if NAME == "leaks_64_bytes":
            self.leaked.append(ctypes.CDLL(None).malloc(64))  # Python itself would take them from a larger piece
        if NAME == "dies_after_a_while" and self.connections == 500:
            sys.exit(3)
        # The verification before a trial makes three connections.
        if self.connections > 3:
            self.load.add(connection)
            if NAME == "crash_under_load":
                crash()
            if NAME == "forks_daemons":
                start_daemon()

    def serve(self, connection, events):
        try:
            if events & selectors.EVENT_READ:
                data = connection.recv(65536)
                self.requests += connection in self.load
                if NAME == "dies_late" and self.is_late():
                    crash()
                if NAME == "hungry" and connection in self.load:
                    eat()
                if NAME == "floods_stderr":
                    flood_stderr()
                if NAME == "wrong_bytes" or NAME == "lies_late" and self.is_late():
                    data = data.replace(data[:1], b"?")
                if not data:
                    self.flush(connection)
                    self.close(connection)
                    return
                self.pending[connection] += data
            self.flush(connection, wait=False)
        except (BrokenPipeError, ConnectionResetError):
            self.close(connection)

    def flush(self, connection, wait=True):
        connection.setblocking(wait)
        while self.pending[connection]:
            try:
                sent = connection.send(self.pending[connection])
            except BlockingIOError:
                break
            self.pending[connection] = self.pending[connection][sent:]
        connection.setblocking(False)
        read = selectors.EVENT_READ if len(self.pending[connection]) < MOST_PENDING else 0
        write = selectors.EVENT_WRITE if self.pending[connection] else 0
        self.selector.modify(connection, read | write)

    def close(self, connection):
        self.selector.unregister(connection)
        del self.pending[connection]
        self.load.discard(connection)
        connection.close()


def crash():
    print("the fake fell over", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)


def eat():
    if group := os.environ.get("HUNGRY_GROUP"):
        with open(group, "w") as file:
            file.write("0")
    eaten = []
    try:
        while True:
            eaten.append(b"x" * (1 << 22))
    except MemoryError:
        os.write(2, b"MemoryError\n")
        os._exit(1)


def flood_stderr():
    """Whether anybody takes it or not."""
    for _ in range(16):
        try:
            os.write(2, b"?" * 65535 + b"\n")
        except OSError:
            pass


def stop(*_):
    if NAME in ("leaves_children", "leaves_daemon", "forks_daemons"):
        os._exit(0)
    sys.exit(7 if NAME == "bad_exit" else 0)


def start_daemon():
    """As daemon(7) has it: in a session of its own, and its parent has ended."""
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    os.waitpid(child, 0)


def listen(text):
    if text.startswith("unix:"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(text.removeprefix("unix:"))
        return listener, text
    host, port = text.rsplit(":", 1)
    listener = socket.create_server((host, int(port)), backlog=128)
    return listener, "%s:%d" % listener.getsockname()


def main():
    if "--describe" in sys.argv:
        describe()
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--protocol", default="echo")
    options = parser.parse_args()
    if NAME == "dies_at_start":
        sys.exit("the fake finds no room for its tables")
    if NAME == "never_ready":
        time.sleep(60)
    if NAME == "starts_slowly":
        time.sleep(1)
    if NAME == "bad_ready_line":
        print("listening", flush=True)
        time.sleep(60)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if NAME == "ignores_sigterm" else stop)
    listener, address = listen(options.listen)
    listener.listen(128)
    if NAME == "leaves_children" and os.fork() == 0:
        os.setsid()  # out of the process group too
        time.sleep(60)
    if NAME == "leaves_daemon":
        start_daemon()
    print(json.dumps({"ready": True, "address": address, "pid": os.getpid()}), flush=True)
    Echo(listener).run()


main()
