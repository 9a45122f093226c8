"""What a model says of itself, and command lines that must not lead to a server."""

import json
import re
import socket

import pytest

from support import client, trace
from support.model_table import calls_that_a_kernel_may_lack
from support.server import Server, run_to_end


@pytest.mark.every_model
@pytest.mark.unavailable_too
def test_describe_is_one_object(model):
    """What it may say of its capabilities is in test_declarations.py."""
    status, out, err = run_to_end(model, "--describe")
    assert (status, err) == (0, ""), f"--describe: expected status 0, no stderr; seen {status}, {err!r}"
    assert out.count("\n") == 1 and out.endswith("\n"), f"--describe: expected one line, seen {out!r}"
    said = model.description
    assert said["name"] == model.name, f"server_{model.name} calls itself {said['name']}"
    assert said["mechanism"] and isinstance(said["features"], dict)
    assert said["available"] is ("reason" not in said), \
        f"exactly a model that is not available has a reason; seen {said}"


@pytest.mark.unavailable_too
def test_a_low_soft_limit_of_descriptors_changes_nothing(model):
    """It is raised before the kernel is asked for what depends on it."""
    _, out, _ = run_to_end(model, "--describe", wrap=["sh", "-c", 'ulimit -Sn 64 && exec "$@"', "sh"])
    assert json.loads(out) == model.description


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
    ["--idle-timeout", "1728001"],
    ["--idle-timeout", "10000000000"],
    ["--work", "dig"],
    ["--work", "spin:"],
    ["--work", "spin:-1us"],
    ["--work", "sleep:"],
    ["--work", "sleep:-1ms"],
    ["--work", "sleep"],
    ["--slow-worker", "a lot"],
]


def expect_refusal(model, arguments, expected_status):
    status, out, err = run_to_end(model, *arguments)
    assert status == expected_status and out == "" and re.fullmatch(r"[^\n]{10,}\n", err), \
        (f"server_{model.name} {' '.join(arguments)}: expected status {expected_status}, no stdout and one "
         f"sentence on stderr; seen status {status}, stdout {out!r}, stderr {err!r}")
    return err


def test_bad_arguments_end_with_one_sentence_and_status_2(model, size):
    for arguments in BAD_COMMAND_LINES:
        expect_refusal(model, arguments, 2)


@pytest.mark.every_model
def test_what_is_not_declared_is_refused(model):
    if not model.capability("workers"):
        expect_refusal(model, ["--workers", "2"], 2)
        expect_refusal(model, ["--slow-worker", "1ms"], 2)
    if "child" not in model.capability("work"):
        expect_refusal(model, ["--work", "child"], 2)


def test_remote_address_only_when_it_is_allowed(model):
    error = expect_refusal(model, ["--listen", "0.0.0.0:0"], 2)
    assert "--allow-remote" in error, f"the remedy, --allow-remote, is not in {error!r}"
    with Server(model, "--allow-remote", listen="0.0.0.0:0") as server:
        server.address = server.address.replace("0.0.0.0", "127.0.0.1")
        client.echo_once(server)


def test_port_in_use_names_the_address(model):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        error = expect_refusal(model, ["--listen", address], 1)
        assert address in error, f"{address} is in use, and the message does not name it: {error!r}"


def test_unix_path_in_use_is_left_alone_and_a_stale_one_is_taken(model, tmp_path):
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


def test_a_file_that_is_no_socket_is_left_alone(model, tmp_path):
    path = tmp_path / "notes"
    path.write_text("precious")
    error = expect_refusal(model, ["--listen", f"unix:{path}"], 1)
    assert str(path) in error, f"{path} is in the way, and the message does not name it: {error!r}"
    assert path.read_text() == "precious"


@pytest.mark.unavailable_too
def test_unavailable_says_why_and_exits_3(model):
    if model.available:
        pytest.skip("declared: it is available here")
    reason = model.description.get("reason")
    assert isinstance(reason, str) and len(reason) > 10, f"available is false; the reason is {reason!r}"
    expect_refusal(model, [], 3)


@pytest.mark.every_model
def test_a_kernel_without_its_calls_makes_it_unavailable(model, tmp_path):
    """A model that stands on a call which this kernel forbids must notice, and not fall over."""
    calls = calls_that_a_kernel_may_lack(model.name)
    if not calls:
        pytest.skip("declared: it stands on no call that a kernel may lack")
    for call in calls:
        wrap = trace.traced_from_start(tmp_path / "log", "-e", f"trace={call}", "-e", f"inject={call}:error=ENOSYS")
        environment = {"ASAN_OPTIONS": "detect_leaks=0"}
        status, out, err = run_to_end(model, "--describe", wrap=wrap, environment=environment)
        assert "(INJECTED)" in (tmp_path / "log").read_text(), f"--describe does not try {call}"
        assert status == 0 and '"available":false' in out and '"reason":' in out, \
            (f"{call} fails with ENOSYS: expected --describe to say available: false and why; "
             f"seen status {status}, {out!r}, {err!r}")
        status, out, err = run_to_end(model, wrap=wrap, environment=environment)
        assert status == 3 and out == "" and err.count("\n") == 1, \
            f"{call} fails with ENOSYS: expected status 3 and one sentence; seen {status}, {out!r}, {err!r}"
