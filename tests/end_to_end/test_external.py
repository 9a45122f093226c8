"""Servers of other people: muxbench run --server NAME=COMMAND, and the entries of servers/external."""

import hashlib
import json
import pathlib
import shutil
import subprocess

import pytest

from driver_bench import BUILD, REPOSITORY, one_sentence
from support.patience import PATIENCE

EXTERNAL = REPOSITORY / "servers" / "external"

# An echo server as anybody might write one. A second argument is its fault.
ECHO = """
import os, socketserver, sys, time
port, fault = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
if fault == "never_listens":
    print("still loading", file=sys.stderr, flush=True)
    time.sleep(60)
connections = 0
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        global connections
        connections += 1
        # One connection finds that it listens, and three verify it.
        if fault == "dies_under_load" and connections > 4:
            print("out of tables", file=sys.stderr, flush=True)
            os._exit(9)
        while data := self.request.recv(65536):
            self.request.sendall(data.replace(data[:1], b"?") if fault == "wrong_bytes" else data)
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", port), Echo).serve_forever()
"""


def theirs(bench, fault=""):
    (bench.folder / "echo.py").write_text(ECHO)
    return f"theirs=/usr/bin/python3 {bench.folder}/echo.py {{port}} {fault}"


def test_a_server_of_somebody_else(bench):
    bench.server("good")
    # In 60 ms a busy machine may give it no CPU at all.
    assert bench.run("--no-counting", "--server", theirs(bench), "--duration", "300ms").returncode == 0
    report = bench.report()["muxbench"]
    assert {cell["status"] for cell in bench.cells_of("theirs")} == {"measured"}
    for trial in report["trials"]:
        assert "stop_error" not in trial["server"], trial["server"]  # SIGTERM kills it, as it may
        assert trial["server"]["cpu"]["total_ns"] > 0
    model, = (model for model in report["models"] if model["name"] == "theirs")
    assert model["family"] == "external"
    assert model["sha256"] == hashlib.sha256(pathlib.Path("/usr/bin/python3").read_bytes()).hexdigest()


@pytest.mark.parametrize("text", ["theirs", "Their=x {port}", "theirs=no port", "theirs:ftp=x {port}", "=x {port}"])
def test_what_is_no_server_is_refused(bench, text):
    bench.server("good")
    refused = bench.run("--server", text)
    assert refused.returncode == 2 and not bench.out.exists()
    assert one_sentence(refused) == (
        f"--server {text}: expected NAME=COMMAND, NAME:http=COMMAND or an entry's FILE.json, the name of lower-case letters, digits and "
        "underscores, the command with {port} where its port belongs")


def test_the_name_of_a_model_is_refused(bench):
    bench.server("good")
    refused = bench.run("--server", "good=x {port}")
    assert refused.returncode == 2 and not bench.out.exists()
    assert one_sentence(refused) == "--server good=x {port}: there is a model of that name; choose another"


def test_what_is_no_entry_is_refused(bench, tmp_path):
    bench.server("good")
    entry = tmp_path / "entry.json"
    entry.write_text('{"name": "theirs", "command": "x {port}", "protocol": "ftp"}')
    refused = bench.run("--server", str(entry))
    assert refused.returncode == 2 and not bench.out.exists()
    assert one_sentence(refused) == f'{entry}: protocol: expected "echo" or "http", found "ftp"'


@pytest.mark.parametrize("fault, said", [
    ("never_listens", "the server did not accept connections at 127.0.0.1:"),
    ("dies_under_load", "the server exited with status 9 while it was under load: out of tables"),
    ("wrong_bytes", "wrong answer: echo of 4096 bytes: byte 0 of 4096 came back as 0x3f"),
])
def test_a_faulty_one_fails_and_the_others_are_measured(bench, fault, said):
    bench.server("good")
    result = bench.run("--no-counting", "--server", theirs(bench, fault), "--duration", "30ms")
    assert result.returncode == 1
    assert {cell["status"] for cell in bench.cells_of("good")} == {"measured"}
    for cell in bench.cells_of("theirs"):
        assert cell["status"] == "failed" and said in cell["reason"] and "\n" not in cell["reason"]
        assert fault != "never_listens" or cell["reason"].endswith("start its command by hand to see why: still loading")
    assert sum(said in line for line in result.stderr.splitlines()) >= 1
    assert bench.processes_left() == []


def test_a_command_that_is_not_there_is_named(bench):
    bench.server("good")
    result = bench.run("--no-counting", "--server", "theirs=/no/such/server {port}", "--duration", "30ms")
    assert result.returncode == 1
    for cell in bench.cells_of("theirs"):
        assert cell["status"] == "failed"
        assert cell["reason"] == ("cannot start /no/such/server: No such file or directory (ENOENT); check that the file is there "
                                  "and may be executed")


@pytest.mark.parametrize("way", ["option", "entry"])
def test_no_shell_reads_its_command(bench, tmp_path, way):
    """Whatever a shell would make of it, it is one program and its arguments."""
    bench.server("good")
    command = theirs(bench).removeprefix("theirs=") + " ; touch evil $(touch evil) `touch evil` | touch evil & touch evil > evil"
    entry = tmp_path / "entry.json"
    entry.write_text(json.dumps({"name": "theirs", "command": command}))
    server = f"theirs={command}" if way == "option" else str(entry)
    result = bench.run("--no-counting", "--server", server, "--duration", "300ms")
    assert result.returncode == 0, result.stderr
    assert {cell["status"] for cell in bench.cells_of("theirs")} == {"measured"}
    assert not list(bench.folder.rglob("evil"))


def run_for_real(bench, experiment, name):
    """Its entry, with the load generator of this build, which checks every byte."""
    bench.loadgen = BUILD / "loadgen" / "loadgen"
    bench.server("good")
    bench.experiment({**json.loads(experiment.read_text()), "name": "small", "sweep": {"connections": [1, 8]}, "profiles": {},
                      "warmup": "50ms", "duration": "300ms", "repetitions": 1})
    command = bench.command("--no-counting", "--server", f"servers/external/{name}.json")
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=REPOSITORY)
    cells = bench.cells_of(name)
    assert {cell["status"] for cell in cells} == {"measured"}, result.stderr
    assert not any(flag["kind"] in ("errors", "unclean_stop") for cell in cells for flag in cell["flags"]), cells
    assert result.returncode == 0, result.stderr


def test_node_echo(bench):
    if not shutil.which("node"):
        pytest.skip("missing tool: node (apt-get install nodejs)")
    run_for_real(bench, REPOSITORY / "bench" / "experiments" / "connections.json", "node")


def test_nginx(bench):
    if not shutil.which("nginx", path="/usr/sbin:/usr/bin") and not shutil.which("nginx"):
        pytest.skip("missing tool: nginx (apt-get install nginx)")
    run_for_real(bench, EXTERNAL / "experiments" / "files.json", "nginx")


@pytest.mark.parametrize("command", [["sh", EXTERNAL / "nginx.sh"], ["node", EXTERNAL / "node_echo.js"]], ids=["nginx", "node"])
def test_the_entries_say_how_they_are_called(command):
    if not shutil.which(command[0]):
        pytest.skip(f"missing tool: {command[0]}")
    refused = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("usage: ") and refused.stderr.count("\n") == 1


@pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin") is not None, reason="declared: nginx is here, where any PATH finds it")
def test_without_nginx_its_entry_says_so(tmp_path):
    refused = subprocess.run(["/bin/sh", EXTERNAL / "nginx.sh", "1", tmp_path], capture_output=True, text=True, timeout=PATIENCE,
                             env={"PATH": str(tmp_path)})
    assert refused.returncode == 3 and refused.stderr == "nginx.sh: nginx is not installed; apt-get install nginx\n"
