"""muxbench with load hosts that are reached over ssh, as real ones are: each has a daemon of its own, with a key of its own, and file
systems in which the load generator is not there before scripts/push.sh has copied it."""
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile

import pytest

from many_hosts.test_load_hosts import BUILD, PROGRAM
from many_hosts.test_many_hosts_run import ALONE, EXPERIMENT, MUXBENCH, REPOSITORY, checked_report, need_run
from support.netns import ADDRESS, Hosts
from support.patience import PATIENCE, RUN_PATIENCE, wait_until

pytestmark = pytest.mark.alone
PORT = 2222
PUSH = REPOSITORY / "scripts" / "push.sh"
CLIENT = pathlib.Path("/etc/ssh/ssh_config")
SSHD = """\
Port {port}
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication yes
"""
# A user has this in ~/.ssh/config. Here it stands in for the file of the whole machine, which ssh reads as well.
SSH = """\
Host {name}
    HostName {address}
    Port {port}
    User root
    IdentityFile {key}
    UserKnownHostsFile {folder}/known_hosts
"""


def need_ssh():
    need_run()
    for program, package in (("sshd", "openssh-server"), ("ssh", "openssh-client"), ("ssh-keygen", "openssh-client")):
        if shutil.which(program) is None:
            pytest.skip(f"missing tool: apt-get install {package}")


def need_rsync():
    if shutil.which("rsync") is None:
        pytest.skip("missing tool: apt-get install rsync")


def keygen(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True, timeout=PATIENCE)


class Machines:
    """Hosts with an ssh daemon each; the server's machine has a key for them."""

    def __init__(self, hosts, folder):
        self.hosts = hosts
        self.folder = folder
        self.daemons = []

    def __enter__(self):
        folder, hosts = self.folder, self.hosts
        for key in ("host_key", "key", "other_key"):
            keygen(folder / key)
        public = (folder / "host_key.pub").read_text()
        (folder / "known_hosts").write_text("".join(f"[{hosts.address_of(name)}]:{PORT} {public}" for name in hosts.names))
        for key in ("key", "other_key"):
            (folder / f"ssh_with_{key}").write_text("".join(
                SSH.format(name=name, address=hosts.address_of(name), port=PORT, key=folder / key, folder=folder)
                for name in hosts.names))
        try:
            for name in hosts.names:
                self.start_daemon(name)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start_daemon(self, name):
        configuration = self.folder / f"sshd_{name}"
        configuration.write_text(SSHD.format(port=PORT, address=self.hosts.address_of(name), folder=self.folder))
        # A bare machine of the same system, without a build.
        setup = f"mount -t tmpfs tmpfs /run && mkdir /run/sshd && mount -t tmpfs tmpfs {BUILD.resolve()}"
        with open(self.folder / f"log_{name}", "w", encoding="utf-8") as log:
            self.daemons.append(subprocess.Popen(
                self.hosts.on_host(name, shutil.which("sshd"), "-D", "-e", "-f", configuration, setup=setup), stderr=log))
        wait_until(lambda: "Server listening" in self.said(name), lambda: self.said(name))

    def said(self, name):
        return (self.folder / f"log_{name}").read_text()

    def stop(self):
        for daemon in self.daemons:
            daemon.terminate()
        for daemon in self.daemons:
            daemon.wait(timeout=PATIENCE)

    def on_server(self, *command, key="key"):
        """On the server's machine, whose ssh has this key."""
        return self.hosts.on_host(self.hosts.server, *command, setup=f"mount --bind {self.folder}/ssh_with_{key} {CLIENT}")

    def run(self, *command, key="key", **options):
        return subprocess.run(self.on_server(*command, key=key), capture_output=True, text=True, timeout=RUN_PATIENCE, **options)

    def muxbench(self, command, *words):
        return (MUXBENCH, command, "--load-hosts", ",".join(self.hosts.names), "--listen", ADDRESS, *words)


@pytest.fixture
def machines():
    need_ssh()
    with Hosts(2, "k") as hosts, tempfile.TemporaryDirectory(prefix="muxbench-ssh-") as folder:
        with Machines(hosts, pathlib.Path(folder)) as made:
            yield made
            # What a run starts on a host ends with it.
            wait_until(lambda: not {pid: words for pid, words in hosts.processes().items() if "sshd" not in words},
                       lambda: f"processes are left: {hosts.processes()}")
        hosts.await_empty()


def push(machines, *words, key="key", **more):
    return machines.run(PUSH, *words, key=key, env={**os.environ, "MUXBENCH_BUILD": str(BUILD), **more})


def ends_without_a_prompt(command, **environment):
    """Its output, on a terminal on which ssh could ask and would wait."""
    script = shutil.which("script")
    if script is None:
        pytest.skip("missing tool: apt-get install bsdutils")
    words = " ".join(shlex.quote(str(word)) for word in command)
    process = subprocess.Popen([script, "--quiet", "--return", "--command", words, "/dev/null"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, env={**os.environ, **environment})
    said = b""
    try:
        while part := process.stdout.read1():
            said += part
            assert b"password:" not in said, said.decode()
    finally:
        process.terminate()
        status = process.wait(timeout=PATIENCE)
    return status, said.decode().replace("\r\n", "\n")


def test_from_bare_machines_to_a_report(machines, tmp_path):
    need_rsync()
    names = machines.hosts.names
    bare = machines.run(*machines.muxbench("doctor"))
    missing = [line for line in bare.stdout.splitlines() if line.startswith("MISSING")]
    assert bare.returncode == 3 and all(any(name in line for line in missing) for name in names), bare.stdout
    assert f"scripts/push.sh {names[0]}" in bare.stdout

    pushed = push(machines, ",".join(names))
    assert pushed.returncode == 0, pushed.stderr
    assert pushed.stdout.splitlines() == [f"{name} has {PROGRAM.resolve()}" for name in names]

    ready = machines.run(*machines.muxbench("doctor"))
    assert ready.returncode == 0 and "the same program on all" in ready.stdout, ready.stdout

    experiments = tmp_path / "experiments"
    experiments.mkdir()
    (experiments / "small.json").write_text(json.dumps({**EXPERIMENT, "sweep": {"connections": [16]}}))
    done = machines.run(*machines.muxbench("run", *ALONE, "--no-charts", "--experiments-dir", experiments, "--models", "epoll_level",
                                           "--out", tmp_path / "out"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = checked_report(tmp_path)
    assert [host["name"] for host in report["plan"]["load_host_facts"]] == names
    for trial in report["trials"]:
        assert trial["status"] == "ok", trial.get("error")
        assert [host["name"] for host in trial["load"]["hosts"]] == names


@pytest.mark.parametrize("way", ["agent", "args"])
def test_options_of_ssh_in_the_launcher(machines, way):
    need_rsync()
    assert push(machines, *machines.hosts.names).returncode == 0
    options = f"-p {PORT} -i {machines.folder}/key -o UserKnownHostsFile={machines.folder}/known_hosts"
    launcher = f"mpirun --mca plm_rsh_{way} '{'ssh ' if way == 'agent' else ''}{options}'"
    addresses = ",".join(machines.hosts.address_of(name) for name in machines.hosts.names)
    # Without the file in which ssh would find the same.
    done = subprocess.run(machines.hosts.on_host(machines.hosts.server, MUXBENCH, "doctor", "--load-hosts", addresses, "--listen",
                                                 ADDRESS, "--launcher", launcher),
                          capture_output=True, text=True, timeout=RUN_PATIENCE)
    assert done.returncode == 0 and "the same program on all" in done.stdout, done.stdout


def test_without_a_key_doctor_ends_without_a_prompt(machines):
    status, said = ends_without_a_prompt(machines.on_server(*machines.muxbench("doctor"), key="other_key"))
    assert status == 3 and said.count("Permission denied") == 2 and "ssh-copy-id" in said, said


@pytest.mark.parametrize("launcher", ["mpirun", "mpirun --mca plm_rsh_args '-o ServerAliveInterval=5'",
                                      "mpirun --mca plm_rsh_agent 'ssh -o ServerAliveInterval=5'", "mpiexec.hydra"])
def test_without_a_key_a_run_ends_without_a_prompt(machines, tmp_path, launcher):
    if shutil.which(launcher.split()[0]) is None:
        pytest.skip("missing tool: apt-get install mpich")
    words = machines.muxbench("run", *ALONE, "--models", "epoll_level", "--experiments", "connections", "--out", tmp_path / "out",
                              "--launcher", launcher)
    status, said = ends_without_a_prompt(machines.on_server(*words, key="other_key"))
    assert status == 1 and "Permission denied" in said, said
    assert not (tmp_path / "out").exists()


def test_without_a_key_push_ends_without_a_prompt(machines):
    need_rsync()
    status, said = ends_without_a_prompt(machines.on_server(PUSH, *machines.hosts.names, key="other_key"), MUXBENCH_BUILD=str(BUILD))
    assert status == 1 and "not copied to " + " ".join(machines.hosts.names) in said, said


def test_push_names_what_is_missing(tmp_path):
    for program in ("bash", "dirname", "realpath"):
        (tmp_path / program).symlink_to(shutil.which(program))
    alone = {"PATH": str(tmp_path), "MUXBENCH_BUILD": str(tmp_path)}
    done = subprocess.run([PUSH, "a"], capture_output=True, text=True, timeout=PATIENCE, env=alone)
    assert done.returncode == 1 and "libopenmpi-dev" in done.stderr and done.stderr.count("\n") == 1
    program = tmp_path / "loadgen" / "loadgen_mpi"
    program.parent.mkdir()
    program.touch(mode=0o755)
    done = subprocess.run([PUSH, "a"], capture_output=True, text=True, timeout=PATIENCE, env=alone)
    assert done.returncode == 1 and "apt-get install rsync" in done.stderr and done.stderr.count("\n") == 1
    done = subprocess.run([PUSH], capture_output=True, text=True, timeout=PATIENCE, env=alone)
    assert done.returncode == 2 and "Usage" in done.stderr
