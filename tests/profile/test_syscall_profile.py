"""Does a model do what its file says? One connection asks and waits, 1,000 times; strace counts.

The counts are of calls, never of time: under strace a server is many times slower, and that is no matter
here. A model without an entry fails: whoever adds one states what it costs.
"""

import collections

from support import client, processes, trace
from support.patience import wait_until
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
# A read is tried, waited for, and tried again; and each turn of its loop is a wait.
STOCK_ASIO = {"wait": 2, "recv": 2, "send": 1}
ANY = (0, 10_000)

# Calls per request of each group: a number, or (least, most). What is not named must not happen.
PER_REQUEST = {
    "blocking_iterative": {"recv": 1, "send": 1},
    "blocking_alarm": {"setitimer": 1, "recv": 1, "send": 1},
    "fork_per_connection": {"recv": 1, "send": 1},
    "inetd_nowait": {"recv": 1, "send": 1},
    "prefork": {"recv": 1, "send": 1},
    "thread_per_connection": {"recv": 1, "send": 1},
    "thread_pool": {"recv": 1, "send": 1},
    "nonblocking_spin": {"recv": ANY, "send": 1, "accept": ANY},  # it asks as often as it can
    "poll": READINESS,
    "select": READINESS,
    "sigio": {"sigwait": 2, "wait": 2, "recv": 1, "send": 1},  # the acknowledgement signals too
    "rt_signal": {"recv": 2, "send": 1},  # one read of the signalfd
    "epoll_level": READINESS,
    "epoll_edge": READINESS,
    "epoll_oneshot": {**READINESS, "ctl": 1},
    "epoll_multiprocess": READINESS,
    "epoll_reuseport": READINESS,
    "kqueue": READINESS,
    "kqueue_batched": READINESS,
    "aio_poll": {**READINESS, "submit": 1},
    # glibc's threads: each operation is handed over, answered by a signal, and looked at.
    "posix_aio": {"recv": 3, "send": 1, "wait": 2, "futex": ANY, "pread64": 1, "pwrite64": 1,
                  "getpid": 2, "getuid": 2, "rt_sigqueueinfo": 2},
    "uring_poll": {"enter": 1, "recv": 1, "send": 1},
    "uring_completion": {"enter": 1},
    "uring_multishot": {"enter": 1},
    "uring_sqpoll": {"enter": (0, 2)},     # the kernel thread sleeps between paced requests
    "libev": READINESS,
    "libevent": READINESS,
    "libuv": READINESS,
    "asio_callback": STOCK_ASIO,
    "asio_coroutine": STOCK_ASIO,
    "asio_threads": STOCK_ASIO,
    "asio_uring": {"enter": 3},
}
TOLERANCE = 0.02  # what comes before the first and after the last request


def profile(model, requests):
    """Calls per request, by group."""
    # A worker that waits starts its call anew when strace attaches to it, so there are few of them.
    options = ("--workers", "2") if model.capability("one_client_per_worker") else ()
    with Server(model, *options) as server, client.connect(server) as sock:
        for _ in range(20):
            client.echo(sock, b"x" * 64)
        pids = server.processes()
        with trace.Trace(server) as traced:
            for _ in range(requests):
                client.echo(sock, b"x" * 64)
                if not model.capability("idle_cpu"):  # paced: the server comes to rest before the next
                    wait_until(lambda: all(map(processes.is_at_rest, pids)), f"{server} does not come to rest")
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
