"""strace, attached to a running server: to count its system calls or to make some of them fail."""

import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from support import processes
from support.patience import PATIENCE, wait_until

# One set for each thing that a model does, whatever it calls for it. "?" passes over names that
# this architecture does not have.
ACCEPT = ("accept", "accept4")
RECEIVE = ("recvfrom", "recvmsg", "recvmmsg", "read", "readv")
SEND = ("sendto", "sendmsg", "sendmmsg", "write", "writev")
WAIT = ("epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6",
        "rt_sigtimedwait", "io_getevents", "io_pgetevents")
ENTER = ("io_uring_enter",)
FORK = ("clone", "clone3", "fork", "vfork")


def names(*calls):
    return ",".join(f"?{call}" for call in calls)


def _injected(text):
    """The calls that it answered, such as "recvfrom(5, ...) = -1 EINTR (Interrupted system call) (INJECTED)"."""
    return re.findall(r"^(?:\d+ +)?(?:<\.\.\. )?(\w+)[( ].*\(INJECTED\)$", text, re.MULTILINE)


class Trace:
    """with Trace(server, "-e", "inject=..."): ...; afterwards .counts has the calls by name."""

    def __init__(self, server, *options):
        if not shutil.which("strace"):
            pytest.skip("missing tool: strace")
        self._server = server
        self._log = tempfile.NamedTemporaryFile(mode="r", suffix=".strace")
        # Not into programs that the server starts: their loader's calls are none of its own.
        self._command = ["strace", "-f", "-b", "execve", "-qq", "-o", self._log.name, *options]
        self._injects = any("inject=" in option for option in options)
        self.counts = collections.Counter()
        self._injected = collections.Counter()

    def __enter__(self):
        pids = self._server.processes()
        attach = [word for pid in pids for word in ("-p", str(pid))]
        self._process = subprocess.Popen(self._command + attach, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.PIPE, text=True)

        def attached():
            if self._process.poll() is not None:
                assert self._server.is_alive(), f"{self._server} ended before strace had attached"
                pytest.skip("missing tool: strace cannot attach here: " + self._process.stderr.read().strip())
            # TracerPid is per thread, in the status of each.
            return all(processes.status(f"{pid}/task/{thread}", "TracerPid")
                       for pid in pids for thread in processes.threads(pid))

        try:
            wait_until(attached, f"strace did not attach to {self._server}")
            time.sleep(0.02)  # attached is not yet running again
            self._since = time.monotonic()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def _let_it_come_to_rest(self):
        """strace skips a call that it makes fail; one that it leaves in the middle of that returns ENOSYS."""
        # A server that never sleeps is left all the same.
        deadline = time.monotonic() + (0.5 if self._server.model.capability("idle_cpu") else PATIENCE)
        calm, seen = 0, -1
        while calm < 3 and time.monotonic() < deadline:
            time.sleep(0.002)
            size = os.path.getsize(self._log.name)
            rests = all(processes.is_at_rest(pid) for pid in self._server.processes())
            calm = calm + 1 if rests and size == seen else 0
            seen = size

    def __exit__(self, *_):
        if self._injects:
            self._let_it_come_to_rest()
        self._process.send_signal(signal.SIGINT)  # it detaches, the server goes on
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.seconds = time.monotonic() - self._since
        self._process.stderr.close()
        self.text = self._log.read()
        self._log.close()
        # "4711 recvfrom(5, ..." counts; "<... recvfrom resumed>" is the other half of one.
        self.counts.update(re.findall(r"^(?:\d+ +)?(\w+)\(", self.text, re.MULTILINE))
        self._injected.update(_injected(self.text))

    def wait_for_injection(self, *calls):
        """Until strace has answered one of them in the kernel's place."""
        wait_until(lambda: set(calls) & set(_injected(pathlib.Path(self._log.name).read_text())),
                   f"{self._server}: none of {', '.join(calls)} was made")

    def count(self, *calls):
        return sum(self.counts[call] for call in calls)

    def injected(self, *calls):
        """How many of them strace answered in the kernel's place."""
        return sum(self._injected[call] for call in calls)


MOST_PER_SECOND = 100


def expect_no_storm(traced, calls, what):
    """Retrying now and then is right, retrying without a pause is a storm."""
    rate = traced.count(*calls) / traced.seconds
    assert rate < MOST_PER_SECOND, (f"{what}: expected under {MOST_PER_SECOND} calls per second, seen {rate:.0f}: "
                                    f"{dict(traced.counts)} in {traced.seconds:.2f} s")


def traced_from_start(log, *options):
    """What to put before a server's command line; skips where strace is missing."""
    if not shutil.which("strace"):
        pytest.skip("missing tool: strace")
    return ["strace", "-f", "-qq", "-o", os.fspath(log), *options]
