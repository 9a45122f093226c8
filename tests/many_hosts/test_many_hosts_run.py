"""muxbench with load hosts, which are network namespaces here, and over a veth pair."""
import json
import os
import pathlib
import platform
import signal
import subprocess

import pytest

from many_hosts.test_load_hosts import BUILD, PROGRAM, need_program
from support.netns import ADDRESS, AGENT, Hosts, need_hosts
from support.patience import RUN_PATIENCE, wait_until

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MUXBENCH = BUILD / "bench" / "muxbench"
ALONE = ("--share-machine", "--no-micro", "--results-dir", "results")
EXPERIMENT = {"name": "small", "question": "Does it work?", "protocol": "echo", "transport": "tcp",
              "load": {"mode": "closed", "message_bytes": 32}, "sweep": {"connections": [1, 16]}, "warmup": "20ms",
              "duration": "200ms", "repetitions": 2}
pytestmark = pytest.mark.alone


def need_run():
    need_program()
    if not MUXBENCH.exists():
        pytest.skip("environment: this build has no muxbench")


@pytest.fixture
def hosts():
    need_run()
    with Hosts(2, "r") as made:
        yield made
        made.await_empty()


@pytest.fixture
def experiments(tmp_path):
    folder = tmp_path / "experiments"
    folder.mkdir()
    (folder / "small.json").write_text(json.dumps(EXPERIMENT))
    return folder


def launcher():
    return f"mpirun --leave-session-attached --mca plm rsh --mca plm_rsh_agent {AGENT}"


def command(hosts, folder, *words):
    return hosts.on_server(MUXBENCH, "run", *ALONE, "--load-hosts", ",".join(hosts.names), "--listen", ADDRESS, "--launcher",
                           launcher(), "--experiments-dir", folder / "experiments", "--models", "epoll_level", "--out",
                           folder / "out", *words)


def run(hosts, folder, *words):
    return subprocess.run(command(hosts, folder, *words), capture_output=True, text=True, timeout=RUN_PATIENCE, cwd=folder)


def checked_report(folder):
    jsonschema = pytest.importorskip("jsonschema")
    report = json.loads((folder / "out" / "report.json").read_text())
    jsonschema.Draft7Validator(json.loads((REPOSITORY / "results" / "schema.json").read_text())).validate(report)
    return report["muxbench"]


def test_a_run_with_load_hosts(hosts, experiments, tmp_path):
    done = run(hosts, tmp_path, "--no-charts")
    assert done.returncode == 0, done.stderr
    report = checked_report(tmp_path)
    plan = report["plan"]
    assert plan["load_hosts"] == hosts.names and plan["load_cpus"] == [] and plan["network"] == "host"
    assert plan["server_cpus"] == sorted(os.sched_getaffinity(0))
    assert plan["path"]["listen"] == ADDRESS and plan["path"]["interface"]["name"] == "bridge0"
    assert [host["name"] for host in plan["load_host_facts"]] == hosts.names
    assert all(host["interface"]["driver"] == "veth" and host["rtt_ns"]["p99"] > 0 for host in plan["load_host_facts"])
    for trial in report["trials"]:
        assert trial["status"] == "ok", trial.get("error")
        assert [host["name"] for host in trial["load"]["hosts"]] == hosts.names
        assert sum(host["requests"] for host in trial["load"]["hosts"]) == trial["load"]["requests"] > 0
        assert trial["server"]["cpu_ns_per_request"] > 0
        assert trial["server"]["softirq_source"].startswith("irq and softirq")
        assert f"{ADDRESS}:0" in trial["server"]["command_line"]
    assert all(cell["summary"]["softirq_ns_per_request"]["n"] == 2 for cell in report["cells"])
    summary = (tmp_path / "out" / "summary.md").read_text()
    assert f"load from {hosts.names[0]}, {hosts.names[1]} to {ADDRESS} (bridge0" in summary.replace("\\", "")


def test_reports_of_different_hosts_are_not_compared(hosts, experiments, tmp_path):
    assert run(hosts, tmp_path, "--no-charts").returncode == 0
    with_hosts = tmp_path / "out" / "report.json"
    told = json.loads(with_hosts.read_text())
    del told["muxbench"]["plan"]["load_hosts"]
    local = tmp_path / "local.json"
    local.write_text(json.dumps(told))
    done = subprocess.run([MUXBENCH, "compare", with_hosts, local, "--fail-on-regression", "5%"], capture_output=True, text=True,
                          timeout=RUN_PATIENCE)
    assert done.returncode == 5 and "--across-hosts" in done.stderr, done.stderr
    assert "plan: load from" in done.stdout


def test_a_killed_load_host_fails_its_trial_and_the_run_goes_on(hosts, experiments, tmp_path):
    name = hosts.names[1]
    (experiments / "small.json").write_text(json.dumps({**EXPERIMENT, "sweep": {"connections": [16]}}))
    process = subprocess.Popen(command(hosts, tmp_path, "--no-charts", "--duration", "10s", "--no-counting"),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    # Long before its end, and not while the hosts are only looked at.
    os.kill(hosts.load_generator_on(name, "--target"), signal.SIGKILL)
    _, err = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode in (0, 1), err  # that of a twin is no failure of the run
    report = checked_report(tmp_path)
    trials = report["trials"] + report["twin_trials"]
    failed = [trial for trial in trials if trial["status"] == "failed"]
    assert len(failed) == 1 and len(report["trials"]) == 2, [trial.get("error") for trial in trials]
    assert name in failed[0]["error"] and "signal 9" in failed[0]["error"], failed[0]["error"]


def test_a_cut_network_fails_its_trial_and_the_run_goes_on(hosts, experiments, tmp_path):
    name = hosts.names[1]
    (experiments / "small.json").write_text(json.dumps({**EXPERIMENT, "sweep": {"connections": [16]}}))
    process = subprocess.Popen(command(hosts, tmp_path, "--no-charts", "--duration", "20s", "--no-counting"),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    lost = hosts.load_generator_on(name, "--target")
    # More than MPI says before the window, in which its daemons are silent.
    wait_until(lambda: hosts.packets_from(name) > 20_000, lambda: f"only {hosts.packets_from(name)} packets came")
    hosts.wire(name, "down")
    # Nobody can reach it now: that host's daemon ends it, and itself.
    wait_until(lambda: lost not in hosts.processes(), lambda: f"processes are left: {hosts.processes()}")
    hosts.wire(name, "up")
    _, err = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode in (0, 1), err  # that of a twin is no failure of the run
    report = checked_report(tmp_path)
    trials = report["trials"] + report["twin_trials"]
    failed = [trial for trial in trials if trial["status"] == "failed"]
    assert failed and all(name in trial["error"] for trial in failed), [trial.get("error") for trial in trials]
    assert any(trial["status"] == "ok" for trial in trials), [trial["error"] for trial in failed]


def test_an_interrupted_run_leaves_no_process_on_any_host(hosts, experiments, tmp_path):
    process = subprocess.Popen(command(hosts, tmp_path, "--no-charts", "--duration", "60s"), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    wait_until(lambda: len(hosts.processes("loadgen_mpi --target")) > 2, "no trial begins")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode == 130
    hosts.await_empty()


def test_a_host_that_cannot_be_reached_ends_the_run_before_it_begins(hosts, experiments, tmp_path):
    nobody = "mbnobody"
    words = [nobody if word == ",".join(hosts.names) else word for word in command(hosts, tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=RUN_PATIENCE, cwd=tmp_path)
    assert done.returncode == 1 and f"cannot be started on {nobody}: " in done.stderr and "doctor --load-hosts" in done.stderr
    assert not (tmp_path / "out").exists()


def another_build(folder):
    made = folder / "another_build"
    made.write_bytes(PROGRAM.read_bytes() + b"another build")
    return PROGRAM, made


def of_another_architecture(folder):
    """Its header says that it is for a machine that there is not here."""
    content = bytearray(PROGRAM.read_bytes())
    content[18:20] = (0x1234).to_bytes(2, "little")  # e_machine
    made = folder / "of_another_architecture"
    made.write_bytes(content)
    return PROGRAM, made


def without_its_library(folder):
    made = folder / "without_its_library"
    made.write_bytes(PROGRAM.read_bytes().replace(b"libmpi.so.", b"libnot.so."))
    return PROGRAM, made


def nothing_there(folder):
    made = folder / "nothing_there"
    made.mkdir()
    return PROGRAM.parent, made


# What stands on the last host, how many hosts there are, and what is said about it.
DIFFERENT = [
    (another_build, 1, "load host {last} has another version of"),
    (another_build, 2, "load host {last} has another version of this program"),
    (of_another_architecture, 2, "{last} is of another architecture than the program (Exec format error): take load hosts"),
    ("NETNS_I686", 1, "load host {last} is of the architecture i686 and this machine of x86_64: take load hosts"),
    ("NETNS_I686", 2, "load host {last} is of the architecture i686 and {first} of x86_64: take load hosts"),
    (without_its_library, 2, "error while loading shared libraries: libnot.so."),
    (nothing_there, 2, "{last} has no such program: scripts/push.sh {last}"),
]


@pytest.mark.parametrize("how, count, told", DIFFERENT)
def test_a_host_that_differs_ends_the_run_before_it_begins(hosts, experiments, tmp_path, how, count, told):
    names = hosts.names[:count]
    if how == "NETNS_I686":
        if platform.machine() != "x86_64":
            pytest.skip("environment: no machine that can say that it is of i686")
        different = {how: names[-1]}
    else:
        program, other = how(tmp_path)
        other.chmod(0o755)
        different = {"NETNS_SWAP": f"{names[-1]}:{program}:{other}"}
    words = [",".join(names) if word == ",".join(hosts.names) else word for word in command(hosts, tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=RUN_PATIENCE, cwd=tmp_path, env={**os.environ, **different})
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert told.format(first=names[0], last=names[-1]) in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def test_doctor_looks_at_each_load_host(hosts):
    done = subprocess.run(hosts.on_server(MUXBENCH, "doctor", "--load-hosts", f"{hosts.names[0]},mbnobody", "--listen", ADDRESS,
                                          "--launcher", launcher()), capture_output=True, text=True, timeout=RUN_PATIENCE)
    lines = done.stdout.splitlines()
    good = [line for line in lines if line.startswith("ok") and f"load host {hosts.names[0]}" in line]
    assert any("CPUs" in line and "round trips" in line for line in good), done.stdout
    assert any("veth" in line and "MTU 1500" in line for line in good), done.stdout
    assert any(line.startswith("MISSING") and "mbnobody" in line for line in lines), done.stdout
    assert any("scripts/push.sh mbnobody" in line for line in lines) and done.returncode == 3
    done = subprocess.run(hosts.on_server(MUXBENCH, "doctor", "--load-hosts", ",".join(hosts.names), "--listen", ADDRESS,
                                          "--launcher", launcher()), capture_output=True, text=True, timeout=RUN_PATIENCE)
    assert "the same program on all" in done.stdout and done.returncode == 0, done.stdout


def test_one_command_with_charts(hosts, tmp_path):
    """On a busy machine a window of a tenth of a second may see no answer, and such a trial has failed."""
    done = subprocess.run(hosts.on_server(MUXBENCH, "run", "--share-machine", "--no-micro", "--load-hosts", ",".join(hosts.names),
                                          "--listen", ADDRESS, "--launcher", launcher(), "--profile", "smoke", "--models",
                                          "epoll_level,poll", "--results-dir", tmp_path / "results", "--out", tmp_path / "out"),
                          capture_output=True, text=True, timeout=RUN_PATIENCE)
    assert done.returncode in (0, 1), done.stderr
    assert any(cell["status"] == "measured" for cell in checked_report(tmp_path)["cells"])
    assert list((tmp_path / "out" / "charts").glob("*.svg"))
    page = (tmp_path / "out" / "report.html").read_text()
    assert 'id="load-hosts"' in page and all(f'<th scope="row">{name}</th>' in page for name in hosts.names)


def test_a_run_over_a_veth_pair(experiments, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("environment: not root, who may make network namespaces")
    done = subprocess.run([MUXBENCH, "run", *ALONE, "--network", "veth", "--experiments-dir", experiments, "--models",
                           "epoll_level", "--no-charts", "--out", tmp_path / "out"], capture_output=True, text=True,
                          timeout=RUN_PATIENCE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = checked_report(tmp_path)
    assert report["plan"]["network"] == "veth"
    for trial in report["trials"]:
        assert trial["status"] == "ok", trial.get("error")
        assert trial["load"]["asked"]["target"].startswith("10.253.7.1:")


REFUSED = [
    (("--load-hosts", "a,b,a", "--listen", "10.0.0.5"), "names a twice"),
    (("--load-hosts", "a,,b", "--listen", "10.0.0.5"), '"" is no host'),
    (("--load-hosts", "a"), "needs --listen ADDRESS"),
    (("--load-hosts", "a", "--listen", "127.0.0.1"), "cannot be reached from other machines"),
    (("--load-hosts", "a", "--listen", "192.0.2.77"), "is not an address of this machine"),
    (("--load-hosts", "a", "--listen", "somewhere"), "is no numeric address"),
    (("--load-hosts", "a", "--load-hostfile", "b"), "not both"),
    (("--load-hostfile", "/nonexistent", "--listen", "10.0.0.5"), "cannot read /nonexistent"),
    (("--load-hosts", "a", "--load-cpus", "0", "--listen", "10.0.0.5"), "--load-cpus is for a load from this machine"),
    (("--load-hosts", "a", "--network", "private", "--listen", "10.0.0.5"), "cannot reach a private network"),
    (("--load-hosts", "a", "--method", "slices", "--listen", "10.0.0.5"), "slices of milliseconds"),
    (("--listen", "10.0.0.5",), "--listen is for --load-hosts"),
]


@pytest.mark.parametrize("options, told", REFUSED, ids=[told for _, told in REFUSED])
def test_bad_input_is_refused_in_one_sentence(experiments, tmp_path, options, told):
    done = subprocess.run([MUXBENCH, "run", *ALONE, "--experiments-dir", experiments, "--out", tmp_path / "out", *options],
                          capture_output=True, text=True, timeout=RUN_PATIENCE, cwd=tmp_path)
    assert done.returncode == 2 and told in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "out").exists()


def on_a_machine(command):
    """In a network of its own with an address that other machines could reach."""
    setup = "ip link set lo up && ip link add d0 type veth peer name d1 && ip address add 10.98.0.1/24 dev d0 && ip link set d0 up"
    return ["unshare", "--net", "sh", "-c", f'{setup} && exec "$@"', "sh", *map(str, command)]


@pytest.mark.parametrize("options, package", [
    (("--launcher", "/nonexistent/mpirun"), "openmpi-bin"),
    (("--launcher", "true", "--loadgen-mpi", "/nonexistent/loadgen_mpi"), "libopenmpi-dev"),
])
def test_what_is_missing_is_named_with_its_package(experiments, tmp_path, options, package):
    need_hosts()
    done = subprocess.run(on_a_machine([MUXBENCH, "run", *ALONE, "--experiments-dir", experiments, "--out", tmp_path / "out",
                                        "--load-hosts", "a", "--listen", "10.98.0.1", *options]),
                          capture_output=True, text=True, timeout=RUN_PATIENCE, cwd=tmp_path)
    assert done.returncode == 3 and package in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_no_ssh_key_ends_without_a_prompt(experiments, tmp_path):
    """An ssh that would ask for a password, as it does when it may."""
    need_program()
    asked = tmp_path / "asked"
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f'#!/bin/sh\ncase " $* " in *BatchMode=yes*) echo "load9: Permission denied (publickey)." >&2; exit 255;; esac\n'
                   f"touch {asked}\nexec sleep 3600\n")
    ssh.chmod(0o755)
    done = subprocess.run(on_a_machine([MUXBENCH, "run", *ALONE, "--experiments-dir", experiments, "--out", tmp_path / "out",
                                        "--load-hosts", "load9", "--listen", "10.98.0.1"]),
                          capture_output=True, text=True, timeout=RUN_PATIENCE, cwd=tmp_path,
                          env={**os.environ, "PATH": f"{ssh.parent}:{os.environ['PATH']}"})
    assert done.returncode == 1 and "Permission denied" in done.stderr, done.stderr
    assert not asked.exists() and PROGRAM.exists()
