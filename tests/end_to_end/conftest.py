"""A bench for the driver, and the promise that it leaves no process behind."""
import pytest

from driver_bench import MUXBENCH, Bench


@pytest.fixture
def bench(tmp_path):
    if not MUXBENCH.exists():
        pytest.fail(f"{MUXBENCH} is not built; build the target muxbench, or set MUXBENCH_BUILD")
    bench = Bench(tmp_path)
    yield bench
    assert bench.processes_left() == []
