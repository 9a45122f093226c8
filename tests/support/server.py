"""Starts one server, reads its ready line, and sees to it that nothing of it is left."""

import contextlib
import ctypes
import json
import os
import re
import resource
import selectors
import signal
import socket
import subprocess
import tempfile
import time

from support import processes
from support.patience import PATIENCE, wait_until

STOP_SECONDS = 1.0  # the contract: SIGTERM, and within 1 s it has ended with status 0 (bench/validation/time_limits.py measures it)

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

# Children that outlive their server become ours, so that no process 1 decides when they are reaped.
_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Server:
    """with Server(model, "--idle-timeout", "1") as server: ...

    At the end of the block the server must stop on SIGTERM as the contract says: with status 0,
    nothing on stderr, no process left. After a failed block it is killed instead, and its stderr
    becomes part of the failure's output.
    """

    def __init__(self, model, *options, protocol="echo", listen="127.0.0.1:0", limits=(), wrap=(),
                 environment=None):
        self.model = model
        if model.pool and "--workers" not in options:
            options = ("--workers", model.pool, *options)
        self.command = [*wrap, str(model.program), "--listen", listen, "--protocol", protocol,
                        *map(str, options)]
        self._limits = limits
        self._environment = {**os.environ, **(environment or {})}
        self._stderr = tempfile.TemporaryFile()
        self.pid = None
        self.address = None

    # --- starting

    def start(self):
        self._process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._stderr,
            env=self._environment, start_new_session=True, preexec_fn=self._prepare_child)
        self.session = self._process.pid
        try:
            self._read_ready_line()
        except BaseException:
            self.kill()
            raise
        return self

    def _prepare_child(self):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for kind, limit in self._limits:
            resource.setrlimit(kind, limit)

    def _read_ready_line(self):
        line = b""
        deadline = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(deadline - time.monotonic()):
                    raise AssertionError(f"{self} printed no ready line, only {line!r}")
                piece = os.read(self._process.stdout.fileno(), 4096)
                if not piece:
                    status = self._process.wait()
                    raise AssertionError(f"{self} ended with status {status} before it was ready; "
                                         f"stdout {line!r}, stderr {self.stderr()!r}")
                line += piece
        try:
            ready = json.loads(line)
        except ValueError:
            ready = {}
        assert (line.count(b"\n") == 1 and ready.get("ready") is True
                and set(ready) == {"ready", "address", "pid"}), \
            f'{self}: expected {{"ready":true,"address":...,"pid":...}}, seen {line!r}'
        self.pid = ready["pid"]
        self.address = ready["address"]

    # --- how clients reach it

    def endpoint(self):
        """(family, address) for socket(2) and connect(2)."""
        if self.address.startswith("unix:"):
            return socket.AF_UNIX, self.address.removeprefix("unix:")
        host, _, port = self.address.rpartition(":")
        family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
        return family, (host.strip("[]"), int(port))

    def is_refusing(self):
        """Does nobody listen there any more?"""
        family, address = self.endpoint()
        with socket.socket(family) as late:
            late.settimeout(PATIENCE)
            return late.connect_ex(address) != 0

    # --- what it is made of

    def _states(self):
        """{pid: state} of all its processes; orphans that have ended are reaped here."""
        states = processes.of_session(self.session)
        for pid, state in list(states.items()):
            if state == "Z" and pid != self._process.pid:
                with contextlib.suppress(ChildProcessError):  # not an orphan: its parent's business
                    if os.waitpid(pid, os.WNOHANG)[0] == pid:
                        del states[pid]
        return states

    def processes(self):
        """Those that live: children too, zombies not."""
        return [pid for pid, state in self._states().items() if state != "Z"]

    def zombies(self):
        return [pid for pid, state in self._states().items() if state == "Z"]

    def expect_processes_ended(self, usual):
        """Of those that served a client of its own each: back to so many, zombies not left either. Some machines take
        seconds to end thousands, which is not to count as the server's own time to stop."""
        wait_until(lambda: len(self._states()) <= usual,
                   lambda: f"{self}: the clients went, and of {usual} processes there are now {self._tell_processes()}")

    def descriptors(self):
        return sum(processes.descriptors(pid) for pid in self.processes())

    def threads(self):
        return sum(len(processes.threads(pid)) for pid in self.processes())

    def cpu_seconds(self):
        return sum(processes.cpu_seconds(pid) for pid in self.processes())

    def memory_bytes(self):
        """Memory of its own (neither files nor shared memory), of all its processes."""
        return sum(processes.status(pid, "RssAnon") for pid in self.processes()) * 1024

    def forget_peak_memory(self):
        for pid in self.processes():
            processes.forget_peak(pid)

    def peak_memory_bytes(self):
        """The most that was resident since forget_peak_memory(), files and all, summed over its processes."""
        return sum(processes.status(pid, "VmHWM") for pid in self.processes()) * 1024

    def signal(self, number):
        os.kill(self.pid, number)

    def signal_all(self, number):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def is_alive(self):
        return self._process.poll() is None

    def stderr(self):
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    @contextlib.contextmanager
    def suspended(self):
        """Nothing of the server runs inside this block; the kernel goes on taking connections."""
        pids = self.processes()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # one that served a connection has just ended
                os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            wait_until(lambda: processes.state(pid) in ("T", "t", "Z", "X", None),
                       f"process {pid} of {self} did not stop on SIGSTOP")
        try:
            yield
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    # --- stopping

    def wait_for_end(self):
        """The exit status, or None while it still runs after PATIENCE."""
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None

    def expect_end(self, situation, status=0):
        """It must end and leave nothing."""
        seen = self.wait_for_end()
        assert seen is not None, f"{self}, {situation}: still there after {PATIENCE:.0f} s: {self._tell_processes()}"
        assert seen == status, f"{self}, {situation}: expected exit status {status}, seen {seen}; {self._tell_stderr()}"
        self.expect_nothing_left(situation)

    def expect_nothing_left(self, situation):
        # A child that was told to end may need a moment to do so.
        wait_until(lambda: not self._states(),
                   lambda: f"{self}, {situation}: processes are left: {self._tell_processes()}")
        more = self._process.stdout.read()
        assert not more, f"{self}, {situation}: expected only the ready line on stdout, seen {more!r} too"
        errors = self.stderr()
        assert not errors, f"{self}, {situation}: expected nothing on stderr, seen:\n{errors}"
        if self.address.startswith("unix:"):
            path = self.address.removeprefix("unix:")
            assert not os.path.exists(path), f"{self}, {situation}: {path} is left"

    def stop(self):
        assert self.is_alive(), \
            (f"{self} ended by itself with status {self._process.returncode}; {self._tell_stderr()}")
        self.signal(signal.SIGTERM)
        self.expect_end("SIGTERM at the end of the test")

    def kill(self):
        deadline = time.monotonic() + PATIENCE
        while pids := self._states():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.poll()  # reaps it
            if time.monotonic() > deadline:
                raise AssertionError(f"{self}: cannot be killed: {self._tell_processes()}")
            time.sleep(0.005)
        self._process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        try:
            if kind is None and self._process.returncode is None:
                self.stop()
        finally:
            if kind is not None:
                print(f"{self}: status {self._process.poll()}; {self._tell_stderr()}")
            self.kill()
            self._process.stdout.close()
            self._stderr.close()

    def _tell_processes(self):
        """Such as "S: 4711; Z: 4712, 4713, 4714 and 97 more"."""
        of_state = {}
        for pid, state in self._states().items():
            of_state.setdefault(state, []).append(str(pid))
        return "; ".join(f"{state}: {', '.join(pids[:3])}" + (f" and {len(pids) - 3} more" if len(pids) > 3 else "")
                         for state, pids in sorted(of_state.items()))

    def _tell_stderr(self):
        errors = self.stderr()
        return f"stderr:\n{errors}" if errors else "nothing on stderr"

    def __str__(self):
        return " ".join(re.sub(r".*/(server_\w+)$", r"\1", word) for word in self.command)


def run_to_end(model, *arguments, environment=None, wrap=()):
    """For command lines that must not lead to a server: (status, stdout, stderr)."""
    done = subprocess.run([*wrap, str(model.program), *map(str, arguments)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=PATIENCE,
                          env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr
