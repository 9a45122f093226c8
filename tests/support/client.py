"""Clients that check every byte: what was sent, expected and seen is in every failure."""

import random
import selectors
import socket
import struct
import time

from support.patience import PATIENCE, wait_until


def pattern(seed, size):
    """Bytes that no other seed gives, and no other place in the same stream."""
    return random.Random(seed).randbytes(size)


def connect(server, timeout=PATIENCE, receive_buffer=None, send_buffer=None):
    family, address = server.endpoint()
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if send_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    try:
        sock.connect(address)
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        sock.close()
        raise AssertionError(f"cannot connect to {server}: {error}") from None
    return sock


def reset(sock):
    """Closes with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def show(data, around=0):
    piece = bytes(data[max(0, around - 8):around + 24])
    return f"{len(data)} bytes, from {max(0, around - 8)}: {piece!r}" if len(data) > 64 else repr(bytes(data))


def expect_same(seen, expected, what):
    """Equality of long byte strings; a failure names the first difference."""
    if seen == expected:
        return
    at = next((i for i, (a, b) in enumerate(zip(seen, expected)) if a != b), min(len(seen), len(expected)))
    raise AssertionError(f"{what}: first difference at byte {at}; expected {show(expected, at)}; "
                         f"seen {show(seen, at)}")


def receive(sock, size, what="receive"):
    """Exactly so many bytes."""
    data = bytearray()
    while len(data) < size:
        try:
            piece = sock.recv(min(size - len(data), 1 << 20))
        except OSError as error:
            raise AssertionError(f"{what}: expected {size} bytes, seen {show(data)}, then "
                                 f"{type(error).__name__}: {error}") from None
        if not piece:
            raise AssertionError(f"{what}: expected {size} bytes, seen {show(data)}, then end of file")
        data += piece
    return bytes(data)


def receive_to_end(sock, what="receive to the end"):
    """Everything until end of file; a reset or silence is a failure."""
    data = bytearray()
    while True:
        try:
            piece = sock.recv(1 << 20)
        except OSError as error:
            raise AssertionError(f"{what}: expected end of file, seen {show(data)}, then "
                                 f"{type(error).__name__}: {error}") from None
        if not piece:
            return bytes(data)
        data += piece


def expect_end(sock, what="end of file"):
    rest = receive_to_end(sock, what)
    assert not rest, f"{what}: expected end of file at once, seen {show(rest)}"


def is_closed(sock, seconds):
    """True when the server ends the connection within that time, by FIN or RST."""
    sock.settimeout(seconds)
    try:
        while sock.recv(65536):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


def echo(sock, payload, what="echo"):
    """Sends a message that fits the buffers on the way, and expects it back."""
    try:
        sock.sendall(payload)
    except OSError as error:
        raise AssertionError(f"{what}: sending {show(payload)}: {type(error).__name__}: {error}") from None
    expect_same(receive(sock, len(payload), what), payload, what)


def echo_once(server, payload=b"one small message"):
    """Waits for the server's end of it, so that what is counted afterwards does not count this connection."""
    with connect(server) as sock:
        echo(sock, payload, f"echo through {server}")
        sock.shutdown(socket.SHUT_WR)
        expect_end(sock, f"the end of a connection to {server}")


def fill(sock, data, quiet=0.1):
    """Sends until nothing more goes for a while, because nobody reads; returns how much went."""
    sock.setblocking(False)
    view = memoryview(data)
    sent = 0
    last = time.monotonic()
    while sent < len(view) and time.monotonic() - last < quiet:
        try:
            sent += sock.send(view[sent:sent + (1 << 18)])
            last = time.monotonic()
        except BlockingIOError:
            time.sleep(0.002)
    sock.settimeout(PATIENCE)
    return sent


def converse(sock, payload, sent=0, received=0, half_close=False, read_size=1 << 20, pause=None,
             send_size=1 << 18):
    """Sends the rest of the payload and reads all of its echo at the same time, checking as it goes.

    pause: called after every read, to be slow."""
    view = memoryview(payload)
    sock.setblocking(False)
    finished = False
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while received < len(view):
            events = selector.select(PATIENCE)
            if not events:
                raise AssertionError(f"no progress for {PATIENCE:.0f} s: {sent} of {len(view)} bytes "
                                     f"sent, {received} received")
            try:
                if events[0][1] & selectors.EVENT_WRITE and not finished:
                    if sent < len(view):
                        sent += sock.send(view[sent:sent + send_size])
                    if sent == len(view):
                        finished = True
                        if half_close:
                            sock.shutdown(socket.SHUT_WR)
                        selector.modify(sock, selectors.EVENT_READ)
                if events[0][1] & selectors.EVENT_READ:
                    piece = sock.recv(read_size)
                    if not piece:
                        raise AssertionError(f"end of file after {received} of {len(view)} bytes "
                                             f"({sent} sent)")
                    expect_same(piece, view[received:received + len(piece)],
                                f"echo of {len(view)} bytes, piece at {received}")
                    received += len(piece)
                    if pause:
                        pause()
            except BlockingIOError:
                pass
            except OSError as error:
                raise AssertionError(f"{type(error).__name__}: {error} after {sent} of {len(view)} "
                                     f"bytes sent, {received} received") from None
    sock.settimeout(PATIENCE)


def crowd(server, count, hold, size=64, seed=1):
    """`count` clients connect at once and each gets its own message back. With `hold` none leaves
    before the last is answered: so many are served at the same time. Returns the open sockets."""
    family, address = server.endpoint()
    selector = selectors.DefaultSelector()
    waiting = {}
    answered = []
    for number in range(count):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.connect_ex(address)
        message = pattern((seed, number).__repr__(), size)
        waiting[sock] = [message, 0, bytearray()]
        selector.register(sock, selectors.EVENT_WRITE)
    try:
        while waiting:
            events = selector.select(2 * PATIENCE)
            if not events:
                raise AssertionError(f"{count} clients connected at once; nothing happens any more, and "
                                     f"{len(waiting)} have no answer")
            for key, mask in events:
                sock = key.fileobj
                message, sent, seen = state = waiting[sock]
                try:
                    if mask & selectors.EVENT_WRITE:
                        state[1] = sent + sock.send(message[sent:])
                        if state[1] == size:
                            selector.modify(sock, selectors.EVENT_READ)
                        continue
                    piece = sock.recv(size + 1)
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise AssertionError(f"one of {count} clients that connected at once: "
                                         f"{type(error).__name__}: {error}; {len(answered)} were answered"
                                         ) from None
                seen += piece
                expect_same(bytes(seen), message[:len(seen)], f"one of {count} clients")
                assert piece, f"one of {count} clients: end of file after {len(seen)} of {size} bytes"
                if len(seen) == size:
                    selector.unregister(sock)
                    del waiting[sock]
                    answered.append(sock) if hold else sock.close()
    except BaseException:
        for sock in [*waiting, *answered]:
            sock.close()
        raise
    finally:
        selector.close()
    return answered


def expect_return_to(measure, baseline, what):
    """Descriptors, processes and the like must come back to where they were."""
    wait_until(lambda: measure() <= baseline,
               lambda: f"{what}: {baseline} before, {measure()} now, and it stays so")
