"""What tests/soak.sh runs: servers that live for the whole time and get load in turns, round after round.

After each turn a server must come to rest: as many descriptors and processes as after its first turn. Memory is compared
between the beginning and the end: a server may warm up in its first round, and must then stay as it is.
"""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from support import models  # noqa: E402
from support.patience import PATIENCE, RUN_PATIENCE, wait_until  # noqa: E402
from support.server import Server  # noqa: E402

LOADGEN = models.BUILD / "loadgen" / "loadgen"
LEAST_ROUNDS = 4     # one to warm up, and three that are compared
USUAL_ROUNDS = 8     # the time for a turn is that of the run over so many
FIRST_REQUESTS = 200  # of each shape of load in a turn; then as many as there is time for
MOST_REQUESTS = 1_000_000
SLACK_BYTES = 192 * 1024  # of memory that an allocator may take later than in the first round
SLACK_SHARE = 0.02

# Bounded connections: at most 262 at a time. No time limit here says anything about speed.
SHAPES = {
    "echo": [
        ("closed", ["--connections", 32]),
        ("pipeline", ["--connections", 8, "--pipeline", 8, "--message-bytes", "64*90,4KiB*9,64KiB"]),
        ("open", ["--connections", 16, "--rate", 300, "--max-lag", "100s"]),
        ("churn", ["--connections", 8, "--churn"]),
        ("stalls", ["--connections", 16, "--stall-mid-message", 2, "--stall-never-read", 2, "--stall-trickle", 2]),
        ("idle", ["--connections", 8, "--idle", 200]),
    ],
    "http": [
        ("closed", ["--connections", 32]),
        ("pipeline", ["--connections", 8, "--pipeline", 8]),
        ("churn", ["--connections", 8, "--churn"]),
    ],
}


@dataclasses.dataclass
class Soaked:
    """One server, and what was seen of it."""
    server: Server
    protocol: str
    requests: int = 0
    amounts: dict = dataclasses.field(default_factory=dict)      # requests of a turn, by the shape of the load
    errors: list = dataclasses.field(default_factory=list)
    memory: list = dataclasses.field(default_factory=list)       # at rest after each turn
    descriptors: list = dataclasses.field(default_factory=list)
    processes: list = dataclasses.field(default_factory=list)
    resting: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)

    @property
    def name(self):
        return self.server.model.name

    def rest(self):
        """Until its next turn it must not take the others' time, as one that never sleeps would."""
        if self.server.model.capability("idle_cpu"):
            self.resting.enter_context(self.server.suspended())

    def wake(self):
        self.resting.close()

    def growth(self):
        """Bytes by which the least of the last third exceeds the most of the first third after the first round."""
        later = self.memory[1:]
        third = max(1, len(later) // 3)
        return min(later[-third:]) - max(later[:third])

    def faults(self):
        found = list(dict.fromkeys(self.errors))
        if len(self.memory) < LEAST_ROUNDS:
            return found or ["too few rounds"]
        if self.growth() > SLACK_BYTES + SLACK_SHARE * self.memory[1]:
            found.append("memory grows")
        if max(self.descriptors[1:]) > self.descriptors[0]:
            found.append("descriptors grow")
        if max(self.processes[1:]) > self.processes[0]:
            found.append("processes grow")
        return found


def make_site(folder):
    (folder / "index.html").write_bytes(b"<p>home</p>")
    (folder / "large").write_bytes(bytes(range(256)) * 256)
    return folder


def load(soaked, options, requests, site):
    command = [str(LOADGEN), "--target", soaked.server.address, "--protocol", soaked.protocol, "--requests", str(requests),
               "--timeout", f"{PATIENCE:.0f}s", "--connect-timeout", f"{PATIENCE:.0f}s", "--quiet", "--json", "-"]
    if soaked.protocol == "http":
        command += ["--path", "/", "--path", "/large", "--body-root", str(site)]
    done = subprocess.run([*command, *map(str, options)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=RUN_PATIENCE)
    if done.returncode != 0:
        return 0, done.stderr.strip() or f"the load generator ended with status {done.returncode}"
    return json.loads(done.stdout.splitlines()[-1])["requests_in_run"], None


def take_turn(soaked, seconds, site):
    """All shapes of load, then what the server has at rest."""
    shapes = SHAPES[soaked.protocol]
    for name, options in shapes:
        amount = soaked.amounts.get(name, FIRST_REQUESTS)
        began = time.monotonic()
        requests, error = load(soaked, options, amount, site)
        # As many as this machine serves in the time of a turn. A number and no duration: in a short one a busy machine may
        # come to serve none.
        share = seconds / len(shapes) / (time.monotonic() - began)
        soaked.amounts[name] = min(max(int(amount * share), FIRST_REQUESTS), MOST_REQUESTS)
        soaked.requests += requests
        if error:
            soaked.errors.append(f"{name}: {error}")
    if not soaked.server.is_alive():
        soaked.errors.append("the server ended")
        return
    with contextlib.suppress(AssertionError):  # what is left is a fault that faults() names
        if soaked.descriptors:
            wait_until(lambda: soaked.server.descriptors() <= soaked.descriptors[0]
                       and len(soaked.server.processes()) <= soaked.processes[0], "not at rest")
        else:
            settle(soaked.server)
    soaked.descriptors.append(soaked.server.descriptors())
    soaked.processes.append(len(soaked.server.processes()))
    soaked.memory.append(soaked.server.memory_bytes())


def settle(server):
    """After the first turn nothing is known to wait for but that it stays the same."""
    seen = [None]

    def is_steady():
        seen.append((server.descriptors(), len(server.processes())))
        time.sleep(0.1)
        return len(seen) > 5 and len(set(seen[-5:])) == 1

    wait_until(is_steady, "the server does not come to rest")


def start_all(chosen, site, stack):
    soaked = []
    for model in chosen:
        for protocol in SHAPES:
            options = ["--root", site] if protocol == "http" else []
            server = stack.enter_context(Server(model, *options, protocol=protocol))
            soaked.append(Soaked(server, protocol))
            stack.callback(soaked[-1].wake)
            soaked[-1].rest()
    return soaked


def soak(chosen, minutes):
    started = time.monotonic()
    rounds = 0
    with contextlib.ExitStack() as stack:
        site = make_site(pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())))
        soaked = start_all(chosen, site, stack)
        turn = minutes * 60 / (USUAL_ROUNDS * len(soaked))
        with contextlib.suppress(KeyboardInterrupt):  # enough: what was seen so far is the result
            while rounds < LEAST_ROUNDS or time.monotonic() - started < minutes * 60:
                for one in soaked:
                    if not one.server.is_alive():
                        continue
                    one.wake()
                    take_turn(one, turn, site)
                    one.rest()
                rounds += 1
                print(f"soak: round {rounds}, {(time.monotonic() - started) / 60:.1f} of {minutes:g} minutes, "
                      f"{sum(one.requests for one in soaked):,} requests", file=sys.stderr, flush=True)
        for one in soaked:
            one.wake()
    return soaked, rounds, time.monotonic() - started


def print_table(soaked):
    row = "{:22} {:5} {:>12} {:>6} {:>9} {:>9} {:>8} {:>11}  {}".format
    print(row("model", "", "requests", "errors", "KiB then", "KiB now", "growth", "descriptors", ""))
    for one in soaked:
        faults = one.faults()
        enough = len(one.memory) >= LEAST_ROUNDS
        print(row(one.name, one.protocol, f"{one.requests:,}", len(one.errors),
                  one.memory[1] // 1024 if enough else "-", one.memory[-1] // 1024 if enough else "-",
                  f"{one.growth() / 1024:+.0f}" if enough else "-",
                  f"{one.descriptors[0]} {one.descriptors[-1]}" if enough else "-", "; ".join(faults) or "ok"))


def main():
    parser = argparse.ArgumentParser(prog="tests/soak.sh", description=__doc__.split("\n")[0])
    parser.add_argument("minutes", nargs="?", type=float, default=30)
    parser.add_argument("--models", default="", help="a,b: only these (all that serve several clients at once)")
    asked = parser.parse_args()
    if not 0 < asked.minutes <= 24 * 60:
        parser.error("MINUTES is a number above 0, and at most a day")
    names = [name for name in asked.models.split(",") if name]
    found = {model.name: model for model in models.all_models() if model.available and model.concurrent}
    for name in names:
        if name not in found:
            parser.error(f"there is no available concurrent model \"{name}\"; there are {', '.join(found)}")
    if not found:
        parser.error(f"no servers in {models.BUILD}/servers; build them with scripts/build.sh release product")
    soaked, rounds, seconds = soak([found[name] for name in names or found], asked.minutes)
    print_table(soaked)
    bad = sum(bool(one.faults()) for one in soaked)
    print(f"{rounds} rounds, {seconds / 60:.1f} minutes, {len(soaked)} servers, "
          f"{sum(one.requests for one in soaked):,} requests: {f'{bad} servers with faults' if bad else 'no faults'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
