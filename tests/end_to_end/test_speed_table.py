"""bench/validation/speed_table.py: the barest pair through both of its measures, and what it says when it cannot measure."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.alone,  # beside others the load may fall short of its rate, and then there is no table
              pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="environment: one CPU, and the table needs two")]


def speed_table(*arguments):
    return subprocess.run([sys.executable, ROOT / "bench" / "validation" / "speed_table.py", "--against", "bare_epoll",
                           "--seconds", "0.2", *arguments],
                          capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("arguments, unit, asked", [([], "k/s", "0.95"), (["--rate", "5k"], "k per CPU second", "")])
def test_a_row_has_the_rate_the_ratio_and_its_interval(arguments, unit, asked):
    done = speed_table("--rounds", "6", *arguments)
    assert done.returncode == 0, done.stderr
    header, _, row = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()[2:]]
    assert header == ["program", "against", unit, "median ratio", "95 % interval", "asked"]
    program, against, rate, ratio, interval, target = row
    assert (program, against, target) == ("epoll_level", "bare_epoll", asked)
    low, high = map(float, interval.split(" to "))
    assert float(rate) > 0 and 0 < low <= float(ratio) <= high


def test_too_few_rounds_give_no_interval():
    done = speed_table("--rounds", "1")
    assert done.returncode == 0 and done.stdout.splitlines()[-1].split("|")[5].strip() == ""


def test_a_rate_beyond_the_server_is_refused():
    done = speed_table("--rounds", "1", "--rate", "10000k")
    assert done.returncode == 1
    assert "did not reach --rate 10000k, only" in done.stderr and "take a rate that all reach" in done.stderr, done.stderr
