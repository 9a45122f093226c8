"""loadgen_mpi: one load from several hosts, which are network namespaces here."""
import contextlib
import itertools
import json
import os
import pathlib
import signal
import subprocess

import pytest

from support.netns import ADDRESS, Hosts, need_hosts
from support.patience import RUN_PATIENCE, wait_until

pytestmark = pytest.mark.alone  # a load that others slow down is flagged

BUILD = pathlib.Path(os.environ.get("MUXBENCH_BUILD", pathlib.Path(__file__).parents[2] / "build"))
PROGRAM = BUILD / "loadgen" / "loadgen_mpi"
SERVER = BUILD / "servers" / "server_epoll_level"
_numbers = itertools.count()


def need_program():
    need_hosts()
    if not PROGRAM.exists():
        pytest.skip("missing tool: apt-get install openmpi-bin libopenmpi-dev, and build again")
    if not SERVER.exists():
        pytest.skip(f"environment: this build has no {SERVER.name}")


@contextlib.contextmanager
def network(count):
    """Hosts, and the address of a server that all of them can reach."""
    need_program()
    with Hosts(count, next(_numbers)) as hosts:
        server = subprocess.Popen(hosts.on_server(SERVER, "--listen", f"{ADDRESS}:0", "--allow-remote"),
                                  stdout=subprocess.PIPE, text=True)
        try:
            yield hosts, json.loads(server.stdout.readline())["address"]
        finally:
            server.terminate()
            server.communicate(timeout=RUN_PATIENCE)
        hosts.await_empty()


@pytest.fixture
def two():
    with network(2) as made:
        yield made


@pytest.fixture
def three():
    with network(3) as made:
        yield made


def start(hosts, target, *options, env=None):
    command = hosts.mpirun(PROGRAM, "--target", target, "--allow-remote", *options)
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, **(env or {})})


def load(hosts, target, *options, env=None):
    process = start(hosts, target, *options, "--json", "-", env=env)
    out, err = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode == 0, f"exit status {process.returncode}\n{err}{out}"
    return json.loads(out.splitlines()[-1])


def phase(process):
    return json.loads(process.stdout.readline())["phase"]


def tell(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()


def added(histograms):
    total = {}
    for histogram in histograms:
        for floor, count in histogram["buckets"]:
            total[floor] = total.get(floor, 0) + count
    return sorted([floor, count] for floor, count in total.items())


def test_the_result_is_the_sum_of_the_hosts(three):
    hosts, target = three
    result = load(hosts, target, "--connections", 100, "--idle", 50, "--duration", "500ms", "--warmup", "50ms")
    each = result["hosts"]
    assert [host["name"] for host in each] == hosts.names
    assert [host["asked"]["connections"] for host in each] == [34, 33, 33]
    assert [host["achieved"]["idle"] for host in each] == [17, 17, 16]
    assert (result["asked"]["connections"], result["asked"]["idle"]) == (100, 50)
    assert (result["achieved"]["connections"], result["achieved"]["idle"]) == (100, 50)
    for key in ("requests", "requests_in_run", "failed_requests"):
        assert result[key] == sum(host[key] for host in each), key
    assert result["requests"] > 0 and result["errors"]["total"] == 0
    histogram = result["latency_ns"]["histogram"]
    assert histogram["buckets"] == added(host["latency_ns"]["histogram"] for host in each)
    assert result["latency_ns"]["count"] == sum(count for _, count in histogram["buckets"])
    assert result["latency_ns"]["max"] == max(host["latency_ns"]["max"] for host in each)
    assert result["latency_ns"]["min"] == min(host["latency_ns"]["min"] for host in each)
    assert len(result["cpu"]["threads"]) == sum(len(host["cpu"]["threads"]) for host in each)
    for host in each:
        assert host["achieved"]["duration_ns"] == 500_000_000
        assert abs(host["clock_offset_ns"]) < 1e9, "the hosts have one clock here"


def test_rates_are_totals_and_arrivals_of_hosts_differ(three):
    hosts, target = three
    for arrival in ("uniform", "poisson"):
        result = load(hosts, target, "--connections", 30, "--rate", "100,301", "--arrival", arrival, "--duration", "1s")
        low, high = result["steps"]
        assert [step["asked"]["rate"] for step in (low, high)] == [100, 301]
        assert [host["asked"]["rate"] for host in high["hosts"]] == [101, 100, 100]
        if arrival == "uniform":
            assert (low["requests"], high["requests"]) == (100, 301)
        else:
            counts = [host["requests"] for host in high["hosts"]]
            assert len(set(counts)) > 1, "each host draws its own arrivals"


def test_a_host_may_have_nothing_to_do(three):
    hosts, target = three
    result = load(hosts, target, "--connections", 1, "--duration", "200ms")
    assert [host["achieved"]["connections"] for host in result["hosts"]] == [1, 0, 0]
    assert result["status"] == "ok" and result["host_flags"] == []


def test_requests_are_totals(two):
    hosts, target = two
    result = load(hosts, target, "--connections", 4, "--requests", 1001)
    assert (result["requests"], [host["requests"] for host in result["hosts"]]) == (1001, [501, 500])


def test_the_first_host_speaks_the_drivers_protocol(two):
    hosts, target = two
    process = start(hosts, target, "--connections", 8, "--duration", "200ms", "--phases", "--quiet", "--json", "-")
    assert phase(process) == "connected"
    tell(process, "go")
    assert [phase(process) for _ in range(3)] == ["measuring", "measured", "drained"]
    assert process.poll() is None
    tell(process, "go")
    out, err = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode == 0, err
    assert json.loads(out)["status"] == "ok"


def test_slices_are_refused(two):
    hosts, target = two
    process = start(hosts, target, "--phases", "--quiet", "--json", "-")
    assert phase(process) == "connected"
    tell(process, "slice 1000 1000000")
    out, err = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode == 1
    assert "slices are for one load host" in err and "slices are for one load host" in json.loads(out)["stop_reason"]


@pytest.mark.parametrize("options, told", [
    (("--rate", "1", "--connections", "2", "--duration", "9s"), "--rate 1 cannot be split over 2 hosts"),
    (("--requests", "1"), "some of 2 hosts with nothing to do"),
    (("--bogus",), "loadgen_mpi --help"),
])
def test_nonsense_is_told_once(two, options, told):
    hosts, target = two
    process = start(hosts, target, *options)
    out, err = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode == 2 and out == ""
    assert sum(line.startswith("loadgen_mpi: ") for line in err.splitlines()) == 1 and told in err, err


def test_errors_name_the_host(two):
    hosts, _ = two
    process = start(hosts, f"{ADDRESS}:1", "--duration", "200ms", "--json", "-")
    out, _ = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode == 1
    result = json.loads(out.splitlines()[-1])
    refused = result["errors"]["by_kind"]["refused"]
    assert refused["first"].startswith(f"{hosts.names[0]}: connection 0")
    assert refused["count"] == sum(host["errors"]["total"] for host in result["hosts"])


def test_a_host_with_another_program_is_refused(two, tmp_path):
    hosts, target = two
    other = tmp_path / "loadgen_mpi"
    other.write_bytes(PROGRAM.read_bytes() + b"another build")
    other.chmod(0o755)
    process = start(hosts, target, "--duration", "1s", env={"NETNS_SWAP": f"{hosts.names[1]}:{PROGRAM}:{other}"})
    _, err = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode == 1
    assert f"load host {hosts.names[1]} has another version of this program" in err and "push.sh" in err


def in_its_window(hosts, target, *options):
    process = start(hosts, target, "--connections", 9, "--phases", "--quiet", "--json", "-", *options)
    assert phase(process) == "connected"
    tell(process, "go")
    assert phase(process) == "measuring"
    return process


def test_a_killed_process_fails_the_load_and_names_its_host(three):
    hosts, target = three
    process = in_its_window(hosts, target, "--duration", "600s")
    os.kill(hosts.load_generator_on(hosts.names[2]), signal.SIGKILL)
    _, err = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode != 0
    assert f"on node {hosts.names[2]} exited on signal 9" in err


def test_a_stopped_process_fails_the_load_and_names_its_host(two):
    hosts, target = two
    process = in_its_window(hosts, target, "--duration", "2s", "--timeout", "1s", "--connect-timeout", "1s")
    os.kill(hosts.load_generator_on(hosts.names[1]), signal.SIGSTOP)
    out, err = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode != 0
    result = json.loads(out.splitlines()[-1])
    assert result["status"] == "failed" and f"load host {hosts.names[1]} has not answered" in result["stop_reason"]
    assert result["stop_reason"] in err


def test_a_host_that_stood_still_for_a_while_is_flagged(three):
    hosts, target = three
    process = in_its_window(hosts, target, "--duration", "4s", "--timeout", "60s")
    pid = hosts.load_generator_on(hosts.names[1])
    os.kill(pid, signal.SIGSTOP)
    while json.loads(process.stdout.readline()).get("phase") != "measured":
        pass
    os.kill(pid, signal.SIGCONT)
    assert phase(process) == "drained"
    out, _ = process.communicate("go\n", timeout=RUN_PATIENCE)
    flags = json.loads(out)["host_flags"]
    assert any(flag["kind"] == "host_share" and f"load host {hosts.names[1]}:" in flag["detail"] for flag in flags), flags


def test_a_host_slowed_by_other_work_is_flagged(three):
    hosts, target = three
    slow = hosts.names[2]
    process = start(hosts, target, "--connections", 9, "--duration", "4s", "--timeout", "60s", "--phases", "--quiet", "--json", "-",
                    env={"NETNS_NICE": slow})
    assert phase(process) == "connected"
    busy = subprocess.Popen(["taskset", "-c", "0", "sh", "-c", "while :; do :; done"])
    try:
        tell(process, "go")
        assert [phase(process) for _ in range(2)] == ["measuring", "measured"]
    finally:
        busy.kill()
        busy.wait()
    assert phase(process) == "drained"
    out, _ = process.communicate("go\n", timeout=RUN_PATIENCE)
    flags = json.loads(out)["host_flags"]
    assert any(f"load host {slow}:" in flag["detail"] for flag in flags), flags


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_load_leaves_no_process(two, number):
    hosts, target = two
    process = in_its_window(hosts, target, "--duration", "600s")
    process.send_signal(number)
    process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode != 0
    wait_until(lambda: not hosts.processes("loadgen_mpi"), "loadgen_mpi goes on")


def test_5000_connections_from_each_of_3_hosts_open_and_end(three):
    hosts, target = three
    result = load(hosts, target, "--connections", 300, "--idle", 14_700, "--duration", "500ms", "--connect-timeout", "60s",
                  "--timeout", "60s")
    assert result["achieved"]["connections"] + result["achieved"]["idle"] == 15_000
    assert all(host["achieved"]["connections"] + host["achieved"]["idle"] == 5_000 for host in result["hosts"])
    assert result["errors"]["total"] == 0
