"""One run of real servers under the real load generator: what a report says beyond throughput, and of servers that are
not ours as well."""
import contextlib
import json
import subprocess
import sys

import pytest

from driver_bench import BUILD, MUXBENCH, SMALL, TRIALS_ALONE, check_report
from support.patience import RUN_PATIENCE

# An echo server of somebody else, which tells on which CPUs it was allowed to run.
ECHO = """
import os, socketserver, sys
with open(sys.argv[2], "w") as told:
    print(*sorted(os.sched_getaffinity(0)), file=told)
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 1024
Server(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
"""
pytestmark = pytest.mark.alone  # the kernel's memory for sockets is that of all programs

MODELS = ("epoll_level", "thread_per_connection")
IDLE = 2000  # their memory stands out from what the rest of the machine takes and frees meanwhile


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    if not all((BUILD / place).exists() for place in ("loadgen/loadgen", *(f"servers/server_{name}" for name in MODELS))):
        pytest.skip("environment: this build has no load generator, or not these servers")
    folder = tmp_path_factory.mktemp("real")
    (folder / "experiments").mkdir()
    experiment = {**SMALL, "sweep": {"idle": [0, IDLE], "connections": [4]}, "warmup": "50ms", "duration": "300ms"}
    (folder / "experiments" / "small.json").write_text(json.dumps(experiment))
    (folder / "echo.py").write_text(ECHO)
    theirs = f"theirs=/usr/bin/python3 {folder}/echo.py {{port}} {folder}/cpus"
    subprocess.run([MUXBENCH, "run", *TRIALS_ALONE, "--profile", "quick", "--quiet", "--models", ",".join((*MODELS, "theirs")),
                    "--server", theirs, "--experiments-dir", folder / "experiments", "--out", folder / "out"],
                   check=True, stdout=subprocess.DEVNULL, timeout=RUN_PATIENCE, cwd=folder)
    report = check_report(folder / "out" / "report.json")["muxbench"]
    return report, (folder / "cpus").read_text()


def trials_of(report, model, idle):
    return [trial for trial in report["trials"] if trial["cell"] == f"{model}/small/idle:{idle}/connections:4"]


@pytest.mark.parametrize("name", [*MODELS, "theirs"])
def test_memory_of_a_connection_is_told_from_200_on(run, name):
    report, _ = run
    each = ("process_bytes_per_connection", "kernel_bytes_per_connection")
    for trial in trials_of(report, name, 0):
        assert not {*each, "bytes_per_connection_source"} & set(trial["server"]), trial["server"]
    many = [trial["server"] for trial in trials_of(report, name, IDLE)]
    assert many and all(server["bytes_per_connection_source"] for server in many), many
    # A stack and a thread's bookkeeping, or a place in a table.
    least, most = (8 << 10, 256 << 10) if name != "epoll_level" else (16, 4 << 10)
    for server in many:
        assert least <= server["process_bytes_per_connection"] <= most, server


@pytest.mark.parametrize("name", [*MODELS, "theirs"])
def test_calls_are_counted_in_a_pass_of_their_own(run, name):
    report, _ = run
    if not any(rung["used"] for rung in report["counting"]):
        pytest.skip("environment: no rung of counting works here; muxbench doctor says why")
    counted = [cell["counts"] for cell in report["cells"] if cell["model"] == name and "counts" in cell]
    assert counted, f"nothing was counted of {name}"
    for counts in counted:
        calls = {call: of["calls"] for call, of in counts["syscalls"].items()}
        # One for each request, and a few of connections that came and went.
        for call in ("recvfrom", "sendto"):
            assert counts["requests"] <= calls[call] <= counts["requests"] * 1.05 + 1000, counts
        if name == "epoll_level":
            assert calls["sendto"] == counts["requests"], "one send for each request, to the last of them"


def test_the_network_is_a_private_one(run):
    report, _ = run
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        pytest.skip("environment: no network namespace can be made here")
    assert report["plan"]["network"] == "private"


def test_a_server_of_somebody_else_runs_on_the_servers_cpus(run):
    report, cpus = run
    assert [int(cpu) for cpu in cpus.split()] == report["plan"]["server_cpus"]


def test_a_neighbour_on_the_servers_cpu_is_flagged(run, tmp_path):
    report, _ = run
    cpus = report["plan"]["server_cpus"]
    (tmp_path / "small.json").write_text(json.dumps({**SMALL, "sweep": {"connections": [16]}, "duration": "500ms"}))
    hog = "import os, sys; os.sched_setaffinity(0, map(int, sys.argv[1:])); print(flush=True)\nwhile True: pass"
    with contextlib.ExitStack() as stack:
        for _ in cpus:
            neighbour = stack.enter_context(subprocess.Popen([sys.executable, "-c", hog, *map(str, cpus)], stdout=subprocess.PIPE))
            stack.callback(neighbour.kill)
            neighbour.stdout.readline()
        subprocess.run([MUXBENCH, "run", *TRIALS_ALONE, "--profile", "quick", "--quiet", "--no-counting", "--models", "epoll_level",
                        "--experiments-dir", tmp_path, "--out", tmp_path / "out"], check=True,
                       stdout=subprocess.DEVNULL, timeout=RUN_PATIENCE, cwd=tmp_path)
    disturbed = check_report(tmp_path / "out" / "report.json")["muxbench"]
    assert disturbed["plan"]["server_cpus"] == cpus
    for trial in disturbed["trials"]:
        assert trial["server_waited_ns"] > 0.05 * trial["load"]["achieved"]["duration_ns"], trial["server_waited_ns"]
    cell, = disturbed["cells"]
    assert "starved_server" in {flag["kind"] for flag in cell["flags"]}, cell["flags"]
