"""A run that is interrupted or killed leaves no process, and a report when it can."""
import os
import signal
import subprocess
import time

import pytest

from support.patience import expect_within


def start_in_background(bench, *words):
    driver = subprocess.Popen(bench.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=bench.folder, env={**os.environ, "TMPDIR": str(bench.folder)})
    return driver


def wait_for_a_server(bench):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if any("--listen" in command for _, command in bench.processes_left()):
            return
        time.sleep(0.02)
    pytest.fail("no server was started")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_leaves_no_process_and_a_report(bench, number):
    bench.server("good", "ignores_sigterm")
    driver = start_in_background(bench, "--duration", "300ms", "--repetitions", "100")
    wait_for_a_server(bench)
    time.sleep(1.5)
    begin = time.monotonic()
    driver.send_signal(number)
    _, errors = driver.communicate(timeout=20)
    expect_within(time.monotonic() - begin, 5, f"the end by {number.name}")
    assert driver.returncode == 130, errors
    assert "interrupted" in errors
    report = bench.report()
    assert report["muxbench"]["status"] == "interrupted"
    assert len(report["muxbench"]["trials"]) < report["muxbench"]["plan"]["trials"]
    assert bench.processes_left() == []


def test_an_interrupted_start_names_unmeasured_cells_missing(bench):
    bench.server("good")
    driver = start_in_background(bench, "--duration", "30s", "--repetitions", "1")
    wait_for_a_server(bench)
    driver.send_signal(signal.SIGINT)
    driver.communicate(timeout=20)
    statuses = [cell["status"] for cell in bench.report()["muxbench"]["cells"]]
    assert statuses == ["missing", "missing"]


def test_servers_do_not_outlive_a_killed_driver(bench):
    bench.server("good")
    driver = start_in_background(bench, "--duration", "30s")
    wait_for_a_server(bench)
    driver.kill()
    driver.communicate()
    deadline = time.monotonic() + 5
    while bench.processes_left() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert bench.processes_left() == []
