"""Each lie in each shape of load: which errors are counted, how many requests failed, and the exit status."""

import pytest

from loadgen.lies import LIES, LyingEcho, LyingEchoInPieces, LyingGreeter, LyingHttp, LyingToTheStalled
from loadgen.program import load, load_when
from support.patience import wait_until

REQUESTS = 120
LAST_LIE = 60  # Then so many requests are left that all pipelines are full at each lie.
DEPTH = 4
PATHS = [f"--path={path}" for path in LyingHttp.PATHS]

# shape: (server, options)
SHAPES = {
    "closed": (LyingEcho, ["--connections", 4]),
    "closed, two threads": (LyingEcho, ["--connections", 4, "--threads", 2]),
    "closed, with stalled clients": (LyingEcho, ["--connections", 4, "--stall-mid-message", 2, "--stall-trickle", 2]),
    "closed, in pieces": (LyingEchoInPieces, ["--connections", 4]),
    "open": (LyingEcho, ["--connections", 4, "--rate", 400]),
    "pipeline": (LyingEcho, ["--connections", 3, "--pipeline", DEPTH]),
    "pipeline, in pieces": (LyingEchoInPieces, ["--connections", 3, "--pipeline", DEPTH]),
    "churn, client closes": (LyingEcho, ["--connections", 4, "--churn", "--closer", "client"]),
    "churn, client resets": (LyingEcho, ["--connections", 4, "--churn", "--closer", "reset"]),
    "churn, server closes": (LyingEcho, ["--connections", 4, "--churn", "--closer", "server"]),
    "open churn": (LyingEcho, ["--connections", 8, "--churn", "--rate", 400]),
    "greet": (LyingGreeter, ["--connections", 4, "--protocol", "greet"]),
    "open greet": (LyingGreeter, ["--connections", 8, "--protocol", "greet", "--rate", 400]),
    "http": (LyingHttp, ["--connections", 4, "--protocol", "http", *PATHS]),
    "open http": (LyingHttp, ["--connections", 4, "--protocol", "http", *PATHS, "--rate", 400]),
    "http pipeline": (LyingHttp, ["--connections", 3, "--protocol", "http", *PATHS, "--pipeline", DEPTH]),
    "http churn, client closes": (LyingHttp, ["--connections", 4, "--protocol", "http", *PATHS, "--churn", "--closer", "client"]),
    "http churn, client resets": (LyingHttp, ["--connections", 4, "--protocol", "http", *PATHS, "--churn", "--closer", "reset"]),
    "http churn, server closes": (LyingHttp, ["--connections", 4, "--protocol", "http", *PATHS, "--churn"]),
    "the stalled": (LyingToTheStalled, ["--connections", 2, "--stall-mid-message", 2]),
}

# What a lie counts as: one error of this kind. It fails one request unless (kind, requests) says otherwise.
ECHO = {
    "flip": "corrupt", "drop": "missing", "duplicate": "extra", "truncate": "timeout", "reorder": "corrupt", "extra": "extra",
    "early": "extra", "late": "timeout", "crossed": "corrupt", "close": "closed", "reset": "reset",
}
# The next answer shows that bytes are missing. Who loses a connection loses all that is in flight on it.
PIPELINE = ECHO | {"truncate": "missing", "late": ("timeout", DEPTH), "close": ("closed", DEPTH), "reset": ("reset", DEPTH)}
# One line is due, so the first wrong byte says it all. After the line this server closes.
GREET = ECHO | {"drop": "corrupt", "truncate": "closed", "early": "corrupt"}
HTTP = ECHO
HTTP_PIPELINE = HTTP | {
    # The next head is taken for the rest of the body, and what follows is no head: the connection is given up.
    "truncate": ("corrupt", 1 + DEPTH),
    "extra": ("protocol", DEPTH),
    "late": ("timeout", DEPTH), "close": ("closed", DEPTH), "reset": ("reset", DEPTH),
}
# A churned connection asks as soon as it is open.
HTTP_CHURN = HTTP | {"early": "protocol"}
# Half a message was sent, all of it is expected, and no request of the load is concerned.
STALLED = {"flip": ("corrupt", 0), "drop": ("missing", 0), "duplicate": ("extra", 0), "reorder": ("corrupt", 0),
           "extra": ("corrupt", 0), "early": ("extra", 0), "crossed": ("corrupt", 0)}

EXPECTED = {
    "closed": ECHO, "closed, two threads": ECHO, "closed, with stalled clients": ECHO, "closed, in pieces": ECHO, "open": ECHO,
    "pipeline": PIPELINE, "pipeline, in pieces": PIPELINE,
    "churn, client closes": ECHO, "churn, client resets": ECHO, "churn, server closes": ECHO, "open churn": ECHO,
    "greet": GREET, "open greet": GREET,
    "http": HTTP, "open http": HTTP, "http pipeline": HTTP_PIPELINE,
    "http churn, client closes": HTTP_CHURN, "http churn, client resets": HTTP_CHURN,
    "http churn, server closes": HTTP_CHURN | {"truncate": "closed"},
    "the stalled": STALLED,
}

LEFT_OUT = {
    ("http pipeline", "duplicate"): "the second answer is taken for that of the next request, and shifts all after it",
    ("the stalled", "truncate"): "an answer to half a message is not due",
    ("the stalled", "late"): "an answer to half a message is not due",
    ("the stalled", "close"): "a server may throw a stalled client out (test_shapes.py)",
    ("the stalled", "reset"): "a server may throw a stalled client out (test_shapes.py)",
}


def kinds(result):
    return {kind: entry["count"] for kind, entry in result["errors"]["by_kind"].items()}


def lies_at(lie):
    if lie in ("late", "truncate", "crossed"):
        return lambda n: n == 25  # The first two may cost a timeout.
    if lie == "early":
        return lambda n: n < 3
    return lambda n: n % 10 == 5 and n < LAST_LIE


def run(shape, lie, expect):
    make_server, options = SHAPES[shape]
    with make_server(lie, (lambda n: True) if shape == "the stalled" else lies_at(lie)) as server:
        timeout = "2s" if lie in ("late", "truncate") else "60s"  # long, unless it is waited for
        options = [*options, "--timeout", timeout, "--requests", REQUESTS]
        if shape != "the stalled":
            return server, load(server.target, *options, expect=expect)
        all_told = lambda: wait_until(lambda: lie is None or server.lies == 2, "the stalled clients send nothing")  # noqa: E731
        return server, load_when(all_told, server.target, *options, expect=expect)


def test_each_lie_is_expected_in_each_shape_or_left_out_for_a_reason():
    assert SHAPES.keys() == EXPECTED.keys()
    for shape in SHAPES:
        left_out = {lie for other, lie in LEFT_OUT if other == shape}
        assert {lie for lie in EXPECTED[shape] if (shape, lie) not in LEFT_OUT} | left_out == set(LIES), shape


@pytest.mark.parametrize("shape", SHAPES)
def test_an_honest_server_of_each_shape_is_found_honest(shape):
    _, result = run(shape, None, expect=0)
    assert (result["status"], result["errors"]["total"], result["failed_requests"]) == ("ok", 0, 0)
    assert result["requests"] == REQUESTS


@pytest.mark.parametrize("shape, lie", [(shape, lie) for shape in SHAPES for lie in LIES if (shape, lie) not in LEFT_OUT])
def test_lies_are_counted_exactly(shape, lie):
    server, result = run(shape, lie, expect=1)
    expected = EXPECTED[shape][lie]
    kind, each = expected if isinstance(expected, tuple) else (expected, 1)
    assert server.lies == {"late": 1, "truncate": 1, "crossed": 2, "early": 3}.get(lie, 6) or shape == "the stalled"
    assert result["status"] == "failed"
    if lie == "early" and shape in ("http", "open http", "http pipeline"):
        # Bytes before the first request are extra. Once it is sent they are no response.
        assert result["errors"]["total"] == server.lies and kinds(result).keys() <= {"extra", "protocol"}
        depth = DEPTH if shape == "http pipeline" else 1
        failed = kinds(result).get("protocol", 0) * depth
    else:
        assert kinds(result) == {kind: server.lies}
        failed = server.lies * each
    assert result["failed_requests"] == failed
    assert result["requests"] == REQUESTS - failed
