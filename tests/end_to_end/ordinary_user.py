"""Root's way to see what an ordinary user gets: a bench that belongs to the user nobody, and what to put before a command."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from driver_bench import HERE, MUXBENCH, Bench
from support.patience import PATIENCE

NOBODY = 65534
BECOME_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


@contextlib.contextmanager
def bench_of_nobody():
    """pytest's own folders are closed to other users, so this one is beside them."""
    if os.geteuid() != 0:
        pytest.skip("environment: only root can become an ordinary user")
    if not shutil.which("setpriv"):
        pytest.skip("missing tool: setpriv")
    for file in (MUXBENCH, HERE / "fake_server.py"):
        if subprocess.run([*BECOME_NOBODY, "test", "-x", file], timeout=PATIENCE).returncode != 0:
            pytest.skip(f"environment: an ordinary user may not execute {file}")
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(pathlib.Path(name))
        for path in (bench.folder, *bench.folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        yield bench
        assert bench.processes_left() == []
