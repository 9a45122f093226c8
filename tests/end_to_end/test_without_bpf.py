"""A driver that was built without clang, bpftool or libbpf: the next way of counting serves, and it says why."""
import json
import subprocess

import pytest

from driver_bench import BUILD, MUXBENCH, one_sentence
from support.patience import PATIENCE, RUN_PATIENCE

PROGRAM = BUILD / "bench" / "muxbench_without_bpf"
if not PROGRAM.exists():
    PROGRAM = MUXBENCH  # where this build is itself one


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=PATIENCE)


def next_rung():
    """The first way that works here, by doctor; the machine may allow none."""
    for line in run("doctor").stdout.splitlines():
        if line.startswith("ok") and "counting by" in line:
            return line.split("counting by ")[1].split()[0]
    return None


def test_doctor_says_why_and_the_remedy():
    lines = run("doctor").stdout.splitlines()
    number, = (n for n, line in enumerate(lines) if "counting by bpf" in line)
    assert not lines[number].startswith("ok")
    assert "this muxbench was built without BPF: not found: " in lines[number]
    assert "-> apt-get install " in lines[number + 1] and lines[number + 1].endswith(", and build again")


def test_count_takes_the_next_way(tmp_path):
    if next_rung() is None:
        pytest.skip("environment: nothing else can count here; muxbench doctor says why")
    out = tmp_path / "counts.json"
    assert run("count", "--out", out, "--", "true").returncode == 0
    counts = json.loads(out.read_text())
    assert counts["source"].startswith("perf events") and counts["total_calls"] > 0


def test_count_by_bpf_is_refused():
    refused = run("count", "--backend", "bpf", "--", "true")
    assert refused.returncode == 3
    assert "this muxbench was built without BPF: not found: " in one_sentence(refused)


def test_the_report_tells_both(bench):
    bench.server("good")
    command = [PROGRAM, *bench.command("--profile", "full", "--repetitions", "5")[1:]]
    result = subprocess.run(command, capture_output=True, text=True, timeout=RUN_PATIENCE, cwd=bench.folder)
    assert result.returncode == 0, result.stderr
    ours = bench.report()["muxbench"]
    first = ours["counting"][0]
    assert first["rung"] == "bpf" and not first["used"] and "built without BPF" in first["reason"]
    if (rung := next_rung()) is None:
        assert not any("counts" in cell for cell in ours["cells"])
        return
    assert [tried["rung"] for tried in ours["counting"] if tried["used"]] == [rung]
    for cell in ours["cells"]:
        counts = cell["counts"]
        assert counts["syscalls"]["sendto"]["calls"] == counts["requests"], counts
        assert "result_sum" not in counts["syscalls"]["sendto"]  # unknown to perf events, so absent and not 0
