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

READINESS = {"wait": 1, "recv": 1, "send": 1}
# A worker that waits starts its call anew when strace attaches to it: once for each that is idle.
IDLE_WORKERS = (0, 2)
ANY = (0, 10_000)

# Calls per request of each group: a number, or (least, most). What is not named must not happen.
PER_REQUEST = {
    "blocking_iterative": {"recv": 1, "send": 1},
    "blocking_alarm": {"setitimer": 1, "recv": 1, "send": 1},
    "fork_per_connection": {"recv": 1, "send": 1},
    "inetd_nowait": {"recv": 1, "send": 1},
    "prefork": {"recv": 1, "send": 1, "accept": IDLE_WORKERS},
    "thread_per_connection": {"recv": 1, "send": 1},
    "thread_pool": {"recv": 1, "send": 1, "futex": IDLE_WORKERS},
    "nonblocking_spin": {"recv": ANY, "send": 1, "accept": ANY},  # it asks as often as it can
    "poll": READINESS,
    "select": READINESS,
    "sigio": {"sigwait": (1, 2), "wait": (1, 2), "recv": 1, "send": 1},  # the acknowledgement signals too
    "rt_signal": {"recv": 2, "send": 1},  # one read of the signalfd
    "epoll_level": READINESS,
    "epoll_edge": READINESS,
    "epoll_oneshot": {**READINESS, "ctl": 1, "futex": IDLE_WORKERS},
    "epoll_multiprocess": READINESS,
    "epoll_reuseport": READINESS,
    "kqueue": READINESS,
    "kqueue_batched": READINESS,
    # A completion that is there already is taken from the ring in user space, without a call.
    "aio_poll": {**READINESS, "wait": (0.5, 1), "submit": 1},
    # glibc's threads: each operation is handed over, answered by a signal, and looked at.
    "posix_aio": {"recv": (1, 4), "send": 1, "wait": ANY, "futex": ANY, "pread64": 1, "pwrite64": 1,
                  "getpid": 2, "getuid": 2, "rt_sigqueueinfo": 2},
    "uring_poll": {"enter": (0, 1), "recv": 1, "send": 1},
    "uring_completion": {"enter": (0, 1)},
    "uring_multishot": {"enter": (0, 2)},  # a send's completion is waited for by itself at this pace
    "uring_sqpoll": {"enter": (0, 2)},     # the kernel thread sleeps between paced requests
    "libev": READINESS,
    "libevent": READINESS,
    "libuv": READINESS,
    # Stock Asio: a read is tried, waited for, and tried again; and each turn of its loop is a wait.
    "asio_callback": {"wait": (1, 2), "recv": (1, 2), "send": 1},
    "asio_coroutine": {"wait": (1, 2), "recv": (1, 2), "send": 1},
    "asio_threads": {"wait": (1, 2), "recv": (1, 2), "send": 1, "futex": IDLE_WORKERS},
    "asio_uring": {"enter": (1, 3)},
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
