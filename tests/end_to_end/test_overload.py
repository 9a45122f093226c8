"""An open loop far beyond what a server answers: it has a throughput and no latency, and is no failure."""
import json
import subprocess

import pytest

from driver_bench import BUILD, MUXBENCH, SMALL, TRIALS_ALONE, check_report
from support.patience import RUN_PATIENCE

# Of 5,000 requests a second, each of which takes 2 ms, one in ten is answered: after 5.6 s the 2,800th waits for 5 s.
BEYOND = {**SMALL, "load": {"mode": "open", "rate": 5000, "connections": 4, "message_bytes": 32},
          "sweep": {"work_spin_us": [2000]}, "duration": "2s", "repetitions": 1}


def test_a_rate_beyond_capacity_has_a_throughput_and_no_latency(tmp_path):
    if not all((BUILD / place).exists() for place in ("loadgen/loadgen", "servers/server_epoll_level")):
        pytest.skip("environment: this build has no load generator, or not this server")
    (tmp_path / "small.json").write_text(json.dumps(BEYOND))
    subprocess.run([MUXBENCH, "run", *TRIALS_ALONE, "--profile", "quick", "--quiet", "--no-counting", "--models", "epoll_level",
                    "--experiments-dir", tmp_path, "--out", tmp_path / "out"],
                   check=True, stdout=subprocess.DEVNULL, timeout=RUN_PATIENCE, cwd=tmp_path)
    report = check_report(tmp_path / "out" / "report.json")["muxbench"]
    cell, = report["cells"]
    assert cell["status"] == "measured", cell
    assert "rate_not_reached" in {flag["kind"] for flag in cell["flags"]}, cell["flags"]  # a busy machine adds others
    assert not [metric for metric in cell["summary"] if metric.startswith("latency")], cell["summary"]
    trial, = report["trials"]
    load, server = trial["load"], trial["server"]
    assert load["status"] == "overloaded" and "5000 requests per second" in load["stop_reason"], load
    answered = load["achieved"]["requests_per_second"] * load["achieved"]["duration_ns"] / 1e9
    assert 0 < answered < load["requests"]  # of those due in the window, many were answered later
    assert server["cpu_ns_per_request"] == pytest.approx(server["cpu"]["total_ns"] / answered)
