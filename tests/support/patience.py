"""How long a test waits for what must happen. The bounds are for hangs: no machine is so slow that what works takes that long."""

import time

PATIENCE = 120.0  # for one step
RUN_PATIENCE = 1800.0  # for a program that measures, builds or draws


def wait_until(condition, failure):
    """Returns the condition's first true value; `failure` is a text, or a function that makes one."""
    deadline = time.monotonic() + PATIENCE
    pause = 0.0005
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            message = failure() if callable(failure) else failure
            raise AssertionError(f"{message} (waited {PATIENCE:.0f} s)")
        time.sleep(pause)
        pause = min(pause * 2, 0.02)


def attempts(what):
    """for attempt in attempts("..."): ... until the test has judged one. An attempt that the machine held up for too long
    proves nothing, and is made again."""
    deadline = time.monotonic() + PATIENCE
    number = 0
    while number == 0 or time.monotonic() < deadline:
        yield number
        number += 1
    raise AssertionError(f"{what}: the machine held up each of {number} attempts")


def unless_held_up(action, seconds, what):
    """Calls action() until it succeeds. A failure after so many seconds proves nothing: the machine may have kept the client
    silent for as long as the server's idle timeout."""
    for _ in attempts(what):
        began = time.monotonic()
        try:
            return action()
        except AssertionError:
            if time.monotonic() - began < seconds:
                raise
