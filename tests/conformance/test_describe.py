"""What a model says of itself, and command lines that must not lead to a server."""

import os
import re
import socket
import subprocess

import pytest

from support import client, models, trace
from support.server import Server, run_to_end

pytestmark = pytest.mark.unavailable_too

FAMILIES = {"blocking", "process", "thread", "polling", "readiness", "signal", "completion", "library"}
# capability: what its value must be. A model cannot invent one to be let off a test.
CAPABILITIES = {
    "concurrent": lambda v: isinstance(v, bool),
    "workers": lambda v: isinstance(v, bool),
    "max_connections": lambda v: v is None or (isinstance(v, int) and not isinstance(v, bool) and v > 64),
    "protocols": lambda v: set(v) == {"echo", "greet", "http"},
    "transports": lambda v: set(v) == {"tcp", "unix"},
    "work": lambda v: {"none", "spin"} <= set(v) <= {"none", "spin", "child"},
    "idle_timeout": lambda v: isinstance(v, bool),
}
OPTIONAL_CAPABILITIES = {
    "idle_cpu": lambda v: isinstance(v, bool),  # it never sleeps, and says so
    "edge_triggered": lambda v: isinstance(v, bool),  # it takes a short read or write to mean "drained"
    "program_per_connection": lambda v: isinstance(v, bool),
    "signal_per_connection": lambda v: isinstance(v, bool),  # clients wait when ulimit -i is small
    "sheds_when_full": lambda v: isinstance(v, bool),  # out of descriptors it closes those who wait
    "survives_refused_watch": lambda v: isinstance(v, bool),  # a failed epoll_ctl costs one connection
    "one_client_per_worker": lambda v: isinstance(v, bool),
}


def test_describe_is_one_object_with_known_capabilities(model):
    status, out, err = run_to_end(model, "--describe")
    assert (status, err) == (0, ""), f"--describe: expected status 0, no stderr; seen {status}, {err!r}"
    assert out.count("\n") == 1 and out.endswith("\n"), f"--describe: expected one line, seen {out!r}"
    said = model.description
    assert said["name"] == model.name, f"server_{model.name} calls itself {said['name']}"
    assert said["family"] in FAMILIES, f"family {said['family']!r} is none of {sorted(FAMILIES)}"
    assert said["mechanism"] and isinstance(said["features"], dict)
    assert said["available"] is ("reason" not in said), \
        f"exactly a model that is not available has a reason; seen {said}"
    capabilities = said["capabilities"]
    missing = set(CAPABILITIES) - set(capabilities)
    extra = set(capabilities) - set(CAPABILITIES) - set(OPTIONAL_CAPABILITIES)
    if said["family"] != "library":  # only code that is not ours has such limits
        assert capabilities["survives_refused_watch"] and not capabilities["sheds_when_full"], f"seen {capabilities}"
    assert not missing and not extra, f"capabilities: missing {sorted(missing)}, unknown {sorted(extra)}"
    for name, is_valid in {**CAPABILITIES, **OPTIONAL_CAPABILITIES}.items():
        if name in capabilities:
            assert is_valid(capabilities[name]), f"capability {name}: unexpected value {capabilities[name]!r}"
    if capabilities["concurrent"]:
        assert capabilities["idle_timeout"], "every concurrent model has --idle-timeout"


def test_every_target_is_built():
    """A model that fell out of the build would pass every test by its absence."""
    built = {m.name for m in models.all_models()}
    missing = [name for name in models.targets_in_cmake() if name not in built]
    assert not missing, f"in servers/CMakeLists.txt, but not in {models.BUILD}/servers: {missing}"


BAD_COMMAND_LINES = [
    ["--no-such-option"],
    ["surplus"],
    ["--listen", "nonsense"],
    ["--listen", "127.0.0.1"],
    ["--listen", "127.0.0.1:65536"],
    ["--listen", "127.0.0.1:-1"],
    ["--listen", "unix:"],
    ["--listen", "unix:/" + "x" * 200],
    ["--listen", "0.0.0.0:0"],
    ["--listen", "[::]:0"],
    ["--protocol", "gopher"],
    ["--protocol", "http"],
    ["--protocol", "http", "--root", "/no/such/folder"],
    ["--workers", "0"],
    ["--workers", "many"],
    ["--backlog", "-1"],
    ["--max-connections", "0"],
    ["--idle-timeout", "soon"],
    ["--idle-timeout", "-1"],
    ["--work", "dig"],
    ["--work", "spin:"],
    ["--work", "spin:-1us"],
]


def expect_refusal(model, arguments, expected_status):
    status, out, err = run_to_end(model, *arguments)
    assert status == expected_status and out == "" and re.fullmatch(r"[^\n]{10,}\n", err), \
        (f"server_{model.name} {' '.join(arguments)}: expected status {expected_status}, no stdout and one "
         f"sentence on stderr; seen status {status}, stdout {out!r}, stderr {err!r}")
    return err


def test_bad_arguments_end_with_one_sentence_and_status_2(model, size):
    if not model.available:
        return
    for arguments in BAD_COMMAND_LINES:
        expect_refusal(model, arguments, 2)


def test_what_is_not_declared_is_refused(model):
    if not model.available:
        return
    if not model.capability("workers"):
        expect_refusal(model, ["--workers", "2"], 2)
    if "child" not in model.capability("work"):
        expect_refusal(model, ["--work", "child"], 2)


def test_remote_address_only_when_it_is_allowed(model):
    if not model.available:
        return
    error = expect_refusal(model, ["--listen", "0.0.0.0:0"], 2)
    assert "--allow-remote" in error, f"the remedy, --allow-remote, is not in {error!r}"
    with Server(model, "--allow-remote", listen="0.0.0.0:0") as server:
        server.address = server.address.replace("0.0.0.0", "127.0.0.1")
        client.echo_once(server)


def test_port_in_use_names_the_address(model):
    if not model.available:
        return
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        error = expect_refusal(model, ["--listen", address], 1)
        assert address in error, f"{address} is in use, and the message does not name it: {error!r}"


def test_unix_path_in_use_is_left_alone_and_a_stale_one_is_taken(model, tmp_path):
    if not model.available:
        return
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(path))
        taken.listen()
        error = expect_refusal(model, ["--listen", f"unix:{path}"], 1)
        assert str(path) in error, f"{path} is in use, and the message does not name it: {error!r}"
        assert path.exists(), f"{path} belongs to another program and was removed"
    # The file is still there, but nobody listens any more.
    with Server(model, listen=f"unix:{path}") as server:
        client.echo_once(server)


def test_unavailable_says_why_and_exits_3(model):
    if model.available:
        return
    reason = model.description.get("reason")
    assert isinstance(reason, str) and len(reason) > 10, f"available is false; the reason is {reason!r}"
    expect_refusal(model, [], 3)


@pytest.mark.parametrize("call", ["io_uring_setup", "io_setup"])
def test_missing_kernel_feature_makes_it_unavailable(model, call, tmp_path):
    """A model that stands on a call which this kernel forbids must notice, and not fall over."""
    if not model.available:
        return
    wrap = trace.traced_from_start(tmp_path / "log", "-e", f"trace={call}", "-e", f"inject={call}:error=ENOSYS")
    environment = {"ASAN_OPTIONS": "detect_leaks=0"}
    status, out, err = run_to_end(model, "--describe", wrap=wrap, environment=environment)
    if call not in (tmp_path / "log").read_text():
        return  # this model does not stand on it
    assert status == 0 and '"available":false' in out and '"reason":' in out, \
        (f"{call} fails with ENOSYS: expected --describe to say available: false and why; "
         f"seen status {status}, {out!r}, {err!r}")
    status, out, err = run_to_end(model, wrap=wrap, environment=environment)
    assert status == 3 and out == "" and err.count("\n") == 1, \
        f"{call} fails with ENOSYS: expected status 3 and one sentence; seen {status}, {out!r}, {err!r}"
