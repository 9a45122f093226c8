"""A build without the optional libraries: the models that need one are programs which say so, and nothing fails for it."""
import json
import os
import subprocess
import sys

import pytest

from driver_bench import MUXBENCH, REPOSITORY
from support.patience import PATIENCE, RUN_PATIENCE

pytestmark = pytest.mark.xdist_group("without_libraries")  # one process makes what they share

MISSING = {
    "libev": ("libev", "libev-dev", "library"),
    "libevent": ("libevent", "libevent-dev", "library"),
    "libuv": ("libuv", "libuv1-dev", "library"),
    "fiber_boost": ("Boost.Fiber of Boost 1.81 and Boost.Context of Boost 1.81", "libboost-fiber1.81-dev libboost-context1.81-dev",
                    "library"),
    "fiber_st": ("State Threads", "libst-dev", "library"),
    "uring_poll": ("liburing", "liburing-dev", "readiness"),
    "asio_uring": ("Boost.Asio of Boost 1.81 and liburing", "libboost1.81-dev liburing-dev", "library"),
}
REASONS = {name: f"it was built without {library}; apt-get install {package}, and build again"
           for name, (library, package, _) in MISSING.items()}


def configure(folder, without):
    return subprocess.run(["cmake", "-S", REPOSITORY, "-B", folder, "-G", "Ninja", f"-DMUXBENCH_WITHOUT={without}"],
                          capture_output=True, text=True, timeout=RUN_PATIENCE)


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    done = configure(folder, "asio;boost_context;boost_fiber;libev;libevent;liburing;libuv;st")
    assert done.returncode == 0, done.stdout + done.stderr
    for name, (library, package, _) in MISSING.items():
        assert f"server_{name} says that it is unavailable: not found: {library} (apt-get install {package}" in done.stdout
    done = subprocess.run(["cmake", "--build", folder, "-j2", "--target", *(f"server_{name}" for name in MISSING)],
                          capture_output=True, text=True, timeout=RUN_PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_describe_says_why_and_starting_exits_3(build):
    for name, reason in REASONS.items():
        program = build / "servers" / f"server_{name}"
        said = json.loads(subprocess.run([program, "--describe"], capture_output=True, check=True, timeout=PATIENCE).stdout)
        assert (said["name"], said["family"], said["available"]) == (name, MISSING[name][2], False)
        assert said["reason"] == reason
        started = subprocess.run([program], capture_output=True, text=True, timeout=PATIENCE)
        assert (started.returncode, started.stdout) == (3, "")
        assert started.stderr == f"server_{name}: this model cannot run here: {reason}\n"


def test_a_description_that_does_not_get_out_is_a_failure(build):
    with open("/dev/full", "w") as full:
        lost = subprocess.run([build / "servers" / "server_libev", "--describe"], stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=PATIENCE)
    assert lost.returncode == 1
    assert lost.stderr == "server_libev: cannot write to standard output: No space left on device\n"


def test_muxbench_lists_them_with_the_reason(build):
    listed = subprocess.run([MUXBENCH, "list", "--servers-dir", build / "servers"], capture_output=True, text=True, timeout=PATIENCE)
    assert listed.returncode == 0, listed.stderr
    lines = {line.split()[0]: line for line in listed.stdout.splitlines() if line.strip()}
    for name, reason in REASONS.items():
        assert lines[name].endswith(f"not available: {reason}")


def test_a_run_skips_them_with_the_reason(build, bench):
    bench.server("good")
    for name in MISSING:
        (bench.servers / f"server_{name}").symlink_to(build / "servers" / f"server_{name}")
    result = bench.run("--no-counting", "--repetitions", "1", "--duration", "30ms")
    assert result.returncode == 0, result.stderr
    cells = bench.report()["muxbench"]["cells"]
    assert {cell["status"] for cell in cells if cell["model"] == "good"} == {"measured"}
    for name, reason in REASONS.items():
        assert {(cell["status"], cell["reason"]) for cell in cells if cell["model"] == name} == {("skipped", reason)}
        assert reason in (bench.out / "summary.md").read_text()


def test_the_conformance_suite_skips_them_with_the_reason(build):
    suite = subprocess.run([sys.executable, "-m", "pytest", "-q", "-rs", "--models", ",".join(MISSING),
                            "tests/conformance/test_describe.py"], cwd=REPOSITORY, capture_output=True, text=True, timeout=RUN_PATIENCE,
                           env={**os.environ, "MUXBENCH_BUILD": str(build), "COLUMNS": "200"})
    assert suite.returncode == 0, suite.stdout  # it tests what --describe and the refusal look like, and skips the rest
    for reason in REASONS.values():
        assert f"environment: not available: {reason}" in suite.stdout


def test_an_unknown_library_is_refused(tmp_path):
    refused = configure(tmp_path, "libgtk")
    assert refused.returncode != 0
    assert 'there is no library "libgtk" to go without; there are asio, boost_context' in " ".join(refused.stderr.split())
