"""The load generator's program: phases, interruption, limits and what it refuses."""

import json
import resource
import signal
import socket
import subprocess
import threading
import time

import pytest

from loadgen.liars import Liar
from loadgen.program import load, run, start, under_thread_sanitizer
from support.patience import PATIENCE, wait_until


def honest():
    return Liar(lambda _, message: message)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return "127.0.0.1:%d" % listener.getsockname()[1]


def test_phases_are_announced_and_the_result_is_the_last_line():
    with honest() as server:
        status, out, _ = run("--target", server.target, "--connections", 2, "--warmup", "50ms",
                             "--duration", "200ms", "--phases", "--json", "-")
    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [line.get("phase") for line in lines] == ["connected", "measuring", "measured", "drained", None]
    assert lines[-1]["achieved"]["duration_ns"] == 200_000_000
    assert lines[-1]["asked"]["warmup_ns"] == 50_000_000


def next_phase(process):
    return json.loads(process.stdout.readline())["phase"]


def test_with_phases_the_load_waits_for_a_word_at_both_ends():
    with honest() as server:
        process = start("--target", server.target, "--connections", 4, "--pipeline", 3, "--warmup", "50ms",
                        "--duration", "100ms", "--phases", "--json", "-", stdin=subprocess.PIPE)
        assert next_phase(process) == "connected"
        assert server.await_connections(4) == 4
        time.sleep(0.1)
        assert server.messages == 0, "the load began before it was told to"
        process.stdin.write("go\n")
        process.stdin.flush()
        assert [next_phase(process) for _ in range(3)] == ["measuring", "measured", "drained"]
        # All that was sent is answered, and nobody has left yet.
        answered = server.messages
        assert process.poll() is None
        out, _ = process.communicate("go\n", timeout=PATIENCE)
    result = json.loads(out)
    assert process.returncode == 0 and server.messages == answered
    assert result["requests_in_run"] == answered > result["requests"] > 0


def test_busy_polling_never_sleeps_under_load():
    with honest() as server:
        for mode in ({}, {"rate": 200}):
            result = load(server.target, "--busy-poll", connections=2, duration="300ms", **mode)
            thread, = result["cpu"]["threads"]
            assert result["asked"]["busy_poll"] and thread["polling_ns"] > 0, mode


def test_the_summary_is_for_people():
    with honest() as server:
        status, out, _ = run("--target", server.target, "--connections", 2, "--requests", 100)
    assert status == 0
    assert "100 in " in out and "p50" in out and "errors      none" in out


def test_a_refused_target_is_a_failure_with_a_result(tmp_path):
    for protocol in ("echo", "http"):
        file = tmp_path / protocol
        status, out, err = run("--target", closed_port(), "--protocol", protocol, "--duration",
                               "1s", "--json", file)
        assert (status, err) == (1, "")
        result = json.loads(file.read_text())
        assert result["status"] == "failed"
        assert set(result["errors"]["by_kind"]) == {"refused"}
        assert result["requests"] == result["achieved"]["connections"] == 0
        assert "refused" in out


def test_a_signal_ends_the_run_and_what_was_measured_is_reported():
    with honest() as server:
        process = start("--target", server.target, "--connections", 2, "--duration", "600s",
                        "--phases", "--json", "-")
        while '"measuring"' not in process.stdout.readline():
            pass
        answered = server.messages
        wait_until(lambda: server.messages > answered + 10, "the load does not go on")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
    result = json.loads(out.splitlines()[-1])
    assert process.returncode == 130
    assert result["status"] == "interrupted"
    assert result["requests"] > 0
    assert 0 < result["achieved"]["duration_ns"] < 600e9


def test_idle_connections_are_held_along_with_the_active_ones():
    with honest() as server:
        result = load(server.target, connections=4, idle=50, threads=2, requests=100)
        assert server.await_connections(54) == 54
    assert result["achieved"]["idle"] == 50
    assert result["connect_ns"]["count"] == 54


def test_unix_sockets_are_targets(tmp_path):
    path = str(tmp_path / "echo.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def serve():
            connection, _ = listener.accept()
            while data := connection.recv(1 << 20):
                connection.sendall(data)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        result = load(f"unix:{path}", connections=1, requests=20, message_bytes="1MiB")
        thread.join()
    assert result["bytes"]["received"] == 20 * 1024 * 1024


def test_an_unwritable_output_is_found_before_the_run():
    with honest() as server:
        for option in ("--json", "--hgrm", "--csv"):
            status, _, err = run("--target", server.target, option, "/nonexistent/result")
            assert status == 1
            assert err.count("\n") == 1 and "/nonexistent/result" in err and option in err
    assert server.connections == 0


def test_results_are_written_in_all_forms(tmp_path):
    hgrm, table = tmp_path / "latency.hgrm", tmp_path / "runs.csv"
    with honest() as server:
        status, _, _ = run("--target", server.target, "--requests", 100, "--hgrm", hgrm, "--csv", table, "--quiet")
    assert status == 0
    assert "Total count    =            100" in hgrm.read_text()
    names, values = table.read_text().splitlines()
    assert dict(zip(names.split(","), values.split(",")))["requests"] == "100"


@pytest.mark.parametrize("option, word", [("--csv", "requests"), ("--hgrm", "Percentile"), ("--json", '"requests"')])
def test_a_dash_is_standard_output_for_each_form(option, word, tmp_path):
    with honest() as server:
        status, out, _ = run("--target", server.target, "--requests", 10, option, "-", cwd=tmp_path)
    assert status == 0 and word in out.splitlines()[0], out[:200]
    assert "closed loop" not in out, "no summary as well"
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_result_survives_a_run_that_cannot_start(tmp_path):
    file = tmp_path / "result.json"
    file.write_text("precious")
    status, _, _ = run("--target", "127.0.0.1:1", "--protocol", "http", "--body-root", "/nonexistent",
                       "--json", file)
    assert status == 2
    assert file.read_text() == "precious"


def test_too_few_descriptors_is_a_sentence_with_numbers():
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

    status, _, err = run("--target", "127.0.0.1:1", "--connections", 200, "--threads", 2, preexec_fn=few)
    assert status == 1
    assert err.count("\n") == 1
    assert "200 connections need 132" in err and "limit is 100" in err and "ulimit" in err and "--threads 3" in err


def test_more_connections_than_descriptors_are_spread_over_threads():
    if under_thread_sanitizer():
        pytest.skip("environment: ThreadSanitizer takes equal descriptors of two tables for one, so there all threads share theirs")

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

    with honest() as server:
        status, out, _ = run("--target", server.target, "--connections", 150, "--idle", 50, "--requests", 500, "--json", "-",
                             preexec_fn=few)
        assert server.await_connections(200) == 200
    result = json.loads(out)
    assert (status, result["status"]) == (0, "ok")
    assert (result["achieved"]["connections"], result["achieved"]["idle"]) == (150, 50)
    assert result["asked"]["threads"] == 3


def test_nonsense_is_refused_in_one_sentence():
    for arguments in (["--bogus"], [], ["--target", "x"], ["--target", "8.8.8.8:53"]):
        status, out, err = run(*arguments)
        assert (status, out) == (2, ""), arguments
        assert err.startswith("loadgen: ") and err.count("\n") == 1, err
