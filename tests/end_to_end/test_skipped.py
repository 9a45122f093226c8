"""The end of tests/run_all.sh: what was skipped because of the machine, and --strict."""
import subprocess
import sys

import pytest

from driver_bench import REPOSITORY

CTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="(empty)" tests="2" skipped="1">
  <testcase name="core/Ring.Nop" status="notrun">
    <skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
    <system-out>[ RUN      ] Ring.Nop
/w/uring_test.cpp:11: Skipped
no io_uring here: ENOSYS

[  SKIPPED ] Ring.Nop (0 ms)
</system-out>
  </testcase>
  <testcase name="core/Ok" status="run"><system-out></system-out></testcase>
</testsuite>
"""
MEANT = """....ss.
SKIPPED [3] tests/conftest.py:102: declared: workers is False, not True
"""
MACHINE = """SKIPPED [2] tests/support/trace.py:37: missing tool: strace
SKIPPED [2] tests/support/trace.py:53: missing tool: strace
SKIPPED [1] tests/conformance/test_stream.py:162: environment: no ::1 here: EADDRNOTAVAIL
"""
ALONE = "SKIPPED [1] tests/end_to_end/test_delegation.py:35: environment: no cgroup can be made: EROFS\n"


def run(folder, ctest, pytest_outputs, *options):
    files = [folder / "ctest.xml", *(folder / f"pytest{number}.txt" for number in range(len(pytest_outputs)))]
    for file, text in zip(files, (ctest, *pytest_outputs)):
        file.write_text(text)
    return subprocess.run([sys.executable, REPOSITORY / "tests" / "skipped.py", *files, *options], capture_output=True, text=True)


@pytest.mark.parametrize("options, status", [((), 0), (("--strict",), 1)])
def test_reasons_of_the_machine_are_listed_and_strict_fails_by_them(tmp_path, options, status):
    said = run(tmp_path, CTEST, [MEANT + MACHINE, ALONE], *options)
    assert said.stdout.splitlines() == [
        "Skipped because of this machine:",
        "    4  missing tool: strace",
        "    1  no ::1 here: EADDRNOTAVAIL",
        "    1  no cgroup can be made: EROFS",
        "    1  no io_uring here: ENOSYS"]
    assert said.returncode == status
    assert ("run_all: 7 tests were skipped because of this machine" in said.stderr) == bool(status)


def test_what_is_meant_to_be_skipped_is_not_the_machines(tmp_path):
    said = run(tmp_path, "<testsuite/>", [MEANT], "--strict")
    assert (said.returncode, said.stdout, said.stderr) == (0, "Nothing was skipped because of this machine.\n", "")


def test_bad_options_are_refused():
    refused = subprocess.run([REPOSITORY / "tests" / "run_all.sh", "--srict"], capture_output=True, text=True)
    assert refused.returncode == 2 and refused.stderr == "Usage: tests/run_all.sh [--no-install] [--strict]\n"
