"""All models, and what each may declare in --describe. test_declarations.py holds --describe to it."""

USUAL = {
    "concurrent": True,               # it serves many clients at once
    "workers": False,                 # it has --workers
    "max_connections": None,          # a limit of the mechanism itself
    "protocols": ["echo", "greet", "http"],
    "transports": ["tcp", "unix"],
    "work": ["none", "spin"],
    "idle_timeout": True,
    "idle_cpu": False,                # it never sleeps
    "edge_triggered": False,          # a short read means to it that there is no more
    "program_per_connection": False,
    "signal_per_connection": False,   # clients wait when ulimit -i is small
    "sheds_when_full": False,         # out of descriptors it closes those who wait
    "survives_refused_watch": True,   # a failed epoll_ctl costs one connection
    "one_client_per_worker": False,
}
CHILD = {"work": ["none", "spin", "child"]}
WORKERS = {"workers": True}
# Each worker has one client, and 256 workers are what it starts without --workers.
ONE_EACH = {**WORKERS, "one_client_per_worker": True, "max_connections": 256}
EDGE = {"edge_triggered": True}
AIO = ("io_setup", "io_submit")
RING = ("io_uring_setup",)
TRIED_RING = ("io_uring_setup", "io_uring_enter")  # it tries its operations before it says that it has them

# They start a process or a thread while they serve; the others start in advance what they need, or nothing.
STARTS_FOR_CLIENTS = {"fork_per_connection", "inetd_nowait", "thread_per_connection", "posix_aio"}

# Where a test is of code that models share, the quick tier runs it for these: one model of each shape that a server can have.
ONE_OF_EACH_SHAPE = ("blocking_iterative", "fork_per_connection", "inetd_nowait", "prefork", "thread_per_connection", "epoll_level",
                     "uring_completion", "libuv", "asio_callback")

# name: (family, what differs from USUAL, calls without any one of which it is not available; some kernels forbid them)
MODELS = {
    "blocking_iterative": ("blocking", {"concurrent": False, **CHILD}, ()),
    "blocking_alarm": ("blocking", {"concurrent": False}, ()),
    "fork_per_connection": ("process", {}, ()),
    "inetd_nowait": ("process", {"program_per_connection": True}, ()),
    "prefork": ("process", ONE_EACH, ()),
    "thread_per_connection": ("thread", CHILD, ()),
    "thread_pool": ("thread", {**ONE_EACH, **CHILD}, ()),
    "nonblocking_spin": ("polling", {"idle_cpu": True}, ()),
    "select": ("readiness", {"max_connections": 1008}, ()),  # FD_SETSIZE, less what the server has open itself
    "poll": ("readiness", {}, ()),
    "sigio": ("signal", {}, ()),
    "rt_signal": ("signal", EDGE, ()),
    "epoll_level": ("readiness", CHILD, ()),
    "epoll_children": ("readiness", CHILD, ()),
    "epoll_edge": ("readiness", EDGE, ()),
    "epoll_oneshot": ("readiness", WORKERS, ()),
    "epoll_multiprocess": ("readiness", {**WORKERS, **CHILD}, ()),
    "epoll_reuseport": ("readiness", WORKERS, ()),
    "kqueue": ("readiness", {}, ()),
    "kqueue_batched": ("readiness", {}, ()),
    "aio_poll": ("completion", {}, AIO),
    "posix_aio": ("completion", {"max_connections": 4096, "signal_per_connection": True}, ()),
    "uring_poll": ("readiness", EDGE, TRIED_RING),
    "uring_completion": ("completion", {}, TRIED_RING),
    "uring_multishot": ("completion", {}, TRIED_RING),
    "uring_sqpoll": ("completion", {}, TRIED_RING),
    "libev": ("library", {"survives_refused_watch": False}, ()),
    "libevent": ("library", {}, ()),
    "libuv": ("library", {"sheds_when_full": True, "survives_refused_watch": False}, ()),
    "asio_callback": ("library", EDGE, ()),
    "asio_coroutine": ("library", EDGE, ()),
    "asio_threads": ("library", {**WORKERS, **EDGE}, ()),
    "asio_uring": ("library", {}, RING),
}
