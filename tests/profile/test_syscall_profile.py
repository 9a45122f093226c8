"""Does a model do what its file says? One connection asks and waits, 1,000 times; strace counts.

The counts are of calls, never of time: under strace a server is many times slower, and that is no matter
here. A model without an entry fails: whoever adds one states what it costs.
"""

import collections
import time

from support import client, trace
from support.server import Server

GROUPS = {
    "recv": trace.RECEIVE,
    "send": trace.SEND,
    "wait": trace.WAIT,
    "enter": trace.ENTER,
    "ctl": ("epoll_ctl",),
    "accept": trace.ACCEPT,
    "submit": ("io_submit",),
    "sigwait": ("rt_sigtimedwait", "rt_sigreturn"),
}
GROUP_OF = {call: group for group, calls in GROUPS.items() for call in calls}

# Calls per request of each group: a number, or (least, most). What is not named must not happen.
PER_REQUEST = {
    "blocking_iterative": {"recv": 1, "send": 1},
    "fork_per_connection": {"recv": 1, "send": 1},
    "thread_per_connection": {"recv": 1, "send": 1},
    "poll": {"wait": 1, "recv": 1, "send": 1},
    "epoll_level": {"wait": 1, "recv": 1, "send": 1},
    "uring_completion": {"enter": (0, 1)},
}
TOLERANCE = 0.02  # what comes before the first and after the last request


def profile(model, requests):
    """Calls per request, by group."""
    with Server(model) as server, client.connect(server) as sock:
        for _ in range(20):
            client.echo(sock, b"x" * 64)
        with trace.Trace(server) as traced:
            for _ in range(requests):
                client.echo(sock, b"x" * 64)
                time.sleep(0.0005)  # paced: the server has come to rest before the next
    seen = collections.Counter()
    for call, count in traced.counts.items():
        if call != "restart_syscall":  # what a wait looks like when strace comes in its middle
            seen[GROUP_OF.get(call, call)] += count / requests
    return dict(seen)


def test_every_model_has_an_entry(model):
    assert model.name in PER_REQUEST, \
        f"{model.name} has no entry in PER_REQUEST of {__file__}; seen: {profile(model, 200)}"


def test_system_calls_per_request(model, size):
    expected = PER_REQUEST.get(model.name)
    if expected is None:
        return  # the test above fails for it
    seen = profile(model, size(300, 1000))
    for group in {*expected, *seen}:
        least, most = expected.get(group, 0), expected.get(group, 0)
        if isinstance(least, tuple):
            least, most = least
        count = seen.get(group, 0)
        assert least - TOLERANCE <= count <= most + TOLERANCE, \
            (f"{model.name}: expected {least} to {most} {group} per request, seen {count:.3f}; "
             f"expected {expected}, seen { {k: round(v, 3) for k, v in seen.items()} }")
