"""What tests/soak.sh runs: servers that live for the whole time and get load in turns, round after round.

First each server has as many busy clients as it ever will. In its turns it has all kinds of load at once. Then it must come to
rest, and what it holds is noted: memory, descriptors and processes. Over the later half of the turns nothing may grow.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from support import models, processes  # noqa: E402
from support.patience import PATIENCE, RUN_PATIENCE, wait_until  # noqa: E402
from support.server import Server  # noqa: E402

LOADGEN = models.BUILD / "loadgen" / "loadgen"
LEAST_ROUNDS = 6  # three of them are the later half
# The allocator must not hide what a server keeps, nor add what it keeps itself. So each allocation is a mapping of its own, of
# whole pages, all written to, and gone when it is freed: one byte that leaks is a page of 4096. Nor are stacks of threads kept.
ALLOCATOR = {"GLIBC_TUNABLES": ":".join((
    "glibc.malloc.mmap_threshold=1", "glibc.malloc.mmap_max=65536", "glibc.malloc.arena_max=1", "glibc.malloc.tcache_count=0",
    "glibc.malloc.perturb=165", "glibc.pthread.stack_cache_size=0"))}
LEAST_SHARE = 256  # a leak is found if one connection of so many leaves an allocation behind
PAGE = os.sysconf("SC_PAGE_SIZE")
CLOSERS = ("reset", "client", "server")  # of --churn, one in each round

# As many clients as in a turn, all with more to hold than they ever have there.
WARM_UP = {
    "echo": {"warm_up": ["--connections", 78, "--requests", 20, "--message-bytes", "64KiB", "--stall-never-read", 100]},
    "http": {"warm_up": ["--connections", 178, "--requests", 20, "--pipeline", 8]},
}
# All at once, 178 clients of one server: fewer than the 256 that a server with a worker for each client has. With the servers'
# own descriptors that is far below 15,000. The number of requests is fixed, so that no speed decides what is tested.
SHAPES = {
    "echo": {
        "closed": ["--connections", 32, "--requests", 1000, "--idle", 100],
        "pipeline": ["--connections", 8, "--requests", 200, "--pipeline", 8, "--message-bytes", "64*90,4KiB*9,64KiB"],
        "open": ["--connections", 16, "--requests", 100, "--rate", 500, "--max-lag", "100s"],
        "churn": ["--connections", 8, "--requests", 2000, "--churn"],
        "stalls": ["--connections", 8, "--requests", 100, "--stall-mid-message", 2, "--stall-never-read", 2, "--stall-trickle", 2],
    },
    "http": {
        "closed": ["--connections", 32, "--requests", 1000, "--idle", 100],
        "pipeline": ["--connections", 8, "--requests", 200, "--pipeline", 8],
        "open": ["--connections", 16, "--requests", 100, "--rate", 500, "--max-lag", "100s"],
        "churn": ["--connections", 8, "--requests", 2000, "--churn"],
    },
}


class Interrupted(BaseException):
    def __init__(self, number):
        super().__init__(number)
        self.number = number


@dataclasses.dataclass
class Soaked:
    """One server, and what was seen of it."""
    server: Server
    protocol: str
    requests: int = 0
    connections: int = 0  # made by the clients of its turns
    errors: int = 0
    faults: list = dataclasses.field(default_factory=list)
    connected: list = dataclasses.field(default_factory=list)    # the connections made until the end of each turn
    memory: list = dataclasses.field(default_factory=list)       # at rest after each turn, in bytes
    threads: list = dataclasses.field(default_factory=list)
    descriptors: list = dataclasses.field(default_factory=list)
    processes: list = dataclasses.field(default_factory=list)
    resting: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)

    def rest(self):
        """Until its next turn it must not take the others' time, as one that never sleeps would."""
        if self.server.model.capability("idle_cpu") and self.server.is_alive():
            self.resting.enter_context(self.server.suspended())

    def wake(self):
        self.resting.close()

    def fault(self, text):
        if text not in self.faults:
            self.faults.append(text)

    def judge(self):
        if not self.server.is_alive():
            self.fault("the server ended")
        elif len(self.memory) >= LEAST_ROUNDS:
            if growth(self.memory) > self.allowed_growth():
                self.fault("memory grows")
            if growth(self.descriptors) >= 1:
                self.fault("descriptors grow")
            if growth(self.processes) >= 1:
                self.fault("processes grow")

    def allowed_growth(self):
        """In bytes, over the later half: as if one connection of 256 left one allocation behind. And each thread, whose turn it is
        by chance, may have come for the first time where it writes to one page more."""
        later = later_half(self.connected)
        return PAGE * ((later[-1] - later[0]) / LEAST_SHARE + later_half(self.threads)[-1])


def later_half(samples):
    return samples[len(samples) // 2:]


def growth(samples):
    """From the begin to the end of the later half, by a straight line through it (least squares)."""
    later = later_half(samples)
    return statistics.linear_regression(range(len(later)), later).slope * (len(later) - 1)


# --- one turn

def make_site(folder):
    (folder / "index.html").write_bytes(b"<p>home</p>")
    (folder / "large").write_bytes(bytes(range(256)) * 256)
    return folder


def start_load(one, shape, options, number, folder):
    """A load generator that writes to FOLDER/shape.json and FOLDER/shape.err."""
    command = [LOADGEN, "--target", one.server.address, "--protocol", one.protocol, *options,
               "--timeout", f"{PATIENCE:.0f}s", "--connect-timeout", f"{PATIENCE:.0f}s", "--quiet",
               "--json", folder / f"{shape}.json"]
    if shape == "churn":
        command += ["--closer", CLOSERS[number % len(CLOSERS)]]
    if one.protocol == "http":
        command += ["--path", "/", "--path", "/large", "--body-root", folder / "site"]
    with open(folder / f"{shape}.err", "wb") as errors:
        return subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)


def end_load(one, shape, process, folder):
    process.wait(RUN_PATIENCE)
    result = folder / f"{shape}.json"
    if result.exists():
        run = json.loads(result.read_text())
        result.unlink()
        one.requests += run["requests_in_run"]
        one.connections += run["connect_ns"]["count"]
        one.errors += run["errors"]["total"]
    if process.returncode != 0:
        said = (folder / f"{shape}.err").read_text(errors="replace").strip()
        one.fault(f"{shape}: {said or f'the load generator ended with status {process.returncode}'}")


def wait_for_rest(one):
    """Every thread waits in the kernel, and what the server holds stays the same. If it is more than ever before, it gets a
    hundred looks and not ten: a thread that has nothing to do may end after a second."""
    server = one.server
    spins = server.model.capability("idle_cpu")
    least = [min(seen, default=sys.maxsize) for seen in (one.descriptors, one.processes, one.threads)]
    before = None
    same = 0

    def is_at_rest():
        nonlocal before, same
        pids = server.processes()
        held = (sum(map(processes.descriptors, pids)), len(pids), sum(map(own_threads, pids)))
        # One that never waits must have looked around since.
        mark = sum(map(processes.cpu_seconds, pids)) if spins else 0
        rests = before is not None and mark > before[1] if spins else all(map(processes.is_at_rest, pids))
        same = same + 1 if rests and before is not None and held == before[0] else 0
        before = held, mark
        return same >= (100 if any(now > then for now, then in zip(held, least)) else 10)

    wait_until(is_at_rest, "does not come to rest")


def own_threads(pid):
    """Without io_uring's, which are the kernel's own."""
    return len(processes.blocked_signals(pid))


def put_under_load(one, shapes, number, folder):
    running = {shape: start_load(one, shape, options, number, folder) for shape, options in shapes.items()}
    for shape, process in running.items():
        end_load(one, shape, process, folder)
    if not one.server.is_alive():
        return
    try:
        wait_for_rest(one)
    except AssertionError as held:
        one.fault(str(held))


def warm_up(one, folder):
    put_under_load(one, WARM_UP[one.protocol], 0, folder)
    one.rest()


def take_turn(one, number, folder):
    one.wake()
    put_under_load(one, SHAPES[one.protocol], number, folder)
    if not one.server.is_alive():
        return
    pids = one.server.processes()
    one.connected.append(one.connections)
    one.threads.append(sum(map(own_threads, pids)))
    one.descriptors.append(one.server.descriptors())
    one.processes.append(len(pids))
    one.memory.append(one.server.memory_bytes())
    one.rest()


# --- the run

def soak(chosen, minutes, soaked, folder):
    """Fills `soaked`, so that what was seen before an interruption is there too."""
    begun = time.monotonic()
    make_site(folder / "site")
    for model in chosen:
        for protocol in filter(SHAPES.get, model.capability("protocols")):
            options = ["--root", folder / "site"] if protocol == "http" else []
            one = Soaked(Server(model, *options, protocol=protocol, environment=ALLOCATOR), protocol)
            one.server.start()
            soaked.append(one)
            warm_up(one, folder)
    number = 0
    while number < LEAST_ROUNDS or time.monotonic() - begun < minutes * 60:
        alive = [one for one in soaked if one.server.is_alive()]
        if not alive:
            break
        for one in alive:
            take_turn(one, number, folder)
        number += 1
        print(f"soak: round {number}, {(time.monotonic() - begun) / 60:.1f} of {minutes:g} minutes, {len(alive)} servers, "
              f"{sum(one.requests for one in soaked):,} requests, {sum(one.errors for one in soaked)} errors",
              file=sys.stderr, flush=True)
    for one in soaked:
        one.wake()
        one.judge()
    for one in soaked:
        if one.server.is_alive():
            try:
                one.server.stop()
            except AssertionError as seen:
                one.fault(str(seen).replace("\n", " "))


def end_all():
    """Nothing that was started is left: what loses its parent becomes a child of this process (support.server sees to it)."""
    while children := processes.children(os.getpid()):
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def print_table(soaked):
    row = "{:22} {:5} {:>12} {:>12} {:>6} {:>9} {:>9} {:>7} {:>8} {:>11} {:>9}  {}".format
    print(row("model", "", "requests", "connections", "errors", "KiB half", "KiB end", "growth", "allowed", "descriptors",
              "processes", ""))
    for one in soaked:
        seen = ["-"] * 6
        if len(one.memory) >= LEAST_ROUNDS:
            later = later_half(one.memory)
            seen = [later[0] // 1024, later[-1] // 1024, f"{growth(one.memory) / 1024:+.0f}",
                    f"{one.allowed_growth() / 1024:.0f}",
                    f"{later_half(one.descriptors)[0]} {one.descriptors[-1]}",
                    f"{later_half(one.processes)[0]} {one.processes[-1]}"]
        print(row(one.server.model.name, one.protocol, f"{one.requests:,}", f"{one.connections:,}", one.errors, *seen,
                  "; ".join(one.faults) or "ok"))


def options():
    parser = argparse.ArgumentParser(prog="tests/soak.sh")
    parser.add_argument("minutes", nargs="?", type=float, default=30)
    parser.add_argument("--models", default="")
    asked = parser.parse_args()
    if not 0 < asked.minutes <= 24 * 60:
        parser.error("MINUTES is a number above 0, and at most a day")
    found = {model.name: model for model in models.all_models() if model.available and model.concurrent}
    if not found:
        parser.error(f"no servers in {models.BUILD}/servers; build them with scripts/build.sh release product")
    names = [name for name in asked.models.split(",") if name]
    for name in names:
        if name not in found:
            parser.error(f"there is no available concurrent model \"{name}\"; there are {', '.join(found)}")
    return asked.minutes, [found[name] for name in names or found]


def interrupt(number, _):
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # ending has begun
    raise Interrupted(number)


def main():
    minutes, chosen = options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    begun = time.monotonic()
    soaked = []
    status = 0
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            folder.chmod(0o755)  # the servers drop root's rights
            (folder / "site").mkdir()
            soak(chosen, minutes, soaked, folder)
    except Interrupted as interrupted:
        status = 128 + interrupted.number
    finally:
        end_all()
    print_table(soaked)
    bad = sum(bool(one.faults) for one in soaked)
    rounds = max((len(one.memory) for one in soaked), default=0)
    print(f"{rounds} rounds, {(time.monotonic() - begun) / 60:.1f} minutes, {len(soaked)} servers, "
          f"{sum(one.requests for one in soaked):,} requests, {sum(one.errors for one in soaked)} errors: "
          f"{'interrupted, ' if status else ''}{f'{bad} servers with faults' if bad else 'no faults'}")
    return status or (1 if bad else 0)


if __name__ == "__main__":
    sys.exit(main())
