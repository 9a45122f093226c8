"""muxbench with MPICH instead of Open MPI: MUXBENCH_MPICH is a build folder that was configured with it (docs/many-hosts.md)."""
import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from many_hosts.test_many_hosts_run import ALONE, EXPERIMENT, MUXBENCH, checked_report
from support.netns import ADDRESS, AGENT, Hosts, need_namespaces
from support.patience import RUN_PATIENCE

pytestmark = pytest.mark.alone
BUILD = os.environ.get("MUXBENCH_MPICH", "")
LAUNCHER = f"mpiexec.hydra -launcher ssh -launcher-exec {AGENT} -iface bridge0"


@pytest.fixture
def hosts():
    need_namespaces()
    if shutil.which("mpiexec.hydra") is None:
        pytest.skip("missing tool: apt-get install mpich libmpich-dev")
    if not BUILD:
        pytest.skip("environment: MUXBENCH_MPICH names no build with MPICH")
    with Hosts(2, "m") as made:
        yield made
        made.await_empty()


def command(hosts, folder, *words):
    experiments = folder / "experiments"
    experiments.mkdir()
    (experiments / "small.json").write_text(json.dumps({**EXPERIMENT, "sweep": {"connections": [16]}}))
    return hosts.on_server(MUXBENCH, "run", *ALONE, "--no-charts", "--load-hosts", ",".join(hosts.names), "--listen", ADDRESS,
                           "--launcher", LAUNCHER, "--loadgen-mpi", pathlib.Path(BUILD) / "loadgen" / "loadgen_mpi",
                           "--experiments-dir", experiments, "--models", "epoll_level", "--out", folder / "out", *words)


def test_a_run_under_mpich(hosts, tmp_path):
    done = subprocess.run(command(hosts, tmp_path), capture_output=True, text=True, timeout=RUN_PATIENCE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for trial in checked_report(tmp_path)["trials"]:
        assert trial["status"] == "ok", trial.get("error")
        assert [host["name"] for host in trial["load"]["hosts"]] == hosts.names


def test_an_interrupted_run_under_mpich_leaves_no_process(hosts, tmp_path):
    process = subprocess.Popen(command(hosts, tmp_path, "--duration", "600s"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, cwd=tmp_path)
    for name in hosts.names:
        hosts.load_generator_on(name, "--target")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode == 130


def test_a_killed_load_host_under_mpich_fails_its_trial(hosts, tmp_path):
    process = subprocess.Popen(command(hosts, tmp_path, "--duration", "10s", "--no-counting"), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    os.kill(hosts.load_generator_on(hosts.names[1], "--target"), signal.SIGKILL)
    _, err = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode in (0, 1), err
    report = checked_report(tmp_path)
    failed = [trial for trial in report["trials"] + report["twin_trials"] if trial["status"] == "failed"]
    assert len(failed) == 1 and len(report["trials"]) == 2
    assert "without a result" in failed[0]["error"], failed[0]["error"]  # Hydra does not say whose process it was
