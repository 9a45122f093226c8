"""Output that cannot be written is told, and a reader who leaves early ends nothing."""

import json
import os
import subprocess

import pytest

from driver_bench import BUILD, MUXBENCH, REPOSITORY
from support.patience import PATIENCE

REPORT = REPOSITORY / "results" / "reference" / "report.json"
LOADGEN = BUILD / "loadgen" / "loadgen"
SERVER = BUILD / "servers" / "server_epoll_level"
LOST = "cannot write to standard output: No space left on device (ENOSPC)\n"

PRINTING = [
    (MUXBENCH, "list"), (MUXBENCH, "list", "--json"), (MUXBENCH, "doctor"), (MUXBENCH, "--version"), (MUXBENCH, "--help"),
    (MUXBENCH, "export", REPORT, "--to", "csv"), (MUXBENCH, "compare", REPORT, "--models", "epoll_level,poll"),
    (LOADGEN, "--help"), (SERVER, "--describe"), (SERVER, "--help")]


@pytest.mark.parametrize("command", PRINTING, ids=lambda command: f"{command[0].name} {command[1]}")
def test_a_full_disk_is_a_failure(command):
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.stderr == f"{command[0].name}: {LOST}"
    assert done.returncode == 1


@pytest.mark.parametrize("command", PRINTING, ids=lambda command: f"{command[0].name} {command[1]}")
def test_a_reader_who_has_gone_wanted_no_more(command):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    os.close(write)
    assert done.stderr == ""
    assert done.returncode in (0, -13)  # SIGPIPE where the program leaves that as it is


def test_a_verdict_outlives_its_table():
    with open("/dev/full", "w") as full:
        done = subprocess.run([MUXBENCH, "compare", REPORT, "--models", "epoll_level,poll", "--fail-on-regression", "5%"],
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.returncode == 4
    assert done.stderr == f"muxbench: {LOST}muxbench: worse by 5 % or more\n"


def test_a_run_goes_on_when_nobody_reads_what_it_says(bench):
    bench.server("good")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(bench.command("--duration", "20ms"), stdout=write, stderr=write, timeout=PATIENCE)
    os.close(write)
    assert done.returncode == 0
    assert {trial["status"] for trial in bench.report()["muxbench"]["trials"]} == {"ok"}


def test_a_result_that_does_not_get_out_is_a_failure_of_the_load_generator():
    with subprocess.Popen([SERVER, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as server:
        try:
            address = json.loads(server.stdout.readline())["address"]
            with open("/dev/full", "w") as full:
                done = subprocess.run([LOADGEN, "--target", address, "--connections", "1", "--duration", "50ms", "--json", "-"],
                                      stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        finally:
            server.terminate()
    assert done.returncode == 1
    assert LOST in done.stderr


def test_a_server_says_that_its_ready_line_is_lost_and_serves():
    with open("/dev/full", "w") as full, \
            subprocess.Popen([SERVER, "--listen", "127.0.0.1:0"], stdout=full, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr.readline() == f"server_epoll_level: {LOST}"
            assert server.poll() is None
        finally:
            server.terminate()
        assert server.wait(10) == 1
