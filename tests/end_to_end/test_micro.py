"""The micro-benchmarks of this build in a very short run: every family is there, or says why not."""
import json
import os
import signal
import subprocess

import pytest

from driver_bench import BUILD
from support.patience import PATIENCE, RUN_PATIENCE, wait_until

MICRO = BUILD / "bench" / "micro" / "micro"
# The budget is ample: what is tested does not depend on how busy the machine is.
SHORT = ("--budget", "100", "--slice", "1", "--largest", "32", "--repetitions", "2", "--quiet")

PRIMITIVES = ("select", "poll", "epoll_level", "epoll_edge", "kevent", "rt_signal", "rt_sigwaitinfo", "aio_poll", "uring_poll")
WAITS = {f"wait_cost/{primitive}/{pairs}/ready:{share}" for primitive in PRIMITIVES
         for pairs in ("socketpair", "pipe") for share in ("one", "tenth", "all")}
REGISTRATIONS = {f"registration_cost/{mechanism}/{operation}" for mechanism in ("epoll", "kevent", "uring_poll")
                 for operation in ("add", "modify", "delete")} | {
    "registration_cost/rt_signal/add", "registration_cost/rt_signal/delete", "registration_cost/aio_poll/add"}
OTHERS = {
    "hand_over_cost/thread_pool_queue/same_cpu", "hand_over_cost/thread_pool_queue/other_cpu",
    "hand_over_cost/eventfd/same_cpu", "hand_over_cost/eventfd/other_cpu", "hand_over_cost/fork_wait",
    "hand_over_cost/pthread_create_join", "hand_over_cost/scm_rights",
    "syscall_floor/clock_reading", "syscall_floor/getppid", "syscall_floor/recv_eagain",
    "session_cost/echo_session", "session_cost/http_parser", "session_cost/histogram_record",
} | {f"syscall_floor/{call}/{pair}" for call in ("send", "recv", "send_recv") for pair in ("socketpair", "loopback_tcp")}


def run(*arguments, **options):
    return subprocess.run([MICRO, *map(str, arguments)], capture_output=True, text=True, timeout=RUN_PATIENCE, **options)


def family(entry):
    name = entry["run_name"].removesuffix("/manual_time")
    return name.rpartition("/")[0] if name.rpartition("/")[2].startswith(("watched:", "batch:")) else name


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    out = tmp_path_factory.mktemp("micro") / "micro.json"
    result = run(*SHORT, "--out", out)
    assert result.returncode == 0, result.stderr
    return json.loads(out.read_text())


def test_every_family_has_times_or_a_reason(measured):
    times, reasons = {}, {}
    for entry in measured["benchmarks"]:
        if entry["run_type"] != "iteration":
            continue
        if entry.get("error_occurred"):
            assert entry["error_message"].startswith("skipped: "), entry
            reasons[family(entry)] = entry["error_message"]
        else:
            times.setdefault(family(entry), []).append(entry)
    for name in WAITS | REGISTRATIONS | OTHERS:
        # A primitive that is missing as a whole is named without pairs, shares and operations.
        assert name in times or any(name.startswith(prefix) for prefix in reasons), name
    for name in set(times) & WAITS:
        assert {entry["run_name"].split("watched:")[1].split("/")[0] for entry in times[name]} == {"8", "32"}, name
    for entries in times.values():
        for entry in entries:
            assert entry["real_time"] > 0 and entry["iterations"] > 0


def test_fits_and_spread_are_google_benchmarks(measured):
    kinds = {}
    for entry in measured["benchmarks"]:
        if entry["run_type"] == "aggregate":
            kinds.setdefault(entry["aggregate_name"], set()).add(family(entry))
    assert {"wait_cost/poll/socketpair/ready:one", "wait_cost/epoll_level/pipe/ready:all"} <= kinds["BigO"] & kinds["RMS"]
    assert "syscall_floor/getppid" in kinds["cv"] and "syscall_floor/getppid" in kinds["median"]


def test_as_many_were_reported_as_were_ready(measured):
    for entry in measured["benchmarks"]:
        if entry["run_type"] == "iteration" and entry["run_name"].startswith("wait_cost/") and "ready" in entry:
            watched = int(entry["run_name"].split("watched:")[1].split("/")[0])
            share = entry["run_name"].split("ready:")[1].split("/")[0]
            assert entry["ready"] == {"one": 1, "tenth": max(1, watched // 10), "all": watched}[share]


def test_the_context_says_how_it_was_measured(measured):
    context = measured["context"]
    assert context["random_interleaving"] == "true"
    assert int(context["pinned_to_cpu"]) in os.sched_getaffinity(0)
    assert context["largest_watched"] == "32" and context["kevent_backend"]
    assert context["library_build_type"] in ("debug", "release")
    assert "none of its code runs inside a timed region" in context["library_build_type_means"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_file_and_no_process(tmp_path, number):
    out = tmp_path / "micro.json"
    process = subprocess.Popen([MICRO, "--budget", "60", "--quiet", "--out", out], stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    part = tmp_path / "micro.json.part"
    wait_until(lambda: process.poll() is not None or part.exists() and part.stat().st_size > 0, "nothing was written")
    assert process.poll() is None
    os.killpg(process.pid, number)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, told
    assert told.startswith("micro: interrupted") and told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_too_little_time_skips_with_a_reason(tmp_path):
    result = run("--budget", "0.1", "--quiet", "--repetitions", "20", "--out", tmp_path / "micro.json")
    assert result.returncode == 0, result.stderr
    entries = json.loads((tmp_path / "micro.json").read_text())["benchmarks"]
    messages = {entry["error_message"] for entry in entries if entry.get("error_occurred")}
    assert "skipped: the time of the run was over" in messages


def test_few_descriptors_are_told(tmp_path):
    import resource
    result = run(*SHORT, "--out", tmp_path / "micro.json", "--benchmark_filter=registration",
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1200, 1200)))
    assert result.returncode == 0, result.stderr
    (entry, *_) = json.loads((tmp_path / "micro.json").read_text())["benchmarks"]
    assert "raise the limit with ulimit -n" in entry["error_message"]


@pytest.mark.parametrize("arguments, status, told", [
    (["--budget", "soon"], 2, "--budget"),
    (["--faster"], 2, "there is no option --faster"),
    (["--out", "/nowhere/micro.json"], 1, "cannot write /nowhere/micro.json.part"),
])
def test_bad_input_is_refused_in_one_sentence(arguments, status, told):
    result = run(*arguments)
    assert result.returncode == status and told in result.stderr and result.stderr.count("\n") == 1
