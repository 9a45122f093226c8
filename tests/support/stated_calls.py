"""The system calls that a model says it makes: the "Syscalls per request" line in the head of its file.

    // Syscalls per request: 1/k epoll_wait (k requests ready at once), 1 recv, 1 send; and what else there is to say.

Up to the first full stop or semicolon that is a list of calls. "2" is as many for each request; "0-2" from none to two; "any" cannot
be said in advance; "1/k" is one for all k requests that are ready at once, and so one for each where they come one by one.
"""

import collections
import functools
import re

from support import models, trace

# The call as a file names it, and what it may be for the kernel.
KERNEL_NAMES = {
    "accept": trace.ACCEPT,
    "recv": ("recvfrom", "recvmsg"),
    "read": ("read", "readv"),
    "send": ("sendto", "sendmsg"),
    "write": ("write", "writev"),
    "select": ("select", "pselect6"),
    "poll": ("poll", "ppoll"),
    "epoll_wait": ("epoll_wait", "epoll_pwait", "epoll_pwait2"),
    "kevent": ("kevent", "epoll_wait"),  # the shim's
    "sigtimedwait": ("rt_sigtimedwait",),
    "io_getevents": ("io_getevents", "io_pgetevents"),
}
Stated = collections.namedtuple("Stated", "name least most shared")


@functools.cache
def text_of(model_name):
    """The list as the file has it, without what stands in brackets."""
    source = models.source_of(model_name)
    head = " ".join(line.removeprefix("//").strip() for line in source.partition("#include")[0].splitlines())
    match = re.search(r"Syscalls per request: (.+?)[.;] ", re.sub(r" \([^)]*\)", "", head))
    assert match, f"the head of servers/models/{model_name}.cpp has no line \"Syscalls per request: 1 recv, 1 send.\""
    return match[1]


def parse(text):
    """[Stated] of "1/k epoll_wait, 1 recv, 1 send"."""
    stated = []
    for item in text.split(", "):
        match = re.fullmatch(r"(?:(any)|(\d)(?:-(\d))?(/k)?) (\w+)", item)
        assert match, f"{item!r} is not a number and a system call, such as \"1/k epoll_wait\" or \"any futex\""
        at_will, least, most, shared, name = match.groups()
        stated.append(Stated(name, 0, float("inf"), False) if at_will else
                      Stated(name, int(least), int(most or least), bool(shared)))
    return stated


def names_of(model_name):
    """The calls that the model makes for a request, as its file names them."""
    return {each.name for each in parse(text_of(model_name))}


def count_by_stated_name(stated, counts):
    """The kernel's counts under the names that the file gives them."""
    ours = {each.name for each in stated}
    seen = collections.Counter()
    for call, count in counts.items():
        if call != "restart_syscall":  # what a wait looks like when strace comes in its middle
            names = [name for name in ours if call in KERNEL_NAMES.get(name, (name,))]
            seen[names[0] if names else call] += count
    return seen
