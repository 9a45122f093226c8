"""bench/validation/speed_table.py: what it makes of the rates that it is told, and what it refuses. Servers and load
generator are stand-ins, so that the rates are known."""

import os
import pathlib
import subprocess
import sys

import pytest

from support.patience import RUN_PATIENCE

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="environment: one CPU, and the table needs two")

# A model tells its address, a yardstick listens on the port that it is given. Both use CPU time before they end.
SERVER = """#!/usr/bin/python3
import json, signal, socket, sys, time
def end(*_):
    until = time.process_time() + 0.02
    while time.process_time() < until:
        pass
    sys.exit()
signal.signal(signal.SIGTERM, end)
if len(sys.argv) == 1:
    print(json.dumps({"address": "model"}), flush=True)
else:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    signal.pause()
"""
# The model answers 9,000 requests a second, then 9,100 and so on with each round, and the yardstick 10,000.
LOADGEN = """#!/usr/bin/python3
import json, pathlib, sys
rounds = pathlib.Path(__file__).with_name("rounds")
rate = 10_000
if sys.argv[sys.argv.index("--target") + 1] == "model":
    number = len(rounds.read_text()) if rounds.exists() else 0
    rounds.write_text("." * (number + 1))
    rate = 9_000 + 100 * number
asked = {}
if "--rate" in sys.argv:
    asked["rate"] = int(sys.argv[sys.argv.index("--rate") + 1].removesuffix("k")) * 1000
print(json.dumps({"asked": asked, "achieved": {"requests_per_second": rate}, "requests_in_run": 1000}))
"""


@pytest.fixture
def speed_table(tmp_path):
    for name, text in (("servers/server_epoll_level", SERVER), ("bench/validation/yardstick/bare_epoll", SERVER),
                       ("loadgen/loadgen", LOADGEN)):
        program = tmp_path / name
        program.parent.mkdir(parents=True)
        program.write_text(text)
        program.chmod(0o755)

    def run(*arguments):
        return subprocess.run([sys.executable, ROOT / "bench" / "validation" / "speed_table.py", "--against", "bare_epoll", *arguments],
                              capture_output=True, text=True, timeout=RUN_PATIENCE, env={**os.environ, "MUXBENCH_BUILD": str(tmp_path)})

    return run


def rows(done):
    assert done.returncode == 0, done.stderr
    header, _, row = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()[2:]]
    return header, row


def test_a_row_has_the_rate_the_ratio_and_its_interval(speed_table):
    header, row = rows(speed_table("--rounds", "7"))
    assert header == ["program", "against", "k/s", "median ratio", "95 % interval", "asked"]
    assert row == ["epoll_level", "bare_epoll", "9", "0.930", "0.900 to 0.960", "0.95"]


def test_at_one_rate_for_all_the_cpu_time_is_compared(speed_table):
    header, row = rows(speed_table("--rounds", "6", "--rate", "9k"))
    assert header[2] == "k per CPU second"
    program, against, rate, ratio, interval, asked = row
    low, high = map(float, interval.split(" to "))
    # 1,000 requests in the 20 ms that a server uses at its end, and some for the end itself.
    assert (program, against, asked) == ("epoll_level", "bare_epoll", "")
    assert 0 < float(rate) <= 51 and 0 < low <= float(ratio) <= high


def test_too_few_rounds_give_no_interval(speed_table):
    _, row = rows(speed_table("--rounds", "1"))
    assert row == ["epoll_level", "bare_epoll", "9", "0.900", "", "0.95"]


def test_a_rate_beyond_the_server_is_refused(speed_table):
    done = speed_table("--rounds", "1", "--rate", "10000k")
    assert done.returncode == 1
    assert "did not reach --rate 10000k, only" in done.stderr and "take a rate that all reach" in done.stderr, done.stderr
