"""Network namespaces that stand for hosts: a bridge with an address in one of them, the server's machine, and one veth pair to
each of the others. Nothing of it is seen in the network of this machine."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from support.patience import PATIENCE, wait_until

AGENT = pathlib.Path(__file__).with_name("netns_agent.sh")
ADDRESS = "10.99.0.1"  # of the server's machine
NETWORK = "10.99.0.0/24"


def need_namespaces():
    """Skips the test where no such hosts can be made."""
    if os.geteuid() != 0:
        pytest.skip("environment: not root, who may make network namespaces")
    if shutil.which("ip") is None:
        pytest.skip("missing tool: apt-get install iproute2")
    tried = subprocess.run(["unshare", "--net", "--uts", "true"], capture_output=True, text=True, timeout=PATIENCE)
    if tried.returncode != 0:
        pytest.skip(f"environment: no namespaces: {tried.stderr.strip()}")


def need_hosts():
    """The same where Open MPI cannot start a process on them."""
    need_namespaces()
    if shutil.which("mpirun") is None:
        pytest.skip("missing tool: apt-get install openmpi-bin libopenmpi-dev")
    if "Open MPI" not in subprocess.run(["mpirun", "--version"], capture_output=True, text=True, timeout=PATIENCE).stdout:
        pytest.skip("environment: mpirun is not that of Open MPI, whose options these tests use")


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=PATIENCE)


class Hosts:
    """`server` is the namespace of the server's machine, `names` those of the load hosts."""

    # Commands of the tests' own launcher. Daemons stay children of mpirun, so that they are not orphans of the driver.
    LAUNCHER = ("mpirun", "--leave-session-attached", "--mca", "plm", "rsh", "--mca", "plm_rsh_agent", str(AGENT))

    def __init__(self, count, number):
        prefix = f"mb{os.getpid()}n{number}"
        self.server = f"{prefix}s"
        self.names = [f"{prefix}{letter}" for letter in "abcdefgh"[:count]]

    def __enter__(self):
        _ip("netns", "add", self.server)
        for words in (("add", "bridge0", "type", "bridge"), ("set", "bridge0", "up"), ("set", "lo", "up")):
            _ip("-n", self.server, "link", *words)
        _ip("-n", self.server, "address", "add", f"{ADDRESS}/24", "dev", "bridge0")
        for number, name in enumerate(self.names):
            _ip("netns", "add", name)
            _ip("-n", self.server, "link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("-n", self.server, "link", "set", f"port{number}", "master", "bridge0", "up")
            _ip("-n", name, "address", "add", f"{self.address_of(name)}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "link", "set", "eth0", "up")
        return self

    def __exit__(self, *_):
        left = self.processes()
        for name in (self.server, *self.names):
            for pid in self.processes_in(name):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=PATIENCE)
        assert not left, f"processes were left: {left}"

    def processes_in(self, name):
        out = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, timeout=PATIENCE).stdout
        return [int(pid) for pid in out.split()]

    def processes(self, word=""):
        """{pid: command} of all that run in any of the namespaces."""
        found = {}
        for name in (self.server, *self.names):
            for pid in self.processes_in(name):
                with contextlib.suppress(OSError):
                    command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if command and word in command:
                        found[pid] = command
        return found

    def await_empty(self):
        """Daemons on hosts end a moment after their launcher."""
        wait_until(lambda: not self.processes(), lambda: f"processes are left: {self.processes()}")

    def load_generator_on(self, name, option=""):
        """The pid of loadgen_mpi on that host, started with that option, once it is there."""
        def look():
            for pid in self.processes_in(name):
                with contextlib.suppress(OSError):
                    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
                    if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "loadgen_mpi" and option in words:
                        return pid
            return None

        return wait_until(look, f"no loadgen_mpi on {name}")

    def on_server(self, *command):
        return ["nsenter", f"--net=/run/netns/{self.server}", *map(str, command)]

    def on_host(self, name, *command, setup="true"):
        """The command in that namespace with that as its host name, and with file systems of its own: `setup` may mount."""
        return ["nsenter", f"--net=/run/netns/{name}", "unshare", "--uts", "--mount", "sh", "-c",
                f'hostname {name} && {setup} && exec "$@"', "sh", *map(str, command)]

    def address_of(self, name):
        return ADDRESS if name == self.server else f"10.99.0.{10 + self.names.index(name)}"

    def packets_from(self, name):
        """How many packets of that host have come to the bridge."""
        port = f"/sys/class/net/port{self.names.index(name)}/statistics/rx_packets"
        shown = subprocess.run(["ip", "netns", "exec", self.server, "cat", port], capture_output=True, text=True, check=True,
                               timeout=PATIENCE)
        return int(shown.stdout)

    def wire(self, name, state):
        """Cuts the host off ("down"), or joins it again ("up")."""
        _ip("-n", self.server, "link", "set", f"port{self.names.index(name)}", state)

    def mpirun(self, *command, hosts=None):
        """Starts the command once on each of these hosts, from the server's machine."""
        hosts = hosts or self.names
        return self.on_server(*self.LAUNCHER, "--allow-run-as-root", "--host", ",".join(f"{name}:1" for name in hosts), "-np",
                              len(hosts), "--map-by", "node", "--mca", "oob_tcp_if_include", NETWORK, "--mca", "pml", "ob1",
                              "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", NETWORK, *command)
