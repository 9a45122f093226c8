"""muxbench with load hosts that Slurm starts processes on. Its daemons run here for as long as the test, with files of their own."""
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile

import pytest

from many_hosts.test_many_hosts_run import ALONE, EXPERIMENT, MUXBENCH, checked_report, need_run
from support.netns import ADDRESS, Hosts
from support.patience import PATIENCE, RUN_PATIENCE, wait_until

pytestmark = pytest.mark.alone
DAEMONS = {"munged": "munge", "slurmctld": "slurm-wlm", "slurmd": "slurm-wlm", "srun": "slurm-wlm"}
CONFIGURATION = """\
ClusterName=muxbench
SlurmctldHost={server}({address})
AuthInfo=socket={folder}/own/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/own/spool
TmpFS={folder}/own
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/own/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/linear
MpiDefault=none
{nodes}
PartitionName=all Nodes=ALL Default=YES
"""


def need_slurm():
    need_run()
    for program, package in DAEMONS.items():
        if shutil.which(program) is None:
            pytest.skip(f"missing tool: apt-get install {package}")


class Cluster:
    """A controller on the server's machine and a node on each host. What each writes is in a folder that it alone sees as `own`, with
    the socket of its munged, which accepts a message once."""

    def __init__(self, hosts, folder):
        self.hosts = hosts
        self.folder = folder
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
        self.daemons = []

    def __enter__(self):
        folder, hosts = self.folder, self.hosts
        key = folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        nodes = "\n".join(f"NodeName={name} NodeAddr={hosts.address_of(name)} CPUs=1 State=UNKNOWN" for name in hosts.names)
        (folder / "slurm.conf").write_text(CONFIGURATION.format(server=hosts.server, address=ADDRESS, folder=folder, nodes=nodes))
        for name in ("own", "state", *(f"own-{host}" for host in (hosts.server, *hosts.names))):
            (folder / name).mkdir()
        try:
            for host in (hosts.server, *hosts.names):
                (folder / f"own-{host}" / "spool").mkdir()
                self.start(host, "munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/own/munge",
                           f"--pid-file={folder}/own/munged.pid", f"--seed-file={folder}/own/munge.seed")
                wait_until((folder / f"own-{host}" / "munge").exists, self.said)
            self.start(hosts.server, "slurmctld", "-D")
            for name in hosts.names:
                self.start(name, "slurmd", "-D")
            wait_until(self.all_idle, self.said)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def on_host(self, name, *command):
        return self.hosts.on_host(name, *command, setup=f"mount --bind {self.folder}/own-{name} {self.folder}/own")

    def start(self, host, *command):
        with open(self.folder / f"{command[0]}-{host}.log", "w", encoding="utf-8") as log:
            self.daemons.append(subprocess.Popen(self.on_host(host, *command), stdout=log, stderr=log, env=self.environment))

    def said(self):
        return "\n".join(f"{log.name}: {log.read_text()[-2000:]}" for log in self.folder.glob("*.log"))

    def all_idle(self):
        assert all(daemon.poll() is None for daemon in self.daemons), self.said()
        command = self.on_host(self.hosts.server, "sinfo", "--noheader", "--format", "%n %t", "--Node")
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=PATIENCE)
        return sorted(done.stdout.splitlines()) == sorted(f"{name} idle" for name in self.hosts.names)

    def muxbench(self, command, *words):
        """Of the server's machine, with these hosts."""
        hosts = self.hosts
        return self.on_host(hosts.server, MUXBENCH, command, "--load-hosts", ",".join(hosts.names), "--listen", ADDRESS,
                            "--launcher", "srun --mpi=pmix", *words)


@pytest.fixture
def cluster():
    need_slurm()
    # Not a folder of pytest's: the path of a socket is short.
    with Hosts(2, "s") as hosts, tempfile.TemporaryDirectory(prefix="muxbench-slurm-") as folder:
        with Cluster(hosts, pathlib.Path(folder)) as made:
            yield made
        hosts.await_empty()


def run_words(cluster, folder, *words):
    experiments = folder / "experiments"
    experiments.mkdir()
    (experiments / "small.json").write_text(json.dumps({**EXPERIMENT, "sweep": {"connections": [16]}}))
    return cluster.muxbench("run", *ALONE, "--no-charts", "--experiments-dir", experiments, "--models", "epoll_level", "--out",
                            folder / "out", *words)


def test_a_run_whose_load_slurm_starts(cluster, tmp_path):
    done = subprocess.run(run_words(cluster, tmp_path), capture_output=True, text=True, timeout=RUN_PATIENCE, cwd=tmp_path,
                          env=cluster.environment)
    assert done.returncode == 0, done.stderr
    report = checked_report(tmp_path)
    assert report["plan"]["load_hosts"] == cluster.hosts.names
    for trial in report["trials"]:
        assert trial["status"] == "ok", trial.get("error")
        assert [host["name"] for host in trial["load"]["hosts"]] == cluster.hosts.names


def test_doctor_looks_at_hosts_by_slurm(cluster):
    done = subprocess.run(cluster.muxbench("doctor"), capture_output=True, text=True, timeout=RUN_PATIENCE, env=cluster.environment)
    assert "the same program on all" in done.stdout and done.returncode == 0, done.stdout


def test_an_interrupted_run_leaves_no_process_in_slurm(cluster, tmp_path):
    process = subprocess.Popen(run_words(cluster, tmp_path, "--duration", "600s"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, cwd=tmp_path, env=cluster.environment)
    for name in cluster.hosts.names:
        cluster.hosts.load_generator_on(name, "--target")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode == 130
    wait_until(lambda: not cluster.hosts.processes("loadgen_mpi"), "loadgen_mpi goes on")


def test_a_killed_load_host_of_slurm_fails_its_trial_and_the_run_goes_on(cluster, tmp_path):
    name = cluster.hosts.names[1]
    process = subprocess.Popen(run_words(cluster, tmp_path, "--duration", "10s", "--no-counting"), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=cluster.environment)
    os.kill(cluster.hosts.load_generator_on(name, "--target"), signal.SIGKILL)
    _, err = process.communicate(timeout=RUN_PATIENCE)
    assert process.returncode in (0, 1), err
    report = checked_report(tmp_path)
    failed = [trial for trial in report["trials"] + report["twin_trials"] if trial["status"] == "failed"]
    assert len(failed) == 1 and len(report["trials"]) == 2
    assert name in failed[0]["error"], failed[0]["error"]
