#!/usr/bin/env python3
"""Are the promised times kept?

    bench/validation/time_limits.py [smoke] [stop] [shortage]     (default: all; about 3 minutes)

smoke     `muxbench run --profile smoke` with the programs of this build ends within 30 s.
stop      After SIGTERM every model has ended within 1 s, with a client that never reads too; within 0.5 s where nothing is
          in flight, and within 0.5 s of a second signal. The slowest of 5 times counts.
shortage  When descriptors had run out and some are free again, all who wait have their answer within 1 s.

Each prints what it measured, what is claimed, and ok or NOT MET; the exit status is 1 if any was not met. They judge times, so they
want a machine with two CPUs at rest, and are no part of tests/run_all.sh, which tests the same without a clock.
"""

import contextlib
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

from proofs import BUILD, judge, run_chosen

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
from support import client, models  # noqa: E402
from support.patience import wait_until  # noqa: E402
from support.server import STOP_SECONDS, Server  # noqa: E402

TIMES = 5
SOON = 0.5  # of a stop that has nothing to wait for
MIB = 1 << 20
LIMIT = 64  # ulimit -n


def available():
    return [model for model in models.all_models() if model.available]


def smoke():
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        status = subprocess.run([BUILD / "bench" / "muxbench", "run", "--profile", "smoke", "--quiet", "--out", f"{folder}/out"],
                                stdout=subprocess.DEVNULL).returncode
        seconds = time.monotonic() - began
    judge("smoke: a run", f"{seconds:.1f} s, status {status}", "less than 30 s", seconds < 30)


def nobody(_):
    return []


def silent(server):
    return client.crowd(server, 30 if server.model.concurrent else 1, hold=True)


def never_reads(server):
    sock = client.connect(server, receive_buffer=4096)
    client.fill(sock, client.pattern("stuck", 16 * MIB), quiet=0.03)
    return [sock]


def seconds_to_stop(model, clients, second_signal):
    with Server(model) as server, contextlib.ExitStack() as stack:
        for sock in clients(server):
            stack.enter_context(sock)
        if second_signal:
            server.signal(signal.SIGTERM)
            wait_until(server.is_refusing, "SIGTERM was sent, and the port still takes connections")
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait_for_end() is not None, f"{server} does not end"
        return time.monotonic() - began


def stop():
    for situation, clients, second_signal, claimed in (("nobody connected", nobody, False, SOON),
                                                       ("silent connections", silent, False, SOON),
                                                       ("a client that never reads", never_reads, False, STOP_SECONDS),
                                                       ("a second signal", never_reads, True, SOON)):
        slowest = {model.name: max(seconds_to_stop(model, clients, second_signal) for _ in range(TIMES)) for model in available()}
        name = max(slowest, key=slowest.get)
        judge(f"stop: {situation}, the slowest of {len(slowest)} models", f"{slowest[name]:.3f} s ({name})",
              f"less than {claimed} s", slowest[name] < claimed)


def seconds_until_served(model):
    with Server(model, limits=[(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))]) as server, contextlib.ExitStack() as stack:
        inside, waiting = [], []
        for _ in range(LIMIT + 20):
            sock = stack.enter_context(client.connect(server))
            sock.sendall(b"x")
            sock.settimeout(0.2)
            try:
                (inside if sock.recv(1) else []).append(sock)
            except TimeoutError:
                waiting.append(sock)
            except ConnectionResetError:
                pass
        began = time.monotonic()
        for sock in inside:
            sock.close()
        for sock in waiting:
            sock.settimeout(10)
            assert sock.recv(1) == b"x", f"{server}: a client that waited has no answer"
            sock.close()  # another may have its place
        return time.monotonic() - began if waiting else None


def shortage():
    seconds = {model.name: seconds_until_served(model) for model in available()
               if model.concurrent and model.description["family"] != "process" and not model.capability("one_client_per_worker")}
    seconds = {name: each for name, each in seconds.items() if each is not None}  # the others shed whom they cannot serve
    name = max(seconds, key=seconds.get)
    judge(f"shortage: the slowest of {len(seconds)} models", f"{seconds[name]:.3f} s ({name})", "less than 1 s", seconds[name] < 1)


if __name__ == "__main__":
    sys.exit(run_chosen(__doc__, (smoke, stop, shortage)))
