"""The servers under test: every program build/servers/server_*, and what it says of itself."""

import functools
import json
import os
import pathlib
import re
import subprocess
from support.patience import PATIENCE

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MUXBENCH_BUILD", REPOSITORY / "build"))

# The quick tier sets it: a process pool of the usual 256 takes seconds of CPU time to start on a slow machine. None: what the model starts.
pool_size = None


class Model:
    def __init__(self, program):
        self.program = program
        self.name = program.name.removeprefix("server_")

    @functools.cached_property
    def description(self):
        done = subprocess.run([self.program, "--describe"], capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise AssertionError(f"{self.program} --describe: exit status {done.returncode}, "
                                 f"stderr {done.stderr!r}")
        return json.loads(done.stdout)

    @property
    def available(self):
        return self.description["available"]

    @property
    def was_left_out(self):
        """A library was missing when it was built, and a program that only says so stands in for it."""
        return self.description["mechanism"] == "not built"

    def capability(self, name):
        """What the model declares; absent means no."""
        return self.description["capabilities"].get(name, False)

    @property
    def concurrent(self):
        return self.capability("concurrent")

    @property
    def pool(self):
        """How many workers the tests start where they do not say it and each worker serves one client; else None."""
        return pool_size if self.capability("one_client_per_worker") else None

    @property
    def max_connections(self):
        return self.pool or self.capability("max_connections")

    def room_for(self, connections):
        """That many, or fewer where the mechanism itself has a limit (select's FD_SETSIZE)."""
        limit = self.max_connections
        return min(connections, limit - 32) if limit else connections

    def room_with_workers(self, workers, connections):
        """The same with --workers. A model that has both workers and a limit serves one client in each."""
        return workers if self.capability("max_connections") else connections

    @functools.cached_property
    def sanitized(self):
        program = self.program.read_bytes()
        return any(mark in program for mark in (b"__asan_init", b"__tsan_init"))


@functools.cache
def all_models():
    programs = sorted((BUILD / "servers").glob("server_*"))
    return [Model(p) for p in programs if p.is_file() and os.access(p, os.X_OK)]


def source_of(name):
    return (REPOSITORY / "servers" / "models" / f"{name}.cpp").read_text()


def starts_threads(name):
    """With one client and two workers."""
    return re.search("pthread_create|run_worker_threads|aio_init", source_of(name)) is not None


def targets_in_cmake():
    """The names that servers/CMakeLists.txt has a program built for."""
    text = (REPOSITORY / "servers" / "CMakeLists.txt").read_text()
    return re.findall(r"^muxbench_add_server\((\w+)", text, re.MULTILINE)
