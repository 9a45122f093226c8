"""list, doctor, verify, --version and --dry-run."""
import json
import os
import subprocess

from driver_bench import HERE, MUXBENCH, need_cgroup, one_sentence
from support.patience import PATIENCE


def muxbench(*words):
    return subprocess.run([MUXBENCH, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE)


def test_version():
    result = muxbench("--version")
    assert result.returncode == 0 and result.stdout.startswith("muxbench 0.")


def test_list(bench):
    bench.server("good", "unavailable")
    where = ("--servers-dir", bench.servers, "--experiments-dir", bench.experiments)
    result = muxbench("list", *where)
    assert result.returncode == 0
    assert "not available: this machine has no such mechanism" in result.stdout
    assert "Does the driver work?" in result.stdout
    listed = json.loads(muxbench("list", "--json", *where).stdout)
    assert [m["name"] for m in listed["models"]] == ["good", "unavailable"]
    assert listed["experiments"][0]["sweep"] == {"connections": [1, 4]}


def test_doctor_says_what_is_missing_and_the_remedy(bench):
    where = ("--servers-dir", bench.servers, "--experiments-dir", bench.experiments)
    result = muxbench("doctor", *where, "--loadgen", HERE / "fake_loadgen.py")
    assert result.returncode == 3 and "build the servers" in result.stdout
    bench.server("good")
    result = muxbench("doctor", *where, "--loadgen", HERE / "fake_loadgen.py")
    assert result.returncode == 0, result.stdout
    assert "descriptors" in result.stdout and "io_uring" in result.stdout


def test_doctor_looks_for_a_python_that_can_draw(tmp_path, monkeypatch):
    """As scripts do: the first of PATH's and the system's that imports what charts take."""
    python = tmp_path / "python3"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for status, expected in ((0, f"{python} has matplotlib and numpy"), (1, "/usr/bin/python3 has matplotlib and numpy")):
        python.write_text(f"#!/bin/sh\nexit {status}\n")
        python.chmod(0o755)
        line = next(line for line in muxbench("doctor").stdout.splitlines() if line.split()[1] == "charts")
        assert line.startswith("ok ") and line.endswith(expected), line


def test_verify_passes_good_servers(bench):
    bench.server("good", "one_client", "unavailable")
    result = muxbench("verify", "--servers-dir", bench.servers)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert "ok" in lines["good"] and "echo, echo over unix" in lines["good"]
    assert "ok" in lines["one_client"]
    assert "skipped" in lines["unavailable"]


def test_verify_names_what_is_wrong(bench):
    bench.server("good", "wrong_bytes", "ignores_sigterm", "dies_at_start")
    result = muxbench("verify", "--servers-dir", bench.servers)
    assert result.returncode == 1
    assert one_sentence(result).startswith("3 of 4 models failed")
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert "ok" in lines["good"]
    assert "FAILED   echo: echo of 1 bytes: byte 0 of 1 came back as 0x3f" in lines["wrong_bytes"]
    assert "ignored SIGTERM" in lines["ignores_sigterm"]
    assert "no room for its tables" in lines["dies_at_start"]


def test_verify_names_a_server_that_leaves_processes_behind(bench):
    need_cgroup()
    bench.server("good", "leaves_children")
    result = muxbench("verify", "--servers-dir", bench.servers)
    assert result.returncode == 1
    failed, = (line for line in result.stdout.splitlines() if "FAILED" in line)
    assert failed.split()[0] == "leaves_children" and "left 1 of its processes behind" in failed


def test_verify_of_chosen_models(bench):
    bench.server("good", "wrong_bytes")
    assert muxbench("verify", "g*", "--servers-dir", bench.servers).returncode == 0
    result = muxbench("verify", "worse", "--servers-dir", bench.servers)
    assert result.returncode == 2 and 'no model "worse"' in one_sentence(result)


def test_dry_run_prints_the_plan_and_makes_nothing(bench):
    bench.server("good", "one_client")
    result = bench.run("--dry-run", "--seed", "3")
    assert result.returncode == 0
    assert "6 trials of 4 cells (1 skipped)" in result.stdout and "seed 3" in result.stdout
    assert not bench.out.exists()
