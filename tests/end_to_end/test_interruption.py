"""A run that is interrupted or killed leaves no process, and a report when it can."""
import signal

import pytest

from support.patience import PATIENCE, wait_until


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_leaves_no_process_and_a_report(bench, number):
    bench.server("good", "ignores_sigterm")
    driver = bench.start("--duration", "300ms", "--repetitions", "100")
    bench.wait_for("--listen", 3)
    driver.send_signal(number)
    _, errors = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 128 + number, errors
    assert "interrupted" in errors
    assert (bench.out / "summary.md").read_text().startswith("# muxbench findings of an interrupted run\n")
    report = bench.report()
    assert report["muxbench"]["status"] == "interrupted"
    assert len(report["muxbench"]["trials"]) < report["muxbench"]["plan"]["trials"]
    assert bench.processes_left() == []


def test_an_interrupted_start_names_unmeasured_cells_missing(bench):
    bench.server("good")
    driver = bench.start("--duration", "30s", "--repetitions", "1")
    bench.wait_for("--listen", 1)
    driver.send_signal(signal.SIGINT)
    driver.communicate(timeout=PATIENCE)
    statuses = [cell["status"] for cell in bench.report()["muxbench"]["cells"]]
    assert statuses == ["missing", "missing"]


def test_servers_do_not_outlive_a_killed_driver(bench):
    bench.server("good")
    driver = bench.start("--duration", "30s")
    bench.wait_for("--listen", 1)
    driver.kill()
    driver.communicate()
    wait_until(lambda: not bench.processes_left(), lambda: f"left behind: {bench.processes_left()}")
