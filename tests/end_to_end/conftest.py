"""A bench for the driver, and the promise that it leaves no process behind."""
import os
import subprocess

import pytest

from driver_bench import MUXBENCH, Bench


@pytest.fixture
def bench(tmp_path):
    if not MUXBENCH.exists():
        pytest.fail(f"{MUXBENCH} is not built; build the target muxbench, or set MUXBENCH_BUILD")
    bench = Bench(tmp_path)
    yield bench
    assert bench.processes_left() == []


@pytest.fixture
def without_cgroup():
    """What to put before a command, so that it runs where no cgroup can be made."""
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c"]
    hide = "mount -t tmpfs -o ro none /sys/fs/cgroup"
    tried = subprocess.run([*unshare, hide], capture_output=True, text=True, timeout=60)
    if tried.returncode != 0:
        pytest.skip(f"environment: cgroups cannot be hidden: {tried.stderr.strip()}")
    return (*unshare, f'{hide} && exec "$@"', "sh")
