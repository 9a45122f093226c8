"""What confines a run (soft limits, seccomp filters, CPU quotas, another run): doctor names it, and the run says what it did."""
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import resource
import struct
import subprocess

import pytest

from driver_bench import MUXBENCH, SLICED
from support.patience import PATIENCE

URING = ("uring_poll", "uring_completion", "uring_multishot", "uring_sqpoll")


def doctor(subject, **how):
    """Its line about this, and the remedy below it, if there is one."""
    told = subprocess.run([MUXBENCH, "doctor"], capture_output=True, text=True, timeout=PATIENCE, **how).stdout.splitlines()
    at, = (at for at, line in enumerate(told) if line[9:].startswith(subject + "  "))
    remedy = told[at + 1].strip() if told[at + 1].strip().startswith("-> ") else ""
    return told[at], remedy


def models(**how):
    told = subprocess.run([MUXBENCH, "list", "--json"], capture_output=True, text=True, timeout=PATIENCE, **how)
    assert told.returncode == 0, told.stderr
    return {model["name"]: model for model in json.loads(told.stdout)["models"]}


def forbid_io_uring(action):
    """In a child before exec: a seccomp filter that answers the three calls of io_uring with this action."""
    load_number, jump_if_below, jump_if_above, answer = 0x20, 0x35, 0x25, 0x06
    first, last = 425, 427  # on every architecture but Alpha
    allow = 0x7fff0000
    program = [(load_number, 0, 0, 0), (jump_if_below, 0, 2, first), (jump_if_above, 1, 0, last), (answer, 0, 0, action),
               (answer, 0, 0, allow)]
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]

    libc = ctypes.CDLL(None, use_errno=True)
    pr_set_no_new_privs, pr_set_seccomp, mode_filter = 38, 22, 2

    def forbid():
        libc.prctl(pr_set_no_new_privs, 1, 0, 0, 0)
        if libc.prctl(pr_set_seccomp, mode_filter, ctypes.byref(Program(len(program), code)), 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "seccomp")

    return forbid


FAIL_WITH_EPERM, FAIL_WITH_ENOSYS, KILL = 0x00050001, 0x00050026, 0x80000000


@pytest.fixture
def has_io_uring():
    line, _ = doctor("io_uring")
    if not line.startswith("ok"):
        pytest.skip(f"environment: {line}")


@pytest.mark.parametrize("action, said", [
    (FAIL_WITH_EPERM, "io_uring_setup fails with Operation not permitted (EPERM): a seccomp filter forbids it"),
    pytest.param(FAIL_WITH_ENOSYS, "io_uring_setup fails with Function not implemented (ENOSYS): a seccomp filter forbids it",
                 marks=pytest.mark.full),
    (KILL, "who calls io_uring_setup is killed: a seccomp filter forbids it"),
], ids=["eperm", "enosys", "kill"])
def test_a_seccomp_filter_against_io_uring_is_named(has_io_uring, action, said):
    line, remedy = doctor("io_uring", preexec_fn=forbid_io_uring(action))
    assert line.startswith("lack") and line.endswith(said), line
    assert "seccomp=unconfined" in remedy
    found = models(preexec_fn=forbid_io_uring(action))
    built = [model for model in found.values() if model["name"] in URING and model["mechanism"] != "not built"]
    for model in built:
        assert not model["available"] and "seccomp filter" in model["reason"], model
    assert found["epoll_level"]["available"]


def test_a_low_soft_limit_of_descriptors_costs_no_model():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048:
        pytest.skip("environment: the hard limit of descriptors is low, too")

    def lower():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))

    assert models(preexec_fn=lower) == models()
    line, _ = doctor("descriptors", preexec_fn=lower)
    assert f"a process may open {hard} (the soft limit of 256 is raised by each program itself)" in line
    if hard >= 8192:
        assert line.startswith("ok")


def test_another_run_on_this_machine_is_named(tmp_path):
    alone = {"env": {**os.environ, "TMPDIR": str(tmp_path)}}
    assert doctor("other runs", **alone)[0].startswith("ok")
    with open(tmp_path / "muxbench.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        line, remedy = doctor("other runs", **alone)
    assert line.startswith("lack") and "another run measures on this machine" in line and "--share-machine" in remedy


@contextlib.contextmanager
def group_with_quota(cpus):
    """A function that moves a child into a group that may use so many CPUs."""
    mounts = [line.split() for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    v1 = [fields for fields in mounts if fields[-3] == "cgroup" and "cpu" in fields[-1].split(",")]
    v2 = [fields for fields in mounts if fields[-3] == "cgroup2"]
    if not v1 and not v2:
        pytest.skip("environment: no cgroup of the cpu controller is mounted")
    group = pathlib.Path((v1 or v2)[0][4]) / f"muxbench-test-{os.getpid()}"
    try:
        group.mkdir()
        try:
            if v1:
                (group / "cpu.cfs_period_us").write_text("100000")
                (group / "cpu.cfs_quota_us").write_text(str(int(cpus * 100000)))
            else:
                (group / "cpu.max").write_text(f"{int(cpus * 100000)} 100000")
        except OSError:
            group.rmdir()
            raise
    except OSError as error:
        pytest.skip(f"environment: no CPU quota can be set here: {error}")

    def join():
        (group / "cgroup.procs").write_text(str(os.getpid()))

    yield join
    group.rmdir()


def test_a_cpu_quota_is_named_and_what_it_stopped_is_flagged(bench):
    bench.real("epoll_level", "poll")
    bench.experiment({**SLICED, "name": "sliced", "duration": "400ms", "repetitions": 1}, "sliced")
    bench.experiment({**SLICED, "name": "windows", "method": "trials", "duration": "500ms", "repetitions": 1}, "windows")
    (bench.experiments / "small.json").unlink()
    with group_with_quota(0.4) as join:
        line, remedy = doctor("cpu quota", preexec_fn=join)
        assert line.startswith("lack") and f"0.40 of {len(os.sched_getaffinity(0))} CPUs (" in line and "--cpus" in remedy
        result = bench.run("--no-counting", preexec_fn=join)
    assert result.returncode == 0, result.stderr
    report = bench.report()["muxbench"]
    for method in ("slices", "trials"):
        trials = [trial for trial in report["trials"] if trial.get("method", "trials") == method]
        assert trials and any(trial.get("throttled_periods", 0) > 0 for trial in trials), method
    flagged = [cell for cell in report["cells"] if any(flag["kind"] == "throttled" for flag in cell["flags"])]
    assert {cell["experiment"] for cell in flagged} >= {"windows"}
    for trial in report["trials"]:
        if "slices" in trial and trial.get("throttled_periods", 0) > 0:
            assert any(trial["slices"]["disturbed"])
