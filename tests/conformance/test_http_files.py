"""HTTP and the file system: nothing outside the root, nothing that hangs, files that change."""

import os
import socket
import time

import pytest

from support import client, http
from support.patience import PATIENCE, unless_held_up
from support.server import Server

MIB = 1 << 20
SECRET = b"this must never be sent\n"


@pytest.fixture
def site(tmp_path):
    """root/ with everything that can lie in a folder, beside a file that must not get out."""
    (tmp_path / "secret.txt").write_bytes(SECRET)
    root = tmp_path / "root"
    (root / "folder" / "deep").mkdir(parents=True)
    (root / "a.txt").write_bytes(b"a\n")
    (root / "folder" / "b.txt").write_bytes(b"b\n")
    (root / "with_index").mkdir()
    (root / "with_index" / "index.html").write_bytes(b"index\n")
    (root / "...").write_bytes(b"three dots\n")
    (root / "a b").write_bytes(b"space\n")
    (root / "inside").symlink_to("folder/b.txt")
    (root / "outside").symlink_to(tmp_path / "secret.txt")
    (root / "outside_relative").symlink_to("../secret.txt")
    (root / "outside_folder").symlink_to("..")
    (root / "root_of_all").symlink_to("/")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nothing")
    os.mkfifo(root / "fifo")
    (root / "unreadable").write_bytes(SECRET)
    (root / "closed").mkdir()
    (root / "closed" / "c.txt").write_bytes(SECRET)
    (root / "unreadable").chmod(0)
    (root / "closed").chmod(0)
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(root)  # the path may be too long for a socket's address
        listener.bind("socket")
        os.chdir(here)
        yield root
    (root / "closed").chmod(0o700)


@pytest.fixture
def server(model, site):
    if "http" not in model.capability("protocols"):
        pytest.skip("declared: protocols has no http")
    with Server(model, "--root", site, protocol="http") as running:
        yield running


def refused(server, target):
    # A bare backslash is no character of a target (RFC 3986), and no file's name holds a NUL: malformed requests.
    statuses = {400} if "\\" in target or "%00" in target else {403, 404}
    answer = http.expect_status(server, http.get(target), statuses, "must not be served:")
    assert SECRET.strip() not in answer.body, f"GET {target}: the secret got out"


def test_paths_never_leave_the_root(server):
    up = ["..", "%2e%2e", "%2E.", ".%2e", "..%2f..", "..%5c", "..\\", "%2e%2e%2f%2e%2e", "..;", "....//..",
          "%252e%252e", "..%00", "%c0%ae%c0%ae", "..%c0%af"]
    for spelling in up:
        for prefix in ("/", "//", "/folder/", "/folder/../", "/./", "/folder/deep/", "/inside/", "http://test/"):
            refused(server, f"{prefix}{spelling}/secret.txt")
    for depth in (1, 3, 20):
        refused(server, "/" + "../" * depth + "etc/passwd")
        refused(server, "/folder/deep/" + "%2e%2e/" * depth + "secret.txt")
    for target in ("//secret.txt", "/%2fetc/passwd", "//etc/passwd", "/..", "/../", "/folder/../../secret.txt",
                   "/folder/..%2f..%2fsecret.txt", "http://test/../secret.txt", "/proc/self/environ"):
        refused(server, target)


def test_symbolic_links_never_leave_the_root(server, site):
    answer = http.expect_status(server, http.get("/inside"), {200, 403, 404}, "a link within the root")
    assert answer.status != 200 or answer.body == b"b\n"
    for target in ("/outside", "/outside_relative", "/outside_folder/secret.txt", "/outside_folder/root/a.txt",
                   "/root_of_all/etc/passwd", "/root_of_all" + str(site.parent / "secret.txt"), "/loop", "/dangling"):
        refused(server, target)


def test_what_is_not_a_file_is_refused_without_hanging(server):
    for target in ("/fifo", "/folder", "/folder/", "/folder/deep", "/socket", "/unreadable", "/closed/c.txt",
                   "/closed", "/none", "/none/none", "/a.txt/", "/a.txt/b", "/" + "x" * 300, "/" + "y/" * 1000):
        refused(server, target)
    answer = http.expect_status(server, http.get("/with_index/"), {200})
    client.expect_same(answer.body, b"index\n", "GET /with_index/")
    for target, content in (("/...", b"three dots\n"), ("/a%20b", b"space\n"), ("/./a.txt", b"a\n"),
                            ("/folder/b.txt", b"b\n")):
        answer = http.expect_status(server, http.get(target), {200})
        client.expect_same(answer.body, content, f"GET {target}")


def test_refusals_keep_no_descriptor(server):
    http.ask(server, http.get("/a.txt"))
    before = server.descriptors()
    for _ in range(10):
        for target in ("/none", "/fifo", "/folder", "/outside", "/unreadable", "/a.txt"):
            http.ask(server, http.get(target))
    client.expect_return_to(server.descriptors, before, "descriptors after files that were refused")


def test_file_shrinks_while_it_is_sent(server, site):
    """The promised length cannot be kept any more: the connection ends, and only this one."""
    content = client.pattern("shrink", 8 * MIB)
    (site / "shrinks").write_bytes(content)
    with client.connect(server, receive_buffer=4096) as sock:
        sock.sendall(http.get("/shrinks"))
        head = client.receive(sock, 20, "the beginning of the answer")
        assert head.startswith(b"HTTP/1.1 200 "), f"GET /shrinks: seen {head!r}"
        time.sleep(0.05)  # what the kernel's buffers take is on its way
        os.truncate(site / "shrinks", 1000)
        seen = bytearray()
        try:
            while piece := sock.recv(1 << 18):
                seen += piece
        except ConnectionResetError:
            pass
        except TimeoutError:
            pytest.fail(f"file cut to 1000 bytes while sent: the connection hangs after {len(seen)} of {8 * MIB} bytes")
        assert len(seen) < 8 * MIB, "the file was cut to 1000 bytes, and 8 MiB of something were sent"
    answer = http.expect_status(server, http.get("/a.txt"), {200}, "another file after that")
    client.expect_same(answer.body, b"a\n", "another file after that")


def test_file_grows_while_it_is_sent(server, site):
    content = client.pattern("grow", 4 * MIB)
    (site / "grows").write_bytes(content)
    with client.connect(server, receive_buffer=4096) as sock:
        sock.sendall(http.get("/grows") + http.get("/a.txt"))
        assert sock.recv(1, socket.MSG_PEEK), "GET /grows: end of file before the answer"  # its length is told
        with open(site / "grows", "ab") as file:
            file.write(b"more" * 1000)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIB)  # slow no longer
        reader = http.Reader(sock, "a file that grows")
        client.expect_same(reader.answer().body, content, "a file that grows while it is sent")
        client.expect_same(reader.answer().body, b"a\n", "the request after it")


def test_files_come_and_go(server, site):
    (site / "changes").write_bytes(b"first\n")
    (site / "goes").write_bytes(b"goes\n")
    for target, status in (("/changes", 200), ("/goes", 200), ("/comes", 404)):
        http.expect_status(server, http.get(target), {status})
    (site / "changes").write_bytes(b"second, longer\n")
    (site / "goes").unlink()
    (site / "comes").write_bytes(b"comes\n")
    time.sleep(1.1)  # a server may trust what it knows for a second
    for target, status, content in (("/changes", 200, b"second, longer\n"), ("/goes", 404, None),
                                    ("/comes", 200, b"comes\n")):
        answer = http.expect_status(server, http.get(target), {status}, "files have changed:")
        assert content is None or answer.body == content, f"GET {target}: expected {content!r}, seen {answer.body!r}"


def get_in_time(server):
    """From a server whose idle timeout is 1 s."""
    unless_held_up(lambda: http.expect_status(server, http.get("/a.txt"), {200}), 0.9, "a client that does not wait")


@pytest.mark.needs("idle_timeout", True)
def test_slow_heads_are_closed_by_the_idle_timeout(model, site):
    """A head that stops in the middle is silence too; nobody else notices."""
    with Server(model, "--root", site, "--idle-timeout", "1", protocol="http") as server:
        socks = []
        for beginning in (b"GET /a.txt HT", b"GET /a.txt HTTP/1.1\r\nHost: a\r\nX: ")[:2 if model.concurrent else 1]:
            socks.append(client.connect(server))
            socks[-1].sendall(beginning)
        if model.concurrent:
            get_in_time(server)
        for sock in socks:
            with sock:
                assert client.is_closed(sock, PATIENCE), "--idle-timeout 1: half a head, and the connection stays open"
        get_in_time(server)


@pytest.mark.needs("idle_timeout", True)
@pytest.mark.parametrize("begin", [b"GET /a.txt HTTP/1.1\r\nHost: a\r\nX: ",
                                   pytest.param(b"neither a method nor a version\r\n\r\n", marks=pytest.mark.full)],
                         ids=["head", "after_a_refusal"])
def test_a_byte_now_and_then_does_not_hold_a_connection(model, site, begin):
    """A request has as long to arrive as a connection may be silent (with blocking calls twice that), whatever comes of
    it meanwhile; and after the last answer the rest is read to its end, but not for ever."""
    timeout = 1
    with Server(model, "--root", site, "--idle-timeout", timeout, protocol="http") as server:
        with client.connect(server) as sock:
            began = time.monotonic()
            sock.sendall(begin)
            with pytest.raises(ConnectionError):
                while time.monotonic() - began < timeout + PATIENCE:
                    time.sleep(timeout / 10)
                    sock.send(b"x")
                pytest.fail(f"--idle-timeout {timeout}: a byte now and then, and the connection stays open")
            took = time.monotonic() - began
            assert took > timeout * 0.9, f"--idle-timeout {timeout}: a dribbled head was closed after only {took:.2f} s"
        get_in_time(server)


@pytest.mark.needs("concurrent", True)
def test_large_file_to_many_slow_clients(server, site):
    content = client.pattern("many", MIB // 2)
    (site / "large").write_bytes(content)
    socks = [client.connect(server, receive_buffer=4096) for _ in range(6)]
    for sock in socks:
        sock.sendall(http.get("/large"))
    http.expect_status(server, http.get("/a.txt"), {200})
    for sock in socks:
        client.expect_same(http.Reader(sock, "GET /large, one of six").answer().body, content, "GET /large")
        sock.close()
