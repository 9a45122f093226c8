"""A server that root starts serves as nobody, or as whom --user names, and has no rights left to get back to root."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

import pytest

from support import client, processes
from support.folders import NOBODY
from support.patience import PATIENCE, wait_until
from support.server import Server, run_to_end

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="environment: only root can become another user")

BECOME_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def status_of(pid, thread):
    text = pathlib.Path(f"/proc/{pid}/task/{thread}/status").read_text()
    return dict(re.findall(r"^(\w+):[ \t]*(.*?)[ \t]*$", text, re.MULTILINE))


def expect_ordinary(server, uid, gid):
    for pid in server.processes():
        for thread in processes.threads(pid):
            status = status_of(pid, thread)
            if status["Name"].startswith("iou-"):
                continue  # the kernel's own
            what = f"process {pid} of {server}: {status}"
            assert set(status["Uid"].split()) == {str(uid)} and set(status["Gid"].split()) == {str(gid)}, what
            assert set(status["Groups"].split()) <= {str(gid)} and status["NoNewPrivs"] == "1", what
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapAmb"], 16) == 0, what


@needs_root
@pytest.mark.parametrize("options, uid", [((), NOBODY), (("--user", "nobody"), NOBODY), (("--user", "4711"), 4711)],
                         ids=["default", "name", "number"])
def test_it_serves_as_an_ordinary_user(model, options, uid):
    workers = ("--workers", "2") if model.capability("workers") else ()
    with Server(model, *options, *workers) as server:
        socks = client.crowd(server, 2 if model.concurrent else 1, hold=True)
        expect_ordinary(server, uid, uid)
        for sock in socks:
            sock.close()


@needs_root
def test_root_stays_root_only_if_that_is_asked_for(model):
    with Server(model, "--user", "root") as server:
        client.echo_once(server)
        assert status_of(server.pid, server.pid)["Uid"].split() == ["0"] * 4


def test_whom_it_cannot_become_is_said(model):
    status, out, err = run_to_end(model, "--user", "no such user")
    assert (status, out) == (2, "") and err == (f"server_{model.name}: there is no user no such user; name one of /etc/passwd with --user\n"
                                                ), (status, out, err)
    wrap = BECOME_NOBODY if os.geteuid() == 0 else ()
    if subprocess.run([*wrap, "test", "-x", model.program], timeout=PATIENCE).returncode != 0:
        pytest.skip(f"environment: an ordinary user may not execute {model.program}")
    status, out, err = run_to_end(model, "--user", "root", wrap=wrap)
    assert (status, out) == (2, "") and err == (
        f"server_{model.name}: only root can become user root; start the server as root, or leave --user out\n"), (status, out, err)
    with Server(model, "--user", str(NOBODY if wrap else os.geteuid()), wrap=wrap) as server:  # as whom it runs already
        client.echo_once(server)


@needs_root
def test_it_does_not_outlive_who_started_it(model):
    """The kernel forgets the signal of a parent's death when the user changes."""
    code = ("import ctypes, signal, subprocess, sys\n"
            "def die_with_parent(): ctypes.CDLL(None).prctl(1, signal.SIGKILL)\n"
            "server = subprocess.Popen(sys.argv[1:], preexec_fn=die_with_parent, start_new_session=True)\n"
            "signal.pause()\n")
    # What is orphaned comes to us, as in support.server.
    parent = subprocess.Popen([sys.executable, "-c", code, model.program, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    pid = None
    try:
        pid = int(re.search(r'"pid":(\d+)', parent.stdout.readline())[1])
        assert status_of(pid, pid)["Uid"].split()[0] == str(NOBODY)
        parent.kill()
        parent.wait()
        wait_until(lambda: processes.state(pid) in ("Z", "X", None), f"server_{model.name} outlives its parent")
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
        if pid:
            for each in processes.of_session(pid):
                try:
                    os.kill(each, signal.SIGKILL)
                    os.waitpid(each, 0)
                except (ProcessLookupError, ChildProcessError):
                    pass


@needs_root
@pytest.mark.parametrize("options", [("--protocol", "http"), ("--work", "child")], ids=["http", "work"])
def test_a_folder_that_it_may_not_read_is_named(model, options, tmp_path):
    if options[1] not in model.capability("protocols") + model.capability("work"):
        pytest.skip("declared: protocols or work has no such thing")
    closed = tmp_path / "closed"
    closed.mkdir(0o700)
    status, out, err = run_to_end(model, *options, "--root", closed)
    assert (status, out) == (1, "") and err.count("\n") == 1, (status, out, err)
    assert err.startswith(f"server_{model.name}: cannot read the folder {closed}") and "Permission denied" in err and "--user" in err, err
    with Server(model, *options[2:], "--root", closed, "--user", "root", protocol="http"):
        pass


@needs_root
def test_a_folder_behind_one_that_only_root_enters_is_served(model, tmp_path):
    closed = tmp_path / "closed"
    root = closed / "root"
    root.mkdir(parents=True)
    (root / "index.html").write_bytes(b"found")
    closed.chmod(0o700)
    with Server(model, "--root", root, protocol="http") as server, client.connect(server) as sock:
        sock.sendall(b"GET /index.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert client.receive_to_end(sock).endswith(b"\r\n\r\nfound")


@needs_root
def test_a_socket_in_roots_folder_stays_and_is_taken_over(model, tmp_path):
    """Who serves may not remove it."""
    folder = tmp_path / "roots"
    folder.mkdir(0o755)
    path = folder / "socket"
    for _ in range(2):
        server = Server(model, listen=f"unix:{path}").start()
        try:
            client.echo_once(server)
            server.signal(signal.SIGTERM)
            assert server.wait_for_end() == 0 and server.stderr() == ""
        finally:
            server.kill()
        assert path.exists() and server.is_refusing()


def test_a_socket_in_a_sticky_folder_is_removed(model, tmp_path):
    """As in /tmp: a file goes only at its owner's hand."""
    folder = tmp_path / "sticky"
    folder.mkdir()
    folder.chmod(0o1777)
    with Server(model, listen=f"unix:{folder}/socket") as server:
        client.echo_once(server)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("what", ["file", "socket", "nothing"])
def test_what_has_taken_its_sockets_place_is_left_alone(model, tmp_path, what):
    path = tmp_path / "socket"
    server = Server(model, listen=f"unix:{path}").start()
    try:
        client.echo_once(server)
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            if what == "file":
                path.write_text("precious")
            elif what == "socket":
                other.bind(str(path))
            server.signal(signal.SIGTERM)
            assert server.wait_for_end() == 0 and server.stderr() == ""
    finally:
        server.kill()
    assert path.exists() == (what != "nothing")
