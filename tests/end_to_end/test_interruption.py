"""A run that is interrupted or killed leaves no process, and a report when it can."""
import os
import signal
import subprocess

import pytest

from support.patience import PATIENCE, wait_until


def start_in_background(bench, *words):
    driver = subprocess.Popen(bench.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=bench.folder, env={**os.environ, "TMPDIR": str(bench.folder)})
    return driver


def wait_for_servers(bench, count):
    """Until so many were started, one after the other."""
    seen = set()

    def enough():
        seen.update(pid for pid, command in bench.processes_left() if "--listen" in command)
        return len(seen) >= count

    wait_until(enough, lambda: f"{len(seen)} servers were started, expected {count}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_leaves_no_process_and_a_report(bench, number):
    bench.server("good", "ignores_sigterm")
    driver = start_in_background(bench, "--duration", "300ms", "--repetitions", "100")
    wait_for_servers(bench, 3)
    driver.send_signal(number)
    _, errors = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 130, errors
    assert "interrupted" in errors
    report = bench.report()
    assert report["muxbench"]["status"] == "interrupted"
    assert len(report["muxbench"]["trials"]) < report["muxbench"]["plan"]["trials"]
    assert bench.processes_left() == []


def test_an_interrupted_start_names_unmeasured_cells_missing(bench):
    bench.server("good")
    driver = start_in_background(bench, "--duration", "30s", "--repetitions", "1")
    wait_for_servers(bench, 1)
    driver.send_signal(signal.SIGINT)
    driver.communicate(timeout=PATIENCE)
    statuses = [cell["status"] for cell in bench.report()["muxbench"]["cells"]]
    assert statuses == ["missing", "missing"]


def test_servers_do_not_outlive_a_killed_driver(bench):
    bench.server("good")
    driver = start_in_background(bench, "--duration", "30s")
    wait_for_servers(bench, 1)
    driver.kill()
    driver.communicate()
    wait_until(lambda: not bench.processes_left(), lambda: f"left behind: {bench.processes_left()}")
