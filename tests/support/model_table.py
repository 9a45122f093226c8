"""What a model may declare in --describe. Its own file is where it declares; a model that lets itself off a test needs a line here, in
EXCEPTIONS. test_declarations.py holds --describe to that."""

from support import stated_calls

USUAL = {
    "concurrent": True,               # it serves many clients at once
    "workers": False,                 # it has --workers
    "max_connections": None,          # a limit of the mechanism itself
    "protocols": ["echo", "greet", "http"],
    "transports": ["tcp", "unix"],
    "work": ["none", "spin", "sleep"],
    "idle_timeout": True,
    "idle_cpu": False,                # it never sleeps
    "edge_triggered": False,          # a short read means to it that there is no more
    "program_per_connection": False,
    "signal_per_connection": False,   # clients wait when ulimit -i is small
    "sheds_when_full": False,         # out of descriptors it closes those who wait
    "survives_refused_watch": True,   # a failed epoll_ctl costs one connection
    "one_client_per_worker": False,
}

# Any model may declare these, which add tests.
FREE = {"workers": [False, True], "work": [["none", "spin", "sleep"], ["none", "spin", "sleep", "child"]]}

FAMILIES = {"blocking", "process", "thread", "polling", "signal", "readiness", "completion", "library"}

# Each worker has one client, and 256 workers are what it starts without --workers.
ONE_EACH = {"one_client_per_worker": True, "max_connections": 256}
EDGE = {"edge_triggered": True}
EXCEPTIONS = {
    "blocking_iterative": {"concurrent": False},
    "blocking_alarm": {"concurrent": False},
    "inetd_nowait": {"program_per_connection": True},
    "prefork": ONE_EACH,
    "prefork_fd_passing": ONE_EACH,
    "thread_pool": ONE_EACH,
    "prethread_accept": ONE_EACH,
    "nonblocking_spin": {"idle_cpu": True},
    "select": {"max_connections": 1008},  # FD_SETSIZE, less what the server has open itself
    "rt_signal": EDGE,
    "epoll_edge": EDGE,
    "posix_aio": {"max_connections": 4096, "signal_per_connection": True},
    "uring_poll": EDGE,
    "libev": {"survives_refused_watch": False},
    "libuv": {"sheds_when_full": True, "survives_refused_watch": False},
    "asio_callback": EDGE,
    "asio_coroutine": EDGE,
    "asio_stackful": EDGE,
    "asio_threads": EDGE,
}

# They start a process or a thread while they serve; the others start in advance what they need, or nothing.
STARTS_FOR_CLIENTS = {"fork_per_connection", "inetd_nowait", "thread_per_connection", "posix_aio"}

# The quick tier runs the tests that are not marked every_model for these: one model of each shape that a server can have.
ONE_OF_EACH_SHAPE = ("blocking_iterative", "fork_per_connection", "inetd_nowait", "prefork", "thread_per_connection", "epoll_level",
                     "epoll_edge", "uring_completion", "libuv", "asio_callback")


def calls_that_a_kernel_may_lack(model_name):
    """Without any one of them the model is not available. Its file says that it makes the last one."""
    stated = stated_calls.names_of(model_name)
    if "io_submit" in stated:
        return ("io_setup", "io_submit")
    if "io_uring_enter" not in stated:
        return ()
    # The others try their operations before they say that they have them.
    return ("io_uring_setup",) if model_name == "asio_uring" else ("io_uring_setup", "io_uring_enter")
