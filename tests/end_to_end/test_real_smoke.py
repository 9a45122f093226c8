"""The smoke profile with the programs of this build: the real servers and the real load generator."""
import subprocess

import pytest

from driver_bench import BUILD, MUXBENCH, TRIALS_ALONE, check_report
from support.patience import RUN_PATIENCE

# Among the other tests a hundred processes wait for two CPUs, and any time limit of the driver may pass.
pytestmark = pytest.mark.alone


def test_a_smoke_run_measures_or_excuses_every_cell(tmp_path):
    """How long it takes is measured by bench/validation/time_limits.py."""
    if not list((BUILD / "servers").glob("server_*")) or not (BUILD / "loadgen" / "loadgen").exists():
        pytest.skip("environment: this build has no servers or no load generator")
    result = subprocess.run([MUXBENCH, "run", *TRIALS_ALONE, "--profile", "smoke", "--out", tmp_path / "out"],
                            capture_output=True, text=True, timeout=RUN_PATIENCE, cwd=tmp_path)
    report = check_report(tmp_path / "out" / "report.json")
    cells = report["muxbench"]["cells"]
    # On a machine that is busy with other work a window of a tenth of a second may see no answer, and the time may
    # be over before the last cell. A server that is wrong has another reason.
    excused = ("not one request succeeded", "the time of the profile ended")
    wrong = {cell["id"]: cell["reason"] for cell in cells
             if cell["status"] not in ("measured", "skipped")
             and not any(words in cell["reason"] for words in excused)}
    assert not wrong
    assert any(cell["status"] == "measured" for cell in cells)
    assert result.returncode in (0, 1), result.stdout + result.stderr
