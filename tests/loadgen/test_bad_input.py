"""What goes wrong around a run: one sentence with the cause and the remedy, the right exit status, and what was measured."""

import json
import pathlib
import socket
import subprocess
import sys

import pytest

from loadgen.liars import CLOSE, RESET, Liar
from loadgen.program import load, run
from support.patience import PATIENCE


def first(result, kind):
    return result["errors"]["by_kind"][kind]["first"]


def test_an_unreachable_target_is_told_with_the_remedy():
    """connect(2) refuses TCP to the broadcast address at once; nothing is sent."""
    result = load("255.255.255.255:80", "--allow-remote", connections=1, duration="200ms", expect=1)
    assert result["status"] == "failed"
    assert "no way to 255.255.255.255:80; check the address" in first(result, "connect")


def test_a_server_that_takes_no_more_is_not_tried_for_each_connection():
    """One after the other, 128 at once, 50,000 attempts would take two minutes."""
    with socket.create_server(("127.0.0.1", 0), backlog=4) as full:
        result = load("127.0.0.1:%d" % full.getsockname()[1], connections=50_000, duration="100ms", connect_timeout="300ms", expect=1)
    assert 0 < result["achieved"]["connections"] < 10
    assert result["errors"]["by_kind"]["connect"]["count"] == 50_000 - result["achieved"]["connections"]
    assert "did not answer in time; check" in first(result, "connect")


def test_a_quiet_run_tells_why_it_failed():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = "127.0.0.1:%d" % listener.getsockname()[1]
    status, out, err = run("--target", target, "--connections", 1, "--duration", "50ms", "--quiet")
    assert (status, out) == (1, "") and err.startswith("loadgen: ") and err.count("\n") == 1
    assert err.endswith(f"first: refused: connection 0: {target} refuses connections; is the server running?\n")


def test_an_unknown_host_is_named():
    status, out, err = run("--target", "no-such-host.invalid:80")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1 and "no-such-host.invalid" in err


def test_a_storm_of_resets_is_survived_and_counted():
    with Liar(lambda *_: RESET) as server:
        result = load(server.target, connections=8, duration="500ms", expect=1)
    assert result["status"] == "failed"
    assert set(result["errors"]["by_kind"]) == {"reset"}
    assert 8 <= result["failed_requests"] == result["errors"]["total"] <= server.lies
    assert result["errors"]["total"] <= 8 * 20, "reopening pauses"
    assert result["latency_ns"] == {"count": 0, "histogram": {"significant_digits": 3, "buckets": []}}


def test_a_server_that_dies_in_the_middle_leaves_a_result(tmp_path):
    file = tmp_path / "result.json"

    def answer(number, message):
        if number == 49:
            server.stop_listening()
            return CLOSE
        return message

    server = Liar(answer)
    with server:
        status, _, err = run("--target", server.target, "--connections", 1, "--duration", "700ms", "--json", file)
    result = json.loads(file.read_text())
    assert (status, err) == (1, "")
    assert result["status"] == "failed"
    assert result["requests"] == 49
    assert result["errors"]["by_kind"].keys() == {"closed", "refused"}


@pytest.mark.parametrize("churn", [[], ["--churn"]])
def test_requests_without_a_connection_have_failed(churn):
    """All that were asked for have succeeded or failed: 5 of them could not be sent."""
    def answer(number, message):
        if server.messages != 9:
            return message
        server.stop_listening()
        return CLOSE

    server = Liar(answer)
    with server:
        result = load(server.target, *churn, connections=1, requests=15, expect=1)
    assert (result["requests"], result["failed_requests"]) == (9, 6)
    assert {kind: entry["count"] for kind, entry in result["errors"]["by_kind"].items()} == {"closed": 1, "refused": 5}


@pytest.mark.parametrize("options, sentence", [
    (["--rate", "0"], "--rate must be from 1"),
    (["--rate", "-5"], "--rate"),
    (["--rate", "99M"], "--rate must be from 1 to 10,000,000"),
    (["--rate", "fast"], "not a whole number"),
    (["--rate", "2", "--duration", "100ms"], "makes not one request within 100 ms"),
    (["--requests", "5", "--duration", "1s"], "not both"),
    (["--churn", "--pipeline", "4"], "leave out --churn"),
    (["--closer", "reset"], "add --churn"),
    (["--arrival", "poisson"], "add --rate"),
    (["--rate", "1k,2k", "--hgrm", "x"], "one --rate"),
    (["--rate", "10k,,20k"], "--rate"),
    (["--rate", "10k,"], "--rate"),
    (["--json", "-", "--csv", "-"], "only one of --json, --hgrm and --csv"),
    (["--protocol", "http", "--message-bytes", "64"], "does not apply"),
    (["--protocol", "greet", "--churn"], "leave out --churn"),
    (["--message-bytes", "2MiB"], "from 1 B to 1 MiB"),
    (["--threads", "9", "--connections", "8"], "at least one connection per thread"),
])
def test_options_that_make_no_sense_are_refused_in_one_sentence(options, sentence):
    status, out, err = run("--target", "127.0.0.1:1", *options)
    assert (status, out) == (2, "")
    assert err.startswith("loadgen: ") and err.count("\n") == 1 and sentence in err


def test_a_full_disk_is_a_failure_after_the_run():
    with Liar(lambda _, message: message) as server:
        status, _, err = run("--target", server.target, "--requests", 10, "--connections", 1, "--json", "/dev/full")
    assert status == 1
    assert err.count("\n") == 1 and "cannot write /dev/full" in err


def in_a_small_namespace(*arguments):
    """Runs few_ports.py in a network namespace of its own; its one line of JSON."""
    script = pathlib.Path(__file__).with_name("few_ports.py")
    command = ["unshare", "--user", "--map-root-user", "--net", sys.executable, str(script), *arguments]
    if subprocess.run(command[:4] + ["true"], capture_output=True).returncode != 0:
        command[1:3] = []  # no user namespaces; root needs none
        if subprocess.run(command[:2] + ["true"], capture_output=True).returncode != 0:
            pytest.skip("environment: network namespaces are not permitted")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_ports_that_run_out_are_told_and_the_rest_goes_on():
    """20 ports, 40 connections wanted."""
    told = in_a_small_namespace("--connections=40", "--duration=300ms")
    assert told["status"] == 1
    result = told["result"]
    assert result["achieved"]["connections"] <= 20
    assert result["errors"]["by_kind"]["connect"]["count"] == 40 - result["achieved"]["connections"]
    assert "no local port is free" in first(result, "connect") and "ip_local_port_range" in first(result, "connect")
    assert result["requests"] > 0, "those that were opened are measured"


def test_ports_that_run_out_by_churn_are_told():
    """Whoever closes first keeps the port for a minute."""
    told = in_a_small_namespace("--connections=1", "--churn", "--closer=client", "--duration=500ms")
    assert told["status"] == 1
    assert told["result"]["requests"] == 20
    assert "no local port is free" in first(told["result"], "connect")
